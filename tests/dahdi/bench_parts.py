"""On the test bench, which ticks as boards do and does what it is told: alarms, slips, errors, unplugging."""

import ctypes
import subprocess
import time
from pathlib import Path

from osrec_drivers.dahdi_abi import SpanAlarm
from osrec_drivers.line import FRAME_RATE, Alarm, GapCause
from tests.dahdi.parts import Clock, Facts, bench_board, opened, overrun_facts, part, refused, say, trunk, until
from tests.dahdi.spans import CONTROL


@part
def every_alarm_of_a_board_is_told_apart(module: Path) -> Facts:
    told: Facts = {}
    with bench_board(module) as bench, trunk(bench.far, bench.near, signals=False) as (_pbx, recorder):
        line = recorder.line
        for name, bits, alarm, cause in (
            ("LOS", SpanAlarm.RED | SpanAlarm.LOS, Alarm.LOS, GapCause.LOS),
            ("LOF", SpanAlarm.RED | SpanAlarm.LFA, Alarm.LOF, GapCause.LOF),
            ("AIS", SpanAlarm.RED | SpanAlarm.BLUE, Alarm.AIS, GapCause.AIS),
            ("RAI", SpanAlarm.YELLOW, Alarm.RAI, None),
            ("LMFA", SpanAlarm.LMFA, Alarm.LMFA, None),
        ):
            line.changes()
            begin = line.head
            bench.tell(f"alarms 2 {int(bits)}")
            raised = until(name, lambda alarm=alarm: line.status().alarms == {alarm}, 1)  # type: ignore[misc]
            time.sleep(0.5)
            bench.tell("alarms 2 0")
            cleared = until(f"end of {name}", lambda: not line.status().alarms, 1)
            time.sleep(0.3)
            changes = [(change.alarm, change.raised) for change in line.changes()]
            assert changes == [(alarm, True), (alarm, False)], f"{name}: {changes}"
            causes = {gap.cause for gap in line.gaps(begin, line.head - begin)}
            assert causes == ({cause} if cause else set()), f"{name}: gaps of {causes}"
            told[name] = [raised, cleared]
            say(f"{name}: raised after {raised} s, cleared after {cleared} s")
    return told


@part
def an_alarm_that_came_and_went_while_the_interpreter_stalled_is_a_gap_in_its_place(module: Path) -> Facts:
    with bench_board(module) as bench, trunk(bench.far, bench.near, signals=False) as (_pbx, recorder):
        line, (raise_, clear) = recorder.line, ("alarms 2 264", "alarms 2 0")  # RED and LOS
        told = f"read go; sleep 0.2; echo {raise_} > {CONTROL}; sleep 0.3; echo {clear} > {CONTROL}"
        with subprocess.Popen(["sh", "-c", told], stdin=subprocess.PIPE, text=True) as helper:
            time.sleep(0.5)
            begin = line.head
            assert helper.stdin is not None
            helper.stdin.write("go\n")
            helper.stdin.flush()
            ctypes.PyDLL(None).usleep(900_000)  # holds the GIL
        time.sleep(0.5)
        gaps = line.gaps(begin, line.head - begin)
        assert [gap.cause for gap in gaps] == [GapCause.LOF], f"gaps {gaps}"
        assert 2400 <= gaps[0].count <= 3200, f"0.3 s are 2400 samples, and sh needs a little: {gaps}"
        assert not line.status().alarms
    return {"gap_samples": gaps[0].count}


@part
def slips_and_errors_that_the_board_counts_are_told(module: Path) -> Facts:
    with bench_board(module) as bench, trunk(bench.far, bench.near, signals=False) as (_pbx, recorder):
        line = recorder.line
        phase_at = line.head - 400
        before = recorder.phase(phase_at)
        for how in ("drop", "drop", "drop", "repeat"):
            bench.tell(f"slip 2 {how}")
            time.sleep(0.2)
        for what, number in (("crc4", 5), ("ebit", 6), ("fas", 7), ("irq", 8)):
            bench.tell(f"count 2 {what} {number}")
        time.sleep(0.3)
        counters = line.status().counters
        assert counters.slips == 4, f"{counters.slips} slips"
        assert (counters.crc_errors, counters.e_bits, counters.fas_errors) == (5, 6, 7), f"{counters}"
        assert counters.irq_misses == 8
        now = line.head - 400
        moved = (recorder.phase(now) - before - (now - phase_at) + 32000) % 64000 - 32000
        assert moved == 2, f"three frames dropped and one repeated move the audio by 2 samples, not by {moved}"
    return {"slips": counters.slips, "moved_samples": moved}


@part
def an_overrun_on_a_board_is_counted_to_the_sample(module: Path) -> Facts:
    with bench_board(module) as bench:
        return overrun_facts(bench.far, bench.near)


@part
def a_board_without_interrupts_is_told_and_counted_by_the_clock(module: Path) -> Facts:
    with bench_board(module) as bench, trunk(bench.far, bench.near, signals=False) as (_pbx, recorder):
        line = recorder.line
        clock = Clock(line)
        bench.tell("mute 2 1")
        raised = until("no octets", lambda: Alarm.NO_PACKETS in line.status().alarms, 3)
        time.sleep(1)
        bench.tell("mute 2 0")
        until("octets again", lambda: not line.status().alarms, 3)
        time.sleep(0.5)
        off = clock.check()
    return {"raised_after_s": raised, "against_the_clock_samples": off}


@part
def a_board_that_is_unplugged_and_plugged_in_again_comes_back(module: Path) -> Facts:
    with bench_board(module) as bench:
        line = opened(bench.near)
        try:
            until("octets", lambda: line.head > FRAME_RATE, 5)
            clock = Clock(line)
            bench.tell("unplug")
            raised = until("unplugged", lambda: line.status().alarms == {Alarm.UNPLUGGED}, 3)
            time.sleep(1)
            bench.tell("plug")
            back = until("plugged in", lambda: not line.status().alarms, 5)
            time.sleep(1)
            off = clock.check()
            gaps = clock.gaps()
            assert {gap.cause for gap in gaps} == {GapCause.UNPLUGGED}, f"gaps {gaps}"
        finally:
            line.close()
    return {"raised_after_s": raised, "back_after_s": back, "against_the_clock_samples": off}


@part
def what_is_in_the_way_of_opening_is_named(module: Path) -> Facts:
    messages = []
    with bench_board(module) as bench:
        line = opened(bench.near)
        for spec, right in ((f"dahdi:{bench.near}", "is in use by another program"), ("dahdi:99", "DAHDI has none")):
            refusal = refused(spec)
            messages.append(refusal)
            assert right in refusal, refusal
        line.close()
    return {"messages": messages}
