"""An engine on a bench: time, the PBX's events and its answers are under the test's control."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import TypeVar
from uuid import UUID

from osrec.calls.tracker import Tracker
from osrec.csta.messages import (
    LinkUp,
    Outcome,
    Reported,
    ServiceAnswered,
    SnapshotTaken,
)
from osrec.engine import messages as out
from osrec.engine.engine import Engine
from osrec.engine.fork import SilentConference
from osrec.engine.messages import Demand, Demanded, Heard, PairHeard, TimerExpired
from osrec.engine.pool import Pair, Pool, Port
from osrec.engine.rules import Rule, RuleSet
from osrec.engine.settings import EngineConfig
from osrec.numbers import Patterns
from osrec.store.records import ConversationEnded
from osrec.wire.csta import model
from osrec.wire.csta.model import (
    ConferenceJoined,
    ErrorCategory,
    LocalState,
    ReturnError,
    SingleStepConference,
)
from tests.unit.csta_events import (
    cleared,
    delivered,
    established,
    initiated,
    originated,
    parties,
)

A, B, C = "3100", "3101", "3102"
NULL, CONNECTED, ALERTING = LocalState.NULL, LocalState.CONNECTED, LocalState.ALERTING
START = datetime(2026, 11, 23, 12, tzinfo=UTC)
PAIRS = [Pair("trunk1", Port(slot, str(7100 + slot)), Port(slot + 1, str(7101 + slot))) for slot in (1, 3)]
SILENT = float("-inf")
T = TypeVar("T")


@dataclass
class Bench:
    """An engine with time under the test's control; keeps all outputs.

    Attributes:
        clears: the PBX takes ports out of calls as soon as it is asked to; else the test answers.
        signalled: lines on which the PBX calls the ports.
    """

    rules: RuleSet = field(default_factory=lambda: RuleSet([Rule("all", "record")]))
    config: EngineConfig = field(default_factory=lambda: EngineConfig(pair_rest=0.0))
    pairs: list[Pair] = field(default_factory=lambda: list(PAIRS))
    now: float = 1000.0
    outputs: list[out.Output] = field(default_factory=list)
    clears: bool = True
    signalled: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        numbers = count(1)
        new_id = lambda: UUID(int=next(numbers))  # noqa: E731
        ports = [port.number for pair in self.pairs for port in (pair.own, pair.other)]
        tracker = Tracker([A, B, C], Patterns(["78??"]), ports, new_id)
        pool, strategy = Pool(self.pairs), SilentConference()
        self.engine = Engine(self.config, tracker, self.rules, pool, strategy, new_id, self.signalled)
        self.connect()
        for station in (A, B, C):
            self.give(SnapshotTaken(station, ()))

    def connect(self, **legs: model.SnapshotLeg) -> list[out.Output]:
        """The link comes up; ports that the PBX has in a call are given with their leg there ("p7101=...")."""
        requests = every(self.give(LinkUp()), out.Request)
        followed: list[out.Output] = []
        while requests:
            request = requests.pop(0)
            outcome: Outcome = model.NoData()
            if isinstance(request.argument, model.SnapshotDevice):
                leg = legs.get(f"p{request.argument.device.number}")
                outcome = model.DeviceSnapshot((leg,) if leg else ())
            new = self.give(ServiceAnswered(request.token, outcome))
            requests += [r for r in every(new, out.Request) if r not in forks(new)]
            followed += new
        return followed

    def give(self, event: object) -> list[out.Output]:
        at = START + timedelta(seconds=self.now)
        new = self.engine.handle(event, self.now, at)  # type: ignore[arg-type]
        self.outputs += new
        return new + (self._take_out(new) if self.clears else [])

    def _take_out(self, outputs: list[out.Output]) -> list[out.Output]:
        """The PBX takes ports out of calls; what that brings about at once."""
        followed: list[out.Output] = []
        for request in every(outputs, out.Request):
            if isinstance(request.argument, model.ClearConnection):
                followed += self.give(ServiceAnswered(request.token, model.NoData()))
        if followed or any(isinstance(r.argument, model.ClearConnection) for r in every(outputs, out.Request)):
            due = self.engine.deadline
            followed += self.give(TimerExpired()) if due is not None and due <= self.now else []
        return followed

    def report(self, station: str, event: model.Event) -> list[out.Output]:
        return self.give(Reported(station, model.EventReport(b"\1", event)))

    def answer(self, request: out.Request, outcome: Outcome | None = None) -> list[out.Output]:
        assert isinstance(request.argument, SingleStepConference)
        port = request.argument.device_to_join
        joined = ConferenceJoined(model.ConnectionId(request.argument.active_call.call_id, port))
        return self.give(ServiceAnswered(request.token, outcome or joined))

    def refuse(self, outputs: list[out.Output]) -> list[out.Output]:
        """The PBX refuses every fork that was asked for."""
        return [follow for request in forks(outputs) for follow in self.answer(request, BUSY)]

    def grant(self, outputs: list[out.Output]) -> list[out.Output]:
        """The PBX grants every fork that was asked for; what that brought about."""
        return [follow for request in forks(outputs) for follow in self.answer(request)]

    def call(self, call: int = 1, caller: str = A, called: str = B) -> list[out.Output]:
        """An internal call up to the answer; what the answer brought about."""
        who = parties(caller, called)
        self.report(caller, initiated(call, caller))
        self.report(caller, originated(call, caller, called))
        self.report(called, delivered(call, called, who, ALERTING))
        return self.report(caller, established(call, called, who))

    def recorded(self, call: int = 1, caller: str = A, called: str = B) -> out.Open:
        """An internal call whose fork the PBX grants."""
        return one(self.grant(self.call(call, caller, called)), out.Open)

    def hang_up(self, call: int = 1, *stations: str) -> list[out.Output]:
        outputs: list[out.Output] = []
        for station in stations or (A, B):
            outputs += self.report(station, cleared(call, station, NULL))
        return outputs

    def after(self, seconds: float, event: object = TimerExpired()) -> list[out.Output]:
        self.now += seconds
        return self.give(event)

    def listen(
        self,
        own: float = -20,
        other: float = -20,
        *,
        idle: bool = False,
        other_idle: bool = False,
        same: bool = False,
        down: str = "",
    ) -> list[out.Output]:
        """A look at the lines: the same on all pairs; `down`: a line in alarm."""
        heard = PairHeard(own, other, idle, idle or other_idle, same)
        lines_down = frozenset({down} if down else ())
        return self.give(Heard({r.channels: heard for r in self.engine.recordings.values()}, lines_down))

    def silence(self, seconds: float) -> list[out.Output]:
        """Idle code on all pairs for so long; what came of it."""
        outputs: list[out.Output] = []
        for _ in range(round(seconds / 0.5)):
            self.now += 0.5
            outputs += self.listen(SILENT, SILENT, idle=True)
        return outputs

    def demand(self, target: str, what: Demand, seconds: float | None = None) -> list[out.Output]:
        return self.give(Demanded(target, what, "Anna", seconds))

    def timers(self, seconds: float) -> list[out.Output]:
        """So much time passes, and everything that is due in it happens when it is due."""
        end, outputs = self.now + seconds, list[out.Output]()
        while (due := self.engine.deadline) is not None and due <= end:
            self.now = max(self.now, due)
            outputs += self.give(TimerExpired())
        self.now = end
        return outputs


def every(outputs: list[out.Output], kind: type[T]) -> list[T]:
    return [output for output in outputs if isinstance(output, kind)]


def forks(outputs: list[out.Output]) -> list[out.Request]:
    """Requests for forks, without those that look for ports or clear them."""
    return [one for one in every(outputs, out.Request) if isinstance(one.argument, SingleStepConference)]


def one(outputs: list[out.Output], kind: type[T]) -> T:
    (found,) = every(outputs, kind)
    return found


def concluded(outputs: list[out.Output]) -> ConversationEnded:
    return one(outputs, out.Concluded).record


BUSY = ReturnError(0, ErrorCategory.SYSTEM_RESOURCE, 2)
