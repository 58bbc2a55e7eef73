"""LAPD frames, octet by octet as Q.921 writes them."""

import pytest

from osrec.errors import UsageError, WireError
from osrec.wire.q921.fields import (
    FrameReject,
    Parameter,
    ParameterNegotiation,
    read_frmr,
    read_xid,
    write_frmr,
    write_xid,
)
from osrec.wire.q921.frames import (
    CALL_CONTROL,
    Dlci,
    Frame,
    FrameRejectError,
    Information,
    InvalidFrameError,
    Rejected,
    S,
    Side,
    Supervisory,
    U,
    Unnumbered,
    command,
    decode,
    encode,
    response,
    sender_of,
)
from osrec.wire.q921.render import as_line, information_text
from osrec.wire.q921.tei import MANAGEMENT, TeiManagement, TeiMessage, frame, read, write

USER, NETWORK = Side.USER, Side.NETWORK


def octets(text: str) -> bytes:
    return bytes.fromhex(text)


FORMATS: list[tuple[str, Side, Frame]] = [
    ("02 01 7f", NETWORK, command(U.SABME)),  # as libpri sends it
    ("02 01 73", USER, response(U.UA, f=True)),
    ("00 01 7f", USER, command(U.SABME)),
    ("00 01 73", NETWORK, response(U.UA, f=True)),
    ("00 01 53", USER, command(U.DISC)),
    ("00 01 1f", NETWORK, response(U.DM, f=True)),
    ("00 01 0f", NETWORK, response(U.DM, f=False)),
    ("02 ff 03 08 01 01 05", NETWORK, command(U.UI, p=False, octets=octets("08010105"), dlci=Dlci(0, 127))),
    ("02 01 97 ff 00 02 04 01", USER, response(U.FRMR, f=True, octets=octets("ff00020401"))),
    ("00 81 af", USER, command(U.XID, p=False, dlci=Dlci(0, 64))),
    ("02 81 bf", USER, response(U.XID, f=True, dlci=Dlci(0, 64))),
    ("00 01 01 01", NETWORK, Supervisory(S.RR, 0, command=False, pf=True)),
    ("02 01 01 fe", NETWORK, Supervisory(S.RR, 127, command=True)),
    ("02 01 05 02", USER, Supervisory(S.RNR, 1, command=False)),
    ("00 01 09 0b", USER, Supervisory(S.REJ, 5, command=True, pf=True)),
    ("02 01 fe 00 08", NETWORK, Information(127, 0, b"\x08")),
    ("00 01 02 05 08", USER, Information(1, 2, b"\x08", p=True)),
    ("42 03 00 00", NETWORK, Information(0, 0, b"", dlci=Dlci(16, 1))),
]


@pytest.mark.parametrize(("text", "sender", "frame"), FORMATS)
def test_a_format_is_read_by_the_side_that_sent_it(text: str, sender: Side, frame: Frame) -> None:
    assert decode(octets(text), sender) == frame


@pytest.mark.parametrize(("text", "sender", "frame"), FORMATS)
def test_a_format_is_written_as_it_was_read(text: str, sender: Side, frame: Frame) -> None:
    assert encode(frame, sender) == octets(text)


@pytest.mark.parametrize(
    ("sender", "is_command", "bit"), [(NETWORK, True, 1), (NETWORK, False, 0), (USER, True, 0), (USER, False, 1)]
)
def test_the_command_response_bit_follows_table_1(sender: Side, is_command: bool, bit: int) -> None:
    assert encode(Supervisory(S.RR, 0, is_command), sender)[0] >> 1 & 1 == bit


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "frame of 0 octets"),
        ("00 01", "frame of 2 octets"),
        ("01 01 7f", "address 0x01 at octet 1: EA is 1"),
        ("00 00 7f", "address 0x00 at octet 2: EA is 0"),
        ("00 01 01", "control 0x01 at octet 3: octet 4 with N(R) is missing"),
        ("00 01 02", "octet 4 with N(R) is missing"),
    ],
)
def test_an_invalid_frame_says_octet_and_rule(text: str, says: str) -> None:
    with pytest.raises(InvalidFrameError) as error:
        decode(octets(text), USER)
    assert says in str(error.value)


@pytest.mark.parametrize(
    ("text", "reason", "says"),
    [
        ("00 01 77", Rejected.NOT_IMPLEMENTED, "control 0x77 at octet 3 is not in table 5"),
        ("00 01 0d 00", Rejected.NOT_IMPLEMENTED, "control 0x0d at octet 3"),  # SREJ is not of LAPD
        ("00 01 11 00", Rejected.NOT_IMPLEMENTED, "control 0x11 at octet 3"),  # bits 8 to 5 are reserved
        ("02 01 7f 00", Rejected.INFORMATION_NOT_PERMITTED, "SABME with 1 octets of information at octet 4"),
        ("00 01 01 00 00", Rejected.WRONG_SIZE, "RR of 5 octets, expected 4"),
        ("00 01 00 00" + "00" * 261, Rejected.TOO_LONG, "information field of 261 octets at octet 5, N201 is 260"),
        ("00 01 03" + "00" * 261, Rejected.TOO_LONG, "information field of 261 octets at octet 4, N201 is 260"),
    ],
)
def test_a_frame_to_reject_names_link_and_condition(text: str, reason: Rejected, says: str) -> None:
    with pytest.raises(FrameRejectError) as error:
        decode(octets(text), USER)
    assert (error.value.dlci, error.value.reason, error.value.clause) == (CALL_CONTROL, reason, "Q.921 3.6.11")
    assert says in str(error.value)


def test_an_information_field_of_n201_octets_is_taken() -> None:
    assert len(decode(octets("00 01 00 00") + bytes(260), USER).octets) == 260  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (command(U.SABME, dlci=Dlci(64, 0)), "SAPI 64: 0..63"),
        (command(U.SABME, dlci=Dlci(0, 128)), "TEI 128: 0..127"),
        (Information(128, 0, b""), "N(S) 128: 0..127"),
        (Supervisory(S.RR, -1, command=True), "N(R) -1: 0..127"),
        (command(U.UA), "UA as a command"),
        (response(U.SABME, f=True), "SABME as a response"),
        (command(U.SABME, octets=b"x"), "SABME with 1 octets of information"),
    ],
)
def test_what_cannot_be_said_is_refused(wrong: Frame, says: str) -> None:
    with pytest.raises(UsageError) as error:
        encode(wrong, NETWORK)
    assert says in str(error.value)


def test_a_response_that_came_as_a_command_says_so() -> None:  # C/R 0 of the user
    assert decode(octets("00 01 73"), USER) == Unnumbered(U.UA, command=True, pf=True)


@pytest.mark.parametrize(
    ("text", "sender"),
    [
        ("02 01 7f", NETWORK),
        ("00 01 7f", USER),
        ("00 01 73", NETWORK),
        ("02 01 73", USER),
        ("00 01 00 00 08", USER),
        ("02 01 00 00 08", NETWORK),
        ("00 01 01 00", None),
        ("00 01 af", None),
        ("00", None),
    ],
)
def test_a_tap_tells_the_sender_by_formats_of_one_direction(text: str, sender: Side | None) -> None:
    assert sender_of(octets(text)) is sender


# --- information fields


def test_tei_management_travels_in_ui_frames_of_sapi_63() -> None:
    message = TeiManagement(TeiMessage.IDENTITY_REQUEST, 0x1234, (127,))
    sent = encode(frame(message), USER)
    assert sent == octets("fc ff 03 0f 12 34 01 ff")
    back = decode(sent, USER)
    assert isinstance(back, Unnumbered)
    assert back.dlci == MANAGEMENT
    assert read(back.octets) == message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0f 12 34 02 81", TeiManagement(TeiMessage.IDENTITY_ASSIGNED, 0x1234, (64,))),
        ("0f 12 34 03 ff", TeiManagement(TeiMessage.IDENTITY_DENIED, 0x1234, (127,))),
        ("0f 00 00 04 81", TeiManagement(TeiMessage.IDENTITY_CHECK_REQUEST, 0, (64,))),
        ("0f ab cd 05 80 82 85", TeiManagement(TeiMessage.IDENTITY_CHECK_RESPONSE, 0xABCD, (64, 65, 66))),
        ("0f 00 00 06 ff", TeiManagement(TeiMessage.IDENTITY_REMOVE, 0, (127,))),
        ("0f 00 00 07 81", TeiManagement(TeiMessage.IDENTITY_VERIFY, 0, (64,))),
    ],
)
def test_tei_messages_are_read_and_written(text: str, message: TeiManagement) -> None:
    assert read(octets(text)) == message
    assert write(message) == octets(text)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("0f 00 00 01", "message of 4 octets"),
        ("0e 00 00 01 ff", "management entity identifier 0x0e at octet 1"),
        ("0f 00 00 08 ff", "message type 8 at octet 4"),
        ("0f 00 00 05 80 82", "no action indicator from octet 5 to 6"),
    ],
)
def test_broken_tei_messages_say_what_is_wrong(text: str, says: str) -> None:
    with pytest.raises(WireError) as error:
        read(octets(text))
    assert says in str(error.value)


@pytest.mark.parametrize(
    "wrong",
    [
        TeiManagement(TeiMessage.IDENTITY_REQUEST, 0x10000, (127,)),
        TeiManagement(TeiMessage.IDENTITY_REQUEST, 1, ()),
        TeiManagement(TeiMessage.IDENTITY_REQUEST, 1, (64, 65)),
        TeiManagement(TeiMessage.IDENTITY_REMOVE, 1, (128,)),
    ],
)
def test_tei_messages_that_cannot_be_said_are_refused(wrong: TeiManagement) -> None:
    with pytest.raises(UsageError):
        write(wrong)


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("77 00 02 04 01", FrameReject(octets("7700"), 1, 2, undefined_control=True)),
        ("01 04 00 01 08", FrameReject(octets("0104"), 0, 0, was_response=True, invalid_n_r=True)),
        ("7f 00 fe fe 03", FrameReject(octets("7f00"), 127, 127, undefined_control=True, not_permitted=True)),
        ("00 00 00 00 04", FrameReject(octets("0000"), 0, 0, too_long=True)),
    ],
)
def test_frmr_tells_what_it_rejects_and_why(text: str, field: FrameReject) -> None:
    assert read_frmr(octets(text)) == field
    assert write_frmr(field) == octets(text)


@pytest.mark.parametrize("text", ["", "77 00 02 04", "77 00 03 04 01", "77 00 02 04 11"])
def test_a_broken_frmr_field_is_refused(text: str) -> None:
    with pytest.raises(WireError):
        read_frmr(octets(text))


def test_xid_negotiates_parameters() -> None:
    field = read_xid(octets("82 80 00 0b 05 02 01 04 07 01 07 09 02 00 0a"))
    assert [field.get(kind) for kind in Parameter] == [260, None, 7, 10]
    assert write_xid(field) == octets("82 80 00 0b 05 02 01 04 07 01 07 09 02 00 0a")


@pytest.mark.parametrize("text", ["", "81 80 00 00", "82 80 00 01", "82 80 00 01 05", "82 80 00 03 05 02 01"])
def test_a_broken_xid_field_is_refused(text: str) -> None:
    with pytest.raises(WireError):
        read_xid(octets(text))


def test_an_unknown_parameter_of_xid_stays_a_number() -> None:
    assert read_xid(octets("82 80 00 03 3f 01 55")) == ParameterNegotiation(((0x3F, b"\x55"),))


# --- for people


@pytest.mark.parametrize(
    ("text", "line", "information"),
    [
        ("02 01 7f", "SAPI 0 TEI 0 SABME command P=1", None),
        ("00 01 01 07", "SAPI 0 TEI 0 RR N(R)=3 response F=1", None),
        ("02 01 04 06 08", "SAPI 0 TEI 0 I N(S)=2 N(R)=3 P=0, 1 octets", None),
        (
            "fe ff 03 0f 12 34 02 81",
            "SAPI 63 TEI 127 UI command P=0, 5 octets",
            "TEI management identity assigned, Ri 4660, TEI 64",
        ),
        (
            "00 01 87 77 00 02 04 01",
            "SAPI 0 TEI 0 FRMR response F=0, 5 octets",
            "rejects command with control 77 00: undefined control, V(S)=1 V(R)=2",
        ),
        ("02 01 af 82 80 00 03 07 01 07", "SAPI 0 TEI 0 XID command P=0, 7 octets", "negotiates K_TRANSMIT 7"),
    ],
)
def test_a_frame_is_one_line(text: str, line: str, information: str | None) -> None:
    frame = decode(octets(text), NETWORK)
    assert (as_line(frame), information_text(frame)) == (line, information)


def test_a_line_does_not_guess_command_or_response() -> None:
    assert as_line(decode(octets("00 01 01 07"), USER), cr_known=False) == "SAPI 0 TEI 0 RR N(R)=3 P/F=1"
