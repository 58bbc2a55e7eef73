"""Both layers together: what is for whom, hints for the installer, floods, and resets that Annex B keeps to itself."""

import pytest

from osrec.errors import UsageError
from osrec.isdn.access import Access, OctetsReceived, SendOctets, Start
from osrec.isdn.call import numbers_of
from osrec.isdn.link_messages import Deactivated
from osrec.isdn.messages import ClearCall, LinkDown, LinkUp, PlaceCall, TimerExpired, Trouble
from osrec.isdn.profile import Protocol, Role
from osrec.isdn.settings import AccessConfig
from osrec.wire.q921.frames import N201, Dlci, Information, S, Side, Supervisory, U, command, encode, response
from osrec.wire.q931.channel import ChannelIdentification
from osrec.wire.q931.codec import compose
from osrec.wire.q931.codec import encode as encode_message
from osrec.wire.q931.elements import RestartIndicator
from osrec.wire.q931.messages import GLOBAL, CallReference, MessageType
from tests.property.isdn_wire import Wire

NETWORK_SABME = encode(command(U.SABME), Side.NETWORK)


def started() -> Access:
    """A user whose network has answered."""
    access = Access()
    assert access.handle(Start(), 0.0) == [SendOctets(encode(command(U.SABME), Side.USER))]
    assert access.handle(OctetsReceived(encode(response(U.UA, f=True), Side.NETWORK)), 0.0) == [LinkUp()]
    return access


def message(n_s: int, octets: bytes) -> OctetsReceived:
    return OctetsReceived(encode(Information(n_s, 0, octets), Side.NETWORK))


def test_a_start_asks_nothing_of_a_link_that_the_peer_has_established() -> None:
    access = Access()
    access.handle(OctetsReceived(NETWORK_SABME), 0.0)
    assert access.link.up
    assert access.handle(Start(), 0.1) == []


def test_frames_for_others_are_counted_and_dropped() -> None:
    access = started()
    for frame in (
        command(U.SABME, dlci=Dlci(0, 64)),
        command(U.UI, p=False, dlci=Dlci(63, 127)),
        Supervisory(S.RR, 0, command=True, pf=True, dlci=Dlci(16, 0)),
    ):
        assert access.handle(OctetsReceived(encode(frame, Side.NETWORK)), 0.0) == []
    assert access.handle(OctetsReceived(b"\x02"), 0.0) == []
    assert (access.counters.foreign, access.counters.invalid) == (3, 1)
    other = OctetsReceived(b"\x02\x81\x77")  # TEI 64, and no control field of table 5
    assert access.handle(other, 0.0) == []
    assert access.counters.rejected == 1
    assert access.link.up


def test_a_control_field_that_is_none_is_told_and_the_link_established_anew() -> None:
    outputs = started().handle(OctetsReceived(b"\x02\x01\x77"), 0.0)
    texts = [output.text for output in outputs if isinstance(output, Trouble)]
    assert "control 0x77 at octet 3" in texts[0]
    assert "02 01 77" in texts[0]
    assert SendOctets(encode(command(U.SABME), Side.USER)) in outputs


@pytest.mark.parametrize("role", Role)
def test_two_ends_of_the_same_side_are_told_so_once(role: Role) -> None:
    access = Access(AccessConfig(role=role))
    sabme = OctetsReceived(encode(command(U.SABME), role.side))
    outputs = access.handle(sabme, 0.0) + access.handle(sabme, 1.0)
    hints = [output for output in outputs if isinstance(output, Trouble) and "far end" in output.text]
    other = "network" if role is Role.USER else "user"
    assert len([output for output in outputs if isinstance(output, Trouble)]) == 2  # and what it is by Q.921, once
    assert hints == [
        Trouble(f'the far end is {role.value} side, too: set role = "{other}" at one of the two [Q.921 3.3.2]')
    ]


def test_an_answer_takes_the_acknowledgement_along() -> None:
    access = started()
    enquiry = encode_message(compose(MessageType.STATUS_ENQUIRY, CallReference(9)))
    outputs = access.handle(message(0, enquiry), 0.0)
    assert [output.octets[:4] for output in outputs if isinstance(output, SendOctets)] == [b"\x00\x01\x00\x02"]


def test_what_needs_no_answer_is_acknowledged_at_once() -> None:
    access = started()
    nothing = encode_message(compose(MessageType.RELEASE_COMPLETE, CallReference(9)))
    assert access.handle(message(0, nothing), 0.0) == [SendOctets(b"\x02\x01\x01\x02")]


def test_a_peer_that_asks_and_acknowledges_nothing_is_told_to_wait() -> None:
    access = started()
    enquiry = encode_message(compose(MessageType.STATUS_ENQUIRY, CallReference(9)))
    sent: list[bytes] = []
    for number in range(1000):
        outputs = access.handle(message(number % 128, enquiry), 0.0)
        sent += [output.octets for output in outputs if isinstance(output, SendOctets)]
    assert access.link.own_busy
    assert access.link.waiting == 201
    assert sent[-1][2] == S.RNR.value
    for n_r in range(7, 203, 7):
        access.handle(OctetsReceived(encode(Supervisory(S.RR, n_r % 128, command=False), Side.NETWORK)), 0.1)
    assert not access.link.own_busy


def test_an_answer_that_repeats_the_longest_question_fits_into_a_frame() -> None:
    access = started()
    far = ChannelIdentification((1,), interface=bytes(247))
    restart = encode_message(compose(MessageType.RESTART, GLOBAL, far, RestartIndicator()))
    assert len(restart) == N201
    outputs = access.handle(message(0, restart), 0.0)
    assert [len(output.octets) for output in outputs if isinstance(output, SendOctets)] == [4 + N201]


def test_an_access_without_layer_1_is_down_and_comes_up_by_itself() -> None:
    wire = Wire(Protocol.DSS1, 1)
    wire.start()
    wire.passes(1.0)
    user = wire.ends[Role.USER]
    assert user.handle(Deactivated(), wire.now) == [LinkDown()]
    wire.owners[Role.USER].up = False
    wire.passes(5.0)
    assert user.link.up


def test_the_owner_hears_of_a_mistake_and_the_access_goes_on() -> None:
    wire = Wire(Protocol.DSS1, 1)
    wire.start()
    wire.passes(1.0)
    with pytest.raises(UsageError, match="no octet for"):
        wire.ends[Role.USER].handle(PlaceCall("t", "€"), wire.now)
    wire.does(Role.USER, PlaceCall("t", "1"))
    wire.passes(1.0)
    assert wire.owners[Role.USER].through == wire.owners[Role.NETWORK].through == {1}


@pytest.mark.parametrize("restart_lost", [True, False])
@pytest.mark.parametrize("protocol", Protocol)
def test_a_call_that_ended_at_one_end_while_the_wire_was_cut_ends_at_the_other(
    protocol: Protocol, restart_lost: bool
) -> None:
    """The other end loses no frame and so hears of no reset by Annex B: it asks all the same."""
    wire = Wire(protocol, 1, lambda role: AccessConfig(protocol, role, restart_lost=restart_lost))
    wire.start()
    wire.passes(1.0)
    wire.does(Role.NETWORK, PlaceCall("t", "1", slot=7))
    wire.passes(3.0)
    assert wire.owners[Role.NETWORK].through == wire.owners[Role.USER].through == {1}
    wire.cut = True
    wire.does(Role.USER, ClearCall(1))
    wire.passes(8.5)
    assert wire.owners[Role.USER].slots == {}
    assert wire.owners[Role.NETWORK].through == {1}
    assert wire.ends[Role.NETWORK].link.up
    wire.cut = False
    wire.passes(5.0)
    assert wire.owners[Role.NETWORK].slots == {}
    assert wire.ends[Role.NETWORK].control.channels.free(7)


def test_a_link_that_nobody_answers_is_asked_for_again_after_a_pause() -> None:
    access = Access()
    access.handle(Start(), 0.0)
    for second in range(1, 5):
        assert access.deadline == second
        access.handle(TimerExpired(), float(second))
    assert access.deadline == 5.0
    assert access.handle(TimerExpired(), 5.0) == [SendOctets(encode(command(U.SABME), Side.USER))]


def test_that_nobody_answers_is_told_once_until_somebody_does() -> None:
    access, now = Access(), 0.0
    troubles: list[Trouble] = []

    def wait(seconds: float) -> None:
        nonlocal now
        end = now + seconds
        while access.deadline is not None and access.deadline <= end:
            now = access.deadline
            outputs = access.handle(TimerExpired(), now)
            troubles.extend(output for output in outputs if isinstance(output, Trouble))
        now = end

    access.handle(Start(), now)
    wait(60.0)
    silence = Trouble("data link: no answer to SABME [Q.921 table II.1, G]")
    assert troubles == [silence]
    access.handle(OctetsReceived(NETWORK_SABME), now)
    access.handle(OctetsReceived(encode(response(U.UA, f=True), Side.NETWORK)), now)
    assert access.link.up
    wait(60.0)
    assert troubles[1:] == [Trouble("data link: no answer to enquiries [Q.921 table II.1, I]"), silence]
    assert access.counters.link_errors > 10
    access.handle(OctetsReceived(NETWORK_SABME), now)
    access.handle(OctetsReceived(encode(response(U.UA, f=True), Side.NETWORK)), now)
    access.handle(OctetsReceived(encode(command(U.DISC), Side.NETWORK)), now)
    wait(60.0)
    assert troubles[3:] == [silence]


@pytest.mark.parametrize("exclusive", [False, True])
@pytest.mark.parametrize("protocol", Protocol)
def test_of_two_calls_for_one_slot_the_networks_gets_it(protocol: Protocol, exclusive: bool) -> None:  # 5.7
    wire = Wire(protocol, 1)
    wire.start()
    wire.passes(1.0)
    for role in Role:
        wire.does(role, PlaceCall(role, "1", role.value, 9, exclusive))
    wire.passes(2.0)
    user, network = wire.ends[Role.USER].control, wire.ends[Role.NETWORK].control
    callers = {call.slots[0]: numbers_of(call.setup)[0] for call in network._calls.values()}
    assert callers[9] == "network"
    assert len(callers) == (1 if exclusive else 2)
    assert {call.slots for call in user._calls.values()} == {call.slots for call in network._calls.values()}
    assert wire.owners[Role.USER].through == set(user.calls)
