"""The capture of a live link: what passed is in the file, tshark and our own reader agree on it, and no secret is."""

import shutil
import struct
import subprocess
from pathlib import Path
from typing import Any

import pytest

from osrec.csta import pcap
from osrec.csta.messages import Reported, SnapshotTaken
from osrec.csta.settings import LinkConfig, RunnerConfig
from osrec.csta.tap import Passed, masked
from osrec.wire.csta import capture
from osrec.wire.csta.dialect import Dialect
from osrec.wire.csta.model import Associate, EventReport, Invoke, Pdu, Session
from tests.unit.csta_pbx import ASN1, REPORT, XML, Pbx
from tests.unit.test_csta_runner_faults import Site, config, run

SECRET = b"geheim-77777"
LOGIN = b"<l:login xmlns:l='urn:site' user='rec'><l:password>geheim-77777</l:password></l:login>"
LINK = LinkConfig(devices=("257",), name=b"AMHOST", password=SECRET, snapshot_calls=False)
XML_LINK = LinkConfig(devices=("257",), session=Session("osrec", ("urn:x",), 120, specific=LOGIN), snapshot_calls=False)


def captured(spoken: Dialect, **changes: Any) -> bytes:
    """A whole life of a link, from its connection to its release, as a capture file."""
    file = bytearray(pcap.header())

    async def scenario() -> None:
        async with Pbx(spoken) as pbx:
            settings: RunnerConfig = config(pbx, **changes)
            site = Site(settings)
            site.runner.listen(lambda passed: file.extend(pcap.packets(passed)))
            async with site:
                await site.until(SnapshotTaken)
                pbx.send(*[Invoke(9, REPORT)] * 3)
                for _ in range(3):
                    await site.until(Reported)

    run(scenario)
    return bytes(file)


def pdus(file: bytes, spoken: Dialect) -> dict[bool, list[Pdu]]:
    """What each side said; True: the server."""
    found: dict[bool, list[Pdu]] = {True: [], False: []}
    framings: dict[str, Any] = {}
    server = ""
    for piece in capture.pieces(file):
        assert not piece.missing
        server = server or piece.flow.destination  # the client speaks first
        framing = framings.setdefault(piece.flow.source, spoken.framing())
        found[piece.flow.source == server] += map(spoken.decode, framing.feed(piece.octets))
    return found


@pytest.fixture(scope="module")
def asn1_file() -> bytes:
    return captured(ASN1, link=LINK)


@pytest.fixture(scope="module")
def xml_file() -> bytes:
    return captured(XML, encoding="xml", framing="xml8", link=XML_LINK)


def test_our_reader_gives_the_same_pdus_back(asn1_file: bytes) -> None:
    found = pdus(asn1_file, ASN1)
    assert isinstance(found[False][0], Associate)
    assert [pdu.argument for pdu in found[True] if isinstance(pdu, Invoke)][1:] == [REPORT] * 3
    assert len(found[False]) == 5, "association, answer to the status, monitor, snapshot, release"


def test_xml_is_captured_too(xml_file: bytes) -> None:
    found = pdus(xml_file, XML)
    reports = [pdu for pdu in found[True] if isinstance(pdu, Invoke) and isinstance(pdu.argument, EventReport)]
    assert len(reports) == 3


def test_the_password_is_masked_by_as_many_asterisks(asn1_file: bytes) -> None:
    assert SECRET not in asn1_file
    (request, *_) = pdus(asn1_file, ASN1)[False]
    assert isinstance(request, Associate)
    assert (request.name, request.password) == (b"AMHOST", b"*" * len(SECRET))


def test_a_login_in_an_xml_session_is_masked_tags_apart(xml_file: bytes) -> None:
    assert b"geheim" not in xml_file
    (request, *_) = pdus(xml_file, XML)[False]
    assert isinstance(request, Associate)
    assert request.session is not None
    assert request.session.application == "osrec"
    assert b"geheim" not in (request.session.specific or b"")


@pytest.mark.parametrize("spoken", [ASN1, XML])
def test_masking_keeps_the_number_of_octets(spoken: Dialect) -> None:
    request = Associate(name=b"a", password=SECRET, session=XML_LINK.session)
    octets = spoken.encode(request)
    assert len(masked(request, octets, spoken)) == len(octets)
    assert masked(Invoke(1, REPORT), b"as it is", spoken) == b"as it is"


def test_what_is_captured_from_the_midst_of_a_connection_has_no_gap() -> None:
    file = bytearray(pcap.header())

    async def scenario() -> None:
        async with Pbx() as pbx, Site(config(pbx, link=LINK)) as site:
            await site.until(SnapshotTaken)
            stop = site.runner.listen(lambda passed: file.extend(pcap.packets(passed)))
            pbx.send(*[Invoke(9, REPORT)] * 2)
            for _ in range(2):
                await site.until(Reported)
            stop()
            pbx.send(Invoke(9, REPORT))
            await site.until(Reported)

    run(scenario)
    found = [piece for piece in capture.pieces(bytes(file)) if not piece.missing]
    framing = ASN1.framing()
    reports = [ASN1.decode(frame) for piece in found for frame in framing.feed(piece.octets)]
    assert reports == [Invoke(9, REPORT)] * 2


@pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")
def test_tshark_finds_nothing_wrong_with_the_file(asn1_file: bytes, tmp_path: Path) -> None:
    path = tmp_path / "link.pcap"
    path.write_bytes(asn1_file)
    fields = ["ip.src", "tcp.flags.str", "tcp.seq_raw", "tcp.len", "tcp.analysis.flags", "tcp.checksum.status"]
    asked = [word for field in fields for word in ("-e", field)]
    checks = ["-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE"]
    command = ["tshark", "-r", str(path), "-T", "fields", "-E", "separator=;", *checks, *asked]
    rows = [
        line.split(";")
        for line in subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    ]
    assert all(row[0] == "127.0.0.1" and not row[4] and row[5] == "1" for row in rows), rows
    flags = [row[1].strip("·") for row in rows]
    assert flags[:3] == ["S", "A··S", "A"]
    assert any("F" in one for one in flags)
    stream = ["tshark", "-r", str(path), "-q", "-z", "follow,tcp,raw,0"]
    followed = subprocess.run(stream, capture_output=True, text=True, check=True).stdout
    octets = bytes.fromhex("".join(line.strip() for line in followed.splitlines() if _is_hex(line.strip())))
    assert octets == b"".join(piece.octets for piece in capture.pieces(asn1_file))


def _is_hex(text: str) -> bool:
    return bool(text) and all(digit in "0123456789abcdef" for digit in text)


@pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")
@pytest.mark.parametrize("address", ["192.0.2.1", "2001:db8::1"])
def test_long_messages_are_cut_into_segments_with_numbers_beyond_32_bits_wrapped(address: str, tmp_path: Path) -> None:
    octets = bytes(range(256)) * 300
    local, peer = (address, 50000), (address, 1040)
    passed = [
        Passed(1700000000.123456, "data", 1, local, peer, sent, (1 << 32) - 1000, (1 << 33) + 5, octets)
        for sent in (True, False)
    ]
    path = tmp_path / "long.pcap"
    path.write_bytes(pcap.header() + b"".join(map(pcap.packets, passed)))
    command = [
        "tshark",
        "-r",
        str(path),
        "-T",
        "fields",
        "-e",
        "frame.time_epoch",
        "-e",
        "tcp.len",
        "-e",
        "tcp.srcport",
    ]
    checks = ["-e", "tcp.checksum.status", "-o", "tcp.check_checksum:TRUE"]
    rows = [
        line.split("\t")
        for line in subprocess.run([*command, *checks], capture_output=True, text=True, check=True).stdout.splitlines()
    ]
    assert [int(row[1]) for row in rows] == [32768, 32768, 11264] * 2
    assert {row[0] for row in rows} == {"1700000000.123456000"}
    assert [row[2] for row in rows] == ["50000"] * 3 + ["1040"] * 3
    assert {row[3] for row in rows} == {"1"}
    sent = [piece.octets for piece in capture.pieces(path.read_bytes()) if piece.flow.source.endswith(":50000")]
    assert b"".join(sent) == octets


def test_the_records_bear_the_time_in_microseconds() -> None:
    passed = Passed(12.000001, "open", 1, ("192.0.2.1", 1), ("192.0.2.2", 2), True)
    assert struct.unpack_from("<II", pcap.packets(passed)) == (12, 1)
