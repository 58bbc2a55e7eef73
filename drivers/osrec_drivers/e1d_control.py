"""The control socket of osmo-e1d: asks, is answered, and is told of alarms in between."""

import array
import contextlib
import errno
import os
import socket
from collections.abc import Iterator, Sequence

from osrec_drivers import e1d_messages as messages
from osrec_drivers.e1d_messages import E1dError, Kind, LineEntry, LineMode, Message, SlotMode
from osrec_drivers.errors import OpenError

_PATIENCE = 2.0  # seconds for an answer of a daemon on the same machine


class Control:
    """One connection. Raises OpenError when nobody listens there."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._events: list[Message] = []
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._socket.settimeout(_PATIENCE)
        try:
            self._socket.connect(path)
        except OSError as error:
            self._socket.close()
            raise OpenError(
                f"osmo-e1d does not listen at {path!r}: {error.strerror or error}; is it running?"
            ) from error

    def fileno(self) -> int:
        return self._socket.fileno()

    def close(self) -> None:
        self._socket.close()

    def ask(self, request: Message) -> Message:
        """The answer. Raises E1dError, also when the answer is no."""
        answer, fds = self._exchange(request)
        _close_all(fds)
        return answer

    def _exchange(self, request: Message) -> tuple[Message, Sequence[int]]:
        """The answer, and the descriptors that came with it, which the caller closes. Raises E1dError."""
        try:
            self._socket.send(messages.encode(request))
            while True:
                answer, fds = self._receive()
                if not messages.is_event(answer):
                    break
                self._events.append(answer)
                _close_all(fds)
        except OSError as error:
            raise E1dError(f"osmo-e1d at {self.path!r} does not answer: {error.strerror or error}") from error
        try:
            if messages.refuses(request, answer):
                raise E1dError(f"osmo-e1d at {self.path!r} refuses {_said(request)}")
        except E1dError:
            _close_all(fds)
            raise
        return answer, fds

    def events(self) -> Iterator[Message]:
        """What was told since; raises E1dError when the daemon is gone. Does not wait."""
        told, self._events = self._events, []
        yield from told
        self._socket.setblocking(False)
        try:
            while True:
                with contextlib.suppress(E1dError):  # what nobody can read tells nothing, and harms nothing
                    message, fds = self._receive()
                    _close_all(fds)
                    yield message
        except BlockingIOError:
            return
        except OSError as error:
            raise E1dError(f"osmo-e1d at {self.path!r} is gone: {error.strerror or error}") from error
        finally:
            self._socket.settimeout(_PATIENCE)

    def _receive(self) -> tuple[Message, Sequence[int]]:
        """A message and the descriptors that came with it. Raises OSError, E1dError."""
        data, control, _, _ = self._socket.recvmsg(messages.LONGEST, socket.CMSG_SPACE(4 * 4), socket.MSG_CMSG_CLOEXEC)
        fds = array.array("i")
        for level, kind, content in control:
            if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                fds.frombytes(content[: len(content) // fds.itemsize * fds.itemsize])
        try:
            if not data:
                raise ConnectionResetError(errno.ECONNRESET, "it closed the control socket")
            return messages.decode(data), fds
        except (OSError, E1dError):
            _close_all(fds)
            raise

    # ---- what one asks ----

    def lines(self) -> Sequence[LineEntry]:
        """All lines of all interfaces."""
        found: list[LineEntry] = []
        with contextlib.suppress(E1dError):  # an empty answer: it has none
            for interface in messages.interfaces_of(self.ask(Message(Kind.INTERFACES))):
                answer = self.ask(Message(Kind.LINES, interface))
                found += messages.lines_of(interface, answer)
        return found

    def open_slots(self, interface: int, line: int) -> Sequence[int]:
        """Time slots that somebody has open."""
        return messages.open_slots_of(self.ask(Message(Kind.SLOTS, interface, line)))

    def configure(self, interface: int, line: int, mode: LineMode) -> None:
        self.ask(Message(Kind.CONFIGURE_LINE, interface, line, payload=bytes([mode])))

    def open_slot(self, interface: int, line: int, slot: int, size: int, *, force: bool = False) -> int:
        """A descriptor with the octets of a slot, or of the superchannel."""
        config = messages.slot_config(SlotMode.RAW, size, force=force)
        _, fds = self._exchange(Message(Kind.OPEN_SLOT, interface, line, slot, config))
        if not fds:
            raise E1dError(f"osmo-e1d at {self.path!r} opened slot {slot} and gave no descriptor")
        _close_all(fds[1:])
        return fds[0]


def _close_all(fds: Sequence[int]) -> None:
    for fd in fds:
        os.close(fd)


def _said(request: Message) -> str:
    where = f"interface {request.interface}, line {request.line}"
    if request.kind == Kind.OPEN_SLOT:
        slot = "the superchannel" if request.slot == messages.SUPERCHANNEL else f"time slot {request.slot}"
        return f"{slot} of {where}: it does not exist, or another program has it (force=1 takes it away from that)"
    if request.kind == Kind.CONFIGURE_LINE:
        return f"a mode for {where}: it does not exist, or is in use for E1oIP"
    return f"a request of type 0x{request.kind:02x} for {where}"
