"""Lines of an emulated osmo-e1d: time slots behind sockets, and what the daemon does with octets that do not fit.

As in the daemon: octets of a slot are collected until there are as many as its client asked for at a time; what a full
socket does not take is dropped and not counted; a client that sends too little is filled up with ones.
"""

import fcntl
import socket
import sys
import termios
from collections.abc import Sequence
from dataclasses import dataclass, field

from osrec_drivers.e1d_messages import SUPERCHANNEL, LineMode, SlotMode

FRAME = 32
CARRIED = 31  # octets of a frame without TS0
_ONES = 0xFF


@dataclass(slots=True)
class Pipe:
    """One opened time slot, or the superchannel.

    Attributes:
        size: octets that the client gets at a time.
        dropped: octets that its socket did not take.
    """

    ours: socket.socket
    size: int
    mode: int = SlotMode.RAW
    dropped: int = 0
    _collected: bytearray = field(default_factory=bytearray)
    _sends: bool = False

    def give(self, octets: bytes) -> None:
        """Octets from the line to the client. Raises OSError when the client is gone."""
        while octets:
            room = self.size - len(self._collected)
            self._collected += octets[:room]
            octets = octets[room:]
            if len(self._collected) == self.size:
                try:
                    self.ours.send(self._collected)
                except BlockingIOError:
                    self.dropped += len(octets)
                    return
                self._collected.clear()

    def waiting(self, width: int) -> int | None:
        """Frames of `width` octets that the client has sent and the line has not; None before it sent any."""
        buffer = bytearray(4)
        fcntl.ioctl(self.ours, termios.FIONREAD, buffer)
        octets = int.from_bytes(buffer, sys.byteorder)
        self._sends = self._sends or octets > 0
        return octets // width if self._sends else None

    def take(self, count: int) -> bytes:
        """Octets from the client to the line. Raises OSError when the client is gone."""
        try:
            came = self.ours.recv(count)
        except BlockingIOError:
            came = b""
        else:
            if not came:
                raise ConnectionResetError
        return came + bytes([_ONES]) * (count - len(came))


class DaemonLine:
    """One E1 of the daemon.

    Attributes:
        mode: how its time slots can be opened.
        pipes: those that are open, by time slot or SUPERCHANNEL.
        lose: frames that will be lost before they reach the clients: USB transfers that never came.
    """

    def __init__(self, interface: int, number: int) -> None:
        self.interface = interface
        self.number = number
        self.mode = LineMode.CHANNELIZED
        self.pipes: dict[int, Pipe] = {}
        self.lose = 0

    def open(self, slot: int, size: int) -> int:
        """A descriptor for a client; whoever had the slot loses it."""
        self.stop(slot)
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        ours.setblocking(False)
        self.pipes[slot] = Pipe(ours, size)
        return theirs.detach()

    def stop(self, slot: int) -> None:
        pipe = self.pipes.pop(slot, None)
        if pipe is not None:
            pipe.ours.close()

    def receive(self, frames: bytes) -> None:
        """Frames off the line, 32 octets each, to the clients."""
        lost = min(self.lose, len(frames) // FRAME)
        self.lose -= lost
        frames = frames[lost * FRAME :]
        for slot, pipe in self._served():
            if slot == SUPERCHANNEL:
                octets = b"".join(frames[at + 1 : at + FRAME] for at in range(0, len(frames), FRAME))
            else:
                octets = frames[slot::FRAME]
            try:
                pipe.give(octets)
            except OSError:  # the client is gone
                self.stop(slot)

    def transmit(self, count: int) -> bytes:
        """So many frames from the clients; TS0 is for the board to write."""
        frames = bytearray([_ONES]) * (FRAME * count)
        for slot, pipe in self._served():
            wide = slot == SUPERCHANNEL
            try:
                octets = pipe.take(CARRIED * count if wide else count)
            except OSError:  # the client is gone
                self.stop(slot)
                continue
            if wide:
                for at in range(count):
                    frames[FRAME * at + 1 : FRAME * at + FRAME] = octets[CARRIED * at : CARRIED * at + CARRIED]
            else:
                frames[slot::FRAME] = octets
        return bytes(frames)

    def _served(self) -> Sequence[tuple[int, Pipe]]:
        """Pipes that the mode allows."""
        wide = self.mode == LineMode.SUPERCHANNEL
        return [(slot, pipe) for slot, pipe in self.pipes.items() if (slot == SUPERCHANNEL) == wide]

    def ready(self) -> int | None:
        """Frames that all its clients have sent; None when none of them sends."""
        counts = [pipe.waiting(CARRIED if slot == SUPERCHANNEL else 1) for slot, pipe in self._served()]
        return min((count for count in counts if count is not None), default=None)

    def close(self) -> None:
        for slot in list(self.pipes):
            self.stop(slot)


def cross(a: DaemonLine, b: DaemonLine, count: int) -> None:
    """A virtual pair: what each sends the other receives."""
    from_a, from_b = a.transmit(count), b.transmit(count)
    a.receive(from_b)
    b.receive(from_a)
