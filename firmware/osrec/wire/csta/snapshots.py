"""What snapshots consist of: the calls of a device, the devices of a call, and their states (ECMA-285)."""

from typing import Any

from osrec.errors import UsageError, WireError
from osrec.wire.csta import devices, model
from osrec.wire.csta.ber import integer, named, walk
from osrec.wire.csta.model import LocalState, SnapshotLeg

_ENUMERATED = 0x0A
_STATE = 0x4E  # [APPLICATION 14]
_SUBJECT = 0x43  # [APPLICATION 3]
_CONTEXT = 0x80
_STATES = frozenset(map(int, LocalState))

Notes = list[str]


def read_legs(contents: bytes, notes: Notes) -> tuple[SnapshotLeg, ...]:
    legs = []
    for key, inner, _, _ in walk(contents):
        try:
            legs.append(_leg(inner))
        except WireError as error:
            notes.append(f"snapshot entry {named(key)} left out: {error}")
    return tuple(legs)


def _leg(contents: bytes) -> SnapshotLeg:
    connection = endpoint = linkage = None
    states: tuple[LocalState, ...] = ()
    simple = False
    for key, inner, _, _ in walk(contents):
        if key == devices.CONNECTION:
            connection = devices.read_connection(inner)
        elif key == _CONTEXT | 3:
            endpoint = devices.read_device(inner)
        elif key == _CONTEXT:
            if connection is not None and not states:
                states = _compound(inner)
        elif key == _CONTEXT | 1:
            states, simple = nibbles(integer(inner)), True
        elif key == _CONTEXT | 4:
            linkage = devices.read_linkage(inner)
    if connection is None:
        raise WireError("snapshot entry without connectionIdentifier")
    return SnapshotLeg(connection, endpoint, states, linkage, simple)


def _compound(contents: bytes) -> tuple[LocalState, ...]:
    """compoundCallState, the device's own state first; it ends before the first state that we do not know."""
    states: list[LocalState] = []
    for key, inner, _, _ in walk(contents):
        value = integer(inner) if key in (_STATE, _ENUMERATED) else -1
        if value not in _STATES:
            break
        states.append(LocalState(value))
    return tuple(states)


def nibbles(value: int) -> tuple[LocalState, ...]:
    """simpleCallState: the far end's state in the upper nibble, the device's own in the lower.

    For example 0x32, callReceived: it rings here, and the calling end is connected.
    """
    near, far = value & 0x0F, value >> 4
    if near not in _STATES or far not in _STATES:
        return ()
    return (LocalState(near), LocalState(far)) if far else (LocalState(near),)


def read_entries(contents: bytes, notes: Notes) -> list[model.CallSnapshotEntry]:
    entries = []
    for _, inner, _, _ in walk(contents):
        members = {item[0]: item[1] for item in walk(inner)}
        if _SUBJECT not in members:
            notes.append("snapshot entry without deviceOnCall left out")
            continue
        connection = members.get(devices.CONNECTION)
        state = integer(members[_STATE]) if _STATE in members else None
        entries.append(
            model.CallSnapshotEntry(
                devices.read_device(members[_SUBJECT]),
                None if connection is None else devices.read_connection(connection),
                LocalState(state) if state in _STATES else None,
            )
        )
    return entries


# --- writing


def write_leg(leg: SnapshotLeg) -> dict[str, Any]:
    written: dict[str, Any] = {
        "connectionIdentifier": devices.write_connection(leg.connection),
        "localCallState": _write_states(leg),
    }
    if leg.endpoint is not None:
        written["endpointDevice"] = devices.write_device(leg.endpoint)
    if leg.linkage is not None:
        written["callLinkageData"] = devices.write_linkage(leg.linkage)
    return written


def _write_states(leg: SnapshotLeg) -> tuple[str, Any]:
    if not leg.states:
        return "unknown", None
    if not leg.simple:
        return "compoundCallState", [int(state) for state in leg.states]
    return "simpleCallState", simple_value(leg)


def simple_value(leg: SnapshotLeg) -> int:
    """simpleCallState for the states of a leg."""
    if len(leg.states) > 2:
        raise UsageError(f"simpleCallState says two states, not {len(leg.states)}")
    near, far = (*leg.states, LocalState.NULL)[:2]
    return far << 4 | near


def write_entry(entry: model.CallSnapshotEntry) -> dict[str, Any]:
    written: dict[str, Any] = {"deviceOnCall": devices.write_device(entry.device)}
    if entry.connection is not None:
        written["callIdentifier"] = devices.write_connection(entry.connection)
    if entry.state is not None:
        written["localConnectionState"] = int(entry.state)
    return written
