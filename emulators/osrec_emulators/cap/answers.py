"""Answers to a client's requests, with what is declared to go wrong with them."""

import random
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from osrec.wire.csta import model
from osrec_emulators.cap.device_list import GET, DeviceList
from osrec_emulators.cap.exit import Exit
from osrec_emulators.cap.faults import Answers as Faults
from osrec_emulators.cap.faults import Limits
from osrec_emulators.cap.messages import Counters
from osrec_emulators.cap.timetable import Timetable

# What a ReturnError carries, csta.md 2.7
OUTSTANDING_LIMIT = (model.ErrorCategory.SUBSCRIBED_RESOURCE, 4)
PERFORMANCE_LIMIT = (model.ErrorCategory.PERFORMANCE, 2)

MAY_FAIL = (model.MonitorStart, model.SnapshotDevice, model.SnapshotCall)  # what the CAP serves without the PBX
_SERVICES: dict[type[object], str] = {
    model.MonitorStarted: "MonitorStart",
    model.DeviceSnapshot: "SnapshotDevice",
    model.CallSnapshot: "SnapshotCall",
}

T = TypeVar("T")
Answer = model.ReturnResult | model.ReturnError | model.Reject


@dataclass(eq=False, slots=True)
class _Waiting:
    """An answer that is not sent yet; `monitor`: an event of it overtakes the answer. `sent` for what went early.

    `owed`: the client cannot watch a station before it has it.
    """

    pdus: list[model.Pdu]
    monitor: bytes | None
    owed: bool
    sent: bool = False


class Answers:
    """Sends answers, now or later.

    Attributes:
        outstanding: requests that wait for their answers. owed: those among them for monitors and snapshots.
    """

    def __init__(
        self,
        faults: Faults,
        limits: Limits,
        exit_: Exit,
        counters: Counters,
        rng: random.Random,
        device_list: DeviceList,
    ) -> None:
        self.outstanding = self.owed = 0
        self._faults = faults
        self._limits = limits
        self._exit = exit_
        self._counters = counters
        self._rng = rng
        self._waiting: Timetable[_Waiting] = Timetable()
        self._of_monitor: dict[bytes, _Waiting] = {}
        self._asked: deque[float] = deque()
        self._device_list = device_list
        self._next_snapshot = 1

    @property
    def deadline(self) -> float | None:
        return self._waiting.deadline

    def excess(self, now: float) -> tuple[model.ErrorCategory, int] | None:
        """Why a request that comes now is one too many; None when it is not."""
        limits = self._limits
        if limits.per_second is not None:
            while self._asked and self._asked[0] <= now - 1.0:
                self._asked.popleft()
            if len(self._asked) >= limits.per_second:
                return self._refused("performance", PERFORMANCE_LIMIT, now)
            self._asked.append(now)
        if limits.outstanding is not None and self.outstanding >= limits.outstanding:
            return self._refused("outstanding", OUTSTANDING_LIMIT, now)
        return None

    def send(
        self, answer: Answer, now: float, *, monitor: bytes | None = None, device: str = "", delay: float = 0.0
    ) -> None:
        """Answer a request; `monitor` is the one that it started, of `device`; `delay`: what the PBX takes for it."""
        if self._is_lost(answer):
            self._exit.played("answer_lost", now, _named(answer, device))
            return
        pdus = self._segmented(answer, now)
        late = delay + self._faults.late + (self._faults.monitor_result_late if monitor is not None else 0.0)
        if late <= 0:
            for pdu in pdus:
                self._exit.send(pdu, now)
            return
        waiting = _Waiting(pdus, monitor, _service(answer) is not None)
        self.outstanding += 1
        self.owed += waiting.owed
        self._waiting.add(now + late, waiting)
        if monitor is not None:
            self._of_monitor[monitor] = waiting

    def fails(self, argument: model.Argument, now: float) -> bool:
        """Whether a request is answered with an error, whatever it asks for."""
        if not isinstance(argument, MAY_FAIL) or not self._hits(self._faults.failed_every):
            return False
        self._exit.played("answer_failed", now, type(argument).__name__)
        return True

    def _is_lost(self, answer: Answer) -> bool:
        of = self._faults.lost_of
        return (not of or _service(answer) in of) and self._hits(self._faults.lost_every)

    def _hits(self, every: int | None) -> bool:
        return every is not None and self._rng.randrange(every) == 0

    @property
    def lists_devices(self) -> bool:
        return self._faults.device_segments > 0

    def send_devices(self, invoke_id: int, devices: Sequence[str], now: float) -> None:
        """Answer operation 204: the list comes in segments of operation 205."""
        ref = self._snapshot_ref()
        segments = self._device_list.segments(ref, devices, self._faults.device_segments)
        announced = model.ReturnResult(invoke_id, self._device_list.announced(ref), GET)
        for pdu in self._in_order(announced, list(segments), now):
            self._exit.send(pdu, now)

    def overtaken(self, monitor: bytes, now: float) -> None:
        """An event of this monitor has been sent: its late result follows."""
        waiting = self._of_monitor.get(monitor)
        if waiting is not None and self._faults.monitor_result_late > 0:
            self._exit.played("event_before_result", now, f"monitor {monitor.hex()}")
            self._release(waiting, now)

    def release(self, now: float) -> None:
        """Send what is due."""
        for waiting in self._waiting.take(now):
            self._release(waiting, now)

    def _release(self, waiting: _Waiting, now: float) -> None:
        if waiting.sent:
            return
        waiting.sent = True
        self.outstanding -= 1
        self.owed -= waiting.owed
        if waiting.monitor is not None:
            del self._of_monitor[waiting.monitor]
        for pdu in waiting.pdus:
            self._exit.send(pdu, now)

    def _refused(
        self, what: str, error: tuple[model.ErrorCategory, int], now: float
    ) -> tuple[model.ErrorCategory, int]:
        self._exit.played(f"limit_{what}", now)
        return error

    # --- in segments (ops 76, 77 and 205)

    def _segmented(self, answer: Answer, now: float) -> list[model.Pdu]:
        size = self._faults.snapshot_segments
        if not size or not isinstance(answer, model.ReturnResult):
            return [answer]
        result, ref = answer.result, self._snapshot_ref()
        if isinstance(result, model.DeviceSnapshot) and result.service_cross_ref is None:
            legs = _pieces(result.legs, size)
            whole: model.Result = replace(result, legs=(), service_cross_ref=ref)
            data: list[model.Argument] = [
                model.SnapshotDeviceData(ref, piece, number == len(legs), number)
                for number, piece in enumerate(legs, 1)
            ]
        elif isinstance(result, model.CallSnapshot) and result.service_cross_ref is None:
            entries = _pieces(result.entries, size)
            whole = replace(result, entries=(), service_cross_ref=ref)
            data = [
                model.SnapshotCallData(ref, piece, number == len(entries), number)
                for number, piece in enumerate(entries, 1)
            ]
        else:
            return [answer]
        return self._in_order(replace(answer, result=whole), data, now)

    def _in_order(self, announced: model.Pdu, data: list[model.Argument], now: float) -> list[model.Pdu]:
        if self._faults.last_segment_lost:
            self._exit.played("last_segment_lost", now, f"the last of {len(data)}")
            del data[-1]
        segments = [model.Invoke(self._exit.invoke_id(), each) for each in data]
        return [*segments, announced] if self._faults.segments_first else [announced, *segments]

    def _snapshot_ref(self) -> bytes:
        self._next_snapshot += 1
        return (self._next_snapshot % 0x10000).to_bytes(2, "big")


def _service(answer: Answer) -> str | None:
    """What is answered with it, of monitors and snapshots."""
    return _SERVICES.get(type(answer.result)) if isinstance(answer, model.ReturnResult) else None


def _named(answer: Answer, device: str) -> str:
    """What the judge of ledgers reads back: whose monitor nobody was told of."""
    name = type(answer.result if isinstance(answer, model.ReturnResult) else answer).__name__
    return f"{name} of {device}" if device else name


def _pieces(entries: tuple[T, ...], size: int) -> list[tuple[T, ...]]:
    """In pieces of `size`; one piece at least, which may be empty."""
    return [entries[at : at + size] for at in range(0, len(entries), size)] or [()]
