"""Captures of osmo-e1-recorder and e1-tracer-record come out as the line that they were taken from."""

import io
import random
from pathlib import Path

import pytest

from osrec_drivers.e1.engine import Engine
from osrec_drivers.e1cap import E1capDriver
from osrec_drivers.e1cap_format import (
    Mode,
    SlotPacket,
    TracerPacket,
    is_recorder,
    is_tracer,
    read_recorder,
    read_tracer,
    write_recorder,
    write_tracer,
)
from osrec_drivers.errors import LineError, OpenError
from osrec_drivers.line import FRAME_RATE, GapCause, Line
from tests.conformance.links import slot, until

BEGIN = 1_790_000_000_000_000_000
MS = 1_000_000
DICE = random.Random(17)
FRAMES = DICE.randbytes(32 * FRAME_RATE)


def replay(path: Path, options: str = "?speed=max") -> Line:
    """The line, when all of the capture has gone in."""
    line = E1capDriver().open(f"e1cap:{path}{options}")
    until(lambda: getattr(line, "failure") is not None)  # noqa: B009  # only lines of boards have it
    return line


def tracer_file(path: Path, *, bits: int = 0, without: tuple[int, ...] = ()) -> Path:
    """Both directions: one as it was sent, `bits` late, the other empty."""
    line = (int.from_bytes(Engine().transmit(FRAMES)) >> bits).to_bytes(len(FRAMES))
    with path.open("wb") as file:
        for number in range(len(FRAMES) // 256):
            at, header = BEGIN + number * MS, bytes([0, 0, 0, number * 8 % 256])
            if number not in without:
                file.write(write_tracer(TracerPacket(at, 0x81, header + line[256 * number : 256 * number + 256])))
            file.write(write_tracer(TracerPacket(at, 0x82, header + b"\xff" * 256)))
    return path


def recorder_file(path: Path, *, without: tuple[int, ...] = (), d_channel: bytes = b"") -> Path:
    with path.open("wb") as file:
        for number in range(len(FRAMES) // 32 // 160):
            at = BEGIN + (number + 1) * 20 * MS
            part = FRAMES[32 * 160 * number : 32 * 160 * (number + 1)]
            for time_slot in (*range(1, 16), *range(17, 32)):
                if number not in without:
                    file.write(write_recorder(SlotPacket(at, 0, time_slot, Mode.RAW, slot(part, time_slot))))
                file.write(write_recorder(SlotPacket(at, 1, time_slot, Mode.RAW, bytes(160))))
            if number == 20 and d_channel:
                file.write(write_recorder(SlotPacket(at, 0, 16, Mode.HDLC, d_channel)))
    return path


def test_headers_have_the_octets_of_the_programs_that_write_them() -> None:
    packet = TracerPacket(1_500_000_000, 0x82, b"abc")
    octets = bytes.fromhex("0d6015e1 0100000000000000 20a1070000000000 0300 82") + b"abc"
    assert write_tracer(packet) == octets
    assert list(read_tracer(io.BytesIO(octets))) == [packet]
    piece = SlotPacket(1_500_000_000, 2, 17, Mode.RAW, b"abc")
    octets = bytes.fromhex("0100000000000000 20a1070000000000 00000003 02 11 00 00 0000000000000000") + b"abc"
    assert write_recorder(piece) == octets
    assert list(read_recorder(io.BytesIO(octets))) == [piece]
    assert is_tracer(write_tracer(packet))
    assert not is_recorder(write_tracer(packet))
    assert is_recorder(octets)


def test_a_failed_transfer_and_a_packet_cut_off_at_the_end_are_no_octets() -> None:
    failed = write_tracer(TracerPacket(BEGIN, 0x81, None))
    whole = write_tracer(TracerPacket(BEGIN, 0x81, b"abc"))
    assert [packet.octets for packet in read_tracer(io.BytesIO(failed + whole + whole[:-1]))] == [None, b"abc"]


def test_what_is_no_packet_is_named_with_its_place() -> None:
    whole = write_tracer(TracerPacket(BEGIN, 0x81, b"abc"))
    with pytest.raises(LineError, match="octet 26 of the capture: magic 0x20202020 must be 0xe115600d"):
        list(read_tracer(io.BytesIO(whole + b" " * 30)))
    piece = write_recorder(SlotPacket(BEGIN, 0, 1, Mode.RAW, b"abc"))
    with pytest.raises(LineError, match="octet 35 of the capture: this is no header of osmo-e1-recorder"):
        list(read_recorder(io.BytesIO(piece + b"\xff" * 32)))


@pytest.mark.parametrize("bits", [0, 3])
def test_the_bits_of_a_tapped_line_are_framed_as_they_would_have_been(tmp_path: Path, bits: int) -> None:
    line = replay(tracer_file(tmp_path / "a.cap", bits=bits))
    status = line.status()
    assert status.aligned
    assert status.crc_multiframe
    assert status.counters.crc_errors == 0
    skipped = 0 if bits == 0 else 1  # its first bits are not in the capture
    for number in (1, 16, 31):
        heard = line.read(number, 0, line.head)
        at = heard.find(slot(FRAMES, number)[8:48])
        assert at in (8, 8 + skipped)
        assert heard[at : at + 7900] == slot(FRAMES, number)[8:7908]
    line.close()


def test_the_other_direction_is_another_line(tmp_path: Path) -> None:
    line = replay(tracer_file(tmp_path / "a.cap"), "?speed=max&direction=1")
    assert not line.status().aligned
    assert {gap.cause for gap in line.gaps(0, 10**6)} == {GapCause.AIS}
    line.close()


def test_packets_missing_in_a_capture_are_a_gap_to_the_frame(tmp_path: Path) -> None:
    line = replay(tracer_file(tmp_path / "a.cap", without=(500, 501, 502, *range(700, 760))))
    gaps = [(gap.first, gap.count) for gap in line.gaps(0, 10**6) if gap.cause is GapCause.OVERRUN]
    assert gaps == [(4000, 24), (5600, 480)]
    assert line.read(9, 6080, 1900) == slot(FRAMES, 9)[6080:7980]
    line.close()


def test_time_slots_are_put_together_again(tmp_path: Path) -> None:
    line = replay(recorder_file(tmp_path / "a.e1cap", d_channel=b"\x02\x01\x7f"))
    channel_octets = line.read(16, 0, line.head)
    assert line.head == FRAME_RATE
    assert line.gaps(0, FRAME_RATE) == []
    for number in (1, 15, 17, 31):
        assert line.read(number, 0, FRAME_RATE) == slot(FRAMES, number)
    assert channel_octets[:3200] == b"\xd5" * 3200, "nobody knows what was there before the first frame"
    line.close()


def test_a_d_channel_that_was_captured_as_frames_is_heard_as_frames(tmp_path: Path) -> None:
    path = recorder_file(tmp_path / "a.e1cap", d_channel=b"\x02\x01\x7f")
    line = E1capDriver().open(f"e1cap:{path}")  # in its own time, so that we are there when it comes
    channel = line.d_channel()
    until(lambda: channel.counters.frames > 0)
    assert [frame.octets for frame in channel.receive() if not frame.error] == [b"\x02\x01\x7f"]
    line.close()


def test_a_second_missing_in_a_capture_is_a_gap_by_its_times(tmp_path: Path) -> None:
    line = replay(recorder_file(tmp_path / "a.e1cap", without=tuple(range(20, 30))))
    (gap,) = line.gaps(0, 10**6)
    assert (gap.first, gap.count) == (3200, 1600)
    assert line.read(3, 4800, 3200) == slot(FRAMES, 3)[4800:]
    line.close()


def test_the_other_line_of_a_capture_is_another_line(tmp_path: Path) -> None:
    line = replay(recorder_file(tmp_path / "a.e1cap"), "?speed=max&line=1")
    assert set(line.read(1, 0, line.head)) == {0}
    line.close()
    nothing = replay(recorder_file(tmp_path / "a.e1cap"), "?speed=max&line=7")
    assert nothing.head == 0
    nothing.close()


def test_a_capture_cannot_be_sent_to_nor_handed_over(tmp_path: Path) -> None:
    path = recorder_file(tmp_path / "a.e1cap")
    line = replay(path)
    with pytest.raises(LineError, match="a capture cannot be sent to"):
        line.transmit(bytes(32))
    line.close()
    with pytest.raises(OpenError, match="descriptor 3 was handed over"):
        E1capDriver().open(f"e1cap:{path}", fd=3)
