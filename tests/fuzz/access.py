"""Layers 2 and 3 of a D channel under a peer, a clock and an owner that the fuzz data plays.

Whatever comes: nothing is raised, no frame is too long, timers that expired do not stay due, what the owner is told
adds up, and nobody fills our memory.
"""

from collections.abc import Callable

from osrec.errors import UsageError
from osrec.isdn.access import Access, AccessEvent, AccessOutput, OctetsReceived, SendOctets, Start
from osrec.isdn.link_messages import Deactivated
from osrec.isdn.messages import (
    AdoptCall,
    Alert,
    AnswerCall,
    BlockSlots,
    CallAdopted,
    ChannelTaken,
    ClearCall,
    OwnerOutput,
    PlaceCall,
    Proceed,
    Request,
    RestartChannels,
    TimerExpired,
)
from osrec.isdn.profile import Protocol, Role
from osrec.isdn.settings import AccessConfig, Answering
from osrec.wire.q921.frames import MODULUS, Information, Side, command, encode
from osrec.wire.q921.frames import U as UFormat
from osrec.wire.q931.bearer import SPEECH_A_LAW
from osrec.wire.q931.elements import Cause
from osrec.wire.q931.messages import MessageType
from tests.fuzz.cut import Cut, piece
from tests.fuzz.seeds import SETUP_ELEMENTS, message, messages
from tests.property.isdn_wire import Owner

PAUSES = (0.0, 0.01, 0.5, 1.0, 4.0, 12.0, 30.0, 100.0)
MOST_EVENTS = 60
MOST_CALLS = 2 * MOST_EVENTS
MOST_EXPIRIES = 8  # of timers that are due at the same time, until the deadline lies ahead
LONGEST_TIMER = 600.0
FRAME, MESSAGE, PASSES, EXPIRES, REQUEST, GOES_DOWN, ANSWERS = range(7)
PROTOCOLS, ROLES, ANSWERINGS = tuple(Protocol), tuple(Role), tuple(Answering)


class Peer:
    """Knows what an I frame must say for the link to take it.

    Attributes:
        access: under test. owner: keeps its books. now: seconds.
    """

    def __init__(self, config: AccessConfig) -> None:
        self.access = Access(config)
        self.owner = Owner()
        self.now = 0.0
        self._side = config.role.side
        self._manual = config.answering is Answering.MANUAL
        self._taken: list[int] = []
        self.does(Start())
        self.does(OctetsReceived(encode(command(UFormat.SABME), self._side.other)))

    def says(self, octets: bytes) -> None:
        """A message in the I frame that is expected next; all that was sent is acknowledged."""
        window = self.access.link._window
        frame = Information(window.v_r, window.v_s % MODULUS, octets[:260])
        self.does(OctetsReceived(encode(frame, self._side.other)))

    def does(self, event: AccessEvent) -> None:
        try:
            outputs = self.access.handle(event, self.now)
        except UsageError:
            assert isinstance(event, Request), event  # an owner may ask for what cannot be; nobody else is told off
            return
        self._carry(outputs)

    def _carry(self, outputs: list[AccessOutput]) -> None:
        for output in outputs:
            if isinstance(output, SendOctets):
                assert 3 <= len(output.octets) <= 4 + 260
            else:
                self._tell(output)
        self._check()

    def answers(self) -> None:
        """As a trunk does: a moment later, when the call may be over; never is that forbidden."""
        taken, self._taken = self._taken, []
        for call in taken:
            for request in (Alert(call), AnswerCall(call)):
                self._carry(self.access.handle(request, self.now))

    def _tell(self, output: OwnerOutput) -> None:
        match output:
            case CallAdopted(token, call):
                assert isinstance(token, int)
                self.owner.adopt(call, token)
                return
            case ChannelTaken(call, incoming=True) if self._manual:
                self._taken.append(call)
        self.owner.take(output)

    def passes(self, seconds: float) -> None:
        self.now += seconds
        for _ in range(MOST_EXPIRIES):
            if self.access.deadline is None or self.access.deadline > self.now:
                return
            self.does(TimerExpired())
        raise AssertionError(f"due since {self.access.deadline} at {self.now}: the timer never stops expiring")

    def _check(self) -> None:
        deadline, control = self.access.deadline, self.access.control
        assert deadline is None or deadline <= self.now + LONGEST_TIMER
        holders = {control.channels.holder(slot) for slot in range(1, 32)} - {None}
        assert holders <= set(control.calls)
        assert set(self.owner.slots) <= set(control.calls)
        assert len(control.calls) <= MOST_CALLS


def access(data: bytes) -> None:
    cut = Cut(data)
    protocol, role = PROTOCOLS[cut.number(2)], ROLES[cut.number(2)]
    answering, overlap = ANSWERINGS[cut.number(3)], cut.number(4)
    ring, most_slots = PAUSES[cut.number(4)], 1 + cut.number(2)
    peer = Peer(AccessConfig(protocol, role, answering=answering, overlap=overlap, ring=ring, most_slots=most_slots))
    for _ in range(MOST_EVENTS):
        if not cut:
            break
        _step(peer, cut)
    for _ in range(12):
        peer.passes(200.0)
    link = peer.access.link
    assert link.waiting == 0 or not link.up


def _step(peer: Peer, cut: Cut) -> None:
    match cut.number(7):
        case 6:  # ANSWERS
            peer.answers()
        case 0:  # FRAME
            peer.does(OctetsReceived(cut.piece()))
        case 1:  # MESSAGE
            peer.says(cut.piece())
        case 2:  # PASSES
            peer.passes(PAUSES[cut.number(len(PAUSES))])
        case 3:  # EXPIRES
            deadline = peer.access.deadline
            peer.passes(0.0 if deadline is None else max(0.0, deadline - peer.now))
        case 4:  # REQUEST
            peer.does(_request(cut))
        case 5:  # GOES_DOWN
            peer.does(Deactivated())


def _request(cut: Cut) -> Request:
    call = cut.number(8)
    slot = cut.number(33)
    requests: tuple[Callable[[], Request], ...] = (
        lambda: PlaceCall("t", "1", "2", slot or None, exclusive=bool(call & 1), bearer=SPEECH_A_LAW),
        lambda: Proceed(call),
        lambda: Alert(call),
        lambda: AnswerCall(call),
        lambda: ClearCall(call),
        lambda: RestartChannels((slot,) if slot else None),
        lambda: BlockSlots(frozenset({slot})),
        lambda: AdoptCall(slot, call, (slot,)),
    )
    return requests[cut.number(len(requests))]()


# --- seeds


def _said(octets: bytes) -> bytes:
    return bytes([MESSAGE]) + piece(octets)


_WAIT = bytes([PASSES, 3])
_SETUP = _said(message(MessageType.SETUP, *SETUP_ELEMENTS))
_CALLS = (  # a call from the peer, released by it; a call to it, cleared by the owner; a flood and a lost link
    (_SETUP, _said(message(MessageType.CONNECT_ACKNOWLEDGE)), _WAIT, _said(message(MessageType.RELEASE, Cause(16)))),
    (
        bytes([REQUEST, 0, 5, 0]),
        _said(message(MessageType.CALL_PROCEEDING, SETUP_ELEMENTS[1], answer=True)),
        _said(message(MessageType.CONNECT, answer=True)),
        bytes([REQUEST, 1, 0, 4]),
        _said(message(MessageType.RELEASE, Cause(16), answer=True)),
    ),
    (_SETUP, bytes([ANSWERS]), _said(message(MessageType.CONNECT_ACKNOWLEDGE)), _WAIT, bytes([EXPIRES])),
    (_SETUP, bytes([GOES_DOWN]), bytes([EXPIRES]) * 4),
    (_SETUP, *(_said(octets) for octets in messages())),
    tuple(bytes([FRAME]) + piece(encode(command(kind), Side.USER)) for kind in (UFormat.DISC, UFormat.SABME)),
)


def seeds() -> list[bytes]:
    """Each call under each protocol, each role and each way to answer."""
    heads = [bytes([p, r, a, 0, 1, 0]) for p in range(2) for r in range(2) for a in range(3)]
    return [head + b"".join(steps) for head in heads for steps in _CALLS]
