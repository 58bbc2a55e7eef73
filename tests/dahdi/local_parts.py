"""On two spans of dahdi_dynamic_loc: octets, D channel, a span that vanishes, overruns, who has which slot."""

import ctypes
import os
import time
from pathlib import Path

from osrec_drivers.line import FRAME_RATE, Alarm
from tests.dahdi.parts import Clock, Facts, local_spans, opened, overrun_facts, part, say, trunk, until, until_head
from tests.dahdi.spans import PlainChannels
from tests.dahdi.trunk import SLOTS, Pbx, Recorder

SECONDS = 60  # of audio compared


@part
def octets_are_equal_and_the_d_channel_stays_up(_: Path) -> Facts:
    """A minute of 30 channels of random octets; meanwhile our LAPD and the emulator's keep their link."""
    with local_spans() as spans, trunk(spans.far, spans.near) as (pbx, recorder):
        took = until("data link established", lambda: recorder.link_up and pbx.link.up, 10)
        say(f"data link up after {took} s")
        established = len(recorder.told)
        first = recorder.line.head
        phase, count = recorder.phase(first - 200) + 200, SECONDS * FRAME_RATE
        for compared in range(0, SECONDS * FRAME_RATE, FRAME_RATE):
            until_head(recorder.line, first + compared + FRAME_RATE)
            wrong = list(recorder.differing(first + compared, FRAME_RATE, phase + compared))
            assert not wrong, "; ".join(wrong)
            if (compared + FRAME_RATE) % (10 * FRAME_RATE) == 0:
                say(f"{compared + FRAME_RATE} octets of each of {len(SLOTS)} channels equal")
        status = recorder.line.status()
        assert status.alarms == set(), f"alarms {status.alarms}"
        missing = recorder.line.gaps(first, count)
        assert not missing, f"gaps {missing}"
        assert recorder.channel is not None
        counters = recorder.channel.counters
        assert recorder.link_up, "our data link did not stay up"
        assert pbx.link.up, "the emulator's data link did not stay up"
        assert established == len(recorder.told), f"the data link was not at rest: {recorder.told[established:]}"
        assert (counters.bad_fcs, counters.aborts, counters.octet_errors) == (0, 0, 0), f"D channel: {counters}"
        assert counters.frames >= 4, f"only {counters.frames} frames in a minute: T203 is 10 s"
        return {
            "octets_a_channel": count,
            "channels": len(SLOTS),
            "d_frames_in": counters.frames,
            "d_frames_out": counters.sent,
            "overruns": status.counters.overruns,
            "underruns": pbx.line.status().counters.underruns,
        }


@part
def a_span_that_goes_down_and_up_is_seen_and_counted(_: Path) -> Facts:
    with local_spans() as spans:
        recorder = Recorder(opened(spans.near))
        pbx = Pbx(opened(spans.far, "?timing=0"))
        line = recorder.line
        try:
            until("data link established", lambda: recorder.link_up, 10)
            line.changes()
            clock = Clock(line)
            pbx.close()
            spans.far_down()
            say("far span destroyed")
            raised = until("alarm", lambda: Alarm.LOF in line.status().alarms, 5)
            say(f"{sorted(line.status().alarms)} after {raised} s")
            until("data link lost", lambda: not recorder.link_up, 60)
            spans.far_up()
            pbx = Pbx(opened(spans.far, "?timing=0"))
            cleared = until("alarms cleared", lambda: not line.status().alarms, 10)
            say(f"far span there again, alarms cleared after {cleared} s")
            again = until("data link up again", lambda: recorder.link_up and pbx.link.up, 30)
            until("audio", lambda: line.head > line.oldest + FRAME_RATE, 10)
            time.sleep(1)
            off = clock.check()
            told = [change.raised for change in line.changes() if change.alarm is Alarm.LOF]
            assert told == [True, False], f"LOF changes {told}"
            gaps = clock.gaps()
            assert gaps, "no gap"
            until("audio in its place", lambda: recorder.phase(line.head - 400) >= 0, 5)
            return {
                "raised_after_s": raised,
                "cleared_after_s": cleared,
                "link_again_after_s": again,
                "missing_samples": sum(gap.count for gap in gaps),
                "against_the_clock_samples": off,
                "causes": sorted({gap.cause.value for gap in gaps}),
            }
        finally:
            pbx.close()
            recorder.close()


@part
def octets_that_nobody_read_are_counted_to_the_sample(_: Path) -> Facts:
    with local_spans() as spans:
        return overrun_facts(spans.far, spans.near)


@part
def a_stall_of_the_interpreter_costs_no_octet(_: Path) -> Facts:
    """Four times what DAHDI keeps, twice: the pump needs no interpreter."""
    with local_spans() as spans, trunk(spans.far, spans.near, signals=False) as (_pbx, recorder):
        clock = Clock(recorder.line)
        for _again in range(2):
            ctypes.PyDLL(None).usleep(520_000)  # holds the GIL
            time.sleep(0.5)
        gaps, off = clock.gaps(), clock.check()
        assert not gaps, f"gaps {gaps}"
        assert recorder.line.status().counters.overruns == 0
        recorder.phase(recorder.line.head - 400)
    return {"against_the_clock_samples": off}


@part
def each_time_slot_is_the_channel_of_its_number(_: Path) -> Facts:
    """Against channels opened one by one, which is how everybody else uses DAHDI."""
    with local_spans() as spans:
        first_channel = int(Path(f"/sys/bus/dahdi_spans/devices/span-{spans.far}/basechan").read_text())
        plain = PlainChannels(spans.far, first_channel)
        line = opened(spans.near)
        try:
            for _again in range(30):
                plain.write({slot: bytes([slot]) * 1024 for slot in range(1, 32)})
                time.sleep(0.05)
            until("octets", lambda: line.head > 3000, 5)
            got = {slot: set(line.read(slot, line.head - 800, 800)) for slot in range(1, 32)}
            wrong = {slot: octets for slot, octets in got.items() if octets != {slot}}
            assert not wrong, f"octets that came on other slots than they were sent on: {wrong}"
        finally:
            plain.close()
            line.close()
    return {"slots": 31}


@part
def the_hdlc_of_dahdi_and_ours_understand_each_other(_: Path) -> Facts:
    with local_spans() as spans:
        kernels, ours = opened(spans.far, "?hdlc=dahdi"), opened(spans.near)
        try:
            until("octets", lambda: ours.head > 1000, 5)
            theirs, mine = kernels.d_channel(), ours.d_channel()
            frames = [bytes([2, 1, number]) + os.urandom(number * 4) for number in range(60)]
            here: list[bytes] = []
            there: list[bytes] = []
            for frame in (*frames, *[None] * 10):
                assert frame is None or theirs.send(frame)
                assert frame is None or mine.send(frame)
                time.sleep(0.05)
                here += [got.octets for got in mine.receive() if got.error is None]
                there += [got.octets for got in theirs.receive() if got.error is None]
            assert here == frames, f"{len(here)} of {len(frames)} frames from DAHDI's HDLC came right"
            assert there == frames, f"{len(there)} of {len(frames)} frames of ours came right"
        finally:
            kernels.close()
            ours.close()
    return {"frames_each_way": len(frames)}
