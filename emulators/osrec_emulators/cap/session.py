"""One client of the CAP server, as a machine: association, monitors, events, requests (csta.md 1.3 to 2.7).

The server's side only, written from ECMA-269 and ECMA-285; it shares the codec with the recorder and nothing else.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Protocol

from osrec.errors import WireError
from osrec.wire.csta import codec, model
from osrec.wire.csta.framing import framing_named
from osrec.wire.csta.model import ErrorCategory
from osrec_emulators.cap.association import aare, diagnostic_for
from osrec_emulators.cap.codes import (
    ABRT_AUTHENTICATION_FAILURE,
    BADLY_STRUCTURED,
    GENERAL,
    INVALID_DEVICE_ID,
    INVALID_MONITOR_CROSS_REF,
    INVOKE,
    MISTYPED_ARGUMENT,
    NOT_OFFERED,
    OPCODES,
    OVERALL_MONITOR_LIMIT_EXCEEDED,
    PROTOCOL_ERROR,
    REJECTED_PERMANENT,
    SERVICE_NOT_SUPPORTED,
    UNRECOGNIZED_OPERATION,
)
from osrec_emulators.cap.config import CapConfig
from osrec_emulators.cap.faults import Faults, Refusal
from osrec_emulators.cap.licences import LicencePool
from osrec_emulators.pbx.calls import Occurrence
from osrec_emulators.pbx.services import Answer
from osrec_emulators.pbx.services import Refusal as ServiceRefusal

UNANSWERED_LIMIT = 2  # SystemStatus that a client may leave unanswered; Alcatel and Cisco practice, csta.md 5


class Pbx(Protocol):
    """What a session needs of the PBX."""

    def request(self, service: model.Argument, now: float) -> Answer: ...

    def known(self, device: str) -> bool: ...

    def local_time(self, at: float) -> datetime: ...


@dataclass(frozen=True, slots=True)
class Send:
    octets: bytes


@dataclass(frozen=True, slots=True)
class Close:
    """The connection ends, after what was sent before has gone out."""

    reason: str


@dataclass(frozen=True, slots=True)
class Happened:
    """A request made this happen; all clients want to know, the one that asked too."""

    occurrences: tuple[Occurrence, ...]


Output = Send | Close | Happened


class State(Enum):
    """Of the association, X.227."""

    IDLE = "idle"
    ASSOCIATED = "associated"
    CLOSED = "closed"


@dataclass(slots=True)
class Counters:
    """What went over one client's connection."""

    received: int = 0
    sent: int = 0
    events: int = 0
    errors: int = 0
    rejects: int = 0


@dataclass(slots=True)
class _LateResult:
    due: float
    cross_ref: bytes
    pdu: model.Pdu


@dataclass(slots=True)
class _Heartbeat:
    """SystemStatus that we sent."""

    next: float | None = None
    pending: set[int] = field(default_factory=set)


class Session:
    """The server's side of one client's connection.

    Attributes:
        state: of the association.
        monitors: monitored devices by cross reference.
        counters: PDUs of this connection.
    """

    def __init__(self, config: CapConfig, pbx: Pbx, licences: LicencePool, faults: Faults | None = None) -> None:
        self.state = State.IDLE
        self.monitors: dict[bytes, str] = {}
        self.counters = Counters()
        self.user = ""
        self._config = config
        self._pbx = pbx
        self._licences = licences
        self._faults = faults or Faults()
        self._framing = framing_named(config.framing)
        self._next_cross_ref = 1  # in each association anew: a client must not believe in those of the last one
        self._next_invoke = 1
        self._heartbeat = _Heartbeat()
        self._cross_refs: dict[str, list[bytes]] = {}
        self._late: list[_LateResult] = []
        self._associated_at = 0.0
        self._outputs: list[Output] = []

    @property
    def deadline(self) -> float | None:
        """When to call expire()."""
        if self.state is not State.ASSOCIATED:
            return None
        times = [late.due for late in self._late]
        times += [time for time in (self._heartbeat.next, self._drop_time()) if time is not None]
        return min(times, default=None)

    @property
    def _open(self) -> bool:
        return self.state is not State.CLOSED

    def receive(self, octets: bytes, now: float) -> list[Output]:
        """Take octets of the connection, cut anywhere. A client can never make it raise."""
        try:
            frames = self._framing.feed(octets)
            while frames and self._open:
                for frame in frames:
                    if self._open:
                        self.counters.received += 1
                        self._frame(frame, now)
                frames = self._framing.feed(b"")  # raises when what follows whole PDUs is no framing
        except WireError as error:
            self._close(f"framing {self._config.framing}: {error}")
        return self._taken()

    def publish(self, occurrences: Iterable[Occurrence], now: float) -> bytes:
        """Events for what this client monitors, ready to be sent."""
        if self.state is not State.ASSOCIATED:
            return b""
        for occurrence in occurrences:
            for cross_ref in self._cross_refs.get(occurrence.device, ()):
                self._event(cross_ref, occurrence, now)
        return b"".join(output.octets for output in self._taken() if isinstance(output, Send))

    def expire(self, now: float) -> list[Output]:
        """The deadline has come."""
        if self.state is not State.ASSOCIATED:
            return []
        drop = self._drop_time()
        if drop is not None and drop <= now:
            self._close("fault: the link is dropped")
            return self._taken()
        self._release_late(lambda late: late.due <= now, now)
        if self._heartbeat.next is not None and self._heartbeat.next <= now:
            self._beat(now)
        return self._taken()

    def closed(self) -> None:
        """The connection is gone: monitors end and their licences are free."""
        self.state = State.CLOSED
        self._licences.give_back(len(self.monitors))
        self.monitors.clear()
        self._cross_refs.clear()

    # --- PDUs

    def _frame(self, frame: bytes, now: float) -> None:
        try:
            pdu = codec.decode(frame)
        except WireError:
            if self.state is State.ASSOCIATED:
                self._reject(None, GENERAL, BADLY_STRUCTURED, now)
            else:
                self._abort(PROTOCOL_ERROR, "first PDU is none", now)
            return
        match pdu:
            case model.Associate():
                self._associate(pdu, now)
            case model.Release():
                self._send(model.Released(reason=0), now)
                self._close("client released the association")
            case model.Abort():
                self._close("client aborted the association")
            case _ if self.state is State.IDLE:
                self._abort(PROTOCOL_ERROR, f"{type(pdu).__name__} before the association", now)
            case model.Invoke(invoke_id, argument):
                self._invoke(invoke_id, argument, now)
            case model.ReturnResult(invoke_id) | model.ReturnError(invoke_id):
                self._heartbeat.pending.discard(invoke_id)
            case _:
                pass  # rejects and responses nobody waits for

    def _associate(self, request: model.Associate, now: float) -> None:
        if self.state is State.ASSOCIATED:
            self._abort(PROTOCOL_ERROR, "second AARQ", now)
        elif self._faults.refuse is Refusal.SILENCE:
            return
        elif self._faults.refuse is Refusal.ABORT:
            self._abort(ABRT_AUTHENTICATION_FAILURE, "fault: abort", now)
        elif (diagnostic := diagnostic_for(request, self._config, self._faults)) is not None:
            self._send(aare(request, self._config, REJECTED_PERMANENT, diagnostic), now)
            self._close(f"association rejected, diagnostic {diagnostic}")
        else:
            self.state = State.ASSOCIATED
            self.user = (request.name or b"").decode("utf-8", "replace")
            self._associated_at = now
            self._send(aare(request, self._config, 0, 0), now)
            self._beat(now)

    # --- requests

    def _invoke(self, invoke_id: int, argument: model.Argument, now: float) -> None:
        match argument:
            case model.MonitorStart(device):
                self._monitor_start(invoke_id, device, now)
            case model.MonitorStop(cross_ref):
                self._monitor_stop(invoke_id, cross_ref, now)
            case model.SystemStatus():
                self._result(invoke_id, argument, model.NoData(), now)
            case model.RequestSystemStatus():
                self._result(invoke_id, argument, model.SystemStatusReported(model.Status.NORMAL), now)
            case model.UnknownArgument(opcode):
                self._unknown(invoke_id, opcode, now)
            case model.EventReport() | model.SnapshotDeviceData():
                pass  # never answered, and meaningless in this direction
            case _:
                self._ask_pbx(invoke_id, argument, now)

    def _ask_pbx(self, invoke_id: int, argument: model.Argument, now: float) -> None:
        answer = self._pbx.request(argument, now)
        if isinstance(answer.result, ServiceRefusal):
            self._error(invoke_id, answer.result.category, answer.result.value, now)
        else:
            self._result(invoke_id, argument, answer.result, now)
        if answer.occurrences:
            self._outputs.append(Happened(answer.occurrences))

    def _unknown(self, invoke_id: int, opcode: int | None, now: float) -> None:
        if opcode in NOT_OFFERED:
            self._error(invoke_id, ErrorCategory.OPERATION, SERVICE_NOT_SUPPORTED, now)
        elif opcode in OPCODES.values():
            self._reject(invoke_id, INVOKE, MISTYPED_ARGUMENT, now)
        else:
            self._reject(invoke_id, INVOKE, UNRECOGNIZED_OPERATION, now)

    def _monitor_start(self, invoke_id: int, device: model.DeviceId, now: float) -> None:
        if not self._pbx.known(device.number):
            self._error(invoke_id, ErrorCategory.OPERATION, INVALID_DEVICE_ID, now)
            return
        if not self._licences.take():
            self._error(invoke_id, ErrorCategory.SYSTEM_RESOURCE, OVERALL_MONITOR_LIMIT_EXCEEDED, now)
            return
        cross_ref = self._cross_ref()
        self.monitors[cross_ref] = device.number
        self._cross_refs.setdefault(device.number, []).append(cross_ref)
        pdu = model.ReturnResult(invoke_id, model.MonitorStarted(cross_ref), OPCODES[model.MonitorStart])
        if self._faults.event_before_result > 0:
            self._late.append(_LateResult(now + self._faults.event_before_result, cross_ref, pdu))
        else:
            self._send(pdu, now)

    def _monitor_stop(self, invoke_id: int, cross_ref: bytes, now: float) -> None:
        device = self.monitors.pop(cross_ref, None)
        if device is None:
            self._error(invoke_id, ErrorCategory.OPERATION, INVALID_MONITOR_CROSS_REF, now)
            return
        self._cross_refs[device].remove(cross_ref)
        self._licences.give_back()
        self._result(invoke_id, model.MonitorStop(cross_ref), model.NoData(), now)

    def _cross_ref(self) -> bytes:
        octets = self._config.cross_ref_octets
        while True:
            cross_ref = (self._next_cross_ref % (1 << 8 * octets)).to_bytes(octets, "big")
            self._next_cross_ref += 1
            if cross_ref not in self.monitors:
                return cross_ref

    # --- what we send unasked

    def _event(self, cross_ref: bytes, occurrence: Occurrence, now: float) -> None:
        at = self._pbx.local_time(occurrence.at) if self._config.timestamps else None
        self.counters.events += 1
        self._send(model.Invoke(self._invoke_id(), model.EventReport(cross_ref, occurrence.event, at=at)), now)
        self._release_late(lambda late: late.cross_ref == cross_ref, now)

    def _beat(self, now: float) -> None:
        """SystemStatus: first right after the AARE, then periodically; two without an answer end the link."""
        beat = self._heartbeat
        if len(beat.pending) >= UNANSWERED_LIMIT:
            self._close(f"{len(beat.pending)} SystemStatus unanswered")
            return
        invoke_id = self._invoke_id()
        beat.pending.add(invoke_id)
        status = model.Status.NORMAL if beat.next is not None else model.Status.ENABLED
        beat.next = now + self._config.status_interval if self._config.status_interval > 0 else None
        self._send(model.Invoke(invoke_id, model.SystemStatus(status)), now)

    def _release_late(self, chosen: Callable[[_LateResult], bool], now: float) -> None:
        ready = [late for late in self._late if chosen(late)]
        self._late = [late for late in self._late if late not in ready]
        for late in ready:
            self._send(late.pdu, now)

    # --- sending

    def _result(self, invoke_id: int, argument: model.Argument, result: model.Result, now: float) -> None:
        self._send(model.ReturnResult(invoke_id, result, OPCODES[type(argument)]), now)

    def _error(self, invoke_id: int, category: ErrorCategory, value: int, now: float) -> None:
        self.counters.errors += 1
        self._send(model.ReturnError(invoke_id, category, value), now)

    def _reject(self, invoke_id: int | None, kind: int, problem: int, now: float) -> None:
        self.counters.rejects += 1
        self._send(model.Reject(invoke_id, kind, problem), now)

    def _abort(self, diagnostic: int, reason: str, now: float) -> None:
        self._send(model.Abort(source=0, diagnostic=diagnostic), now)
        self._close(reason)

    def _send(self, pdu: model.Pdu, now: float) -> None:
        silent_from = self._faults.silent_from
        if silent_from is not None and self.state is State.ASSOCIATED and now >= self._associated_at + silent_from:
            return
        self.counters.sent += 1
        self._outputs.append(Send(self._framing.encode(codec.encode(pdu))))

    def _close(self, reason: str) -> None:
        self.closed()
        self._outputs.append(Close(reason))

    def _taken(self) -> list[Output]:
        taken, self._outputs = self._outputs, []
        return taken

    def _invoke_id(self) -> int:
        self._next_invoke += 1
        return self._next_invoke - 1

    def _drop_time(self) -> float | None:
        return None if self._faults.drop_at is None else self._associated_at + self._faults.drop_at
