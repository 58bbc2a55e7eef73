"""What an administrator says about the emulated CAP server."""

import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from osrec.errors import UsageError
from osrec.wire.csta.dialect import Dialect, dialect
from osrec_emulators.cap.faults import Client, Connection, Faults, LicenceChange, Restart
from osrec_emulators.section import Section


def _oid(text: str) -> str:
    arcs = text.split(".")
    if len(arcs) < 2 or not all(arc.isascii() and arc.isdigit() for arc in arcs) or int(arcs[0]) > 2:
        raise ValueError(f"{text!r} is no object identifier such as 1.3.12.0.218")
    return text


def _version(text: str) -> str:
    if text not in ("none", "trimmed") and not re.fullmatch(r"([0-9a-fA-F]{2})+", text):
        raise ValueError(f"{text!r} is neither octets in hex such as 1000, nor 'trimmed', nor 'none'")
    return text


def _address(text: str) -> str:
    host, colon, port = text.rpartition(":")
    if not colon or not host or not port.isdecimal() or int(port) > 65535:
        raise ValueError(f"{text!r} is no address and port such as 127.0.0.1:1041")
    return text


Oid = Annotated[str, AfterValidator(_oid)]
Address = Annotated[str, AfterValidator(_address)]


class User(Section):
    """Who may associate; octets of name and password are the UTF-8 of the text."""

    name: str
    password: str


class Application(Section):
    """[cap.session]: ECMA-354 application sessions, for encoding "xml" only.

    Attributes:
        required: whether nothing is served without a session.
        applications: application ids that get one; empty: any.
        versions: protocol versions that are accepted, as namespaces end: "ed4"; the client's first that is among
            them is granted, and without any the session is refused.
        seconds: the longest duration that is granted. When the client does not reset the timer in time, the session
            ends and the connection with it.
    """

    required: bool = False
    applications: tuple[str, ...] = ()
    versions: Annotated[tuple[str, ...], Field(min_length=1)] = ("ed3", "ed4", "ed5")
    seconds: Annotated[int, Field(ge=1)] = 180


class CapConfig(Section):
    """The CAP server: where it listens, how it speaks, whom it lets in, how many devices may be monitored, what fails.

    Attributes:
        also_listen: more addresses of the same server, "host:port".
        device_form: how XML writes a device's number: "{number}", "tel:{number}", "N<{number}>".
        element_names: XML elements that this server names otherwise, by the names that osrec.wire has for them.
        users: empty: everybody may associate, with or without authentication.
        contexts: application contexts that are accepted; the one that was asked for is echoed.
        version: cSTAVersion that the AARE carries, in hex, e.g. "1000"; "trimmed": the client's without the bits
            after its last one (X.690 11.2.2), "none": not sent; None: the client's is echoed.
        status_interval: seconds between two SystemStatus; 0: only the first.
        status_unanswered: SystemStatus that a client may leave unanswered until it is dropped; 0: any number.
        licences: CAP-A licences, one a monitored device and client; None: without limit.
        first_invoke_id: of what the server sends unasked.
        sequence_numbers: whether event reports carry messageSequenceNumber, counted per association.
        silent_filters: monitors that are started with such a filter report nothing; "none": without any. By ECMA-269 a
            set bit suppresses an event, HiPath's own simulator has it the other way round.
        buffer: octets that a slow client may leave unread before it is dropped.
    """

    listen: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 1040
    also_listen: tuple[Address, ...] = ()
    encoding: Literal["asn1", "xml"] = "asn1"
    framing: Literal["be2", "siemens", "tpkt", "be4", "none", "xml8"] = "be2"
    edition: Literal[3, 4, 5] = 4  # of ECMA-323, for encoding "xml", as the next one
    device_form: str = "{number}"
    element_names: dict[str, str] = {}
    users: tuple[User, ...] = (User(name="AMHOST", password="77777"),)  # the factory setting of a HiPath
    contexts: Annotated[tuple[Oid, ...], Field(min_length=1)] = ("1.3.12.0.218", "1.3.12.0.285.200")
    version: Annotated[str, AfterValidator(_version)] | None = None
    stamp: str = "osrec-emulate"
    system_version: str = "OpenScape 4000"
    session: Application = Application()
    status_interval: Annotated[float, Field(ge=0)] = 30.0
    status_unanswered: Annotated[int, Field(ge=0)] = 2  # Alcatel and Cisco practice, csta.md 5
    licences: Annotated[int, Field(ge=0)] | None = None
    cross_ref_octets: Annotated[int, Field(ge=2, le=4)] = 2
    first_invoke_id: Annotated[int, Field(ge=1, lt=1 << 31)] = 1
    sequence_numbers: bool = False
    timestamps: bool = True
    silent_filters: tuple[Literal["none", "empty", "zeros", "ones"], ...] = ("ones",)
    buffer: Annotated[int, Field(ge=1024)] = 1 << 20
    faults: Faults = Faults()
    clients: tuple[Client, ...] = ()
    licence_changes: tuple[LicenceChange, ...] = ()
    restarts: tuple[Restart, ...] = ()

    @model_validator(mode="after")
    def _speaks_something(self) -> Self:
        try:
            self.dialect()
        except UsageError as error:
            raise ValueError(str(error)) from error
        return self

    @model_validator(mode="after")
    def _faults_fit(self) -> Self:
        for faults in (self.faults, *(client.faults for client in self.clients)):
            if self.encoding == "xml" and faults.events.indefinite_every is not None:
                raise ValueError(
                    f"faults.events.indefinite_every = {faults.events.indefinite_every}: indefinite lengths are BER's;"
                    " encoding = 'xml' has none"
                )
        return self

    @model_validator(mode="after")
    def _listeners_exist(self) -> Self:
        there = 1 + len(self.also_listen)
        named = [(f"clients[{index}]", client.listener) for index, client in enumerate(self.clients)]
        named += [(f"restarts[{index}]", restart.listener) for index, restart in enumerate(self.restarts)]
        for key, listener in named:
            if listener is not None and listener > there:
                raise ValueError(
                    f"{key}.listener = {listener}: there are {there}: `listen` with `port`, and those of `also_listen`"
                )
        return self

    def dialect(self) -> Dialect:
        """How this server speaks. Raises UsageError for an encoding and a framing that do not go together."""
        return dialect(
            self.encoding,
            self.framing,
            edition=self.edition,
            device_form=self.device_form,
            element_names=tuple(self.element_names.items()),
        )

    @property
    def last_invoke_id(self) -> int:
        """Of what the server sends; the next one is 1. In ASN.1 a server need not be as careful as a client."""
        return self.dialect().last_invoke_id if self.encoding == "xml" else (1 << 31) - 1

    def faults_for(self, connection: Connection, user: str | None) -> Faults:
        """Whatever is declared for this client; `user` is None before it associates."""
        for client in self.clients:
            if client.matches(connection, user):
                return client.faults
        return self.faults

    @property
    def addresses(self) -> list[tuple[str, int]]:
        """Where it listens, the first address first."""
        split = (each.rpartition(":") for each in self.also_listen)
        return [(self.listen, self.port), *((host, int(port)) for host, _, port in split)]
