"""E1 over UDP: SAToP, RFC 4553, `satop:LOCALHOST:PORT/REMOTEHOST:PORT?OPTION=VALUE&...` (options in satop_spec.py).

The socket outlives the process if a supervisor holds it: packets then wait in its buffer, and the next run goes on
with the sample after the last one taken.
"""

import contextlib
import os
import secrets
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import replace

from osrec_drivers.e1 import drift
from osrec_drivers.e1.engine import CAPACITY, Engine
from osrec_drivers.e1.line import EngineLine
from osrec_drivers.e1.pseudowire import Port
from osrec_drivers.errors import LineError, OpenError
from osrec_drivers.line import FRAME_RATE, Anchor, Line, LineCounters, LineDriver, LineInfo, LineStatus, Octets
from osrec_drivers.satop_spec import SatopSpec, parse

_RECEIVE_BUFFER = 8 << 20  # octets asked for: seconds of packets while the recorder restarts
_SO_RCVBUFFORCE = 33  # Linux, asm-generic/socket.h; needs CAP_NET_ADMIN
_SO_TIMESTAMPNS = 35  # the same: arrival times from the kernel


def bind(spec: str) -> socket.socket:
    """The bound socket of a line, for a supervisor to hold over crashes of the recorder. Raises OpenError."""
    return _bind(spec, parse(spec))


def _bind(spec: str, said: SatopSpec) -> socket.socket:
    bound = socket.socket(said.local.family, socket.SOCK_DGRAM)
    try:
        _prepare(bound)
        if said.local.family is socket.AF_INET6:
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        bound.bind(said.local.address)
    except OSError as error:
        bound.close()
        raise OpenError(f"line {spec!r}: cannot listen at {said.local.address[:2]}: {error.strerror}") from error
    return bound


def _prepare(bound: socket.socket) -> None:
    bound.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
    try:
        bound.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _RECEIVE_BUFFER)
    except PermissionError:  # as much as net.core.rmem_max allows
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)


def _adopt(spec: str, said: SatopSpec, fd: int) -> socket.socket:
    try:
        held = socket.socket(fileno=fd)
    except OSError as error:
        raise OpenError(f"line {spec!r}: descriptor {fd} is no socket: {error.strerror}") from error
    if held.family is not said.local.family or held.type is not socket.SOCK_DGRAM or held.getsockname()[1] == 0:
        held.detach()
        raise OpenError(f"line {spec!r}: descriptor {fd} must be a bound UDP socket of {said.local.family.name}")
    wanted, is_at = said.local.address, held.getsockname()
    if wanted[1] and wanted[:2] != is_at[:2]:
        held.detach()
        raise OpenError(f"line {spec!r}: descriptor {fd} listens at {is_at[:2]}, the spec says {wanted[:2]}")
    _prepare(held)
    return held


class SatopLine(EngineLine):
    """One E1 over SAToP, served by a thread of its own that never needs the GIL."""

    def __init__(self, spec: str, said: SatopSpec, bound: socket.socket, engine: Engine) -> None:
        self.spec = spec
        self.engine = engine
        self.port = Port(
            engine,
            payload=said.payload,
            rtp=said.rtp,
            payload_type=said.payload_type,
            jitter_ms=said.jitter_ms,
            timeout_ms=said.timeout_ms,
            sequence=secrets.randbelow(65536) if said.sequence is None else said.sequence,
            ssrc=secrets.randbelow(1 << 32),
        )
        if said.remote is not None:
            host, port, *rest = said.remote.address
            packed = socket.inet_pton(said.remote.family, str(host).partition("%")[0])
            self.port.remote(said.remote.family, packed, int(port), int(rest[1]) if rest else 0)
        self._socket = bound
        self._wake = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._closing = threading.Lock()
        self._closed = False
        self._thread = threading.Thread(
            target=self.port.run, args=(bound.fileno(), self._wake), name=f"{spec.partition('?')[0]}", daemon=True
        )
        self._thread.start()

    @property
    def address(self) -> tuple[str, int]:
        """Host and port of the local end; the port that the system chose if the spec said 0."""
        host, port = self._socket.getsockname()[:2]
        return host, port

    @property
    def sent(self) -> int:
        """Frames sent so far."""
        return self.port.sent

    @property
    def queued(self) -> int:
        """Frames given to `transmit` that wait to be sent."""
        return self.port.queued

    def status(self) -> LineStatus:
        alarms, aligned, multiframe, head, counters = self.engine.snapshot()
        first = self.port.first_arrival
        expected = 0 if first is None else (time.monotonic_ns() - first) * FRAME_RATE // 1_000_000_000
        return LineStatus(
            spec=self.spec,
            alarms=alarms,
            aligned=aligned,
            crc_multiframe=multiframe,
            head=head,
            received=counters["frames"],
            expected=expected,
            ppm=drift.ppm(self.port.drift()),
            counters=replace(LineCounters(**counters), **self.port.counters()),
            crc4=self.engine.crc4_state,
            sa=self.engine.sa,
            loop=self.engine.loop,
        )

    def anchor(self) -> Anchor | None:
        return self.port.anchor()

    @property
    def unsent(self) -> int:
        """Frames passed over because their time was long over."""
        return self.port.unsent

    def transmit(self, frames: Octets, due_ns: int | None = None) -> None:
        if self._closed:
            raise LineError(f"line {self.spec!r}: it is closed")
        try:
            self.port.transmit(frames, due_ns or 0)
        except LineError as error:
            raise LineError(f"line {self.spec!r}: {error}", error.errno) from error

    def close(self) -> None:
        with self._closing:
            if self._closed:
                return
            self._closed = True
            self._close_channels()
            self.port.stop()
            self._thread.join()
            self._socket.close()
            os.close(self._wake)

    def __del__(self) -> None:
        with contextlib.suppress(AttributeError):  # it never opened
            self.close()


class SatopDriver(LineDriver):
    """SAToP gateways; they cannot be discovered."""

    def detect(self) -> Iterator[LineInfo]:
        return iter(())

    def open(self, spec: str, *, fd: int | None = None, resume: Anchor | None = None, capacity: int = CAPACITY) -> Line:
        """See LineDriver.open. The descriptor, if one is given, belongs to the line from then on."""
        said = parse(spec)
        bound = _bind(spec, said) if fd is None else _adopt(spec, said, fd)
        return SatopLine(spec, said, bound, Engine(crc4=said.crc4, capacity=capacity, resume=resume))

    def check(self, spec: str) -> None:
        parse(spec)

    def hold(self, spec: str) -> socket.socket:
        return bind(spec)
