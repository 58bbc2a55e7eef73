"""What a data link keeps and the procedures that its states share: Q.921 Annex B, figure B.9."""

from enum import Enum

from osrec.isdn.link_messages import (
    FrameReceived,
    LinkConfig,
    LinkError,
    LinkFault,
    LinkOutput,
    LinkTimer,
    Released,
    Transmit,
)
from osrec.isdn.window import Window
from osrec.wire.q921.frames import (
    Information,
    S,
    Supervisory,
    U,
    Unnumbered,
    command,
    response,
)


class State(Enum):
    """States of a point-to-point data link, Q.921 Annex B. States 1 to 3 are of TEI assignment: here it is fixed."""

    TEI_ASSIGNED = 4
    AWAITING_ESTABLISHMENT = 5
    AWAITING_RELEASE = 6
    ESTABLISHED = 7
    TIMER_RECOVERY = 8


class LinkCore:
    """One data link connection.

    Attributes:
        state: as in Annex B.
        peer_busy: the peer said RNR. own_busy: layer 3 cannot take more.
    """

    def __init__(self, config: LinkConfig | None = None) -> None:
        self.state = State.TEI_ASSIGNED
        self.peer_busy = False
        self.own_busy = False
        self._config = config or LinkConfig()
        self._window = Window()
        self._outputs: list[LinkOutput] = []
        self._timers: dict[LinkTimer, float] = {}
        self._retries = 0  # RC
        self._layer_3_initiated = False
        self._release_pending = False  # DL-RELEASE request during establishment: it is saved
        self._establish_pending = False  # DL-ESTABLISH request during release: it is saved
        self._reject_exception = False

    @property
    def deadline(self) -> float | None:
        """When to call handle(TimerExpired(), now); None: no timer runs."""
        return min(self._timers.values(), default=None)

    @property
    def waiting(self) -> int:
        """Messages that are not acknowledged yet."""
        return self._window.waiting + self._window.outstanding

    @property
    def up(self) -> bool:
        return self.state in (State.ESTABLISHED, State.TIMER_RECOVERY)

    # --- saying

    def _emit(self, output: LinkOutput) -> None:
        self._outputs.append(output)

    def _error(self, fault: LinkFault) -> None:
        self._emit(LinkError(fault))

    def _command(self, kind: U) -> None:
        self._emit(Transmit(command(kind, dlci=self._config.dlci)))

    def _response(self, kind: U, event: FrameReceived) -> None:
        """F is P of the command."""
        assert isinstance(event.frame, Unnumbered)
        self._emit(Transmit(response(kind, f=event.frame.pf, dlci=self._config.dlci)))

    def _supervise(self, kind: S, *, is_command: bool, pf: bool) -> None:
        self._stop(LinkTimer.ACKNOWLEDGE)
        self._emit(Transmit(Supervisory(kind, self._window.v_r, is_command, pf, self._config.dlci)))

    def _start(self, timer: LinkTimer, now: float) -> None:
        self._timers[timer] = now + (self._config.t200 if timer is LinkTimer.T200 else self._config.t203)

    def _stop(self, *timers: LinkTimer) -> None:
        for timer in timers:
            self._timers.pop(timer, None)

    def _all_is_acknowledged(self, now: float) -> None:
        self._stop(LinkTimer.T200)
        self._start(LinkTimer.T203, now)

    def _more_is_outstanding(self, now: float) -> None:
        self._stop(LinkTimer.T203)
        self._start(LinkTimer.T200, now)

    # --- procedures of figure B.9

    def _establish(self, now: float, *, layer_3_initiated: bool) -> None:
        """ESTABLISH DATA LINK."""
        self._clear_exceptions()
        self._layer_3_initiated = layer_3_initiated
        self._release_pending = False
        self._retries = 0
        self._command(U.SABME)
        self._stop(LinkTimer.T203)
        self._start(LinkTimer.T200, now)
        self.state = State.AWAITING_ESTABLISHMENT

    def _clear_exceptions(self) -> None:
        """CLEAR EXCEPTION CONDITIONS; layer 3 says anew when it is still busy."""
        self.peer_busy = self.own_busy = self._reject_exception = False
        self._stop(LinkTimer.ACKNOWLEDGE)

    def _enquire(self, now: float) -> None:
        """TRANSMIT ENQUIRY."""
        self._supervise(S.RNR if self.own_busy else S.RR, is_command=True, pf=True)
        self._start(LinkTimer.T200, now)

    def _answer_enquiry(self) -> None:
        """ENQUIRY RESPONSE."""
        self._supervise(S.RNR if self.own_busy else S.RR, is_command=False, pf=True)

    def _recover_n_r(self, now: float) -> None:
        """N(R) ERROR RECOVERY."""
        self._error(LinkFault.WRONG_N_R)
        self._establish(now, layer_3_initiated=False)

    def _begin_release(self, now: float) -> None:
        self._retries = 0
        self._establish_pending = self._release_pending = False
        self._command(U.DISC)
        self._stop(LinkTimer.T203)
        self._start(LinkTimer.T200, now)
        self.state = State.AWAITING_RELEASE

    def _released(self, now: float, *, confirm: bool) -> None:
        """To state 4."""
        self._stop(*LinkTimer)
        self._window.discard()
        self._clear_exceptions()
        self._release_pending = False
        self.state = State.TEI_ASSIGNED
        self._emit(Released(confirm))
        if self._establish_pending:
            self._establish_pending = False
            self._establish(now, layer_3_initiated=True)

    def _up(self, now: float) -> None:
        """To state 7, all state variables 0."""
        self._window.reset()
        self._all_is_acknowledged(now)
        self.state = State.ESTABLISHED

    def _send_waiting(self, now: float) -> None:
        """I FRAME QUEUED UP."""
        while self.state is State.ESTABLISHED and not self.peer_busy:
            n_s, octets = self._window.v_s, self._window.next(self._config.k)
            if octets is None:
                break
            self._stop(LinkTimer.ACKNOWLEDGE)
            self._emit(Transmit(Information(n_s, self._window.v_r, octets, dlci=self._config.dlci)))
            if LinkTimer.T200 not in self._timers:
                self._more_is_outstanding(now)
