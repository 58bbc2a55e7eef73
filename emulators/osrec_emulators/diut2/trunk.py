"""A line whose forks come with calls signalled by CAS: what the PBX decides, between its forks and its time slots.

Sans I/O. There are no numbers and no channel to choose: the slot that is seized is the one of the port.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from osrec_emulators.diun2.call_faults import EARLY, CallFaults, Dice
from osrec_emulators.diun2.signalling import Audio, Caller
from osrec_emulators.diun2.trunk_events import (
    CasAligned,
    CasArrived,
    Due,
    Event,
    Finished,
    FrameArrived,
    HungUp,
    Output,
    Ports,
    Restart,
    SendCas,
    Start,
    TrunkCall,
    changed,
)
from osrec_emulators.diut2 import channel as bits
from osrec_emulators.diut2.channel import Channel, ChannelState, ChannelTimers, Codes
from osrec_emulators.pbx.media import Fork

_Handled = Iterator[Output]


@dataclass(frozen=True, slots=True)
class CasSettings:
    """One line with CAS.

    Attributes:
        caller: who seizes.
        audio: since when a slot carries its fork: their answer, our seizure, or whatever the signalling says.
        hang_up: a call that the recorder ends takes its port out of the PBX's call.
        keep: seconds that calls outlive the loss of the recorder's multiframe; None: they outlive it.
    """

    codes: Codes = field(default_factory=Codes)
    timers: ChannelTimers = field(default_factory=ChannelTimers)
    caller: Caller = "pbx"
    audio: Audio = "answer"
    hang_up: bool = True
    keep: float | None = None


@dataclass(slots=True)
class CasTrunk:
    """One line with CAS in time slot 16.

    Attributes:
        places: the time slot of each recorder port on this line.
        open: the time slot that carries each fork now.
        version: grows with every change of `open`.
        calls: by the time slot that is seized.
        up: the recorder's multiframe is there.
    """

    has_d_channel: ClassVar[bool] = False

    settings: CasSettings
    places: Mapping[str, int]
    faults: CallFaults = field(default_factory=CallFaults)
    open: dict[str, int] = field(default_factory=dict)
    version: int = 0
    calls: dict[int, TrunkCall] = field(default_factory=dict)
    up: bool = False
    _channels: dict[int, Channel] = field(init=False)
    _dice: Dice = field(init=False)
    _joined: dict[str, Fork] = field(default_factory=dict)
    _waiting: set[str] = field(default_factory=set)
    _releases: dict[int, float] = field(default_factory=dict)
    _unsaid: dict[int, int] = field(default_factory=dict)
    _unheard: dict[int, int] = field(default_factory=dict)
    _outage: float | None = None  # when it ends
    _lost: float | None = None  # when calls end because the multiframe is gone

    def __post_init__(self) -> None:
        settings = self.settings
        self._channels = {slot: Channel(settings.codes, settings.timers) for slot in self.places.values()}
        self._dice = Dice(self.faults)

    @property
    def deadline(self) -> float | None:
        slots = (channel.deadline for channel in self._channels.values())
        times = [self._lost, self._outage, *self._releases.values(), *slots]
        return min((at for at in times if at is not None), default=None)

    def handle(self, event: Event, now: float) -> list[Output]:
        """Advance by one event. What the recorder sends can never make it raise."""
        self._outage = self.faults.outage_ends(now)
        made_up = self._make_up(now) if self._outage is None else iter(())
        match event:
            case Start():
                outputs = self._start()
            case Ports(joined):
                outputs = self._ports(joined, now)
            case CasArrived(slot, abcd):
                outputs = self._heard(slot, abcd, now)
            case CasAligned(aligned):
                outputs = self._aligned(aligned, now)
            case FrameArrived() | Restart():  # of the other kind of trunk
                outputs = iter(())
            case Due():
                outputs = self._due(now)
        return [*self._said(made_up), *self._said(outputs), *self._said(self._seize_waiting(now))]

    def unfinished(self) -> list[TrunkCall]:
        """The calls of which no `Finished` was told, for the truth when all ends."""
        return [self.calls[slot] for slot in sorted(self.calls)]

    def _start(self) -> _Handled:
        yield from (SendCas(slot, self.settings.codes.idle) for slot in sorted(self._channels))

    def _due(self, now: float) -> _Handled:
        for slot, channel in self._channels.items():
            if channel.deadline is not None and channel.deadline <= now:
                yield from self._slot_event(slot, bits.Due(), now)
        for slot in [slot for slot, at in self._releases.items() if at <= now]:
            del self._releases[slot]
            yield from self._slot_event(slot, bits.Clear(), now)
        if self._lost is not None and self._lost <= now:
            self._lost = None
            for slot in list(self.calls):
                self.calls[slot].by = "link"
                yield from self._slot_event(slot, bits.Clear(), now)

    def _aligned(self, aligned: bool, now: float) -> _Handled:
        self.up = aligned
        self._lost = None if aligned or self.settings.keep is None else now + self.settings.keep
        return iter(())

    # --- bits that an outage keeps back are those of its end

    def _heard(self, slot: int, abcd: int, now: float) -> _Handled:
        if self._outage is None:
            yield from self._slot_event(slot, bits.Signalled(abcd), now)
        else:
            self._unheard[slot] = abcd

    def _said(self, outputs: _Handled) -> _Handled:
        for output in outputs:
            if isinstance(output, SendCas) and self._outage is not None:
                self._unsaid[output.slot] = output.abcd
            else:
                yield output

    def _make_up(self, now: float) -> _Handled:
        unsaid, self._unsaid = self._unsaid, {}
        unheard, self._unheard = self._unheard, {}
        yield from (SendCas(slot, abcd) for slot, abcd in unsaid.items())
        for slot, abcd in unheard.items():
            yield from self._slot_event(slot, bits.Signalled(abcd), now)

    # --- forks that come and go

    def _ports(self, joined: Mapping[str, Fork], now: float) -> _Handled:
        here = {port: fork for port, fork in joined.items() if port in self.places}
        gone, came = changed(self._joined, here)
        self._joined = {port: fork for port, fork in here.items() if port not in came}
        for port in sorted(gone):
            yield from self._left(port, now)
        self._joined = here
        for port in sorted(came):
            if self.settings.audio == "always":
                self._open(port, self.places[port])
            if self._channels[self.places[port]].state is ChannelState.TAKEN:
                yield from self._slot_event(self.places[port], bits.Answer(), now)
            elif self.settings.caller != "recorder":
                self._waiting.add(port)

    def _left(self, port: str, now: float) -> _Handled:
        self._waiting.discard(port)
        self._close(port)
        slot = next((slot for slot, call in self.calls.items() if port in call.ports), None)
        if slot is None:
            return
        if self._dice.missing_release.chooses(port, now):
            self.calls[slot].faults += ("missing release",)
        elif self._dice.late_release.chooses(port, now):
            self.calls[slot].faults += ("late release",)
            self._releases[slot] = now + self.faults.late_seconds
        else:
            yield from self._slot_event(slot, bits.Clear(), now)

    def _seize_waiting(self, now: float) -> _Handled:
        """A slot that is not free, since its last call is not cleared yet, is waited for."""
        for port in sorted(self._waiting) if self.up else ():
            slot = announced = self.places[port]
            wrong = self._channels[slot].free and self._dice.wrong_channel.chooses(port, now)
            if wrong:
                announced = self._wrong(slot)
            if self._channels[announced].free:
                self._waiting.discard(port)
                self.calls[announced] = TrunkCall((port,), (slot,), (announced,), now)
                self.calls[announced].faults = (f"wrong channel ({self.faults.wrong})",) if wrong else ()
                yield from self._slot_event(announced, bits.Seize(), now)
                if self.settings.audio == "setup":
                    self._open(port, slot)

    def _wrong(self, slot: int) -> int:
        """A free slot that is not the right one; the right one when there is no other."""
        return next((other for other, channel in self._channels.items() if other != slot and channel.free), slot)

    # --- what the bits say

    def _slot_event(self, slot: int, event: bits.Event, now: float) -> _Handled:
        channel = self._channels.get(slot)
        for output in channel.handle(event, now) if channel is not None else ():
            match output:
                case bits.Say(abcd):
                    yield SendCas(slot, abcd)
                case bits.Offered():
                    yield from self._offered(slot, now)
                case bits.Connected():
                    self._connected(slot, now)
                case bits.Ended(cause, by_peer):
                    yield from self._ended(slot, cause, by_peer, now)

    def _offered(self, slot: int, now: float) -> _Handled:
        port = next((port for port, its in self.places.items() if its == slot), None)
        ports = () if port is None else (port,)
        self.calls[slot] = TrunkCall(ports, (slot,) * len(ports), (slot,), now, placed_by_pbx=False)
        if self.settings.caller == "pbx":
            yield from self._slot_event(slot, bits.Clear(), now)
        elif port in self._joined:
            yield from self._slot_event(slot, bits.Answer(), now)

    def _connected(self, slot: int, now: float) -> None:
        call = self.calls[slot]
        call.answered_at = now
        port = call.ports[0]
        if self._dice.mute.chooses(port, now):
            call.faults += ("mute",)
            self._close(port)
        elif port in self._joined:
            self._open(port, call.slots[0])
        if self._dice.early_release.chooses(port, now):
            call.faults += (EARLY,)
            self._releases[slot] = now + self.faults.early_seconds

    def _ended(self, slot: int, cause: int, by_peer: bool, now: float) -> _Handled:
        call = self.calls.pop(slot)
        self._releases.pop(slot, None)
        call.ended_at, call.cause = now, int(cause)
        call.by = call.by or ("recorder" if by_peer else "pbx")
        yield Finished(call)
        still = [port for port in call.ports if port in self._joined]
        for port in still if self.settings.audio != "always" else ():
            self._close(port)
        was_ours = call.placed_by_pbx or call.answered_at is not None
        if self.settings.hang_up and was_ours and EARLY not in call.faults:
            yield from (HungUp(port) for port in still)

    # --- what the slots carry

    def _open(self, port: str, slot: int) -> None:
        if self.open.get(port) != slot:
            self.open[port] = slot
            self.version += 1

    def _close(self, port: str) -> None:
        if self.open.pop(port, None) is not None:
            self.version += 1
