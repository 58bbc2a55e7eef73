"""Q.931 messages: head, order, codesets, and what is said of messages that break the rules."""

import pytest

from osrec.errors import UsageError, WireError
from osrec.wire.q931.bearer import SPEECH_A_LAW
from osrec.wire.q931.causes import CauseValue
from osrec.wire.q931.channel import ChannelIdentification, time_slot
from osrec.wire.q931.codec import compose, decode, decode_with_faults, encode
from osrec.wire.q931.elements import (
    CallState,
    Cause,
    CongestionLevel,
    Display,
    NotificationIndicator,
    ProgressIndicator,
    Raw,
    RestartIndicator,
    SendingComplete,
    Shift,
    UserUser,
)
from osrec.wire.q931.facility import Facility
from osrec.wire.q931.faults import FaultKind
from osrec.wire.q931.messages import DUMMY, GLOBAL, CallReference, Message, MessageType, mandatory, message_name
from osrec.wire.q931.numbers import CalledPartyNumber
from osrec.wire.q931.registry import Element
from osrec.wire.q931.render import as_json, as_lines

SETUP = bytes.fromhex("08 02 00 01 05 a1 04 03 80 90 a3 18 03 a9 83 85 70 05 81 34 37 31 31")
REF = CallReference(1)

# every element that some message must carry, in the order of the wire
NEEDED: dict[int, Element] = {
    0xB0: CongestionLevel(0),
    0x04: SPEECH_A_LAW,
    0x08: Cause(CauseValue.NORMAL_CALL_CLEARING),
    0x14: CallState(10),
    0x18: time_slot(1),
    0x1C: Facility(b""),
    0x1E: ProgressIndicator(8),
    0x27: NotificationIndicator(0),
    0x79: RestartIndicator(),
    0x7E: UserUser(b""),
}


CARRIES = {  # clause 3.1: type octet, and the elements marked M whatever the direction
    0x05: (0x04,),  # SETUP: bearer capability
    0x03: (0x1E,),  # PROGRESS: progress indicator
    0x45: (0x08,),  # DISCONNECT: cause
    0x7D: (0x08, 0x14),  # STATUS: cause, call state
    0x6E: (0x27,),  # NOTIFY: notification indicator
    0x46: (0x79,),  # RESTART: restart indicator
    0x4E: (0x79,),  # RESTART ACKNOWLEDGE
    0x2E: (0x18,),  # RESUME ACKNOWLEDGE: channel identification
    0x22: (0x08,),  # RESUME REJECT: cause
    0x21: (0x08,),  # SUSPEND REJECT
    0x20: (0x7E,),  # USER INFORMATION: user-user
    0x79: (0x08, 0xB0),  # CONGESTION CONTROL: congestion level, cause
    0x62: (0x1C,),  # FACILITY: facility
    0x30: (0x08,),  # HOLD REJECT
    0x37: (0x08,),  # RETRIEVE REJECT
}


def faults_of(text: str) -> list[str]:
    return [str(fault) for fault in decode_with_faults(bytes.fromhex(text))[1]]


def kinds_of(text: str) -> list[FaultKind]:
    return [fault.kind for fault in decode_with_faults(bytes.fromhex(text))[1]]


def test_a_setup_is_read_and_written() -> None:
    message = compose(MessageType.SETUP, REF, time_slot(5), SPEECH_A_LAW, CalledPartyNumber("4711"), SendingComplete())
    assert encode(message) == SETUP
    assert decode_with_faults(SETUP) == (message, ())


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("08 02 00 01 7b", CallReference(1)),
        ("08 02 80 01 7b", CallReference(1, to_origin=True)),
        ("08 02 7f ff 7b", CallReference(0x7FFF)),
        ("08 01 05 7b", CallReference(5, length=1)),
        ("08 01 ff 7b", CallReference(127, to_origin=True, length=1)),
        ("08 02 00 00 7b", GLOBAL),
        ("08 02 80 00 7b", CallReference(0, to_origin=True)),
        ("08 00 7b", DUMMY),
    ],
)
def test_a_call_reference_has_flag_value_and_length(text: str, reference: CallReference) -> None:  # 4.3
    message, faults = decode_with_faults(bytes.fromhex(text))
    assert (message.reference, faults) == (reference, ())
    assert encode(message) == bytes.fromhex(text)


def test_global_and_dummy_call_references_are_told_apart() -> None:
    assert (GLOBAL.is_global, GLOBAL.is_dummy) == (True, False)
    assert (DUMMY.is_global, DUMMY.is_dummy) == (False, True)
    assert not REF.is_global


def test_the_other_side_answers_with_the_flag_turned_over() -> None:
    assert REF.answered() == CallReference(1, to_origin=True)
    assert REF.answered().answered() == REF


@pytest.mark.parametrize("kind", MessageType)
def test_every_message_type_goes_both_ways_with_what_it_must_carry(kind: MessageType) -> None:
    elements = [NEEDED[identifier] for identifier in mandatory(kind)]
    message = compose(kind, REF, *elements)
    octets = encode(message)
    assert octets[4] == kind.value
    assert decode_with_faults(octets) == (message, ())
    assert as_lines(message)[0].startswith(message_name(kind))


@pytest.mark.parametrize("kind", MessageType)
def test_a_message_without_what_it_must_carry_says_so(kind: MessageType) -> None:
    _, faults = decode_with_faults(bytes([8, 2, 0, 1, kind]))
    assert tuple(sorted(fault.identifier for fault in faults)) == CARRIES.get(kind, ())
    assert not faults or {fault.cause for fault in faults} == {CauseValue.MANDATORY_ELEMENT_MISSING}
    assert all(fault.octet == 6 for fault in faults)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "message of 0 octets, the shortest has 3"),
        ("08 00", "message of 2 octets"),
        ("03 02 00 01 05", "protocol discriminator 0x03 at octet 1, expected 0x08"),
        ("08 12 00 01 05", "call reference length 0x12 at octet 2: bits 8 to 5 are 0"),
        ("08 05 00 01 05", "call reference of 5 octets at octet 3 runs beyond the message end"),
        ("08 02 00 01", "message ends at octet 4, the message type is due at 5"),
    ],
)
def test_octets_that_are_no_message_say_octet_and_rule(text: str, says: str) -> None:
    with pytest.raises(WireError) as error:
        decode(bytes.fromhex(text))
    assert says in str(error.value)
    assert error.value.clause.startswith("Q.931 5.8.")


def test_an_element_beyond_the_message_end_is_named() -> None:
    message, faults = decode_with_faults(bytes.fromhex("08 02 00 01 02 28 02 68 69 18 05 a9 83"))
    assert message.elements == (Display("hi"), Raw(0x18, b"\xa9\x83"))
    assert "information element Channel identification at octet 10: length 5 runs beyond the message end" in str(
        faults[0]
    )


def test_a_truncated_mandatory_element_is_not_missing_too() -> None:
    assert kinds_of("08 02 00 01 05 04 03 80") == [FaultKind.CONTENTS]
    assert kinds_of("08 02 00 01 05 04") == [FaultKind.CONTENTS]


@pytest.mark.parametrize(
    ("text", "kind", "says", "cause"),
    [
        ("08 02 00 01 7b 28 01 41 08 02 80 90", FaultKind.ORDER, "Cause at octet 9: stands after Display", None),
        ("08 02 00 01 7b 70 01 81 70 01 81", FaultKind.REPEATED, "Called party number at octet 9", None),
        (
            "08 02 00 01 7b 3e 01 00",
            FaultKind.UNKNOWN,
            "0x3e at octet 6: not known",
            CauseValue.ELEMENT_NOT_IMPLEMENTED,
        ),
        ("08 02 00 01 7b 0f 01 00", FaultKind.UNKNOWN, "0x0f at octet 6", CauseValue.MANDATORY_ELEMENT_MISSING),
        ("08 02 00 01 7b a5", FaultKind.UNKNOWN, "0xa5 at octet 6: not known", CauseValue.ELEMENT_NOT_IMPLEMENTED),
        (
            "08 02 00 01 6b",
            FaultKind.MESSAGE_TYPE,
            "at octet 5: message type 0x6b",
            CauseValue.MESSAGE_TYPE_NOT_IMPLEMENTED,
        ),
        ("08 02 00 01 7b 95 94", FaultKind.SHIFT, "Shift at octet 7: locking shift from codeset 5 to 4", None),
    ],
)
def test_each_kind_of_fault_has_its_place_and_cause(
    text: str, kind: FaultKind, says: str, cause: CauseValue | None
) -> None:
    _, (fault,) = decode_with_faults(bytes.fromhex(text))
    assert (fault.kind, fault.cause) == (kind, cause)
    assert says in str(fault)


def test_elements_that_may_repeat_do() -> None:
    assert faults_of("08 02 00 01 7b 1e 02 80 83 1e 02 80 88 28 01 41 28 01 42") == []


def test_single_octets_may_stand_anywhere() -> None:  # 4.5.1
    assert faults_of("08 02 00 01 7b 28 01 41 a1 70 01 81 a0") == []


# --- codesets


def test_a_non_locking_shift_is_for_one_element() -> None:  # 4.5.4; QSIG: party category
    text = "08 02 00 01 7b 9d 32 01 81 28 01 41"
    message, faults = decode_with_faults(bytes.fromhex(text))
    assert message.elements == (Shift(5, locking=False), Raw(0x32, b"\x81", 5), Display("A"))
    assert faults == ()
    assert encode(message) == bytes.fromhex(text)
    assert "        Party category: 81" in ["    " + line for line in as_lines(message)]


def test_a_locking_shift_holds_to_the_end() -> None:  # 4.5.3
    text = "08 02 00 01 7b 28 01 41 96 08 01 00 9d 32 00 28 01 42 a1"
    message, faults = decode_with_faults(bytes.fromhex(text))
    assert message.elements[1:] == (
        Shift(6, locking=True),
        Raw(0x08, b"\0", 6),
        Shift(5, locking=False),
        Raw(0x32, b"", 5),
        Raw(0x28, b"B", 6),
        Raw(0xA1, None, 6),
    )
    assert faults == ()
    assert encode(message) == bytes.fromhex(text)


def test_a_locking_shift_downwards_is_ignored() -> None:
    message, _ = decode_with_faults(bytes.fromhex("08 02 00 01 7b 96 90 28 01 42"))
    assert message.elements[-1] == Raw(0x28, b"B", 6)


@pytest.mark.parametrize(
    ("elements", "says"),
    [
        ((Display("A"), Cause(16)), "Cause after Display: identifiers ascend"),
        ((Raw(0x32, b"", 5),), "Raw of codeset 5 where codeset 0 is in force"),
        ((Shift(5, locking=False), Display("A")), "Display of codeset 0 where codeset 5 is in force"),
        ((Shift(6, locking=True), Shift(5, locking=True)), "locking shift from codeset 6 to 5"),
    ],
)
def test_elements_out_of_place_are_not_written(elements: tuple[Element, ...], says: str) -> None:
    with pytest.raises(UsageError) as error:
        encode(Message(MessageType.INFORMATION, REF, elements))
    assert says in str(error.value)


@pytest.mark.parametrize(
    ("message", "says"),
    [
        (Message(0, REF), "message type 0: 1..127"),
        (Message(0x80, REF), "message type 128: 1..127"),
        (Message(5, CallReference(0x8000)), "call reference of 2 octets 32768: 0..32767"),
        (Message(5, CallReference(1, length=0)), "dummy call reference with value 1"),
        (Message(5, CallReference(1, length=16)), "call reference of 16 octets: 0..15"),
    ],
)
def test_a_head_that_does_not_fit_is_refused(message: Message, says: str) -> None:
    with pytest.raises(UsageError) as error:
        encode(message)
    assert says in str(error.value)


def test_compose_keeps_other_codesets_last_and_equal_elements_in_order() -> None:
    shifted = (Shift(5, locking=False), Raw(0x32, b"\x81", 5))
    message = compose(MessageType.SETUP, REF, *shifted, Display("A"), Display("B"), SPEECH_A_LAW)
    assert message.elements == (SPEECH_A_LAW, Display("A"), Display("B"), *shifted)


# --- use


def test_elements_are_found_by_their_class() -> None:
    message = decode(SETUP)
    assert message.first(ChannelIdentification) == time_slot(5)
    assert message.first(Cause) is None
    assert message.all(CalledPartyNumber) == (CalledPartyNumber("4711"),)


def test_json_names_elements_and_codes() -> None:
    value = as_json(decode(bytes.fromhex("08 02 80 01 45 08 02 81 90")))
    assert (value["message"], value["message_type"]) == ("DISCONNECT", 0x45)
    assert value["reference"] == {"type": "CallReference", "value": 1, "to_origin": True, "length": 2}
    (cause,) = value["elements"]
    assert (cause["element"], cause["value"], cause["value_name"]) == ("Cause", 16, "normal call clearing")
    assert cause["location_name"] == "private network serving the local user"


@pytest.mark.parametrize(
    ("text", "head"),
    [
        ("08 02 80 05 7b", "INFORMATION, call reference 5, to its origin"),
        ("08 02 00 00 7b", "INFORMATION, global call reference, from its origin"),
        ("08 00 62 1c 01 91", "FACILITY, dummy call reference"),
        ("08 01 05 6b", "message type 0x6b, call reference 5, from its origin"),
    ],
)
def test_the_first_line_names_message_and_call(text: str, head: str) -> None:
    assert as_lines(decode(bytes.fromhex(text)))[0] == head
