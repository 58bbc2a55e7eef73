"""Q.931 messages from octets and to octets.

`decode` reads whatever it can, for a tap must, and says beside it what was wrong, element by element; it raises
WireError only for octets that are no message at all (5.8.1 to 5.8.3: nobody answers those). `encode` is strict.
Octets are counted from 1, the protocol discriminator.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from osrec.errors import UsageError, WireError
from osrec.wire.q931.cursor import ContentError, Cursor
from osrec.wire.q931.cursor import field as checked
from osrec.wire.q931.elements import CongestionLevel, MoreData, Raw, RepeatIndicator, SendingComplete, Shift
from osrec.wire.q931.faults import Fault, FaultKind
from osrec.wire.q931.messages import (
    PROTOCOL_DISCRIMINATOR,
    REPEATABLE,
    CallReference,
    Message,
    MessageType,
    mandatory,
)
from osrec.wire.q931.registry import (
    BY_IDENTIFIER,
    BY_TYPE,
    CONGESTION_LEVEL,
    MORE_DATA,
    REPEAT_INDICATOR,
    SENDING_COMPLETE,
    SHIFT,
    Element,
    element_name,
)

_SINGLE = 0x80  # bit 8 of an identifier: the element is this one octet
_LOCKING_NOT = 0x08
_MAX_CONTENTS = 255


# --- from octets


def decode(octets: bytes) -> Message:
    """Read one message. Raises WireError."""
    return decode_with_faults(octets)[0]


def decode_with_faults(octets: bytes) -> tuple[Message, tuple[Fault, ...]]:
    """Read one message and say what is wrong with it, in the order of the octets. Raises WireError."""
    if len(octets) < 3:
        raise WireError(f"message of {len(octets)} octets, the shortest has 3", "Q.931 5.8.2")
    if octets[0] != PROTOCOL_DISCRIMINATOR:
        raise WireError(f"protocol discriminator 0x{octets[0]:02x} at octet 1, expected 0x08", "Q.931 5.8.1")
    reference, at = _reference(octets)
    if at >= len(octets):
        raise WireError(f"message ends at octet {len(octets)}, the message type is due at {at + 1}", "Q.931 5.8.2")
    reader = _Reader(octets, at + 1)
    kind = _type(octets[at], at, reader.faults)
    elements = reader.read()
    reader.check_mandatory(kind)
    return Message(kind, reference, elements), tuple(reader.faults)


def _reference(octets: bytes) -> tuple[CallReference, int]:
    """The call reference and where the message type stands."""
    length, end = octets[1] & 0x0F, 2 + (octets[1] & 0x0F)
    if octets[1] & 0xF0:
        raise WireError(f"call reference length 0x{octets[1]:02x} at octet 2: bits 8 to 5 are 0", "Q.931 5.8.3.1")
    if end > len(octets):
        raise WireError(f"call reference of {length} octets at octet 3 runs beyond the message end", "Q.931 5.8.2")
    if not length:
        return CallReference(length=0), end
    value = int.from_bytes(octets[2:end], "big")
    flag = 1 << 8 * length - 1
    return CallReference(value & ~flag, bool(value & flag), length), end


def _type(octet: int, at: int, faults: list[Fault]) -> int:
    try:
        return MessageType(octet)
    except ValueError:
        text = f"message type 0x{octet:02x} is not in table 4-2"
        faults.append(Fault(FaultKind.MESSAGE_TYPE, at + 1, octet, text))
        return octet


@dataclass(slots=True)
class _Reader:
    """Goes through the elements of one message."""

    octets: bytes
    at: int
    faults: list[Fault] = field(default_factory=list)
    locked: int = 0  # the codeset that a locking shift chose
    codeset: int = 0  # the one of the next element
    highest: int = 0  # identifier so far, codeset 0
    seen: set[int] = field(default_factory=set)

    def read(self) -> tuple[Element, ...]:
        elements: list[Element] = []
        while self.at < len(self.octets):
            element = self._single() if self.octets[self.at] & _SINGLE else self._variable()
            if not isinstance(element, Shift):
                self.codeset = self.locked
            elements.append(element)
        return tuple(elements)

    def check_mandatory(self, kind: int) -> None:
        for identifier in mandatory(kind):
            if identifier not in self.seen:
                self._fault(FaultKind.MISSING, len(self.octets), identifier, "mandatory and missing", codeset=0)

    def _fault(self, kind: FaultKind, at: int, identifier: int, text: str, codeset: int | None = None) -> None:
        self.faults.append(Fault(kind, at + 1, identifier, text, self.codeset if codeset is None else codeset))

    def _single(self) -> Element:
        octet = self.octets[self.at]
        self.at += 1
        if octet & 0xF0 == SHIFT:
            return self._shift(octet)
        if self.codeset == 0:
            self.seen.add(octet & 0xF0 if octet & 0xF0 in (CONGESTION_LEVEL, REPEAT_INDICATOR) else octet)
            match octet & 0xF0, octet:
                case 0xB0, _:
                    return CongestionLevel(octet & 0x0F)
                case 0xD0, _:
                    return RepeatIndicator(octet & 0x0F)
                case _, 0xA0:
                    return MoreData()
                case _, 0xA1:
                    return SendingComplete()
            self._fault(FaultKind.UNKNOWN, self.at - 1, octet, "not known")
        return Raw(octet, None, self.codeset)

    def _shift(self, octet: int) -> Shift:
        shift = Shift(octet & 7, not octet & _LOCKING_NOT)
        if shift.locking and shift.codeset <= self.locked:
            text = f"locking shift from codeset {self.locked} to {shift.codeset}, expected a higher one: ignored"
            self._fault(FaultKind.SHIFT, self.at - 1, octet, text)
            return shift
        if shift.locking:
            self.locked = shift.codeset
        self.codeset = shift.codeset
        return shift

    def _variable(self) -> Element:
        begin, identifier = self.at, self.octets[self.at]
        contents = self._contents(begin, identifier)
        if contents is None:
            self.seen.add(identifier)
            kept = self.octets[begin + 2 :]
            self.at = len(self.octets)
            return Raw(identifier, kept, self.codeset)
        self.at = begin + 2 + len(contents)
        if self.codeset:
            return Raw(identifier, contents, self.codeset)
        self._check_place(begin, identifier)
        return self._interpreted(begin, identifier, contents)

    def _contents(self, begin: int, identifier: int) -> bytes | None:
        """None, and a fault, when the element does not end within the message."""
        if begin + 1 >= len(self.octets):
            self._fault(FaultKind.CONTENTS, begin, identifier, "its length is missing at the message end")
            return None
        length = self.octets[begin + 1]
        if begin + 2 + length > len(self.octets):
            self._fault(FaultKind.CONTENTS, begin, identifier, f"length {length} runs beyond the message end")
            return None
        return self.octets[begin + 2 : begin + 2 + length]

    def _check_place(self, begin: int, identifier: int) -> None:
        if identifier < self.highest:
            text = f"stands after {element_name(self.highest)}, expected ascending identifiers"
            self._fault(FaultKind.ORDER, begin, identifier, text)
        elif identifier in self.seen and identifier not in REPEATABLE:
            self._fault(FaultKind.REPEATED, begin, identifier, "stands here once more, the first counts")
        self.highest = max(self.highest, identifier)
        self.seen.add(identifier)

    def _interpreted(self, begin: int, identifier: int, contents: bytes) -> Element:
        codec = BY_IDENTIFIER.get(identifier)
        if codec is None:
            if element_name(identifier).startswith("0x"):
                self._fault(FaultKind.UNKNOWN, begin, identifier, "not known")
            return Raw(identifier, contents)
        cursor = Cursor(contents)
        try:
            element: Element = codec.read(cursor)
        except ContentError as error:
            if contents:  # present, but empty: as if it were absent, 4.5.1
                self._fault(FaultKind.CONTENTS, begin, identifier, f"{error}, at octet {begin + 3 + error.at}")
            return Raw(identifier, contents)
        if cursor.left:
            text = f"{cursor.left} octets from octet {begin + 3 + cursor.at} follow what is known of it"
            self._fault(FaultKind.CONTENTS, begin, identifier, text)
        return element


# --- to octets


def compose(kind: int, reference: CallReference, *elements: Element) -> Message:
    """A message with its elements put in the order of 4.5.1: single octets first, then ascending identifiers."""
    return Message(kind, reference, tuple(sorted(elements, key=_rank)))


def _rank(element: Element) -> int:
    codec = BY_TYPE.get(type(element))
    if codec is not None:
        return codec.identifier
    if isinstance(element, Shift) or (isinstance(element, Raw) and element.codeset):
        return _SINGLE  # another codeset comes last, in the order given
    if isinstance(element, Raw) and element.contents is not None:
        return element.identifier
    return -1


def encode(message: Message) -> bytes:
    """Write one message. Raises UsageError when a field does not fit or an element stands where it must not."""
    head = bytes([PROTOCOL_DISCRIMINATOR]) + _reference_octets(message.reference)
    if not 0 < message.kind < 0x80:
        raise UsageError(f"message type {message.kind}: 1..127 [Q.931 4.4]")
    return head + bytes([message.kind]) + b"".join(_written(message.elements))


def _reference_octets(reference: CallReference) -> bytes:
    length = reference.length
    if not 0 <= length <= 15:
        raise UsageError(f"call reference of {length} octets: 0..15 [Q.931 4.3]")
    if not length:
        if reference.value or reference.to_origin:
            raise UsageError(f"dummy call reference with value {reference.value} or flag [Q.931 4.3]")
        return b"\0"
    value = checked(reference.value, (1 << 8 * length - 1) - 1, f"call reference of {length} octets")
    return bytes([length]) + (value | reference.to_origin << 8 * length - 1).to_bytes(length, "big")


def _written(elements: Iterable[Element]) -> Iterable[bytes]:
    locked = codeset = highest = 0
    for element in elements:
        if isinstance(element, Shift):
            locked, codeset = _shifted(element, locked)
            yield bytes([SHIFT | (0 if element.locking else _LOCKING_NOT) | element.codeset])
            continue
        octets = _element(element, codeset)
        if codeset == 0 and octets[0] < _SINGLE:
            if octets[0] < highest:
                raise UsageError(
                    f"{element_name(octets[0])} after {element_name(highest)}: identifiers ascend [Q.931 4.5.1]"
                )
            highest = octets[0]
        yield octets
        codeset = locked


def _shifted(shift: Shift, locked: int) -> tuple[int, int]:
    """The codeset locked and the one of the next element."""
    checked(shift.codeset, 7, "codeset")
    if not shift.locking:
        return locked, shift.codeset
    if shift.codeset <= locked:
        raise UsageError(f"locking shift from codeset {locked} to {shift.codeset}: to a higher one [Q.931 4.5.3]")
    return shift.codeset, shift.codeset


def _element(element: Element, codeset: int) -> bytes:
    own = element.codeset if isinstance(element, Raw) else 0
    if own != codeset:
        raise UsageError(f"{type(element).__name__} of codeset {own} where codeset {codeset} is in force [Q.931 4.5.2]")
    match element:
        case MoreData():
            return bytes([MORE_DATA])
        case SendingComplete():
            return bytes([SENDING_COMPLETE])
        case CongestionLevel(level):
            return bytes([CONGESTION_LEVEL | checked(level, 15, "congestion level")])
        case RepeatIndicator(indication):
            return bytes([REPEAT_INDICATOR | checked(indication, 15, "repeat indication")])
        case Raw(identifier, None):
            return bytes([_single_identifier(identifier)])
        case Raw(identifier, contents):
            return _with_length(checked(identifier, 0x7F, "identifier"), contents or b"")
        case _:
            codec = BY_TYPE[type(element)]
            return _with_length(codec.identifier, codec.write(element))


def _single_identifier(identifier: int) -> int:
    if not _SINGLE <= identifier <= 0xFF or identifier & 0xF0 == SHIFT:
        raise UsageError(f"single octet 0x{identifier:02x}: 0x80..0xff without shift, 0x90..0x9f [Q.931 table 4-3]")
    return identifier


def _with_length(identifier: int, contents: bytes) -> bytes:
    if len(contents) > _MAX_CONTENTS:
        raise UsageError(f"{element_name(identifier)} of {len(contents)} octets: at most 255 [Q.931 4.5.1]")
    return bytes([identifier, len(contents)]) + contents
