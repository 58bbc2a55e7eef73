"""A time slot with channel associated signalling, told as what the PBX sends and what the recorder says to it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from osrec.cas.settings import CasConfig
from osrec.cas.slot import (
    Answered,
    CasSlot,
    Clear,
    CodeSeen,
    Event,
    MultiframeFound,
    MultiframeLost,
    Output,
    Over,
    SendCode,
    State,
    TimerExpired,
    Trouble,
)
from osrec.errors import UsageError

CONFIG = CasConfig()
EVENTS: list[Event] = [*map(CodeSeen, range(16)), MultiframeLost(), MultiframeFound(), Clear()]
IDLE, SEIZE, BLOCK = CodeSeen(0b1001), CodeSeen(0b0001), CodeSeen(0b1101)


class Slot:
    """A slot, and time that goes on by itself."""

    def __init__(self, config: CasConfig = CONFIG) -> None:
        self.machine = CasSlot(config)
        self.now = 0.0

    def hears(self, event: Event, seconds: float = 1.0) -> list[Output]:
        """What comes of an event and of the time after it."""
        outputs = self.machine.handle(event, self.now)
        return outputs + self.waits(seconds)

    def waits(self, seconds: float) -> list[Output]:
        end, outputs = self.now + seconds, list[Output]()
        while (due := self.machine.deadline) is not None and due <= end:
            self.now = max(self.now, due)
            outputs += self.machine.handle(TimerExpired(), self.now)
        self.now = end
        return outputs


def test_a_seizure_is_acknowledged_and_answered_and_its_clearing_frees_the_slot() -> None:
    slot = Slot()
    slot.hears(IDLE)
    assert slot.hears(SEIZE) == [SendCode(CONFIG.our_ack or 0), SendCode(CONFIG.our_answer), Answered()]
    assert slot.hears(IDLE) == [SendCode(CONFIG.our_idle), Over("the PBX cleared it")]
    assert slot.machine.state is State.IDLE


def test_a_code_counts_when_it_has_stood_long_enough() -> None:
    slot = Slot()
    slot.hears(IDLE)
    assert slot.hears(SEIZE, CONFIG.recognition - 0.001) == []
    assert slot.hears(IDLE) == []
    assert slot.machine.state is State.IDLE


def test_the_answer_comes_after_the_time_that_is_set() -> None:
    slot = Slot(CasConfig(answer_after=2.0, our_ack=None, recognition=0.0))
    slot.hears(IDLE)
    assert slot.hears(SEIZE, 1.9) == []
    assert slot.waits(0.2) == [SendCode(CONFIG.our_answer), Answered()]


def test_a_call_that_is_cleared_before_the_answer_was_never_there() -> None:
    slot = Slot(CasConfig(answer_after=2.0))
    slot.hears(IDLE)
    slot.hears(SEIZE, 1.0)
    assert slot.hears(IDLE) == [SendCode(CONFIG.our_idle)]


def test_our_clearing_waits_for_the_pbx_and_says_when_it_does_not_follow() -> None:
    slot = Slot()
    slot.hears(SEIZE)
    assert slot.hears(Clear()) == [SendCode(CONFIG.our_clear), Over("we cleared it")]
    assert slot.waits(9.5) == [Trouble("the PBX has not ended a call that we cleared 10 s ago")]
    assert slot.hears(IDLE) == [SendCode(CONFIG.our_idle)]
    assert slot.hears(SEIZE)[-1] == Answered(), "and it is good for the next call"


def test_a_call_of_an_earlier_run_is_over_when_the_pbx_clears_it() -> None:
    slot = Slot()
    slot.machine = CasSlot(CONFIG, answered=True)
    assert slot.hears(SEIZE) == [], "it is up, and was answered"
    assert slot.hears(IDLE) == [SendCode(CONFIG.our_idle), Over("the PBX cleared it")]


def test_clearing_a_slot_without_a_call_is_nothing() -> None:
    slot = Slot()
    slot.hears(IDLE)
    assert slot.hears(Clear()) == []


def test_a_call_goes_on_while_the_multiframe_is_lost_and_ends_when_it_stays_lost() -> None:
    slot = Slot()
    slot.hears(SEIZE)
    assert slot.hears(MultiframeLost(), 60.0) == []
    assert slot.hears(SEIZE, 60.0) == []
    assert slot.hears(MultiframeLost(), 89.0) == []
    assert slot.waits(2.0) == [SendCode(CONFIG.our_idle), Over("its CAS multiframe stayed lost")]


def test_a_multiframe_that_is_found_again_ends_the_patience_before_any_code_is_seen() -> None:
    slot = Slot()
    slot.hears(SEIZE)
    slot.hears(MultiframeLost())
    assert slot.hears(MultiframeFound(), 200.0) == []
    assert slot.machine.state is State.ANSWERED


def test_a_code_that_is_told_twice_stands_since_the_first_time() -> None:
    slot = Slot()
    slot.hears(IDLE)
    slot.hears(SEIZE, CONFIG.recognition * 0.75)
    assert slot.hears(SEIZE, CONFIG.recognition * 0.5) == [SendCode(CONFIG.our_ack or 0)]


def test_a_slot_that_the_pbx_blocks_is_free_again_when_it_says_idle() -> None:
    slot = Slot()
    slot.hears(IDLE)
    assert slot.hears(BLOCK) == []
    assert slot.machine.state is State.BLOCKED
    slot.hears(IDLE)
    assert slot.hears(SEIZE)[-1] == Answered()


def test_a_code_that_is_none_is_told_with_its_bits() -> None:
    slot = Slot()
    assert slot.hears(CodeSeen(0b0110)) == [
        Trouble("abcd 0110 is no code of this trunk: check the codes in [lines.cas]")
    ]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"our_idle": 0}, "our_idle = 0000: four bits, and not 0000"),
        ({"their_seize": 16}, "their_seize = 10000: four bits"),
        ({"their_seize": 0b1001}, "their_idle and their_seize are both 1001"),
        ({"our_answer": 0b1001}, "our_idle and our_answer are both 1001"),
        ({"our_clear": 0b0101}, "our_clear and our_answer are both 0101"),
        ({"our_ack": 0b1001}, "our_ack and our_idle are both 1001"),
        ({"recognition": -1.0}, "recognition = -1 s: a number of seconds, 0 or more"),
        ({"loss_patience": float("inf")}, "loss_patience = inf s: a number of seconds"),
        ({"clear_patience": 0.0}, "clear_patience = 0 s: more than 0"),
    ],
)
def test_codes_that_cannot_work_are_refused(changes: dict[str, float], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        CasConfig(**changes)  # type: ignore[arg-type]


@given(st.lists(st.tuples(st.sampled_from(EVENTS), st.floats(0, 20))))
def test_whatever_comes_a_call_that_was_answered_is_over_before_the_next_is(events: list[tuple[Event, float]]) -> None:
    slot, up = Slot(), False
    for event, seconds in events:
        for output in slot.hears(event, seconds):
            if isinstance(output, Answered):
                assert not up
                up = True
            elif isinstance(output, Over):
                assert up
                up = False
    slot.hears(IDLE)
    assert slot.machine.state is State.IDLE
