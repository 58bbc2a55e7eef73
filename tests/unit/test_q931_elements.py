"""Information elements of Q.931, each with the octets that its coding table gives."""

import pytest

from osrec.errors import UsageError
from osrec.wire.q931.bearer import (
    SPEECH_A_LAW,
    BearerCapability,
    Coding,
    HighLayer,
    HighLayerCompatibility,
    Layer,
    Layer1,
    LowLayerCompatibility,
    TransferCapability,
    TransferMode,
    TransferRate,
)
from osrec.wire.q931.causes import CAUSE_NAMES, CauseValue, Location, cause_name, location_name
from osrec.wire.q931.channel import ANY_CHANNEL, ChannelIdentification, ChannelType, Selection, time_slot
from osrec.wire.q931.codec import decode_with_faults, encode
from osrec.wire.q931.elements import (
    CallIdentity,
    CallState,
    CallStateValue,
    Cause,
    CongestionLevel,
    DateTime,
    Display,
    KeypadFacility,
    MoreData,
    NotificationIndicator,
    ProgressDescription,
    ProgressIndicator,
    Raw,
    RepeatIndicator,
    RestartClass,
    RestartIndicator,
    SendingComplete,
    Shift,
    Signal,
    SignalValue,
    UserProtocol,
    UserUser,
)
from osrec.wire.q931.facility import Facility, FacilityParts, Profile, operation_name, parts
from osrec.wire.q931.messages import CallReference, Message, MessageType
from osrec.wire.q931.numbers import (
    CalledPartyNumber,
    CalledPartySubaddress,
    CallingPartyNumber,
    CallingPartySubaddress,
    ConnectedNumber,
    ConnectedSubaddress,
    NumberingPlan,
    Presentation,
    PresentationIndicator,
    RedirectingNumber,
    RedirectionNumber,
    RedirectionReason,
    Screening,
    SubaddressType,
    TypeOfNumber,
)
from osrec.wire.q931.registry import Element
from osrec.wire.q931.render import as_line

HEAD = bytes.fromhex("08 02 00 01 7b")  # INFORMATION, which demands no element


def carried(*elements: Element) -> bytes:
    return encode(Message(MessageType.INFORMATION, CallReference(1), elements))[len(HEAD) :]


ELEMENTS: list[tuple[str, Element, str]] = [
    ("04 03 80 90 a3", SPEECH_A_LAW, "Bearer capability: speech, circuit mode, 64 kbit/s, G.711 A-law"),
    (
        "04 03 90 90 a2",
        BearerCapability(TransferCapability.AUDIO_3K1, layer1=Layer(Layer1.G711_U)),
        "Bearer capability: audio 3k1, circuit mode, 64 kbit/s, G.711 mu-law",
    ),
    (
        "04 02 88 90",
        BearerCapability(TransferCapability.UNRESTRICTED_DIGITAL),
        "Bearer capability: unrestricted digital, circuit mode, 64 kbit/s",
    ),
    (
        "04 04 88 90 21 8f",
        BearerCapability(TransferCapability.UNRESTRICTED_DIGITAL, layer1=Layer(Layer1.V110, b"\x0f")),
        "Bearer capability: unrestricted digital, circuit mode, 64 kbit/s, V.110 0f",
    ),
    (
        "04 04 88 c0 c6 e6",
        BearerCapability(
            TransferCapability.UNRESTRICTED_DIGITAL,
            TransferMode.PACKET,
            TransferRate.PACKET,
            layer2=Layer(6),
            layer3=Layer(6),
        ),
        "Bearer capability: unrestricted digital, packet mode, rate 0, layer 2 protocol 6, layer 3 protocol 6",
    ),
    (
        "04 03 88 98 86",
        BearerCapability(TransferCapability.UNRESTRICTED_DIGITAL, rate=TransferRate.MULTIRATE, multiplier=6),
        "Bearer capability: unrestricted digital, circuit mode, 6 x 64 kbit/s",
    ),
    (
        "08 02 81 90",
        Cause(CauseValue.NORMAL_CALL_CLEARING, Location.PRIVATE_LOCAL),
        "Cause: 16 normal call clearing, location private network serving the local user",
    ),
    (
        "08 03 80 e0 18",
        Cause(CauseValue.MANDATORY_ELEMENT_MISSING, diagnostics=b"\x18"),
        "Cause: 96 mandatory information element is missing, location user, diagnostics 18",
    ),
    (
        "08 03 02 80 91",
        Cause(CauseValue.USER_BUSY, Location.PUBLIC_LOCAL, recommendation=0),
        "Cause: 17 user busy, location public network serving the local user",
    ),
    (
        "08 02 e0 ff",
        Cause(CauseValue.INTERWORKING, coding=Coding.NETWORK),
        "Cause: 127 interworking, unspecified, location user",
    ),
    ("10 01 07", CallIdentity(b"\x07"), "Call identity: 07"),
    ("14 01 0a", CallState(CallStateValue.ACTIVE), "Call state: 10 active"),
    ("14 01 3d", CallState(CallStateValue.RESTART_REQUEST), "Call state: 61 restart request"),
    (
        "14 01 c9",
        CallState(CallStateValue.INCOMING_CALL_PROCEEDING, Coding.NETWORK),
        "Call state: 9 incoming call proceeding",
    ),
    ("18 03 a9 83 85", time_slot(5), "Channel identification: exclusive, time slot 5"),
    ("18 03 a1 83 9f", time_slot(31, exclusive=False), "Channel identification: preferred, time slot 31"),
    ("18 05 a9 83 01 02 83", ChannelIdentification((1, 2, 3)), "Channel identification: exclusive, time slot 1 2 3"),
    (
        "18 06 a9 93 80 00 00 02",
        ChannelIdentification((1, 31), map_octets=4),
        "Channel identification: exclusive, time slot 1 31 by map",
    ),
    (
        "18 05 a9 93 80 00 01",
        ChannelIdentification((1, 24), map_octets=3),
        "Channel identification: exclusive, time slot 1 24 by map",
    ),
    ("18 01 a3", ANY_CHANNEL, "Channel identification: preferred, any channel"),
    (
        "18 01 a0",
        ChannelIdentification(exclusive=False, selection=Selection.NONE),
        "Channel identification: preferred, none",
    ),
    (
        "18 01 ac",
        ChannelIdentification(selection=Selection.NONE, d_channel=True),
        "Channel identification: exclusive, D channel, none",
    ),
    (
        "18 02 e9 81",
        ChannelIdentification(interface=b"\x01"),
        "Channel identification: exclusive, interface 01, whole interface",
    ),
    (
        "18 04 e9 81 86 85",
        ChannelIdentification((5,), interface=b"\x01", channel_type=ChannelType.H0),
        "Channel identification: exclusive, interface 01, h0 time slot 5",
    ),
    ("18 01 89", ChannelIdentification(primary=False), "Channel identification: exclusive, B1"),
    (
        "18 01 82",
        ChannelIdentification(primary=False, exclusive=False, selection=Selection.B2),
        "Channel identification: preferred, B2",
    ),
    ("1c 01 91", Facility(b""), "Facility: remote operations"),
    (
        "1e 02 81 83",
        ProgressIndicator(ProgressDescription.ORIGINATION_NOT_ISDN, Location.PRIVATE_LOCAL),
        "Progress indicator: 3 origination address is non-ISDN, location private network serving the local user",
    ),
    ("27 01 80", NotificationIndicator(0), "Notification indicator: user suspended"),
    ("27 03 04 30 00", NotificationIndicator(4, b"\x30\0"), "Notification indicator: 4, 30 00"),
    ("28 04 54 65 73 74", Display("Test"), "Display: 'Test'"),
    ("29 05 1a 0b 18 01 22", DateTime(26, 11, 24, 1, 34), "Date/time: 26-11-24 01:34"),
    ("29 03 1a 0b 18", DateTime(26, 11, 24), "Date/time: 26-11-24"),
    ("2c 03 2a 32 31", KeypadFacility("*21"), "Keypad facility: '*21'"),
    ("34 01 3f", Signal(SignalValue.TONES_OFF), "Signal: tones off"),
    (
        "4c 04 00 80 34 32",
        ConnectedNumber("42", npi=NumberingPlan.UNKNOWN, presentation=Presentation()),
        "Connected number: '42', type unknown, plan unknown, presentation allowed, screening user not screened",
    ),
    ("4d 03 80 50 31", ConnectedSubaddress(b"\x50\x31"), "Connected subaddress: 50 31, nsap"),
    (
        "6c 06 21 83 34 37 31 31",
        CallingPartyNumber("4711", TypeOfNumber.NATIONAL, presentation=Presentation(screening=Screening.NETWORK)),
        "Calling party number: '4711', type national, plan isdn, presentation allowed, screening network",
    ),
    (
        "6c 02 00 c3",
        CallingPartyNumber(
            "",
            npi=NumberingPlan.UNKNOWN,
            presentation=Presentation(PresentationIndicator.NOT_AVAILABLE, Screening.NETWORK),
        ),
        "Calling party number: '', type unknown, plan unknown, presentation not available, screening network",
    ),
    ("6c 02 81 31", CallingPartyNumber("1"), "Calling party number: '1', type unknown, plan isdn"),
    (
        "6d 03 a8 12 30",
        CallingPartySubaddress(b"\x12\x30", SubaddressType.USER, odd=True),
        "Calling party subaddress: 12 30, user, odd",
    ),
    ("70 05 81 34 37 31 31", CalledPartyNumber("4711"), "Called party number: '4711', type unknown, plan isdn"),
    (
        "70 03 c9 2a 23",
        CalledPartyNumber("*#", TypeOfNumber.SUBSCRIBER, NumberingPlan.PRIVATE),
        "Called party number: '*#', type subscriber, plan private",
    ),
    ("71 02 80 50", CalledPartySubaddress(b"\x50"), "Called party subaddress: 50, nsap"),
    (
        "74 05 21 00 8f 34 32",
        RedirectingNumber(
            "42", TypeOfNumber.NATIONAL, presentation=Presentation(), reason=RedirectionReason.UNCONDITIONAL
        ),
        "Redirecting number: '42', type national, plan isdn, presentation allowed, screening user not screened, "
        "reason unconditional",
    ),
    (
        "76 03 a1 34 32",
        RedirectionNumber("42", TypeOfNumber.NATIONAL),
        "Redirection number: '42', type national, plan isdn",
    ),
    ("79 01 87", RestartIndicator(RestartClass.ALL_INTERFACES), "Restart indicator: all interfaces"),
    ("79 01 80", RestartIndicator(), "Restart indicator: indicated channels"),
    (
        "7c 04 00 c0 90 a3",
        LowLayerCompatibility(layer1=Layer(Layer1.G711_A), negotiation=0x40),
        "Low layer compatibility: speech, circuit mode, 64 kbit/s, G.711 A-law",
    ),
    (
        "7c 05 88 10 00 80 a1",
        LowLayerCompatibility(TransferCapability.UNRESTRICTED_DIGITAL, attributes=b"\0\0", layer1=Layer(Layer1.V110)),
        "Low layer compatibility: unrestricted digital, circuit mode, 64 kbit/s, V.110",
    ),
    ("7d 02 91 81", HighLayerCompatibility(HighLayer.TELEPHONY), "High layer compatibility: telephony"),
    ("7d 03 91 60 81", HighLayerCompatibility(0x60, extended=1), "High layer compatibility: 96, extended 1"),
    ("7e 03 04 68 69", UserUser(b"hi"), "User-user: ia5 'hi'"),
    ("7e 03 00 68 69", UserUser(b"hi", UserProtocol.USER_SPECIFIC), "User-user: user specific 68 69"),
    ("a0", MoreData(), "More data"),
    ("a1", SendingComplete(), "Sending complete"),
    ("b0", CongestionLevel(0), "Congestion level: receiver ready"),
    ("bf", CongestionLevel(15), "Congestion level: receiver not ready"),
    ("d2", RepeatIndicator(), "Repeat indicator: prioritized list"),
    ("20 03 00 80 01", Raw(0x20, b"\x00\x80\x01"), "Network-specific facilities: 00 80 01"),
]
IDS = [f"{line.partition(':')[0]} {text}" for text, _, line in ELEMENTS]


@pytest.mark.parametrize(("text", "element", "line"), ELEMENTS, ids=IDS)
def test_an_element_is_read_from_its_octets(text: str, element: Element, line: str) -> None:
    message, faults = decode_with_faults(HEAD + bytes.fromhex(text))
    assert (message.elements, faults) == ((element,), ())
    assert as_line(message.elements[0]) == line


@pytest.mark.parametrize(("text", "element", "line"), ELEMENTS, ids=IDS)
def test_an_element_is_written_to_its_octets(text: str, element: Element, line: str) -> None:
    assert carried(element) == bytes.fromhex(text), line


BROKEN = [
    (
        "04 01 80",
        "information element Bearer capability at octet 6: octet 4 (transfer mode and rate) is missing, at octet 9",
    ),
    ("04 03 00 90 a3", "octet 3 (information transfer capability) 0x00: extension bit is 0"),
    ("04 02 88 98", "octet 4.1 (rate multiplier) is missing, at octet 10"),
    ("08 01 80", "octet 4 (cause value) is missing"),
    ("08 04 00 00 80 90", "octet group 3 has 3 octets, at most 2 are known"),
    ("18 02 a9 83", "octet 3.3 (channel number) is missing"),
    ("18 03 a9 83 05", "octet 3.3 (channel number) is missing"),  # the extension bit promises another
    ("18 04 a9 93 00 02", "slot map of 2 octets, expected 4 (2048 kbit/s) or 3 (1544 kbit/s)"),
    ("27 01 04", "octet 3 0x04: extension bit is 0 and nothing follows"),
    ("29 02 1a 0b", "octet 5 (day) is missing"),
    ("6c 04 01 01 83 34", "octet group 3 has 3 octets, at most 2 are known"),
    ("74 05 01 00 0f 8f 34", "octet group 3 has 4 octets, at most 3 are known"),
    ("7d 01 91", "octet 4 (high layer characteristics) is missing"),
    ("7c 05 00 00 80 90 a3", "octet group 3 has 3 octets, at most 2 are known"),
    ("7d 04 91 01 01 81", "octet group 4 has 3 octets, at most 2 are known"),
]


@pytest.mark.parametrize(("text", "says"), BROKEN)
def test_contents_that_cannot_be_read_are_kept_and_named(text: str, says: str) -> None:
    octets = bytes.fromhex(text)
    message, (fault,) = decode_with_faults(HEAD + octets)
    assert message.elements == (Raw(octets[0], octets[2:]),)
    assert says in str(fault)
    assert fault.cause is CauseValue.INVALID_ELEMENT_CONTENTS


@pytest.mark.parametrize(
    ("text", "left", "element"),
    [
        ("18 02 89 85", 1, ChannelIdentification(primary=False)),
        ("18 05 a9 83 85 86 87", 2, time_slot(5)),
        ("79 02 80 81", 1, RestartIndicator()),
        ("04 05 80 90 a3 a3 a3", 2, SPEECH_A_LAW),
    ],
)
def test_octets_that_follow_what_is_known_do_not_hide_it(text: str, left: int, element: Element) -> None:
    octets = bytes.fromhex(text)
    message, (fault,) = decode_with_faults(HEAD + octets)
    assert message.elements == (element,)
    assert f"{left} octets from octet {len(HEAD) + len(octets) - left + 1} follow" in str(fault)


@pytest.mark.parametrize(
    ("element", "says"),
    [
        (BearerCapability(rate=TransferRate.MULTIRATE), "rate multiplier None"),
        (BearerCapability(multiplier=2), "rate multiplier 2"),
        (BearerCapability(32), "transfer capability 32: 0..31"),
        (BearerCapability(layer1=Layer(3, b"\x80")), "each 0..127"),
        (Cause(128), "cause value 128: 0..127"),
        (Cause(16, 16), "location 16: 0..15"),
        (CallState(64), "call state 64: 0..63"),
        (time_slot(128), "channel number 128: 0..127"),
        (ChannelIdentification((32,), map_octets=4), "channel 32 in a slot map of 4 octets: 0..31"),
        (ChannelIdentification((0,), map_octets=3), "channel 0 in a slot map of 3 octets: 1..24"),
        (ChannelIdentification((2, 1), map_octets=4), "each once, ascending"),
        (ChannelIdentification((1,), map_octets=2), "slot map of 2 octets"),
        (ChannelIdentification((1,), primary=False), "basic rate"),
        (ChannelIdentification(interface=b""), "interface identifier empty"),
        (ChannelIdentification(channel_type=ChannelType.H0), "channel type 6 without channels"),
        (DateTime(26, 11, 24, None, 5), "an octet is left out"),
        (DateTime(2026, 11, 24), "date/time 2026: 0..255"),
        (Display("€"), "no octet for '€'"),
        (Display("x" * 256), "Display of 256 octets: at most 255"),
        (RedirectingNumber("1", reason=0), "reason 0 of a redirecting number without presentation"),
        (CalledPartyNumber("1", 8), "type of number 8: 0..7"),
        (CongestionLevel(16), "congestion level 16: 0..15"),
        (Shift(8, locking=True), "codeset 8: 0..7"),
        (Raw(0x80, b""), "identifier 128: 0..127"),
        (Raw(0x7F, None), "single octet 0x7f"),
        (Raw(0x95, None), "single octet 0x95"),
    ],
)
def test_what_has_no_place_on_the_wire_is_refused(element: Element, says: str) -> None:
    with pytest.raises(UsageError) as error:
        carried(element)
    assert says in str(error.value)


def test_an_empty_element_counts_as_absent() -> None:  # 4.5.1
    message, faults = decode_with_faults(HEAD + bytes.fromhex("08 00"))
    assert (message.elements, faults) == ((Raw(0x08, b""),), ())


def test_every_cause_that_we_say_has_its_name() -> None:
    assert all(value in CAUSE_NAMES for value in CauseValue)
    assert all("location" not in location_name(value) for value in Location)
    assert (cause_name(126), location_name(6)) == ("cause 126", "location 6")


def test_a_qsig_facility_is_taken_apart() -> None:
    text = "aa 06 80 01 00 82 01 00 8b 01 00 a1 08 02 01 05 02 01 00 80 00 a4 00 30 00"
    facility = Facility(bytes.fromhex(text), Profile.NETWORKING_EXTENSIONS)
    assert parts(facility) == FacilityParts(
        bytes.fromhex("aa 06 80 01 00 82 01 00"),
        None,
        bytes.fromhex("8b 01 00"),
        (bytes.fromhex("a1 08 02 01 05 02 01 00 80 00"), bytes.fromhex("a4 00")),
        (bytes.fromhex("30 00"),),
    )
    assert decode_with_faults(HEAD + carried(facility))[0].elements == (facility,)
    assert "invoke 5 of operation 0" in as_line(facility)


def test_a_facility_that_is_no_ber_is_shown_as_octets() -> None:
    assert "a1 05 (element [1] says 5 octets, 0 are left" in as_line(Facility(b"\xa1\x05"))


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("a1 06 02 01 07 02 01 15", "invoke 7 of operation 21"),
        ("a2 03 02 01 07", "returnResult 7"),
        ("a3 06 02 01 07 02 01 03", "returnError 7, value 3"),
        ("a1 7f", "invoke"),
        ("b0 00", "component "),
    ],
)
def test_a_rose_component_has_a_name(text: str, name: str) -> None:
    assert operation_name(bytes.fromhex(text)) == name
