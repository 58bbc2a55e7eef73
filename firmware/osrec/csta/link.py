"""The CSTA link to one CAP server as a machine: association, status, heartbeat, monitors, services. It does no I/O.

CLOSED --Connected--> ASSOCIATING --AARE--> AWAITING_STATUS --SystemStatus--> UP --CloseRequested--> RELEASING;
XML without session has no association: from CLOSED straight to AWAITING_STATUS. From every state back to CLOSED when
the connection ends, the PBX releases or aborts, or answers stay away.
"""

from collections.abc import Callable
from enum import Enum
from typing import Any

from osrec.csta.exchange import Exchange
from osrec.csta.hints import aborted, refused
from osrec.csta.messages import (
    Close,
    CloseRequested,
    Connected,
    DevicesChanged,
    Disconnected,
    Event,
    EventsLost,
    LinkDown,
    LinkUp,
    Lost,
    Output,
    Overrun,
    PduReceived,
    Send,
    ServiceAnswered,
    ServiceRequested,
    StatusChanged,
    TimerExpired,
    Trouble,
    Undecodable,
)
from osrec.csta.monitor import refusal_of
from osrec.csta.monitors import Monitors
from osrec.csta.requests import Purpose
from osrec.csta.settings import LinkConfig
from osrec.csta.vigilance import Heartbeat
from osrec.wire.csta.causes import ASSOCIATE_RESULTS, abort_name, status_name
from osrec.wire.csta.model import (
    Abort,
    Associate,
    Associated,
    Invoke,
    Reject,
    Release,
    Released,
    ResetSessionTimer,
    ReturnError,
    ReturnResult,
    Status,
    SystemRegister,
)

SILENT = 2.0  # seconds; an answer takes milliseconds, of a fork that the PBX is slow to make some seconds
_FOR_NOW = 2  # result of AARE, X.227
_NOT_WORKING = (Status.INITIALIZING, Status.DISABLED)
_HEALTHY = (Status.ENABLED, Status.NORMAL, Status.OVERLOAD_RELIEVED)


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
        epoch: number of the association; nothing of an earlier one has a meaning in it.
        status: what the PBX last said of itself, None before.
    """

    def __init__(self, config: LinkConfig) -> None:
        self.state = State.CLOSED
        self.epoch = 0
        self.status: int | None = None
        self._config = config
        self._outputs: list[Output] = []
        self._heartbeat = Heartbeat(config)
        self._exchange = Exchange(config, self._emit, self._status, self._missed, self._heartbeat.silent)
        self._state_due: float | None = None
        self._associated_here = False  # whether there is an association to release
        self._farewell = ""  # why we release the association
        self._unheard = True  # nothing came on this connection yet
        self._stale = False  # events were lost while the PBX did not work
        self._told: str | None = None  # reason of the last LinkDown, None while up

    def handle(self, event: Event, now: float) -> list[Output]:
        """Advance by one event; `now` is any monotonic time, in seconds. No peer can make it raise."""
        if isinstance(event, PduReceived):
            self._heard(now)
            self._first_heard(now)
            key: type[object] = type(event.pdu)
        else:
            key = type(event)
        _TABLE[self.state, key](self, event, now)
        if isinstance(event, PduReceived):
            self._exchange.heard(now)  # behind what it brought, which may be the answer that was overdue
        if self.state is State.UP:
            self.monitors.advance(now)
        outputs, self._outputs = self._outputs, []
        return outputs

    @property
    def monitors(self) -> Monitors:
        """The devices and what became of their monitors."""
        return self._exchange.monitors

    @property
    def deadline(self) -> float | None:
        """When to call handle(TimerExpired(), now); None: no timer runs."""
        session = self._exchange.session
        dues = [self._state_due, self._heartbeat.due, session.due, session.ends, self._exchange.deadline]
        if self.state is State.UP:
            dues.append(self.monitors.deadline)
        return min((due for due in dues if due is not None), default=None)

    @property
    def outstanding(self) -> int:
        """Requests of ours that are not answered yet."""
        return self._exchange.outstanding

    @property
    def session_id(self) -> str | None:
        """Of the XML session, None without."""
        return self._exchange.session.id

    def _emit(self, output: Output) -> None:
        self._outputs.append(output)

    # --- the connection

    def _connected(self, _event: Connected, now: float) -> None:
        config = self._config
        self.epoch += 1
        self._unheard = True
        if not config.associate:
            self._await_status(now)
            return
        self._enter(State.ASSOCIATING, now + config.association_timeout)
        self._emit(
            Send(
                Associate(
                    config.context,
                    config.name,
                    config.password,
                    config.version,
                    config.reference,
                    config.protocol_version,
                    config.session,
                )
            )
        )

    def _not_connected(self, event: Disconnected, _now: float) -> None:
        self._tell_down(event.reason)

    def _disconnected(self, event: Disconnected, now: float) -> None:
        self._down(event.reason, now, silent=event.timed_out)

    def _close(self, reason: str, now: float, *, silent: bool = False) -> None:
        self._emit(Close(reason))
        self._down(reason, now, silent=silent)

    def _down(self, reason: str, now: float, *, silent: bool) -> None:
        """Back to CLOSED: nothing that was asked will be answered, nothing that was monitored is.

        `silent`: the PBX had fallen silent before; what it would have told us since then we do not know, either.
        """
        self._enter(State.CLOSED, None)
        self._heartbeat.stop()
        self._stale, self._associated_here = False, False
        self.monitors.tell_held()
        silent = silent or self._fell_silent(now)
        self._tell_down(reason, self._heartbeat.unheard(now) if silent and self._told is None else 0.0)
        if self.status is not None and self.status not in _HEALTHY:
            self._emit(StatusChanged(Status.NORMAL))  # of an association that is over: LinkDown says the rest
        self.status = None
        for token in self._exchange.clear():
            self._emit(ServiceAnswered(token, Lost("link down")))
        self.monitors.link_down(now)

    def _fell_silent(self, now: float) -> bool:
        """What we asked is unanswered, and nothing else has come either: that was no quiet moment."""
        return min(self._exchange.waiting(now), self._heartbeat.unheard(now)) >= SILENT

    def _tell_down(self, reason: str, unheard: float = 0.0) -> None:
        if reason != self._told:
            self._told = reason
            self._emit(LinkDown(reason, unheard))

    def _enter(self, state: State, due: float | None) -> None:
        self.state, self._state_due = state, due

    # --- the association

    def _associated(self, event: PduReceived, now: float) -> None:
        pdu = event.pdu
        assert isinstance(pdu, Associated)
        if pdu.result:
            result = ASSOCIATE_RESULTS.get(pdu.result, f"result {pdu.result}")
            session = self._config.session is not None
            hint = refused(pdu.diagnostic, transient=pdu.result == _FOR_NOW, session=session)
            self._close(f"association {result}, diagnostic {pdu.diagnostic}{hint}", now)
            return
        self._associated_here = True
        self._exchange.session.begin(pdu.session, now)
        self._await_status(now)

    def _await_status(self, now: float) -> None:
        self._enter(State.AWAITING_STATUS, now + self._config.status_timeout)
        self._heard(now)

    def _first_heard(self, now: float) -> None:
        if self._unheard and self.state is State.AWAITING_STATUS and self._state_due is None:
            self._state_due = now  # it answers: up without its status, unless that is what it sends
        self._unheard = False

    def _refused(self, event: PduReceived, now: float) -> None:
        """The request for an association was not understood as one."""
        assert isinstance(event.pdu, ReturnError | Reject)
        key = "session = true" if self._config.session is not None else 'encoding = "asn1"'
        self._close(f"association refused: {refusal_of(event.pdu)[0]}: look at [csta] {key}", now)

    def _aborted(self, event: PduReceived, now: float) -> None:
        assert isinstance(event.pdu, Abort)
        diagnostic = event.pdu.diagnostic
        self._close(f"aborted by the PBX: {abort_name(diagnostic)}{aborted(diagnostic)}", now)

    def _released_by_peer(self, event: PduReceived, now: float) -> None:
        assert isinstance(event.pdu, Release)
        self._emit(Send(Released(invoke_id=event.pdu.invoke_id)))
        self._close("released by the PBX", now)

    def _release(self, event: CloseRequested, now: float) -> None:
        self._farewell = event.reason
        if not self._associated_here:
            self._close(event.reason, now)
            return
        self._enter(State.RELEASING, now + self._config.release_timeout)
        self._heartbeat.stop()
        session = self.session_id
        self._exchange.session.stop()
        self._emit(Send(Release(session=session)))

    def _give_up(self, event: CloseRequested, now: float) -> None:
        self._close(event.reason, now)

    def _released(self, _event: PduReceived, now: float) -> None:
        self._close(self._farewell, now)

    def _unexpected(self, event: PduReceived, _now: float) -> None:
        self._emit(Trouble(f"{type(event.pdu).__name__} while {self.state.value}"))

    # --- time

    def _timer_associating(self, _event: TimerExpired, now: float) -> None:
        if self._state_is_over(now):
            self._close(f"no answer to the association request within {self._config.association_timeout:g} s", now)

    def _timer_awaiting_status(self, event: TimerExpired, now: float) -> None:
        if self._state_is_over(now) and self._unheard:
            self._state_due = None  # XML without session: is it a CAP server at all? Whatever it answers will do
            self._exchange.send(Purpose.HEARTBEAT, self._heartbeat.question, now)
        elif self._state_is_over(now):
            self._emit(Trouble(f"no SystemStatus within {self._config.status_timeout:g} s: going on without"))
            self._up(now)
        self._timer_up(event, now)

    def _timer_up(self, _event: TimerExpired, now: float) -> None:
        self._exchange.expire(now)
        if self.state is State.CLOSED:
            return
        question = self._heartbeat.take(now)
        if question is not None:
            self._exchange.send(Purpose.HEARTBEAT, question, now)
        self._renew_session(now)

    def _renew_session(self, now: float) -> None:
        session = self._exchange.session
        if session.over(now):
            self._close("the session ran out: the PBX did not renew it", now)
        elif session.id is not None and session.due is not None and session.due <= now:
            session.asked(now)
            self._exchange.send(Purpose.SESSION, ResetSessionTimer(session.id, session.seconds), now)

    def _timer_releasing(self, _event: TimerExpired, now: float) -> None:
        if self._state_is_over(now):
            self._close(self._farewell, now)
        else:
            self._exchange.expire(now)

    def _state_is_over(self, now: float) -> bool:
        return self._state_due is not None and self._state_due <= now

    def _missed(self, now: float) -> None:
        if self._heartbeat.missed():
            misses = self._heartbeat.misses
            reason = f"no answer to {misses} heartbeats of {self._config.heartbeat_timeout:g} s"
            self._close(reason, now, silent=True)
        elif self.state is not State.RELEASING:
            self._exchange.send(Purpose.HEARTBEAT, self._heartbeat.question, now)

    def _heard(self, now: float) -> None:
        self._heartbeat.heard(now, watching=self.state in (State.AWAITING_STATUS, State.UP))

    # --- status

    def _status(self, status: int, now: float) -> None:
        if self.state is State.AWAITING_STATUS:
            if status in _NOT_WORKING:
                self._state_due = None  # it will say when it works; the heartbeat goes on asking
                self._tell_down(f"the PBX is {status_name(status)}")
            else:
                self._up(now)
                self._status_changed(status)
        elif self.state is State.UP:
            self._status_changed(status)

    def _status_changed(self, status: int) -> None:
        if status in _NOT_WORKING:
            self._stale = True
            self._tell_down(f"the PBX is {status_name(status)}")
            return
        if status == Status.MESSAGES_LOST:
            self._events_lost("the PBX lost messages")
            return
        before, self.status = self.status, Status.NORMAL if status in _HEALTHY else status
        if self.status != (before or Status.NORMAL):
            self._emit(StatusChanged(self.status))
        self.monitors.status(status)
        if self._stale:
            self._stale, self._told = False, None
            self._emit(LinkUp())
            self.monitors.resync()
        elif before == Status.PARTIALLY_DISABLED != self.status:
            self._events_lost("the PBX was partially disabled")

    def _events_lost(self, reason: str) -> None:
        """Of which device nobody knows: all of them are looked at."""
        self._emit(EventsLost("", reason))
        self.monitors.resync()

    def _up(self, now: float) -> None:
        self._enter(State.UP, None)
        self._heard(now)
        self._told = None
        self._emit(LinkUp())
        if self._config.register:
            self._exchange.send(Purpose.REGISTER, SystemRegister(), now)
        self.monitors.link_up(now)

    # --- what the PBX sends

    def _invoked(self, event: PduReceived, now: float) -> None:
        assert isinstance(event.pdu, Invoke)
        self._exchange.invoked(event.pdu, now, up=self.state is State.UP)

    def _result(self, event: PduReceived, now: float) -> None:
        assert isinstance(event.pdu, ReturnResult)
        self._exchange.result(event.pdu, now)

    def _failure(self, event: PduReceived, now: float) -> None:
        assert isinstance(event.pdu, ReturnError | Reject)
        self._exchange.failure(event.pdu, now)

    def _undecodable(self, event: Undecodable, _now: float) -> None:
        self._emit(Trouble(f"undecodable PDU of {len(event.octets)} octets: {event.reason}"))

    # --- what we are asked for

    def _request(self, event: ServiceRequested, now: float) -> None:
        self._exchange.request(event, now)

    def _no_service(self, event: ServiceRequested, _now: float) -> None:
        self._emit(ServiceAnswered(event.token, Lost("link down")))

    def _devices(self, event: DevicesChanged, now: float) -> None:
        self.monitors.change(event.devices, now)

    def _overrun(self, event: Overrun, _now: float) -> None:
        """What was dropped may have been anything: answers are overdue in time, events need a look at all devices."""
        self._events_lost(f"{event.frames} messages came quicker than they could be read")

    def _ignore(self, _event: Event, _now: float) -> None:
        pass


_Handler = Callable[[Link, Any, float], None]
_Handlers = dict[type[Any], _Handler]

_ALWAYS: _Handlers = {  # in every state
    Connected: Link._ignore,
    Disconnected: Link._disconnected,
    Undecodable: Link._undecodable,
    Overrun: Link._ignore,
    ServiceRequested: Link._no_service,
    DevicesChanged: Link._devices,
    Associate: Link._unexpected,
    Associated: Link._unexpected,
    Release: Link._released_by_peer,
    Released: Link._unexpected,
    Abort: Link._aborted,
    Invoke: Link._invoked,
}
_ANSWERS: _Handlers = {ReturnResult: Link._result, ReturnError: Link._failure, Reject: Link._failure}
_NO_ANSWERS: _Handlers = dict.fromkeys(_ANSWERS, Link._unexpected)
_PDUS = (Invoke, ReturnResult, ReturnError, Reject, Associate, Associated, Release, Released, Abort)

_STATES: dict[State, _Handlers] = {
    # PDUs cannot come; the runner may still hold some that came before it closed
    State.CLOSED: _ALWAYS
    | dict.fromkeys((*_PDUS, Undecodable, CloseRequested, TimerExpired), Link._ignore)
    | {Connected: Link._connected, Disconnected: Link._not_connected},
    # AARQ sent
    State.ASSOCIATING: _ALWAYS
    | _NO_ANSWERS
    | {
        CloseRequested: Link._give_up,
        TimerExpired: Link._timer_associating,
        Associated: Link._associated,
        ReturnError: Link._refused,
        Reject: Link._refused,
    },
    State.AWAITING_STATUS: _ALWAYS
    | _ANSWERS
    | {CloseRequested: Link._release, TimerExpired: Link._timer_awaiting_status},
    State.UP: _ALWAYS
    | _ANSWERS
    | {
        CloseRequested: Link._release,
        TimerExpired: Link._timer_up,
        ServiceRequested: Link._request,
        Overrun: Link._overrun,
    },
    # RLRQ sent; what is still answered is still taken
    State.RELEASING: _ALWAYS
    | _ANSWERS
    | {CloseRequested: Link._ignore, TimerExpired: Link._timer_releasing, Released: Link._released},
}
# Every state with every event and PDU: a hole here is a bug that a test finds.
_TABLE: dict[tuple[State, type[Any]], _Handler] = {
    (state, key): handler for state, handlers in _STATES.items() for key, handler in handlers.items()
}
