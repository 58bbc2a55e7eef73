"""The signalling of all lines: what one of them does wrong costs no other, and alarms about calls go with time."""

from osrec.engine.alarms import AlarmCleared, AlarmRaised, Severity
from osrec.engine.messages import Released, SignallingChanged
from osrec.recorder.trunk_news import QUIET, News, Settled, TrunkAlarms, Unexpected
from osrec.recorder.trunks import CALM, FAULTY, Trunks


class Scripted:
    """A trunk that says what it is given, or fails for as long as it shall."""

    up = True

    def __init__(self, *news: News) -> None:
        self.failing = False
        self._news = list(news)

    def step(self, now: float) -> list[News]:
        if self.failing:
            raise RuntimeError(f"broken at {now:g}")
        news, self._news = self._news, []
        return news

    def hang_up(self, slot: int, now: float) -> list[News]:
        return self.step(now)

    def reference(self, slot: int) -> None:
        """There is none."""

    def state(self) -> dict[str, object]:
        return {}

    def close(self) -> None:
        """Nothing is open."""


RELEASED = Released("good", 1, "7101", "the PBX cleared it")


def trunks(*, failing: bool = True) -> tuple[Trunks, Scripted]:
    """A good one before and behind one that fails."""
    broken = Scripted()
    broken.failing = failing
    all_of_them = Trunks()
    all_of_them.begin({"good": Scripted(RELEASED), "broken": broken, "last": Scripted(RELEASED)})
    return all_of_them, broken


def test_a_trunk_that_fails_costs_no_other_its_news() -> None:
    all_of_them, _ = trunks()
    assert all_of_them.step(0.0) == [RELEASED, RELEASED]


def test_a_trunk_that_keeps_failing_counts_as_down_until_it_has_been_well_for_a_while() -> None:
    all_of_them, broken = trunks()
    all_of_them.step(0.0)
    assert all_of_them.step(FAULTY / 2) == []
    why = "a fault of ours, see the log: RuntimeError: broken at 1"
    assert all_of_them.step(FAULTY) == [SignallingChanged("broken", up=False, why=why)]
    assert all_of_them.step(FAULTY + 0.5) == [], "told once"
    broken.failing = False
    assert all_of_them.step(FAULTY + 1.0) == []
    assert all_of_them.step(FAULTY + 0.5 + CALM) == [SignallingChanged("broken", up=True)]
    assert all_of_them.step(FAULTY + 1.0 + CALM) == []


def test_a_single_fault_is_no_outage() -> None:
    all_of_them, broken = trunks()
    all_of_them.step(0.0)
    broken.failing = False
    all_of_them.step(1.0)
    assert all_of_them.step(2.0 + CALM) == []


def test_a_trunk_that_fails_to_hang_up_raises_nothing() -> None:
    all_of_them, _ = trunks()
    assert all_of_them.hang_up("broken", 1, 0.0) == []


def test_an_alarm_about_a_call_is_over_when_no_other_such_call_has_come_for_long() -> None:
    alarms, call = TrunkAlarms(), Unexpected("turned-away:trunk1", "refused")
    assert alarms.take(call, 0.0) == AlarmRaised("turned-away:trunk1", Severity.WARNING, "refused")
    alarms.take(call, 100.0)
    assert alarms.over(QUIET) == []
    assert alarms.over(QUIET + 100.0) == [AlarmCleared("turned-away:trunk1")]
    assert alarms.over(QUIET + 200.0) == []


def test_what_does_not_pass_stands_until_it_is_settled() -> None:
    alarms = TrunkAlarms()
    alarms.take(Unexpected("signalling-restart:trunk1", "no answer", passes=False), 0.0)
    assert alarms.over(10 * QUIET) == []
    assert alarms.take(Settled("signalling-restart:trunk1"), 1.0) == AlarmCleared("signalling-restart:trunk1")
