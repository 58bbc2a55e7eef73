"""Information elements with short contents, Q.931 4.5; the longer ones have modules of their own."""

from dataclasses import dataclass
from enum import IntEnum

from osrec.errors import UsageError
from osrec.wire.q931.bearer import Coding
from osrec.wire.q931.causes import CauseValue, Location
from osrec.wire.q931.cursor import EXTENSION, Cursor, code, field, group, text


@dataclass(frozen=True, slots=True)
class Cause:
    """4.5.12. `diagnostics` are octets as they came; `recommendation` is octet 3a, None when it is left out."""

    value: int
    location: int = Location.USER
    diagnostics: bytes = b""
    recommendation: int | None = None
    coding: int = Coding.ITU_T


def read_cause(octets: Cursor) -> Cause:
    head = octets.group("3 (location)")
    if len(head) > 2:
        raise octets.fault(f"octet group 3 has {len(head)} octets, at most 2 are known")
    value = octets.last("4 (cause value)")
    location, coding = code(Location, head[0] & 0x0F), code(Coding, head[0] >> 5)
    recommendation = head[1] if len(head) == 2 else None
    return Cause(code(CauseValue, value), location, octets.rest(), recommendation, coding)


def write_cause(cause: Cause) -> bytes:
    first = field(cause.coding, 3, "coding standard") << 5 | field(cause.location, 15, "location")
    more = b"" if cause.recommendation is None else bytes([field(cause.recommendation, 0x7F, "recommendation")])
    value = EXTENSION | field(cause.value, 0x7F, "cause value")
    return group(bytes([first]) + more, "octet group 3") + bytes([value]) + cause.diagnostics


class CallStateValue(IntEnum):
    """4.5.7: states of a call on either side (U0, N0 ...) and of the global call reference (REST)."""

    NULL = 0
    CALL_INITIATED = 1
    OVERLAP_SENDING = 2
    OUTGOING_CALL_PROCEEDING = 3
    CALL_DELIVERED = 4
    CALL_PRESENT = 6
    CALL_RECEIVED = 7
    CONNECT_REQUEST = 8
    INCOMING_CALL_PROCEEDING = 9
    ACTIVE = 10
    DISCONNECT_REQUEST = 11
    DISCONNECT_INDICATION = 12
    SUSPEND_REQUEST = 15
    RESUME_REQUEST = 17
    RELEASE_REQUEST = 19
    CALL_ABORT = 22
    OVERLAP_RECEIVING = 25
    RESTART_REQUEST = 61
    RESTART = 62


@dataclass(frozen=True, slots=True)
class CallState:
    """4.5.7. With the global call reference NULL means REST 0."""

    value: int
    coding: int = Coding.ITU_T


def read_call_state(octets: Cursor) -> CallState:
    octet = octets.octet("3 (call state)")  # no extension bit: the coding standard stands in bits 8 and 7
    return CallState(code(CallStateValue, octet & 0x3F), code(Coding, octet >> 6))


def write_call_state(state: CallState) -> bytes:
    return bytes([field(state.coding, 3, "coding standard") << 6 | field(state.value, 0x3F, "call state")])


class ProgressDescription(IntEnum):
    """4.5.23."""

    NOT_END_TO_END_ISDN = 1
    DESTINATION_NOT_ISDN = 2
    ORIGINATION_NOT_ISDN = 3
    RETURNED_TO_ISDN = 4
    SERVICE_CHANGED = 5
    IN_BAND = 8


@dataclass(frozen=True, slots=True)
class ProgressIndicator:
    """4.5.23."""

    description: int
    location: int = Location.USER
    coding: int = Coding.ITU_T


def read_progress(octets: Cursor) -> ProgressIndicator:
    first = octets.last("3 (location)")
    description = octets.last("4 (progress description)")
    return ProgressIndicator(
        code(ProgressDescription, description), code(Location, first & 0x0F), code(Coding, first >> 5)
    )


def write_progress(progress: ProgressIndicator) -> bytes:
    first = field(progress.coding, 3, "coding standard") << 5 | field(progress.location, 15, "location")
    return bytes([EXTENSION | first, EXTENSION | field(progress.description, 0x7F, "progress description")])


class Notification(IntEnum):
    """4.5.22; ETSI and ECMA add more."""

    USER_SUSPENDED = 0
    USER_RESUMED = 1
    BEARER_SERVICE_CHANGE = 2


@dataclass(frozen=True, slots=True)
class NotificationIndicator:
    """4.5.22. `details`: what follows a description whose extension bit is 0 (Q.932: a BER structure)."""

    description: int
    details: bytes = b""


def read_notification(octets: Cursor) -> NotificationIndicator:
    octet = octets.octet("3 (notification description)")
    if not octet & EXTENSION and not octets.left:
        raise octets.fault(f"octet 3 0x{octet:02x}: extension bit is 0 and nothing follows")
    return NotificationIndicator(code(Notification, octet & 0x7F), b"" if octet & EXTENSION else octets.rest())


def write_notification(value: NotificationIndicator) -> bytes:
    octet = field(value.description, 0x7F, "notification description")
    return bytes([octet | (0 if value.details else EXTENSION)]) + value.details


class RestartClass(IntEnum):
    """4.5.25."""

    INDICATED_CHANNELS = 0
    SINGLE_INTERFACE = 6
    ALL_INTERFACES = 7


@dataclass(frozen=True, slots=True)
class RestartIndicator:
    """4.5.25."""

    restart: int = RestartClass.INDICATED_CHANNELS


def read_restart(octets: Cursor) -> RestartIndicator:
    return RestartIndicator(code(RestartClass, octets.last("3 (class)") & 7))


def write_restart(value: RestartIndicator) -> bytes:
    return bytes([EXTENSION | field(value.restart, 7, "restart class")])


class SignalValue(IntEnum):
    """4.5.28."""

    DIAL_TONE_ON = 0
    RING_BACK_TONE_ON = 1
    INTERCEPT_TONE_ON = 2
    NETWORK_CONGESTION_TONE_ON = 3
    BUSY_TONE_ON = 4
    CONFIRM_TONE_ON = 5
    ANSWER_TONE_ON = 6
    CALL_WAITING_TONE = 7
    OFF_HOOK_WARNING_TONE = 8
    PREEMPTION_TONE_ON = 9
    TONES_OFF = 0x3F
    ALERTING_ON_PATTERN_0 = 0x40
    ALERTING_OFF = 0x4F


@dataclass(frozen=True, slots=True)
class Signal:
    """4.5.28."""

    value: int


def read_signal(octets: Cursor) -> Signal:
    return Signal(code(SignalValue, octets.octet("3 (signal value)")))


def write_signal(signal: Signal) -> bytes:
    return bytes([field(signal.value, 255, "signal")])


@dataclass(frozen=True, slots=True)
class DateTime:
    """4.5.15: local time of the network, the year as one octet (ETSI: modulo 100); what follows the day may be absent.

    The numbers are kept as they came, even a month 13: it is the recorder's clock that counts, this one is shown.
    """

    year: int
    month: int
    day: int
    hour: int | None = None
    minute: int | None = None
    second: int | None = None


def read_date_time(octets: Cursor) -> DateTime:
    date = [octets.octet(f"{number} ({name})") for number, name in ((3, "year"), (4, "month"), (5, "day"))]
    return DateTime(*date, *(octets.octet(f"{number} (time)") for number in (6, 7, 8) if octets.left))


def write_date_time(value: DateTime) -> bytes:
    clock = [value.hour, value.minute, value.second]
    said = [part for part in clock if part is not None]
    if clock[: len(said)] != said:
        raise UsageError(f"time {clock}: an octet is left out before one that is said [Q.931 4.5.15]")
    return bytes(field(part, 255, "date/time") for part in (value.year, value.month, value.day, *said))


# --- text and plain octets


@dataclass(frozen=True, slots=True)
class Display:
    """4.5.16. IA5 characters; bytes above 127 are read as ISO 8859-1, which some PBXs send."""

    text: str


@dataclass(frozen=True, slots=True)
class KeypadFacility:
    """4.5.18."""

    text: str


@dataclass(frozen=True, slots=True)
class CallIdentity:
    """4.5.6: names a suspended call."""

    octets: bytes


class UserProtocol(IntEnum):
    """Protocol discriminator of user-user information, 4.5.30."""

    USER_SPECIFIC = 0
    OSI = 1
    X244 = 2
    IA5 = 4
    BER = 5
    Q931 = 8


@dataclass(frozen=True, slots=True)
class UserUser:
    """4.5.30."""

    octets: bytes
    protocol: int = UserProtocol.IA5


def read_display(octets: Cursor) -> Display:
    return Display(octets.rest().decode("latin-1"))


def write_display(display: Display) -> bytes:
    return text(display.text, "display")


def read_keypad(octets: Cursor) -> KeypadFacility:
    return KeypadFacility(octets.rest().decode("latin-1"))


def write_keypad(keypad: KeypadFacility) -> bytes:
    return text(keypad.text, "keypad facility")


def read_call_identity(octets: Cursor) -> CallIdentity:
    return CallIdentity(octets.rest())


def write_call_identity(identity: CallIdentity) -> bytes:
    return identity.octets


def read_user_user(octets: Cursor) -> UserUser:
    protocol = octets.octet("3 (protocol discriminator)")
    return UserUser(octets.rest(), code(UserProtocol, protocol))


def write_user_user(value: UserUser) -> bytes:
    return bytes([field(value.protocol, 255, "protocol discriminator")]) + value.octets


# --- single octets, table 4-3


@dataclass(frozen=True, slots=True)
class Shift:
    """4.5.3, 4.5.4: the codeset of what follows; locking: of all that follows, else of the next element only."""

    codeset: int
    locking: bool


@dataclass(frozen=True, slots=True)
class MoreData:
    """4.5.20."""


@dataclass(frozen=True, slots=True)
class SendingComplete:
    """4.5.27."""


@dataclass(frozen=True, slots=True)
class CongestionLevel:
    """4.5.14: 0 receiver ready, 15 receiver not ready."""

    level: int


@dataclass(frozen=True, slots=True)
class RepeatIndicator:
    """4.5.24: 2 is a prioritized list for selecting one."""

    indication: int = 2


# --- what is kept as it came


@dataclass(frozen=True, slots=True)
class Raw:
    """An element of an unknown identifier, of another codeset, or whose contents cannot be read.

    `contents` is None for an element of a single octet (`identifier` is then that octet).
    """

    identifier: int
    contents: bytes | None
    codeset: int = 0
