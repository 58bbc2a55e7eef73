"""A healthy CAP server on a TCP port of this machine, as far as a link needs one."""

import asyncio
from contextlib import suppress
from dataclasses import replace
from typing import Any

from osrec.wire.csta.dialect import Dialect, dialect
from osrec.wire.csta.model import (
    Associate,
    Associated,
    ConnectionId,
    DeviceId,
    DeviceSnapshot,
    EventReport,
    Held,
    Invoke,
    MonitorStart,
    MonitorStarted,
    NoData,
    Pdu,
    Release,
    Released,
    RequestSystemStatus,
    Result,
    ReturnResult,
    SnapshotDevice,
    Status,
    SystemStatus,
)

XREF = b"\0\7"
CALL = ConnectionId(b"\1\2", DeviceId("257"))
REPORT = EventReport(XREF, Held(connection=CALL, device=DeviceId("257"), cause=37))
ASN1 = dialect("asn1", "be2")
XML = dialect("xml", "xml8")


class Pbx:
    """A server that does what a healthy one does; the test may send more.

    Attributes:
        clients: connections that were made and have said something.
    """

    def __init__(self, spoken: Dialect = ASN1, *, takes_associations: bool = True) -> None:
        self.clients: list[asyncio.StreamWriter] = []
        self.touched = 0
        self.takes_associations = takes_associations
        self._dialect = spoken
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> "Pbx":
        await self.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def open(self, port: int = 0) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
        for client in self.clients:
            client.transport.abort()

    def send(self, *pdus: Pdu) -> None:
        framing = self._dialect.framing()
        self.clients[-1].write(b"".join(framing.encode(self._dialect.encode(pdu)) for pdu in pdus))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.touched += 1
        framing = self._dialect.framing()
        with suppress(ConnectionError):
            while octets := await reader.read(65536):
                for frame in framing.feed(octets):
                    if writer not in self.clients:
                        self.clients.append(writer)
                    for pdu in self._answers(self._dialect.decode(frame)):
                        writer.write(framing.encode(self._dialect.encode(pdu)))
        writer.close()

    def _answers(self, pdu: Pdu) -> list[Pdu]:
        match pdu:
            case Associate(session=session) if self.takes_associations:
                given = session and replace(session, id="s-1")
                accepted = Associated(0, session=given, invoke_id=pdu.invoke_id)
                return [accepted, Invoke(1, SystemStatus(Status.NORMAL))]
            case Release():
                return [Released(invoke_id=pdu.invoke_id)]
            case Invoke(invoke_id, argument):
                answer = self._result(argument)
                return [] if answer is None else [ReturnResult(invoke_id, *answer)]
        return []

    def _result(self, argument: Any) -> tuple[Result, int] | None:
        match argument:
            case MonitorStart():
                return MonitorStarted(XREF), 71
            case SnapshotDevice():
                return DeviceSnapshot(), 74
            case RequestSystemStatus():
                return NoData(), 210
        return None
