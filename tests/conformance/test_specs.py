"""How lines are named, which descriptors they take over, and what is particular to SAToP and to virtual cables."""

import socket

import pytest

from osrec_drivers.errors import DriverError, OpenError
from osrec_drivers.line import Alarm, GapCause, open_line
from osrec_drivers.satop import SatopDriver, SatopLine, bind
from osrec_drivers.virtual import Cable, Fault, FaultKind, VirtualDriver, cable
from tests.conformance.links import slot, until, voice


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("virtual", "a line is named DRIVER:REST"),
        ("isdn:1", "no driver 'isdn'; installed are .*e1cap, e1d, ice1usb, satop, virtual"),
        ("virtual:x/c", "virtual:NAME/a or virtual:NAME/b"),
        ("virtual:x/a?fast=1", "option 'fast=1' is unknown"),
        ("satop:127.0.0.1", "local end '127.0.0.1' must be HOST:PORT"),
        ("satop:127.0.0.1:70000", "port 1..65535"),
        ("satop:::1:5000", "an IPv6 address stands in brackets"),
        ("satop:127.0.0.1:0/[::1]:5000", "must both be IPv4 or both IPv6"),
        ("satop:127.0.0.1:0/127.0.0.1:0", "remote end '127.0.0.1:0' must be HOST:PORT"),
        ("satop:127.0.0.1:0?payload=100", "payload='100' must be a multiple of 32 octets up to 1408"),
        ("satop:127.0.0.1:0?speed=1", "option 'speed' is unknown; there are payload, rtp"),
        ("satop:127.0.0.1:0?rtp=yes", "option rtp='yes' must be 0 or 1"),
        ("e1d:/run/e1d.ctl?mode=fast", "option mode='fast' must be superchannel or channelized"),
        ("e1d:/run/e1d.ctl?slots=1-5", "option slots needs mode=channelized"),
        ("e1d:/run/e1d.ctl?mode=channelized&slots=0-5", "slots='0-5' must be time slots 1..31, as in 1-15,17-31"),
        ("e1d:/run/e1d.ctl:0/999", "interface and line '0/999' must be two numbers 0..254"),
        ("e1d:/run/e1d.ctl:\u00b2/0", "interface and line '\u00b2/0' must be two numbers 0..254"),
        (f"e1d:/run/e1d.ctl:{'9' * 5000}/0", "must be two numbers 0..254"),
        ("e1d:/run/e1d.ctl?mode=channelized&slots=1-99999999999", "must be time slots 1..31, as in 1-15,17-31"),
        ("e1d:/run/e1d.ctl?mode=channelized&slots=\u0661", "must be time slots 1..31, as in 1-15,17-31"),
        (f"dahdi:{'9' * 5000}", "must be a number 1..128"),
        (f"satop:127.0.0.1:{'9' * 5000}", "must be HOST:PORT"),
        ("e1d:/nonexistent/e1d.ctl", "osmo-e1d does not listen at '/nonexistent/e1d.ctl': No such file or directory"),
        ("e1cap:", "such a line is named e1cap:FILE"),
        ("e1cap:/nonexistent.e1cap", "capture '/nonexistent.e1cap': No such file or directory"),
        ("e1cap:/dev/null", "is neither of osmo-e1-recorder .* nor of e1-tracer-record"),
        ("e1cap:/dev/null?speed=half", "option speed='half' must be own or max"),
        ("ice1usb:dc69/7", "'dc69/7' must be a serial number, and perhaps port 0 or 1"),
        ("ice1usb:dc69:2", "'dc69:2' must be a serial number, and perhaps port 0 or 1"),
        ("ice1usb:dc69?rx=fast", "option rx='fast' must be raw or frame or multiframe"),
        ("satop:192.0.2.77:5000", r"cannot listen at \('192.0.2.77', 5000\)"),
    ],
)
def test_a_wrong_spec_is_named_with_what_would_be_right(spec: str, message: str) -> None:
    with pytest.raises(DriverError, match=message.replace("[", r"\[").replace("?", r"\?")):
        open_line(spec)


def test_a_descriptor_that_is_no_bound_udp_socket_is_refused() -> None:
    with (
        socket.socket(socket.AF_INET, socket.SOCK_STREAM) as stream,
        pytest.raises(OpenError, match="must be a bound UDP socket"),
    ):
        SatopDriver().open("satop:127.0.0.1:0", fd=stream.fileno())
    with pytest.raises(OpenError, match="a virtual line has none"):
        VirtualDriver().open("virtual:nofd/a", fd=3)


def test_a_socket_that_outlives_its_process_keeps_the_packets() -> None:
    """What a supervisor does: the recorder is gone for 1600 frames and nothing is missing but the frame it broke."""
    with bind("satop:127.0.0.1:0") as held:
        far = SatopDriver().open(f"satop:127.0.0.1:0/127.0.0.1:{held.getsockname()[1]}")
        near = SatopDriver().open("satop:127.0.0.1:0", fd=held.dup().detach())
        assert isinstance(far, SatopLine)
        frames = voice(4800)
        far.transmit(frames[: 32 * 1600])
        until(lambda: near.head >= 1600)
        near.close()
        anchor = near.anchor()
        assert anchor is not None
        far.transmit(frames[32 * 1600 :])
        until(lambda: far.sent == 4800)
        again = SatopDriver().open("satop:127.0.0.1:0", fd=held.dup().detach(), resume=anchor)
        until(lambda: again.head >= 4800)
        assert again.read(9, 1608, 3192) == slot(frames, 9)[1608:]
        assert [(gap.first, gap.count) for gap in again.gaps(0, 4800)] == [(1592, 8)]  # the packet of the anchor
        far.close()
        again.close()


def test_virtual_faults_are_seen_for_what_they_are() -> None:
    laid: Cable = cable("faulty")
    far, near = open_line("virtual:faulty/a"), open_line("virtual:faulty/b")
    far.transmit(voice(1600))
    for kind, alarm, cause in (
        (FaultKind.ZEROS, Alarm.LOS, GapCause.LOS),
        (FaultKind.ONES, Alarm.AIS, GapCause.AIS),
    ):
        begin = near.head
        laid.sent_by["a"].damage(Fault(kind, 32 * 800))
        far.transmit(voice(800))
        assert near.status().alarms == {alarm}
        assert Alarm.RAI in far.status().alarms
        far.transmit(voice(800))
        assert near.status().alarms == set()
        assert cause in {gap.cause for gap in near.gaps(begin, 1600)}
    laid.sent_by["a"].damage(Fault(FaultKind.LOST, 32 * 80))
    begin = near.head
    far.transmit(voice(800))
    assert [(gap.first, gap.count, gap.cause) for gap in near.gaps(begin, 800)] == [(begin, 80, GapCause.PACKET_LOSS)]
    losses = near.status().counters.alignment_losses
    laid.sent_by["a"].damage(Fault(FaultKind.SLIPPED, 5))
    far.transmit(voice(800))
    assert near.status().counters.alignment_losses == losses + 1
    laid.sent_by["a"].damage(Fault(FaultKind.BIT_ERRORS, 32 * 800, rate=1e-4))
    far.transmit(voice(1600))
    assert near.status().counters.crc_errors > 0
    assert far.status().counters.remote_crc_errors > 0
    near.close()
    far.close()


def test_detect_tells_the_cables_and_which_ends_are_free() -> None:
    line = open_line("virtual:seen/a")
    told = {info.spec: info.free for info in VirtualDriver().detect()}
    assert told["virtual:seen/a"] is False
    assert told["virtual:seen/b"] is True
    with pytest.raises(OpenError, match="is open already"):
        open_line("virtual:seen/a")
    line.close()
    assert list(SatopDriver().detect()) == []
