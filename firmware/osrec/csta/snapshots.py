"""Snapshots of monitored devices: asked for in turn, each call of theirs looked at too.

Part of the monitors (monitors.py), which says when requests may go; it has no clock and sends through `Sender`.

A PBX writes what it says in order. So the events that come before the result of SnapshotDevice are older than it and
are told before it, or they would undo what it says; those that come between it and the last of its segments and calls
follow it. What one of the latter says that a call's snapshot knows already says it again, and changes nothing.
"""

from collections import deque
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Protocol

from osrec.csta.messages import Output, SnapshotMissing, SnapshotTaken, Trouble
from osrec.csta.monitor import BUSY, Answer, Monitor, Phase, refusal_of, unsupported
from osrec.csta.requests import Purpose
from osrec.csta.segments import Done, Whole
from osrec.csta.settings import LinkConfig
from osrec.wire.csta.model import (
    Argument,
    CallSnapshot,
    ConnectionId,
    DeviceId,
    DeviceSnapshot,
    SnapshotCall,
    SnapshotDevice,
    SnapshotLeg,
)

OUTDATED = 5  # snapshots of one device in a row that were too slow for what came meanwhile
SILENCES = 2  # SnapshotCall requests in a row without any answer after which none is sent any more


class Sender(Protocol):
    """How monitors and snapshots reach the PBX: through the link's table of requests."""

    def send(
        self, purpose: Purpose, argument: Argument, now: float, device: str = "", token: Hashable = None
    ) -> None: ...

    def emit(self, output: Output) -> None: ...

    def when_whole(self, result: Whole, done: Done, now: float) -> None:
        """Call `done` with the result when its segments are there, at once when it has none."""

    @property
    def paced(self) -> int:
        """START, SNAPSHOT and CALL requests that are outstanding, and results whose segments are."""


@dataclass(slots=True, eq=False)
class Taking:
    """The snapshot of one device on its way. `calls` are those looked at so far, `awaited` how many are not yet.

    `answered`: the PBX has begun to tell it. `outdated`: what came since then has been told already.
    """

    monitor: Monitor
    asked: int = 0
    answered: bool = False
    outdated: bool = False
    legs: tuple[SnapshotLeg, ...] = ()
    calls: list[tuple[bytes, CallSnapshot]] = field(default_factory=list)
    awaited: int = 0


class Snapshots:
    """All snapshots that are wanted or on their way.

    Attributes:
        calls_known: whether the PBX answers SnapshotCall, as far as we know.
    """

    def __init__(
        self,
        config: LinkConfig,
        sender: Sender,
        answered: Callable[[Monitor], None],
        taken: Callable[[Monitor], None],
    ) -> None:
        """`answered` is called before anything is told of a device's snapshot, `taken` when that is done."""
        self.calls_known = config.snapshot_calls
        self._config = config
        self._sender = sender
        self._answered = answered
        self._taken = taken
        self._takings: dict[str, Taking] = {}
        self._devices: deque[str] = deque()
        self._calls: deque[tuple[Taking, ConnectionId]] = deque()
        self._silences = 0

    @property
    def waiting(self) -> int:
        """Devices whose snapshot is wanted or under way."""
        return len(self._takings)

    def clear(self) -> None:
        """The link is down. The next association's PBX may be another one: it is asked for calls again."""
        for table in (self._takings, self._devices, self._calls):
            table.clear()
        self.calls_known, self._silences = self._config.snapshot_calls, 0

    def want(self, monitor: Monitor) -> None:
        """Take a snapshot of the device as soon as the window allows."""
        monitor.phase = Phase.SNAPPING
        self._takings[monitor.device] = Taking(monitor)
        self._devices.append(monitor.device)

    def drop(self, monitor: Monitor) -> None:
        """The monitor ended: its snapshot is of no use."""
        self._takings.pop(monitor.device, None)

    def outdate(self, monitor: Monitor) -> None:
        """What came since the PBX began to tell the snapshot will not wait for it: it is not told, but taken anew."""
        taking = self._takings.get(monitor.device)
        if taking is not None:
            taking.outdated = taking.answered

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
                wanted.answered = wanted.outdated = False
                wanted.calls.clear()
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
        self._answered(taking.monitor)
        if isinstance(answer, DeviceSnapshot):
            taking.answered = taking.monitor.holding = True
            self._sender.when_whole(answer, lambda whole, _now: self._device_whole(taking, whole), now)
        else:
            why, code = refusal_of(answer)
            self._fail(taking, why, again=answer is None or code in BUSY)

    def _device_whole(self, taking: Taking, whole: Whole | None) -> None:
        if not self._current(taking):
            return
        if isinstance(whole, DeviceSnapshot):
            self._legs(taking, whole.legs)
        else:
            self._fail(taking, "its segments ceased", again=True)

    def _fail(self, taking: Taking, why: str, *, again: bool) -> None:
        self._again_or_done(taking, why, again=again and taking.asked < self._config.snapshot_tries)

    def _again_or_done(self, taking: Taking, why: str, *, again: bool) -> None:
        device = taking.monitor.device
        if again:
            self._devices.append(device)
            return
        self._sender.emit(Trouble(f"no snapshot of {device}: {why}"))
        self._sender.emit(SnapshotMissing(device))
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
        if taking.outdated:
            self._again_or_done(taking, "it came too slowly to wait for it", again=taking.asked < OUTDATED)
            return
        self._sender.emit(SnapshotTaken(taking.monitor.device, taking.legs, tuple(taking.calls)))
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
        if isinstance(answer, CallSnapshot):
            self._sender.when_whole(answer, lambda whole, _now: self._call_whole(taking, call_id, whole), now)
        else:  # it may have ended meanwhile
            if self.calls_known:
                text = f"no snapshot of call {call_id.hex()} of {taking.monitor.device}: {refusal_of(answer)[0]}"
                self._sender.emit(Trouble(text))
            self._call(taking, call_id, None)

    def _call_whole(self, taking: Taking, call_id: bytes, whole: Whole | None) -> None:
        if not self._current(taking):
            return
        if whole is None:
            self._sender.emit(Trouble(f"no snapshot of call {call_id.hex()}: its segments ceased"))
        self._call(taking, call_id, whole if isinstance(whole, CallSnapshot) else None)

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
