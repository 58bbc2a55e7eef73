"""The [csta] part of the configuration: where the CAP servers are, and how they want to be spoken to."""

from typing import Annotated, Literal, Self
from xml.etree import ElementTree

from pydantic import Field, field_validator, model_validator

from osrec.config_values import MisplacedError, Section
from osrec.errors import UsageError
from osrec.wire.csta.dialect import dialect
from osrec.wire.csta.xml_aliases import check
from osrec.wire.csta.xml_devices import NUMBER

Host = Annotated[str, Field(min_length=1)]
Port = Annotated[int, Field(ge=1, le=65535)]
Seconds = Annotated[float, Field(gt=0, le=86400)]
Oid = Annotated[str, Field(pattern=r"^[0-2](\.\d+)+$")]
_XML_ONLY = ("edition", "device_form", "element_names", "session", "application", "session_seconds", "session_info")
_ASN1_ONLY = (
    "authentication",
    "name",
    "password",
    "context",
    "version",
    "version_bits",
    "reference",
    "protocol_version",
    "monitor_filter",
)


class ServerSection(Section):
    """One CAP server of several."""

    host: Host
    port: Port


class Csta(Section):
    """The link to the CAP server, or to one of several."""

    host: Host | None = None
    port: Port | None = None
    servers: tuple[ServerSection, ...] = ()  # instead of host and port; best first

    encoding: Literal["asn1", "xml"] = "asn1"
    framing: Literal["be2", "siemens", "tpkt", "be4", "none", "xml8"] | None = None  # None: be2, and xml8 for XML
    frame_limit: Annotated[int, Field(ge=64, le=1 << 20)] | None = None

    authentication: bool = True
    name: str = "AMHOST"
    password: str = Field(default="77777", repr=False)
    context: Oid = "1.3.12.0.218"
    version: str = "1000"  # octets of the cSTAVersion bit string, hex
    version_bits: Annotated[int, Field(ge=1, le=64)] = 16
    reference: Oid | None = None
    protocol_version: bool = False

    edition: Literal[3, 4, 5] = 4
    device_form: str = NUMBER
    element_names: dict[str, str] = {}  # ours = the PBX's
    session: bool = False
    application: Annotated[str, Field(min_length=1)] = "osrec"
    session_seconds: Annotated[int, Field(ge=10, le=86400)] = 180
    session_info: str | None = Field(default=None, repr=False)
    system_register: bool = False

    status_timeout: Seconds = 5.0
    association_timeout: Seconds = 10.0
    request_timeout: Seconds = 10.0
    heartbeat: Annotated[float, Field(ge=1, le=3600)] = 20.0
    heartbeat_by: Literal["request", "status"] = "request"
    heartbeat_timeout: Seconds = 5.0
    heartbeat_misses: Annotated[int, Field(ge=1, le=10)] = 2

    monitor_filter: Literal["none", "empty", "zeros", "ones"] = "none"
    window: Annotated[int, Field(ge=1, le=1000)] = 8
    starts_per_second: Annotated[float, Field(gt=0, le=10_000)] = 50.0
    retry_first: Seconds = 1.0
    retry_most: Seconds = 60.0
    licence_retry: Seconds = 60.0
    snapshot_calls: bool = True
    queue: Annotated[int, Field(ge=100, le=1_000_000)] = 20_000

    fail_over_after: Annotated[float, Field(ge=1, le=3600)] = 30.0
    fail_back: Annotated[float, Field(ge=1, le=86400)] | Literal["never"] = 60.0
    probe_every: Annotated[float, Field(ge=1, le=3600)] = 5.0

    @field_validator("version")
    @classmethod
    def _hex(cls, value: str) -> str:
        try:
            bytes.fromhex(value)
        except ValueError as error:
            raise ValueError('must be hexadecimal octets such as "1000"') from error
        return value

    @field_validator("device_form")
    @classmethod
    def _has_the_number(cls, value: str) -> str:
        if value.count(NUMBER) != 1:
            raise ValueError(f'must have {NUMBER} once, such as "tel:{NUMBER}"')
        return value

    @field_validator("element_names")
    @classmethod
    def _elements(cls, value: dict[str, str]) -> dict[str, str]:
        try:
            check(value.items())
        except UsageError as error:
            raise ValueError(str(error)) from None
        return value

    @field_validator("session_info")
    @classmethod
    def _well_formed(cls, value: str | None) -> str | None:
        try:
            ElementTree.fromstring(value or "<none/>")
        except ElementTree.ParseError as error:  # without the value, which may hold a password
            raise MisplacedError(f"is no XML element: {error}") from None
        return value

    @model_validator(mode="after")
    def _one_way_to_name_servers(self) -> Self:
        if self.servers:
            for key in ("host", "port"):
                if getattr(self, key) is not None:
                    raise MisplacedError("stands beside csta.servers; name all servers there, best first", key)
            return self
        for key in ("host", "port"):
            if getattr(self, key) is None:
                raise MisplacedError("is missing; or name several servers, each in a [[csta.servers]] section", key)
        return self

    @model_validator(mode="after")
    def _each_server_once(self) -> Self:
        seen: set[tuple[str, int]] = set()
        for number, server in enumerate(self.servers):
            if (server.host, server.port) in seen:
                raise MisplacedError(f"{server.host}:{server.port} is named twice", "servers", number)
            seen.add((server.host, server.port))
        return self

    @model_validator(mode="after")
    def _bits_fit(self) -> Self:
        have = len(bytes.fromhex(self.version)) * 8
        if not have - 8 < self.version_bits <= have:
            raise ValueError(f"version_bits = {self.version_bits} does not fit version = {self.version!r}: {have} bits")
        return self

    @model_validator(mode="after")
    def _keys_fit_the_encoding(self) -> Self:
        foreign, other = (_ASN1_ONLY, "asn1") if self.encoding == "xml" else (_XML_ONLY, "xml")
        for key in foreign:
            if key in self.model_fields_set:
                raise MisplacedError(f'only encoding = "{other}" has it, encoding is "{self.encoding}"', key)
        for key in ("application", "session_seconds", "session_info"):
            if key in self.model_fields_set and not self.session:
                raise MisplacedError("has a meaning only with session = true", key)
        try:
            spoken = dialect(
                self.encoding,
                self.framing_used,
                self.frame_limit,
                edition=self.edition,
                device_form=self.device_form,
            )
            spoken.framing()
        except UsageError as error:
            raise MisplacedError(str(error), "framing") from None
        return self

    @model_validator(mode="after")
    def _back_off_grows(self) -> Self:
        if self.retry_most < self.retry_first:
            text = f"{self.retry_most:g} is less than retry_first = {self.retry_first:g}"
            raise MisplacedError(text, "retry_most")
        return self

    @property
    def framing_used(self) -> str:
        return self.framing or ("xml8" if self.encoding == "xml" else "be2")

    @property
    def addresses(self) -> list[tuple[str, int]]:
        """Host and port of each server, best first."""
        if self.host is not None and self.port is not None:
            return [(self.host, self.port)]
        return [(server.host, server.port) for server in self.servers]
