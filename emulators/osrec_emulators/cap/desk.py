"""Serves the requests of an associated client: monitors and status here, everything about calls by the PBX."""

from collections import Counter
from collections.abc import Collection

from osrec.wire.csta import model
from osrec.wire.csta.model import ErrorCategory
from osrec_emulators.cap.answers import PERFORMANCE_LIMIT, Answers
from osrec_emulators.cap.codes import (
    INVALID_DEVICE_ID,
    INVALID_MONITOR_CROSS_REF,
    INVOKE,
    MISTYPED_ARGUMENT,
    NOT_OFFERED,
    OPCODES,
    OVERALL_MONITOR_LIMIT_EXCEEDED,
    SERVICE_NOT_SUPPORTED,
    UNRECOGNIZED_OPERATION,
)
from osrec_emulators.cap.device_list import GET
from osrec_emulators.cap.exit import Exit
from osrec_emulators.cap.faults import ERROR_CATEGORIES, RefusedMonitors
from osrec_emulators.cap.heartbeat import Heartbeat
from osrec_emulators.cap.messages import Counters, Happened, Pbx
from osrec_emulators.cap.monitors import Monitors
from osrec_emulators.pbx.services import Refusal

REGISTER_ID = b"\x01"  # one registration a client: asking again gives the same


class Desk:
    """One client's requests."""

    def __init__(
        self,
        pbx: Pbx,
        monitors: Monitors,
        answers: Answers,
        heartbeat: Heartbeat,
        exit_: Exit,
        counters: Counters,
        refused: tuple[RefusedMonitors, ...],
        silent_filters: Collection[str],
    ) -> None:
        self._pbx = pbx
        self._monitors = monitors
        self._answers = answers
        self._heartbeat = heartbeat
        self._exit = exit_
        self._counters = counters
        self._refused = refused
        self._silent_filters = silent_filters
        self._refusals: Counter[tuple[int, str]] = Counter()

    def serve(self, invoke_id: int, argument: model.Argument, now: float) -> None:
        """Answer a request."""
        if isinstance(argument, _NEVER_ANSWERED):
            return
        excess = self._answers.excess(now)
        if excess is not None:
            self._error(invoke_id, *excess, now)
            return
        if self._answers.fails(argument, now):
            self._error(invoke_id, *PERFORMANCE_LIMIT, now)
            return
        match argument:
            case model.MonitorStart(device, asked):
                self._monitor_start(invoke_id, device.number, "none" if asked is None else asked.value, now)
            case model.MonitorStop(cross_ref):
                if self._monitors.stop(cross_ref):
                    self._result(invoke_id, argument, model.NoData(), now)
                else:
                    self._error(invoke_id, ErrorCategory.OPERATION, INVALID_MONITOR_CROSS_REF, now)
            case model.SystemStatus():
                self._result(invoke_id, argument, model.NoData(), now)
            case model.RequestSystemStatus():
                self._report_status(invoke_id, argument, now)
            case model.SystemRegister():
                self._result(invoke_id, argument, model.SystemRegistered(REGISTER_ID), now)
                self._heartbeat.say(self._heartbeat.status, now)
            case model.UnknownArgument(opcode):
                self._unknown(invoke_id, opcode, now)
            case _:
                self._ask_pbx(invoke_id, argument, now)

    def _report_status(self, invoke_id: int, argument: model.Argument, now: float) -> None:
        if self._heartbeat.lost(now):
            self._exit.played("status_lost", now)
        else:
            self._result(invoke_id, argument, model.SystemStatusReported(self._heartbeat.status), now)

    def _ask_pbx(self, invoke_id: int, argument: model.Argument, now: float) -> None:
        """The PBX may answer late, or never; what it did is reported at once."""
        answer = self._pbx.request(argument, now)
        if isinstance(answer.result, Refusal):
            self._error(invoke_id, answer.result.category, answer.result.value, now, answer.delay)
        elif answer.result is not None:
            self._result(invoke_id, argument, answer.result, now, answer.delay)
        if answer.occurrences:
            self._exit.output(Happened(answer.occurrences), now)

    def _unknown(self, invoke_id: int, opcode: int | None, now: float) -> None:
        if opcode == GET and self._answers.lists_devices:
            self._answers.send_devices(invoke_id, self._pbx.devices(), now)
            return
        if opcode in NOT_OFFERED:
            self._error(invoke_id, ErrorCategory.OPERATION, SERVICE_NOT_SUPPORTED, now)
            return
        problem = MISTYPED_ARGUMENT if opcode in OPCODES.values() else UNRECOGNIZED_OPERATION
        self._counters.rejects += 1
        self._answers.send(model.Reject(invoke_id, INVOKE, problem), now)

    def _monitor_start(self, invoke_id: int, device: str, asked: str, now: float) -> None:
        if refused := self._refusal_of(device):
            self._exit.played("refuse_monitor", now, f"{device}: {refused.category} {refused.value}")
            self._error(invoke_id, ERROR_CATEGORIES[refused.category], refused.value, now)
        elif not self._pbx.known(device):
            self._error(invoke_id, ErrorCategory.OPERATION, INVALID_DEVICE_ID, now)
        elif (cross_ref := self._monitors.start(device, silent=asked in self._silent_filters)) is None:
            self._error(invoke_id, ErrorCategory.SYSTEM_RESOURCE, OVERALL_MONITOR_LIMIT_EXCEEDED, now)
        else:
            result = model.ReturnResult(invoke_id, model.MonitorStarted(cross_ref), OPCODES[model.MonitorStart])
            self._answers.send(result, now, monitor=cross_ref, device=device)

    def _refusal_of(self, device: str) -> RefusedMonitors | None:
        for index, refused in enumerate(self._refused):
            if refused.matches(device):
                self._refusals[index, device] += 1
                return refused if refused.times is None or self._refusals[index, device] <= refused.times else None
        return None

    def _result(
        self, invoke_id: int, argument: model.Argument, result: model.Result, now: float, delay: float = 0.0
    ) -> None:
        self._answers.send(model.ReturnResult(invoke_id, result, OPCODES.get(type(argument))), now, delay=delay)

    def _error(self, invoke_id: int, category: ErrorCategory, value: int, now: float, delay: float = 0.0) -> None:
        self._counters.errors += 1
        self._answers.send(model.ReturnError(invoke_id, category, value), now, delay=delay)


_NEVER_ANSWERED = (model.EventReport, model.SnapshotDeviceData, model.SnapshotCallData)  # and meaningless this way
