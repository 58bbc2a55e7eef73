"""Messages of Q.931 for circuit-mode calls: types, call references, and which elements each message must carry."""

from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Any, TypeVar

from osrec.wire.q931 import elements as e
from osrec.wire.q931.bearer import BearerCapability
from osrec.wire.q931.channel import ChannelIdentification
from osrec.wire.q931.facility import Facility
from osrec.wire.q931.registry import Element, identifier_of

Found = TypeVar("Found")

PROTOCOL_DISCRIMINATOR = 0x08  # 4.2


class MessageType(IntEnum):
    """Table 4-2; HOLD to RETRIEVE REJECT, FACILITY and REGISTER are of Q.932."""

    ALERTING = 0x01
    CALL_PROCEEDING = 0x02
    PROGRESS = 0x03
    SETUP = 0x05
    CONNECT = 0x07
    SETUP_ACKNOWLEDGE = 0x0D
    CONNECT_ACKNOWLEDGE = 0x0F
    USER_INFORMATION = 0x20
    SUSPEND_REJECT = 0x21
    RESUME_REJECT = 0x22
    HOLD = 0x24
    SUSPEND = 0x25
    RESUME = 0x26
    HOLD_ACKNOWLEDGE = 0x28
    SUSPEND_ACKNOWLEDGE = 0x2D
    RESUME_ACKNOWLEDGE = 0x2E
    HOLD_REJECT = 0x30
    RETRIEVE = 0x31
    RETRIEVE_ACKNOWLEDGE = 0x33
    RETRIEVE_REJECT = 0x37
    DISCONNECT = 0x45
    RESTART = 0x46
    RELEASE = 0x4D
    RESTART_ACKNOWLEDGE = 0x4E
    RELEASE_COMPLETE = 0x5A
    SEGMENT = 0x60
    FACILITY = 0x62
    REGISTER = 0x64
    NOTIFY = 0x6E
    STATUS_ENQUIRY = 0x75
    CONGESTION_CONTROL = 0x79
    INFORMATION = 0x7B
    STATUS = 0x7D


def message_name(kind: int) -> str:
    try:
        return MessageType(kind).name.replace("_", " ")
    except ValueError:
        return f"message type 0x{kind:02x}"


@dataclass(frozen=True, slots=True)
class CallReference:
    """4.3: two octets on a primary rate interface, one on basic rate.

    Attributes:
        value: 0 is the global call reference, which stands for all calls of the link.
        to_origin: the flag: this message goes to the side that chose the value.
        length: octets of the value; 0 is the dummy call reference.
    """

    value: int = 0
    to_origin: bool = False
    length: int = 2

    @property
    def is_global(self) -> bool:
        return self.length > 0 and self.value == 0

    @property
    def is_dummy(self) -> bool:
        return self.length == 0

    def answered(self) -> "CallReference":
        """The same call as the other side names it: the flag turned over."""
        return replace(self, to_origin=not self.to_origin)


GLOBAL = CallReference()
DUMMY = CallReference(length=0)


@dataclass(frozen=True, slots=True)
class Message:
    """One message; `kind` is a plain number when it is in no table, `elements` are in the order of the wire."""

    kind: int
    reference: CallReference
    elements: tuple[Element, ...] = ()

    def first(self, kind: type[Found]) -> Found | None:
        """The first element of a class. More of them are valid only where the standard says so (5.8.5.2)."""
        return next((element for element in self.elements if isinstance(element, kind)), None)

    def all(self, kind: type[Found]) -> tuple[Found, ...]:
        return tuple(element for element in self.elements if isinstance(element, kind))


_MANDATORY: dict[int, tuple[type[Any], ...]] = {  # by clause 3.1, where M stands for both directions
    MessageType.SETUP: (BearerCapability,),
    MessageType.PROGRESS: (e.ProgressIndicator,),
    MessageType.DISCONNECT: (e.Cause,),
    MessageType.STATUS: (e.Cause, e.CallState),
    MessageType.NOTIFY: (e.NotificationIndicator,),
    MessageType.RESTART: (e.RestartIndicator,),
    MessageType.RESTART_ACKNOWLEDGE: (e.RestartIndicator,),
    MessageType.RESUME_ACKNOWLEDGE: (ChannelIdentification,),
    MessageType.RESUME_REJECT: (e.Cause,),
    MessageType.SUSPEND_REJECT: (e.Cause,),
    MessageType.USER_INFORMATION: (e.UserUser,),
    MessageType.CONGESTION_CONTROL: (e.CongestionLevel, e.Cause),
    MessageType.FACILITY: (Facility,),
    MessageType.HOLD_REJECT: (e.Cause,),
    MessageType.RETRIEVE_REJECT: (e.Cause,),
}


def mandatory(kind: int) -> tuple[int, ...]:
    """Identifiers of the elements that a message of this type has always."""
    return tuple(identifier_of(element) for element in _MANDATORY.get(kind, ()))


REPEATABLE = frozenset(
    identifier_of(kind)
    for kind in (BearerCapability, e.Cause, Facility, e.ProgressIndicator, e.NotificationIndicator, e.Display)
) | {0x20, 0x78, 0x7C}  # network-specific facilities, transit network selection, low layer compatibility
