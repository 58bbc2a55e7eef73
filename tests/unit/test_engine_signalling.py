"""Trunks with signalling: the PBX calls the ports, and leases agree with its calls."""

import pytest

from osrec.csta.messages import LinkDown, Lost, ServiceAnswered
from osrec.engine import messages as out
from osrec.engine.alarms import AlarmCleared, AlarmRaised
from osrec.engine.bearers import PATIENCE
from osrec.engine.messages import HangUp, Released, Seized, SignallingChanged
from osrec.engine.pool import Pair, Port
from osrec.engine.rules import Rule, RuleSet
from osrec.numbers import Patterns
from tests.unit.csta_events import established, parties
from tests.unit.engine_bench import PAIRS, A, B, Bench, C, every, forks, one

OTHER_LINE = Pair("trunk2", Port(1, "7201"), Port(2, "7202"))


def bench(*pairs: Pair) -> Bench:
    made = Bench(pairs=list(pairs or PAIRS), signalled=("trunk1",))
    made.give(SignallingChanged("trunk1", up=True))
    return made


def called(bench: Bench, *ports: tuple[str, int]) -> list[out.Output]:
    """The PBX's calls to ports are through, each on a slot."""
    return [output for port, slot in ports for output in bench.give(Seized("trunk1", slot, port))]


def released(bench: Bench, *ports: tuple[str, int]) -> list[out.Output]:
    return [output for port, slot in ports for output in bench.give(Released("trunk1", slot, port, "cause 16"))]


def recorded(bench: Bench) -> out.Open:
    bench.grant(bench.call())
    return one(called(bench, ("7101", 1), ("7102", 2)), out.Open)


def test_a_recording_begins_when_both_its_ports_are_called() -> None:
    site = bench()
    assert not every(site.grant(site.call()), out.Open)
    assert not every(called(site, ("7101", 1)), out.Open)
    assert one(called(site, ("7102", 2)), out.Open).pair == PAIRS[0]


def test_the_calls_may_come_before_the_answer_over_csta() -> None:
    site = bench()
    outputs = site.call()
    assert not every(called(site, ("7101", 1), ("7102", 2)), out.Open)
    assert one(site.grant(outputs), out.Open).pair == PAIRS[0]


def test_the_slots_are_those_that_the_calls_name() -> None:
    site = bench()
    site.grant(site.call())
    began = site.now
    site.after(0.2, Seized("trunk1", 29, "7102"))
    outputs = site.after(0.3, Seized("trunk1", 7, "7101"))
    where = Pair("trunk1", Port(7, "7101"), Port(29, "7102"))
    assert one(outputs, out.Open).pair == where
    listen = one(outputs, out.Listen)
    assert (listen.pair, listen.reach_back) == (where, False)
    assert listen.since is not None
    assert listen.since < began, "all that came since it was asked for, by the first look at the line"
    assert [r.channels for r in site.engine.recordings.values()] == [where]
    assert site.engine.pool.owner(PAIRS[0]) == listen.recording, "the lease is of the ports"


def test_what_a_call_before_had_on_the_slot_is_none_of_the_recording() -> None:
    site = bench()
    called(site, ("7103", 29))
    site.grant(site.call())
    site.after(0.1, Seized("trunk1", 7, "7101"))
    site.after(0.1, Released("trunk1", 29, "7103", "cause 16"))
    freed = site.now
    assert one(site.after(0.1, Seized("trunk1", 29, "7102")), out.Listen).since == freed


def test_a_fork_that_is_granted_without_a_call_to_the_ports_is_tried_on_another_pair() -> None:
    site = bench()
    site.grant(site.call())
    called(site, ("7101", 1))
    outputs = site.timers(site.config.fork_timeout)
    assert one(outputs, out.Listen).pair == PAIRS[1]
    released(site, ("7101", 1))
    site.grant(outputs)
    site.timers(site.config.fork_timeout)
    texts = [alarm.text for alarm in every(site.outputs, AlarmRaised) if alarm.key == "fork-refused"]
    assert texts == [
        "the PBX refused to fork station 3100: granted, but no call came to ports 7103 and 7104 over the signalling of "
        "trunk1 for 3 s: does the PBX route these numbers to this trunk?"
    ]
    assert not every(site.outputs, out.Open)


def test_a_call_that_is_over_before_its_ports_are_called_gives_its_pair_back() -> None:
    site = bench()
    site.grant(site.call())
    site.hang_up()
    site.timers(site.config.tail + 1.0)
    assert site.engine.pool.leased == 0
    assert not site.engine.recordings
    assert not every(called(site, ("7101", 1), ("7102", 2)), out.Open)


def test_a_pair_whose_port_is_still_called_goes_to_nobody() -> None:
    site = bench(PAIRS[0])
    recorded(site)
    site.hang_up()
    assert not forks(site.timers(1.0))
    assert not forks(site.call(2, A, B))
    assert not forks(released(site, ("7101", 1)))
    assert forks(released(site, ("7102", 2)))


def test_a_call_that_the_pbx_forgets_to_end_is_ended_by_us() -> None:
    site = bench()
    recorded(site)
    site.hang_up()
    site.timers(site.config.tail + 0.1)
    released(site, ("7101", 1))
    outputs = site.timers(PATIENCE)
    assert [(one.line, one.slot) for one in every(outputs, HangUp)] == [("trunk1", 2)]
    assert one(outputs, AlarmRaised).key == "slot-busy:trunk1:2"
    assert not every(site.timers(60.0), HangUp), "once is enough"
    assert one(released(site, ("7102", 2)), AlarmCleared).key == "slot-busy:trunk1:2"


def test_a_call_to_a_port_without_a_conversation_is_told_of_and_left_alone() -> None:
    site = bench()
    called(site, ("7103", 3))
    assert not every(site.timers(PATIENCE - 0.1), AlarmRaised)
    outputs = site.timers(0.2)
    assert one(outputs, AlarmRaised).text == (
        "the PBX calls port 7103 on slot 3 of trunk1, and no conversation is reported for it: does its CSTA tell all?"
    )
    assert not every(outputs, HangUp)
    assert one(released(site, ("7103", 3)), AlarmCleared).key == "slot-busy:trunk1:3"


def test_a_call_that_is_released_while_the_station_talks_is_a_lost_fork() -> None:
    site = bench()
    recorded(site)
    site.timers(5.0)
    released(site, ("7101", 1))
    outputs = site.timers(site.config.port_loss + 0.1)
    assert one(outputs, out.Finish).reason == "fork lost: the PBX took it out of the call"
    assert one(outputs, out.Listen).pair == PAIRS[1]


def test_a_release_at_the_end_of_the_call_is_no_loss() -> None:
    site = bench()
    recorded(site)
    site.timers(5.0)
    released(site, ("7101", 1), ("7102", 2))
    site.hang_up()
    outputs = site.timers(5.0)
    assert not [alarm for alarm in every(site.outputs, AlarmRaised) if alarm.key.startswith("fork-lost")]
    assert not forks(outputs)
    assert site.engine.pool.leased == 0


def test_a_release_told_twice_or_of_another_slot_is_nothing() -> None:
    site = bench()
    recorded(site)
    released(site, ("7101", 9), ("7103", 3))
    assert not every(site.timers(5.0), out.Finish)


def test_a_port_that_is_called_on_another_slot_in_mid_call_ends_the_recording_on_the_old_one() -> None:
    site = bench()
    recorded(site)
    site.timers(5.0)
    called(site, ("7101", 11))
    outputs = site.timers(site.config.port_loss + 0.1)
    assert one(outputs, out.Finish)
    assert one(outputs, out.Listen).pair == PAIRS[1]


def test_a_line_without_working_signalling_takes_no_new_calls_and_keeps_those_it_has() -> None:
    site = bench(PAIRS[0], PAIRS[1], OTHER_LINE)
    recorded(site)
    alarm = one(site.give(SignallingChanged("trunk1", up=False, why="no UA to our SABME")), AlarmRaised)
    assert alarm.key == "signalling:trunk1"
    assert "no UA to our SABME" in alarm.text
    assert one(site.call(2, "3102", "9001"), out.Listen).pair == OTHER_LINE
    site.listen()
    assert not every(site.timers(5.0), out.Finish)
    assert one(site.give(SignallingChanged("trunk1", up=True)), AlarmCleared).key == "signalling:trunk1"


def test_before_its_signalling_is_up_a_line_takes_no_calls_and_then_those_that_wait() -> None:
    site = Bench(pairs=PAIRS[:1], signalled=("trunk1",))
    assert not forks(site.call())
    site.listen()
    assert not forks(site.timers(5.0))
    assert forks(site.give(SignallingChanged("trunk1", up=True)))


def test_a_release_while_the_link_is_down_ends_the_recording_where_it_was() -> None:
    site = bench()
    opened = recorded(site)
    site.timers(5.0)
    site.give(LinkDown("cut"))
    assert every(released(site, ("7101", 1), ("7102", 2)), out.Cut)[0] == out.Cut(opened.recording, site.now)
    (finish,) = every(site.timers(site.config.port_loss), out.Finish)
    assert finish.reason == "the PBX released its calls, and nobody could tell why"


def test_what_comes_on_a_slot_after_its_release_is_none_of_the_recording_that_was_there() -> None:
    site = bench()
    opened = recorded(site)
    site.hang_up()
    site.now += 0.1
    assert out.Cut(opened.recording, site.now) in released(site, ("7101", 1)), "the last audio was still on its way"
    called(site, ("7103", 1))
    assert not every(released(site, ("7103", 1)), out.Cut), "the slot has gone to another"


@pytest.mark.parametrize("slots", [(), (9,)])
def test_a_forbidden_call_wipes_no_slots_but_those_that_its_own_calls_have(slots: tuple[int, ...]) -> None:
    rules = RuleSet([Rule("doctor", "never", numbers=Patterns([C])), Rule("all", "record")])
    site = Bench(rules=rules, signalled=("trunk1",))
    site.give(SignallingChanged("trunk1", up=True))
    requests = site.call(1, A, "9001")
    called(site, *(("7101", slot) for slot in slots))
    site.report(A, established(1, C, parties(A, C)))
    wiped = every(site.grant(requests), out.Wipe)
    assert [one.slots for one in wiped] == ([slots] if slots else [])


def test_a_port_that_is_called_twice_keeps_the_newer_call() -> None:
    site = bench()
    outputs = called(site, ("7101", 1), ("7101", 5))
    assert [(one.line, one.slot) for one in every(outputs, HangUp)] == [("trunk1", 1)]
    released(site, ("7101", 1))
    assert site.engine.forks.bearers.slot("7101") == 5


def test_calls_that_come_after_the_fork_was_given_up_are_nobodys_and_are_ended() -> None:
    site = bench()
    site.grant(site.call())
    again = site.timers(site.config.fork_timeout)
    called(site, ("7101", 1), ("7102", 2))
    site.hang_up()
    assert not every(site.outputs, out.Open)
    assert one(again, out.Listen).pair == PAIRS[1]
    assert {one.slot for one in every(site.timers(PATIENCE), HangUp)} == {1, 2}


def test_a_pair_that_was_not_called_in_time_goes_to_nobody_for_as_long_again() -> None:
    site = bench(PAIRS[0])
    site.grant(site.call())
    site.timers(site.config.fork_timeout)
    site.hang_up()
    assert not forks(site.call(2, "3102", "9001"))
    assert forks(site.timers(site.config.fork_timeout + 0.1))


def test_a_fork_that_was_unanswered_when_the_link_broke_is_recorded_where_its_calls_are_and_somebody_speaks() -> None:
    site = bench()
    outputs = site.call()
    site.give(LinkDown("cut"))
    for request in forks(outputs):
        site.give(ServiceAnswered(request.token, Lost("link down")))
    site.now += 0.5
    assert not every(site.listen(), out.Open), "the PBX has not called the ports: that is somebody else's voice"
    called(site, ("7101", 9), ("7102", 7))
    site.now += 0.5
    assert one(site.listen(), out.Open).pair == Pair("trunk1", Port(9, "7101"), Port(7, "7102"))


def test_ports_of_other_lines_are_not_waited_for() -> None:
    site = bench(OTHER_LINE)
    assert one(site.grant(site.call()), out.Open).pair == OTHER_LINE
