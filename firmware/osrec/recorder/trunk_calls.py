"""The PBX's calls on one line's D channel, as the engine wants to know of them."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from osrec.engine.messages import Released, Seized, SignallingChanged
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
    RestartDone,
    RestartFailed,
    TurnedAway,
)
from osrec.recorder import refusals
from osrec.recorder.trunk_news import News, Settled, Unexpected
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


class TrunkCalls:
    """Of one line.

    Args:
        ports: the number of our port on each time slot.
        partners: the other port of the pair whose own side a port is.
        by_called: the called number says which port is meant; else the slot does.
        alert: ALERTING before CONNECT.
        restart: seconds that the PBX has to acknowledge the RESTART of all channels which goes out when the data link
            comes up for the first time, Q.931 5.5; None: none goes out.

    Attributes:
        up: the PBX can put calls on the line.
        turned_away: calls that were refused before they had a channel, by cause.
    """

    def __init__(
        self,
        line: str,
        ports: Mapping[int, str],
        partners: Mapping[str, str],
        *,
        by_called: bool,
        alert: bool,
        restart: float | None,
    ) -> None:
        self._line = line
        self._ports = dict(ports)
        self._partners = dict(partners)
        self._by_called = by_called
        self._alert = alert
        self.up = False
        self.turned_away = Counter[int]()
        self._restart = restart
        self._restarting = False  # the channels are not for calls yet
        self._unrestarted = set[int]()  # slots whose RESTART failed, and that no call has used since
        self._calls: dict[int, _TrunkCall] = {}

    def __len__(self) -> int:
        return len(self._calls)

    def take(self, output: OwnerOutput) -> tuple[list[News], list[Request]]:
        """(what the engine is told, what the D channel is asked for)."""
        match output:
            case ChannelTaken():
                return self._taken(output)
            case Connected(call):
                return self._connected(call), []
            case CallAdopted(known, call) if isinstance(known, _TrunkCall):
                self._calls[call] = known
                return self._seized(call), []
            case CallReleased():
                return self._released(output), []
            case LinkUp():
                return self._link_up()
            case LinkDown():
                self.up = False
                return [SignallingChanged(self._line, up=False, why="the data link of its D channel is lost")], []
            case RestartDone(slots, by_peer):
                return [*self._in_order(slots), *([] if by_peer else self._restarted(slots))], []
            case RestartFailed(slots):
                return [self._not_restarted(slots), *self._restarted(slots)], []
            case TurnedAway(cause):
                self.turned_away[cause] += 1
                return [Unexpected(f"turned-away:{self._line}", refusals.told(self._line, output))], []
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

    # --- whether calls can come

    def _link_up(self) -> tuple[list[News], list[Request]]:
        requests: list[Request] = []
        if self._restart is not None:
            requests = [RestartChannels(patience=self._restart)]
            self._restart, self._restarting = None, True
        return ([] if self._restarting else self._now_up()), requests

    def _now_up(self) -> list[News]:
        self.up = True
        return [SignallingChanged(self._line, up=True)]

    def _restarted(self, slots: tuple[int, ...]) -> list[News]:
        """Ours is over, well or not; until then every call of the PBX would be refused."""
        if not self._restarting or not self._ports.keys() <= set(slots):
            return []
        self._restarting = False
        return self._now_up()

    def _not_restarted(self, slots: tuple[int, ...]) -> Unexpected:
        self._unrestarted.update(slots)
        text = (
            f"the PBX does not acknowledge RESTART of {len(slots)} channels of {self._line} [Q.931 5.5.1]: they are "
            f"used all the same. If it does not know RESTART, set `restart = false` for the line"
        )
        return Unexpected(f"signalling-restart:{self._line}", text, passes=False)

    def _in_order(self, slots: Iterable[int]) -> list[News]:
        if not self._unrestarted:
            return []
        self._unrestarted.difference_update(slots)
        return [] if self._unrestarted else [Settled(f"signalling-restart:{self._line}")]

    # --- calls

    def _taken(self, taken: ChannelTaken) -> tuple[list[News], list[Request]]:
        seats = self._seats(taken)
        if seats is None:
            text = (
                f"the PBX calls {taken.called or 'no number'} on slot {taken.slot} of {self._line}, which is none of "
                f"the line's ports: refused. Check `ports` and `ports_by` of the line, and the numbers in the PBX"
            )
            return [Unexpected(f"unexpected-call:{self._line}", text)], [
                ClearCall(taken.call, CauseValue.UNALLOCATED_NUMBER)
            ]
        self._calls[taken.call] = _TrunkCall(seats, taken.reference.value)
        return [], [*([Alert(taken.call)] if self._alert else []), AnswerCall(taken.call)]

    def _connected(self, call: int) -> list[News]:
        news = self._seized(call)
        return [*news, *self._in_order(seized.slot for seized in news if isinstance(seized, Seized))]

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
        return max(ends, key=len, default=None)  # of 01 and 4001, 994001 means the latter

    def _released(self, released: CallReleased) -> list[News]:
        known = self._calls.pop(released.call, None)
        if known is None:
            return []
        why = f"{ENDED_BY[released.by]}: cause {released.cause}, {cause_name(released.cause)}"
        return [Released(self._line, slot, port, why) for slot, port in known.seats]
