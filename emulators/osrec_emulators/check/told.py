"""What the PBX tells of its conversations in calls.jsonl: who took part, who talked when, which forks there were."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from osrec_emulators.check.spans import Span, union, within
from osrec_emulators.pbx.media import Side

CALLS = "calls.jsonl"
_LEAVING = ("Diverted", "ConnectionCleared")
_PASSING = ("Diverted", "Failed")  # events of a station that a call only passed


@dataclass(frozen=True, slots=True)
class TruthParty:
    """A participant. `trunk`: over which somebody outside is reached; `hidden`: no event names his number."""

    number: str
    external: bool
    trunk: str | None
    name: str | None
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class TalkSpan:
    """A station talked; `heard`: to somebody, else to music, since all others held the call."""

    station: str
    call: str
    heard: bool
    span: Span


@dataclass(frozen=True, slots=True)
class GrantedFork:
    """A port was in a call of a station.

    Attributes:
        dead: without audio.
        end: released, call, lost, held, moved.
        left: when its port left the call: later, where the station only held it.
    """

    port: str
    station: str
    side: Side
    span: Span
    dead: bool
    end: str
    left: float


@dataclass(frozen=True, slots=True)
class RefusedFork:
    """A request for forks that came to nothing."""

    at: float
    station: str | None
    ports: tuple[str, ...]
    error: str
    played: bool


@dataclass(frozen=True, slots=True)
class PlayedFault:
    """A declared fault of forks: unanswered, late, lost, swapped, dead, stuck.

    Attributes:
        seconds: how late, how long stuck.
        told: of a loss, with the usual events.
    """

    at: float
    kind: str
    station: str
    ports: tuple[str, ...]
    seconds: float = 0.0
    told: bool = True


@dataclass(frozen=True, slots=True)
class Fact:
    """Something became known in one of a conversation's calls: a number that took part, an account code."""

    at: float
    text: str
    call: str


@dataclass(frozen=True, slots=True)
class Part:
    """Calls that were a conversation of their own until then."""

    calls: frozenset[str]
    until: float


@dataclass(frozen=True, slots=True)
class Conversation:
    """A finished conversation.

    Attributes:
        dialled: numbers that were called or sent a call on; they may be of nobody: a group's, or not reached.
        active: numbers that did more in it than to send the call on, or to be busy.
        merged_into: its calls became part of another one, by transfer or conference.
        reached_at: when it came to the first of its stations; while it waits in a queue only the PBX knows of it.
        appeared: numbers, when an event named them for the first time. accounts: codes that were entered.
        left: numbers of whom the last event says that they have no part in it any more.
        parts: others that were merged into it.
        passed: stations that sent it on before it rang there.
    """

    thread: str
    calls: frozenset[str]
    stations: tuple[str, ...]
    direction: str
    started_at: datetime
    answered_at: datetime | None
    ended_at: datetime
    parties: tuple[TruthParty, ...] = ()
    dialled: tuple[TruthParty, ...] = ()
    active: frozenset[str] = frozenset()
    talks: tuple[TalkSpan, ...] = ()
    forks: tuple[GrantedFork, ...] = ()
    refused: tuple[RefusedFork, ...] = ()
    faults: tuple[PlayedFault, ...] = ()
    merged_into: str | None = None
    reached_at: datetime | None = None
    appeared: tuple[Fact, ...] = ()
    left: tuple[Fact, ...] = ()
    accounts: tuple[Fact, ...] = ()
    parts: tuple[Part, ...] = ()
    passed: frozenset[str] = frozenset()

    def holds(self, fact: Fact, call: str) -> float:
        """Since when a fact holds in a call: in one of another part, since that and its own came together."""
        of = {part.calls: part.until for part in self.parts if len({fact.call, call} & part.calls) == 1}
        return max([fact.at, *of.values()])

    @property
    def span(self) -> Span:
        return self.started_at.timestamp(), self.ended_at.timestamp()

    def talk(self, station: str, *, heard: bool = True) -> list[TalkSpan]:
        """When a station talked; not `heard`: music on hold included."""
        return [talk for talk in self.talks if talk.station == station and (talk.heard or not heard)]

    def had_fault(self, station: str, *kinds: str) -> bool:
        return any(fault.station == station and fault.kind in kinds for fault in self.faults)


def forked(conversation: Conversation, station: str) -> list[Span]:
    """When both sides of a station were on ports, and not dead."""
    of = [fork for fork in conversation.forks if fork.station == station and not fork.dead]
    own, other = ([fork.span for fork in of if fork.side is side] for side in Side)
    return within(own, other)


def together(conversation: Conversation, one: str, other: str) -> list[Span]:
    """When two stations talked in the same call."""
    spans: list[Span] = []
    for talk in conversation.talk(one):
        spans += within([talk.span], (each.span for each in conversation.talk(other) if each.call == talk.call))
    return spans


def served(conversation: Conversation, station: str, *, each: bool) -> list[Span]:
    """When a station was on a pair; or, unless each needs its own, somebody who talked with it."""
    spans = forked(conversation, station)
    for other in () if each else conversation.stations:
        if other != station:
            spans += within(forked(conversation, other), together(conversation, station, other))
    return union(spans)


def conversations(path: Path) -> list[Conversation]:
    """The finished ones, in the order in which they ended; those that were merged are one. None without such a file."""
    told = [_conversation(row) for row in (rows(path) if path.exists() else ()) if "thread" in row]
    by_thread = {each.thread: each for each in told}
    for each in told:
        into = each.merged_into
        while into is not None and (further := by_thread[into].merged_into if into in by_thread else None):
            into = further
        if into is not None and into in by_thread:
            by_thread[into] = _merged(by_thread[into], by_thread.pop(each.thread))
    return list(by_thread.values())


def rows(path: Path) -> Iterator[dict[str, Any]]:
    """JSON lines; a last line that was cut off is left out."""
    for line in path.read_text(encoding="utf-8").splitlines(keepends=True):
        if line.endswith("\n"):
            yield json.loads(line)


def _merged(one: Conversation, other: Conversation) -> Conversation:
    answered = [each.answered_at for each in (one, other) if each.answered_at is not None]
    reached = [each.reached_at for each in (one, other) if each.reached_at is not None]
    return Conversation(
        thread=one.thread,
        calls=one.calls | other.calls,
        stations=tuple(dict.fromkeys(one.stations + other.stations)),
        direction=one.direction,
        started_at=min(one.started_at, other.started_at),
        answered_at=min(answered, default=None),
        ended_at=max(one.ended_at, other.ended_at),
        parties=tuple(dict.fromkeys(one.parties + other.parties)),
        dialled=tuple(dict.fromkeys(one.dialled + other.dialled)),
        active=one.active | other.active,
        talks=one.talks + other.talks,
        forks=one.forks + other.forks,
        refused=one.refused + other.refused,
        faults=one.faults + other.faults,
        merged_into=one.merged_into,
        reached_at=min(reached, default=None),
        appeared=one.appeared + other.appeared,
        left=one.left + other.left,
        accounts=one.accounts + other.accounts,
        parts=(*one.parts, *other.parts, Part(other.calls, other.ended_at.timestamp())),
        passed=(one.passed - _present(other)) | (other.passed - _present(one)),
    )


def _present(conversation: Conversation) -> set[str]:
    return set(conversation.stations) - conversation.passed


def _conversation(row: dict[str, Any]) -> Conversation:
    started_at = datetime.fromisoformat(row["started_at"])
    clock = _Clock(started_at, row.get("started", 0.0))
    return Conversation(
        thread=row["thread"],
        calls=frozenset(row["calls"]),
        stations=tuple(row["stations"]),
        direction=row["direction"],
        started_at=started_at,
        answered_at=datetime.fromisoformat(row["answered_at"]) if row["answered_at"] else None,
        ended_at=datetime.fromisoformat(row["ended_at"]),
        parties=tuple(
            TruthParty(each["number"], each["external"], each["trunk"], each.get("name"), each.get("hidden", False))
            for each in row.get("parties", ())
        ),
        dialled=tuple(TruthParty(each["number"], each["external"], None, None) for each in row.get("dialled", ())),
        active=frozenset(number for _, kind, number in row.get("events", ()) if kind not in _PASSING),
        talks=tuple(
            TalkSpan(each["station"], each["call"], each["heard"], clock.span(each)) for each in row.get("talks", ())
        ),
        forks=tuple(_fork(each, clock) for each in row.get("forks", ()) if "dead" in each),
        refused=tuple(
            RefusedFork(clock.at(each["at"]), each["station"], tuple(each["ports"]), each["error"], each["played"])
            for each in row.get("refused", ())
        ),
        faults=tuple(_fault(each, clock) for each in row.get("faults", ())),
        merged_into=row.get("merged_into"),
        reached_at=_reached_at(row, clock),
        appeared=tuple(_appeared(row, clock)),
        left=tuple(_left(row, clock)),
        accounts=tuple(Fact(clock.at(each["at"]), each["text"], row["calls"][0]) for each in row.get("accounts", ())),
        passed=_passed(row),
    )


def _passed(row: dict[str, Any]) -> frozenset[str]:
    kinds: dict[str, set[str]] = {}
    for _, kind, number in row.get("events", ()):
        kinds.setdefault(number, set()).add(kind)
    return frozenset(number for number in row["stations"] if kinds.get(number) == {"Diverted"})


@dataclass(frozen=True, slots=True)
class _Clock:
    """Makes UTC of PBX time."""

    started_at: datetime
    started: float

    def at(self, now: float) -> float:
        return (self.started_at + timedelta(seconds=now - self.started)).timestamp()

    def span(self, row: dict[str, Any]) -> Span:
        return self.at(row["from"]), self.at(row["to"])


def _fork(row: dict[str, Any], clock: _Clock) -> GrantedFork:
    span = clock.span(row)
    left = clock.at(row["left"]) if "left" in row else span[1]
    return GrantedFork(row["port"], row["station"], Side(row["side"]), span, row["dead"], row["end"], left)


def _fault(row: dict[str, Any], clock: _Clock) -> PlayedFault:
    detail = row.get("detail", "")
    seconds = float(detail.removesuffix(" s")) if detail.endswith(" s") else 0.0
    return PlayedFault(
        clock.at(row["at"]), row["fault"], row["station"], tuple(row["ports"]), seconds, detail != "silently"
    )


def _appeared(row: dict[str, Any], clock: _Clock) -> Iterator[Fact]:
    seen: set[str] = set()
    for at, _, number in row.get("events", ()):
        if number not in seen:
            seen.add(number)
            yield Fact(clock.at(at), number, row["calls"][0])


def _left(row: dict[str, Any], clock: _Clock) -> Iterator[Fact]:
    last = {number: (at, kind) for at, kind, number in row.get("events", ())}
    for number, (at, kind) in last.items():
        if kind in _LEAVING:
            yield Fact(clock.at(at), number, row["calls"][0])


def _reached_at(row: dict[str, Any], clock: _Clock) -> datetime | None:
    moments = (at for at, _, number in row.get("events", ()) if number in row["stations"])
    return next((datetime.fromtimestamp(clock.at(at), UTC) for at in moments), None)
