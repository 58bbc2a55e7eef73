"""cSTAEventReport (op 21): what one monitor saw, from octets and to octets.

Every member is judged on its own: one that is unknown or broken is left out with a remark, and the rest counts.
Only an event whose connection or cross reference cannot be read is given up.
"""

from datetime import datetime
from typing import Any

from osrec.errors import UsageError, WireError
from osrec.wire.csta import schema
from osrec.wire.csta.ber import IndefiniteLengthError, Item, element, integer, named, string, walk, walk_until_fault
from osrec.wire.csta.devices import write_linkage_list
from osrec.wire.csta.kinds import (
    CONNECTION,
    CONNECTIONS,
    DEVICE,
    DEVICE_ID,
    EXTENSIONS,
    LINKAGES,
    TEXT,
    EventType,
    Kind,
    Member,
    context,
)
from osrec.wire.csta.members import EVENT_TYPES, IN_SERVICE_TYPES
from osrec.wire.csta.model import (
    Conferenced,
    DeviceId,
    Event,
    EventReport,
    InService,
    Linkage,
    NoDevice,
    OtherEvent,
    Parties,
    Transferred,
)

CROSS_REF = 0x55  # [APPLICATION 21]
_GENERALIZED_TIME = 0x18
_CATEGORIES = {
    0: "callControlEvents",
    1: "callAssociatedEvents",
    5: "deviceMaintenanceEvents",
}
CATEGORY_COUNT = 8
_TYPES = {(kind.category, kind.tag): kind for kind in (*EVENT_TYPES, *IN_SERVICE_TYPES)}
_BY_VALUE = {kind.value: kind for kind in EVENT_TYPES}
_ABSENT: dict[Kind, Any] = {  # what a required member is when it is missing; without entry: the value's own default
    DEVICE: NoDevice.NOT_KNOWN,
    DEVICE_ID: DeviceId(""),
    CONNECTIONS: (),
    TEXT: "",
}
WITH_SECONDARY = (Transferred, Conferenced)
_CAUSE_NORMAL = 78  # what is sent where `cause` is mandatory and the value has none
MAX_REMARKS = 20  # an event of thousands of unknown members shall not make a log of thousands of lines


class _Extensions:
    """CSTACommonArguments as far as they are understood."""

    def __init__(self) -> None:
        self.at: datetime | None = None
        self.sequence: int | None = None
        self.private: tuple[bytes, ...] = ()


def read_event_report(argument: bytes, notes: list[str]) -> EventReport:
    """The contents of CSTAEventReportArgument; `notes` collects the remarks, including those that were made before."""
    cross_ref: bytes | None = None
    specific: bytes | None = None
    category = -1
    for item in walk(argument):
        key = item[0]
        if key == CROSS_REF and cross_ref is None:
            cross_ref = string(argument, item)
        elif specific is None and 0 <= key - context(0) < CATEGORY_COUNT:
            category, specific = key - context(0), item[1]
        else:
            notes.append(f"unknown member {named(key)} in cSTAEventReport")
    if cross_ref is None or specific is None:
        raise WireError(f"cSTAEventReport without {'crossRefIdentifier' if cross_ref is None else 'eventSpecificInfo'}")
    extensions = _Extensions()
    event = _read_event(category, specific, extensions, notes)
    if len(notes) > MAX_REMARKS:
        notes[MAX_REMARKS:] = [f"and {len(notes) - MAX_REMARKS} more remarks"]
    return EventReport(cross_ref, event, extensions.at, extensions.sequence, extensions.private, tuple(notes))


def _read_event(category: int, specific: bytes, extensions: _Extensions, notes: list[str]) -> Event:
    items = walk(specific)
    if not items:
        raise WireError(f"event of category {category} is empty")
    key, body, begin, _ = items[0]
    notes.extend(f"{named(extra)} after the event" for extra, *_ in items[1:])
    if key & 0xC0 != context(0):
        raise WireError(f"event of category {category} is {named(key)}, expected a context tag")
    tag = key >> 8 if key & 0x1F == 0x1F else key & 0x1F
    kind = _TYPES.get((category, tag))
    if kind is None:
        return OtherEvent(category=category, tag=tag, body=body)
    if not specific[begin] & 0x20:
        raise WireError(f"{kind.name} is primitive, expected a SEQUENCE")
    return _read_members(kind, body, extensions, notes)


def _read_members(kind: EventType, body: bytes, extensions: _Extensions, notes: list[str]) -> Event:
    values: dict[str, Any] = {}
    parties: dict[str, Any] = {}
    seen: dict[int, int] = {}
    by_key = kind.by_key
    for item in _readable(kind, body, notes):
        key = item[0]
        candidates = by_key.get(key)
        if candidates is None:
            _read_unlisted(kind, key, item[1], extensions, notes)
            continue
        count = seen.get(key, 0)
        seen[key] = count + 1
        if count >= len(candidates):
            notes.append(f"member {named(key)} repeated in {kind.name}")
            continue
        member = candidates[count]
        if member is None:
            continue
        try:
            value = member.kind.read(string(body, item) if member.kind.text else item[1])
        except IndefiniteLengthError:
            raise
        except ValueError as error:  # WireError, and a value that LocalState does not know
            notes.append(f"{member.name} in {kind.name} left out: {error}")
            continue
        if member.kind is LINKAGES:
            value, values["old_linkage"] = linkages_apart(value)
            if kind.value not in WITH_SECONDARY:
                del values["old_linkage"]
        if member.attribute.startswith("parties."):
            parties[member.attribute[8:]] = value
        else:
            values[member.attribute] = value
    return build_event(kind, values, parties, notes)


def linkages_apart(both: tuple[Linkage | None, Linkage | None]) -> tuple[Linkage | None, Linkage | None]:
    """The new linkage, and the old one where it says anything more."""
    new, old = both
    return new, None if old == new else old


def _readable(kind: EventType, body: bytes, notes: list[str]) -> list[Item]:
    """All members before the first one whose tag or length is broken."""
    items, fault = walk_until_fault(body)
    if fault is not None:
        notes.append(f"{kind.name} broken after octet {items[-1][3] if items else 0}: {fault}")
    return items


def _read_unlisted(kind: EventType, key: int, contents: bytes, extensions: _Extensions, notes: list[str]) -> None:
    if key not in (kind.extensions, EXTENSIONS):
        notes.append(f"unknown member {named(key)} in {kind.name}")
        return
    try:
        _read_extensions(contents, extensions, notes)
    except IndefiniteLengthError:
        raise
    except WireError as error:
        notes.append(f"extensions in {kind.name} left out: {error}")


def _read_extensions(contents: bytes, extensions: _Extensions, notes: list[str]) -> None:
    """CSTACommonArguments: security and private data, which may hold any tag."""
    for key, inner, _, _ in walk(contents):
        if key == context(0):
            _read_security(inner, extensions, notes)
        elif key == context(1):
            extensions.private += tuple(inner[begin:end] for _, _, begin, end in walk(inner))
        else:
            notes.append(f"unknown member {named(key)} in extensions")


def _read_security(contents: bytes, extensions: _Extensions, notes: list[str]) -> None:
    for item in walk(contents):  # securityInfo is any type: passed over without a remark
        if item[0] == context(0):
            extensions.sequence = integer(item[1])
        elif item[0] == _GENERALIZED_TIME:
            text = string(contents, item)
            extensions.at = read_time(text)
            if extensions.at is None:
                notes.append(f"timestamp {text!r} is no GeneralizedTime")


def read_time(text: bytes) -> datetime | None:
    """GeneralizedTime, X.680 46: YYYYMMDDHHMM[SS[.f]]; a zone at the end is dropped, the PBX sends its local time."""
    digits = len(text) - len(text.lstrip(b"0123456789"))
    if digits not in (12, 14):
        return None
    microseconds = 0
    if digits == 14 and text[14:15] in (b".", b","):
        fraction = text[15:21]
        fraction = fraction[: len(fraction) - len(fraction.lstrip(b"0123456789"))]
        microseconds = int(fraction.ljust(6, b"0"))
    parts = [int(text[at : at + 2]) for at in range(4, digits, 2)]
    try:
        return datetime(int(text[:4]), *parts, microsecond=microseconds)  # type: ignore[misc,arg-type]
    except ValueError:
        return None


def build_event(kind: EventType, values: dict[str, Any], parties: dict[str, Any], notes: list[str]) -> Event:
    """The event of the members that could be read. Raises WireError when its connection is not among them."""
    for member in kind.members:
        attribute = member.attribute
        if not member.required or attribute in values or attribute.removeprefix("parties.") in parties:
            continue
        if member.kind is CONNECTION:
            raise WireError(f"{kind.name} without {member.name}")
        notes.append(f"{kind.name} without {member.name}")
        if attribute in values or attribute.startswith("parties.") or attribute == "cause":
            continue
        values[attribute] = _ABSENT[member.kind]
    if kind.value is InService:
        values["in_service"] = kind.name == "backInService"
    elif kind.value in WITH_SECONDARY:
        values.setdefault("secondary", None)
    if parties:
        values["parties"] = Parties(**parties)
    event: Event = kind.value(**values)
    return event


# --- writing


def write_event_report(report: EventReport) -> bytes:
    """The whole CSTAEventReportArgument element. Raises UsageError when the event cannot be said on the wire."""
    event = report.event
    if isinstance(event, OtherEvent):
        if not 0 <= event.category < CATEGORY_COUNT or not 0 <= event.tag < 31:
            raise UsageError(f"event category {event.category} tag {event.tag}: known are 0..7 and 0..30")
        body = element(0xA0 | event.category, element(0xA0 | event.tag, event.body))
        return element(0x30, element(CROSS_REF, report.cross_ref) + body)
    kind = event_type(event)
    body_values = {member.name: _write(member, event, value) for member, value in said(kind, event)}
    if extensions := _written_extensions(report):
        body_values["extensions"] = extensions
    return schema.encode(
        "CSTAEventReportArgument",
        {
            "crossRefIdentifier": report.cross_ref,
            "eventSpecificInfo": (_CATEGORIES[kind.category], (kind.name, body_values)),
        },
    )


def event_type(event: Event) -> EventType:
    return IN_SERVICE_TYPES[0 if event.in_service else 1] if isinstance(event, InService) else _BY_VALUE[type(event)]


def said(kind: EventType, event: Event) -> list[tuple[Member, Any]]:
    """The members that are sent, in the order of the wire, with their values."""
    members = []
    for member in kind.members:
        holder, attribute = event, member.attribute
        if attribute.startswith("parties."):
            holder, attribute = event.parties, attribute[8:]  # type: ignore[union-attr,assignment]
        value = getattr(holder, attribute)
        if value is None and attribute == "cause" and member.required:
            value = _CAUSE_NORMAL
        if value is not None and (member.required or not _is_default(member, value)):
            members.append((member, value))
    return members


def _write(member: Member, event: Event, value: Any) -> Any:
    if member.kind is LINKAGES:
        return write_linkage_list(value, getattr(event, "old_linkage", None))
    return member.kind.write(value)


def _is_default(member: Member, value: Any) -> bool:
    """Diverted may say who called whom, and does so only when it is known."""
    return member.attribute in ("parties.calling", "parties.called") and value is NoDevice.NOT_KNOWN


def _written_extensions(report: EventReport) -> dict[str, Any]:
    extensions: dict[str, Any] = {}
    security: dict[str, Any] = {}
    if report.sequence is not None:
        security["messageSequenceNumber"] = report.sequence
    if report.at is not None:
        security["timestamp"] = write_time(report.at)
    if security:
        extensions["security"] = security
    if report.private:
        extensions["privateData"] = list(report.private)
    return extensions


def write_time(at: datetime) -> bytes:
    fraction = f".{at.microsecond:06d}".rstrip("0") if at.microsecond else ""
    return f"{at.year:04d}{at:%m%d%H%M%S}{fraction}".encode("ascii")
