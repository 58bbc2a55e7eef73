"""Snapshots of monitored devices: asked for in turn, put together from segments, each call of theirs looked at too.

Part of the monitors (monitors.py), which says when requests may go; it has no clock and sends through `Sender`.
"""

from collections import deque
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field, replace
from typing import Protocol

from osrec.csta.messages import CallSnapshotTaken, Output, SnapshotTaken, Trouble
from osrec.csta.monitor import Answer, Monitor, Phase, refusal_of, unsupported
from osrec.csta.requests import Purpose
from osrec.csta.settings import LinkConfig
from osrec.wire.csta.model import (
    Argument,
    CallSnapshot,
    CallSnapshotEntry,
    ConnectionId,
    DeviceId,
    DeviceSnapshot,
    SnapshotCall,
    SnapshotCallData,
    SnapshotDevice,
    SnapshotDeviceData,
    SnapshotLeg,
)

EARLY_SEGMENTS = 64  # kept that came before the result which announces them
SILENCES = 2  # SnapshotCall requests in a row without any answer after which none is sent any more

Segment = SnapshotDeviceData | SnapshotCallData


class Sender(Protocol):
    """How monitors and snapshots reach the PBX: through the link's table of requests."""

    def send(
        self, purpose: Purpose, argument: Argument, now: float, device: str = "", token: Hashable = None
    ) -> None: ...

    def emit(self, output: Output) -> None: ...

    @property
    def paced(self) -> int:
        """START, SNAPSHOT and CALL requests that are outstanding."""


@dataclass(slots=True, eq=False)
class Taking:
    """The snapshot of one device on its way. `calls` are those looked at so far, `awaited` how many are not yet."""

    monitor: Monitor
    asked: int = 0
    legs: tuple[SnapshotLeg, ...] = ()
    calls: list[tuple[bytes, CallSnapshot]] = field(default_factory=list)
    awaited: int = 0


@dataclass(slots=True)
class _Segments:
    """What came so far of a result in segments; `call` says what is known of the call besides its entries."""

    taking: Taking
    due: float
    legs: list[SnapshotLeg] = field(default_factory=list)
    call_id: bytes = b""
    call: CallSnapshot | None = None
    entries: list[CallSnapshotEntry] = field(default_factory=list)


class Snapshots:
    """All snapshots that are wanted or on their way.

    Attributes:
        calls_known: whether the PBX answers SnapshotCall, as far as we know.
    """

    def __init__(self, config: LinkConfig, sender: Sender, taken: Callable[[Monitor], None]) -> None:
        """`taken` is called when a device's snapshot is there, or given up."""
        self.calls_known = config.snapshot_calls
        self._config = config
        self._sender = sender
        self._taken = taken
        self._takings: dict[str, Taking] = {}
        self._devices: deque[str] = deque()
        self._calls: deque[tuple[Taking, ConnectionId]] = deque()
        self._segments: dict[tuple[type[Segment], bytes], _Segments] = {}  # the one that waits longest is first
        self._early: deque[Segment] = deque(maxlen=EARLY_SEGMENTS)
        self._silences = 0

    @property
    def in_segments(self) -> int:
        """Results of which segments are awaited."""
        return len(self._segments)

    @property
    def waiting(self) -> int:
        """Devices whose snapshot is wanted or under way."""
        return len(self._takings)

    def clear(self) -> None:
        """The link is down. The next association's PBX may be another one: it is asked for calls again."""
        for table in (self._takings, self._devices, self._calls, self._segments, self._early):
            table.clear()
        self.calls_known, self._silences = self._config.snapshot_calls, 0

    def want(self, monitor: Monitor) -> None:
        """Take a snapshot of the device as soon as the window allows."""
        monitor.phase = Phase.SNAPPING
        self._takings[monitor.device] = Taking(monitor)
        self._devices.append(monitor.device)

    def drop(self, monitor: Monitor) -> None:
        """The monitor ended: its snapshot is of no use."""
        taking = self._takings.pop(monitor.device, None)
        if taking is not None:
            self._forget_segments(taking)

    # --- asking

    def ask(self, now: float) -> bool:
        """Send the next request; False when there is none to send."""
        while self._calls:
            taking, connection = self._calls.popleft()
            if self._current(taking):
                device = taking.monitor.device
                self._sender.send(Purpose.CALL, SnapshotCall(connection), now, device, token=taking)
                return True
        while self._devices:
            wanted = self._takings.get(self._devices.popleft())
            if wanted is not None:
                wanted.monitor.holding = True
                wanted.asked += 1
                device = wanted.monitor.device
                self._sender.send(Purpose.SNAPSHOT, SnapshotDevice(DeviceId(device)), now, device, token=wanted)
                return True
        return False

    def _current(self, taking: object) -> bool:
        return isinstance(taking, Taking) and self._takings.get(taking.monitor.device) is taking

    # --- SnapshotDevice answered

    def device_answered(self, taking: object, answer: Answer, now: float) -> None:
        if not isinstance(taking, Taking) or not self._current(taking):
            return
        if not isinstance(answer, DeviceSnapshot):
            self._fail(taking, refusal_of(answer)[0], again=answer is None)
        elif answer.service_cross_ref is None:
            self._legs(taking, answer.legs)
        else:
            segments = _Segments(taking, now + self._config.request_timeout, list(answer.legs))
            self._await((SnapshotDeviceData, answer.service_cross_ref), segments, now)

    def _fail(self, taking: Taking, why: str, *, again: bool) -> None:
        device = taking.monitor.device
        if again and taking.asked < self._config.snapshot_tries:
            self._devices.append(device)
            return
        self._sender.emit(Trouble(f"no snapshot of {device}: {why}"))
        self._done(taking)

    def _legs(self, taking: Taking, legs: tuple[SnapshotLeg, ...]) -> None:
        """The device's own view is there; what its calls look like is asked for next."""
        taking.legs = legs
        if self.calls_known:
            calls = {leg.connection.call_id: leg.connection for leg in legs if leg.connection.call_id is not None}
            taking.awaited = len(calls)
            self._calls.extend((taking, connection) for connection in calls.values())
        if not taking.awaited:
            self._complete(taking)

    def _complete(self, taking: Taking) -> None:
        device = taking.monitor.device
        for call_id, call in taking.calls:
            self._sender.emit(CallSnapshotTaken(device, call_id, call))
        self._sender.emit(SnapshotTaken(device, taking.legs))
        self._done(taking)

    def _done(self, taking: Taking) -> None:
        del self._takings[taking.monitor.device]
        self._taken(taking.monitor)

    # --- SnapshotCall answered

    def call_answered(self, taking: object, connection: ConnectionId, answer: Answer, now: float) -> None:
        if answer is None:
            self._silences += 1
            if self._silences >= SILENCES:
                self._no_calls("no answer")
        else:
            self._silences = 0
            if unsupported(answer):
                self._no_calls(refusal_of(answer)[0])
        if not isinstance(taking, Taking) or not self._current(taking):
            return
        call_id = connection.call_id or b""
        if isinstance(answer, CallSnapshot) and answer.service_cross_ref is not None:
            segments = _Segments(taking, now + self._config.request_timeout, call_id=call_id, call=answer)
            self._await((SnapshotCallData, answer.service_cross_ref), segments, now)
        elif isinstance(answer, CallSnapshot):
            self._call(taking, call_id, answer)
        else:  # it may have ended meanwhile
            if self.calls_known:
                text = f"no snapshot of call {call_id.hex()} of {taking.monitor.device}: {refusal_of(answer)[0]}"
                self._sender.emit(Trouble(text))
            self._call(taking, call_id, None)

    def _call(self, taking: Taking, call_id: bytes, call: CallSnapshot | None) -> None:
        if call is not None:
            taking.calls.append((call_id, call))
        taking.awaited -= 1
        if not taking.awaited:
            self._complete(taking)

    def _no_calls(self, why: str) -> None:
        """What the PBX does not offer is not asked for again while this association lasts."""
        if not self.calls_known:
            return
        self.calls_known = False
        self._sender.emit(Trouble(f"the PBX takes no SnapshotCall: {why}; parties of running calls stay unknown"))
        unasked, self._calls = self._calls, deque()
        for taking, connection in unasked:
            if self._current(taking):
                self._call(taking, connection.call_id or b"", None)

    # --- segments

    def _await(self, key: tuple[type[Segment], bytes], segments: _Segments, now: float) -> None:
        self._segments[key] = segments
        early = [data for data in self._early if (type(data), data.service_cross_ref) == key]
        for data in early:
            self._early.remove(data)
            self.segment(data, now)

    def segment(self, data: Segment, now: float) -> None:
        """A part of a snapshot, op 76 or 77; it may overtake the result that announces it."""
        key = type(data), data.service_cross_ref
        segments = self._segments.pop(key, None)
        if segments is None:
            if self._sender.paced:
                self._early.append(data)
            else:
                text = f"snapshot segment {data.service_cross_ref.hex()} that nobody asked for"
                self._sender.emit(Trouble(text))
            return
        if isinstance(data, SnapshotDeviceData):
            segments.legs += data.legs
        else:
            segments.entries += data.entries
        if data.last:
            self._whole(segments)
        else:
            segments.due = now + self._config.request_timeout
            self._segments[key] = segments

    def _whole(self, segments: _Segments) -> None:
        if segments.call is None:
            self._legs(segments.taking, tuple(segments.legs))
        else:
            entries = segments.call.entries + tuple(segments.entries)
            call = replace(segments.call, entries=entries, service_cross_ref=None)
            self._call(segments.taking, segments.call_id, call)

    @property
    def deadline(self) -> float | None:
        """When `expire` has something to do."""
        return next(iter(self._segments.values())).due if self._segments else None

    def expire(self, now: float) -> None:
        """Give up results whose segments ceased."""
        while (deadline := self.deadline) is not None and deadline <= now:
            segments = self._segments.pop(next(iter(self._segments)))
            if segments.call is None:
                self._fail(segments.taking, "its segments ceased", again=True)
            else:
                self._sender.emit(Trouble(f"no snapshot of call {segments.call_id.hex()}: its segments ceased"))
                self._call(segments.taking, segments.call_id, None)

    def _forget_segments(self, taking: Taking) -> None:
        for key in [key for key, segments in self._segments.items() if segments.taking is taking]:
            del self._segments[key]
