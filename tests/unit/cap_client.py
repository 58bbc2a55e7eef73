"""A client of the emulated CAP server without any behaviour: it sends what a test says, and tells what came back."""

from typing import Any

from osrec.errors import WireError
from osrec.wire.csta import model
from osrec.wire.csta.model import DeviceId
from osrec_emulators.cap.config import CapConfig
from osrec_emulators.cap.faults import Connection, Faults
from osrec_emulators.cap.licences import LicencePool
from osrec_emulators.cap.messages import Close, Output, Played, Send, State
from osrec_emulators.cap.session import Session
from osrec_emulators.pbx.calls import Occurrence
from osrec_emulators.pbx.config import PbxConfig
from osrec_emulators.pbx.world import World

A, B, PORT = "3100", "3101", "5000"
LOGIN = model.Associate(name=b"AMHOST", password=b"77777")


class Client:
    """Attributes:
    frames: what came, PDU by PDU, without framing. undecodable: those of them that no decoder can read.
    """

    def __init__(
        self,
        config: CapConfig | None = None,
        licences: LicencePool | None = None,
        faults: Faults | None = None,
        connection: Connection | None = None,
    ) -> None:
        self.config = config or CapConfig()
        pbx = {
            "stations": [{"range": "3100-3103", "names": ["Jürgen Groß"]}],
            "recorder_ports": ["5000-5001"],
            "utc_offset": 1,
        }
        self.world = World(PbxConfig.model_validate(pbx))
        licences = licences or LicencePool(self.config.licences, self.config.licence_changes)
        self.session = Session(self.config, self.world, licences, faults, connection)
        self.dialect = self.config.dialect()
        self.sends = self.dialect.framing()
        self.reads = self.dialect.framing()
        self.outputs: list[Output] = []
        self.frames: list[bytes] = []
        self.undecodable: list[bytes] = []

    def connect(self, now: float = 0.0) -> list[model.Pdu]:
        return self._read(self.session.connected(now))

    def send(self, pdu: model.Pdu, now: float = 0.0) -> list[model.Pdu]:
        return self.send_octets(self.sends.encode(self.dialect.encode(pdu)), now)

    def send_octets(self, octets: bytes, now: float = 0.0) -> list[model.Pdu]:
        return self._read(self.session.receive(octets, now))

    def expire(self, now: float) -> list[model.Pdu]:
        return self._read(self.session.expire(now))

    def ask(self, argument: model.Argument, now: float = 0.0) -> model.Pdu:
        """The answer to a request, which must be the only one."""
        (answer,) = self.send(model.Invoke(77, argument), now)
        return answer

    def published(self, now: float = 0.0) -> list[model.Pdu]:
        """What the session makes of all that happened in the PBX."""
        return self.publish(self.world.switch.take(), now)

    def publish(self, occurrences: list[Occurrence], now: float = 0.0) -> list[model.Pdu]:
        return self._read(self.session.publish(occurrences, now))

    @property
    def closed_because(self) -> str:
        return next((output.reason for output in self.outputs if isinstance(output, Close)), "")

    @property
    def played(self) -> list[str]:
        return [output.fault for output in self.outputs if isinstance(output, Played)]

    def _read(self, outputs: list[Output]) -> list[model.Pdu]:
        self.outputs += outputs
        octets = b"".join(output.octets for output in outputs if isinstance(output, Send))
        pdus = []
        for frame in self.reads.feed(octets):
            self.frames.append(frame)
            try:
                pdus.append(self.dialect.decode(frame))
            except WireError:
                self.undecodable.append(frame)
        return pdus


def associated(**more: Any) -> Client:
    client = Client(**more)
    client.send(LOGIN)
    assert client.session.state is State.ASSOCIATED
    return client


def monitor(client: Client, device: str = A) -> bytes:
    answer = client.ask(model.MonitorStart(DeviceId(device)))
    assert isinstance(answer, model.ReturnResult)
    assert isinstance(answer.result, model.MonitorStarted)
    return answer.result.cross_ref


def report(pdu: model.Pdu) -> model.EventReport:
    assert isinstance(pdu, model.Invoke)
    assert isinstance(pdu.argument, model.EventReport)
    return pdu.argument
