"""The PBX's calls on one line's D channel, as the engine wants to know of them."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from osrec.engine.messages import Event, Released, Seized, SignallingChanged
from osrec.isdn.messages import (
    AdoptCall,
    Alert,
    AnswerCall,
    By,
    CallAdopted,
    CallReleased,
    ChannelTaken,
    ClearCall,
    Connected,
    LinkDown,
    LinkUp,
    OwnerOutput,
    Request,
    RestartChannels,
    RestartFailed,
)
from osrec.store.records import Channel
from osrec.wire.q931.causes import CauseValue, cause_name

ENDED_BY = {
    By.PEER: "the PBX released its call",
    By.US: "we released the PBX's call",
    By.PROTOCOL: "the PBX's call was cleared by the protocol",
    By.LINK: "the PBX's call was released since the data link stayed down",
}


@dataclass(frozen=True, slots=True)
class _TrunkCall:
    """`seats`: its slots with the port that each is for; two where one call brings both sides."""

    seats: tuple[tuple[int, str], ...]
    reference: int

    def has(self, slot: int) -> bool:
        return any(each == slot for each, _ in self.seats)


@dataclass(frozen=True, slots=True)
class Unexpected:
    """Something about which nothing can be done here. `text` is for people."""

    line: str
    text: str


News = Event | Unexpected


class TrunkCalls:
    """Of one line.

    Args:
        ports: the number of our port on each time slot.
        partners: the other port of the pair whose own side a port is.
        by_called: the called number says which port is meant; else the slot does.
        alert: ALERTING before CONNECT.
        restart: all channels are restarted when the data link comes up for the first time, Q.931 5.5.
    """

    def __init__(
        self,
        line: str,
        ports: Mapping[int, str],
        partners: Mapping[str, str],
        *,
        by_called: bool,
        alert: bool,
        restart: bool,
    ) -> None:
        self._line = line
        self._ports = dict(ports)
        self._partners = dict(partners)
        self._by_called = by_called
        self._alert = alert
        self._restart = restart
        self._calls: dict[int, _TrunkCall] = {}

    def __len__(self) -> int:
        return len(self._calls)

    def take(self, output: OwnerOutput) -> tuple[list[News], list[Request]]:
        """(what the engine is told, what the D channel is asked for)."""
        match output:
            case ChannelTaken():
                return self._taken(output)
            case Connected(call):
                return self._seized(call), []
            case CallAdopted(known, call) if isinstance(known, _TrunkCall):
                self._calls[call] = known
                return self._seized(call), []
            case CallReleased():
                return self._released(output), []
            case LinkUp():
                restart, self._restart = self._restart, False
                return [SignallingChanged(self._line, up=True)], ([RestartChannels()] if restart else [])
            case LinkDown():
                return [SignallingChanged(self._line, up=False, why="the data link of its D channel is lost")], []
            case RestartFailed(slots):
                text = f"the PBX does not acknowledge RESTART of {len(slots)} channels of {self._line} [Q.931 5.5.1]"
                return [Unexpected(self._line, text)], []
            case _:
                return [], []

    def hang_up(self, slot: int) -> list[Request]:
        """End the call on a time slot."""
        return [ClearCall(call) for call, known in self._calls.items() if known.has(slot)]

    def adopt(self, channels: Iterable[Channel]) -> list[Request]:
        """Calls of an earlier run, by the channels of the recordings that go on."""
        seats = defaultdict[int, list[tuple[int, str]]](list)
        for channel in channels:
            if channel.reference is not None:
                seats[channel.reference].append((channel.slot, channel.port))
        calls = [_TrunkCall(tuple(of_one), reference) for reference, of_one in seats.items()]
        return [AdoptCall(call, call.reference, tuple(slot for slot, _ in call.seats)) for call in calls]

    def reference(self, slot: int) -> int | None:
        """The call reference value of the call on a time slot."""
        return next((known.reference for known in self._calls.values() if known.has(slot)), None)

    def _taken(self, taken: ChannelTaken) -> tuple[list[News], list[Request]]:
        seats = self._seats(taken)
        if seats is None:
            text = (
                f"the PBX calls {taken.called or 'no number'} on slot {taken.slot} of {self._line}, which is none of "
                f"the line's ports: refused. Check `ports` and `ports_by` of the line, and the numbers in the PBX"
            )
            return [Unexpected(self._line, text)], [ClearCall(taken.call, CauseValue.UNALLOCATED_NUMBER)]
        self._calls[taken.call] = _TrunkCall(seats, taken.reference.value)
        return [], [*([Alert(taken.call)] if self._alert else []), AnswerCall(taken.call)]

    def _seized(self, call: int) -> list[News]:
        known = self._calls.get(call)
        return [Seized(self._line, slot, port) for slot, port in known.seats] if known else []

    def _seats(self, taken: ChannelTaken) -> tuple[tuple[int, str], ...] | None:
        port = self._port(taken)
        if port is None:
            return None
        if not taken.also:
            return ((taken.slot, port),)
        other = self._partners.get(port) if self._by_called else self._ports.get(taken.also[0])
        return None if other is None else ((taken.slot, port), (taken.also[0], other))

    def _port(self, taken: ChannelTaken) -> str | None:
        if not self._by_called:
            return self._ports.get(taken.slot)
        ports = self._ports.values()
        if taken.called in ports:
            return taken.called
        ends = [port for port in ports if taken.called.endswith(port)]  # the PBX puts its own number in front
        return ends[0] if len(ends) == 1 else None

    def _released(self, released: CallReleased) -> list[News]:
        known = self._calls.pop(released.call, None)
        if known is None:
            return []
        why = f"{ENDED_BY[released.by]}: cause {released.cause}, {cause_name(released.cause)}"
        return [Released(self._line, slot, port, why) for slot, port in known.seats]
