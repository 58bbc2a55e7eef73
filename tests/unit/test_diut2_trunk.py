"""The PBX's calls by signalling bits: one slot for each fork, with what goes wrong with them."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from osrec.wire.q931.causes import CauseValue
from osrec_emulators.diun2.call_faults import CallFaults, Outage, Strikes
from osrec_emulators.diun2.trunk_events import (
    CasAligned,
    CasArrived,
    Due,
    Finished,
    HungUp,
    Output,
    Ports,
    SendCas,
    Start,
    TrunkCall,
)
from osrec_emulators.diut2.channel import (
    Answer,
    Channel,
    ChannelState,
    ChannelTimers,
    Clear,
    Codes,
    Connected,
    Ended,
    Event,
    Offered,
    Say,
    Seize,
    Signalled,
)
from osrec_emulators.diut2.channel import Due as SlotDue
from osrec_emulators.diut2.channel import Output as SlotOutput
from osrec_emulators.diut2.trunk import CasSettings, CasTrunk
from osrec_emulators.pbx.media import Fork, Side

CODES = Codes()
IDLE, SEIZE, ACKNOWLEDGE, ANSWER = CODES.idle, CODES.seize, CODES.acknowledge, CODES.answer
CLEAR_BACK = CODES.clear_back
ALWAYS = Strikes(every=1)
OWN = Fork("7101", "3100", Side.OWN, "01")
OTHER = Fork("7102", "3100", Side.OTHER, "01")
PLACES = {"7101": 1, "7102": 2, "7103": 17}


# --- one time slot


Step = tuple[float, Event, Sequence[SlotOutput]]


def play(steps: Sequence[Step], timers: ChannelTimers | None = None) -> Channel:
    channel = Channel(CODES, timers or ChannelTimers())
    for number, (now, event, outputs) in enumerate(steps):
        if isinstance(event, SlotDue):
            assert channel.deadline == now, number
        assert channel.handle(event, now) == list(outputs), number
    return channel


UP: list[Step] = [
    (0.0, Seize(), [Say(SEIZE)]),
    (0.1, Signalled(ACKNOWLEDGE), []),
    (0.2, Signalled(ANSWER), [Connected()]),
]


def test_a_slot_is_seized_acknowledged_and_answered() -> None:
    channel = play(UP)
    assert channel.state is ChannelState.ANSWERED
    assert channel.deadline is None


def test_a_slot_is_cleared_and_free_once_the_other_end_is_idle() -> None:
    ended = Ended(CauseValue.NORMAL_CALL_CLEARING, by_peer=False)
    channel = play([*UP, (1.0, Clear(), [Say(IDLE), ended])])
    assert not channel.free
    assert channel.handle(Signalled(IDLE), 1.1) == []
    assert channel.free


def test_clearing_back_ends_the_call() -> None:
    ended = Ended(CauseValue.NORMAL_CALL_CLEARING, by_peer=True)
    channel = play([*UP, (1.0, Signalled(CLEAR_BACK), [Say(IDLE), ended]), (1.1, Signalled(IDLE), [])])
    assert channel.free


def test_an_end_that_goes_idle_at_once_has_hung_up_too() -> None:
    ended = Ended(CauseValue.NORMAL_CALL_CLEARING, by_peer=True)
    assert play([*UP, (1.0, Signalled(IDLE), [Say(IDLE), ended])]).free


def test_a_seizure_that_is_not_acknowledged_is_given_up() -> None:
    ended = Ended(CauseValue.RECOVERY_ON_TIMER_EXPIRY, by_peer=False)
    play([(0.0, Seize(), [Say(SEIZE)]), (1.0, SlotDue(), [Say(IDLE), ended])])


def test_a_call_that_is_not_answered_is_given_up() -> None:
    ended = Ended(CauseValue.NO_ANSWER, by_peer=False)
    play([*UP[:2], (60.1, SlotDue(), [Say(IDLE), ended])])


def test_a_slot_that_never_goes_idle_is_taken_for_free() -> None:
    ended = Ended(CauseValue.NORMAL_CALL_CLEARING, by_peer=False)
    assert play([*UP, (1.0, Clear(), [Say(IDLE), ended]), (6.0, SlotDue(), [])]).free


def test_without_acknowledgement_the_answer_comes_at_once() -> None:
    steps: list[Step] = [(0.0, Seize(), [Say(SEIZE)]), (0.1, Signalled(ANSWER), [Connected()])]
    play(steps, ChannelTimers(acknowledge=None))


def test_both_ends_seizing_at_once_let_the_slot_go() -> None:
    ended = Ended(CauseValue.REQUESTED_CHANNEL_NOT_AVAILABLE, by_peer=True)
    play([(0.0, Seize(), [Say(SEIZE)]), (0.1, Signalled(SEIZE), [Say(IDLE), ended])])


def test_a_seizure_of_theirs_is_acknowledged_answered_and_cleared_by_them() -> None:
    ended = Ended(CauseValue.NORMAL_CALL_CLEARING, by_peer=True)
    channel = play(
        [
            (0.0, Signalled(SEIZE), [Say(ACKNOWLEDGE), Offered()]),
            (0.1, Answer(), [Say(ANSWER), Connected()]),
            (5.0, Signalled(IDLE), [ended, Say(IDLE)]),
        ]
    )
    assert channel.free


def test_a_seizure_of_theirs_that_we_clear_is_cleared_back() -> None:
    ended = Ended(CauseValue.NORMAL_CALL_CLEARING, by_peer=False)
    play(
        [
            (0.0, Signalled(SEIZE), [Say(ACKNOWLEDGE), Offered()]),
            (0.1, Answer(), [Say(ANSWER), Connected()]),
            (5.0, Clear(), [Say(CLEAR_BACK), ended]),
            (5.1, Signalled(IDLE), [Say(IDLE)]),
        ]
    )


def test_a_blocked_slot_is_not_seized() -> None:
    channel = play([(0.0, Signalled(CODES.blocked), []), (1.0, Seize(), [])])
    assert channel.state is ChannelState.BLOCKED
    channel.handle(Signalled(IDLE), 2.0)
    assert channel.handle(Seize(), 3.0) == [Say(SEIZE)]


@pytest.mark.parametrize("state", ChannelState)
@pytest.mark.parametrize("abcd", range(16))
def test_no_bits_stop_a_slot(state: ChannelState, abcd: int) -> None:
    channel = Channel(CODES, ChannelTimers())
    channel.state = state
    channel.handle(Signalled(abcd), 1.0)
    channel.handle(SlotDue(), 100.0)


# --- a line of them


class Line:
    """A trunk and what it said.

    Attributes:
        outcomes: what the PBX was told.
    """

    def __init__(self, settings: CasSettings | None = None, faults: CallFaults | None = None) -> None:
        self.trunk = CasTrunk(settings or CasSettings(), PLACES, faults or CallFaults())
        self.now = 0.0
        self.sent: dict[int, int] = {}
        self.outcomes: list[Output] = []
        self.give(Start())
        self.give(CasAligned(True))

    def give(self, event: Start | CasAligned | CasArrived | Ports | Due, at: float | None = None) -> None:
        self.now = self.now if at is None else at
        for output in self.trunk.handle(event, self.now):
            if isinstance(output, SendCas):
                self.sent[output.slot] = output.abcd
            else:
                self.outcomes.append(output)

    def ports(self, *forks: Fork, at: float | None = None) -> None:
        self.give(Ports({fork.port: fork for fork in forks}), at)

    def says(self, slot: int, *codes: int) -> None:
        for abcd in codes:
            self.give(CasArrived(slot, abcd))

    def until(self, now: float) -> None:
        while (due := self.trunk.deadline) is not None and due <= now:
            self.give(Due(), due)
        self.now = now

    def finished(self) -> list[TrunkCall]:
        return [outcome.call for outcome in self.outcomes if isinstance(outcome, Finished)]


def test_all_slots_are_idle_at_the_start() -> None:
    assert Line().sent == {1: IDLE, 2: IDLE, 17: IDLE}


def test_each_fork_has_its_slot_seized_and_carries_once_it_is_answered() -> None:
    line = Line()
    line.ports(OWN, OTHER)
    assert line.sent == {1: SEIZE, 2: SEIZE, 17: IDLE}
    line.says(1, ACKNOWLEDGE)
    assert line.trunk.open == {}
    line.says(1, ANSWER)
    assert line.trunk.open == {"7101": 1}


def up(line: Line) -> Line:
    line.ports(OWN)
    line.says(1, ACKNOWLEDGE, ANSWER)
    return line


def test_a_fork_that_ends_clears_its_slot() -> None:
    line = up(Line())
    line.ports(at=5.0)
    assert line.sent[1] == IDLE
    assert line.trunk.open == {}
    (call,) = line.finished()
    assert (call.ports, call.slots, call.by, call.ended_at) == (("7101",), (1,), "pbx", 5.0)


def test_a_port_that_goes_to_another_station_at_once_is_seized_anew() -> None:
    line = up(Line())
    line.ports(replace(OWN, station="3101"))
    assert line.sent[1] == IDLE
    line.says(1, IDLE)
    assert line.sent[1] == SEIZE


def test_a_fork_waits_for_a_slot_that_is_not_free_yet() -> None:
    line = up(Line())
    line.ports()
    line.ports(OWN)
    assert line.sent[1] == IDLE
    line.says(1, IDLE)
    assert line.sent[1] == SEIZE


def test_a_fork_waits_for_the_multiframe_of_the_recorder() -> None:
    line = Line()
    line.give(CasAligned(False))
    line.ports(OWN)
    assert line.sent[1] == IDLE
    line.give(CasAligned(True))
    assert line.sent[1] == SEIZE


def test_a_recorder_that_clears_takes_its_port_out_of_the_call() -> None:
    line = up(Line())
    line.says(1, CLEAR_BACK)
    assert HungUp("7101") in line.outcomes
    assert line.trunk.open == {}
    assert [call.by for call in line.finished()] == ["recorder"]


def test_calls_end_when_the_multiframe_is_lost_for_too_long() -> None:
    line = up(Line(CasSettings(keep=5.0)))
    line.give(CasAligned(False), at=10.0)
    line.until(14.9)
    assert line.trunk.open == {"7101": 1}
    line.until(15.0)
    assert line.trunk.open == {}
    assert [call.by for call in line.finished()] == ["link"]


def test_a_seizure_of_the_recorder_gets_the_fork_of_its_slot() -> None:
    line = Line(CasSettings(caller="recorder"))
    line.ports(OTHER)
    assert line.sent[2] == IDLE
    line.says(2, SEIZE)
    assert line.sent[2] == ANSWER
    assert line.trunk.open == {"7102": 2}


def test_a_seizure_of_the_recorder_waits_for_its_fork() -> None:
    line = Line(CasSettings(caller="recorder"))
    line.says(2, SEIZE)
    assert line.sent[2] == ACKNOWLEDGE
    line.ports(OTHER)
    assert line.sent[2] == ANSWER
    assert line.trunk.open == {"7102": 2}


def test_a_seizure_of_the_recorder_is_cleared_where_the_pbx_calls() -> None:
    line = Line()
    line.says(2, SEIZE)
    assert line.sent[2] == CLEAR_BACK
    line.says(2, IDLE)
    assert line.sent[2] == IDLE


@pytest.mark.parametrize(("audio", "before"), [("answer", {}), ("setup", {"7101": 1}), ("always", {"7101": 1})])
def test_audio_begins_when_it_is_to_begin(audio: str, before: dict[str, int]) -> None:
    line = Line(CasSettings(audio=audio))  # type: ignore[arg-type]
    line.ports(OWN)
    assert line.trunk.open == before
    line.says(1, ACKNOWLEDGE, ANSWER)
    assert line.trunk.open == {"7101": 1}


def test_codes_are_those_that_were_agreed_on() -> None:
    codes = Codes(idle=0b0101, seize=0b1101, answer=0b1101, acknowledge=0b0001, clear_back=0b0101)
    line = Line(CasSettings(codes=codes, timers=ChannelTimers(acknowledge=None)))
    line.ports(OWN)
    assert line.sent[1] == 0b1101
    line.says(1, 0b1101)
    assert line.trunk.open == {"7101": 1}


def test_a_late_release_comes_late_and_its_slot_is_idle_meanwhile() -> None:
    line = up(Line(faults=CallFaults(late_release=ALWAYS, late_seconds=3.0)))
    line.ports(at=5.0)
    assert line.trunk.open == {}
    assert line.sent[1] == SEIZE
    line.until(8.0)
    assert line.sent[1] == IDLE
    assert [call.faults for call in line.finished()] == [("late release",)]


def test_a_missing_release_never_comes() -> None:
    line = up(Line(faults=CallFaults(missing_release=ALWAYS)))
    line.ports(at=5.0)
    line.until(500.0)
    assert line.sent[1] == SEIZE
    assert line.finished() == []


def test_an_early_release_ends_the_call_and_not_the_fork() -> None:
    line = up(Line(faults=CallFaults(early_release=ALWAYS, early_seconds=2.0)))
    line.until(2.0)
    assert line.sent[1] == IDLE
    assert line.trunk.open == {}
    assert not any(isinstance(outcome, HungUp) for outcome in line.outcomes)


def test_a_wrong_slot_is_seized_and_the_audio_is_where_it_belongs() -> None:
    line = Line(faults=CallFaults(wrong_channel=ALWAYS))
    line.ports(OWN)
    assert line.sent == {1: IDLE, 2: SEIZE, 17: IDLE}
    line.says(2, ACKNOWLEDGE, ANSWER)
    assert line.trunk.open == {"7101": 1}


def test_a_mute_call_is_answered_and_carries_nothing() -> None:
    line = up(Line(faults=CallFaults(mute=ALWAYS)))
    assert line.trunk.open == {}
    assert line.sent[1] == SEIZE


def test_in_an_outage_no_bits_get_through_and_after_it_those_of_now() -> None:
    line = up(Line(faults=CallFaults(outages=(Outage(at=5.0, seconds=10.0),))))
    line.ports(OWN, OTHER, at=6.0)
    line.says(1, CLEAR_BACK, IDLE)
    assert line.sent == {1: SEIZE, 2: IDLE, 17: IDLE}
    assert line.trunk.open == {"7101": 1}
    line.until(15.0)
    assert line.sent[1] == IDLE
    assert [call.by for call in line.finished()] == ["pbx", "recorder"]
    assert line.trunk.open == {}


def test_what_belongs_to_no_slot_of_the_line_is_passed_over() -> None:
    line = up(Line())
    line.says(9, SEIZE)
    assert replace(line.trunk.calls[1], ports=("7101",)) == line.trunk.calls[1]
    assert line.trunk.calls.keys() == {1}
