"""`osrec decode csta`: hex, files, captures as they come from the field."""

import json
import struct
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from osrec.cli.decode import app
from osrec.errors import WireError
from osrec.wire.csta.capture import Flow, Piece, pieces
from osrec.wire.csta.framing import NAMES, framing_named
from osrec.wire.pcap import is_capture

VECTORS = Path(__file__).parent.parent / "vectors" / "csta"
SYN, ACK = 0x02, 0x10
Packet = tuple[float, bytes]


def vector(name: str) -> bytes:
    return bytes.fromhex((VECTORS / f"{name}.hex").read_text().splitlines()[1])


DELIVERED = vector("hipath-eventreport-delivered")
STATUS = vector("hipath-systemstatus")
AARQ = vector("hipath-aarq-apdu")


def decode(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["csta", *map(str, arguments)])


def objects(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


# --- captures, put together by hand


def tcp(sequence: int, octets: bytes = b"", flags: int = ACK, *, back: bool = False) -> bytes:
    """An IPv4 packet from 10.0.0.1:1040 to 10.0.0.2:33000, or back."""
    ends = [(ip_address("10.0.0.1").packed, 1040), (ip_address("10.0.0.2").packed, 33000)]
    (source, source_port), (destination, destination_port) = reversed(ends) if back else ends
    segment = struct.pack(">HHIIBBHHH", source_port, destination_port, sequence, 0, 0x50, flags, 512, 0, 0) + octets
    head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(segment), 0, 0, 64, 6, 0)
    return head + source + destination + segment


def tcp6(sequence: int, octets: bytes) -> bytes:
    segment = struct.pack(">HHIIBBHHH", 1040, 33000, sequence, 0, 0x50, ACK, 512, 0, 0) + octets
    head = struct.pack(">IHBB", 0x6 << 28, 8 + len(segment), 0, 64)  # a hop by hop header stands before TCP
    return head + ip_address("fe80::1").packed + ip_address("fe80::2").packed + b"\x06\0" + bytes(6) + segment


def ethernet(packet: bytes, *, vlan: bool = False) -> bytes:
    kind = b"\x08\0" if packet[0] >> 4 == 4 else b"\x86\xdd"
    return bytes(12) + (b"\x81\0\0\x05" if vlan else b"") + kind + packet


def pcap(*packets: bytes, link_type: int = 1, order: str = "<") -> bytes:
    octets = struct.pack(order + "IHHIIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, link_type)
    for number, packet in enumerate(packets):
        octets += struct.pack(order + "IIII", 1_700_000_000, number * 1000, len(packet), len(packet)) + packet
    return octets


def pcapng(*packets: bytes) -> bytes:
    def block(kind: int, body: bytes) -> bytes:
        body += bytes(-len(body) % 4)
        size = struct.pack("<I", len(body) + 12)
        return struct.pack("<I", kind) + size + body + size

    octets = block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1))
    options = struct.pack("<HHB3xHH", 9, 1, 9, 0, 0)  # if_tsresol: nanoseconds
    octets += block(1, struct.pack("<HHI", 1, 0, 65535) + options)
    for number, packet in enumerate(packets):
        at = 1_700_000_000 * 10**9 + number * 10**6
        octets += block(6, struct.pack("<IIIII", 0, at >> 32, at & 0xFFFFFFFF, len(packet), len(packet)) + packet)
    return octets


def streamed(octets: bytes) -> dict[str, bytes]:
    """All octets of each direction."""
    flows: dict[str, bytes] = {}
    for piece in pieces(octets):
        flows[piece.flow.source] = flows.get(piece.flow.source, b"") + piece.octets
    return flows


# --- hex and text


def test_hex_on_the_command_line_is_shown_in_one_line() -> None:
    result = decode("--hex", DELIVERED.hex(":"))
    assert result.exit_code == 0
    assert result.stdout == (
        "--hex: invoke 1 cSTAEventReport xref 0007 Delivered 257@b164, alerting, device 257, calling 100, called 257, "
        "cause newCall, at 2012-01-16 05:41:36\n"
    )


@pytest.mark.parametrize("framing", [name for name in NAMES if name != "xml8"])
def test_framing_is_found_or_taken_as_given(framing: str) -> None:
    octets = framing_named(framing).encode(STATUS).hex()
    for arguments in (["--framing", framing], []):
        (shown,) = objects(decode("--hex", octets, "--json", *arguments))
        assert shown["framing"] == framing
        assert shown["pdu"]["operation"] == "systemStatus"
        assert shown["hex"] == STATUS.hex()


def test_json_names_members_as_the_model_does() -> None:
    (shown,) = objects(decode("--json", "--hex", DELIVERED.hex()))
    event = shown["pdu"]["argument"]["event"]
    assert (shown["pdu"]["type"], shown["pdu"]["opcode"], event["type"]) == ("Invoke", 21, "Delivered")
    assert (event["cause"], event["cause_name"], event["local"]) == (22, "newCall", "alerting")
    assert event["connection"]["call_id"] == "b164"
    assert event["parties"]["last_redirection"] == "not_known"
    assert shown["remarks"] == []


def test_all_vectors_in_one_text_file_are_read(tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    lines = [f"{path.stem} {path.read_text().splitlines()[1]}" for path in sorted(VECTORS.glob("*.hex"))]
    file.write_text("# notes of a visit\n\n" + "\n".join(lines))
    result = decode(file)
    assert result.exit_code == 0
    assert len(result.stdout.splitlines()) == len(lines) == 20
    assert "UN" not in result.stdout


def test_a_vector_file_as_committed_is_read() -> None:
    result = decode(VECTORS / "own-monitorstart.hex")
    assert result.stdout == "line 2: invoke 1 monitorStart 4711\n"


def test_raw_octets_in_a_file_are_a_stream(tmp_path: Path) -> None:
    file = tmp_path / "link.bin"
    framing = framing_named("siemens")
    file.write_bytes(framing.encode(AARQ) + framing.encode(STATUS) + framing.encode(STATUS)[:5])
    lines = decode(file).stdout.splitlines()
    assert lines[0].startswith("link.bin: AARQ context 1.3.12.0.218")
    assert lines[1] == "link.bin: invoke 1 systemStatus enabled"
    assert lines[2] == "link.bin: UNREADABLE ends with 5 octets of an unfinished PDU"


def test_remarks_stand_below_their_pdu() -> None:
    result = decode("--framing", "be2", "--hex", (len(STATUS) + 1).to_bytes(2, "big").hex() + STATUS.hex() + "00")
    assert result.stdout.splitlines()[1] == "    remark: 1 octets after the PDU"


# --- secrets


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_the_password_is_masked_unless_asked_for(form: list[str]) -> None:
    masked = decode("--hex", AARQ.hex(), *form).stdout
    assert "AMHOST" in masked or b"AMHOST".hex() in masked
    assert "77777" not in masked
    assert b"77777".hex() not in masked
    shown = decode("--hex", AARQ.hex(), "--show-secrets", *form).stdout
    assert "77777" in shown or b"77777".hex() in shown


@pytest.mark.parametrize("octets", [b"\0\1" + AARQ[:-1], AARQ[:-1], b"\xff" * 8 + AARQ])
def test_octets_that_may_hold_a_password_are_masked_too(octets: bytes) -> None:
    for form in (["--json"], ["--framing", "be2"], []):
        assert b"77777".hex() not in decode("--hex", octets.hex(), *form).stdout


# --- what cannot be read


def test_an_undecodable_pdu_is_shown_and_the_rest_read(tmp_path: Path) -> None:
    framing = framing_named("be2")
    result = decode("--hex", (framing.encode(b"\xa1\x05\x02") + framing.encode(STATUS)).hex())
    assert result.exit_code == 0
    first, second = result.stdout.splitlines()
    assert first == "--hex: UNDECODABLE element [1] says 5 octets, 1 are left [X.690 8.1.3]: a10502"
    assert "systemStatus" in second


def test_nothing_readable_is_exit_code_1() -> None:
    result = decode("--hex", b"GET / HTTP/1.1".hex())
    assert result.exit_code == 1
    assert "no framing recognised" in result.stdout
    assert "nothing could be read" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "either FILE or --hex"),
        (["--hex", "a1", "file"], "either FILE or --hex"),
        (["--hex", "xyz"], "is no hex"),
        (["/nonexistent/file"], "No such file"),
        (["--framing", "be3", "--hex", "a1"], "be3"),
    ],
)
def test_bad_usage_is_exit_code_2_and_says_why(arguments: list[str], says: str) -> None:
    result = decode(*arguments)
    assert result.exit_code == 2
    assert says in " ".join(result.stderr.replace("│", " ").split())


# --- captures


@pytest.mark.parametrize(
    "octets",
    [
        pcap(ethernet(tcp(1, STATUS))),
        pcap(ethernet(tcp(1, STATUS)), order=">"),
        pcap(ethernet(tcp(1, STATUS), vlan=True)),
        pcap(tcp(1, STATUS), link_type=101),
        pcap(bytes(14) + b"\x08\0" + tcp(1, STATUS), link_type=113),
        pcap(bytes(20) + tcp(1, STATUS), link_type=276),
        pcap(bytes(4) + tcp(1, STATUS), link_type=0),
        pcapng(ethernet(tcp(1, STATUS))),
    ],
)
def test_captures_of_every_kind_are_read(octets: bytes) -> None:
    assert list(pieces(octets)) == [Piece(Flow("10.0.0.1:1040", "10.0.0.2:33000"), 1_700_000_000.0, STATUS)]


def test_ipv6_with_an_extension_header_is_read() -> None:
    (piece,) = pieces(pcap(ethernet(tcp6(1, STATUS))))
    assert (piece.flow, piece.octets) == (Flow("[fe80::1]:1040", "[fe80::2]:33000"), STATUS)


def test_segments_out_of_order_and_sent_twice_come_out_once_in_order() -> None:
    capture = pcap(
        *map(
            ethernet,
            [
                tcp(0xFFFFFFFD, flags=SYN),
                tcp(0xFFFFFFFE, b"abc"),
                tcp(4, b"gh"),
                tcp(1, b"def"),
                tcp(0xFFFFFFFE, b"abcdef"),  # repeated, longer
                tcp(3, b"fghij"),  # partly new
                tcp(1, b"def"),
            ],
        )
    )
    assert streamed(capture) == {"10.0.0.1:1040": b"abcdefghij"}


def test_octets_that_were_not_captured_are_counted() -> None:
    found = list(pieces(pcap(*map(ethernet, [tcp(1, b"ab"), tcp(8, b"cd")]))))
    assert [(piece.octets, piece.missing) for piece in found] == [(b"ab", 0), (b"cd", 5)]


def test_a_new_connection_of_the_same_ports_is_another_flow() -> None:
    segments = [tcp(1, flags=SYN), tcp(2, b"ab"), tcp(9000, flags=SYN), tcp(9001, b"cd")]
    found = list(pieces(pcap(*map(ethernet, segments))))
    assert [(piece.flow.number, piece.octets) for piece in found] == [(0, b"ab"), (1, b"cd")]


def test_a_capture_shows_time_and_direction_of_each_pdu(tmp_path: Path) -> None:
    framing = framing_named("siemens")
    event, answer = framing.encode(DELIVERED), framing.encode(vector("own-nodataresult73"))
    file = tmp_path / "site.pcap"
    file.write_bytes(
        pcap(*map(ethernet, [tcp(1, event[:20]), tcp(7, answer, back=True), tcp(21, event[20:]), tcp(1, event[:20])]))
    )
    result = decode(file)
    assert result.exit_code == 0
    back, event_line = result.stdout.splitlines()
    assert back == "2023-11-14 22:13:20.001000 10.0.0.2:33000 > 10.0.0.1:1040: result 5 monitorStop done"
    assert event_line.startswith("2023-11-14 22:13:20.002000 10.0.0.1:1040 > 10.0.0.2:33000: invoke 1 cSTAEventReport")
    (first, _) = objects(decode(file, "--json"))
    assert first["captured"] == "2023-11-14T22:13:20.001000+00:00"


def test_reading_goes_on_behind_a_gap(tmp_path: Path) -> None:
    octets = framing_named("be2").encode(STATUS)
    file = tmp_path / "gap.pcap"
    file.write_bytes(pcap(*map(ethernet, [tcp(1, octets + octets[:4]), tcp(1 + 2 * len(octets), octets)])))
    lines = decode(file).stdout.splitlines()
    assert [line.partition(": ")[2] for line in lines] == [
        "invoke 1 systemStatus enabled",
        "UNREADABLE 12 octets were not captured",
        "invoke 1 systemStatus enabled",
    ]


def test_a_capture_cut_short_is_read_up_to_there(tmp_path: Path) -> None:
    file = tmp_path / "cut.pcapng"
    octets = pcapng(ethernet(tcp(1, STATUS)))
    file.write_bytes(octets + b"\6\0\0\0\x07\0\0\0" + bytes(8))
    result = decode(file)
    assert result.exit_code == 0
    assert "systemStatus" in result.stdout
    assert "pcapng block of 7 octets" in result.stderr


def test_what_is_no_capture_says_so() -> None:
    assert not is_capture(STATUS)
    with pytest.raises(WireError, match="begins with a1 0c 02 01"):
        list(pieces(STATUS))
    with pytest.raises(WireError, match="pcap header of 4 octets"):
        list(pieces(b"\xd4\xc3\xb2\xa1"))


# --- XML

XML_VECTORS = VECTORS.parent / "csta-xml"


def xml(name: str) -> bytes:
    return (XML_VECTORS / f"{name}.txt").read_bytes().splitlines()[1]


def xml_frame(name: str) -> bytes:
    return framing_named("xml8").encode(xml(name))


@pytest.mark.parametrize("arguments", [["--framing", "xml8"], []])
def test_xml_is_found_or_taken_as_given(arguments: list[str]) -> None:
    (shown,) = objects(decode("--hex", xml_frame("osv-monitorstop").hex(), "--json", *arguments))
    assert (shown["framing"], shown["pdu"]["operation"], shown["pdu"]["invoke_id"]) == ("xml8", "monitorStop", 2)
    assert shown["pdu"]["argument"]["cross_ref"] == "1193240031"
    assert shown["text"].startswith("0002<?xml")
    assert bytes.fromhex(shown["hex"]).decode() == shown["text"]


def test_an_event_in_xml_is_shown_in_one_line() -> None:
    result = decode("--hex", xml_frame("own-bridged").hex())
    assert result.stdout == (
        "--hex: invoke 9999 cSTAEventReport xref 0007 Bridged 4711@b164, device 4712 'Müller', cause newCall\n"
    )


def test_a_capture_of_an_xml_link_is_read_in_both_directions(tmp_path: Path) -> None:
    there, back = xml_frame("client-startapplicationsession"), xml_frame("osv-startapplicationsessionposresponse")
    events = xml_frame("osv-delivered") + xml_frame("osv-transfered")
    file = tmp_path / "site.pcap"
    packets = [
        tcp(99, flags=SYN),
        tcp(7, flags=SYN, back=True),
        tcp(8, there, back=True),
        tcp(100, back),
        tcp(100 + len(back), events[:700]),
        tcp(100 + len(back) + 700, events[700:]),
    ]
    file.write_bytes(pcap(*packets, link_type=101))
    shown = objects(decode("--json", file))
    assert [one["pdu"]["type"] for one in shown] == ["Associate", "Associated", "Invoke", "Invoke"]
    assert [one["framing"] for one in shown] == ["xml8"] * 4
    assert shown[2]["pdu"]["argument"]["event"]["type"] == "Delivered"


def test_documents_from_a_log_are_read_line_by_line(tmp_path: Path) -> None:
    file = tmp_path / "log.txt"
    lines = [
        b"# copied from a log",
        b"first " + xml("mitel-error"),
        xml("osv-monitorstop")[4:],
        b"status " + STATUS.hex().encode(),
    ]
    file.write_bytes(b"\n".join(lines))
    shown = decode(file).stdout.splitlines()
    assert shown == [
        "first: error 1011 systemResourceAvailability overallMonitorLimitExceeded",
        "line 3: invoke 0 monitorStop xref 1193240031",
        "status: invoke 1 systemStatus enabled",
    ]


def test_a_document_in_a_file_of_its_own_may_have_many_lines(tmp_path: Path) -> None:
    file = tmp_path / "held.xml"
    file.write_bytes(xml("osv-monitorstop")[4:].replace(b"><", b">\n<"))
    assert decode(file).stdout == "held.xml: invoke 0 monitorStop xref 1193240031\n"


def test_a_document_that_is_none_is_shown_with_the_reason() -> None:
    octets = framing_named("xml8").encode(b"0001<!DOCTYPE x><x/>")
    result = decode("--hex", octets.hex())
    assert "UNDECODABLE document type declaration 'x' refused" in result.stdout
    assert result.exit_code == 1


def test_a_login_of_a_session_is_masked_unless_asked_for() -> None:
    document = (
        b"0001<StartApplicationSession><applicationInfo><applicationID>osrec</applicationID><applicationSpecificInfo>"
        b"<login><password>secret</password></login></applicationSpecificInfo></applicationInfo></StartApplicationSession>"
    )
    octets = framing_named("xml8").encode(document).hex()
    for arguments in ([], ["--json"]):
        hidden, told = decode("--hex", octets, *arguments), decode("--hex", octets, "--show-secrets", *arguments)
        assert "secret" not in hidden.stdout
        assert b"secret".hex() not in hidden.stdout
        assert "***" in hidden.stdout
        assert "secret" in told.stdout
