"""`osrec decode e1`: what is in a capture comes out, whatever the form of its bits."""

import json
import math
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from typer.testing import CliRunner

from osrec.app import app
from osrec_drivers.dsp.dtmf_tones import tones
from osrec_drivers.dsp.g711 import alaw_encode
from osrec_drivers.e1 import cas
from osrec_drivers.e1.capture import Form, analyse
from osrec_drivers.e1.engine import Engine
from osrec_drivers.e1.hdlc import HdlcEncoder
from osrec_drivers.e1.transmitter import Transmitter
from osrec_drivers.line import IDLE, Alarm, Crc4, GapCause

FRAMES = 4000  # half a second
SABME, SETUP = bytes.fromhex("02017f"), bytes.fromhex("02010000080201010504")


def content(frames: int = FRAMES) -> NDArray[np.uint8]:
    """Idle, tones in slot 5, noise in slot 7, a D channel in slot 16, A-law minus zero in slot 9."""
    out = np.full((frames, 32), IDLE, np.uint8)
    hdlc = HdlcEncoder()
    hdlc.send(SABME)
    hdlc.send(SETUP)
    out[:, 16] = np.frombuffer(hdlc.pull(frames), np.uint8)
    out[:, 5] = np.resize(alaw_encode(tones("159", level=-10.0, twist=0.0, off=0.0)), frames)
    out[:, 7] = np.random.default_rng(1).integers(0, 256, frames)
    out[:, 9] = 0x55
    return out


def line_of(octets: NDArray[np.uint8], *, crc4: bool = True, signalling: bool = False) -> bytes:
    if not signalling:
        return Transmitter(crc4=crc4).send(octets.tobytes())
    engine = Engine(crc4=crc4)
    cas.send(engine, 3, 0b0101)
    return engine.transmit(octets.tobytes())


def shifted(octets: bytes, bits: int) -> bytes:
    return np.packbits(
        np.concatenate([np.ones(bits, np.uint8), np.unpackbits(np.frombuffer(octets, np.uint8))])
    ).tobytes()


def test_the_contents_of_all_slots_come_out() -> None:
    found = analyse(line_of(content()))
    assert (found.form, found.offset, found.crc4) == (Form(), 0, Crc4.MULTIFRAME)
    assert FRAMES - 4 <= found.frames <= FRAMES
    assert found.fas_errors == found.crc_errors == found.slips == 0
    assert found.sa == 31
    assert [one.slot for one in found.slots] == list(range(32))
    assert {one.idle for one in found.slots if one.slot not in (0, 5, 7, 9, 16)} == {IDLE}
    assert found.slots[9].idle == 0x55
    assert found.slots[5].idle is found.slots[7].idle is None
    assert found.slots[5].level == pytest.approx(-7.0, abs=0.3)  # two tones of -10 dBm0
    assert found.slots[1].level == -math.inf
    assert [one.slot for one in found.slots if one.hdlc] == [16]
    hdlc = found.slots[16].hdlc
    assert hdlc is not None
    assert [frame.octets for frame in hdlc.first] == [SABME, SETUP]
    assert found.cas is None


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 511), st.booleans(), st.booleans())
def test_offset_polarity_and_order_of_the_bits_are_found(bits: int, inverted: bool, lsb_first: bool) -> None:
    form = Form(inverted, lsb_first)
    octets = shifted(line_of(content(800)), bits)
    found = analyse(form.plain(octets))  # each of these changes undoes itself
    assert (found.form, found.offset) == (form, bits % 256)
    assert found.frames >= 700
    hdlc = found.slots[16].hdlc
    assert hdlc is not None
    assert hdlc.first[-1].octets == SETUP


def test_a_far_end_without_crc_4_is_found_out() -> None:
    found = analyse(line_of(content(), crc4=False))
    assert found.crc4 is Crc4.INTERWORKING


def test_cas_signalling_is_read() -> None:
    octets = content()
    octets[:, 16] = IDLE
    found = analyse(line_of(octets, signalling=True))
    assert found.cas is not None
    assert found.cas.abcd[3] == 0b0101
    assert found.cas.abcd[17] == 0b1101


def test_bit_errors_are_counted_where_they_are() -> None:
    octets = bytearray(line_of(content()))
    octets[32 * 2000 + 40] ^= 0x10  # in a time slot: one block
    octets[32 * 3000] ^= 0x08  # in an alignment signal
    found = analyse(bytes(octets))
    assert (found.crc_errors, found.fas_errors, found.alignment_losses) == (2, 1, 0)


def test_a_cut_in_the_middle_is_an_alarm_with_its_time_and_a_gap() -> None:
    line = line_of(content())
    cut = line[: 32 * 1000] + bytes(32 * 800) + line[32 * 1800 :]
    found = analyse(cut)
    los = [change for change in found.changes if change.alarm is Alarm.LOS]
    assert [change.raised for change in los] == [True, False]
    assert 1000 <= los[0].sample <= 1004
    assert 1800 <= los[1].sample <= 1804
    assert sum(gap.count for gap in found.gaps if gap.cause is GapCause.LOS) == pytest.approx(800, abs=10)


def test_a_repeated_frame_is_a_slip() -> None:
    line = line_of(content())
    found = analyse(line[: 32 * 1000] + line[32 * 999 :])
    assert found.slips == 1
    assert found.alignment_losses == 1


@pytest.mark.parametrize("octets", [b"\0" * 20_000, b"\xff" * 20_000, np.random.default_rng(2).bytes(20_000), b"\x1b"])
def test_what_has_no_frames_has_no_form_and_no_slots(octets: bytes) -> None:
    found = analyse(octets)
    assert (found.form, found.offset, found.slots) == (None, None, ())
    assert found.frames < len(octets) / 32 / 10 + 1  # by chance


def test_frames_that_begin_late_in_a_capture_are_found() -> None:
    found = analyse(bytes(700_000) + shifted(line_of(content()), 77))
    assert (found.form, found.offset) == (Form(), (700_000 * 8 + 77) % 256)
    assert found.frames > FRAMES - 10


@settings(max_examples=30, deadline=None)
@given(st.binary(max_size=3000), st.integers(0, 2000))
def test_any_octets_are_looked_at_without_an_error(octets: bytes, at: int) -> None:
    line = bytearray(line_of(content(400)))
    line[at : at + len(octets)] = octets
    analyse(bytes(line))
    analyse(octets)


# --- the command


def decoded(file: Path, *options: str, code: int = 0) -> str:
    done = CliRunner().invoke(app, ["decode", "e1", str(file), *options])
    assert done.exit_code == code, done.output
    return done.output


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    file = tmp_path / "tap.e1"
    file.write_bytes(Form(inverted=True).plain(shifted(line_of(content()), 13)))
    return file


def test_the_command_says_it_in_words(capture: Path) -> None:
    said = decoded(capture)
    assert "first frame at bit 13 (octet 1, bit 5); inverted" in said
    assert "CRC-4     multiframe; 0 errored blocks" in said
    assert "slot 16   HDLC: 2 frames" in said
    assert "02 01 7f" in said
    assert " 9   idle 55" in said


def test_and_as_json(capture: Path) -> None:
    told: dict[str, Any] = json.loads(decoded(capture, "--json"))
    assert told["form"] == {"inverted": True, "lsb_first": False}
    assert (told["offset"], told["crc4"], told["alarms"]) == (13, "multiframe", [])
    assert told["slots"][16]["hdlc"]["first"][0]["hex"] == SABME.hex()
    assert told["slots"][1] == {"slot": 1, "level": None, "loudest": None, "idle": "d5", "hdlc": None}


def test_a_capture_without_crc_4_names_the_setting(tmp_path: Path) -> None:
    file = tmp_path / "tap.e1"
    file.write_bytes(line_of(content(), crc4=False))
    assert "no CRC-4 multiframe for 400 ms: the far end does not send CRC-4" in decoded(file)


def test_a_capture_without_frames_ends_with_code_1_and_what_it_means(tmp_path: Path) -> None:
    file = tmp_path / "tap.e1"
    file.write_bytes(b"\xff" * 50_000)
    said = decoded(file, code=1)
    assert "no frames: neither as captured nor inverted" in said
    assert "AIS: all ones" in said


def tracer_packet(endpoint: int, octets: bytes) -> bytes:
    header = struct.pack("<IQQhB", 0xE115600D, 1_700_000_000, 0, len(octets) + 4, endpoint)
    return header + bytes(4) + octets


def test_both_directions_of_an_e1_tracer_are_read(tmp_path: Path) -> None:
    there, back = line_of(content()), line_of(content(), crc4=False)
    packets = [
        tracer_packet(endpoint, line[first : first + 256])
        for first in range(0, len(there), 256)
        for endpoint, line in ((0x81, there), (0x82, back))
    ]
    file = tmp_path / "tap.e1cap"
    file.write_bytes(b"".join(packets))
    first, second = map(json.loads, decoded(file, "--json").splitlines())
    assert [first["stream"], second["stream"]] == ["tap.e1cap endpoint 0x81", "tap.e1cap endpoint 0x82"]
    assert [first["crc4"], second["crc4"]] == ["multiframe", "non-crc interworking"]
    file.write_bytes(b"".join(packets[:100]) + b"broken" * 10)
    said = decoded(file)
    assert "must be 0xe115600d" in said
    assert "endpoint 0x82: 12,800 octets" in said


def test_an_empty_or_missing_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    assert "it is empty" in decoded(tmp_path / "empty", code=2)
    assert "No such file" in decoded(tmp_path / "none", code=2)
