"""A D channel whose HDLC DAHDI does: flags, zeros and FCS in its interrupt, so that no stall of ours makes an abort."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace

from osrec_drivers import dahdi_abi as abi
from osrec_drivers.dahdi_abi import Event
from osrec_drivers.dahdi_system import System
from osrec_drivers.errors import LineError
from osrec_drivers.line import DChannel, DCounters, DFrame, Octets

LONGEST = 1021  # octets of a frame: what a buffer of 1024 holds beside its FCS and the end that tells it from overrun
_FCS = bytes(2)  # its place; DAHDI fills it in, and leaves it behind frames that it gives us

_ERRORS: dict[int, tuple[str, str]] = {  # what it is, and who counts it
    Event.ABORT: ("abort", "aborts"),
    Event.BAD_FCS: ("fcs", "bad_fcs"),
    Event.OVERRUN: ("long", "long"),
}


class KernelDChannel(DChannel):
    """The descriptor of one time slot in HDLC mode.

    Args:
        fd: of the channel, None while its board is gone.
        sample: number of the sample that comes next: frames carry no time, so they get that of their fetching.
    """

    def __init__(self, system: System, fd: Callable[[], int | None], sample: Callable[[], int]) -> None:
        self._system = system
        self._fd = fd
        self._sample = sample
        self._lock = threading.Lock()
        self._counters = DCounters()
        self._waiting: list[DFrame] = []
        self._closed = False

    def send(self, frame: Octets) -> bool:
        if not 1 <= len(frame) <= LONGEST:
            raise ValueError(f"{len(frame)} octets: a frame has 1 to {LONGEST} [Q.921 2]")
        with self._lock:
            if self._closed:
                raise LineError("the D channel is closed")
            fd = self._fd()
            sent = fd is not None and self._write(fd, bytes(frame) + _FCS)
            self._count("sent" if sent else "unsent")
            return sent

    def receive(self) -> Sequence[DFrame]:
        with self._lock:
            fd = self._fd()
            while not self._closed and fd is not None and self._read(fd):
                pass
            found, self._waiting = self._waiting, []
            return [] if self._closed else found

    @property
    def counters(self) -> DCounters:
        return self._counters

    @property
    def closed(self) -> bool:
        return self._closed

    def close(self) -> None:
        with self._lock:
            self._closed = True

    def _write(self, fd: int, octets: bytes) -> bool:
        while True:
            try:
                return self._system.write(fd, octets) == len(octets)
            except OSError as error:
                if error.errno != abi.ELAST or not self._event(fd):
                    return False  # a second's worth waits already, or the board is gone: the line tells of that

    def _read(self, fd: int) -> bool:
        """One frame or error more; whether there was any."""
        try:
            octets = self._system.read(fd, LONGEST + len(_FCS) + 1)
        except OSError as error:
            return error.errno == abi.ELAST and self._event(fd)
        self._waiting.append(DFrame(self._sample(), octets[: -len(_FCS)]))
        self._count("frames")
        return True

    def _event(self, fd: int) -> bool:
        """Fetch what DAHDI tells instead of a frame; False when it does not tell."""
        answer = abi.integer(0)
        try:
            self._system.ioctl(fd, abi.GET_EVENT, answer)
        except OSError:
            return False
        event = abi.integer_of(answer)
        if event in _ERRORS:
            error, counter = _ERRORS[event]
            self._waiting.append(DFrame(self._sample(), b"", error))
            self._count(counter)
        elif event == Event.READ_OVERRUN:
            self._count("overruns")
        return True

    def _count(self, name: str) -> None:
        self._counters = replace(self._counters, **{name: getattr(self._counters, name) + 1})
