"""osrec.wire.csta.framing: how PDUs are told apart in a stream."""

import pytest

from osrec.errors import UsageError, WireError
from osrec.wire.csta.framing import NAMES, detect, framing_named

PDU = bytes.fromhex("a10c020101020200d330030a0101")
XML = b"0001<SystemStatus/>"  # what a frame of xml8 holds
BER_FRAMINGS = tuple(name for name in NAMES if name != "xml8")


@pytest.mark.parametrize(
    ("name", "framed"),
    [
        ("be2", "000e"),
        ("siemens", "26800e"),
        ("tpkt", "03000012"),
        ("be4", "0000000e"),
        ("none", ""),
    ],
)
def test_each_framing_puts_its_own_header(name: str, framed: str) -> None:
    framing = framing_named(name)
    octets = framing.encode(PDU)
    assert octets == bytes.fromhex(framed) + PDU
    assert framing.feed(octets + octets) == [PDU, PDU]
    assert framing.held == 0


@pytest.mark.parametrize("name", BER_FRAMINGS)
def test_detection_finds_each_framing(name: str) -> None:
    assert detect(framing_named(name).encode(PDU)) == name
    long = b"\x60\x82\x01\x00" + bytes(256)
    assert detect(framing_named(name).encode(long)[:8]) == name


@pytest.mark.parametrize("octets", [b"", b"\0", b"GET / HT", bytes(8), b"\x03\x00\x00\x10\x00\x00\x00\x00"])
def test_detection_leaves_other_streams_alone(octets: bytes) -> None:
    assert detect(octets) is None


def test_a_cotp_header_behind_tpkt_is_taken_off() -> None:
    octets = bytes.fromhex("03000015 02f080") + PDU
    assert framing_named("tpkt").feed(octets) == [PDU]
    assert detect(octets) == "tpkt"


@pytest.mark.parametrize(
    ("name", "octets", "what"),
    [
        ("be2", "0000", "framed as be2: length 0; seen 00 00"),
        ("siemens", "a10c", "framed as siemens: first octet is not 26; seen a1 0c"),
        ("siemens", "260c", "the length's top bit is not set; seen 26 0c"),
        ("siemens", "268000", "length 0"),
        ("tpkt", "26800ea1", "first octet is not 03"),
        ("tpkt", "0301", "second octet is not 00"),
        ("tpkt", "03000004", "length 4, at least 5"),
        ("be4", "a10c0201", "a PDU of 2701918721 octets, allowed are 1048576; seen a1 0c 02 01"),
        ("be4", "00000000", "length 0"),
        ("none", "000e", "0x00 begins no PDU"),
        ("none", "a180", "an indefinite length does not delimit a PDU"),
        ("none", "a18500", "a length of 5 octets"),
        ("xml8", "000e", "framed as xml8: does not begin with 00 00; seen 00 0e"),
        ("xml8", "3c3f786d6c", "does not begin with 00 00; seen 3c 3f"),
        ("xml8", "00000008", "length 8, at least 9 with the header"),
        ("xml8", "0000001830303061", "the invoke id is not four digits; seen 00 00 00 18 30 30 30 61"),
        ("xml8", "00000018a10c", "the invoke id is not four digits"),
    ],
)
def test_a_broken_stream_says_what_was_seen(name: str, octets: str, what: str) -> None:
    with pytest.raises(WireError, match=what):
        framing_named(name).feed(bytes.fromhex(octets))


def test_pdus_before_a_fault_come_out_first() -> None:
    framing = framing_named("siemens")
    assert framing.feed(framing.encode(PDU) + PDU) == [PDU]
    with pytest.raises(WireError, match="first octet is not 26"):
        framing.feed(b"")


def test_a_limit_of_the_site_holds_both_ways() -> None:
    framing = framing_named("siemens", 1000)
    framing.encode(bytes(1000))
    with pytest.raises(UsageError, match="1001 octets, framing siemens takes at most 1000"):
        framing.encode(bytes(1001))
    with pytest.raises(WireError, match="1001 octets, allowed are 1000"):
        framing.feed(bytes.fromhex("2683e9"))


def test_the_length_field_is_a_limit_too() -> None:
    assert {name: framing_named(name).limit for name in NAMES} == {
        "be2": 0xFFFF,
        "siemens": 0x7FFF,
        "tpkt": 0xFFFB,
        "be4": 1 << 20,
        "none": 1 << 20,
        "xml8": 65_531,
    }


def test_xml8_hands_on_the_invoke_id_with_the_document() -> None:  # ECMA-323 annex J
    framing = framing_named("xml8")
    octets = framing.encode(XML)
    assert octets == b"\0\0\x00\x17" + XML
    assert framing.feed(octets + octets) == [XML, XML]
    assert framing.held == 0


def test_xml8_is_found_by_its_zeros_and_digits() -> None:
    octets = framing_named("xml8").encode(XML)
    assert detect(octets) == "xml8"
    assert [detect(octets[:size]) for size in range(8)] == [None] * 8


def test_xml8_frames_come_whole_however_they_arrive() -> None:
    stream = framing_named("xml8").encode(XML) * 3
    framing = framing_named("xml8")
    assert [frame for octet in stream for frame in framing.feed(bytes([octet]))] == [XML] * 3
    assert framing_named("xml8").feed(stream + stream[:9]) == [XML] * 3


def test_xml8_carries_65527_octets_of_xml_and_no_more() -> None:
    framing = framing_named("xml8")
    most = b"0001" + b"x" * 65_527
    assert framing.feed(framing.encode(most)) == [most]
    with pytest.raises(UsageError, match="65532 octets, framing xml8 takes at most 65531"):
        framing.encode(most + b"x")


@pytest.mark.parametrize("pdu", [b"", b"0001", b"001<a/>", PDU])
def test_xml8_refuses_what_has_no_invoke_id(pdu: bytes) -> None:
    with pytest.raises(UsageError, match="takes four digits of invoke id and a document"):
        framing_named("xml8").encode(pdu)


def test_an_unknown_framing_is_named_with_the_known_ones() -> None:
    with pytest.raises(UsageError, match="'be3': known are be2, siemens, tpkt, be4, none, xml8"):
        framing_named("be3")
