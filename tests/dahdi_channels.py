"""Channels and spans of the model of DAHDI: what is kept for a time slot, and what one tick does with it."""

from collections import deque
from dataclasses import dataclass, field

from osrec_drivers import dahdi_abi as abi
from osrec_drivers.dahdi_abi import Buffers, Event, Signalling, SpanAlarm, SpanStatus
from osrec_drivers.e1.hdlc import HdlcDecoder, HdlcEncoder, HdlcError

SLOTS = 31
_HDLC_EVENTS = {HdlcError.ABORT: Event.ABORT, HdlcError.FCS: Event.BAD_FCS, HdlcError.LONG: Event.OVERRUN}


@dataclass(eq=False, slots=True)
class Channel:
    """A time slot, or with its slaves several of them."""

    number: int
    slot: int
    signalling: int = 0
    master: int = 0
    slaves: tuple["Channel", ...] = ()
    open: bool = False
    told_buffers: bool = False
    buffers: Buffers = field(default_factory=lambda: Buffers(2, 1024))
    full: deque[bytes] = field(default_factory=deque)
    filling: bytearray = field(default_factory=bytearray)
    overrun: bool = False
    to_send: deque[bytes] = field(default_factory=deque)
    underrun: bool = False
    events: deque[int] = field(default_factory=deque)
    decoder: HdlcDecoder = field(default_factory=HdlcDecoder)
    encoder: HdlcEncoder = field(default_factory=HdlcEncoder)
    waits_until: int | None = None  # a thread waits for it
    stalled: bool = False  # the thread is not let on
    event_at_write: int = 0  # comes just before the next write

    @property
    def ready(self) -> bool:
        return bool(self.full or self.events)

    def reset(self) -> None:
        for waiting in (self.full, self.filling, self.to_send):
            waiting.clear()
        self.overrun = self.underrun = False

    def put(self, octets: bytes) -> None:
        """Off the line."""
        if self.signalling == Signalling.HDLC_FCS:
            self._put_frames(octets)
            return
        while octets and len(self.full) < self.buffers.count:
            room = self.buffers.size - len(self.filling)
            self.filling += octets[:room]
            octets = octets[room:]
            if len(self.filling) == self.buffers.size:
                self.full.append(bytes(self.filling))
                self.filling.clear()
        if octets and not self.overrun and self.told_buffers:
            self.events.append(Event.READ_OVERRUN)
        self.overrun = bool(octets)

    def _put_frames(self, octets: bytes) -> None:
        for frame in self.decoder.feed(octets):
            if frame.error is None:
                self.full.append(frame.octets + b"\xf0\xb8")
            elif frame.error in _HDLC_EVENTS and self.open:
                self.events.append(_HDLC_EVENTS[frame.error])

    def get(self, count: int) -> bytes:
        """Onto the line."""
        if self.signalling == Signalling.HDLC_FCS:
            while self.to_send and self.encoder.send(self.to_send[0][:-2]):
                self.to_send.popleft()
            return self.encoder.pull(count)
        out = b""
        while self.to_send and len(out) < count:
            buffer = self.to_send.popleft()
            lack = count - len(out)
            out += buffer[:lack]
            if buffer[lack:]:
                self.to_send.appendleft(buffer[lack:])
        lacking = len(out) < count
        if lacking and not self.underrun and self.told_buffers:
            self.events.append(Event.WRITE_UNDERRUN)
        self.underrun = lacking
        return out.ljust(count, b"\xff")


@dataclass(eq=False, slots=True)
class ModelSpan:
    """An E1 port; `taken` counts what programs did to it."""

    number: int
    channels: list[Channel]
    status: SpanStatus
    slips: int = 0
    running: bool = False
    there: bool = True
    refuses: frozenset[str] = frozenset()
    configured: list[abi.LineSetting] = field(default_factory=list)

    @property
    def last(self) -> int:
        """Number of its last channel."""
        return self.channels[-1].number

    def octets(self) -> dict[int, bytes]:
        """What it sends in one tick, by time slot."""
        out: dict[int, bytes] = {}
        for channel in self.channels:
            if channel.master == channel.number or not channel.master:
                group = (channel, *channel.slaves)
                octets = channel.get(abi.CHUNK * len(group))
                out |= {member.slot: octets[place :: len(group)] for place, member in enumerate(group)}
        return out

    def take(self, octets: dict[int, bytes]) -> None:
        for channel in self.channels:
            if channel.master == channel.number or not channel.master:
                group = [octets[member.slot] for member in (channel, *channel.slaves)]
                channel.put(bytes(octet for frame in zip(*group, strict=True) for octet in frame))


def new_span(number: int) -> ModelSpan:
    first = (number - 1) * SLOTS + 1
    status = SpanStatus(
        number, f"MODEL/0/{number}", f"model card 0 span {number}", SpanAlarm(0), 0, 0, 0, 0, 0, 0, 0, SLOTS, 0, 0,
        "here", "nobody", "model", "E1",
    )  # fmt: skip
    return ModelSpan(number, [Channel(first + place, place + 1) for place in range(SLOTS)], status)
