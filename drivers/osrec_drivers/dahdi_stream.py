"""What comes through the descriptor of a superchannel: blocks of octets, and events between them."""

import errno
import os
import select
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from osrec_drivers import dahdi_abi as abi
from osrec_drivers.dahdi_pump import Pump
from osrec_drivers.dahdi_system import System
from osrec_drivers.errors import LineError

_ROOM = 512  # blocks that wait for us: 5 s


@dataclass(frozen=True, slots=True)
class Block:
    """One buffer of octets.

    Attributes:
        arrival: when it was read, CLOCK_MONOTONIC in ns.
        fresh: nothing waited behind it, so it came when it was read.
        lost: blocks before it that we had no room for.
    """

    octets: bytes
    arrival: int
    fresh: bool
    lost: int = 0


class Sent(Enum):
    """What became of a block to send."""

    TAKEN = 1
    FULL = 2  # all buffers wait to be sent yet
    LATER = 3  # an event must be taken before


class Stream(ABC):
    """A superchannel, open."""

    @abstractmethod
    def wait(self, wake: int, milliseconds: int) -> None:
        """Until there is something to take, `wake` is readable, or that time is over."""

    @abstractmethod
    def take(self) -> list[Block | int]:
        """All that has come, events as their numbers. Raises LineError when the span is gone."""

    @abstractmethod
    def send(self, block: bytes) -> Sent:
        """Raises LineError when the span is gone."""

    @abstractmethod
    def close(self) -> None:
        """Before its descriptor is closed."""


def _gone(number: int) -> LineError:
    if number == errno.EPROTO:
        return LineError("is gone: another program has set its buffers", number)
    return LineError(f"is gone: {os.strerror(number)}", number)


def _sent(write: Callable[[], int]) -> Sent:
    try:
        write()
    except OSError as error:
        if error.errno == abi.ELAST:
            return Sent.LATER
        if error.errno in (errno.EAGAIN, errno.EINTR):
            return Sent.FULL
        raise _gone(error.errno or 0) from error
    return Sent.TAKEN


class DirectStream(Stream):
    """Reads when it is asked to: DAHDI drops what nobody asked for within 130 ms."""

    def __init__(self, system: System, fd: int, size: int) -> None:
        self._system = system
        self._fd = fd
        self._size = size

    def wait(self, wake: int, milliseconds: int) -> None:
        self._system.wait(self._fd, wake, milliseconds)

    def take(self) -> list[Block | int]:
        found: list[Block | int] = []
        held: tuple[bytes, int] | None = None
        while True:
            try:
                octets = self._system.read(self._fd, self._size)
            except OSError as error:
                if held is not None:
                    found.append(Block(*held, fresh=error.errno == errno.EAGAIN))
                    held = None
                if error.errno == abi.ELAST:
                    found += self._events()
                    continue
                if error.errno not in (errno.EAGAIN, errno.EINTR):
                    self._give_up(found, error.errno or 0)
                return found
            if held is not None:
                found.append(Block(*held, fresh=False))
            if len(octets) != self._size:
                raise _gone(errno.EPROTO)
            held = octets, self._system.now()

    def _give_up(self, found: list[Block | int], number: int) -> None:
        """What came before the end is taken first."""
        if not found:
            raise _gone(number)

    def _events(self) -> list[int]:
        answer = abi.integer(0)
        try:
            self._system.ioctl(self._fd, abi.GET_EVENT, answer)
        except OSError as error:
            raise _gone(error.errno or 0) from error
        event = abi.integer_of(answer)
        return [event] if event else []

    def send(self, block: bytes) -> Sent:
        return _sent(lambda: self._system.write(self._fd, block))

    def close(self) -> None:
        pass


class PumpedStream(Stream):
    """Reads in a thread that does not need the interpreter, and keeps five seconds."""

    def __init__(self, fd: int, size: int) -> None:
        self._fd = fd
        self._pump = Pump(fd, size, _ROOM, abi.GET_EVENT, abi.ELAST)
        self._failed = 0
        self._thread = threading.Thread(target=self._pump.run, name=f"dahdi pump {fd}", daemon=True)
        self._thread.start()

    def wait(self, wake: int, milliseconds: int) -> None:
        poll = select.poll()
        for fd in (self._pump.fileno(), wake):
            poll.register(fd, select.POLLIN)
        poll.poll(milliseconds)

    def take(self) -> list[Block | int]:
        if self._failed:
            raise _gone(self._failed)
        found: list[Block | int] = []
        for kind, value, octets, arrival, fresh in self._pump.take():
            if kind == "block":
                found.append(Block(octets, arrival, fresh, value))
            elif kind == "event":
                found.append(value)
            else:
                self._failed = value
        if self._failed and not found:
            raise _gone(self._failed)
        return found

    def send(self, block: bytes) -> Sent:
        return _sent(lambda: os.write(self._fd, block))

    def close(self) -> None:
        self._pump.stop()
        self._thread.join()
