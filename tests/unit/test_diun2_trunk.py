"""The PBX's calls on a D channel: one for each fork, with what goes wrong with them."""

from dataclasses import replace

import pytest

from osrec.wire.q921.frames import Side
from osrec.wire.q931.bearer import SPEECH_A_LAW
from osrec.wire.q931.causes import CauseValue
from osrec.wire.q931.channel import ANY_CHANNEL, ChannelIdentification, time_slot
from osrec.wire.q931.elements import Display, RestartClass, RestartIndicator, UserUser
from osrec.wire.q931.messages import MessageType
from osrec.wire.q931.numbers import CalledPartyNumber, CallingPartyNumber
from osrec.wire.q931.registry import Element
from osrec_emulators.diun2 import call_events as layer3
from osrec_emulators.diun2.call_events import Dialect
from osrec_emulators.diun2.call_faults import CallFaults, Outage, Strikes
from osrec_emulators.diun2.signalling import IsdnSettings, Numbers
from osrec_emulators.diun2.trunk_events import Dialled
from osrec_emulators.pbx.media import Side as Half
from tests.unit.diun2_peer import OTHER, OWN, THIRD, Peer, answer, ignore, on_slot, refuse

ALWAYS = Strikes(every=1)
HEALTHY = IsdnSettings()


def test_a_fork_is_called_and_carried_once_the_recorder_answers() -> None:
    peer = Peer(behaviour=ignore)
    peer.ports(OWN, at=1.0)
    assert peer.trunk.open == {}
    answer(peer, peer.offered[0], peer.setups[0])
    assert peer.trunk.open == {"7101": 1}


def test_setup_names_slot_port_and_station() -> None:
    peer = Peer()
    peer.ports(OWN, OTHER)
    slots = [setup.first(ChannelIdentification) for setup in peer.setups]
    assert slots == [time_slot(1), time_slot(2)]
    numbers = [(setup.first(CalledPartyNumber), setup.first(CallingPartyNumber)) for setup in peer.setups]
    assert [(called.digits, calling.digits) for called, calling in numbers if called and calling] == [
        ("7101", "3100"),
        ("7102", "3100"),
    ]
    assert all(setup.first(type(SPEECH_A_LAW)) == SPEECH_A_LAW for setup in peer.setups)


def test_a_fork_that_ends_clears_its_call() -> None:
    peer = Peer()
    peer.ports(OWN, OTHER)
    peer.take()
    peer.ports(OTHER, at=5.0)
    assert peer.take() == ["DISCONNECT", "<RELEASE", "RELEASE_COMPLETE"]
    assert peer.trunk.open == {"7102": 2}
    (call,) = peer.finished()
    assert (call.ports, call.slots, call.by, call.cause) == (("7101",), (1,), "pbx", CauseValue.NORMAL_CALL_CLEARING)
    assert (call.setup_at, call.answered_at, call.ended_at) == (0.0, 0.0, 5.0)


def test_a_port_that_goes_to_another_station_at_once_is_called_anew() -> None:
    peer = Peer()
    peer.ports(OWN)
    peer.ports(replace(OWN, station="3101"))
    assert [call.by for call in peer.finished()] == ["pbx"]
    calling = peer.setups[1].first(CallingPartyNumber)
    assert calling is not None
    assert calling.digits == "3101"
    assert peer.trunk.open == {"7101": 1}


def test_a_fork_that_follows_its_station_into_another_call_keeps_its_own() -> None:
    peer = Peer()
    peer.ports(OWN)
    peer.ports(replace(OWN, call="02"))
    assert len(peer.setups) == 1
    assert peer.finished() == []


def test_calls_wait_until_the_link_is_up_and_restart_acknowledged() -> None:
    peer = Peer(replace(HEALTHY, establishes=False))
    peer.ports(OWN)
    assert peer.take() == []
    assert not peer.trunk.up
    peer.establish()
    assert peer.take()[:3] == ["RESTART", "<RESTART_ACKNOWLEDGE", "SETUP"]


def test_the_whole_interface_is_restarted_at_once() -> None:
    peer = Peer(replace(HEALTHY, restart="interface"))
    assert peer.take() == ["RESTART", "<RESTART_ACKNOWLEDGE"]
    (restart,) = peer.restarts
    assert restart.elements == (RestartIndicator(RestartClass.SINGLE_INTERFACE),)
    assert peer.trunk.up


def test_channels_are_restarted_one_after_the_other() -> None:
    peer = Peer(replace(HEALTHY, restart="channels"))
    assert peer.take() == ["RESTART", "<RESTART_ACKNOWLEDGE"] * 4
    indicator = RestartIndicator(RestartClass.INDICATED_CHANNELS)
    assert [restart.elements for restart in peer.restarts] == [(time_slot(slot), indicator) for slot in (1, 2, 3, 17)]
    assert peer.trunk.up


def test_no_restart_is_sent_where_none_is_wanted() -> None:
    peer = Peer(replace(HEALTHY, restart="none"))
    assert peer.take() == []
    assert peer.trunk.up


def test_one_call_may_carry_both_forks_of_a_station() -> None:
    peer = Peer(replace(HEALTHY, calls="pair"))
    peer.ports(OTHER)
    assert peer.setups == []
    peer.ports(OTHER, OWN)
    assert [setup.first(ChannelIdentification) for setup in peer.setups] == [ChannelIdentification((1, 2))]
    assert peer.trunk.open == {"7101": 1, "7102": 2}
    peer.ports(OTHER)
    assert peer.trunk.open == {"7102": 2}
    peer.ports()
    assert len(peer.finished()) == 1


def test_the_side_called_first_has_the_lower_reference() -> None:
    peer = Peer(replace(HEALTHY, first=Half.OTHER))
    peer.ports(OWN, OTHER)
    order = [(setup.reference.value, setup.first(CalledPartyNumber)) for setup in peer.setups]
    assert [(value, called and called.digits) for value, called in order] == [(1, "7102"), (2, "7101")]


@pytest.mark.parametrize(("slots", "expected"), [("lowest", [1, 2, 3]), ("highest", [17, 3, 2])])
def test_free_slots_are_hunted_and_come_back(slots: str, expected: list[int]) -> None:
    peer = Peer(replace(HEALTHY, slots=slots))  # type: ignore[arg-type]
    peer.ports(THIRD, OWN)
    peer.ports(THIRD, OWN, OTHER)
    assert [call.slots[0] for call in peer.trunk.calls.values()] == expected
    peer.ports(OTHER)
    peer.ports(OTHER, THIRD)
    assert peer.trunk.open == {"7102": expected[2], "7103": expected[0]}


@pytest.mark.parametrize(
    ("channel", "element"),
    [
        ("number", time_slot(1)),
        ("map", ChannelIdentification((1,), map_octets=4)),
        ("any", ANY_CHANNEL),
        ("none", None),
    ],
)
def test_the_channel_is_named_as_configured(channel: str, element: ChannelIdentification | None) -> None:
    peer = Peer(replace(HEALTHY, channel=channel))  # type: ignore[arg-type]
    peer.ports(OWN)
    assert peer.setups[0].first(ChannelIdentification) == element


def test_a_recorder_may_take_another_channel_than_the_preferred_one() -> None:
    peer = Peer(replace(HEALTHY, exclusive=False), behaviour=on_slot(3))
    peer.ports(OWN)
    assert peer.setups[0].first(ChannelIdentification) == time_slot(1, exclusive=False)
    assert peer.trunk.open == {"7101": 3}
    assert peer.finished() == []


@pytest.mark.parametrize(
    ("exclusive", "slot"), [(False, 9), (False, 3), (True, 17)], ids=["not there", "taken", "another than the only one"]
)
def test_a_channel_that_cannot_be_taken_ends_the_call(exclusive: bool, slot: int) -> None:
    peer = Peer(replace(HEALTHY, exclusive=exclusive))
    peer.ports(THIRD)
    peer.behaviour = on_slot(slot)
    peer.ports(THIRD, OWN)
    assert peer.trunk.open == {"7103": 3}
    assert [call.cause for call in peer.finished()] == [CauseValue.CHANNEL_UNACCEPTABLE]
    assert peer.hung_up() == ["7101"]


def test_texts_of_setup_are_filled_in() -> None:
    numbers = Numbers("9{side}{slot}", "", "{call}", "{station}/{port}", {Half.OWN: "5", Half.OTHER: "6"})
    peer = Peer(replace(HEALTHY, numbers=numbers))
    peer.ports(OTHER)
    setup = peer.setups[0]
    assert setup.first(CalledPartyNumber) == CalledPartyNumber("962")
    assert setup.first(CallingPartyNumber) is None
    assert setup.first(Display) == Display("01")
    assert setup.first(UserUser) == UserUser(b"3100/7102")


@pytest.mark.parametrize(
    ("audio", "before", "after"), [("answer", {}, {"7101": 1}), ("setup", {"7101": 1}, {"7101": 1})]
)
def test_audio_begins_when_it_is_to_begin(audio: str, before: dict[str, int], after: dict[str, int]) -> None:
    peer = Peer(replace(HEALTHY, audio=audio), behaviour=ignore)  # type: ignore[arg-type]
    peer.ports(OWN)
    assert peer.trunk.open == before
    answer(peer, peer.offered[0], peer.setups[0])
    assert peer.trunk.open == after


def test_audio_may_go_on_whatever_the_signalling_says() -> None:
    peer = Peer(replace(HEALTHY, audio="always", hang_up=False), behaviour=refuse(CauseValue.CALL_REJECTED))
    peer.ports(OWN)
    assert peer.trunk.open == {"7101": 1}


# --- the recorder ends or refuses calls


def test_a_recorder_that_hangs_up_takes_its_port_out_of_the_call() -> None:
    peer = Peer()
    peer.ports(OWN, OTHER)
    peer.tell(peer.offered[0], layer3.Clear())
    assert peer.hung_up() == ["7101"]
    assert peer.trunk.open == {"7102": 2}
    assert [call.by for call in peer.finished()] == ["recorder"]


def test_a_port_stays_in_the_call_when_the_pbx_does_not_care() -> None:
    peer = Peer(replace(HEALTHY, hang_up=False))
    peer.ports(OWN)
    peer.tell(peer.offered[0], layer3.Clear())
    assert peer.hung_up() == []
    assert peer.trunk.open == {}
    peer.ports(OWN, OTHER)
    assert len(peer.setups) == 2


def test_a_refused_call_is_tried_as_often_as_configured() -> None:
    cause = CauseValue.REQUESTED_CHANNEL_NOT_AVAILABLE
    peer = Peer(replace(HEALTHY, attempts=3), behaviour=refuse(cause))
    peer.ports(OWN)
    assert len(peer.setups) == 3
    assert [call.cause for call in peer.finished()] == [cause] * 3
    assert peer.hung_up() == ["7101"]


def test_a_call_that_nobody_takes_is_given_up() -> None:  # 5.2.5.4: T303 twice
    peer = Peer(behaviour=ignore)
    peer.ports(OWN)
    peer.until(20.0)
    assert peer.said.count("SETUP") == 2
    assert peer.hung_up() == ["7101"]


# --- the link


def test_calls_outlive_a_short_break_of_the_link() -> None:
    peer = Peer()
    peer.ports(OWN)
    peer.deaf = True
    peer.until(40.0)
    assert not peer.trunk.up
    assert peer.trunk.open == {"7101": 1}
    peer.deaf = False
    peer.until(60.0)
    assert peer.trunk.up
    assert "STATUS_ENQUIRY" in peer.take()
    assert peer.finished() == []


def test_calls_end_when_the_link_is_lost_for_longer_than_t309() -> None:
    peer = Peer()
    peer.ports(OWN)
    peer.deaf = True
    peer.until(200.0)
    assert [(call.by, call.cause) for call in peer.finished()] == [("link", CauseValue.DESTINATION_OUT_OF_ORDER)]
    assert peer.hung_up() == ["7101"]


def test_a_fork_is_called_again_after_a_lost_link_when_its_port_stays() -> None:
    peer = Peer(replace(HEALTHY, hang_up=False))
    peer.ports(OWN)
    peer.deaf = True
    peer.until(200.0)
    peer.deaf = False
    peer.until(220.0)
    assert len(peer.setups) == 2
    assert peer.trunk.open == {"7101": 1}


def test_a_recorder_that_knows_nothing_of_a_call_any_more_ends_it() -> None:
    peer = Peer()
    peer.ports(OWN)
    peer.control.calls.clear()
    peer.deaf = True
    peer.until(40.0)
    peer.deaf = False
    peer.until(60.0)
    assert [call.by for call in peer.finished()] == ["recorder"]


def test_restart_of_the_recorder_frees_the_channels_it_names() -> None:
    peer = Peer()
    peer.ports(OWN, OTHER)
    peer.take()
    peer.restart(2)
    assert peer.take() == ["<RESTART", "RESTART_ACKNOWLEDGE"]
    assert peer.trunk.open == {"7101": 1}
    assert peer.hung_up() == ["7102"]


# --- calls of the recorder


def test_a_call_of_the_recorder_is_turned_down_where_the_pbx_calls() -> None:
    peer = Peer()
    id = peer.place((1,), SPEECH_A_LAW, time_slot(1))
    assert [(end.id, end.cause) for end in peer.ended] == [(id, CauseValue.CALL_REJECTED)]


@pytest.mark.parametrize("matching", ["channel", "calling", "called"])
def test_a_call_of_the_recorder_gets_the_fork_of_the_port_it_means(matching: str) -> None:
    peer = Peer(replace(HEALTHY, caller="recorder", matching=matching))  # type: ignore[arg-type]
    peer.ports(OTHER)
    assert peer.setups == []
    elements: dict[str, tuple[Element, ...]] = {
        "channel": (),
        "calling": (CallingPartyNumber("7102"),),
        "called": (CalledPartyNumber("7102"),),
    }
    peer.place((2,), SPEECH_A_LAW, time_slot(2), *elements[matching])
    assert peer.take()[-3:] == ["<SETUP", "CALL_PROCEEDING", "CONNECT"]
    assert peer.trunk.open == {"7102": 2}


def test_a_call_of_the_recorder_waits_for_its_fork() -> None:
    peer = Peer(replace(HEALTHY, caller="recorder"))
    peer.place((2,), SPEECH_A_LAW, time_slot(2))
    assert peer.take()[-2:] == ["CALL_PROCEEDING", "ALERTING"]
    peer.ports(OTHER)
    assert peer.take() == ["CONNECT"]
    assert peer.trunk.open == {"7102": 2}


def test_a_call_of_the_recorder_may_ask_for_its_fork() -> None:
    peer = Peer(replace(HEALTHY, caller="recorder", dialling=True))
    peer.place((2,), SPEECH_A_LAW, time_slot(2), CalledPartyNumber("*443100"))
    assert [outcome for outcome in peer.outcomes if isinstance(outcome, Dialled)] == [Dialled("7102", "*443100")]


def test_a_call_of_the_recorder_for_no_port_is_turned_down() -> None:
    peer = Peer(replace(HEALTHY, caller="recorder"))
    peer.place((9,), SPEECH_A_LAW, time_slot(9))
    assert [end.cause for end in peer.ended] == [CauseValue.UNALLOCATED_NUMBER]


def test_in_glare_the_call_of_the_pbx_comes_first() -> None:  # 5.7
    peer = Peer(replace(HEALTHY, caller="either"))
    peer.ports(OWN)
    peer.place((1,), SPEECH_A_LAW, time_slot(1))
    assert [end.cause for end in peer.ended] == [CauseValue.REQUESTED_CHANNEL_NOT_AVAILABLE]
    assert peer.trunk.open == {"7101": 1}


# --- the other dialects


@pytest.mark.parametrize("qsig", [False, True], ids=["dss1", "qsig"])
@pytest.mark.parametrize("side", Side)
def test_calls_go_from_either_end_in_every_dialect(qsig: bool, side: Side) -> None:
    peer = Peer(replace(HEALTHY, dialect=Dialect(qsig, side), caller="either"))
    peer.ports(OWN)
    peer.place((17,), SPEECH_A_LAW, time_slot(17))
    peer.ports(OWN, replace(THIRD, port="7104"))
    assert peer.trunk.open == {"7101": 1, "7104": 17}
    peer.ports()
    assert [call.by for call in peer.finished()] == ["pbx", "pbx"]
    assert peer.control.calls == {}


# --- faults


def test_a_late_release_comes_late_and_its_slot_is_idle_meanwhile() -> None:
    peer = Peer(faults=CallFaults(late_release=ALWAYS, late_seconds=3.0))
    peer.ports(OWN)
    peer.take()
    peer.ports(at=5.0)
    assert peer.take() == []
    assert peer.trunk.open == {}
    peer.until(8.0)
    assert "DISCONNECT" in peer.take()
    assert [call.faults for call in peer.finished()] == [("late release",)]


def test_a_missing_release_never_comes_and_the_port_is_called_again_all_the_same() -> None:
    peer = Peer(faults=CallFaults(missing_release=Strikes(every=2, ports=frozenset({"7101"}))))
    peer.ports(OWN)
    peer.ports(at=5.0)
    peer.until(500.0)
    assert peer.finished() == []
    peer.ports(OWN)
    assert len(peer.setups) == 2


def test_an_early_release_ends_the_call_and_not_the_fork() -> None:
    peer = Peer(faults=CallFaults(early_release=ALWAYS, early_seconds=2.0))
    peer.ports(OWN)
    assert peer.trunk.open == {"7101": 1}
    peer.until(2.0)
    assert peer.trunk.open == {}
    assert peer.hung_up() == []
    assert [(call.by, call.faults) for call in peer.finished()] == [("pbx", ("early release",))]


def test_a_duplicate_setup_has_the_same_reference_and_disturbs_nobody() -> None:
    peer = Peer(faults=CallFaults(duplicate_setup=ALWAYS))
    peer.ports(OWN)
    assert [setup.reference.value for setup in peer.setups] == [1, 1]
    assert len(peer.offered) == 1
    assert peer.trunk.open == {"7101": 1}


def test_a_double_seizure_calls_twice_for_one_slot() -> None:
    peer = Peer(faults=CallFaults(double_seizure=ALWAYS))
    peer.ports(OWN)
    assert [setup.reference.value for setup in peer.setups] == [1, 2]
    assert {setup.first(ChannelIdentification) for setup in peer.setups} == {time_slot(1)}
    assert [call.faults for call in peer.finished()] == [("double seizure",)]
    assert peer.trunk.open == {"7101": 1}
    assert peer.hung_up() == []


@pytest.mark.parametrize(("wrong", "announced"), [("next", 2), ("taken", 3), ("absent", 16)])
def test_a_wrong_channel_is_announced_and_the_audio_is_where_it_belongs(wrong: str, announced: int) -> None:
    faults = CallFaults(wrong_channel=Strikes(ports=frozenset({"7101"})), wrong=wrong)  # type: ignore[arg-type]
    peer = Peer(faults=faults)
    peer.ports(THIRD)
    peer.ports(THIRD, OWN)
    assert peer.setups[1].first(ChannelIdentification) == time_slot(announced)
    assert peer.trunk.open == {"7103": 3, "7101": 1}


def test_a_mute_call_is_answered_and_carries_nothing() -> None:
    peer = Peer(faults=CallFaults(mute=ALWAYS))
    peer.ports(OWN)
    assert "CONNECT_ACKNOWLEDGE" in peer.take()
    assert peer.trunk.open == {}


def test_in_an_outage_no_frame_gets_through_and_forks_wait_for_its_end() -> None:
    peer = Peer(faults=CallFaults(outages=(Outage(at=5.0, seconds=30.0),)))
    peer.ports(OWN)
    peer.until(4.9)
    frames = peer.frames_sent
    peer.until(20.0)
    assert not peer.trunk.up
    peer.ports(OWN, OTHER)
    peer.until(34.9)
    assert peer.frames_sent == frames
    peer.until(60.0)
    assert peer.trunk.open == {"7101": 1, "7102": 2}


def test_a_fault_strikes_one_in_so_many_and_only_in_its_time() -> None:
    faults = CallFaults(duplicate_setup=Strikes(every=2, between=(10.0, 20.0)))
    peer = Peer(faults=faults)
    for second in range(30):
        peer.ports(OWN, at=float(second))
        peer.ports(at=second + 0.5)
    assert peer.said.count("SETUP") == 30 + 5


# --- what a peer may say


@pytest.mark.parametrize("kind", MessageType)
def test_no_message_of_the_recorder_stops_the_trunk(kind: MessageType) -> None:
    peer = Peer()
    peer.ports(OWN)
    for id in (peer.offered[0], replace(peer.offered[0], value=99), replace(peer.offered[0], ours=True)):
        peer.say(kind, id)
    peer.ports()
    peer.until(300.0)
    assert peer.trunk.calls == {}
