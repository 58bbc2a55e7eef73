"""How the link to the CAP servers is configured."""

from dataclasses import dataclass, field
from typing import Literal

from osrec.csta.endpoints import EndpointsConfig, Server
from osrec.wire.csta.dialect import DEFAULT_EDITION, Dialect, dialect
from osrec.wire.csta.model import MonitorFilter, Session
from osrec.wire.csta.xml_aliases import Names
from osrec.wire.csta.xml_devices import NUMBER

Heartbeat = Literal["request", "status"]


@dataclass(frozen=True, slots=True)
class LinkConfig:
    """How to talk to one CAP server. Times in seconds.

    Attributes:
        devices: numbers of the stations to monitor.
        associate: whether an association is asked for; False for XML without session, where TCP is all there is.
        session: what an XML session (ECMA-354) asks for; None: none, or ASN.1.
        name, password: of the authentication; without a name none is sent.
        context: application context of the AARQ. version: its cSTAVersion, octets and count of bits.
        reference, protocol_version: members of the AARQ that some servers want, see `Associate`.
        register: whether SystemRegister asks for SystemStatus, as OpenScape Voice wants it.
        association_timeout: for the answer to the AARQ.
        status_timeout: how long to wait for the server's SystemStatus after that before going on without.
        release_timeout: for the answer to our own release.
        heartbeat: silence after which we ask for a sign of life; 0: never.
        heartbeat_by: with RequestSystemStatus, or by telling our own SystemStatus.
        heartbeat_timeout, heartbeat_misses: how long to wait for the answer, and how often.
        request_timeout: for the answer to any other request.
        monitor_filter: what MonitorStart says of events to be filtered; None: nothing.
        window: MonitorStart and snapshot requests unanswered at a time.
        starts_per_second: MonitorStart requests.
        retry_first, retry_most: back-off of a MonitorStart that was refused, doubled each time.
        licence_retry: pause before one more device is tried where the PBX says that licences are missing.
        snapshot_tries: SnapshotDevice requests for one device before we go on without.
        snapshot_calls: whether each call that a snapshot of a device shows is looked at, too, for its parties.
        hold_events, hold_seconds: events of one device during its snapshot, and for how long: then they are told.
        hold_unknown, hold_unknown_seconds: events of monitors whose start is not confirmed yet, and for how long.
        gap_pause: after a snapshot for the sake of missing sequence numbers, until a device gets the next for it.
        max_invoke_id: after it the next is 1 (2 octets: every server is known to take these; XML ends at 9998).
    """

    devices: tuple[str, ...] = ()
    associate: bool = True
    session: Session | None = None
    name: bytes | None = None
    password: bytes | None = field(default=None, repr=False)
    context: str = "1.3.12.0.218"
    version: tuple[bytes, int] = (b"\x10\x00", 16)
    reference: str | None = None
    protocol_version: bool = False
    register: bool = False
    association_timeout: float = 10.0
    status_timeout: float = 5.0
    release_timeout: float = 2.0
    heartbeat: float = 20.0
    heartbeat_by: Heartbeat = "request"
    heartbeat_timeout: float = 5.0
    heartbeat_misses: int = 2
    request_timeout: float = 10.0
    monitor_filter: MonitorFilter | None = None
    window: int = 8
    starts_per_second: float = 50.0
    retry_first: float = 1.0
    retry_most: float = 60.0
    licence_retry: float = 60.0
    snapshot_tries: int = 2
    snapshot_calls: bool = True
    hold_events: int = 500
    hold_seconds: float = 0.25
    hold_unknown: int = 500
    hold_unknown_seconds: float = 5.0
    gap_pause: float = 30.0
    max_invoke_id: int = 0x7FFF


@dataclass(frozen=True, slots=True)
class RunnerConfig:
    """Where the server is and how octets reach it. Times in seconds.

    Attributes:
        host, port: of the preferred server. spares: of the others, best first.
        encoding: asn1 or xml. edition: of ECMA-323, for XML. device_form, element_names: see `dialect`.
        framing: be2, siemens, tpkt, be4 or none; xml8 for XML. frame_limit: the largest PDU, None: what it allows.
        backoff_first, backoff_most: pause before connecting again, doubled each time until the link was up.
        fail_over_after, fail_back, probe_every: see EndpointsConfig.
        connect_timeout: of the TCP connection.
        keep_alive: idle time after which TCP probes the peer, then every third of it.
        user_timeout: how long TCP may wait for an acknowledgement (TCP_USER_TIMEOUT).
        queue: frames that may wait for the logic.
    """

    host: str
    port: int
    framing: str = "be2"
    frame_limit: int | None = None
    encoding: str = "asn1"
    edition: int = DEFAULT_EDITION
    device_form: str = NUMBER
    element_names: Names = ()
    spares: tuple[tuple[str, int], ...] = ()
    backoff_first: float = 0.5
    backoff_most: float = 30.0
    fail_over_after: float = 30.0
    fail_back: float | None = 60.0
    probe_every: float = 5.0
    connect_timeout: float = 10.0
    keep_alive: int = 15
    user_timeout: float = 30.0
    queue: int = 20_000
    link: LinkConfig = field(default_factory=LinkConfig)

    @property
    def dialect(self) -> Dialect:
        """Raises UsageError for combinations that cannot be."""
        return dialect(
            self.encoding,
            self.framing,
            self.frame_limit,
            edition=self.edition,
            device_form=self.device_form,
            element_names=self.element_names,
        )

    @property
    def endpoints(self) -> EndpointsConfig:
        servers = (Server(self.host, self.port), *(Server(*spare) for spare in self.spares))
        return EndpointsConfig(
            servers, self.backoff_first, self.backoff_most, self.fail_over_after, self.fail_back, self.probe_every
        )
