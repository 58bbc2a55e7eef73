"""How members of events are described: the kinds of value, a member, an event; the tables are in members.py."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from osrec.wire.csta import devices, model
from osrec.wire.csta.ber import integer, walk
from osrec.wire.csta.model import LocalState

OCTET_STRING = 0x04
ENUMERATED = 0x0A
IA5STRING = 0x16
EXTENSIONS = 0x5E  # [APPLICATION 30]


def context(number: int) -> int:
    return 0x80 | number


def application(number: int) -> int:
    return 0x40 | number


@dataclass(frozen=True, slots=True)
class Kind:
    """How a type is read from its contents and written for asn1tools; `text`: a string that may come in pieces."""

    read: Callable[[bytes], Any]
    write: Callable[[Any], Any]
    text: bool = False


@dataclass(frozen=True, slots=True)
class Member:
    """One member that we read. `attribute` "parties.x" means x of the event's Parties."""

    attribute: str
    name: str
    key: int
    kind: Kind
    required: bool = True


def _same(value: Any) -> Any:
    return value


def _user_data(contents: bytes) -> bytes:
    """[APPLICATION 29] is explicit in the standard; a PBX that sends it implicit is understood too."""
    try:
        items = walk(contents)
    except ValueError:
        return contents
    return items[0][1] if len(items) == 1 and items[0][0] == OCTET_STRING else contents


def _known_state(contents: bytes) -> LocalState:
    return LocalState(integer(contents))


CONNECTION = Kind(devices.read_connection, devices.write_connection)
TAGGED = Kind(devices.read_tagged_connection, devices.write_connection)
CONNECTIONS = Kind(devices.read_connections, devices.write_connections)
DEVICE = Kind(devices.read_device, devices.write_device)
REDIRECTION = Kind(devices.read_redirection, devices.write_redirection)
DEVICE_ID = Kind(devices.read_device_id, lambda device: devices.write_device_id(_given(device)))
STATE = Kind(_known_state, int)
NUMBER = Kind(integer, int)
OCTETS = Kind(_same, _same, text=True)
USER_DATA = Kind(_user_data, _same)
TEXT = Kind(lambda contents: contents.decode("latin-1"), lambda text: text.encode("latin-1", "replace"), text=True)
LINKAGE = Kind(devices.read_linkage, devices.write_linkage)
LINKAGES = Kind(devices.read_linkage_list, _same)  # event.linkage and event.old_linkage, see events.py


def _given(device: model.Device) -> model.DeviceId:
    """digitsDialed has no way to say that nothing was dialled; an empty number does."""
    return device if isinstance(device, model.DeviceId) else model.DeviceId("")


@dataclass(frozen=True, slots=True)
class EventType:
    """One event: `passed` are the tags of members that exist and that we do not read."""

    value: type[Any]
    category: int
    tag: int
    name: str
    members: tuple[Member, ...]
    passed: tuple[int, ...] = ()
    extensions: int = EXTENSIONS
    by_key: dict[int, tuple[Member | None, ...]] = field(init=False)

    def __post_init__(self) -> None:
        by_key: dict[int, tuple[Member | None, ...]] = {}
        for member in self.members:
            by_key[member.key] = (*by_key.get(member.key, ()), member)
        for key in self.passed:
            by_key[key] = (*by_key.get(key, ()), None)
        object.__setattr__(self, "by_key", by_key)
