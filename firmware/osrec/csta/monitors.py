"""The monitors of one link: started in a paced way, each followed by a snapshot, started again when they end.

Part of the machine in link.py, which hands it the answers; it has no clock and sends through `Sender`.
"""

import heapq
from collections import deque
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from osrec.csta.messages import (
    LinkConfig,
    MonitorLost,
    MonitorRefused,
    MonitorRunning,
    Output,
    Reported,
    SnapshotTaken,
    Trouble,
)
from osrec.csta.requests import Purpose
from osrec.wire.csta.causes import error_name, reject_name
from osrec.wire.csta.model import (
    Argument,
    DeviceId,
    DeviceSnapshot,
    ErrorCategory,
    EventReport,
    MonitorStart,
    MonitorStarted,
    MonitorStop,
    Reject,
    Result,
    ReturnError,
    SnapshotDevice,
    SnapshotDeviceData,
    SnapshotLeg,
)

Answer = Result | ReturnError | Reject | None
"""None: the time for the answer is over."""

LICENCE = (ErrorCategory.SYSTEM_RESOURCE, 7)  # overallMonitorLimitExceeded: what a PBX says when licences are missing
BUSY = (  # slow down and come again: outstandingReqLimitExceeded, performanceLimitExceeded
    (ErrorCategory.SUBSCRIBED_RESOURCE, 4),
    (ErrorCategory.PERFORMANCE, 2),
)
EARLY_SEGMENTS = 64  # op 77 kept that came before the result which announces them


class Sender(Protocol):
    """How the monitors reach the PBX: through the link's table of requests."""

    def send(self, purpose: Purpose, argument: Argument, now: float, device: str = "") -> None: ...

    def emit(self, output: Output) -> None: ...

    @property
    def paced(self) -> int:
        """START and SNAPSHOT requests that are outstanding."""


class Phase(Enum):
    """Where a device stands."""

    WAITING = "to be started"
    STARTING = "MonitorStart sent"
    SNAPPING = "running, its snapshot awaited"
    RUNNING = "running"


@dataclass(slots=True)
class Monitor:
    """One device. `held` are events that wait for the snapshot; `segments` the legs that came so far."""

    device: str
    phase: Phase = Phase.WAITING
    due: float = 0.0
    attempts: int = 0
    started: float = 0.0
    refusal: str | None = None
    cross_ref: bytes = b""
    snapshots_asked: int = 0
    holding: bool = False
    held: list[EventReport] = field(default_factory=list)
    service_ref: bytes | None = None
    segments: list[SnapshotLeg] = field(default_factory=list)
    segments_due: float = 0.0


class Monitors:
    """All devices of one link.

    Attributes:
        deadline: when `advance` has something to do, None: not by itself.
        running: monitors that the PBX confirmed.
    """

    def __init__(self, config: LinkConfig, sender: Sender) -> None:
        self._config = config
        self._sender = sender
        self._monitors = {device: Monitor(device) for device in config.devices}
        self._by_ref: dict[bytes, Monitor] = {}
        self._by_service_ref: dict[bytes, Monitor] = {}
        self._due: list[tuple[float, int, str]] = []
        self._order = 0
        self._to_snapshot: deque[str] = deque()
        self._unknown: list[EventReport] = []
        self._early: list[SnapshotDeviceData] = []
        self._starting = 0
        self._next_start = 0.0
        self._active = False

    @property
    def running(self) -> int:
        return len(self._by_ref)

    @property
    def devices(self) -> tuple[str, ...]:
        return tuple(self._monitors)

    # --- the link comes and goes

    def link_up(self, now: float) -> None:
        """Start all monitors; those of the last association are void."""
        self._active = True
        self._next_start = now
        for monitor in self._monitors.values():
            self._wait(monitor, now)

    def link_down(self) -> None:
        """Forget all cross references: the PBX forgot them too."""
        self._active = False
        self._monitors = {device: Monitor(device) for device in self._monitors}
        for table in (self._by_ref, self._by_service_ref, self._due, self._to_snapshot, self._unknown, self._early):
            table.clear()
        self._starting = 0

    def change(self, devices: tuple[str, ...], now: float) -> None:
        """Monitor these devices and no others."""
        wanted = dict.fromkeys(devices)
        for device in [device for device in self._monitors if device not in wanted]:
            monitor = self._monitors.pop(device)
            if monitor.cross_ref:
                self._sender.send(Purpose.STOP, MonitorStop(monitor.cross_ref), now)
                self._forget(monitor)
        for device in wanted:
            if device not in self._monitors:
                self._monitors[device] = Monitor(device)
                if self._active:
                    self._wait(self._monitors[device], now)

    def resync(self) -> None:
        """Events were lost: take a snapshot of every running device."""
        for monitor in self._monitors.values():
            if monitor.phase is Phase.RUNNING:
                self._want_snapshot(monitor)

    # --- pacing

    @property
    def deadline(self) -> float | None:
        dues = [m.segments_due for m in self._by_service_ref.values()]
        if self._due and self._sender.paced < self._config.window:
            dues.append(max(self._due[0][0], self._next_start))
        return min(dues, default=None)

    def advance(self, now: float) -> None:
        """Send what window and rate allow."""
        for monitor in [m for m in self._by_service_ref.values() if m.segments_due <= now]:
            self._no_snapshot(monitor, "its segments ceased", now)
        while self._active and self._sender.paced < self._config.window:
            if self._to_snapshot:
                self._ask_snapshot(self._to_snapshot.popleft(), now)
            elif self._due and self._due[0][0] <= now and self._next_start <= now:
                self._start(heapq.heappop(self._due), now)
            else:
                break

    def _wait(self, monitor: Monitor, due: float) -> None:
        monitor.phase, monitor.due = Phase.WAITING, due
        self._order += 1
        heapq.heappush(self._due, (due, self._order, monitor.device))

    def _start(self, entry: tuple[float, int, str], now: float) -> None:
        due, _, device = entry
        monitor = self._monitors.get(device)
        if monitor is None or monitor.phase is not Phase.WAITING or monitor.due != due:
            return  # taken away, or put off, since
        monitor.phase = Phase.STARTING
        self._starting += 1
        self._next_start = now + 1 / self._config.starts_per_second
        self._sender.send(Purpose.START, MonitorStart(DeviceId(device)), now, device)

    def _retry(self, monitor: Monitor, now: float, *, licence: bool = False) -> None:
        config = self._config
        pause = min(config.retry_first * 2 ** min(monitor.attempts, 30), config.retry_most)
        monitor.attempts += 1
        self._wait(monitor, now + (config.licence_retry if licence else pause))

    # --- MonitorStart answered

    def started(self, device: str, answer: Answer, now: float) -> None:
        self._starting -= 1
        monitor = self._monitors.get(device)
        if isinstance(answer, MonitorStarted):
            self._confirmed(monitor, answer.cross_ref, now)
        elif monitor is not None and monitor.phase is Phase.STARTING:
            self._refused(monitor, answer, now)
        if not self._starting:
            self._drop_unknown()

    def stray_start(self, cross_ref: bytes, now: float) -> None:
        """A start that was answered after its time-out: two monitors of one device would report everything twice."""
        self._sender.emit(Trouble(f"monitor {cross_ref.hex()} was confirmed too late and is stopped"))
        self._sender.send(Purpose.STOP, MonitorStop(cross_ref), now)

    def _confirmed(self, monitor: Monitor | None, cross_ref: bytes, now: float) -> None:
        if monitor is None or monitor.phase is not Phase.STARTING:  # no longer wanted
            self._sender.send(Purpose.STOP, MonitorStop(cross_ref), now)
            return
        before = self._by_ref.get(cross_ref)
        if before is not None:
            self._sender.emit(Trouble(f"the PBX gave cross reference {cross_ref.hex()} of {before.device} again"))
            self._end(before, now)
        monitor.cross_ref, monitor.started, monitor.refusal = cross_ref, now, None
        self._by_ref[cross_ref] = monitor
        self._sender.emit(MonitorRunning(monitor.device, cross_ref))
        monitor.held = [report for report in self._unknown if report.cross_ref == cross_ref]
        self._unknown = [report for report in self._unknown if report.cross_ref != cross_ref]
        monitor.holding = True
        self._want_snapshot(monitor)

    def _refused(self, monitor: Monitor, answer: Answer, now: float) -> None:
        error, code = _error(answer)
        if code in BUSY:
            pause = min(self._config.retry_first * 2 ** min(monitor.attempts, 30), self._config.retry_most)
            self._next_start = max(self._next_start, now + pause)  # all of them: the PBX is what is busy
        if error != monitor.refusal:
            monitor.refusal = error
            self._sender.emit(MonitorRefused(monitor.device, error, code == LICENCE))
        self._retry(monitor, now, licence=code == LICENCE)

    # --- snapshots

    def _want_snapshot(self, monitor: Monitor) -> None:
        monitor.phase, monitor.snapshots_asked = Phase.SNAPPING, 0
        self._to_snapshot.append(monitor.device)

    def _ask_snapshot(self, device: str, now: float) -> None:
        monitor = self._monitors.get(device)
        if monitor is None or monitor.phase is not Phase.SNAPPING:
            return
        monitor.holding = True
        monitor.snapshots_asked += 1
        self._sender.send(Purpose.SNAPSHOT, SnapshotDevice(DeviceId(device)), now, device)

    def snapshot(self, device: str, answer: Answer, now: float) -> None:
        """SnapshotDevice is answered."""
        monitor = self._monitors.get(device)
        if monitor is None or monitor.phase is not Phase.SNAPPING:
            return
        if not isinstance(answer, DeviceSnapshot):
            error, _ = _error(answer)
            self._no_snapshot(monitor, error, now, again=answer is None)
        elif answer.service_cross_ref is None:
            self._taken(monitor, answer.legs)
        else:
            monitor.service_ref, monitor.segments = answer.service_cross_ref, []
            monitor.segments_due = now + self._config.request_timeout
            self._by_service_ref[answer.service_cross_ref] = monitor
            early, self._early = self._early, []
            for data in early:
                self.segment(data, now)

    def segment(self, data: SnapshotDeviceData, now: float) -> None:
        """A part of a snapshot, op 77; it may overtake the result that announces it."""
        monitor = self._by_service_ref.get(data.service_cross_ref)
        if monitor is None:
            if not self._sender.paced:
                self._sender.emit(Trouble(f"snapshot segment {data.service_cross_ref.hex()} that nobody asked for"))
                return
            self._early = [*self._early, data][-EARLY_SEGMENTS:]
            return
        monitor.segments += data.legs
        monitor.segments_due = now + self._config.request_timeout
        if data.last:
            self._taken(monitor, tuple(monitor.segments))

    def _taken(self, monitor: Monitor, legs: tuple[SnapshotLeg, ...]) -> None:
        self._sender.emit(SnapshotTaken(monitor.device, legs))
        self._go_on(monitor)

    def _no_snapshot(self, monitor: Monitor, why: str, now: float, *, again: bool = True) -> None:
        self._drop_segments(monitor)
        if again and monitor.snapshots_asked < self._config.snapshot_tries:
            self._to_snapshot.append(monitor.device)
            return
        self._sender.emit(Trouble(f"no snapshot of {monitor.device}: {why}"))
        self._go_on(monitor)

    def _go_on(self, monitor: Monitor) -> None:
        self._drop_segments(monitor)
        monitor.phase = Phase.RUNNING
        self._release(monitor)

    def _release(self, monitor: Monitor) -> None:
        held, monitor.held, monitor.holding = monitor.held, [], False
        for report in held:
            self._sender.emit(Reported(monitor.device, report))

    def _drop_segments(self, monitor: Monitor) -> None:
        if monitor.service_ref is not None:
            self._by_service_ref.pop(monitor.service_ref, None)
        monitor.service_ref, monitor.segments = None, []

    # --- events

    def report(self, report: EventReport) -> None:
        monitor = self._by_ref.get(report.cross_ref)
        if monitor is None:
            self._report_unknown(report)
        elif not monitor.holding:
            self._sender.emit(Reported(monitor.device, report))
        else:
            monitor.held.append(report)
            if len(monitor.held) > self._config.hold_events:
                text = f"{len(monitor.held)} events of {monitor.device} during its snapshot: not held any longer"
                self._sender.emit(Trouble(text))
                self._release(monitor)

    def _report_unknown(self, report: EventReport) -> None:
        """It may belong to a monitor whose start is not confirmed yet: an event can overtake the result."""
        if self._starting and len(self._unknown) < self._config.hold_unknown:
            self._unknown.append(report)
        else:
            self._sender.emit(Trouble(f"event for unknown monitor {report.cross_ref.hex()} dropped"))

    def _drop_unknown(self) -> None:
        for report in self._unknown:
            self._sender.emit(Trouble(f"event for unknown monitor {report.cross_ref.hex()} dropped"))
        self._unknown = []

    # --- monitors that end

    def stopped(self, cross_ref: bytes, now: float) -> None:
        """The PBX ended a monitor."""
        monitor = self._by_ref.get(cross_ref)
        if monitor is None:
            self._sender.emit(Trouble(f"the PBX ended a monitor {cross_ref.hex()} that we do not know"))
            return
        self._end(monitor, now)

    def _end(self, monitor: Monitor, now: float) -> None:
        self._release(monitor)
        self._forget(monitor)
        self._sender.emit(MonitorLost(monitor.device))
        if now - monitor.started > self._config.retry_most:  # it ran: this is no refusal in disguise
            monitor.attempts = 0
        self._retry(monitor, now)

    def _forget(self, monitor: Monitor) -> None:
        self._drop_segments(monitor)
        self._by_ref.pop(monitor.cross_ref, None)
        monitor.cross_ref = b""


def _error(answer: Answer) -> tuple[str, tuple[int, int] | None]:
    """What the PBX said, for people, and as (category, value) of an error."""
    match answer:
        case None:
            return "no answer", None
        case ReturnError(_, category, value):
            return error_name(category, value), (category, value)
        case Reject(_, kind, problem):
            return f"rejected: {reject_name(kind, problem)}", None
        case _:
            return f"unexpected answer: {getattr(answer, 'reason', '') or type(answer).__name__}", None
