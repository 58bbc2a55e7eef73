"""Flows of the emulated PBX as ladders: one line for each event that a monitored device sees."""

from typing import Any

from osrec.wire.csta import model
from osrec.wire.csta.causes import EVENT_CAUSES
from osrec.wire.csta.model import DeviceId, NoDevice
from osrec_emulators.pbx.config import PbxConfig
from osrec_emulators.pbx.world import World

A, B, C, D, E = "3100", "3101", "3102", "3103", "3104"
X, Y = "0891234567", "0307654321"  # people outside
T1, T2 = "7801", "7802"
_LETTERS = {A: "A", B: "B", C: "C", D: "D", E: "E", X: "X", Y: "Y", T1: "T1", T2: "T2"}


def pbx(*groups: dict[str, Any], sink: list[str] | None = None, **settings: Any) -> World:
    """A PBX with ten stations, four trunks and these groups; commands are given to its switch."""
    config = {
        "stations": [{"range": "3100-3109"}],
        "trunks": [{"range": "7801-7804"}],
        "recorder_ports": ["5000-5003"],
        "groups": groups,
    }
    return World(PbxConfig.model_validate(config | settings), sink=None if sink is None else sink.append)


def ladder(world: World, *viewers: str, until: float | None = None) -> list[str]:
    """What the viewers (default: everybody) have seen since the last ladder, one line an event.

    "B: Delivered B alerting newCall" reads: the monitor on B sees that connection B alerts, and is itself alerting.
    """
    occurrences = world.advance(world.switch.now if until is None else until)
    return [
        f"{_letter(found.device)}: {line(found.event)}"
        for found in occurrences
        if not viewers or found.device in viewers
    ]


def line(event: Any) -> str:
    if isinstance(event, model.OtherEvent):
        return f"OtherEvent {event.category}/{event.tag}"
    kind, local = type(event).__name__, event.local.name.lower()
    cause = EVENT_CAUSES.get(event.cause, event.cause)
    if isinstance(event, model.Transferred | model.Conferenced):
        other = event.to if isinstance(event, model.Transferred) else event.added
        moved = "+".join(named(link.endpoint) for link in event.connections)
        return f"{kind} by {named(event.device)} to {named(other)} [{moved}] {local} {cause}"
    more = ""
    if isinstance(event, model.Diverted):
        more = f" to {named(event.new_destination)}"
    elif isinstance(event, model.DigitsGenerated):
        more = f" {event.digits}"
    elif isinstance(event, model.DigitsDialed):
        more = f" {named(event.digits)}"
    return f"{kind} {named(event.connection.device)}{more} {local} {cause}"


def named(device: Any) -> str:
    if isinstance(device, DeviceId):
        return _letter(device.number)
    return device.value if isinstance(device, NoDevice) else repr(device)


def _letter(number: str) -> str:
    return _LETTERS.get(number, number)
