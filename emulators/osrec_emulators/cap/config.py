"""What an administrator says about the emulated CAP server."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field


def _oid(text: str) -> str:
    arcs = text.split(".")
    if len(arcs) < 2 or not all(arc.isascii() and arc.isdigit() for arc in arcs) or int(arcs[0]) > 2:
        raise ValueError(f"{text!r} is no object identifier such as 1.3.12.0.218")
    return text


Oid = Annotated[str, AfterValidator(_oid)]


class Section(BaseModel):
    """A table of the file: nothing unknown in it, nothing changed later."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class User(Section):
    """Who may associate; octets of name and password are the UTF-8 of the text."""

    name: str
    password: str


class CapConfig(Section):
    """The CAP server: where it listens, how it frames, whom it lets in, how many devices may be monitored.

    Attributes:
        users: empty: everybody may associate, with or without authentication.
        contexts: application contexts that are accepted; the one that was asked for is echoed.
        version: cSTAVersion that the AARE carries, in hex, e.g. "1000"; None: the client's is echoed.
        status_interval: seconds between two SystemStatus, each of which the client must answer; 0: only the first.
        licences: CAP-A licences, one a monitored device and client; None: without limit.
        buffer: octets that a slow client may leave unread before it is dropped.
    """

    listen: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 1040
    framing: Literal["be2", "siemens", "tpkt", "be4", "none"] = "be2"
    users: tuple[User, ...] = (User(name="AMHOST", password="77777"),)  # the factory setting of a HiPath
    contexts: Annotated[tuple[Oid, ...], Field(min_length=1)] = ("1.3.12.0.218", "1.3.12.0.285.200")
    version: Annotated[str, Field(pattern=r"^([0-9a-fA-F]{2})+$")] | None = None
    stamp: str = "osrec-emulate"
    system_version: str = "OpenScape 4000"
    status_interval: Annotated[float, Field(ge=0)] = 30.0
    licences: Annotated[int, Field(ge=0)] | None = None
    cross_ref_octets: Annotated[int, Field(ge=2, le=4)] = 2
    timestamps: bool = True
    buffer: Annotated[int, Field(ge=1024)] = 1 << 20
