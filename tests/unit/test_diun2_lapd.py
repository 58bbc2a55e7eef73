"""The PBX's own data link: frames in, frames out."""

from collections.abc import Sequence

import pytest

from osrec.wire.q921.frames import Information, S, Side, Supervisory, U, command, encode, response
from osrec_emulators.diun2.lapd import DataLink
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

Step = tuple[float, Event, Sequence[Output]]
TIMERS = LinkTimers(t200=1.0, t203=10.0, n200=2, k=3)
SABME, DISC, UA, DM = command(U.SABME), command(U.DISC), response(U.UA, f=True), response(U.DM, f=True)


def ours(frame: Information | Supervisory | object) -> Transmit:
    return Transmit(encode(frame, Side.NETWORK))  # type: ignore[arg-type]


def theirs(frame: object) -> Arrived:
    return Arrived(encode(frame, Side.USER))  # type: ignore[arg-type]


def rr(n_r: int, *, f: bool = False) -> Supervisory:
    return Supervisory(S.RR, n_r, command=False, pf=f)


def play(link: DataLink, steps: Sequence[Step]) -> DataLink:
    for number, (now, event, outputs) in enumerate(steps):
        if isinstance(event, Due):
            assert link.deadline == now, number
        assert link.handle(event, now) == list(outputs), number
    return link


def link_up(now: float = 0.0) -> DataLink:
    link = DataLink(Side.NETWORK, TIMERS)
    return play(link, [(now, Establish(), [ours(SABME)]), (now, theirs(UA), [Up()])])


def test_a_link_comes_up_when_its_sabme_is_answered() -> None:  # 5.5.1.2
    link = link_up()
    assert link.state is LinkState.ESTABLISHED
    assert link.deadline == TIMERS.t203


def test_sabme_is_repeated_n200_times_and_then_given_up() -> None:  # 5.5.1.3
    link = play(
        DataLink(Side.NETWORK, TIMERS),
        [
            (0.0, Establish(), [ours(SABME)]),
            (1.0, Due(), [ours(SABME)]),
            (2.0, Due(), [ours(SABME)]),
            (3.0, Due(), [Complaint("G"), Down()]),
        ],
    )
    assert link.state is LinkState.TEI_ASSIGNED
    assert link.deadline is None


def test_a_sabme_of_the_peer_brings_the_link_up() -> None:
    link = play(DataLink(Side.NETWORK, TIMERS), [(0.0, theirs(SABME), [ours(UA), Up()])])
    assert link.state is LinkState.ESTABLISHED


def test_in_collision_of_sabme_each_answers_and_waits_for_its_answer() -> None:  # 5.5.5.1
    play(
        DataLink(Side.NETWORK, TIMERS),
        [(0.0, Establish(), [ours(SABME)]), (0.1, theirs(SABME), [ours(UA)]), (0.2, theirs(UA), [Up()])],
    )


def test_dm_ends_the_attempt() -> None:
    play(DataLink(Side.NETWORK, TIMERS), [(0.0, Establish(), [ours(SABME)]), (0.1, theirs(DM), [Down()])])


def test_messages_are_numbered_and_acknowledged() -> None:
    link = play(
        link_up(),
        [
            (1.0, Data(b"a"), [ours(Information(0, 0, b"a"))]),
            (1.0, Data(b"b"), [ours(Information(1, 0, b"b"))]),
            (1.1, theirs(Information(0, 2, b"c")), [ours(rr(1)), Data(b"c")]),
        ],
    )
    assert link.deadline == 1.1 + TIMERS.t203


def test_no_more_than_k_frames_are_outstanding() -> None:
    link = link_up()
    sent = [output for octet in b"abcde" for output in link.handle(Data(bytes([octet])), 1.0)]
    assert len(sent) == TIMERS.k
    assert link.handle(theirs(rr(2)), 1.1) == [ours(Information(3, 0, b"d")), ours(Information(4, 0, b"e"))]


def test_a_frame_that_is_not_acknowledged_is_asked_after_and_sent_again() -> None:  # 5.6.7
    link = play(
        link_up(),
        [
            (1.0, Data(b"a"), [ours(Information(0, 0, b"a"))]),
            (2.0, Due(), [ours(Supervisory(S.RR, 0, command=True, pf=True))]),
            (2.1, theirs(rr(0, f=True)), [ours(Information(0, 0, b"a"))]),
            (2.2, theirs(rr(1)), []),
        ],
    )
    assert link.state is LinkState.ESTABLISHED


def test_a_peer_that_does_not_answer_enquiries_is_set_up_anew() -> None:  # 5.6.7
    link = play(
        link_up(),
        [
            (10.0, Due(), [ours(Supervisory(S.RR, 0, command=True, pf=True))]),
            (11.0, Due(), [ours(Supervisory(S.RR, 0, command=True, pf=True))]),
            (12.0, Due(), [ours(Supervisory(S.RR, 0, command=True, pf=True))]),
            (13.0, Due(), [Complaint("I"), ours(SABME)]),
        ],
    )
    assert link.state is LinkState.AWAITING_ESTABLISHMENT


def test_a_gap_in_their_numbers_is_rejected_once_and_filled() -> None:  # 5.6.3
    reject = Supervisory(S.REJ, 0, command=False)
    play(
        link_up(),
        [
            (1.0, theirs(Information(1, 0, b"b")), [ours(reject)]),
            (1.0, theirs(Information(2, 0, b"c")), []),
            (1.1, theirs(Information(0, 0, b"a")), [ours(rr(1)), Data(b"a")]),
            (1.1, theirs(Information(1, 0, b"b")), [ours(rr(2)), Data(b"b")]),
        ],
    )


def test_a_reject_of_theirs_sends_all_again_from_there() -> None:  # 5.6.4
    link = link_up()
    for octets in (b"a", b"b", b"c"):
        link.handle(Data(octets), 1.0)
    reject = Supervisory(S.REJ, 1, command=False)
    again = [ours(Information(1, 0, b"b")), ours(Information(2, 0, b"c"))]
    assert link.handle(theirs(reject), 1.1) == again


def test_a_busy_peer_gets_nothing_until_it_is_ready() -> None:  # 5.6.5
    busy = Supervisory(S.RNR, 0, command=False)
    link = play(
        link_up(),
        [(1.0, theirs(busy), []), (1.1, Data(b"a"), []), (1.2, theirs(rr(0)), [ours(Information(0, 0, b"a"))])],
    )
    assert link.state is LinkState.ESTABLISHED


def test_an_n_r_of_what_was_never_sent_is_an_error() -> None:  # 5.8.5
    play(link_up(), [(1.0, theirs(rr(1)), [Complaint("J"), ours(SABME)])])


def test_a_disc_takes_the_link_down() -> None:  # 5.5.3.2
    link = play(link_up(), [(1.0, theirs(DISC), [ours(UA), Down()])])
    assert link.state is LinkState.TEI_ASSIGNED
    assert link.handle(theirs(DISC), 2.0) == [ours(DM)]


def test_a_link_that_is_released_says_disc_and_waits() -> None:  # 5.5.3.1
    link = play(link_up(), [(1.0, Release(), [ours(DISC)]), (2.0, Due(), [ours(DISC)]), (2.1, theirs(UA), [Down()])])
    assert link.deadline is None


def test_a_sabme_while_the_link_is_up_begins_anew() -> None:
    link = link_up()
    link.handle(Data(b"a"), 1.0)
    assert link.handle(theirs(SABME), 1.1) == [ours(UA), Complaint("F"), Up()]
    assert link.handle(Data(b"b"), 1.2) == [ours(Information(0, 0, b"b"))]


def test_what_was_said_before_the_link_is_up_waits_for_it() -> None:
    link = DataLink(Side.NETWORK, TIMERS)
    link.handle(Establish(), 0.0)
    assert link.handle(Data(b"a"), 0.0) == []
    assert link.handle(theirs(UA), 0.1) == [Up(), ours(Information(0, 0, b"a"))]


@pytest.mark.parametrize("state", LinkState)
@pytest.mark.parametrize("octets", [b"", b"\x00", b"\x00\x01\xff", b"\xff" * 300, bytes.fromhex("00 01 97 00 00 00")])
def test_no_octets_stop_it(state: LinkState, octets: bytes) -> None:
    link = link_up()
    link.state = state
    link.handle(Arrived(octets), 1.0)
    link.handle(Due(), 100.0)
