"""The CSTA link to one CAP server as a machine: association, status, heartbeat, monitors, services. It does no I/O.

CLOSED --Connected--> ASSOCIATING --AARE--> AWAITING_STATUS --SystemStatus--> UP --CloseRequested--> RELEASING;
from every state back to CLOSED when the connection ends, the PBX releases or aborts, or answers stay away.
"""

from collections.abc import Callable, Hashable
from enum import Enum
from typing import Any

from osrec.csta.messages import (
    Close,
    CloseRequested,
    Connected,
    DevicesChanged,
    Disconnected,
    Event,
    LinkConfig,
    LinkDown,
    LinkUp,
    Lost,
    MonitorLost,
    MonitorRefused,
    MonitorRunning,
    Outcome,
    Output,
    PduReceived,
    Reported,
    Send,
    ServiceAnswered,
    ServiceRequested,
    SnapshotTaken,
    TimerExpired,
    Trouble,
    Undecodable,
)
from osrec.csta.monitors import Monitors
from osrec.csta.requests import Purpose, Request, Requests
from osrec.wire.csta.causes import (
    ASSOCIATE_RESULTS,
    abort_name,
    error_name,
    operation_name,
    reject_name,
    status_name,
)
from osrec.wire.csta.codec import KNOWN_OPERATIONS, read_result
from osrec.wire.csta.model import (
    Abort,
    Argument,
    Associate,
    Associated,
    EventReport,
    Invoke,
    MonitorStarted,
    MonitorStop,
    NoData,
    Reject,
    Release,
    Released,
    RequestSystemStatus,
    Result,
    ReturnError,
    ReturnResult,
    SnapshotDeviceData,
    Status,
    SystemStatus,
    SystemStatusReported,
    UnknownArgument,
)
from osrec.wire.csta.services import opcode_of

__all__ = [
    "Close",
    "CloseRequested",
    "Connected",
    "DevicesChanged",
    "Disconnected",
    "Event",
    "Link",
    "LinkConfig",
    "LinkDown",
    "LinkUp",
    "Lost",
    "MonitorLost",
    "MonitorRefused",
    "MonitorRunning",
    "Outcome",
    "Output",
    "PduReceived",
    "Reported",
    "Send",
    "ServiceAnswered",
    "ServiceRequested",
    "SnapshotTaken",
    "State",
    "TimerExpired",
    "Trouble",
    "Undecodable",
]

_UNANSWERED = (21, 76, 77)  # operations that ROSE never answers: events and segments
_INVOKE_PROBLEM, _UNRECOGNIZED_OPERATION, _MISTYPED_ARGUMENT = 1, 1, 2  # X.880
_NOT_WORKING = (Status.INITIALIZING, Status.DISABLED)


class State(Enum):
    """States of the link."""

    CLOSED = "closed"
    ASSOCIATING = "associating"
    AWAITING_STATUS = "awaiting status"
    UP = "up"
    RELEASING = "releasing"


class Link:
    """One link, over any number of connections one after the other.

    Attributes:
        state: where the association stands.
        monitors: the devices and what became of their monitors.
    """

    def __init__(self, config: LinkConfig) -> None:
        self.state = State.CLOSED
        self.monitors = Monitors(config, self)
        self._config = config
        self._requests = Requests(config.max_invoke_id)
        self._outputs: list[Output] = []
        self._state_due: float | None = None
        self._heartbeat_due: float | None = None
        self._misses = 0
        self._stale = False  # events were lost while the PBX did not work
        self._told: str | None = None  # reason of the last LinkDown, None while up

    def handle(self, event: Event, now: float) -> list[Output]:
        """Advance by one event; `now` is any monotonic time, in seconds. No peer can make it raise."""
        if isinstance(event, PduReceived):
            self._heard(now)
            key: type[object] = type(event.pdu)
        else:
            key = type(event)
        _TABLE[self.state, key](self, event, now)
        if self.state is State.UP:
            self.monitors.advance(now)
        outputs, self._outputs = self._outputs, []
        return outputs

    @property
    def deadline(self) -> float | None:
        """When to call handle(TimerExpired(), now); None: no timer runs."""
        dues = [self._state_due, self._heartbeat_due, self._requests.deadline]
        if self.state is State.UP:
            dues.append(self.monitors.deadline)
        return min((due for due in dues if due is not None), default=None)

    # --- what the monitors use

    def emit(self, output: Output) -> None:
        self._outputs.append(output)

    @property
    def paced(self) -> int:
        return self._requests.paced

    def send(self, purpose: Purpose, argument: Argument, now: float, device: str = "", token: Hashable = None) -> None:
        patience = self._config.heartbeat_timeout if purpose is Purpose.HEARTBEAT else self._config.request_timeout
        request = Request(purpose, argument, now + patience, device, token)
        self.emit(Send(self._requests.add(request)))

    # --- the connection

    def _connected(self, _event: Connected, now: float) -> None:
        config = self._config
        associate = Associate(
            config.context, config.name, config.password, config.version, config.reference, config.protocol_version
        )
        self._enter(State.ASSOCIATING, now + config.association_timeout)
        self.emit(Send(associate))

    def _not_connected(self, event: Disconnected, _now: float) -> None:
        self._tell_down(event.reason)

    def _disconnected(self, event: Disconnected, _now: float) -> None:
        self._down(event.reason)

    def _close(self, reason: str) -> None:
        self.emit(Close(reason))
        self._down(reason)

    def _down(self, reason: str) -> None:
        """Back to CLOSED: nothing that was asked will be answered, nothing that was monitored is."""
        self._enter(State.CLOSED, None)
        self._heartbeat_due, self._misses, self._stale = None, 0, False
        self._tell_down(reason)
        for request in self._requests.clear():
            if request.purpose is Purpose.SERVICE:
                self.emit(ServiceAnswered(request.token, Lost("link down")))
        self.monitors.link_down()

    def _tell_down(self, reason: str) -> None:
        if reason != self._told:
            self._told = reason
            self.emit(LinkDown(reason))

    def _enter(self, state: State, due: float | None) -> None:
        self.state, self._state_due = state, due

    # --- the association

    def _associated(self, event: PduReceived, now: float) -> None:
        pdu = event.pdu
        assert isinstance(pdu, Associated)
        if pdu.result:
            result = ASSOCIATE_RESULTS.get(pdu.result, f"result {pdu.result}")
            self._close(f"association {result}, diagnostic {pdu.diagnostic}")
            return
        self._enter(State.AWAITING_STATUS, now + self._config.status_timeout)
        self._heard(now)

    def _aborted(self, event: PduReceived, _now: float) -> None:
        assert isinstance(event.pdu, Abort)
        self._close(f"aborted by the PBX: {abort_name(event.pdu.diagnostic)}")

    def _released_by_peer(self, _event: PduReceived, _now: float) -> None:
        self.emit(Send(Released()))
        self._close("released by the PBX")

    def _release(self, _event: CloseRequested, now: float) -> None:
        self._enter(State.RELEASING, now + self._config.release_timeout)
        self._heartbeat_due = None
        self.emit(Send(Release()))

    def _give_up_connecting(self, _event: CloseRequested, _now: float) -> None:
        self._close("closed by us")

    def _released(self, _event: PduReceived, _now: float) -> None:
        self._close("closed by us")

    def _unexpected(self, event: PduReceived, _now: float) -> None:
        self.emit(Trouble(f"{type(event.pdu).__name__} while {self.state.value}"))

    # --- time

    def _timer_associating(self, _event: TimerExpired, now: float) -> None:
        if self._state_due is not None and self._state_due <= now:
            self._close(f"no answer to the association request within {self._config.association_timeout:g} s")

    def _timer_awaiting_status(self, _event: TimerExpired, now: float) -> None:
        if self._state_due is not None and self._state_due <= now:
            self.emit(Trouble(f"no SystemStatus within {self._config.status_timeout:g} s: going on without"))
            self._up(now)
        self._timer_up(_event, now)

    def _timer_up(self, _event: TimerExpired, now: float) -> None:
        for request in self._requests.expire(now):
            self._overdue(request, now)
            if self.state is State.CLOSED:
                return
        if self._heartbeat_due is not None and self._heartbeat_due <= now:
            self._heartbeat_due = None  # armed again by whatever is heard
            self.send(Purpose.HEARTBEAT, RequestSystemStatus(), now)

    def _timer_releasing(self, _event: TimerExpired, now: float) -> None:
        if self._state_due is not None and self._state_due <= now:
            self._close("closed by us")
            return
        for request in self._requests.expire(now):
            self._overdue(request, now)

    def _overdue(self, request: Request, now: float) -> None:
        what = operation_name(opcode_of(request.argument))
        match request.purpose:
            case Purpose.SERVICE:
                self.emit(ServiceAnswered(request.token, Lost("timeout")))
            case Purpose.START:
                self.monitors.started(request.device, None, now)
            case Purpose.SNAPSHOT:
                self.monitors.snapshot(request.device, None, now)
            case Purpose.STOP:
                self.emit(Trouble(f"no answer to {what}"))
            case Purpose.HEARTBEAT:
                self._missed(now)

    def _missed(self, now: float) -> None:
        self._misses += 1
        if self._misses >= self._config.heartbeat_misses:
            self._close(f"no answer to {self._misses} heartbeats of {self._config.heartbeat_timeout:g} s")
        elif self.state is not State.RELEASING:
            self.send(Purpose.HEARTBEAT, RequestSystemStatus(), now)

    def _heard(self, now: float) -> None:
        """Whatever the PBX sends shows that it lives."""
        self._misses = 0
        if self._config.heartbeat and self.state in (State.AWAITING_STATUS, State.UP):
            self._heartbeat_due = now + self._config.heartbeat

    # --- status

    def _status(self, status: int, now: float) -> None:
        if self.state is State.AWAITING_STATUS:
            if status in _NOT_WORKING:
                self._state_due = None  # it will say when it works; the heartbeat goes on asking
                self._tell_down(f"the PBX is {status_name(status)}")
            else:
                self._up(now)
        elif self.state is State.UP:
            self._status_changed(status)

    def _status_changed(self, status: int) -> None:
        if status in _NOT_WORKING:
            self._stale = True
            self._tell_down(f"the PBX is {status_name(status)}")
            return
        if status not in (Status.NORMAL, Status.ENABLED):
            self.emit(Trouble(f"the PBX is {status_name(status)}"))
        if self._stale:
            self._stale, self._told = False, None
            self.emit(LinkUp())
            self.monitors.resync()
        elif status == Status.MESSAGES_LOST:
            self.monitors.resync()

    def _up(self, now: float) -> None:
        self._enter(State.UP, None)
        self._heard(now)
        self._told = None
        self.emit(LinkUp())
        self.monitors.link_up(now)

    # --- what the PBX invokes

    def _invoked(self, event: PduReceived, now: float) -> None:
        assert isinstance(event.pdu, Invoke)
        invoke_id, argument = event.pdu.invoke_id, event.pdu.argument
        match argument:
            case EventReport():
                self._event(argument)
            case SnapshotDeviceData():
                self.monitors.segment(argument, now)
            case SystemStatus(status):  # answered at once, in any state: the PBX counts on it
                self._answer(invoke_id, NoData(), 211)
                self._status(status, now)
            case RequestSystemStatus():
                self._answer(invoke_id, SystemStatusReported(Status.NORMAL), 210)
            case MonitorStop(cross_ref):
                self._answer(invoke_id, NoData(), 73)
                self.monitors.stopped(cross_ref, now)
            case _:
                self._refuse(invoke_id, argument)

    def _event(self, report: EventReport) -> None:
        if self.state is State.UP:
            self.monitors.report(report)

    def _answer(self, invoke_id: int, result: Result, opcode: int) -> None:
        self.emit(Send(ReturnResult(invoke_id, result, opcode)))

    def _refuse(self, invoke_id: int, argument: Argument) -> None:
        opcode = opcode_of(argument)
        problem, reason = _UNRECOGNIZED_OPERATION, "is not for us"
        if isinstance(argument, UnknownArgument):
            problem = _MISTYPED_ARGUMENT if opcode in KNOWN_OPERATIONS else _UNRECOGNIZED_OPERATION
            reason = f"could not be read: {argument.reason}"
        self.emit(Trouble(f"{operation_name(opcode)} {reason}"))
        if opcode not in _UNANSWERED:
            self.emit(Send(Reject(invoke_id, _INVOKE_PROBLEM, problem)))

    def _undecodable(self, event: Undecodable, _now: float) -> None:
        self.emit(Trouble(f"undecodable PDU of {len(event.octets)} octets: {event.reason}"))

    # --- answers to what we invoked

    def _result(self, event: PduReceived, now: float) -> None:
        assert isinstance(event.pdu, ReturnResult)
        pdu = event.pdu
        request = self._requests.take(pdu.invoke_id)
        if request is None:
            self._stray(pdu, now)
            return
        result = pdu.result
        if isinstance(result, UnknownArgument) and pdu.opcode is None:  # we know what it must be
            result = read_result(opcode_of(request.argument) or 0, result.body)
        self._answered(request, result, now)

    def _failure(self, event: PduReceived, now: float) -> None:
        pdu = event.pdu
        assert isinstance(pdu, ReturnError | Reject)
        request = None if pdu.invoke_id is None else self._requests.take(pdu.invoke_id)
        if request is None:
            self._stray(pdu, now)
        else:
            self._answered(request, pdu, now)

    def _answered(self, request: Request, answer: Result | ReturnError | Reject, now: float) -> None:
        match request.purpose:
            case Purpose.SERVICE:
                self.emit(ServiceAnswered(request.token, answer))
            case Purpose.START:
                self.monitors.started(request.device, answer, now)
            case Purpose.SNAPSHOT:
                self.monitors.snapshot(request.device, answer, now)
            case Purpose.HEARTBEAT:
                if isinstance(answer, SystemStatusReported):
                    self._status(answer.status, now)
            case Purpose.STOP:
                if not isinstance(answer, NoData):
                    self.emit(Trouble(f"monitorStop: {answer}"))

    def _stray(self, pdu: ReturnResult | ReturnError | Reject, now: float) -> None:
        if isinstance(pdu, ReturnResult) and isinstance(pdu.result, MonitorStarted) and self.state is State.UP:
            self.monitors.stray_start(pdu.result.cross_ref, now)
            return
        match pdu:
            case ReturnError(_, category, value):
                text = f"error {error_name(category, value)}"
            case Reject(_, kind, problem):
                text = f"reject {reject_name(kind, problem)}"
            case ReturnResult():
                text = f"result of {operation_name(pdu.opcode)}"
        self.emit(Trouble(f"{text} for invoke {pdu.invoke_id} that is not outstanding"))

    # --- what we are asked for

    def _request(self, event: ServiceRequested, now: float) -> None:
        if self._requests.full:
            self.emit(ServiceAnswered(event.token, Lost("too many requests outstanding")))
        else:
            self.send(Purpose.SERVICE, event.argument, now, token=event.token)

    def _no_service(self, event: ServiceRequested, _now: float) -> None:
        self.emit(ServiceAnswered(event.token, Lost("link down")))

    def _devices(self, event: DevicesChanged, now: float) -> None:
        self.monitors.change(event.devices, now)

    def _ignore(self, _event: Event, _now: float) -> None:
        pass


_PDUS = (Invoke, ReturnResult, ReturnError, Reject, Associate, Associated, Release, Released, Abort)

_Handler = Callable[[Link, Any, float], None]

_WHEN_ASSOCIATED: tuple[tuple[type[Any], _Handler], ...] = (
    (Connected, Link._ignore),
    (Disconnected, Link._disconnected),
    (Undecodable, Link._undecodable),
    (DevicesChanged, Link._devices),
    (CloseRequested, Link._release),
    (Invoke, Link._invoked),
    (ReturnResult, Link._result),
    (ReturnError, Link._failure),
    (Reject, Link._failure),
    (Associate, Link._unexpected),
    (Associated, Link._unexpected),
    (Release, Link._released_by_peer),
    (Released, Link._unexpected),
    (Abort, Link._aborted),
)

# Every state with every event and PDU: a hole here is a bug that a test finds.
_TABLE: dict[tuple[State, type[Any]], _Handler] = {
    # CLOSED: PDUs cannot come; the runner may still hold some that came before it closed
    (State.CLOSED, Connected): Link._connected,
    (State.CLOSED, Disconnected): Link._not_connected,
    (State.CLOSED, Undecodable): Link._ignore,
    (State.CLOSED, ServiceRequested): Link._no_service,
    (State.CLOSED, DevicesChanged): Link._devices,
    (State.CLOSED, CloseRequested): Link._ignore,
    (State.CLOSED, TimerExpired): Link._ignore,
    **{(State.CLOSED, pdu): Link._ignore for pdu in _PDUS},
    # ASSOCIATING: AARQ sent
    (State.ASSOCIATING, Connected): Link._ignore,
    (State.ASSOCIATING, Disconnected): Link._disconnected,
    (State.ASSOCIATING, Undecodable): Link._undecodable,
    (State.ASSOCIATING, ServiceRequested): Link._no_service,
    (State.ASSOCIATING, DevicesChanged): Link._devices,
    (State.ASSOCIATING, CloseRequested): Link._give_up_connecting,
    (State.ASSOCIATING, TimerExpired): Link._timer_associating,
    (State.ASSOCIATING, Invoke): Link._invoked,
    (State.ASSOCIATING, ReturnResult): Link._unexpected,
    (State.ASSOCIATING, ReturnError): Link._unexpected,
    (State.ASSOCIATING, Reject): Link._unexpected,
    (State.ASSOCIATING, Associate): Link._unexpected,
    (State.ASSOCIATING, Associated): Link._associated,
    (State.ASSOCIATING, Release): Link._released_by_peer,
    (State.ASSOCIATING, Released): Link._unexpected,
    (State.ASSOCIATING, Abort): Link._aborted,
    # AWAITING_STATUS and UP: associated
    **{(state, event): handler for state in (State.AWAITING_STATUS, State.UP) for event, handler in _WHEN_ASSOCIATED},
    (State.AWAITING_STATUS, ServiceRequested): Link._no_service,
    (State.AWAITING_STATUS, TimerExpired): Link._timer_awaiting_status,
    (State.UP, ServiceRequested): Link._request,
    (State.UP, TimerExpired): Link._timer_up,
    # RELEASING: RLRQ sent; what is still answered is still taken
    (State.RELEASING, Connected): Link._ignore,
    (State.RELEASING, Disconnected): Link._disconnected,
    (State.RELEASING, Undecodable): Link._undecodable,
    (State.RELEASING, ServiceRequested): Link._no_service,
    (State.RELEASING, DevicesChanged): Link._devices,
    (State.RELEASING, CloseRequested): Link._ignore,
    (State.RELEASING, TimerExpired): Link._timer_releasing,
    (State.RELEASING, Invoke): Link._invoked,
    (State.RELEASING, ReturnResult): Link._result,
    (State.RELEASING, ReturnError): Link._failure,
    (State.RELEASING, Reject): Link._failure,
    (State.RELEASING, Associate): Link._unexpected,
    (State.RELEASING, Associated): Link._unexpected,
    (State.RELEASING, Release): Link._released_by_peer,
    (State.RELEASING, Released): Link._released,
    (State.RELEASING, Abort): Link._aborted,
}
