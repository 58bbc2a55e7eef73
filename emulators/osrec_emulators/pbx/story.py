"""What the PBX remembers of one conversation for the checks: who talked when, which forks there were, which not."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from osrec.wire.csta.model import LocalState
from osrec_emulators.pbx.calls import Call, Party, Thread
from osrec_emulators.pbx.media import Fork

MOST_EVENTS = 500  # a line stays readable however long a conversation lasts
_PRESENT = (LocalState.CONNECTED, LocalState.HOLD)


@dataclass(slots=True)
class ForkSpan:
    """A fork, from the moment that it was granted. `dead`: it carried nothing. `end`: why it ended.

    `left`: when its port left the call, which may be later: while its station holds the call, the port waits in it.
    """

    fork: Fork
    began: float
    dead: bool = False
    ended: float | None = None
    end: str = "released"
    left: float | None = None


@dataclass(slots=True)
class Talk:
    """A station was connected in an answered call, and somebody else was in it.

    `heard`: somebody else was connected, too; else all others hold the call, and the station hears music.
    """

    station: str
    call: str
    heard: bool
    began: float
    ended: float | None = None


@dataclass(frozen=True, slots=True)
class RefusedFork:
    """A request for forks that came to nothing. `played`: a declared fault, and no rule of the PBX."""

    at: float
    strategy: str
    station: str | None
    ports: tuple[str, ...]
    error: str
    played: bool


@dataclass(frozen=True, slots=True)
class PlayedFault:
    """A declared fault of forks that was played; `kind` is its key in [pbx.fork.faults]."""

    at: float
    kind: str
    station: str
    ports: tuple[str, ...]
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Entered:
    """Something that somebody entered or dialled during the call: an account code, or digits."""

    at: float
    device: str
    text: str


@dataclass(slots=True)
class Story:
    """One conversation; all times are PBX time.

    Attributes:
        dialled: numbers that were called or that sent a call on, whoever took part then: those of groups, queues, park
            slots, and of whom nobody reached; and whether they are outside.
        merged_into: the thread that took its calls over.
    """

    direction: str
    started: float
    answered: float | None = None
    calls: list[str] = field(default_factory=list)
    parties: dict[Party, None] = field(default_factory=dict)
    dialled: dict[str, bool] = field(default_factory=dict)
    forks: list[ForkSpan] = field(default_factory=list)
    talks: list[Talk] = field(default_factory=list)
    refused: list[RefusedFork] = field(default_factory=list)
    faults: list[PlayedFault] = field(default_factory=list)
    accounts: list[Entered] = field(default_factory=list)
    digits: list[Entered] = field(default_factory=list)
    events: list[tuple[float, str, str]] = field(default_factory=list)
    merged_into: bytes | None = None
    _running: dict[str, tuple[Call, Talk]] = field(default_factory=dict)

    def look(self, call: Call, now: float) -> None:
        """Something about the call changed: who was called, and who talks now?"""
        for number in (call.called.number if call.called is not None else None, call.redirected_from):
            if number is not None:
                self.dialled.setdefault(number, False)
        for station, (other, talk) in list(self._running.items()):
            if self._talking(other).get(station) is not talk.heard:
                talk.ended = now
                del self._running[station]
        for station, heard in self._talking(call).items():
            if station not in self._running:
                self.talks.append(talk := Talk(station, call.id.hex(), heard, now))
                self._running[station] = call, talk

    def finish(self, now: float) -> None:
        for _, talk in self._running.values():
            talk.ended = now
        for span in self.forks:
            if span.ended is None:
                span.ended = now
        self._running.clear()

    def _talking(self, call: Call) -> dict[str, bool]:
        """Stations that talk, in an answered call, not on hold by themselves, not alone; and whether they are heard.

        Queues, park slots and dial tones are no parties: with them one is alone.
        """
        if not call.answered:
            return {}
        present = [leg for leg in call.active if leg.state in _PRESENT and leg.party in self.parties]
        connected = [leg for leg in present if leg.state is LocalState.CONNECTED]
        stations = [leg.device for leg in connected if leg.party.trunk is None]
        return dict.fromkeys(stations, len(connected) > 1) if len(present) > 1 else {}

    def record(
        self, thread: Thread, ended: float, names: Mapping[str, str], iso: Callable[[float], str]
    ) -> dict[str, Any]:
        """The line of calls.jsonl; `names` by number, `iso` makes UTC of PBX time."""
        return {
            "thread": thread.id.hex(),
            "calls": self.calls,
            "stations": [party.number for party in self.parties if party.trunk is None],
            "parties": [_party(party, names) for party in self.parties],
            "dialled": [{"number": number, "external": external} for number, external in self.dialled.items()],
            "direction": self.direction,
            "started": _time(self.started),
            "answered": None if self.answered is None else _time(self.answered),
            "ended": _time(ended),
            "started_at": iso(self.started),
            "answered_at": None if self.answered is None else iso(self.answered),
            "ended_at": iso(ended),
            "talks": [_talk(talk, ended) for talk in self.talks if talk.ended != talk.began],
            "merged_into": self.merged_into.hex() if self.merged_into else None,
            "forks": [_span(span, ended) for span in self.forks],
            "refused": [refused_row(each) for each in self.refused],
            "faults": [_fault(each) for each in self.faults],
            "accounts": [_entered(each) for each in self.accounts],
            "digits": [_entered(each) for each in self.digits],
            "events": self.events,
        }


def refused_row(refused: RefusedFork) -> dict[str, Any]:
    return {
        "at": _time(refused.at),
        "strategy": refused.strategy,
        "station": refused.station,
        "ports": list(refused.ports),
        "error": refused.error,
        "played": refused.played,
    }


def _time(now: float) -> float:
    return round(now, 6)


def _party(party: Party, names: Mapping[str, str]) -> dict[str, Any]:
    external = party.trunk is not None
    name = None if external else names.get(party.number)
    hidden = party.shown is not None
    return {"number": party.number, "external": external, "trunk": party.trunk, "name": name, "hidden": hidden}


def _talk(talk: Talk, end: float) -> dict[str, Any]:
    ended = end if talk.ended is None else talk.ended
    return {
        "station": talk.station,
        "call": talk.call,
        "heard": talk.heard,
        "from": _time(talk.began),
        "to": _time(ended),
    }


def _span(span: ForkSpan, end: float) -> dict[str, Any]:
    fork = span.fork
    return {
        "port": fork.port,
        "station": fork.station,
        "side": fork.side.value,
        "call": fork.call,
        "from": _time(span.began),
        "to": _time(end if span.ended is None else span.ended),
        "dead": span.dead,
        "end": span.end,
        "left": _time(end if span.left is None else span.left),
    }


def _fault(fault: PlayedFault) -> dict[str, Any]:
    return {
        "at": _time(fault.at),
        "fault": fault.kind,
        "station": fault.station,
        "ports": list(fault.ports),
        "detail": fault.detail,
    }


def _entered(entered: Entered) -> dict[str, Any]:
    return {"at": _time(entered.at), "device": entered.device, "text": entered.text}


def iso_of(wall: Callable[[float], datetime]) -> Callable[[float], str]:
    return lambda now: wall(now).isoformat(timespec="milliseconds")
