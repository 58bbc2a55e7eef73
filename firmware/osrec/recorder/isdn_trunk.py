"""A line with DSS1 or QSIG: its D channel, and what the PBX's calls on it are for the engine."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from osrec.config_lines import LineSection
from osrec.engine.messages import SignallingChanged
from osrec.isdn.messages import LinkUp, OwnerOutput, Request, Trouble
from osrec.isdn.runner import AccessRunner
from osrec.recorder import refusals
from osrec.recorder.listening import DOWN
from osrec.recorder.trunk_calls import TrunkCalls
from osrec.recorder.trunk_news import News
from osrec.store.records import Channel
from osrec_drivers.line import Line

NOT_UP = 5.0  # seconds after which a data link that has not come up is told of
TROUBLES = 5  # different ones that are kept to be shown


class IsdnTrunk:
    """One line.

    Args:
        going_on: channels of recordings of an earlier run: their calls are up at the PBX, and stay so.
    """

    def __init__(self, section: LineSection, line: Line, now: float, going_on: Sequence[Channel]) -> None:
        self._name, self._kind, self._role = section.name, section.signalling, section.isdn.role
        self._line = line
        self._channel = line.d_channel()
        self._runner = AccessRunner(section.name, section.access(), self._channel, self._take)
        self._calls = TrunkCalls(
            section.name,
            section.ports_by_slot,
            {own: other for (_, own), (_, other) in section.pairs()},
            by_called=section.isdn.ports_by == "called",
            alert=section.isdn.answering == "alert",
            restart=section.isdn.restart_patience if section.isdn.restart and not going_on else None,
        )
        self._news: list[News] = []
        self._requests: list[Request] = []
        self._troubles: dict[str, None] = {}  # the latest at the end
        self._line_down = False
        self._tell_at: float | None = now + NOT_UP
        self._runner.start(now)
        self._requests += self._calls.adopt(going_on)
        self._ask(now)

    @property
    def up(self) -> bool:
        """The PBX can put calls on the line."""
        return self._calls.up

    def step(self, now: float) -> list[News]:
        """Take what has come, do what is due."""
        self._look_at_line(now)
        self._runner.turn(now)
        self._ask(now)
        if self._tell_at is not None and self._tell_at <= now:
            self._tell_at = None
            self._news.append(SignallingChanged(self._name, up=False, why=self._silence()))
        return self._fetch()

    def hang_up(self, slot: int, now: float) -> list[News]:
        """End the PBX's call on a time slot."""
        self._requests += self._calls.hang_up(slot)
        self._ask(now)
        return self._fetch()

    def reference(self, slot: int) -> int | None:
        """The call reference value of the PBX's call on a time slot."""
        return self._calls.reference(slot)

    def state(self) -> dict[str, Any]:
        """For people: JSON values."""
        return {
            "kind": self._kind,
            "role": self._role,
            "up": self._runner.access.control.up,
            "calls": len(self._calls),
            "turned_away": {refusals.named(cause): count for cause, count in sorted(self._calls.turned_away.items())},
            "troubles": list(self._troubles),
            "layer2": asdict(self._runner.access.counters),
            "hdlc": asdict(self._channel.counters),
        }

    def close(self) -> None:
        self._channel.close()

    def _ask(self, now: float) -> None:
        while self._requests:
            self._runner.request(self._requests.pop(0), now)

    def _fetch(self) -> list[News]:
        news, self._news = self._news, []
        return news

    def _look_at_line(self, now: float) -> None:
        """A line without signal carries no D channel, either: its loss need not be found out by time-outs."""
        down = bool(self._line.status().alarms & DOWN)
        if down != self._line_down:
            self._line_down = down
            (self._runner.stop if down else self._runner.start)(now)

    def _take(self, output: OwnerOutput) -> None:
        if isinstance(output, LinkUp):
            self._tell_at = None
        elif isinstance(output, Trouble):
            self._troubles.pop(output.text, None)
            self._troubles[output.text] = None
            if len(self._troubles) > TROUBLES:
                del self._troubles[next(iter(self._troubles))]
        news, requests = self._calls.take(output)
        self._news += news
        self._requests += requests  # when all that has come is taken: one may bring about the next

    def _silence(self) -> str:
        heard = self._channel.counters
        if heard.frames == 0 and heard.bad_fcs + heard.aborts == 0:
            return "nothing has come on its D channel in time slot 16: does the PBX's board have one there?"
        if heard.frames == 0:
            return "what comes in time slot 16 is no HDLC: is that the D channel, and is the signalling not CAS?"
        return f"the far end does not establish its data link: is it the other side than {self._role!r}?"
