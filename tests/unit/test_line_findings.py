"""What `osrec lines` says to somebody at the rack, for each way in which a line can be wrong."""

from itertools import count
from typing import Any

import pytest

from osrec.recorder.line_findings import Finding, Trend, findings, sends_multiframe
from osrec_drivers.line import IDLE, Alarm, Crc4, Line, LineStatus, open_line
from osrec_drivers.virtual import Fault, FaultKind, cable

NAMES = count()
SECOND = bytes([IDLE]) * 32 * 8000
SOUND = LineStatus(
    spec="x:y",
    alarms=frozenset(),
    aligned=True,
    crc_multiframe=True,
    head=80_000,
    received=80_000,
    expected=80_000,
    ppm=0.0,
    crc4=Crc4.MULTIFRAME,
)
HOUR = Trend(hours=1.0)


def status(*alarms: Alarm, **changed: Any) -> LineStatus:
    values = {name: getattr(SOUND, name) for name in SOUND.__slots__} | {"alarms": frozenset(alarms)} | changed
    return LineStatus(**values)


def only(status: LineStatus, trend: Trend = HOUR) -> Finding:
    (found,) = findings(status, trend)
    return found


def test_nothing_is_found_on_a_sound_line() -> None:
    assert findings(SOUND, HOUR) == []


@pytest.mark.parametrize(
    ("alarm", "what", "likely"),
    [
        (Alarm.LOS, "nothing but zeros", "cable not plugged in"),
        (Alarm.LOF, "no frame alignment", "no E1"),
        (Alarm.AIS, "all ones", "lost its own input"),
        (Alarm.NO_PACKETS, "no packets", "gateway is off"),
        (Alarm.UNPLUGGED, "is gone", "USB cable"),
        (Alarm.RAI, "cannot receive us", "our sending pair"),
        (Alarm.LMFA16, "no CAS multiframe", "no CAS on this line"),
        (Alarm.AIS16, "all ones in time slot 16", "out of service"),
        (Alarm.RAI16, "no CAS multiframe of ours", "another signalling"),
    ],
)
def test_each_alarm_is_told_apart_with_its_likely_cause(alarm: Alarm, what: str, likely: str) -> None:
    found = only(status(alarm))
    assert what in found.what
    assert likely in found.likely


def test_what_follows_from_a_missing_signal_is_not_told_beside_it() -> None:
    assert "LOS" in only(status(Alarm.LOS, Alarm.RAI, Alarm.LMFA, Alarm.LMFA16, aligned=False)).what


def test_crc_4_on_our_side_only_is_said_in_so_many_words() -> None:
    found = only(status(Alarm.LMFA, crc4=Crc4.INTERWORKING, crc_multiframe=False))
    assert found.what == "LMFA: FAS found, no CRC-4 multiframe for 400 ms: the far end does not send CRC-4"
    assert "switched on here only" in found.likely


def test_crc_4_on_the_other_side_only_is_seen_though_nobody_looks_for_it() -> None:
    silent = status(crc4=Crc4.OFF, crc_multiframe=False)
    assert findings(silent, HOUR) == []
    found = only(silent, Trend(hours=1.0, far_multiframe=True))
    assert "switched on in the PBX only" in found.likely
    both = findings(status(Alarm.RAI, crc4=Crc4.OFF), Trend(far_multiframe=True))
    assert [one.what[:3] for one in both] == ["RAI", "the"]
    assert both[0].likely == "it waits for our CRC-4, see above"


def test_a_multiframe_that_was_lost_is_no_setting() -> None:
    assert "bit errors" in only(status(Alarm.LMFA, crc4=Crc4.SEARCHING, crc_multiframe=False)).likely


@pytest.mark.parametrize(
    ("slips", "ppm", "more", "likely"),
    [
        (288, 10.0, {}, "both ends are clock masters, or neither is"),
        (288, -10.0, {}, "both ends are clock masters, or neither is"),
        (3, 0.0, {}, "lost its reference"),
        (3, 30.0, {}, "lost its reference"),
        (40, 0.0, {"crc_errors": 20}, "a bad cable makes the equipment lose count"),
        (40, 0.0, {"packets_lost": 7}, "octets are lost on their way to us"),
    ],
)
def test_slips_are_put_down_to_what_fits_them(slips: int, ppm: float, more: dict[str, Any], likely: str) -> None:
    found = findings(status(ppm=ppm), Trend(hours=1.0, slips=slips, **more))
    told = next(one for one in found if one.what.startswith("slips"))
    assert f"{slips:.1f} an hour, the far end's clock {ppm:+.1f} ppm" in told.what
    assert likely in told.likely


def test_a_clock_that_no_two_sound_ones_explain_is_told_without_a_slip() -> None:
    assert findings(status(ppm=99.0), HOUR) == []
    assert "+101.0 ppm" in only(status(ppm=101.0)).what


@pytest.mark.parametrize(
    ("near", "far", "what", "likely"),
    [
        (5, 0, "towards us: 5", "our receive pair"),
        (0, 5, "towards the PBX: it found 5", "our sending pair"),
        (5, 6, "both directions: 5 errored CRC-4 blocks here and 6 there", "earth"),
    ],
)
def test_bit_errors_tell_the_direction_to_look_at(near: int, far: int, what: str, likely: str) -> None:
    found = only(SOUND, Trend(crc_errors=near, remote_crc_errors=far))
    assert what in found.what
    assert likely in found.likely


def test_a_loop_that_somebody_forgot_is_told() -> None:
    assert "receive what we send" in only(status(loop="local")).what
    assert "gets back what it sends" in only(status(loop="remote")).what


def test_lost_packets_and_a_slow_computer_are_told_apart() -> None:
    assert "network" in only(SOUND, Trend(packets_lost=3)).likely
    assert "this computer" in only(SOUND, Trend(overruns=3)).likely


def test_the_worst_stands_first() -> None:
    found = findings(status(Alarm.RAI, loop="remote"), Trend(hours=1.0, slips=1))
    assert [one.severity for one in found] == ["fault", "warning", "warning"]


class Cable:
    def __init__(self, far: str, near: str) -> None:
        self.name = f"findings{next(NAMES)}"
        self.far: Line = open_line(f"virtual:{self.name}/a{far}")
        self.near: Line = open_line(f"virtual:{self.name}/b{near}")

    def run(self) -> "Cable":
        self.far.transmit(SECOND)
        return self

    def found(self, **trend: Any) -> list[Finding]:
        return findings(self.near.status(), Trend(**trend))


def test_a_line_with_crc_4_towards_one_without_finds_it() -> None:
    assert "the far end does not send CRC-4" in Cable("?crc4=0", "").run().found()[0].what


def test_multiframes_of_a_far_end_are_seen_in_slot_0_and_only_there_are_some() -> None:
    for far, sent in (("", True), ("?crc4=0", False)):
        line = Cable(far, "?crc4=0").run().near
        for shift in range(16):
            assert sends_multiframe(line.read(0, line.head - 80 + shift, 64)) is sent
        assert sends_multiframe(b"\xff" * 64) is sends_multiframe(b"") is False


@pytest.mark.parametrize(("kind", "alarm"), [(FaultKind.ZEROS, "LOS"), (FaultKind.ONES, "AIS")])
def test_a_line_that_is_cut_says_so(kind: FaultKind, alarm: str) -> None:
    line = Cable("", "").run()
    cable(line.name).sent_by["a"].damage(Fault(kind, 32 * 8000))
    assert line.run().found()[0].what.startswith(alarm)
