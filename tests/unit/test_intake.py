"""What a board gives keeps step with the clock, whatever is lost on the way; time is an argument."""

import random

import pytest

from osrec_drivers.e1.engine import Engine
from osrec_drivers.intake import FRAME, FRAME_NS, Intake, Limits
from osrec_drivers.line import Alarm, Anchor, Gap, GapCause

MS = 1_000_000
BEGIN = 50_000 * MS
CHUNK = 160  # frames: 20 ms
DICE = random.Random(11)


class Feed:
    """Frames of a far end whose clock never stops, given to an intake when a test says so.

    Slot 1 counts frames modulo 251, so that a shift by any number of frames but multiples of that shows.
    """

    def __init__(self, *, ppm: float = 0.0, resume: Anchor | None = None, limits: Limits | None = None) -> None:
        self.engine = Engine(crc4=False, capacity=1 << 17, resume=resume)
        self.intake = Intake(self.engine, limits, writes_ts0=True)
        self.count = 0  # frames that the far end has sent
        self._ppm = ppm

    def frames(self, count: int) -> bytes:
        octets = bytearray(FRAME * count)
        octets[1::FRAME] = bytes((self.count + number) % 251 for number in range(count))
        self.count += count
        return bytes(octets)

    def due(self) -> int:
        """When the last frame that was sent is there, without delay."""
        return BEGIN + int(self.count * FRAME_NS * (1 - self._ppm / 1e6))

    def give(self, count: int = CHUNK, late: int = 0, **more: int) -> None:
        octets = self.frames(count)
        self.intake.take(octets, self.due() + late, **more)  # type: ignore[arg-type]

    def run(self, chunks: int) -> None:
        for _ in range(chunks):
            self.give(late=DICE.randrange(3 * MS))
            self.intake.tick(self.due())

    def gaps(self) -> list[Gap]:
        return self.engine.gaps(0, 1 << 40)

    def shift(self, first: int, count: int) -> int:
        """By how much slot 1 is away from its sample numbers there; it must be so everywhere."""
        heard = self.engine.read(1, first, count)
        away = {(octet - sample) % 251 for sample, octet in enumerate(heard, first)}
        assert len(away) == 1, "in one piece"
        return away.pop()


def test_what_comes_in_time_has_no_gap() -> None:
    feed = Feed()
    feed.run(50)
    assert feed.gaps() == []
    assert feed.engine.head == 50 * CHUNK
    assert feed.shift(0, 50 * CHUNK) == 0
    assert feed.intake.alarms == set()


def test_what_comes_late_and_catches_up_is_not_lost() -> None:
    feed = Feed()
    feed.run(10)
    feed.give(late=200 * MS)
    feed.give(late=180 * MS)
    assert feed.engine.head == 10 * CHUNK, "held back while in doubt"
    feed.give(late=10 * MS)
    feed.run(5)
    assert feed.gaps() == []
    assert feed.engine.head == 18 * CHUNK


def test_what_waited_for_us_goes_in_at_once_and_the_gap_is_behind_it() -> None:
    feed = Feed()
    feed.run(10)
    feed.give(1600, late=900 * MS, fresh=False)  # all that a full socket held
    assert feed.engine.head == 10 * CHUNK + 1600
    feed.frames(5440)  # dropped while it was full
    feed.run(20)
    (gap,) = feed.gaps()
    assert (gap.first, gap.cause) == (10 * CHUNK + 1600, GapCause.OVERRUN)
    assert gap.count == pytest.approx(5440, abs=24)  # 3 ms
    assert feed.intake.lost == gap.count
    assert feed.intake.overruns == 1
    end = gap.first + gap.count
    assert feed.shift(end, feed.engine.head - end) == (5440 - gap.count) % 251


def test_a_loss_shows_as_a_delay_that_stays() -> None:
    feed = Feed()
    feed.run(10)
    feed.frames(800)
    feed.run(20)
    (gap,) = feed.gaps()
    assert gap.first == 10 * CHUNK
    assert gap.count == pytest.approx(800, abs=24)
    assert feed.engine.head == feed.count - 800 + gap.count


def test_a_far_end_with_another_clock_loses_nothing() -> None:
    for ppm in (-100.0, 100.0):
        feed = Feed(ppm=ppm, limits=Limits(late=8 * MS))  # which that clock is away after 80 s
        for _ in range(160):
            feed.give(8000, late=DICE.randrange(3 * MS))
        assert feed.gaps() == []
        assert feed.intake.lost == 0
        assert feed.intake.ppm() == pytest.approx(ppm, abs=10)


def test_octets_that_trickle_away_are_found_in_the_end() -> None:
    feed = Feed()
    for _ in range(150):
        feed.give(7992)
        feed.frames(8)  # a packet of one USB transfer in a second: 1000 ppm
    feed.run(20)
    assert feed.gaps()
    assert {gap.cause for gap in feed.gaps()} == {GapCause.OVERRUN}
    assert feed.engine.head == pytest.approx(feed.count, abs=600)  # late by as much as may be a clock's doing


def test_what_the_board_says_is_missing_is_exact() -> None:
    feed = Feed()
    feed.run(10)
    feed.frames(24)
    feed.give(lost=24)
    assert feed.gaps() == [Gap(10 * CHUNK, 24, GapCause.OVERRUN)]
    assert feed.shift(10 * CHUNK + 24, CHUNK) == 0


def test_a_board_that_begins_to_count_anew_has_lost_nothing() -> None:
    feed = Feed()
    feed.run(10)
    feed.give(late=2 * MS, lost=156, circle=256)  # its count went back by 100
    feed.run(5)
    assert feed.gaps() == []


@pytest.mark.parametrize("lost", [24, 200, 480, 900, 2048, 5003])
def test_a_count_that_goes_round_says_exactly_what_the_clock_says_roughly(lost: int) -> None:
    feed = Feed()
    feed.run(10)
    feed.frames(lost)
    feed.give(late=3 * MS, lost=lost % 256, circle=256)
    for _ in range(20):
        feed.give(late=2 * MS, lost=0, circle=256)
    if lost % 256:
        assert feed.gaps() == [Gap(10 * CHUNK, lost, GapCause.OVERRUN)]
        assert feed.shift(10 * CHUNK + lost, 20 * CHUNK) == 0
    else:  # then nothing but the clock shows it
        assert sum(gap.count for gap in feed.gaps()) == pytest.approx(lost, abs=24)


def test_a_loss_that_the_board_confesses_is_found_however_short() -> None:
    feed = Feed()
    feed.run(10)
    feed.intake.suspect(feed.due(), 16)
    feed.frames(48)
    for _ in range(20):
        feed.give(late=MS // 2)
    assert feed.gaps() == [Gap(10 * CHUNK, 48, GapCause.OVERRUN)]


def test_a_confession_without_a_loss_costs_nothing() -> None:
    feed = Feed()
    feed.run(10)
    feed.intake.suspect(feed.due(), 16)
    for _ in range(20):
        feed.give(late=MS // 2)
    assert feed.gaps() == []
    assert feed.intake.overruns == 0


def test_what_is_held_back_when_the_board_goes_is_not_lost() -> None:
    feed = Feed()
    feed.run(10)
    feed.give(late=200 * MS)
    feed.intake.gone()
    assert feed.engine.head >= 11 * CHUNK
    assert feed.engine.read(1, feed.engine.head - 1, 1) == bytes([(11 * CHUNK - 1) % 251])


def test_silence_is_an_alarm_and_time_goes_on() -> None:
    feed = Feed()
    feed.run(10)
    feed.frames(16000)
    feed.intake.tick(feed.due())
    assert feed.intake.alarms == {Alarm.NO_PACKETS}
    assert 10 * CHUNK + 11000 < feed.engine.head < 10 * CHUNK + 16000, "behind the clock, so never too much"
    feed.run(3)
    assert feed.intake.alarms == set()
    assert {gap.cause for gap in feed.gaps()} == {GapCause.NO_PACKETS}
    assert sum(gap.count for gap in feed.gaps()) == pytest.approx(16000, abs=24)
    assert [change.raised for change in feed.intake.changes()] == [True, False]
    assert feed.intake.changes() == []
    assert feed.intake.lost == 0, "silence is not a loss on our side"


def test_a_board_that_never_speaks_is_an_alarm_too() -> None:
    feed = Feed()
    feed.intake.tick(BEGIN)
    feed.intake.tick(BEGIN + 400 * MS)
    assert feed.intake.alarms == set()
    feed.intake.tick(BEGIN + 600 * MS)
    assert feed.intake.alarms == {Alarm.NO_PACKETS}
    assert feed.engine.head == 0
    feed.run(1)
    assert feed.intake.alarms == set()
    assert feed.engine.head == CHUNK


def test_what_comes_while_the_board_has_no_signal_is_a_gap() -> None:
    feed = Feed()
    feed.run(10)
    feed.intake.alarm(Alarm.LOS, True, GapCause.LOS)
    feed.run(5)
    feed.intake.alarm(Alarm.RAI, True)
    feed.intake.alarm(Alarm.LOS, False)
    feed.run(5)
    assert feed.gaps() == [Gap(10 * CHUNK, 5 * CHUNK, GapCause.LOS)]
    assert feed.intake.alarms == {Alarm.RAI}
    changes = [(change.alarm, change.raised, change.sample) for change in feed.intake.changes()]
    assert changes == [
        (Alarm.LOS, True, 10 * CHUNK),
        (Alarm.RAI, True, 15 * CHUNK),
        (Alarm.LOS, False, 15 * CHUNK),
    ]


def test_silence_without_signal_is_called_no_signal() -> None:
    feed = Feed()
    feed.run(10)
    feed.intake.alarm(Alarm.LOS, True, GapCause.LOS)
    feed.frames(16000)
    feed.intake.tick(feed.due())
    assert feed.intake.alarms == {Alarm.LOS}
    feed.intake.alarm(Alarm.LOS, False)
    feed.run(3)
    assert {gap.cause for gap in feed.gaps()} == {GapCause.LOS}


def test_a_board_that_is_gone_takes_its_alarms_along() -> None:
    feed = Feed()
    feed.run(10)
    feed.intake.alarm(Alarm.LOS, True, GapCause.LOS)
    feed.intake.gone()
    assert feed.intake.alarms == {Alarm.UNPLUGGED}
    feed.frames(40000)
    feed.intake.tick(feed.due())
    assert feed.intake.alarms == {Alarm.UNPLUGGED}
    feed.run(3)
    assert feed.intake.alarms == set()
    assert {gap.cause for gap in feed.gaps()} == {GapCause.UNPLUGGED}
    assert sum(gap.count for gap in feed.gaps()) == pytest.approx(40000, abs=24)


def test_numbers_go_on_from_an_anchor_by_the_clock() -> None:
    anchor = Anchor(5000, 0, BEGIN - 1000 * MS)
    feed = Feed(resume=anchor)
    feed.give()
    assert feed.engine.oldest == 5000
    assert feed.gaps() == [Gap(5000, 8000, GapCause.NOT_LISTENING)]
    assert feed.engine.head == 13000 + CHUNK


def test_when_a_frame_is_due_does_not_depend_on_how_late_the_last_one_was() -> None:
    feed = Feed()
    feed.run(20)
    feed.give(late=40 * MS)
    assert feed.intake.due(21 * CHUNK) == pytest.approx(feed.due(), abs=3 * MS)


def test_an_anchor_from_the_future_makes_no_gap() -> None:
    feed = Feed(resume=Anchor(5000, 0, BEGIN + 1000 * MS))
    feed.give()
    assert feed.gaps() == []
    assert feed.engine.head == 5000 + CHUNK
