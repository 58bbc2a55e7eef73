"""The control socket of osmo-e1d: asks, is answered, and is told of alarms in between."""

import array
import contextlib
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

    def ask(self, request: Message) -> tuple[Message, int | None]:
        """The answer, and the descriptor that came with it. Raises E1dError, also when the answer is no."""
        try:
            self._socket.send(messages.encode(request))
            while True:
                answer, fd = self._receive()
                if not messages.is_event(answer):
                    break
                self._events.append(answer)
        except OSError as error:
            raise E1dError(f"osmo-e1d at {self.path!r} does not answer: {error.strerror or error}") from error
        if messages.refuses(request, answer):
            raise E1dError(f"osmo-e1d at {self.path!r} refuses {_said(request)}")
        return answer, fd

    def events(self) -> Iterator[Message]:
        """What was told since; raises E1dError when the daemon is gone. Does not wait."""
        told, self._events = self._events, []
        yield from told
        self._socket.setblocking(False)
        try:
            while True:
                with contextlib.suppress(E1dError):  # what nobody can read tells nothing, and harms nothing
                    yield self._receive()[0]
        except BlockingIOError:
            return
        except OSError as error:
            raise E1dError(f"osmo-e1d at {self.path!r} is gone: {error.strerror or error}") from error
        finally:
            self._socket.settimeout(_PATIENCE)

    def _receive(self) -> tuple[Message, int | None]:
        data, control, _, _ = self._socket.recvmsg(messages.LONGEST, socket.CMSG_SPACE(4 * 4), socket.MSG_CMSG_CLOEXEC)
        fds = array.array("i")
        for level, kind, content in control:
            if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                fds.frombytes(content[: len(content) // fds.itemsize * fds.itemsize])
        if not data:
            raise ConnectionResetError(104, "it closed the control socket")
        try:
            message = messages.decode(data)
        except E1dError:
            _close_all(fds)
            raise
        _close_all(fds[1:])
        return message, fds[0] if fds else None

    # ---- what one asks ----

    def lines(self) -> Sequence[LineEntry]:
        """All lines of all interfaces."""
        found: list[LineEntry] = []
        with contextlib.suppress(E1dError):  # an empty answer: it has none
            for interface in messages.interfaces_of(self.ask(Message(Kind.INTERFACES))[0]):
                answer, _ = self.ask(Message(Kind.LINES, interface))
                found += messages.lines_of(interface, answer)
        return found

    def open_slots(self, interface: int, line: int) -> Sequence[int]:
        """Time slots that somebody has open."""
        return messages.open_slots_of(self.ask(Message(Kind.SLOTS, interface, line))[0])

    def configure(self, interface: int, line: int, mode: LineMode) -> None:
        self.ask(Message(Kind.CONFIGURE_LINE, interface, line, payload=bytes([mode])))

    def open_slot(self, interface: int, line: int, slot: int, size: int, *, force: bool = False) -> int:
        """A descriptor with the octets of a slot, or of the superchannel."""
        config = messages.slot_config(SlotMode.RAW, size, force=force)
        _, fd = self.ask(Message(Kind.OPEN_SLOT, interface, line, slot, config))
        if fd is None:
            raise E1dError(f"osmo-e1d at {self.path!r} opened slot {slot} and gave no descriptor")
        return fd


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
