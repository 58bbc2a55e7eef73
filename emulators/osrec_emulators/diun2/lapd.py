"""The PBX's end of the data link of a D channel: Q.921 clause 5, point to point, modulo 128. Frames in, frames out.

Written for the emulator alone, from the standard: a recorder's link that shares an error with it would go unnoticed.
"""

from collections import deque
from collections.abc import Callable, Iterator

from osrec.wire.q921.frames import (
    CALL_CONTROL,
    MODULUS,
    Frame,
    FrameRejectError,
    Information,
    InvalidFrameError,
    S,
    Side,
    Supervisory,
    U,
    Unnumbered,
    command,
    decode,
    encode,
    response,
)
from osrec_emulators.diun2.lapd_events import (
    Arrived,
    Complaint,
    Data,
    Down,
    Due,
    Establish,
    Event,
    LinkState,
    LinkTimers,
    Output,
    Release,
    Transmit,
    Up,
)

_Handled = Iterator[Output]
_LINK_UP = (LinkState.ESTABLISHED, LinkState.TIMER_RECOVERY)


class DataLink:
    """The link of SAPI 0 and TEI 0.

    Attributes:
        state: as in the figures of annex B.
        deadline: when to call handle(Due(), now); None: no timer runs.
    """

    def __init__(self, side: Side, timers: LinkTimers | None = None) -> None:
        self.state = LinkState.TEI_ASSIGNED
        self._side = side
        self._timers = timers or LinkTimers()
        self._t200: float | None = None
        self._t203: float | None = None
        self._repeated = 0  # RC
        self._waiting: deque[bytes] = deque()
        self._reset()

    @property
    def deadline(self) -> float | None:
        return min((at for at in (self._t200, self._t203) if at is not None), default=None)

    @property
    def up(self) -> bool:
        return self.state in _LINK_UP

    def handle(self, event: Event, now: float) -> list[Output]:
        """Advance by one event. A peer can never make it raise."""
        match event:
            case Establish():
                outputs = self._establish(now)
            case Release():
                outputs = self._release(now)
            case Data(octets):
                self._waiting.append(octets)
                outputs = self._pump(now)
            case Arrived(octets):
                outputs = self._arrived(octets, now)
            case Due():
                outputs = self._due(now)
        return list(outputs)

    def _reset(self) -> None:
        self._v_s = self._v_a = self._v_r = 0
        self._unacknowledged: deque[bytes] = deque()  # from V(A) on
        self._rejecting = self._peer_busy = False

    # --- requests

    def _establish(self, now: float) -> _Handled:
        """5.5.1.2. What waits is sent once the link is up."""
        self.state = LinkState.AWAITING_ESTABLISHMENT
        self._repeated = 0
        yield from self._ask(U.SABME, now)

    def _release(self, now: float) -> _Handled:
        """5.5.3.1."""
        self._waiting.clear()
        if not self.up:
            yield from self._fall()
            return
        self._reset()
        self.state = LinkState.AWAITING_RELEASE
        self._repeated = 0
        yield from self._ask(U.DISC, now)

    def _ask(self, kind: U, now: float) -> _Handled:
        self._t200, self._t203 = now + self._timers.t200, None
        yield self._transmit(command(kind))

    def _fall(self) -> _Handled:
        self._t200 = self._t203 = None
        self._reset()
        self.state = LinkState.TEI_ASSIGNED
        yield Down()

    def _rise(self, now: float) -> _Handled:
        self._reset()
        self.state = LinkState.ESTABLISHED
        self._t200, self._t203 = None, now + self._timers.t203
        yield Up()
        yield from self._pump(now)

    # --- timers

    def _due(self, now: float) -> _Handled:
        if self._t200 is not None and self._t200 <= now:
            self._t200 = None
            yield from _T200[self.state](self, now)
        elif self._t203 is not None and self._t203 <= now:
            self._t203 = None
            yield from self._begin_recovery(now)

    def _repeat_sabme(self, now: float) -> _Handled:
        """5.5.1.3."""
        if self._repeated < self._timers.n200:
            self._repeated += 1
            yield from self._ask(U.SABME, now)
        else:
            yield Complaint("G")
            self._waiting.clear()
            yield from self._fall()

    def _repeat_disc(self, now: float) -> _Handled:
        """5.5.3.3."""
        if self._repeated < self._timers.n200:
            self._repeated += 1
            yield from self._ask(U.DISC, now)
        else:
            yield Complaint("H")
            yield from self._fall()

    def _begin_recovery(self, now: float) -> _Handled:
        """5.6.7, 5.10: ask where the other side stands."""
        self.state = LinkState.TIMER_RECOVERY
        self._repeated = 0
        yield from self._enquire(now)

    def _enquire_again(self, now: float) -> _Handled:
        if self._repeated < self._timers.n200:
            self._repeated += 1
            yield from self._enquire(now)
        else:
            yield Complaint("I")
            yield from self._establish(now)

    def _enquire(self, now: float) -> _Handled:
        self._t200, self._t203 = now + self._timers.t200, None
        yield self._supervise(S.RR, is_command=True, pf=True)

    def _ignore_timer(self, now: float) -> _Handled:
        return iter(())

    # --- frames

    def _arrived(self, octets: bytes, now: float) -> _Handled:
        try:
            frame: Frame = decode(octets, self._side.other)
        except InvalidFrameError:
            return
        except FrameRejectError as error:
            if self.up and error.dlci == CALL_CONTROL:  # 5.8.5
                yield Complaint(error.reason.value)
                yield from self._establish(now)
            return
        if frame.dlci != CALL_CONTROL:
            return
        match frame:
            case Unnumbered():
                if frame.kind in _UNNUMBERED:
                    yield from _UNNUMBERED[frame.kind](self, frame, now)
            case Supervisory() | Information() if self.up:
                yield from self._numbered(frame, now)

    def _got_sabme(self, frame: Unnumbered, now: float) -> _Handled:
        """5.5.1.2; in collision with our own SABME the link still waits for UA, 5.5.5.1."""
        if self.state is LinkState.AWAITING_RELEASE:
            yield self._transmit(response(U.DM, f=frame.pf))  # 5.5.5.2
            return
        yield self._transmit(response(U.UA, f=frame.pf))
        if self.state is LinkState.AWAITING_ESTABLISHMENT:
            return
        if self.up:
            yield Complaint("F")
            self._waiting.clear()
        yield from self._rise(now)

    def _got_disc(self, frame: Unnumbered, now: float) -> _Handled:
        if self.up:
            yield self._transmit(response(U.UA, f=frame.pf))
            self._waiting.clear()
            yield from self._fall()
        else:
            kind = U.UA if self.state is LinkState.AWAITING_RELEASE else U.DM
            yield self._transmit(response(kind, f=frame.pf))

    def _got_ua(self, frame: Unnumbered, now: float) -> _Handled:
        if not frame.pf or self.state not in (LinkState.AWAITING_ESTABLISHMENT, LinkState.AWAITING_RELEASE):
            yield Complaint("C" if frame.pf else "D")
        elif self.state is LinkState.AWAITING_ESTABLISHMENT:
            yield from self._rise(now)
        else:
            yield from self._fall()

    def _got_dm(self, frame: Unnumbered, now: float) -> _Handled:
        match self.state, frame.pf:
            case ((LinkState.AWAITING_ESTABLISHMENT | LinkState.AWAITING_RELEASE), True):
                self._waiting.clear()
                yield from self._fall()
            case LinkState.TEI_ASSIGNED, False:  # 5.5.4: asked to establish
                yield from self._establish(now)
            case ((LinkState.ESTABLISHED | LinkState.TIMER_RECOVERY), False):
                yield Complaint("E")
                yield from self._establish(now)
            case ((LinkState.ESTABLISHED | LinkState.TIMER_RECOVERY), True):
                yield Complaint("B")

    def _got_frmr(self, frame: Unnumbered, now: float) -> _Handled:
        if self.up:
            yield Complaint("K")
            yield from self._establish(now)

    # --- frames with numbers

    def _numbered(self, frame: Supervisory | Information, now: float) -> _Handled:
        if isinstance(frame, Information):
            yield from self._take(frame)
        elif frame.command and frame.pf:
            yield self._supervise(S.RR, is_command=False, pf=True)  # 5.6.2, 5.6.5
        if (frame.n_r - self._v_a) % MODULUS > (self._v_s - self._v_a) % MODULUS:  # 3.6.11, 5.8.5
            yield Complaint("J")
            yield from self._establish(now)
            return
        if isinstance(frame, Supervisory):
            self._peer_busy = frame.kind is S.RNR
        self._acknowledge(frame.n_r)
        yield from self._go_on(frame, now)
        yield from self._pump(now)

    def _go_on(self, frame: Supervisory | Information, now: float) -> _Handled:
        answer = isinstance(frame, Supervisory) and not frame.command and frame.pf
        if self.state is LinkState.TIMER_RECOVERY:
            if answer:
                self.state = LinkState.ESTABLISHED
                self._send_again(now)
        elif answer:
            yield Complaint("A")
        elif isinstance(frame, Supervisory) and frame.kind is S.REJ:
            self._send_again(now)
        else:
            self._watch(now)

    def _take(self, frame: Information) -> _Handled:
        """5.6.2, 5.6.3."""
        if frame.n_s == self._v_r:
            self._v_r = (self._v_r + 1) % MODULUS
            self._rejecting = False
            yield self._supervise(S.RR, is_command=False, pf=frame.p)
            yield Data(frame.octets)
        elif not self._rejecting:
            self._rejecting = True
            yield self._supervise(S.REJ, is_command=False, pf=frame.p)
        elif frame.p:
            yield self._supervise(S.RR, is_command=False, pf=True)

    def _acknowledge(self, n_r: int) -> None:
        while self._v_a != n_r:
            self._v_a = (self._v_a + 1) % MODULUS
            self._unacknowledged.popleft()
            if self.state is LinkState.ESTABLISHED:
                self._t200 = None

    def _send_again(self, now: float) -> None:
        """Go back to V(A), 5.6.4."""
        self._waiting.extendleft(reversed(self._unacknowledged))
        self._unacknowledged.clear()
        self._v_s = self._v_a
        self._t200 = None
        self._watch(now)

    def _watch(self, now: float) -> None:
        """T200 while something is unacknowledged or the other side is busy, else T203."""
        if self._unacknowledged or self._peer_busy:
            self._t200 = now + self._timers.t200 if self._t200 is None else self._t200
            self._t203 = None
        else:
            self._t200, self._t203 = None, now + self._timers.t203

    def _pump(self, now: float) -> _Handled:
        while self.state is LinkState.ESTABLISHED and not self._peer_busy and self._waiting:
            if len(self._unacknowledged) >= self._timers.k:
                break
            octets = self._waiting.popleft()
            self._unacknowledged.append(octets)
            yield self._transmit(Information(self._v_s, self._v_r, octets))
            self._v_s = (self._v_s + 1) % MODULUS
            self._watch(now)

    # --- details

    def _supervise(self, kind: S, *, is_command: bool, pf: bool) -> Transmit:
        return self._transmit(Supervisory(kind, self._v_r, is_command, pf))

    def _transmit(self, frame: Frame) -> Transmit:
        return Transmit(encode(frame, self._side))


_T200: dict[LinkState, Callable[[DataLink, float], _Handled]] = {
    LinkState.TEI_ASSIGNED: DataLink._ignore_timer,
    LinkState.AWAITING_ESTABLISHMENT: DataLink._repeat_sabme,
    LinkState.AWAITING_RELEASE: DataLink._repeat_disc,
    LinkState.ESTABLISHED: DataLink._begin_recovery,
    LinkState.TIMER_RECOVERY: DataLink._enquire_again,
}

_UNNUMBERED: dict[U, Callable[[DataLink, Unnumbered, float], _Handled]] = {  # UI and XID are not for this link
    U.SABME: DataLink._got_sabme,
    U.DISC: DataLink._got_disc,
    U.UA: DataLink._got_ua,
    U.DM: DataLink._got_dm,
    U.FRMR: DataLink._got_frmr,
}
