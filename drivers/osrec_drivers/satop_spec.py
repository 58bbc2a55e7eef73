"""The spec of a SAToP line, `satop:LOCALHOST:PORT/REMOTEHOST:PORT?OPTION=VALUE&...`, read and checked."""

import socket
from collections.abc import Callable
from dataclasses import dataclass

from osrec_drivers.e1.pseudowire import PAYLOAD_MAX
from osrec_drivers.errors import OpenError

_EXAMPLE = "satop:0.0.0.0:5001/192.0.2.10:5001 or satop:[::]:5001/[2001:db8::10]:5001"
_FRAME = 32


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A UDP address; `address` is the socket module's, of `family`."""

    family: socket.AddressFamily
    address: tuple[str, int] | tuple[str, int, int, int]


@dataclass(frozen=True, slots=True)
class SatopSpec:
    """What the spec of a SAToP line says.

    Attributes:
        remote: the gateway; None: whoever sends first.
        payload: octets of the E1 in a packet, RFC 4553 5.
        rtp: packets carry an RTP header, RFC 4553 4.3.2.
        jitter_ms: how long a missing packet is waited for.
        timeout_ms: how long without packets is an alarm.
        crc4: the far end sends the CRC-4 multiframe, and so do we.
        sequence: number of our first packet; None: a random one, RFC 4553 4.3.1.
    """

    local: Endpoint
    remote: Endpoint | None
    payload: int = 256
    rtp: bool = False
    payload_type: int = 96
    jitter_ms: int = 20
    timeout_ms: int = 500
    crc4: bool = True
    sequence: int | None = None


def parse(spec: str) -> SatopSpec:
    """Raises OpenError, which names what is wrong and what would be right."""
    driver, _, rest = spec.partition(":")
    if driver != "satop":
        raise OpenError(f"line {spec!r}: it begins with {driver!r}; a SAToP line is named {_EXAMPLE}")
    places, _, query = rest.partition("?")
    here, _, there = places.partition("/")
    local = _endpoint(spec, "local", here, passive=True)
    remote = _endpoint(spec, "remote", there, passive=False) if there else None
    if remote is not None and remote.family is not local.family:
        raise OpenError(f"line {spec!r}: local {here!r} and remote {there!r} must both be IPv4 or both IPv6")
    said = SatopSpec(local, remote, **_options(spec, query))  # type: ignore[arg-type]  # checked one by one
    if said.jitter_ms >= said.timeout_ms:
        wrong = f"jitter_ms={said.jitter_ms} must be less than timeout_ms={said.timeout_ms}"
        raise OpenError(f"line {spec!r}: {wrong}")
    return said


def _endpoint(spec: str, which: str, text: str, *, passive: bool) -> Endpoint:
    host, colon, port = text.rpartition(":")
    digits = port.isascii() and port.isdigit() and len(port) <= 5
    if not colon or not digits or not int(not passive) <= int(port) <= 65535:
        raise OpenError(f"line {spec!r}: {which} end {text!r} must be HOST:PORT, port 1..65535, as in {_EXAMPLE}")
    if ":" in host and not (host.startswith("[") and host.endswith("]")):
        raise OpenError(f"line {spec!r}: {which} host {host!r}: an IPv6 address stands in brackets, as in {_EXAMPLE}")
    flags = socket.AI_PASSIVE if passive else 0
    try:
        found = socket.getaddrinfo(host.strip("[]") or None, int(port), type=socket.SOCK_DGRAM, flags=flags)
    except (OSError, UnicodeError) as error:
        raise OpenError(f"line {spec!r}: {which} host {host!r} is not known: {error}") from error
    family, _, _, _, address = found[0]
    return Endpoint(family, address)  # type: ignore[arg-type]  # of a datagram socket: one of the two


def _flag(text: str) -> bool:
    return {"0": False, "1": True}[text]


def _number(least: int, most: int, step: int = 1) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not text.isascii() or not text.isdigit() or not least <= int(text) <= most or int(text) % step:
            raise ValueError
        return int(text)

    return read


_OPTIONS: dict[str, tuple[Callable[[str], int | bool], str]] = {
    "payload": (_number(_FRAME, PAYLOAD_MAX, _FRAME), f"a multiple of {_FRAME} octets up to {PAYLOAD_MAX}"),
    "rtp": (_flag, "0 or 1"),
    "payload_type": (_number(96, 127), "a dynamic RTP payload type, 96..127"),
    "jitter_ms": (_number(1, 200), "1..200 ms"),
    "timeout_ms": (_number(100, 60_000), "100..60000 ms"),
    "crc4": (_flag, "0 or 1"),
    "sequence": (_number(0, 65535), "0..65535"),
}


def _options(spec: str, query: str) -> dict[str, int | bool]:
    options = {}
    for item in query.split("&") if query else ():
        name, _, text = item.partition("=")
        if name not in _OPTIONS:
            raise OpenError(f"line {spec!r}: option {name!r} is unknown; there are {', '.join(_OPTIONS)}")
        read, right = _OPTIONS[name]
        try:
            options[name] = read(text)
        except (ValueError, KeyError):
            raise OpenError(f"line {spec!r}: option {name}={text!r} must be {right}") from None
    return options
