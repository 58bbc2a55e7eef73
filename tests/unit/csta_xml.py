"""CSTA XML put briefly, for tests of its codec."""

from pathlib import Path
from typing import Any

from osrec.wire.csta.dialect import dialect
from osrec.wire.csta.model import ConnectionId, DeviceId, EventReport

VECTORS = sorted((Path(__file__).parent.parent / "vectors" / "csta-xml").glob("*.txt"))
ED4 = "http://www.ecma-international.org/standards/ecma-323/csta/ed4"
ED3, ED5 = ED4.replace("ed4", "ed3"), ED4.replace("ed4", "ed5")
SCX = 'xmlns:scx="http://www.siemens.com/schema/csta"'
A = DeviceId("4711")
CALL = ConnectionId(b"\xb1\x64", A)
XML = dialect("xml", "xml8")


def vector(name: str) -> bytes:
    path = next(path for path in VECTORS if path.stem == name)
    return path.read_bytes().splitlines()[1]


def read(body: str, invoke_id: int = 9999) -> Any:
    return XML.decode(b"%04d" % invoke_id + body.encode())


def event(body: str) -> EventReport:
    argument = read(body).argument
    assert isinstance(argument, EventReport), argument
    return argument


def held(
    inside: str = "", *, device: str = "<deviceIdentifier>4711</deviceIdentifier>", root: str = "HeldEvent"
) -> str:
    return (
        f'<{root} xmlns="{ED4}"><monitorCrossRefID>0007</monitorCrossRefID><heldConnection><callID>B164</callID>'
        f"<deviceID>4711</deviceID></heldConnection><holdingDevice>{device}</holdingDevice><cause>normal</cause>"
        f"{inside}</{root}>"
    )
