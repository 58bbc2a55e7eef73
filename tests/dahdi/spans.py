"""The spans of the guest's kernel: pairs of dahdi_dynamic_loc, and the test bench module. Needs root."""

import contextlib
import fcntl
import os
import struct
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

from osrec_drivers import dahdi_abi as abi
from osrec_drivers.dahdi_system import Linux

CONTROL = Path("/sys/module/osrec_e1bench/parameters/control")
_DYNAMIC = struct.Struct("=20s40s3i")  # struct dahdi_dynamic_span
_CREATE = 3 << 30 | _DYNAMIC.size << 16 | 0xDA << 8 | 80
_DESTROY = 1 << 30 | _DYNAMIC.size << 16 | 0xDA << 8 | 81


def run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stderr.strip() or done.stdout.strip()}"


def load_dahdi() -> str:
    """Load the driver; its version."""
    run("modprobe", "dahdi", "auto_assign_spans=1")  # else no span shows that no board has
    run("modprobe", "dahdi_dynamic_loc")
    return Path("/sys/module/dahdi/version").read_text().strip()


@contextlib.contextmanager
def control_device() -> Iterator[int]:
    fd = os.open("/dev/dahdi/ctl", os.O_RDWR)
    try:
        yield fd
    finally:
        os.close(fd)


class LocalSpans:
    """Two spans that hear each other; `near` and `far` are their numbers."""

    def __init__(self) -> None:
        self.far = self.create("1:0")
        self.near = self.create("1:1")

    def create(self, address: str) -> int:
        request = bytearray(_DYNAMIC.pack(b"loc", address.encode(), 31, 0, 0))
        with control_device() as ctl:
            fcntl.ioctl(ctl, _CREATE, request)
        number: int = _DYNAMIC.unpack(request)[4]
        return number

    def destroy(self, address: str) -> None:
        with control_device() as ctl:
            fcntl.ioctl(ctl, _DESTROY, _DYNAMIC.pack(b"loc", address.encode(), 31, 0, 0))

    def far_down(self) -> None:
        self.destroy("1:0")

    def far_up(self) -> None:
        self.far = self.create("1:0")

    def close(self) -> None:
        self.destroy("1:0")
        self.destroy("1:1")


class Bench:
    """The test bench module, once its lines are closed: ports 1 and 2 of one board are spans `far` and `near`."""

    def __init__(self, module: Path) -> None:
        run("insmod", str(module))
        self.far, self.near = sorted(
            int(path.name.removeprefix("span-"))
            for path in Path("/sys/bus/dahdi_spans/devices").iterdir()
            if "E1 test bench" in (path / "desc").read_text()
        )

    def tell(self, command: str) -> None:
        CONTROL.write_text(command)

    def close(self) -> None:
        run("rmmod", "osrec_e1bench")


class PausingLinux(Linux):
    """Lets a test hold a line up at its next look at the span, as a stalled machine would; hence no pump."""

    pumps = False

    def __init__(self) -> None:
        self._let_on = threading.Event()
        self._let_on.set()

    def wait(self, fd: int, wake: int, milliseconds: int) -> None:
        super().wait(fd, wake, milliseconds)
        self._let_on.wait()

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        self._let_on.clear()
        try:
            yield
        finally:
            self._let_on.set()


class PlainChannels:
    """The channels of a span opened one by one, as telephone programs do: a second opinion on which slot is which."""

    def __init__(self, span: int, first_channel: int) -> None:
        self._fds: list[int] = []
        with control_device() as ctl:
            for slot in range(1, 32):
                setting = abi.ChannelSetting(first_channel + slot - 1, abi.Signalling.CLEAR)
                fcntl.ioctl(ctl, abi.CHANNEL_CONFIG, setting.pack())
            fcntl.ioctl(ctl, abi.STARTUP, abi.integer(span))
        for slot in range(1, 32):
            fd = os.open("/dev/dahdi/channel", os.O_RDWR | os.O_NONBLOCK)
            self._fds.append(fd)
            fcntl.ioctl(fd, abi.SPECIFY, abi.integer(first_channel + slot - 1))

    def write(self, octets: dict[int, bytes]) -> None:
        for slot, fd in enumerate(self._fds, 1):
            with contextlib.suppress(BlockingIOError):
                os.write(fd, octets[slot])

    def close(self) -> None:
        for fd in self._fds:
            os.close(fd)
