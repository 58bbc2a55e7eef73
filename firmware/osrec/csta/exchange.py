"""What either side invokes and the other answers (ROSE, X.880), once there is an association.

Part of the machine in link.py, which says in which states it is asked; it has no clock.
"""

from collections.abc import Callable, Hashable

from osrec.csta.answers import refusal, stray
from osrec.csta.messages import Lost, Output, Send, ServiceAnswered, ServiceRequested, Token, Trouble
from osrec.csta.monitor import Answer, refusal_of
from osrec.csta.monitors import Monitors
from osrec.csta.requests import Purpose, Request, Requests
from osrec.csta.segments import Done, Segments, Whole
from osrec.csta.settings import LinkConfig
from osrec.csta.vigilance import SessionClock
from osrec.wire.csta.causes import operation_name
from osrec.wire.csta.codec import read_result
from osrec.wire.csta.model import (
    Argument,
    CallSnapshot,
    DeviceSnapshot,
    EventReport,
    Invoke,
    MonitorStarted,
    MonitorStop,
    NoData,
    Reject,
    RequestSystemStatus,
    Result,
    ReturnError,
    ReturnResult,
    SessionTimerReset,
    SnapshotCall,
    SnapshotCallData,
    SnapshotDeviceData,
    Status,
    SystemRegistered,
    SystemStatus,
    SystemStatusReported,
    UnknownArgument,
)
from osrec.wire.csta.services import opcode_of


class Exchange:
    """Requests in both directions, and the monitors and the session that live by them.

    Args:
        emit: takes what is to be sent and told.
        status: is told each SystemStatus of the PBX.
        missed: is told that a heartbeat was not answered.
        silent: whether so little has come that the PBX may not be there at all; it is asked then.

    Attributes:
        monitors: the devices and what became of their monitors.
        session: the XML session's clock.
    """

    def __init__(
        self,
        config: LinkConfig,
        emit: Callable[[Output], None],
        status: Callable[[int, float], None],
        missed: Callable[[float], None],
        silent: Callable[[float], bool],
    ) -> None:
        self.monitors = Monitors(config, self)
        self.session = SessionClock()
        self._config = config
        self._emit = emit
        self._status = status
        self._missed = missed
        self._silent = silent
        self._unserved: list[Token] = []  # services whose segments ceased, and with them all that the PBX sends
        self._requests = Requests(config.max_invoke_id)
        self._segments = Segments(config.request_timeout, emit, lambda: self._requests.outstanding > 0)

    @property
    def deadline(self) -> float | None:
        """When `expire` has something to do."""
        dues = (self._requests.deadline, self._segments.deadline)
        return min((due for due in dues if due is not None), default=None)

    @property
    def outstanding(self) -> int:
        """Requests of ours that are not answered yet."""
        return self._requests.outstanding

    def waiting(self, now: float) -> float:
        """For how long the request has waited that has waited longest."""
        oldest = self._requests.oldest
        return 0.0 if oldest is None else now - oldest

    def clear(self) -> list[Token]:
        """Nothing that was asked will be answered: tokens of the services that somebody waits for."""
        self.session.stop()
        asked = [request.token for request in self._requests.clear() if request.purpose is Purpose.SERVICE]
        unserved, self._unserved = self._unserved, []
        return asked + unserved + self._segments.clear()

    # --- what we invoke

    @property
    def paced(self) -> int:
        """What the window counts: results whose segments are still to come, too."""
        return self._requests.paced + self._segments.on_their_way

    def when_whole(self, result: Whole, done: Done, now: float) -> None:
        self._segments.put(result, done, now)

    def emit(self, output: Output) -> None:
        self._emit(output)

    def send(self, purpose: Purpose, argument: Argument, now: float, device: str = "", token: Hashable = None) -> None:
        patience = self._config.heartbeat_timeout if purpose is Purpose.HEARTBEAT else self._config.request_timeout
        request = Request(purpose, argument, now, now + patience, device, token)
        self._emit(Send(self._requests.add(request)))

    def request(self, event: ServiceRequested, now: float) -> None:
        if self._requests.full:
            self._emit(ServiceAnswered(event.token, Lost("too many requests outstanding")))
        else:
            self.send(Purpose.SERVICE, event.argument, now, token=event.token)

    # --- what the PBX answers

    def result(self, pdu: ReturnResult, now: float) -> None:
        request = self._requests.take(pdu.invoke_id)
        if request is None:
            if isinstance(pdu.result, MonitorStarted):
                self.monitors.stray_start(pdu.result.cross_ref, now)
            else:
                self._emit(stray(pdu))
            return
        result = pdu.result
        if isinstance(result, UnknownArgument) and pdu.opcode is None:  # we know what it must be
            result = read_result(opcode_of(request.argument) or 0, result.body)
        self._answered(request, result, now)

    def failure(self, pdu: ReturnError | Reject, now: float) -> None:
        request = None if pdu.invoke_id is None else self._requests.take(pdu.invoke_id)
        if request is None:
            self._emit(stray(pdu))
        else:
            self._answered(request, pdu, now)

    def expire(self, now: float) -> None:
        """Go on without the answers that are overdue. One of them may end the link: what is left then is cleared.

        A silent PBX is asked first whether it is there: nobody shall take it for the PBX's word that nothing comes over
        a link that is half open. Until it is heard of, or called down, no service is told that it got no answer.
        """
        while (deadline := self._requests.deadline) is not None and deadline <= now:
            if self._silent(now) and self._requests.overdue.purpose is Purpose.SERVICE:
                self._requests.hold_overdue()
            else:
                self._answered(self._requests.take_overdue(), None, now)
        self._segments.expire(now)

    def heard(self, now: float) -> None:
        """The PBX is there: what was overdue in its silence, and has not come now, will not come."""
        unserved, self._unserved = self._unserved, []
        for token in (*unserved, *(request.token for request in self._requests.release())):
            self._served(token, None)

    def _answered(self, request: Request, answer: Answer, now: float) -> None:
        """`answer` is None when none came in time."""
        match request.purpose:
            case Purpose.SERVICE if isinstance(answer, DeviceSnapshot | CallSnapshot):
                token = request.token
                self._segments.put(answer, lambda whole, then: self._gathered(token, whole, then), now, token)
            case Purpose.SERVICE:
                self._served(request.token, answer)
            case Purpose.START:
                self.monitors.started(request.device, answer, now)
            case Purpose.SNAPSHOT:
                self.monitors.snapshots.device_answered(request.token, answer, now)
            case Purpose.CALL:
                assert isinstance(request.argument, SnapshotCall)
                self.monitors.snapshots.call_answered(request.token, request.argument.connection, answer, now)
            case Purpose.HEARTBEAT if answer is None:
                self._missed(now)
            case Purpose.HEARTBEAT:
                if isinstance(answer, SystemStatusReported):
                    self._status(answer.status, now)
            case Purpose.SESSION if isinstance(answer, SessionTimerReset | NoData):
                self.session.renewed(answer.seconds if isinstance(answer, SessionTimerReset) else None, now)
            case Purpose.REGISTER if isinstance(answer, SystemRegistered | NoData):
                pass
            case Purpose.STOP if isinstance(answer, NoData):
                pass
            case _:
                what = operation_name(opcode_of(request.argument))
                self._emit(Trouble(f"{what}: {refusal_of(answer)[0]}"))

    def _gathered(self, token: Token, whole: Whole | None, now: float) -> None:
        if whole is None and self._silent(now):
            self._unserved.append(token)
        else:
            self._served(token, whole)

    def _served(self, token: Token, answer: Answer) -> None:
        self._emit(ServiceAnswered(token, Lost("timeout") if answer is None else answer))

    # --- what the PBX invokes

    def invoked(self, pdu: Invoke, now: float, *, up: bool) -> None:
        """`up`: monitors can run, so what they report has a meaning."""
        argument = pdu.argument
        match argument:
            case EventReport():
                if up:
                    self.monitors.report(argument, now, pdu.invoke_id)
            case SnapshotDeviceData() | SnapshotCallData():
                if up:
                    self._segments.add(argument, now)
            case SystemStatus(status):  # answered at once, in any state: the PBX counts on it
                self._answer(pdu.invoke_id, NoData(), 211)
                self._status(status, now)
            case RequestSystemStatus():
                self._answer(pdu.invoke_id, SystemStatusReported(Status.NORMAL), 210)
            case MonitorStop(cross_ref):
                self._answer(pdu.invoke_id, NoData(), 73)
                self.monitors.stopped(cross_ref, now)
            case _:
                trouble, reject = refusal(pdu.invoke_id, argument)
                self._emit(trouble)
                if reject is not None:
                    self._emit(Send(reject))

    def _answer(self, invoke_id: int, result: Result, opcode: int) -> None:
        self._emit(Send(ReturnResult(invoke_id, result, opcode)))
