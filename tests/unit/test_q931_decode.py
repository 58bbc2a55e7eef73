"""`osrec decode q931`: captures of taps, hex, and what neither can be read."""

import json
import struct
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from osrec.cli.decode import app
from osrec.errors import WireError
from osrec.wire.q921.capture import LAPD, LINUX_LAPD, Caught, caught, without_fcs
from osrec.wire.q921.frames import Side

SABME = bytes.fromhex("02 01 7f")
RR = bytes.fromhex("02 01 01 01")
SETUP = bytes.fromhex("02 01 00 00 08 02 00 01 05 04 03 80 90 a3 18 03 a9 83 85")
DISCONNECT = bytes.fromhex("00 01 00 02 08 02 80 01 45 08 02 80")  # Cause is one octet short of what it says


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["q931", *map(str, arguments)])


def pcap(*frames: bytes, link_type: int = LAPD) -> bytes:
    octets = struct.pack("<IHHIIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, link_type)
    for number, frame in enumerate(frames):
        octets += struct.pack("<IIII", 1_700_000_000, number * 1000, len(frame), len(frame)) + frame
    return octets


def cooked(frame: bytes, *, outgoing: bool, network: bool, protocol: int = 0x30) -> bytes:
    """The header of LINUX_LAPD: packet type, ARPHRD, address length, address (its first octet: we are the network)."""
    return struct.pack(">HHHB7xH", 4 if outgoing else 0, 8445, 1, network, protocol) + frame


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    path = tmp_path / "tap.pcap"
    path.write_bytes(pcap(SABME, RR, SETUP, DISCONNECT))
    return path


def test_a_capture_is_shown_frame_by_frame(capture: Path) -> None:
    result = run(capture)
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "2023-11-14 22:13:20.000000 network > user: SAPI 0 TEI 0 SABME command P=1",
        "2023-11-14 22:13:20.001000 SAPI 0 TEI 0 RR N(R)=0 P/F=1",
        "2023-11-14 22:13:20.002000 network > user: SAPI 0 TEI 0 I N(S)=0 N(R)=0 P=0, 15 octets",
        "    SETUP, call reference 1, from its origin",
        "        Bearer capability: speech, circuit mode, 64 kbit/s, G.711 A-law",
        "        Channel identification: exclusive, time slot 5",
        "2023-11-14 22:13:20.003000 user > network: SAPI 0 TEI 0 I N(S)=0 N(R)=1 P=0, 8 octets",
        "    DISCONNECT, call reference 1, to its origin",
        "        Cause: 80",
        "    remark: information element Cause at octet 6: length 2 runs beyond the message end [Q.931 5.8.6.2]",
    ]


def test_json_is_one_object_a_frame(capture: Path) -> None:
    objects: list[dict[str, Any]] = [json.loads(line) for line in run(capture, "--json").stdout.splitlines()]
    assert [value["sender"] for value in objects] == ["network", None, "network", "user"]
    assert objects[0]["frame"]["kind"] == "SABME"
    assert "command" not in objects[1]["frame"]
    setup = objects[2]
    assert setup["q931"]["message"] == "SETUP"
    assert setup["q931"]["elements"][1]["channels"] == [5]
    assert (setup["remarks"], setup["captured"]) == ([], "2023-11-14T22:13:20.002000+00:00")
    assert bytes.fromhex(setup["hex"]) == SETUP
    assert len(objects[3]["remarks"]) == 1


@pytest.mark.parametrize(
    ("outgoing", "network", "sender"),
    [(True, True, "network"), (True, False, "user"), (False, True, "user"), (False, False, "network")],
)
def test_linux_lapd_says_who_sent_a_frame(tmp_path: Path, outgoing: bool, network: bool, sender: str) -> None:
    path = tmp_path / "dahdi.pcap"
    path.write_bytes(pcap(cooked(RR, outgoing=outgoing, network=network), link_type=LINUX_LAPD))
    (value,) = [json.loads(line) for line in run(path, "--json").stdout.splitlines()]
    assert value["sender"] == sender
    assert value["frame"]["command"] is (sender == "network")


def test_other_protocols_of_a_linux_capture_are_passed_over() -> None:
    packets = [cooked(SABME, outgoing=True, network=True, protocol=0x800), cooked(SABME, outgoing=True, network=True)]
    (frame,) = caught(pcap(*packets, cooked(b"", outgoing=True, network=True), link_type=LINUX_LAPD))
    assert frame == Caught(SABME, 1_700_000_000.001, Side.NETWORK)


def test_a_time_beyond_the_calendar_is_left_out(tmp_path: Path) -> None:
    def block(kind: int, body: bytes) -> bytes:
        size = struct.pack("<I", len(body) + 12)
        return struct.pack("<I", kind) + size + body + size

    octets = block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1)) + block(1, struct.pack("<HHI", LAPD, 0, 0))
    octets += block(6, struct.pack("<IIIII", 0, 0xFFFFFFFF, 0xFFFFFFFF, 3, 3) + SABME + b"\0")
    path = tmp_path / "clock.pcapng"
    path.write_bytes(octets)
    assert run(path).stdout == "network > user: SAPI 0 TEI 0 SABME command P=1\n"
    assert "captured" not in json.loads(run(path, "--json").stdout)


@pytest.mark.parametrize(("link_type", "says"), [(121, "HiPath HDLC"), (1, "link type 1 is not read")])
def test_other_link_types_are_refused_by_name(tmp_path: Path, link_type: int, says: str) -> None:
    path = tmp_path / "other.pcap"
    path.write_bytes(pcap(SABME, link_type=link_type))
    with pytest.raises(WireError):
        list(caught(path.read_bytes()))
    result = run(path)
    assert (result.exit_code, says in result.stderr) == (1, True)


def test_fcs_is_taken_off_when_every_frame_has_it_right() -> None:
    checked = Caught(b"123456789\x6e\x90")  # the published check value of this CRC: 0x906E
    frames, found = without_fcs([checked, checked])
    assert (found, [frame.octets for frame in frames]) == (True, [b"123456789"] * 2)
    assert without_fcs([checked, Caught(RR)]) == ([checked, Caught(RR)], False)
    assert without_fcs([]) == ([], False)


def test_hex_may_be_a_frame_or_a_message_alone() -> None:
    assert run("--hex", "02:01:7f").stdout == "network > user: SAPI 0 TEI 0 SABME command P=1\n"
    assert run("--hex", SETUP[4:].hex()).stdout.startswith("SETUP, call reference 1, from its origin\n    Bearer")


def test_text_may_name_the_sender(tmp_path: Path) -> None:
    path = tmp_path / "log.txt"
    path.write_text("user 02 01 01 01\nnetwork 02 01 01 01 # a comment\npri1 02 01 7f\n")
    assert run(path).stdout.splitlines() == [
        "user > network: SAPI 0 TEI 0 RR N(R)=0 response F=1",
        "network > user: SAPI 0 TEI 0 RR N(R)=0 command P=1",
        "pri1 network > user: SAPI 0 TEI 0 SABME command P=1",
    ]


def test_management_is_told_in_words() -> None:
    assert "TEI management identity request, Ri 4660, TEI any" in run("--hex", "fc ff 03 0f 12 34 01 ff").stdout


@pytest.mark.parametrize(
    ("octets", "says"),
    [
        ("00 01 77", "UNDECODABLE control 0x77 at octet 3 is not in table 5 [Q.921 3.6.11]: 000177"),
        ("00", "UNDECODABLE frame of 1 octets"),
        ("02 01 00 00 09 02", "    UNDECODABLE message of 2 octets"),
    ],
)
def test_what_cannot_be_read_is_said_with_its_octets(octets: str, says: str) -> None:
    result = run("--hex", octets)
    assert (result.exit_code, says in result.stdout) == (1, True)


def test_a_wrong_command_is_told() -> None:
    assert run().exit_code == 2
    assert run("--hex", "0g").exit_code == 2
    assert run("no-such-file").exit_code == 2


def test_a_file_that_is_neither_capture_nor_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "noise"
    path.write_bytes(b"\xff\xfe\x00")
    told = " ".join(run(path).stderr.replace("│", " ").split())
    assert "neither pcap nor pcapng nor lines of hex" in told
