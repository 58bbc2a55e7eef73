"""What passes over the link's connections, for whoever studies a site's dialect; secrets never leave this process."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from osrec.wire.csta.dialect import Dialect
from osrec.wire.csta.model import Associate, Pdu

Address = tuple[str, int]
What = Literal["open", "data", "close"]
FILL = b"*"
# where a login stands in XML: applicationSpecificInfo of ECMA-354, whose content is a site's own
_LOGIN = re.compile(rb"(<(?:\w+:)?applicationSpecificInfo\b[^>]*>)(.*)(</(?:\w+:)?applicationSpecificInfo>)", re.DOTALL)
_VALUE = re.compile(rb">[^<]+<|\"[^\"]*\"|'[^']*'")  # text, attributes


@dataclass(frozen=True, slots=True)
class Passed:
    """Octets of one direction of one connection, or its beginning or end.

    Attributes:
        at: wall time, seconds since 1970.
        connection: number of the connection.
        sent: by us; else by the PBX.
        position: octets of this direction before these. other: of the other direction, up to now.
    """

    at: float
    what: What
    connection: int
    local: Address
    peer: Address
    sent: bool
    position: int = 0
    other: int = 0
    octets: bytes = b""


Listener = Callable[[Passed], None]


def masked(pdu: Pdu, octets: bytes, dialect: Dialect) -> bytes:
    """The PDU's octets with asterisks in the place of its secrets, as many octets as before."""
    if not isinstance(pdu, Associate):
        return octets
    if pdu.password:
        octets = dialect.encode(replace(pdu, password=FILL * len(pdu.password)))
    return _LOGIN.sub(lambda login: login[1] + _VALUE.sub(_filled, b">" + login[2] + b"<")[1:-1] + login[3], octets)


def _filled(value: "re.Match[bytes]") -> bytes:
    return value[0][:1] + FILL * (len(value[0]) - 2) + value[0][-1:]
