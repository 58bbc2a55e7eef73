"""One client of the CAP server, as a machine: association, monitors, events, requests (csta.md 1.3 to 2.7).

The server's side only, written from ECMA-269 and ECMA-285; it shares the codec with the recorder and nothing else.
This file puts the parts together; each part's faults are its own.
"""

from collections.abc import Iterable

from osrec.errors import UsageError, WireError
from osrec.wire.csta import model
from osrec_emulators.cap.association import SESSION_ID, aare, diagnostic_for
from osrec_emulators.cap.codes import (
    ABRT_AUTHENTICATION_FAILURE,
    BADLY_STRUCTURED,
    GENERAL,
    PROTOCOL_ERROR,
    REJECTED_PERMANENT,
    REJECTED_TRANSIENT,
)
from osrec_emulators.cap.config import CapConfig
from osrec_emulators.cap.exit import Exit
from osrec_emulators.cap.faults import Connection, Faults, Refusal
from osrec_emulators.cap.licences import LicencePool
from osrec_emulators.cap.messages import Close, Counters, Happened, Output, Pbx, Played, Reading, Send, State
from osrec_emulators.cap.monitors import Monitors
from osrec_emulators.cap.outlet import Inlet
from osrec_emulators.cap.parts import Parts, equip
from osrec_emulators.pbx.agent_events import agent_event_in_xml
from osrec_emulators.pbx.calls import Occurrence

__all__ = ["Close", "Happened", "Output", "Played", "Reading", "Send", "Session", "State"]


class Session:
    """The server's side of one client's connection.

    Args:
        faults: None: what the configuration declares for this client.
        connection: where it comes from, for the choice of faults.

    Attributes:
        state: of the association.
        counters: PDUs of this connection, and the faults that were played.
        user: as it associated.
    """

    def __init__(
        self,
        config: CapConfig,
        pbx: Pbx,
        licences: LicencePool,
        faults: Faults | None = None,
        connection: Connection | None = None,
    ) -> None:
        self.state = State.IDLE
        self.counters = Counters()
        self.user = ""
        self._config = config
        self._pbx = pbx
        self._licences = licences
        self._given = faults
        self._connection = connection or Connection()
        self._dialect = config.dialect()
        self._framing = self._dialect.framing()
        self._monitors = Monitors(licences, config.cross_ref_octets)
        self._session_seconds: float | None = None  # ECMA-354: how long without a reset, and until when
        self._session_ends: float | None = None
        self._faults = self._faults_of(None)
        self._inlet = Inlet(self._faults.transport)
        self._exit = Exit(
            self._dialect,
            self.counters,
            self._faults.transport,
            first_invoke_id=config.first_invoke_id,
            last_invoke_id=config.last_invoke_id,
        )
        self._parts = self._equipped()

    @property
    def monitors(self) -> dict[bytes, str]:
        """Monitored devices by cross reference."""
        return self._monitors.devices

    @property
    def owes(self) -> bool:
        """The client waits for answers without which it cannot watch its stations."""
        return self.state is State.ASSOCIATED and self._parts.answers.owed > 0

    @property
    def deadline(self) -> float | None:
        """When to call expire()."""
        if not self._open:
            return None
        times = [self._exit.deadline, self._inlet.deadline]
        if self.state is State.ASSOCIATED:
            times += [self._licences.deadline, self._parts.deadline, self._session_ends]
        return min((time for time in times if time is not None), default=None)

    def connected(self, now: float) -> list[Output]:
        """The connection is made. In XML without a session it is all the association that there is (csta.md 1.6)."""
        if self._config.encoding == "xml" and not self._config.session.required:
            self._begin(now)
        return self._exit.take(now)

    def receive(self, octets: bytes, now: float) -> list[Output]:
        """Take octets of the connection, cut anywhere. A client can never make it raise."""
        self._inlet.put(octets)
        self._read(now)
        return self._exit.take(now)

    def publish(self, occurrences: Iterable[Occurrence], now: float) -> list[Output]:
        """Events for what this client monitors."""
        if self.state is not State.ASSOCIATED:
            return []
        for occurrence in occurrences:
            for cross_ref in self._monitors.of(occurrence.device):
                self._report(cross_ref, occurrence, now)
        self._tell_of_losses(now)
        return self._exit.take(now)

    def expire(self, now: float) -> list[Output]:
        """The deadline has come."""
        if self._inlet.resumed(now):
            self._exit.output(Reading(True), now)
        if self.state is State.ASSOCIATED:
            self._expire(now)
        self._read(now)
        return self._exit.take(now)

    def closed(self) -> None:
        """The connection is gone: monitors end and their licences are free."""
        self.state = State.CLOSED
        self._monitors.stop_all()

    @property
    def _session_id(self) -> str | None:
        return SESSION_ID if self._session_seconds is not None else None

    @property
    def _open(self) -> bool:
        return self.state is not State.CLOSED

    # --- the association

    def _faults_of(self, user: str | None) -> Faults:
        return self._given or self._config.faults_for(self._connection, user)

    def _equipped(self) -> Parts:
        return equip(
            self._config,
            self._faults,
            pbx=self._pbx,
            monitors=self._monitors,
            inlet=self._inlet,
            exit_=self._exit,
            counters=self.counters,
            connection_number=self._connection.number,
        )

    def _associate(self, request: model.Associate, now: float) -> None:
        user = _user_of(request)
        faults = self._faults_of(user)
        refuse = faults.association.refuse
        if refuse is not None:
            self._exit.played(f"refuse_{refuse.value}", now, user)
        if self._session_seconds is not None or (self.state is State.ASSOCIATED and self._config.encoding == "asn1"):
            self._abort(PROTOCOL_ERROR, "second AARQ", now)
        elif refuse is Refusal.SILENCE:
            return
        elif refuse is Refusal.ABORT:
            self._abort(ABRT_AUTHENTICATION_FAILURE, "fault: abort", now)
        elif refuse is not None:
            result = REJECTED_TRANSIENT if refuse is Refusal.TRANSIENT else REJECTED_PERMANENT
            self._reject_association(request, result, faults.association.diagnostic, now)
        elif (diagnostic := diagnostic_for(request, self._config)) is not None:
            self._reject_association(request, REJECTED_PERMANENT, diagnostic, now)
        else:
            self._accept(request, user, faults, now)

    def _accept(self, request: model.Associate, user: str, faults: Faults, now: float) -> None:
        answer = aare(request, self._config, 0, 0)
        self.user = user
        self._exit.send(answer, now)
        if answer.session is not None and answer.session.seconds is not None:
            self._session_seconds = answer.session.seconds
            self._session_ends = now + self._session_seconds
        if self.state is State.IDLE:
            self._faults = faults
            self._inlet.follow(faults.transport)
            self._exit.follow(faults.transport)
            self._parts = self._equipped()
            self._begin(now)

    def _begin(self, now: float) -> None:
        self.state = State.ASSOCIATED
        self._parts.incidents.start(now)
        self._parts.heartbeat.start(now)

    def _reject_association(self, request: model.Associate, result: int, diagnostic: int, now: float) -> None:
        self._exit.send(aare(request, self._config, result, diagnostic), now)
        self._close(f"association rejected, diagnostic {diagnostic}", now)

    # --- what comes

    def _read(self, now: float) -> None:
        try:
            while self._open and (octets := self._inlet.read(now)):
                frames = self._framing.feed(octets)
                while frames and self._open:
                    for frame in frames:
                        self._frame(frame, now)
                    frames = self._framing.feed(b"")  # raises when what follows whole PDUs is no framing
        except WireError as error:
            self._close(f"framing {self._config.framing}: {error}", now)

    def _frame(self, frame: bytes, now: float) -> None:
        if not self._open:
            return
        self.counters.received += 1
        try:
            pdu = self._dialect.decode(frame)
        except WireError:
            self._undecodable(now)
            return
        match pdu:
            case model.Associate():
                self._associate(pdu, now)
            case model.Release():
                self._exit.send(model.Released(reason=0, invoke_id=pdu.invoke_id), now)
                self._close("client released the association", now)
            case model.Abort():
                self._close("client aborted the association", now)
            case _ if self.state is State.IDLE:
                self._abort(PROTOCOL_ERROR, f"{type(pdu).__name__} before the association", now)
            case model.Invoke(invoke_id, model.ResetSessionTimer(_, seconds)):
                self._reset_session(invoke_id, seconds, now)
            case model.Invoke(invoke_id, argument):
                self._parts.desk.serve(invoke_id, argument, now)
            case model.ReturnResult(invoke_id) | model.ReturnError(invoke_id):
                self._parts.heartbeat.answered(invoke_id)
            case _:
                pass  # rejects and responses nobody waits for

    def _undecodable(self, now: float) -> None:
        self.counters.undecodable += 1
        if self.state is State.ASSOCIATED:
            self.counters.rejects += 1
            self._send_if_possible(model.Reject(None, GENERAL, BADLY_STRUCTURED), now)
        else:
            self._abort(PROTOCOL_ERROR, "first PDU is none", now)

    def _reset_session(self, invoke_id: int, seconds: int | None, now: float) -> None:
        if self._session_seconds is not None:
            self._session_seconds = min(seconds or self._session_seconds, self._config.session.seconds)
            self._session_ends = now + self._session_seconds
        granted = None if self._session_seconds is None else int(self._session_seconds)
        self._parts.answers.send(model.ReturnResult(invoke_id, model.SessionTimerReset(granted)), now)

    # --- what we send unasked

    def _report(self, cross_ref: bytes, occurrence: Occurrence, now: float) -> None:
        at = self._pbx.local_time(occurrence.at) if self._config.timestamps else None
        event = occurrence.event
        if isinstance(event, model.OtherEvent) and self._config.encoding == "xml":
            event = agent_event_in_xml(occurrence.device, event, cross_ref, self._config.edition)
        self._parts.stream.report(model.EventReport(cross_ref, event, at=at), now)
        self._parts.answers.overtaken(cross_ref, now)

    def _tell_of_losses(self, now: float) -> None:
        stream = self._parts.stream
        if stream.lost and self._faults.events.lost_reported and now >= stream.losing_until:
            stream.lost = False
            self._exit.played("messages_lost", now)
            self._parts.heartbeat.say(model.Status.MESSAGES_LOST, now)

    # --- time

    def _expire(self, now: float) -> None:
        parts = self._parts
        self._licences.advance(now)
        parts.incidents.shed(now)
        if parts.incidents.play(now):
            self._close("fault: the link is cut", now)
            return
        if self._session_ends is not None and self._session_ends <= now:
            self._abort(PROTOCOL_ERROR, "the application session was not reset in time", now)
            return
        if parts.heartbeat.deadline is not None and parts.heartbeat.deadline <= now:
            if parts.heartbeat.given_up:
                self._close(parts.heartbeat.given_up, now)
                return
            parts.heartbeat.beat(now)
        parts.answers.release(now)
        parts.stream.release(now)
        self._tell_of_losses(now)

    # --- ends

    def _abort(self, diagnostic: int, reason: str, now: float) -> None:
        self._send_if_possible(model.Abort(source=0, diagnostic=diagnostic, session=self._session_id), now)
        self._close(reason, now)

    def _send_if_possible(self, pdu: model.Pdu, now: float) -> None:
        """XML has no abort and no reject: then the closing of the connection, or silence, says it."""
        try:
            self._exit.send(pdu, now)
        except UsageError:
            return

    def _close(self, reason: str, now: float) -> None:
        self.closed()
        self._exit.finish(now)
        self._exit.output(Close(reason), now)


def _user_of(request: model.Associate) -> str:
    """As whom a client associates: by its name, in XML by its applicationID."""
    if request.session is not None:
        return request.session.application
    return (request.name or b"").decode("utf-8", "replace")
