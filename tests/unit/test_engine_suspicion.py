"""Slots that stay silent while their calls talk."""

from osrec.engine import messages as out
from osrec.engine.alarms import AlarmCleared, AlarmRaised
from tests.unit.engine_bench import PAIRS, SILENT, A, B, Bench, C, every, one


def call_with(bench: Bench, call: int, own: float, other: float, seconds: float = 25.0) -> list[out.Output]:
    """A call of A that brings so much on its two slots."""
    bench.recorded(call, A, "9001")
    bench.now += seconds
    bench.listen(own, other)
    outputs = bench.hang_up(call, A)
    bench.timers(1.0)
    return outputs


def suspects(outputs: list[out.Output]) -> list[AlarmRaised]:
    return [alarm for alarm in every(outputs, AlarmRaised) if alarm.key.startswith("suspect-slot")]


def test_a_slot_that_was_silent_in_three_calls_is_reported_with_what_to_check() -> None:
    bench = Bench(pairs=PAIRS[:1])
    assert not suspects(call_with(bench, 1, -20, SILENT))
    assert not suspects(call_with(bench, 2, -20, SILENT))
    (alarm,) = suspects(call_with(bench, 3, -20, SILENT))
    assert alarm.key == "suspect-slot:trunk1:2"
    assert "slot 2 of trunk1 (other side) was silent in its last 3 calls" in alarm.text
    assert "the other slot of its pair had audio in 3 of them" in alarm.text
    assert "Check that port 7102" in alarm.text


def test_a_suspected_pair_is_used_when_there_is_no_other() -> None:
    bench = Bench()
    for call in range(1, 7):  # the two pairs take turns
        call_with(bench, call, -20, SILENT if call % 2 else -20)
    assert bench.recorded(7, A, "9001").pair == PAIRS[1]
    assert bench.recorded(8, B, "9002").pair == PAIRS[0]


def test_a_suspected_pair_is_avoided_while_another_is_free() -> None:
    bench = Bench()
    for call in range(1, 7):
        call_with(bench, call, -20, SILENT if call % 2 else -20)
    for call in range(7, 10):
        assert bench.recorded(call, A, "9001").pair == PAIRS[1]
        bench.hang_up(call, A)
        bench.timers(1.0)


def test_energy_clears_the_suspicion() -> None:
    bench = Bench(pairs=PAIRS[:1])
    for call in range(1, 4):
        call_with(bench, call, -20, SILENT)
    bench.recorded(4, A, "9001")
    assert AlarmCleared("suspect-slot:trunk1:2") in bench.listen(-20, -20)
    bench.hang_up(4, A)
    bench.timers(1.0)
    assert not suspects(call_with(bench, 5, -20, SILENT)), "counted anew"


def test_one_call_with_energy_between_silent_ones_is_no_suspicion() -> None:
    bench = Bench(pairs=PAIRS[:1])
    for call in range(1, 6):
        assert not suspects(call_with(bench, call, -20, -20 if call == 3 else SILENT))


def test_short_calls_say_nothing() -> None:
    bench = Bench(pairs=PAIRS[:1])
    for call in range(1, 6):
        assert not suspects(call_with(bench, call, -20, SILENT, bench.config.quiet_after - 1))


def test_both_slots_of_a_pair_that_brings_nothing_are_suspected() -> None:
    bench = Bench(pairs=PAIRS[:1])
    outputs = [one for call in range(1, 4) for one in call_with(bench, call, SILENT, SILENT)]
    assert {alarm.key for alarm in suspects(outputs)} == {"suspect-slot:trunk1:1", "suspect-slot:trunk1:2"}
    assert one(bench.call(4, C, "9003"), out.Listen).pair == PAIRS[0]
