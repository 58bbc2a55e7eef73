"""Which information element has which identifier, table 4-3 of Q.931 (codeset 0), and who reads and writes it."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from osrec.wire.q931 import bearer, channel, elements, facility, numbers
from osrec.wire.q931.cursor import Cursor

Element = (
    bearer.BearerCapability
    | bearer.LowLayerCompatibility
    | bearer.HighLayerCompatibility
    | channel.ChannelIdentification
    | elements.Cause
    | elements.CallState
    | elements.CallIdentity
    | elements.ProgressIndicator
    | elements.NotificationIndicator
    | elements.RestartIndicator
    | elements.Signal
    | elements.DateTime
    | elements.Display
    | elements.KeypadFacility
    | elements.UserUser
    | facility.Facility
    | numbers.CalledPartyNumber
    | numbers.CallingPartyNumber
    | numbers.ConnectedNumber
    | numbers.RedirectingNumber
    | numbers.RedirectionNumber
    | numbers.CalledPartySubaddress
    | numbers.CallingPartySubaddress
    | numbers.ConnectedSubaddress
    | elements.Shift
    | elements.MoreData
    | elements.SendingComplete
    | elements.CongestionLevel
    | elements.RepeatIndicator
    | elements.Raw
)


@dataclass(frozen=True, slots=True)
class Codec:
    """One information element of variable length."""

    identifier: int
    name: str
    type: type[Any]
    read: Callable[[Cursor], Any]
    write: Callable[[Any], bytes]


_CODECS = (
    Codec(0x04, "Bearer capability", bearer.BearerCapability, bearer.read_bearer, bearer.write_bearer),
    Codec(0x08, "Cause", elements.Cause, elements.read_cause, elements.write_cause),
    Codec(0x10, "Call identity", elements.CallIdentity, elements.read_call_identity, elements.write_call_identity),
    Codec(0x14, "Call state", elements.CallState, elements.read_call_state, elements.write_call_state),
    Codec(0x18, "Channel identification", channel.ChannelIdentification, channel.read, channel.write),
    Codec(0x1C, "Facility", facility.Facility, facility.read, facility.write),
    Codec(0x1E, "Progress indicator", elements.ProgressIndicator, elements.read_progress, elements.write_progress),
    Codec(
        0x27,
        "Notification indicator",
        elements.NotificationIndicator,
        elements.read_notification,
        elements.write_notification,
    ),
    Codec(0x28, "Display", elements.Display, elements.read_display, elements.write_display),
    Codec(0x29, "Date/time", elements.DateTime, elements.read_date_time, elements.write_date_time),
    Codec(0x2C, "Keypad facility", elements.KeypadFacility, elements.read_keypad, elements.write_keypad),
    Codec(0x34, "Signal", elements.Signal, elements.read_signal, elements.write_signal),
    Codec(0x4C, "Connected number", numbers.ConnectedNumber, numbers.read_connected, numbers.write_presented),
    Codec(
        0x4D,
        "Connected subaddress",
        numbers.ConnectedSubaddress,
        partial(numbers.read_subaddress, numbers.ConnectedSubaddress),
        numbers.write_subaddress,
    ),
    Codec(0x6C, "Calling party number", numbers.CallingPartyNumber, numbers.read_calling, numbers.write_presented),
    Codec(
        0x6D,
        "Calling party subaddress",
        numbers.CallingPartySubaddress,
        partial(numbers.read_subaddress, numbers.CallingPartySubaddress),
        numbers.write_subaddress,
    ),
    Codec(0x70, "Called party number", numbers.CalledPartyNumber, numbers.read_called, numbers.write_called),
    Codec(
        0x71,
        "Called party subaddress",
        numbers.CalledPartySubaddress,
        partial(numbers.read_subaddress, numbers.CalledPartySubaddress),
        numbers.write_subaddress,
    ),
    Codec(0x74, "Redirecting number", numbers.RedirectingNumber, numbers.read_redirecting, numbers.write_presented),
    Codec(0x76, "Redirection number", numbers.RedirectionNumber, numbers.read_redirection, numbers.write_presented),
    Codec(0x79, "Restart indicator", elements.RestartIndicator, elements.read_restart, elements.write_restart),
    Codec(0x7C, "Low layer compatibility", bearer.LowLayerCompatibility, bearer.read_low_layer, bearer.write_low_layer),
    Codec(
        0x7D,
        "High layer compatibility",
        bearer.HighLayerCompatibility,
        bearer.read_high_layer,
        bearer.write_high_layer,
    ),
    Codec(0x7E, "User-user", elements.UserUser, elements.read_user_user, elements.write_user_user),
)

BY_IDENTIFIER = {codec.identifier: codec for codec in _CODECS}
BY_TYPE = {codec.type: codec for codec in _CODECS}

# --- single octets: type 1 has its identifier in bits 7 to 5, type 2 in all of them

SHIFT, CONGESTION_LEVEL, REPEAT_INDICATOR = 0x90, 0xB0, 0xD0
MORE_DATA, SENDING_COMPLETE = 0xA0, 0xA1

# --- names of elements that are kept as they came

_SINGLE_NAMES = {SHIFT: "Shift", CONGESTION_LEVEL: "Congestion level", REPEAT_INDICATOR: "Repeat indicator"}
_RAW_NAMES = {
    (0, 0x00): "Segmented message",
    (0, 0x20): "Network-specific facilities",
    (0, 0x40): "Information rate",
    (0, 0x42): "End-to-end transit delay",
    (0, 0x43): "Transit delay selection and indication",
    (0, 0x44): "Packet layer binary parameters",
    (0, 0x45): "Packet layer window size",
    (0, 0x46): "Packet size",
    (0, 0x47): "Closed user group",
    (0, 0x4A): "Reverse charging indication",
    (0, 0x78): "Transit network selection",
    (0, MORE_DATA): "More data",
    (0, SENDING_COMPLETE): "Sending complete",
    (4, 0x31): "Transit counter",  # QSIG, ECMA-225
    (5, 0x32): "Party category",  # QSIG, ECMA-143
}


def element_name(identifier: int, codeset: int = 0) -> str:
    """The name that the standard gives it, else its code point."""
    if codeset == 0 and identifier in BY_IDENTIFIER:
        return BY_IDENTIFIER[identifier].name
    if identifier & 0xF0 in (_SINGLE_NAMES if codeset == 0 else (SHIFT,)):
        return _SINGLE_NAMES[identifier & 0xF0]
    name = _RAW_NAMES.get((codeset, identifier))
    return name or f"0x{identifier:02x}" + (f" of codeset {codeset}" if codeset else "")


def identifier_of(kind: type[Any]) -> int:
    """The identifier of an element by its class, for diagnostics and tables of mandatory elements."""
    return _IDENTIFIERS[kind]


_IDENTIFIERS: dict[type[Any], int] = {codec.type: codec.identifier for codec in _CODECS} | {
    elements.CongestionLevel: CONGESTION_LEVEL,
    elements.RepeatIndicator: REPEAT_INDICATOR,
    elements.MoreData: MORE_DATA,
    elements.SendingComplete: SENDING_COMPLETE,
}
