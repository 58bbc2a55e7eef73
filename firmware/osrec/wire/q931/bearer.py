"""Bearer capability (Q.931 4.5.5), low layer (4.5.19) and high layer compatibility (4.5.17)."""

from dataclasses import dataclass
from enum import IntEnum

from osrec.errors import UsageError
from osrec.wire.q931.cursor import EXTENSION, Cursor, code, field, group


class Coding(IntEnum):
    """Coding standard, in this element and in others."""

    ITU_T = 0
    ISO_IEC = 1
    NATIONAL = 2
    NETWORK = 3


class TransferCapability(IntEnum):
    """Information transfer capability, 4.5.5."""

    SPEECH = 0
    UNRESTRICTED_DIGITAL = 0x08
    RESTRICTED_DIGITAL = 0x09
    AUDIO_3K1 = 0x10
    UNRESTRICTED_WITH_TONES = 0x11
    VIDEO = 0x18


class TransferMode(IntEnum):
    CIRCUIT = 0
    PACKET = 2


class TransferRate(IntEnum):
    """Information transfer rate, 4.5.5."""

    PACKET = 0
    KBIT_64 = 0x10
    KBIT_2X64 = 0x11
    KBIT_384 = 0x13
    KBIT_1536 = 0x15
    KBIT_1920 = 0x17
    MULTIRATE = 0x18  # a multiplier follows


class Layer1(IntEnum):
    """User information layer 1 protocol, 4.5.5."""

    V110 = 1
    G711_U = 2
    G711_A = 3
    G721 = 4
    H221 = 5
    H223 = 6
    NON_ITU_T = 7
    V120 = 8
    X31 = 9


@dataclass(frozen=True, slots=True)
class Layer:
    """Octet group 5, 6 or 7: a protocol, and the seven bits of each octet a, b, ... that details it."""

    protocol: int
    details: bytes = b""


@dataclass(frozen=True, slots=True)
class _Capability:
    capability: int = TransferCapability.SPEECH
    mode: int = TransferMode.CIRCUIT
    rate: int = TransferRate.KBIT_64
    multiplier: int | None = None  # octet 4.1, with MULTIRATE and only then
    layer1: Layer | None = None
    layer2: Layer | None = None
    layer3: Layer | None = None
    coding: int = Coding.ITU_T
    attributes: bytes = b""  # octets 4a and 4b of older editions: structure, configuration, establishment


@dataclass(frozen=True, slots=True)
class BearerCapability(_Capability):
    """4.5.5. What the call wants of the B channel."""


@dataclass(frozen=True, slots=True)
class LowLayerCompatibility(_Capability):
    """4.5.19. As bearer capability, end to end; octet 3a says whether it may be negotiated out of band."""

    negotiation: int | None = None  # the seven bits of octet 3a


SPEECH_A_LAW = BearerCapability(layer1=Layer(Layer1.G711_A))


def read_bearer(octets: Cursor) -> BearerCapability:
    octet = octets.last("3 (information transfer capability)")
    mode, rate, multiplier, attributes = _transfer(octets)
    layers = _layer(octets, 1), _layer(octets, 2), _layer(octets, 3)
    return BearerCapability(_capability(octet), mode, rate, multiplier, *layers, code(Coding, octet >> 5), attributes)


def read_low_layer(octets: Cursor) -> LowLayerCompatibility:
    head = octets.group("3 (information transfer capability)")
    if len(head) > 2:
        raise octets.fault(f"octet group 3 has {len(head)} octets, at most 2 are known")
    mode, rate, multiplier, attributes = _transfer(octets)
    layers = _layer(octets, 1), _layer(octets, 2), _layer(octets, 3)
    coding, negotiation = code(Coding, head[0] >> 5), head[1] if len(head) == 2 else None
    return LowLayerCompatibility(_capability(head[0]), mode, rate, multiplier, *layers, coding, attributes, negotiation)


def _capability(octet: int) -> int:
    return code(TransferCapability, octet & 0x1F)


def _transfer(octets: Cursor) -> tuple[int, int, int | None, bytes]:
    """Octet group 4 and, for multirate, octet 4.1."""
    first, *attributes = octets.group("4 (transfer mode and rate)")
    rate = code(TransferRate, first & 0x1F)
    multiplier = octets.last("4.1 (rate multiplier)") if rate == TransferRate.MULTIRATE else None
    return code(TransferMode, first >> 5), rate, multiplier, bytes(attributes)


def _layer(octets: Cursor, number: int) -> Layer | None:
    """Octet group 5, 6 or 7: bits 7 and 6 of its first octet are the number of the layer."""
    first = octets.peek()
    if first is None or first >> 5 & 3 != number:
        return None
    head, *details = octets.group(f"{number + 4} (user information layer {number})")
    protocol = head & 0x1F
    return Layer(code(Layer1, protocol) if number == 1 else protocol, bytes(details))


def write_bearer(value: BearerCapability) -> bytes:
    return bytes([EXTENSION | _octet_3(value)]) + _after_octet_3(value)


def write_low_layer(value: LowLayerCompatibility) -> bytes:
    more = b"" if value.negotiation is None else bytes([field(value.negotiation, 0x7F, "negotiation indicator")])
    return group(bytes([_octet_3(value)]) + more, "octet group 3") + _after_octet_3(value)


def _octet_3(value: _Capability) -> int:
    return field(value.coding, 3, "coding standard") << 5 | field(value.capability, 0x1F, "transfer capability")


def _after_octet_3(value: _Capability) -> bytes:
    if (value.multiplier is None) is (value.rate == TransferRate.MULTIRATE):
        raise UsageError(
            f"rate multiplier {value.multiplier} with rate {value.rate}: only with multirate [Q.931 4.5.5]"
        )
    first = field(value.mode, 3, "transfer mode") << 5 | field(value.rate, 0x1F, "transfer rate")
    octets = group(bytes([first]) + value.attributes, "octet group 4")
    if value.multiplier is not None:
        octets += bytes([EXTENSION | field(value.multiplier, 0x7F, "rate multiplier")])
    for number, layer in enumerate((value.layer1, value.layer2, value.layer3), 1):
        if layer is not None:
            head = number << 5 | field(layer.protocol, 0x1F, f"layer {number} protocol")
            octets += group(bytes([head]) + layer.details, f"layer {number}")
    return octets


# --- high layer compatibility


class HighLayer(IntEnum):
    """High layer characteristics, 4.5.17, as far as calls have a use for them."""

    TELEPHONY = 1
    FAX_G2_G3 = 4
    FAX_G4 = 0x21
    TELETEX = 0x31
    VIDEOTEX = 0x32
    TELEX = 0x35
    X400 = 0x38


@dataclass(frozen=True, slots=True)
class HighLayerCompatibility:
    """4.5.17. Interpretation 4 and presentation method 1 are the only ones that the table defines."""

    characteristics: int
    extended: int | None = None  # octet 4a
    interpretation: int = 4
    presentation: int = 1
    coding: int = Coding.ITU_T


def read_high_layer(octets: Cursor) -> HighLayerCompatibility:
    octet = octets.last("3 (interpretation and presentation method)")
    values = octets.group("4 (high layer characteristics)")
    if len(values) > 2:
        raise octets.fault(f"octet group 4 has {len(values)} octets, at most 2 are known")
    extended = values[1] if len(values) == 2 else None
    return HighLayerCompatibility(
        code(HighLayer, values[0]), extended, octet >> 2 & 7, octet & 3, code(Coding, octet >> 5)
    )


def write_high_layer(value: HighLayerCompatibility) -> bytes:
    coding, interpretation = field(value.coding, 3, "coding standard"), field(value.interpretation, 7, "interpretation")
    first = EXTENSION | coding << 5 | interpretation << 2 | field(value.presentation, 3, "presentation method")
    more = b"" if value.extended is None else bytes([field(value.extended, 0x7F, "extended characteristics")])
    return bytes([first]) + group(
        bytes([field(value.characteristics, 0x7F, "characteristics")]) + more, "characteristics"
    )
