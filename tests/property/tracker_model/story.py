"""What was played, line by line, so that a failing example can be read like a log."""

from collections.abc import Callable, Iterable

from osrec.calls.parties import device_of
from osrec.wire.csta import model
from osrec.wire.csta.model import ConnectionId, DeviceId, LocalState


class Story:
    """Lines of what people, the link and the PBX did.

    Args:
        tell: takes each line, `hypothesis.note` for instance, which prints them when an example has failed.
    """

    def __init__(self, tell: Callable[[str], object]) -> None:
        self._tell = tell

    def happens(self, now: float, what: str) -> None:
        self._tell(f"{now:8.1f} s  {what}")

    def heard(self, station: str, event: model.Event) -> None:
        """An event reached the tracker."""
        self._tell(f"{'':12}{station} hears {brief(event)}")

    def snapshot(self, now: float, station: str, legs: Iterable[model.SnapshotLeg]) -> None:
        """The PBX told of a station's calls: its own state in each, then those of the others."""
        calls = [f"{_call(leg.connection)} {' '.join(map(_state, leg.states or ()))}" for leg in legs]
        self.happens(now, f"snapshot of {station}: {', '.join(calls) or 'no call'}")

    def snapshot_of_call(self, now: float, station: str, call_id: bytes, call: model.CallSnapshot) -> None:
        """The PBX answered who is in a call."""
        who = ", ".join(f"{_name(one.device)} {_state(one.state)}" for one in call.entries)
        self.happens(now, f"asked for call {call_id.hex()} of {station}: {who}")


def brief(event: model.Event) -> str:
    """An event in one line: what, whose connection in which call, and how the monitored device stands there itself."""
    own = "" if event.local is None else f", itself {event.local.name.lower()}"
    if isinstance(event, model.Transferred | model.Conferenced):
        newcomer = event.to if isinstance(event, model.Transferred) else event.added
        moved = " ".join(_moved(link) for link in event.connections)
        olds = " ".join(_call(one) for one in (event.primary, event.secondary) if one is not None)
        return f"{type(event).__name__} of {olds} by {_name(event.device)} to {_name(newcomer)}: {moved}{own}"
    connection: ConnectionId | None = getattr(event, "connection", None)
    if connection is None:
        return type(event).__name__
    device = getattr(event, "device", None)
    parties: model.Parties | None = getattr(event, "parties", None)
    calling = "" if parties is None else f" called by {_name(parties.calling)}"
    cause = "" if event.cause is None else f" cause {event.cause}"
    who = device_of(connection, device) or _device(connection)
    return f"{type(event).__name__} {_call(connection)} {who}{calling}{cause}{own}"


def _moved(link: model.LinkedConnection) -> str:
    old, new = (None if one is None else f"{_call(one)}/{_device(one)}" for one in (link.old, link.new))
    return f"{old}->{new}({_name(link.endpoint)})"


def _state(state: LocalState | None) -> str:
    return "?" if state is None else state.name.lower()


def _call(connection: ConnectionId) -> str:
    return "?" if connection.call_id is None else connection.call_id.hex()


def _device(connection: ConnectionId) -> str:
    device = connection.device
    return device.hex() if isinstance(device, bytes) else _name(device)


def _name(device: model.Device | None) -> str:
    return device.number if isinstance(device, DeviceId) else str(device)
