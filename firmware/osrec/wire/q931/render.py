"""Q.931 messages for people (a line, then one for each element) and for programs (JSON values)."""

from enum import IntEnum
from typing import Any

from osrec.errors import WireError
from osrec.wire.plain import plain
from osrec.wire.q931 import bearer as b
from osrec.wire.q931 import elements as e
from osrec.wire.q931 import numbers as n
from osrec.wire.q931.causes import cause_name, location_name
from osrec.wire.q931.channel import ChannelIdentification, ChannelType, Selection
from osrec.wire.q931.facility import Facility, Profile, operation_name, parts
from osrec.wire.q931.messages import CallReference, Message, message_name
from osrec.wire.q931.registry import BY_TYPE, Element, element_name, identifier_of

_PROGRESS = {
    1: "call is not end-to-end ISDN, further progress may be in band",
    2: "destination address is non-ISDN",
    3: "origination address is non-ISDN",
    4: "call has returned to the ISDN",
    5: "interworking has occurred and has changed the telecommunication service",
    8: "in-band information or an appropriate pattern is now available",
}
_LAYER_1: dict[int, str] = {b.Layer1.V110: "V.110", b.Layer1.G711_U: "G.711 mu-law", b.Layer1.G711_A: "G.711 A-law"}
_RATES: dict[int, str] = {
    b.TransferRate.KBIT_64: "64 kbit/s",
    b.TransferRate.KBIT_2X64: "2 x 64 kbit/s",
    b.TransferRate.KBIT_384: "384 kbit/s",
    b.TransferRate.KBIT_1536: "1536 kbit/s",
    b.TransferRate.KBIT_1920: "1920 kbit/s",
}


def as_json(message: Message) -> dict[str, Any]:
    """Members by their names in the dataclasses; elements with their identifier and name."""
    value: dict[str, Any] = {
        "message": message_name(message.kind),
        "message_type": int(message.kind),
        "reference": plain(message.reference),
        "elements": [_element_json(element) for element in message.elements],
    }
    return value


def _element_json(element: Element) -> dict[str, Any]:
    value: dict[str, Any] = {"element": name_of(element)} | plain(element)
    match element:
        case e.Cause(cause, location):
            value |= {"value_name": cause_name(cause), "location_name": location_name(location)}
        case Facility():
            try:
                value["parts"] = plain(parts(element))
            except WireError as error:
                value["undecodable"] = str(error)
    return value


def as_lines(message: Message) -> list[str]:
    """The message in the first line, each of its elements in one more."""
    head = f"{message_name(message.kind)}, {_reference(message.reference)}"
    return [head, *(f"    {as_line(element)}" for element in message.elements)]


def _reference(reference: CallReference) -> str:
    if reference.is_dummy:
        return "dummy call reference"
    way = "to" if reference.to_origin else "from"
    if reference.is_global:
        return f"global call reference, {way} its origin"
    return f"call reference {reference.value}, {way} its origin"


def name_of(element: Element) -> str:
    if isinstance(element, e.Raw):
        return element_name(element.identifier, element.codeset)
    if isinstance(element, e.Shift):
        return "Shift"
    codec = BY_TYPE.get(type(element))
    return codec.name if codec else element_name(identifier_of(type(element)))


def as_line(element: Element) -> str:
    said = _text(element)
    return f"{name_of(element)}: {said}" if said else name_of(element)


def _text(element: Element) -> str:
    match element:
        case n.CalledPartyNumber(digits, ton, npi):
            return f"{digits!r}, {_plan(ton, npi)}"
        case n.CalledPartySubaddress(octets) | n.CallingPartySubaddress(octets) | n.ConnectedSubaddress(octets):
            return f"{octets.hex(' ')}, {_named(n.SubaddressType, element.type)}{', odd' if element.odd else ''}"
        case n.CallingPartyNumber() | n.ConnectedNumber() | n.RedirectingNumber() | n.RedirectionNumber():
            return _presented(element)
        case b.BearerCapability() | b.LowLayerCompatibility():
            return _capability(element)
        case b.HighLayerCompatibility(characteristics, extended):
            more = "" if extended is None else f", extended {extended}"
            return _named(b.HighLayer, characteristics) + more
        case ChannelIdentification():
            return _channel(element)
        case Facility(octets, profile):
            return _facility(element, _named(Profile, profile))
        case e.Raw(_, contents):
            return "" if contents is None else contents.hex(" ") or "empty"
        case e.Shift(codeset, locking):
            return f"{'locking' if locking else 'non-locking'}, codeset {codeset}"
    return _short(element)


def _short(element: Element) -> str:
    match element:
        case e.Cause(value, location, diagnostics):
            more = f", diagnostics {diagnostics.hex(' ')}" if diagnostics else ""
            return f"{int(value)} {cause_name(value)}, location {location_name(location)}{more}"
        case e.CallState(value):
            return f"{int(value)} {_named(e.CallStateValue, value)}"
        case e.ProgressIndicator(description, location):
            said = _PROGRESS.get(description, f"description {description}")
            return f"{int(description)} {said}, location {location_name(location)}"
        case e.NotificationIndicator(description, details):
            return _named(e.Notification, description) + (f", {details.hex(' ')}" if details else "")
        case e.RestartIndicator(restart):
            return _named(e.RestartClass, restart)
        case e.Signal(value):
            return _named(e.SignalValue, value)
        case e.Display(text) | e.KeypadFacility(text):
            return repr(text)
        case e.CallIdentity(octets):
            return octets.hex(" ")
        case e.UserUser(octets, protocol):
            shown = repr(octets.decode("latin-1")) if protocol == e.UserProtocol.IA5 else octets.hex(" ")
            return f"{_named(e.UserProtocol, protocol)} {shown}"
        case e.DateTime():
            return _date_time(element)
        case e.CongestionLevel(level):
            return {0: "receiver ready", 15: "receiver not ready"}.get(level, str(level))
        case e.RepeatIndicator(indication):
            return "prioritized list" if indication == 2 else str(indication)
    return ""


def _named(kind: type[IntEnum], value: int) -> str:
    try:
        return kind(value).name.lower().replace("_", " ")
    except ValueError:
        return str(value)


def _plan(ton: int, npi: int) -> str:
    return f"type {_named(n.TypeOfNumber, ton)}, plan {_named(n.NumberingPlan, npi)}"


def _presented(number: n.CallingPartyNumber | n.ConnectedNumber | n.RedirectingNumber | n.RedirectionNumber) -> str:
    text = f"{number.digits!r}, {_plan(number.ton, number.npi)}"
    if number.presentation is not None:
        shown = number.presentation
        text += f", presentation {_named(n.PresentationIndicator, shown.indicator)}"
        text += f", screening {_named(n.Screening, shown.screening)}"
    if isinstance(number, n.RedirectingNumber) and number.reason is not None:
        text += f", reason {_named(n.RedirectionReason, number.reason)}"
    return text


def _capability(value: b.BearerCapability | b.LowLayerCompatibility) -> str:
    rate = _RATES.get(value.rate, f"rate {int(value.rate)}")
    if value.multiplier is not None:
        rate = f"{value.multiplier} x 64 kbit/s"
    said = [_named(b.TransferCapability, value.capability), f"{_named(b.TransferMode, value.mode)} mode", rate]
    for number, layer in enumerate((value.layer1, value.layer2, value.layer3), 1):
        if layer is not None:
            name = _LAYER_1.get(layer.protocol) if number == 1 else None
            details = f" {layer.details.hex(' ')}" if layer.details else ""
            said.append((name or f"layer {number} protocol {int(layer.protocol)}") + details)
    return ", ".join(said)


def _channel(value: ChannelIdentification) -> str:
    said = ["exclusive" if value.exclusive else "preferred"]
    if value.d_channel:
        said.append("D channel")
    if value.interface is not None:
        said.append(f"interface {value.interface.hex(' ')}")
    if not value.primary:
        return ", ".join([*said, ("no channel", "B1", "B2", "any channel")[value.selection]])
    if value.channels or value.map_octets is not None:
        kind = "" if value.channel_type == ChannelType.B else f"{_named(ChannelType, value.channel_type)} "
        numbers = " ".join(map(str, value.channels)) or "none"
        said.append(f"{kind}time slot {numbers}{' by map' if value.map_octets is not None else ''}")
    elif value.selection == Selection.INDICATED:
        said.append("whole interface")
    else:
        said.append("any channel" if value.selection == Selection.ANY else _named(Selection, value.selection))
    return ", ".join(said)


def _facility(value: Facility, profile: str) -> str:
    try:
        found = parts(value)
    except WireError as error:
        return f"{profile}, {value.octets.hex(' ')} ({error})"
    said = [profile]
    for name, octets in (("NFE", found.extension), ("interpretation", found.interpretation)):
        if octets is not None:
            said.append(f"{name} {octets.hex(' ')}")
    said += [f"{operation_name(octets)}: {octets.hex(' ')}" for octets in found.operations]
    return ", ".join(said + [octets.hex(" ") for octets in found.others])


def _date_time(value: e.DateTime) -> str:
    clock = [part for part in (value.hour, value.minute, value.second) if part is not None]
    date = f"{value.year:02d}-{value.month:02d}-{value.day:02d}"
    return f"{date} {':'.join(f'{part:02d}' for part in clock)}".rstrip()
