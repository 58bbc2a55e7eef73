"""The monitors of one link: started in a paced way, each followed by a snapshot, started again when they end.

Part of the machine in link.py, which hands it the answers; it has no clock and sends through `Sender`. What it does for
one event or one answer takes the same time for 5 devices and for 5,000.
"""

import heapq
import itertools
from collections import deque
from dataclasses import dataclass

from osrec.csta.messages import (
    EventsLost,
    LicencesMissing,
    MonitorLost,
    MonitorRefused,
    MonitorRunning,
    Reported,
    Trouble,
)
from osrec.csta.monitor import BUSY, LICENCE, Answer, Monitor, Order, Phase, refusal_of
from osrec.csta.pace import Licences, Pace
from osrec.csta.repeats import Repeats
from osrec.csta.requests import Purpose
from osrec.csta.settings import LinkConfig
from osrec.csta.snapshots import Sender, Snapshots
from osrec.wire.csta.model import DeviceId, EventReport, MonitorStart, MonitorStarted, MonitorStop


@dataclass(slots=True)
class EventCounters:
    """What became of events, since construction."""

    applied: int = 0
    repeated: int = 0
    gaps: int = 0
    unknown: int = 0  # of monitors that we do not know: dropped


class Monitors:
    """All devices of one link.

    Attributes:
        running: monitors that the PBX confirmed.
        snapshots: of the devices, as far as they are wanted or under way.
        licences: the devices that wait for one.
        counters: of events.
    """

    def __init__(self, config: LinkConfig, sender: Sender) -> None:
        self.snapshots = Snapshots(config, sender, self._tell_held, self._snapshot_taken)
        self.licences = Licences(config.licence_retry)
        self.counters = EventCounters()
        self._config = config
        self._sender = sender
        self._pace = Pace(config)
        self._monitors = {device: Monitor(device) for device in config.devices}
        self._by_ref: dict[bytes, Monitor] = {}
        self._due: list[tuple[float, int, str]] = []
        self._order = 0
        self._unknown: deque[tuple[float, EventReport]] = deque()  # with the time until which each is held
        self._holds: deque[tuple[float, Monitor]] = deque()  # with the time until which its events are held
        self._starting = 0
        self._active = False
        self._repeats = Repeats()
        self._last_sequence: int | None = None
        self._per_monitor = False  # sequence numbers count each monitor's events, not the link's
        self._gap_resync_from = 0.0

    @property
    def running(self) -> int:
        return len(self._by_ref)

    @property
    def devices(self) -> tuple[str, ...]:
        return tuple(self._monitors)

    @property
    def refused(self) -> dict[str, str]:
        """Devices that the PBX does not let us monitor now, and why."""
        return {device: one.refusal for device, one in self._monitors.items() if one.refusal is not None}

    # --- the link comes and goes

    def link_up(self, now: float) -> None:
        """Start all monitors; those of the last association are void."""
        self._active = True
        self._pace.reset(now)
        for monitor in self._monitors.values():
            self._wait(monitor, now)

    def link_down(self, now: float) -> None:
        """Forget all cross references: the PBX forgot them too."""
        self._active = False
        self._monitors = {device: Monitor(device) for device in self._monitors}
        for table in (self._by_ref, self._due, self._unknown, self._holds):
            table.clear()
        self.snapshots.clear()
        self._repeats.clear()
        self.licences.clear(now)
        self._tell_licences(now)
        self._starting, self._last_sequence = 0, None
        self._per_monitor, self._gap_resync_from = False, 0.0

    def tell_held(self) -> None:
        """Nothing is waited for any longer: what came is told."""
        for monitor in self._by_ref.values():
            self._tell_held(monitor)

    def change(self, devices: tuple[str, ...], now: float) -> None:
        """Monitor these devices and no others."""
        wanted = dict.fromkeys(devices)
        for device in [device for device in self._monitors if device not in wanted]:
            monitor = self._monitors.pop(device)
            self.licences.settled(device, now, granted=False)
            if monitor.cross_ref:
                self._sender.send(Purpose.STOP, MonitorStop(monitor.cross_ref), now)
                self._forget(monitor)
                self.licences.hurry(now)
        for device in wanted:
            if device not in self._monitors:
                self._monitors[device] = Monitor(device)
                if self._active:
                    self._wait(self._monitors[device], now)

    def resync(self) -> None:
        """Events were lost: take a snapshot of every running device."""
        for monitor in self._by_ref.values():
            self._look_at(monitor)

    def _look_at(self, monitor: Monitor) -> None:
        """Take a snapshot; one that is under way may be older than what is missing, so another one follows it."""
        if monitor.phase is Phase.RUNNING:
            self.snapshots.want(monitor)
        else:
            monitor.again = True

    def status(self, status: int) -> None:
        """The PBX says how it is: overload slows us down."""
        self._pace.status(status)

    # --- pacing

    @property
    def deadline(self) -> float | None:
        """When `advance` has something to do, None: not by itself."""
        dues = [self.licences.deadline, *(due for due, _ in itertools.islice(self._holds, 1))]
        if self._unknown:
            dues.append(self._unknown[0][0])
        if self._room:
            dues += [max(due, self._pace.next) for due in self._start_dues()]
        return min((due for due in dues if due is not None), default=None)

    def _start_dues(self) -> list[float]:
        """When a device may be started, the rate aside."""
        dues = [self._due[0][0]] if self._due else []
        return dues if self.licences.due is None else [*dues, self.licences.due]

    @property
    def _room(self) -> bool:
        return self._sender.paced < self._pace.window

    def advance(self, now: float) -> None:
        """Send what window and rate allow, and give up what took too long."""
        while self._unknown and self._unknown[0][0] <= now:
            self._drop(self._unknown.popleft()[1])
        while self._holds and self._holds[0][0] <= now:
            self._hold_no_longer(*self._holds.popleft())
        while self._active and self._room:
            if not self.snapshots.ask(now) and not self._start_next(now):
                break
        if self.licences.deadline is not None:
            self._tell_licences(now)

    def _tell_licences(self, now: float) -> None:
        missing = self.licences.notice(now)
        if missing is not None:
            self._sender.emit(LicencesMissing(missing))

    def _wait(self, monitor: Monitor, due: float) -> None:
        monitor.phase, monitor.due = Phase.WAITING, due
        self._order += 1
        heapq.heappush(self._due, (due, self._order, monitor.device))

    def _start_next(self, now: float) -> bool:
        """Start the device that waits longest; False when none may be started now."""
        if self._pace.next > now:
            return False
        while self._due and self._due[0][0] <= now:
            due, _, device = heapq.heappop(self._due)
            monitor = self._monitors.get(device)
            if monitor is not None and monitor.phase is Phase.WAITING and monitor.due == due:
                self._start(monitor, now)
                return True  # the others were taken away, or put off, since
        device_without = self.licences.take(now)
        if device_without is None:
            return False
        self._start(self._monitors[device_without], now)
        return True

    def _start(self, monitor: Monitor, now: float) -> None:
        monitor.phase = Phase.STARTING
        self._starting += 1
        self._pace.sent(now)
        asked = MonitorStart(DeviceId(monitor.device), self._config.monitor_filter)
        self._sender.send(Purpose.START, asked, now, monitor.device)

    # --- MonitorStart answered

    def started(self, device: str, answer: Answer, now: float) -> None:
        self._starting -= 1
        monitor = self._monitors.get(device)
        if isinstance(answer, MonitorStarted):
            self._confirmed(monitor, answer.cross_ref, now)
        elif monitor is not None and monitor.phase is Phase.STARTING:
            self._refused(monitor, answer, now)
        if not self._starting:
            while self._unknown:
                self._drop(self._unknown.popleft()[1])

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
        self.licences.settled(monitor.device, now, granted=True)
        self._sender.emit(MonitorRunning(monitor.device, cross_ref))
        monitor.holding = True
        self.snapshots.want(monitor)
        self._take_unknown(cross_ref, now)

    def _take_unknown(self, cross_ref: bytes, now: float) -> None:
        """Events that overtook the result of their monitor's start."""
        if any(report.cross_ref == cross_ref for _, report in self._unknown):
            held, self._unknown = self._unknown, deque()
            for due, report in held:
                if report.cross_ref == cross_ref:
                    self._apply(self._by_ref[cross_ref], report, None, now)
                else:
                    self._unknown.append((due, report))

    def _refused(self, monitor: Monitor, answer: Answer, now: float) -> None:
        error, code = refusal_of(answer)
        if error != monitor.refusal:
            monitor.refusal = error
            self._sender.emit(MonitorRefused(monitor.device, error, code == LICENCE))
        if code == LICENCE:
            monitor.phase = Phase.WAITING
            self.licences.refused(monitor.device, now)
            return
        self.licences.settled(monitor.device, now, granted=False)
        if code in BUSY:
            self._pace.busy(monitor.attempts, now)
        self._retry(monitor, now)

    def _retry(self, monitor: Monitor, now: float) -> None:
        due = now + self._pace.back_off(monitor.attempts)
        monitor.attempts += 1
        self._wait(monitor, due)

    # --- events

    def report(self, report: EventReport, now: float, invoke_id: int) -> None:
        if report.sequence is None and self._repeats.again(invoke_id, report):
            self.counters.repeated += 1
            self._sender.emit(Trouble(f"event report {invoke_id} came again and is dropped"))
            return
        before = self._last_sequence
        if report.sequence is not None:
            self._last_sequence = report.sequence
        monitor = self._by_ref.get(report.cross_ref)
        if monitor is None:
            self._report_unknown(report, now)
        else:
            self._apply(monitor, report, before, now)

    def _apply(self, monitor: Monitor, report: EventReport, before: int | None, now: float) -> None:
        """`before`: sequence number of the event that came before it on the link, None: not to be looked at."""
        if report.sequence is not None and not self._in_order(monitor, report.sequence, before, now):
            return
        self.counters.applied += 1
        if not monitor.holding:
            self._sender.emit(Reported(monitor.device, report))
            return
        if not monitor.held:
            monitor.held_until = now + self._config.hold_seconds
            self._holds.append((monitor.held_until, monitor))
        monitor.held.append(report)
        if len(monitor.held) > self._config.hold_events:
            text = f"{len(monitor.held)} events of {monitor.device} during its snapshot: not held any longer"
            self._sender.emit(Trouble(text))
            self._release(monitor)
            self._look_at(monitor)  # the snapshot under way may be older than what was just told

    def _in_order(self, monitor: Monitor, number: int, before: int | None, now: float) -> bool:
        """Whether the event is new; what is missing before it is made up for by snapshots."""
        last = monitor.sequence.last
        if last is not None and number == last + 1 and before is not None and number != before + 1:
            self._per_monitor = True  # no number of the whole link would do that
        order = monitor.sequence.take(number, before)
        if order is Order.REPEATED:
            self.counters.repeated += 1
            self._sender.emit(Trouble(f"event {number} of {monitor.device} came again and is dropped"))
            return False
        if order is Order.GAP:
            self.counters.gaps += 1
            self._gap(monitor, f"sequence number {number} follows {last if self._per_monitor else before}", now)
        return True

    def _gap(self, monitor: Monitor, reason: str, now: float) -> None:
        """Look at the device; at all of them where the numbers do not tell whose event is missing.

        Not again for a while: a PBX that counts its answers, too, would be asked for a snapshot after each snapshot.
        """
        if self._per_monitor:
            if monitor.gap_snapshot_from <= now:
                monitor.gap_snapshot_from = now + self._config.gap_pause
                self._sender.emit(EventsLost(monitor.device, reason))
                self._look_at(monitor)
        elif self._gap_resync_from <= now:
            self._gap_resync_from = now + self._config.gap_pause
            self._sender.emit(EventsLost("", reason))
            self.resync()

    def _report_unknown(self, report: EventReport, now: float) -> None:
        """It may belong to a monitor whose start is not confirmed yet: an event can overtake the result."""
        if self._starting and len(self._unknown) < self._config.hold_unknown:
            self._unknown.append((now + self._config.hold_unknown_seconds, report))
        else:
            self._drop(report)

    def _drop(self, report: EventReport) -> None:
        self.counters.unknown += 1
        self._sender.emit(Trouble(f"event for unknown monitor {report.cross_ref.hex()} dropped"))

    def _snapshot_taken(self, monitor: Monitor) -> None:
        """The snapshot is there, or given up: what came since follows it."""
        if monitor.again:
            monitor.again = False
            self.snapshots.want(monitor)
            return
        monitor.phase = Phase.RUNNING
        self._release(monitor)

    def _release(self, monitor: Monitor) -> None:
        monitor.holding = False
        self._tell_held(monitor)

    def _hold_no_longer(self, until: float, monitor: Monitor) -> None:
        """A snapshot that is slow, or never comes, must not keep from us what people do now."""
        if not monitor.held or monitor.held_until != until:
            return  # those were told
        self.snapshots.outdate(monitor)
        self._release(monitor)

    def _tell_held(self, monitor: Monitor) -> None:
        held, monitor.held = monitor.held, []
        for report in held:
            self._sender.emit(Reported(monitor.device, report))

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
        self.snapshots.drop(monitor)
        self._by_ref.pop(monitor.cross_ref, None)
        monitor.cross_ref, monitor.again = b"", False
        monitor.sequence = type(monitor.sequence)()
