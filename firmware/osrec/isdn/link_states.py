"""What each state of a data link makes of each event: Q.921 Annex B, states 4 to 8."""

from osrec.isdn.link_core import LinkCore, State
from osrec.isdn.link_messages import (
    DataReceived,
    DataRequest,
    Deactivated,
    Established,
    EstablishRequest,
    FrameReceived,
    FrameRejected,
    LinkEvent,
    LinkFault,
    LinkTimer,
    OwnBusy,
    Released,
    ReleaseRequest,
    TimerExpired,
    Transmit,
    UnitDataReceived,
    UnitDataRequest,
)
from osrec.wire.q921.frames import (
    GROUP_TEI,
    Dlci,
    Information,
    S,
    Supervisory,
    U,
    Unnumbered,
    command,
)


class LinkStates(LinkCore):
    """Handlers, listed under the state they serve first."""

    # --- every state

    def _ignore(self, _event: LinkEvent, _now: float) -> None:
        pass

    def _send_unit_data(self, event: UnitDataRequest, _now: float) -> None:
        dlci = Dlci(self._config.dlci.sapi, GROUP_TEI)
        self._emit(Transmit(command(U.UI, p=False, octets=event.octets, dlci=dlci)))

    def _unit_data(self, event: FrameReceived, _now: float) -> None:
        assert isinstance(event.frame, Unnumbered)
        self._emit(UnitDataReceived(event.frame.octets))

    def _unexpected_ua(self, event: FrameReceived, _now: float) -> None:
        """5.8.7."""
        assert isinstance(event.frame, Unnumbered)
        self._error(LinkFault.UA_FINAL if event.frame.pf else LinkFault.UA_NOT_FINAL)

    def _note_rejected(self, event: FrameRejected, _now: float) -> None:
        self._error(LinkFault(event.reason.value))

    def _deactivated(self, _event: Deactivated, now: float) -> None:
        self._establish_pending = False
        self._released(now, confirm=self.state is State.AWAITING_RELEASE)

    # --- state 4, TEI assigned: 5.5.4

    def _establish_request(self, _event: EstablishRequest, now: float) -> None:
        self._window.discard()
        self._establish(now, layer_3_initiated=True)

    def _confirm_release(self, _event: ReleaseRequest, _now: float) -> None:
        self._emit(Released(confirm=True))

    def _accept_establishment(self, event: FrameReceived, now: float) -> None:
        self._clear_exceptions()
        self._response(U.UA, event)
        self._emit(Established(confirm=False))
        self._up(now)

    def _refuse(self, event: FrameReceived, _now: float) -> None:
        """DM: there is no link."""
        self._response(U.DM, event)

    def _invited(self, event: FrameReceived, now: float) -> None:
        """DM with F 0 asks for establishment."""
        assert isinstance(event.frame, Unnumbered)
        if not event.frame.pf:
            self._establish(now, layer_3_initiated=True)

    # --- state 5, awaiting establishment

    def _establish_again(self, _event: EstablishRequest, _now: float) -> None:
        self._window.discard()
        self._layer_3_initiated = True
        self._release_pending = False

    def _save_release(self, _event: ReleaseRequest, _now: float) -> None:
        self._window.discard()
        self._release_pending = True

    def _queue_unless_new(self, event: DataRequest, _now: float) -> None:
        """A link that layer 3 is only asking for takes no data; one that is established anew does."""
        if not self._layer_3_initiated:
            self._window.put(event.octets)

    def _acknowledge(self, event: FrameReceived, _now: float) -> None:
        self._response(U.UA, event)

    def _established(self, event: FrameReceived, now: float) -> None:
        assert isinstance(event.frame, Unnumbered)
        if not event.frame.pf:
            self._error(LinkFault.UA_NOT_FINAL)
        elif self._release_pending:
            self._window.discard()
            self._begin_release(now)
        else:
            if self._layer_3_initiated:
                self._emit(Established(confirm=True))
            elif self._window.outstanding:
                self._window.discard()
                self._emit(Established(confirm=False))
            self._up(now)

    def _refused(self, event: FrameReceived, now: float) -> None:
        assert isinstance(event.frame, Unnumbered)
        if event.frame.pf:
            self._released(now, confirm=self._release_pending)

    def _repeat_sabme(self, _event: TimerExpired, now: float) -> None:
        if self._retries == self._config.n200:
            self._error(LinkFault.NO_ESTABLISHMENT)
            self._released(now, confirm=self._release_pending)
            return
        self._retries += 1
        self._command(U.SABME)
        self._start(LinkTimer.T200, now)

    # --- state 6, awaiting release

    def _save_establishment(self, _event: EstablishRequest, _now: float) -> None:
        self._establish_pending = True

    def _drop_establishment(self, _event: ReleaseRequest, _now: float) -> None:
        self._establish_pending = False

    def _release_confirmed(self, event: FrameReceived, now: float) -> None:
        assert isinstance(event.frame, Unnumbered)
        if event.frame.pf:
            self._released(now, confirm=True)
        elif event.frame.kind is U.UA:
            self._error(LinkFault.UA_NOT_FINAL)

    def _repeat_disc(self, _event: TimerExpired, now: float) -> None:
        if self._retries == self._config.n200:
            self._error(LinkFault.NO_RELEASE)
            self._released(now, confirm=True)
            return
        self._retries += 1
        self._command(U.DISC)
        self._start(LinkTimer.T200, now)

    # --- states 7 and 8, multiple frame operation

    def _release_request(self, _event: ReleaseRequest, now: float) -> None:
        self._window.discard()
        self._begin_release(now)

    def _queue(self, event: DataRequest, _now: float) -> None:
        self._window.put(event.octets)

    def _reset_by_peer(self, event: FrameReceived, now: float) -> None:
        self._response(U.UA, event)
        self._clear_exceptions()
        self._error(LinkFault.PEER_RESET)
        if self._window.outstanding:
            self._window.discard()
            self._emit(Established(confirm=False))
        self._up(now)

    def _released_by_peer(self, event: FrameReceived, now: float) -> None:
        self._response(U.UA, event)
        self._released(now, confirm=False)

    def _lost_by_peer(self, event: FrameReceived, now: float) -> None:
        """DM: 5.8.7."""
        assert isinstance(event.frame, Unnumbered)
        self._error(LinkFault.DM_FINAL if event.frame.pf else LinkFault.DM_NOT_FINAL)
        if self.state is State.TIMER_RECOVERY or not event.frame.pf:
            self._establish(now, layer_3_initiated=False)

    def _rejected_by_peer(self, _event: FrameReceived, now: float) -> None:
        """FRMR: 5.8.6."""
        self._error(LinkFault.FRMR)
        self._establish(now, layer_3_initiated=False)

    def _reject(self, event: FrameRejected, now: float) -> None:
        """5.8.5."""
        self._error(LinkFault(event.reason.value))
        self._establish(now, layer_3_initiated=False)

    def _busy(self, event: OwnBusy, _now: float) -> None:
        if event.busy is not self.own_busy:
            self.own_busy = event.busy
            self._supervise(S.RNR if event.busy else S.RR, is_command=False, pf=False)

    def _information(self, event: FrameReceived, now: float) -> None:
        frame = event.frame
        assert isinstance(frame, Information)
        if self.own_busy:
            if frame.p:
                self._supervise(S.RNR, is_command=False, pf=True)
        elif frame.n_s == self._window.v_r:
            self._in_sequence(frame, now)
        else:
            self._out_of_sequence(frame)
        if not self._window.acknowledges(frame.n_r):
            self._recover_n_r(now)
        elif self.state is State.TIMER_RECOVERY or self.peer_busy:
            self._window.acknowledge(frame.n_r)
        else:
            self._progress(frame.n_r, now)

    def _in_sequence(self, frame: Information, now: float) -> None:
        self._window.received()
        self._reject_exception = False
        self._emit(DataReceived(frame.octets))
        if frame.p:
            self._supervise(S.RR, is_command=False, pf=True)
        else:
            self._timers.setdefault(LinkTimer.ACKNOWLEDGE, now)

    def _acknowledge_now(self, _event: TimerExpired, _now: float) -> None:
        """ACKNOWLEDGE PENDING: no I frame took it along."""
        self._supervise(S.RR, is_command=False, pf=False)

    def _out_of_sequence(self, frame: Information) -> None:
        """5.8.1: one REJ for a gap."""
        if not self._reject_exception:
            self._reject_exception = True
            self._supervise(S.REJ, is_command=False, pf=frame.p)
        elif frame.p:
            self._supervise(S.RR, is_command=False, pf=True)

    def _progress(self, n_r: int, now: float) -> None:
        """V(A) = N(R) in state 7; T200 runs on for what stays outstanding."""
        moved = n_r != self._window.v_a
        self._window.acknowledge(n_r)
        if not self._window.outstanding:
            self._all_is_acknowledged(now)
        elif moved:
            self._start(LinkTimer.T200, now)

    # --- state 7, multiple frame established

    def _receive_ready(self, event: FrameReceived, now: float) -> None:
        frame = self._supervised(event)
        if not self._window.acknowledges(frame.n_r):
            self._recover_n_r(now)
        else:
            self._progress(frame.n_r, now)

    def _rejected(self, event: FrameReceived, now: float) -> None:
        frame = self._supervised(event)
        if not self._window.acknowledges(frame.n_r):
            self._recover_n_r(now)
            return
        self._window.acknowledge(frame.n_r)
        self._all_is_acknowledged(now)
        self._window.go_back()

    def _receive_not_ready(self, event: FrameReceived, now: float) -> None:
        frame = self._supervised(event)
        if not self._window.acknowledges(frame.n_r):
            self._recover_n_r(now)
            return
        self._window.acknowledge(frame.n_r)
        self._more_is_outstanding(now)

    def _supervised(self, event: FrameReceived) -> Supervisory:
        """What RR, REJ and RNR have in common in state 7."""
        frame = event.frame
        assert isinstance(frame, Supervisory)
        self.peer_busy = frame.kind is S.RNR
        if frame.command and frame.pf:
            self._answer_enquiry()
        elif frame.pf:
            self._error(LinkFault.SUPERVISORY_FINAL)
        return frame

    def _ask_for_acknowledgement(self, _event: TimerExpired, now: float) -> None:
        """T200: 5.6.7; this enquiry counts."""
        self._recover(now)
        self._retries = 1

    def _ask_after_silence(self, _event: TimerExpired, now: float) -> None:
        """T203: 5.10.2; N200 more enquiries may follow."""
        self._recover(now)
        self._retries = 0

    def _recover(self, now: float) -> None:
        self._stop(*LinkTimer)
        self._enquire(now)
        self.state = State.TIMER_RECOVERY

    # --- state 8, timer recovery

    def _recovering(self, event: FrameReceived, now: float) -> None:
        """RR, REJ or RNR; the response with F 1 ends the recovery, 5.6.7."""
        frame = event.frame
        assert isinstance(frame, Supervisory)
        self.peer_busy = frame.kind is S.RNR
        if frame.command and frame.pf:
            self._answer_enquiry()
        if not self._window.acknowledges(frame.n_r):
            self._recover_n_r(now)
            return
        self._window.acknowledge(frame.n_r)
        if not frame.command and frame.pf:
            self._recovered(now)

    def _recovered(self, now: float) -> None:
        self.state = State.ESTABLISHED
        self._window.go_back()
        if self.peer_busy:
            self._more_is_outstanding(now)
        else:
            self._all_is_acknowledged(now)

    def _ask_again(self, _event: TimerExpired, now: float) -> None:
        if self._retries >= self._config.n200:
            self._error(LinkFault.NO_RECOVERY)
            self._establish(now, layer_3_initiated=False)
            return
        self._retries += 1
        self._enquire(now)
