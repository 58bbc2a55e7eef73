"""Playing a CSTA link event by event: what the tests of its parts share."""

from dataclasses import replace
from typing import Any

from osrec.csta.link import Link
from osrec.csta.messages import (
    Connected,
    Event,
    LinkUp,
    MonitorRunning,
    Output,
    PduReceived,
    Send,
    SnapshotTaken,
)
from osrec.csta.settings import LinkConfig
from osrec.wire.csta import model
from osrec.wire.csta.model import (
    Associate,
    Associated,
    ClearConnection,
    ConnectionId,
    DeviceId,
    DeviceSnapshot,
    ErrorCategory,
    EventReport,
    Held,
    Invoke,
    LocalState,
    MonitorStart,
    MonitorStarted,
    NoData,
    Result,
    ReturnError,
    ReturnResult,
    SnapshotDevice,
    SnapshotLeg,
    Status,
    SystemStatus,
)

CONFIG = LinkConfig(devices=("257",), name=b"AMHOST", password=b"77777", starts_per_second=10.0, snapshot_calls=False)
XREF = b"\0\7"
CALL = ConnectionId(b"\1\2", DeviceId("257"))
LEG = SnapshotLeg(CALL, None, (LocalState.CONNECTED,))
CLEAR = ClearConnection(CALL)
AARQ = Send(Associate("1.3.12.0.218", b"AMHOST", b"77777"))

Step = tuple[float, Event, list[Output]]


def play(link: Link, script: list[Step]) -> None:
    for now, event, outputs in script:
        assert link.handle(event, now) == outputs, f"at {now}: {event}"


def invoke(invoke_id: int, argument: model.Argument) -> Send:
    return Send(Invoke(invoke_id, argument))


def start(invoke_id: int, device: str = "257") -> Send:
    return invoke(invoke_id, MonitorStart(DeviceId(device)))


def snap(invoke_id: int, device: str = "257") -> Send:
    return invoke(invoke_id, SnapshotDevice(DeviceId(device)))


def invoked(argument: model.Argument, invoke_id: int = 900) -> PduReceived:
    return PduReceived(Invoke(invoke_id, argument))


def result(invoke_id: int, value: Result, opcode: int | None = None) -> PduReceived:
    return PduReceived(ReturnResult(invoke_id, value, opcode))


def error(invoke_id: int, category: ErrorCategory, value: int) -> PduReceived:
    return PduReceived(ReturnError(invoke_id, category, value))


def status_answered(invoke_id: int = 900) -> Send:
    return Send(ReturnResult(invoke_id, NoData(), 211))


def held(cross_ref: bytes = XREF, cause: int = 37, sequence: int | None = None) -> EventReport:
    return EventReport(cross_ref, Held(connection=CALL, device=DeviceId("257"), cause=cause), sequence=sequence)


def up(config: LinkConfig = CONFIG, *first: Output) -> Link:
    """A link that came up at time 0, having sent `first`."""
    link = Link(config)
    play(
        link,
        [
            (0.0, Connected(), [Send(Associate(config.context, config.name, config.password, config.version))]),
            (0.0, PduReceived(Associated(0)), []),
            (0.0, invoked(SystemStatus(Status.ENABLED)), [status_answered(), LinkUp(), *first]),
        ],
    )
    return link


def running(config: LinkConfig = CONFIG) -> Link:
    """A link at time 0 with the monitor of its one device running and its snapshot taken."""
    link = up(config, start(1))
    play(
        link,
        [
            (0.0, result(1, MonitorStarted(XREF), 71), [MonitorRunning("257", XREF), snap(2)]),
            (0.0, result(2, DeviceSnapshot(), 74), [SnapshotTaken("257", ())]),
        ],
    )
    return link


def without_devices(**changes: Any) -> LinkConfig:
    return replace(CONFIG, devices=(), **changes)
