"""LAPD as scripts: what each state of Q.921 Annex B makes of what comes."""

from collections.abc import Sequence

import pytest

from osrec.errors import UsageError
from osrec.isdn.link import TABLE, DataLink
from osrec.isdn.link_core import State
from osrec.isdn.link_messages import (
    DataReceived,
    DataRequest,
    Deactivated,
    Established,
    EstablishRequest,
    FrameReceived,
    FrameRejected,
    LinkConfig,
    LinkError,
    LinkEvent,
    LinkFault,
    LinkOutput,
    LinkTimer,
    OwnBusy,
    Released,
    ReleaseRequest,
    TimerExpired,
    Transmit,
    UnitDataReceived,
    UnitDataRequest,
)
from osrec.isdn.window import Window
from osrec.wire.q921.frames import (
    Dlci,
    Frame,
    Information,
    Rejected,
    S,
    Supervisory,
    U,
    Unnumbered,
    command,
    response,
)

Step = tuple[float, LinkEvent, Sequence[LinkOutput]]
SABME, DISC = command(U.SABME), command(U.DISC)
UA, DM = response(U.UA, f=True), response(U.DM, f=True)
EXPIRED = TimerExpired()
UP = Established(confirm=True)
RESET = Established(confirm=False)
DOWN = Released(confirm=False)


def got(frame: Frame) -> FrameReceived:
    return FrameReceived(frame)


def sent(frame: Frame) -> Transmit:
    return Transmit(frame)


def info(n_s: int, n_r: int = 0, *, p: bool = False) -> Information:
    return Information(n_s, n_r, bytes([n_s]), p)


def data(number: int) -> DataRequest:
    return DataRequest(bytes([number]))


def s(kind: S, n_r: int, *, command: bool = False, pf: bool = False) -> Supervisory:
    return Supervisory(kind, n_r, command, pf)


def rr(n_r: int, *, command: bool = False, pf: bool = False) -> Supervisory:
    return s(S.RR, n_r, command=command, pf=pf)


def error(fault: LinkFault) -> LinkError:
    return LinkError(fault)


def play(link: DataLink, steps: Sequence[Step]) -> None:
    for number, (now, event, outputs) in enumerate(steps):
        if isinstance(event, TimerExpired):
            assert link.deadline == pytest.approx(now), f"step {number}"
        assert link.handle(event, now) == list(outputs), f"step {number}: {event}"


CONFIG = LinkConfig(t200=1.0, n200=2, t203=10.0, k=3)


def link_in(state: State) -> DataLink:
    """A link that came to this state at time 0; in TIMER_RECOVERY at 10."""
    link = DataLink(CONFIG)
    if state is State.TEI_ASSIGNED:
        return link
    play(link, [(0.0, EstablishRequest(), [sent(SABME)])])
    if state is not State.AWAITING_ESTABLISHMENT:
        play(link, [(0.0, got(UA), [UP])])
    if state is State.AWAITING_RELEASE:
        play(link, [(0.0, ReleaseRequest(), [sent(DISC)])])
    if state is State.TIMER_RECOVERY:
        play(link, [(10.0, EXPIRED, [sent(rr(0, command=True, pf=True))])])
    assert link.state is state
    return link


def up() -> DataLink:
    return link_in(State.ESTABLISHED)


# --- the table


KEYS = {
    *(S),
    *(U),
    *(LinkTimer),
    Information,
    EstablishRequest,
    ReleaseRequest,
    DataRequest,
    UnitDataRequest,
    OwnBusy,
    Deactivated,
    FrameRejected,
}


def test_every_state_says_what_it_makes_of_every_event() -> None:
    named = {(state, key) for state, key in TABLE if not isinstance(key, type) or key.__name__ != "WrongRole"}
    assert named == {(state, key) for state in State for key in KEYS}


EVENTS: list[LinkEvent] = [
    EstablishRequest(),
    ReleaseRequest(),
    data(1),
    UnitDataRequest(b"u"),
    OwnBusy(True),
    OwnBusy(False),
    Deactivated(),
    EXPIRED,
    *(FrameRejected(reason) for reason in Rejected),
    *(got(Unnumbered(kind, is_command, pf)) for kind in U for is_command in (True, False) for pf in (True, False)),
    *(got(s(kind, n, command=c, pf=pf)) for kind in S for n in (0, 1) for c in (True, False) for pf in (True, False)),
    *(got(info(n_s, n_r, p=p)) for n_s in (0, 1) for n_r in (0, 1) for p in (True, False)),
]


@pytest.mark.parametrize("state", State)
def test_no_event_breaks_a_state_and_a_link_that_waits_has_a_timer(state: State) -> None:
    for event in EVENTS:
        link = link_in(state)
        link.handle(event, 20.0)
        assert (link.deadline is None) is (link.state is State.TEI_ASSIGNED), event


# --- states 4 and 5


def test_a_link_comes_up_at_our_request() -> None:
    play(
        DataLink(CONFIG),
        [
            (0.0, EstablishRequest(), [sent(SABME)]),
            (0.1, got(UA), [UP]),
            (0.2, data(0), [sent(info(0))]),
        ],
    )


def test_it_gives_up_after_n200_repeats() -> None:  # 5.5.1.3
    play(
        DataLink(CONFIG),
        [
            (0.0, EstablishRequest(), [sent(SABME)]),
            (1.0, EXPIRED, [sent(SABME)]),
            (2.0, EXPIRED, [sent(SABME)]),
            (3.0, EXPIRED, [error(LinkFault.NO_ESTABLISHMENT), DOWN]),
        ],
    )


def test_the_peer_may_establish_it() -> None:
    link = DataLink(CONFIG)
    play(
        link,
        [
            (0.0, got(command(U.SABME, p=False)), [sent(response(U.UA, f=False)), RESET]),
            (0.1, got(info(0)), [DataReceived(b"\0")]),
            (0.1, EXPIRED, [sent(rr(1))]),
        ],
    )
    assert link.up


def test_both_may_establish_it_at_once() -> None:  # 5.5.5
    link = link_in(State.AWAITING_ESTABLISHMENT)
    play(link, [(0.1, got(SABME), [sent(UA)]), (0.2, got(UA), [UP])])
    assert link.up


def test_a_refusal_ends_the_attempt() -> None:
    link = link_in(State.AWAITING_ESTABLISHMENT)
    play(link, [(0.1, got(response(U.DM, f=False)), []), (0.2, got(DM), [DOWN])])
    assert link.state is State.TEI_ASSIGNED
    assert link.deadline is None


def test_ua_without_final_bit_establishes_nothing() -> None:
    link = link_in(State.AWAITING_ESTABLISHMENT)
    play(link, [(0.1, got(response(U.UA, f=False)), [error(LinkFault.UA_NOT_FINAL)])])
    assert link.state is State.AWAITING_ESTABLISHMENT


def test_where_there_is_no_link_disc_is_answered_with_dm() -> None:  # 5.5.4
    play(DataLink(CONFIG), [(0.0, got(DISC), [sent(DM)])])
    play(link_in(State.AWAITING_ESTABLISHMENT), [(0.0, got(DISC), [sent(DM)])])


def test_dm_with_f_0_invites_to_establish() -> None:  # 5.5.4
    play(DataLink(CONFIG), [(0.0, got(DM), []), (0.0, got(response(U.DM, f=False)), [sent(SABME)])])


def test_a_release_of_no_link_is_confirmed() -> None:
    play(DataLink(CONFIG), [(0.0, ReleaseRequest(), [Released(confirm=True)])])


def test_an_establishment_asked_for_again_takes_the_release_back() -> None:
    play(
        link_in(State.AWAITING_ESTABLISHMENT),
        [
            (0.1, ReleaseRequest(), []),
            (0.2, EstablishRequest(), []),
            (0.3, got(UA), [UP]),
        ],
    )


def test_an_establishment_of_layer_3_is_confirmed_to_it_though_layer_2_began_it() -> None:
    link = up()
    play(
        link,
        [
            (1.0, got(response(U.DM, f=False)), [error(LinkFault.DM_NOT_FINAL), sent(SABME)]),
            (1.1, data(7), []),
            (1.2, EstablishRequest(), []),
            (1.3, got(UA), [UP]),
        ],
    )
    assert link.waiting == 0


def test_a_release_asked_for_again_takes_the_establishment_back() -> None:
    play(
        link_in(State.AWAITING_RELEASE),
        [
            (0.1, EstablishRequest(), []),
            (0.2, ReleaseRequest(), []),
            (0.3, got(UA), [Released(confirm=True)]),
        ],
    )


def test_a_ua_out_of_nowhere_is_told() -> None:  # 5.5.4
    play(DataLink(CONFIG), [(0.0, got(UA), [error(LinkFault.UA_FINAL)])])


def test_a_release_asked_for_during_establishment_follows_it() -> None:
    play(
        link_in(State.AWAITING_ESTABLISHMENT),
        [
            (0.1, ReleaseRequest(), []),
            (0.2, got(UA), [sent(DISC)]),
            (0.3, got(UA), [Released(confirm=True)]),
        ],
    )


def test_data_for_a_link_that_is_not_up_yet_is_dropped() -> None:
    play(link_in(State.AWAITING_ESTABLISHMENT), [(0.1, data(1), []), (0.2, got(UA), [UP])])


# --- state 6


def test_a_link_is_released_at_our_request() -> None:
    link = up()
    play(link, [(1.0, ReleaseRequest(), [sent(DISC)]), (1.1, got(UA), [Released(confirm=True)])])
    assert link.deadline is None


def test_a_peer_that_does_not_answer_disc_is_left_alone() -> None:
    play(
        link_in(State.AWAITING_RELEASE),
        [
            (1.0, EXPIRED, [sent(DISC)]),
            (2.0, EXPIRED, [sent(DISC)]),
            (3.0, EXPIRED, [error(LinkFault.NO_RELEASE), Released(confirm=True)]),
        ],
    )


def test_an_establishment_asked_for_during_release_follows_it() -> None:
    play(
        link_in(State.AWAITING_RELEASE),
        [
            (0.1, EstablishRequest(), []),
            (0.2, got(DM), [Released(confirm=True), sent(SABME)]),
            (0.3, got(UA), [UP]),
        ],
    )


def test_both_may_release_at_once() -> None:  # 5.5.5
    play(link_in(State.AWAITING_RELEASE), [(0.1, got(DISC), [sent(UA)]), (0.2, got(UA), [Released(confirm=True)])])
    play(link_in(State.AWAITING_RELEASE), [(0.1, got(SABME), [sent(DM)])])


# --- state 7: sending


def test_no_more_than_k_frames_are_outstanding() -> None:  # 5.6.1
    play(
        up(),
        [
            *((0.0, data(number), [sent(info(number))]) for number in range(3)),
            (0.1, data(3), []),
            (0.2, data(4), []),
            (0.3, got(rr(2)), [sent(info(3)), sent(info(4))]),
            (0.4, got(rr(5)), []),
            (10.4, EXPIRED, [sent(rr(0, command=True, pf=True))]),
        ],
    )


def test_sequence_numbers_go_round_at_128() -> None:
    link = up()
    for number in range(300):
        n = number % 128
        play(link, [(0.0, DataRequest(b"x"), [sent(Information(n, 0, b"x"))]), (0.0, got(rr((n + 1) % 128)), [])])


def test_an_acknowledgement_that_is_late_is_asked_for_and_what_was_lost_is_sent_again() -> None:  # 5.6.7
    link = up()
    play(
        link,
        [
            (0.0, data(0), [sent(info(0))]),
            (0.5, data(1), [sent(info(1))]),
            (1.0, EXPIRED, [sent(rr(0, command=True, pf=True))]),
            (1.1, data(2), []),
            (1.2, got(rr(1, pf=True)), [sent(info(1)), sent(info(2))]),
            (1.3, got(rr(3)), []),
        ],
    )
    assert link.waiting == 0


def test_a_peer_that_does_not_answer_enquiries_loses_the_link_and_it_is_established_again() -> None:  # 5.6.7
    link = up()
    play(
        link,
        [
            (0.0, data(0), [sent(info(0))]),
            (1.0, EXPIRED, [sent(rr(0, command=True, pf=True))]),
            (2.0, EXPIRED, [sent(rr(0, command=True, pf=True))]),
            (3.0, EXPIRED, [error(LinkFault.NO_RECOVERY), sent(SABME)]),
            (3.1, data(9), []),
            (3.2, got(UA), [RESET]),
        ],
    )
    assert link.waiting == 0


def test_an_establishment_of_our_own_that_lost_nothing_is_told_to_nobody() -> None:
    play(
        up(),
        [
            (1.0, got(response(U.DM, f=False)), [error(LinkFault.DM_NOT_FINAL), sent(SABME)]),
            (1.1, data(7), []),
            (1.2, got(UA), [sent(Information(0, 0, b"\7"))]),
        ],
    )


def test_silence_is_probed_and_an_answer_is_enough() -> None:  # 5.10.2
    link = up()
    play(
        link,
        [
            (10.0, EXPIRED, [sent(rr(0, command=True, pf=True))]),
            (10.1, got(rr(0, pf=True)), []),
            (20.1, EXPIRED, [sent(rr(0, command=True, pf=True))]),
            (21.1, EXPIRED, [sent(rr(0, command=True, pf=True))]),
            (22.1, EXPIRED, [sent(rr(0, command=True, pf=True))]),
            (23.1, EXPIRED, [error(LinkFault.NO_RECOVERY), sent(SABME)]),
        ],
    )


def test_rej_has_frames_sent_again_from_there() -> None:  # 5.6.4
    play(
        up(),
        [
            *((0.0, data(number), [sent(info(number))]) for number in range(3)),
            (0.1, got(s(S.REJ, 1)), [sent(info(1)), sent(info(2))]),
        ],
    )


def test_a_busy_peer_gets_nothing_and_is_asked_until_it_is_ready() -> None:  # 5.6.5
    link = up()
    play(
        link,
        [
            (0.0, got(s(S.RNR, 0)), []),
            (0.1, data(0), []),
            (1.0, EXPIRED, [sent(rr(0, command=True, pf=True))]),
            (1.1, got(s(S.RNR, 0, pf=True)), []),
            (2.1, EXPIRED, [sent(rr(0, command=True, pf=True))]),
            (2.2, got(rr(0, pf=True)), [sent(info(0))]),
        ],
    )
    assert not link.peer_busy


def test_a_busy_peer_may_say_so_for_hours() -> None:
    link = up()
    play(link, [(0.0, got(s(S.RNR, 0)), [])])
    for number in range(1000):
        now = 1.0 + number
        play(link, [(now, EXPIRED, [sent(rr(0, command=True, pf=True))]), (now, got(s(S.RNR, 0, pf=True)), [])])


@pytest.mark.parametrize("state", [State.ESTABLISHED, State.TIMER_RECOVERY])
@pytest.mark.parametrize("frame", [rr(1), s(S.REJ, 127), s(S.RNR, 5, pf=True), info(0, 3)])
def test_an_n_r_that_acknowledges_what_was_not_sent_ends_in_a_new_establishment(state: State, frame: Frame) -> None:
    outputs = link_in(state).handle(got(frame), 10.0)  # 5.8.2
    assert [output for output in outputs if isinstance(output, LinkError)][-1:] == [error(LinkFault.WRONG_N_R)]
    assert outputs[-1] == sent(SABME)


# --- states 7 and 8: receiving


def test_an_i_frame_of_ours_acknowledges_what_came() -> None:  # 5.6.2.2
    play(
        up(),
        [
            (0.0, got(info(0)), [DataReceived(b"\0")]),
            (0.0, data(0), [sent(info(0, 1))]),
            (1.0, EXPIRED, [sent(rr(1, command=True, pf=True))]),
        ],
    )


def test_several_frames_are_acknowledged_together() -> None:
    play(
        up(),
        [
            (0.0, got(info(0)), [DataReceived(b"\0")]),
            (0.0, got(info(1)), [DataReceived(b"\1")]),
            (0.0, EXPIRED, [sent(rr(2))]),
        ],
    )


def test_an_i_frame_with_p_1_is_acknowledged_at_once() -> None:
    play(up(), [(0.0, got(info(0, p=True)), [DataReceived(b"\0"), sent(rr(1, pf=True))])])


def test_a_gap_is_rejected_once_until_it_is_filled() -> None:  # 5.8.1
    play(
        up(),
        [
            (0.0, got(info(1)), [sent(s(S.REJ, 0))]),
            (0.1, got(info(2)), []),
            (0.2, got(info(2, p=True)), [sent(rr(0, pf=True))]),
            (0.3, got(info(0)), [DataReceived(b"\0")]),
            (0.3, EXPIRED, [sent(rr(1))]),
            (0.4, got(info(3)), [sent(s(S.REJ, 1))]),
        ],
    )


def test_while_we_are_busy_frames_are_dropped_and_enquiries_are_answered_so() -> None:  # 5.6.6
    link = up()
    play(
        link,
        [
            (0.0, OwnBusy(True), [sent(s(S.RNR, 0))]),
            (0.0, OwnBusy(True), []),
            (0.1, got(info(0)), []),
            (0.2, got(info(0, p=True)), [sent(s(S.RNR, 0, pf=True))]),
            (0.3, got(rr(0, command=True, pf=True)), [sent(s(S.RNR, 0, pf=True))]),
            (0.4, data(0), [sent(info(0))]),
            (0.5, OwnBusy(False), [sent(rr(0))]),
            (0.6, got(info(0)), [DataReceived(b"\0")]),
        ],
    )


def test_an_enquiry_is_answered() -> None:
    for state in (State.ESTABLISHED, State.TIMER_RECOVERY):
        play(link_in(state), [(10.0, got(rr(0, command=True, pf=True)), [sent(rr(0, pf=True))])])


def test_only_a_final_response_ends_timer_recovery() -> None:
    link = link_in(State.TIMER_RECOVERY)
    play(link, [(10.1, got(rr(0)), []), (10.2, got(info(0)), [DataReceived(b"\0")])])
    assert link.state.value == 8
    play(link, [(10.3, got(rr(0, pf=True)), [])])
    assert link.state.value == 7


@pytest.mark.parametrize("state", [State.ESTABLISHED, State.TIMER_RECOVERY])
def test_what_both_states_of_an_established_link_do_alike(state: State) -> None:
    alike: list[tuple[LinkEvent, list[LinkOutput]]] = [
        (EstablishRequest(), [sent(SABME)]),
        (ReleaseRequest(), [sent(DISC)]),
        (OwnBusy(True), [sent(s(S.RNR, 0))]),
        (got(UA), [error(LinkFault.UA_FINAL)]),
        (got(response(U.UA, f=False)), [error(LinkFault.UA_NOT_FINAL)]),
        (got(SABME), [sent(UA), error(LinkFault.PEER_RESET)]),
        (got(Unnumbered(U.DISC, command=False)), [error(LinkFault.NOT_IMPLEMENTED), sent(SABME)]),
    ]
    for event, outputs in alike:
        play(link_in(state), [(10.5, event, outputs)])
    play(link_in(state), [(10.5, got(info(0)), [DataReceived(b"\0")]), (10.5, EXPIRED, [sent(rr(1))])])


def test_an_establishment_of_layer_3_drops_what_waits() -> None:
    link = up()
    play(link, [(0.1, data(0), [sent(info(0))]), (0.2, EstablishRequest(), [sent(SABME)]), (0.3, got(UA), [UP])])
    assert link.waiting == 0


# --- states 7 and 8: the link is lost


@pytest.mark.parametrize("state", [State.ESTABLISHED, State.TIMER_RECOVERY])
def test_the_peer_releases_the_link(state: State) -> None:
    link = link_in(state)
    play(link, [(10.0, got(DISC), [sent(UA), DOWN])])
    assert link.deadline is None


def test_the_peer_establishes_anew_and_what_was_outstanding_is_lost() -> None:  # 5.7
    link = up()
    play(
        link,
        [
            (0.1, got(SABME), [sent(UA), error(LinkFault.PEER_RESET)]),
            (0.2, data(0), [sent(info(0))]),
            (0.3, got(SABME), [sent(UA), error(LinkFault.PEER_RESET), RESET]),
            (0.4, data(0), [sent(info(0))]),
        ],
    )


@pytest.mark.parametrize("state", [State.ESTABLISHED, State.TIMER_RECOVERY])
@pytest.mark.parametrize(
    ("frame", "fault"),
    [
        (response(U.FRMR, f=False), LinkFault.FRMR),
        (response(U.DM, f=False), LinkFault.DM_NOT_FINAL),
    ],
)
def test_a_peer_that_lost_track_gets_a_new_establishment(state: State, frame: Frame, fault: LinkFault) -> None:
    play(link_in(state), [(10.0, got(frame), [error(fault), sent(SABME)])])


def test_dm_with_f_1_matters_in_timer_recovery_only() -> None:  # 5.8.7
    play(up(), [(0.1, got(DM), [error(LinkFault.DM_FINAL)])])
    play(link_in(State.TIMER_RECOVERY), [(10.1, got(DM), [error(LinkFault.DM_FINAL), sent(SABME)])])


@pytest.mark.parametrize("reason", Rejected)
def test_a_frame_that_cannot_be_ends_in_a_new_establishment_where_there_is_a_link(reason: Rejected) -> None:  # 5.8.5
    fault = error(LinkFault(reason.value))
    for state in (State.ESTABLISHED, State.TIMER_RECOVERY):
        play(link_in(state), [(10.0, FrameRejected(reason), [fault, sent(SABME)])])
    for state in (State.TEI_ASSIGNED, State.AWAITING_ESTABLISHMENT, State.AWAITING_RELEASE):
        play(link_in(state), [(0.0, FrameRejected(reason), [fault])])


def test_a_command_that_came_as_a_response_cannot_be() -> None:
    wrong = Unnumbered(U.SABME, command=False, pf=True)
    for state in (State.TEI_ASSIGNED, State.AWAITING_ESTABLISHMENT, State.AWAITING_RELEASE):
        play(link_in(state), [(0.0, got(wrong), [error(LinkFault.NOT_IMPLEMENTED)])])
    play(up(), [(0.0, got(wrong), [error(LinkFault.NOT_IMPLEMENTED), sent(SABME)])])


@pytest.mark.parametrize("state", State)
def test_without_layer_1_there_is_no_link(state: State) -> None:
    link = link_in(state)
    link.handle(Deactivated(), 10.0)
    assert link.state is State.TEI_ASSIGNED
    assert link.deadline is None


# --- all states


@pytest.mark.parametrize("state", State)
def test_messages_to_all_pass_in_every_state(state: State) -> None:
    to_all = command(U.UI, p=False, octets=b"all", dlci=Dlci(0, 127))
    link = link_in(state)
    assert link.handle(UnitDataRequest(b"all"), 0.0) == [sent(to_all)]
    assert link.handle(got(to_all), 0.0) == [UnitDataReceived(b"all")]


def test_parameters_that_cannot_be_are_refused() -> None:
    for wrong, text in (
        ({"t200": 0.0}, "T200 0 s: a number of seconds, more than 0"),
        ({"t203": -1.0}, "T203 -1 s: a number of seconds, more than 0"),
        ({"t200": float("inf"), "t203": float("inf")}, "T200 inf s: a number of seconds"),
        ({"t200": 2.0, "t203": 1.5}, "T203 1.5 s is less than T200, 2 s"),
        ({"n200": -1}, "N200 -1: at least 0"),
        ({"k": 128}, "k 128: 1..127"),
    ):
        with pytest.raises(UsageError, match=text):
            LinkConfig(**wrong)


def test_a_window_gives_back_what_is_outstanding_in_order() -> None:
    window = Window()
    for number in range(5):
        window.put(bytes([number]))
    assert [window.next(3) for _ in range(4)] == [b"\0", b"\1", b"\2", None]
    window.acknowledge(1)
    window.go_back()
    assert (window.v_s, window.v_a) == (1, 1)
    assert [window.next(7) for _ in range(5)] == [b"\1", b"\2", b"\3", b"\4", None]
