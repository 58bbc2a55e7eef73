"""What can be asked of a running recorder besides its state: new rules, and to keep or pause a call."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import structlog

from osrec.config import load
from osrec.engine.messages import Demand, Demanded
from osrec.engine.rules import RuleSet
from osrec.errors import ConfigError
from osrec.recorder.control import Method, RefusedError, Request
from osrec.recorder.rules import build_rules
from osrec.recorder.service import Recorder
from osrec.store.writer import JournalWriter

log = structlog.get_logger()
JOURNAL_PATIENCE = 5.0  # seconds that an answer waits for the journal
LONGEST_NAME = 200  # characters of who asks


class Requests:
    """Methods of the control socket.

    Args:
        path: of the configuration file.
        now: gives the wall time.
    """

    def __init__(self, recorder: Recorder, writer: JournalWriter, path: Path, now: Callable[[], datetime]) -> None:
        self._recorder = recorder
        self._writer = writer
        self._path = path
        self._now = now
        self._reloading: asyncio.Task[None] | None = None  # the loop itself keeps no task alive

    def methods(self) -> dict[str, Method]:
        return {"rules": self._rules, "reload": self._reload, "call": self._call}

    def reload_soon(self) -> None:
        """Reload; a mistake is in the log and an alarm, and the old rules go on."""
        self._reloading = asyncio.get_running_loop().create_task(self._reload_quietly())

    async def reload(self) -> RuleSet:
        """Take rules, groups, times and calendar from the configuration; nothing else of it.

        Raises ConfigError; then the old ones go on.
        """
        try:  # a disk that hangs must not stop the recorder
            rules = build_rules(await asyncio.to_thread(load, self._path), self._now())
        except ConfigError as error:
            self._recorder.refuse_rules(str(error))
            raise
        for warning in rules.warnings():
            log.warning("rules", warning=warning)
        self._recorder.change_rules(rules)
        return rules

    async def _reload_quietly(self) -> None:
        with suppress(ConfigError):
            await self.reload()

    async def _reload(self, request: Request) -> dict[str, Any]:
        before = self._recorder.engine.rules
        try:
            rules = await self.reload()
        except ConfigError as error:
            raise RefusedError(f"the old rules, version {before.version}, go on: {error}") from error
        changed = rules.digest != before.digest
        return {"rules": described(rules), "before": before.version, "changed": changed}

    async def _rules(self, request: Request) -> dict[str, Any]:
        return {"rules": described(self._recorder.engine.rules)}

    async def _call(self, request: Request) -> dict[str, Any]:
        reply = self._recorder.demand(demanded(request))
        if reply.error is not None:
            raise RefusedError(reply.error)
        settled = asyncio.wrap_future(self._writer.settled())
        try:
            await asyncio.wait_for(settled, JOURNAL_PATIENCE)
        except TimeoutError:
            log.error("the journal has not taken what was asked for yet", request=request)
            return {"recordings": [str(one) for one in reply.recordings], "journalled": False}
        return {"recordings": [str(one) for one in reply.recordings], "journalled": True}


def demanded(request: Request) -> Demanded:
    """What a request asks of a call. Raises RefusedError."""
    what, target, by = request.get("what"), request.get("target"), request.get("by", "control socket")
    if what not in [one.value for one in Demand]:
        raise RefusedError(f"what = {what!r}: one of {', '.join(one.value for one in Demand)}")
    if not isinstance(target, str) or not target:
        raise RefusedError(f"target = {target!r}: number of a station, or id of a recording, as text")
    if not isinstance(by, str) or not 0 < len(by) <= LONGEST_NAME:
        raise RefusedError(f"by = {by!r}: who asks, as text of at most {LONGEST_NAME} characters")
    seconds = request.get("seconds")
    if Demand(what) is not Demand.KEEP_LAST:
        return Demanded(target, Demand(what), by)
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not seconds > 0:
        raise RefusedError(f"seconds = {seconds!r}: how much is to be kept, more than 0")
    return Demanded(target, Demand(what), by, float(seconds))


def described(rules: RuleSet) -> dict[str, Any]:
    """A set of rules as JSON values."""
    return {
        "version": rules.version,
        "digest": rules.digest,
        "loaded": None if rules.loaded is None else rules.loaded.isoformat(),
        "names": [rule.name for rule in rules.rules],
        "warnings": rules.warnings(),
    }
