"""What can be asked of a running recorder about its CSTA link: its state in full, and what passes over it."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress
from typing import Any

from osrec.csta.runner import LinkRunner
from osrec.csta.status import link_status
from osrec.csta.tap import Passed
from osrec.recorder.control import Method, RefusedError, Request, Stream

MOST_HELD = 32 << 20  # octets that wait for a client which reads slowly; what exceeds them is missing in its capture
MOST_AT_ONCE = 200  # of what passed, in one answer
SIGN_OF_LIFE = 1.0  # seconds between two answers at least: a client that has gone is noticed by them


class LinkRequests:
    """Methods of the control socket. All the octets that it gives away are masked already."""

    def __init__(self, link: LinkRunner) -> None:
        self._link = link

    def methods(self) -> dict[str, Method]:
        return {"link": self._state}

    def streams(self) -> dict[str, Stream]:
        return {"capture": self._capture}

    async def _state(self, request: Request) -> dict[str, Any]:
        return {"link": link_status(self._link, asyncio.get_running_loop().time())}

    async def _capture(self, request: Request) -> AsyncGenerator[dict[str, Any], None]:
        loop = asyncio.get_running_loop()
        seconds = request.get("seconds")
        if seconds is not None and (isinstance(seconds, bool) or not isinstance(seconds, int | float) or seconds <= 0):
            raise RefusedError(f"seconds = {seconds!r}: how long to capture, more than 0; without it until you close")
        end = None if seconds is None else loop.time() + seconds
        held = _Held()
        stop = self._link.listen(held.take)
        try:
            yield {"passed": [], "missed": 0}  # from now on nothing is missed
            while end is None or loop.time() < end:
                patience = SIGN_OF_LIFE if end is None else min(SIGN_OF_LIFE, max(end - loop.time(), 0.0))
                yield await held.next(patience)
            yield {"done": True, "passed": [], "missed": held.missed}
        finally:
            stop()


class _Held:
    """What passed and is not given away yet."""

    def __init__(self) -> None:
        self._passed: list[Passed] = []
        self._octets = 0
        self.missed = 0
        self._some = asyncio.Event()

    def take(self, passed: Passed) -> None:
        if self._octets + len(passed.octets) > MOST_HELD:
            self.missed += 1
            return
        self._passed.append(passed)
        self._octets += len(passed.octets)
        self._some.set()

    async def next(self, patience: float) -> dict[str, Any]:
        """What there is, after waiting for something no longer than so many seconds."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._some.wait(), patience)
        given, self._passed = self._passed[:MOST_AT_ONCE], self._passed[MOST_AT_ONCE:]
        self._octets -= sum(len(passed.octets) for passed in given)
        if not self._passed:
            self._some.clear()
        return {"passed": [_json(passed) for passed in given], "missed": self.missed}


def _json(passed: Passed) -> dict[str, Any]:
    return {
        "at": passed.at,
        "what": passed.what,
        "connection": passed.connection,
        "local": list(passed.local),
        "peer": list(passed.peer),
        "sent": passed.sent,
        "position": passed.position,
        "other": passed.other,
        "hex": passed.octets.hex(),
    }
