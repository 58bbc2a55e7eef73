"""Carries an access over the D channel of a line: fetches frames, sends frames, arms the timers, logs."""

import asyncio
import logging
from collections.abc import Callable

import structlog

from osrec.isdn.access import Access, AccessEvent, AccessOutput, OctetsReceived, SendOctets, Start
from osrec.isdn.link_messages import Deactivated
from osrec.isdn.messages import OwnerOutput, Request, TimerExpired, Trouble
from osrec.isdn.settings import AccessConfig
from osrec_drivers.errors import LineError
from osrec_drivers.line import DChannel

log = structlog.get_logger()
PERIOD = 0.01  # seconds between two looks at the D channel: small against T200 and against the ring of a phone
LOGGED_TROUBLES = 20  # in one minute; `access.counters` counts them all

OnFrame = Callable[[bool, bytes], None]


class AccessRunner:
    """Keeps one access going.

    Attributes:
        access: the machine, to look at.
        unsent: frames that the line had no room for; LAPD repeats them.
        foul: what came on the D channel and was no frame, by kind of error.
    """

    def __init__(
        self,
        name: str,
        config: AccessConfig,
        channel: DChannel,
        on_output: Callable[[OwnerOutput], None],
        on_frame: OnFrame | None = None,
    ) -> None:
        """Args:
        name: of the line, for the log.
        on_output: called for everything that the owner is told.
        on_frame: called for every frame, with whether we sent it, and its octets without FCS.
        """
        self.access = Access(config)
        self.unsent = 0
        self.foul: dict[str, int] = {}
        self._channel = channel
        self._on_output = on_output
        self._on_frame = on_frame
        self._log = log.bind(line=name)
        self._minute = (0.0, 0)  # when it began, troubles logged in it

    async def run(self) -> None:
        """Establish the data link and keep it until cancelled."""
        loop = asyncio.get_running_loop()
        self.start(loop.time())
        while True:
            self.turn(loop.time())
            await asyncio.sleep(PERIOD)

    def start(self, now: float) -> None:
        self._step(Start(), now)

    def stop(self, now: float) -> None:
        """Layer 1 is gone: the data link is down at once. `start` has it established again."""
        self._step(Deactivated(), now)

    def request(self, request: Request, now: float) -> None:
        """Ask for something. Raises UsageError when the state of the call does not allow it."""
        self._carry_out(self.access.handle(request, now), now)

    def turn(self, now: float) -> None:
        """Take what has come and what is due. `now`: any monotonic time in seconds, the same clock in every call."""
        for frame in self._channel.receive():
            if frame.error is not None:
                self.foul[frame.error] = self.foul.get(frame.error, 0) + 1
                continue
            if self._on_frame is not None:
                self._on_frame(False, frame.octets)
            self._step(OctetsReceived(frame.octets), now)
        deadline = self.access.deadline
        if deadline is not None and deadline <= now:
            self._step(TimerExpired(), now)

    def _step(self, event: AccessEvent, now: float) -> None:
        """An error of our own in one event must not end the calls that are on the line."""
        before, was_up = self.access.link.state, self.access.link.up
        try:
            outputs = self.access.handle(event, now)
        except Exception:
            self._log.exception("d channel event cannot be followed by our own fault", input=event)
            return
        after = self.access.link.state
        if was_up is not self.access.link.up:
            self._log.info("data link", before=before.name, after=after.name, on=type(event).__name__)
        if log.is_enabled_for(logging.DEBUG):
            self._log.debug("d channel step", input=event, before=before.name, after=after.name, outputs=outputs)
        self._carry_out(outputs, now)

    def _carry_out(self, outputs: list[AccessOutput], now: float) -> None:
        for output in outputs:
            if isinstance(output, SendOctets):
                self._send(output.octets)
                continue
            if isinstance(output, Trouble):
                self._trouble(output, now)
            try:
                self._on_output(output)
            except Exception:
                self._log.exception("d channel news cannot be followed by our own fault", output=output)

    def _send(self, octets: bytes) -> None:
        if self._on_frame is not None:
            self._on_frame(True, octets)
        try:
            sent = self._channel.send(octets)
        except LineError:  # the line is being closed, and whoever closes it ends us
            sent = False
        self.unsent += not sent

    def _trouble(self, trouble: Trouble, now: float) -> None:
        began, count = self._minute
        if now - began >= 60:
            began, count = now, 0
        self._minute = began, count + 1
        if count < LOGGED_TROUBLES:
            self._log.warning("d channel trouble", trouble=trouble.text)
