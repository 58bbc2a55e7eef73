"""The two programs of the demonstration, as processes of their own that meet only over sockets."""

import contextlib
import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from osrec.errors import OsrecError


class DemoError(OsrecError):
    """A part of the demonstration did not come up or did not end as it should."""


def command(program: str) -> str:
    """The program installed beside the running Python."""
    return str(Path(sys.executable).with_name(program))


def free_ports(count: int) -> list[int]:
    """UDP and TCP port numbers that nobody uses now."""
    ports: list[int] = []
    with contextlib.ExitStack() as held:
        while len(ports) < count:
            tcp = held.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
            udp = held.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            tcp.bind(("127.0.0.1", 0))
            port = tcp.getsockname()[1]
            with contextlib.suppress(OSError):
                udp.bind(("127.0.0.1", port))
                ports.append(port)
    return ports


class Process:
    """A child with its output in a file; it is stopped when the block ends, whatever happens."""

    def __init__(self, name: str, arguments: list[str], log: Path) -> None:
        self.name = name
        self.log = log
        with log.open("ab") as output:
            self._child = subprocess.Popen(arguments, stdout=output, stderr=output, stdin=subprocess.DEVNULL)

    @property
    def pid(self) -> int:
        return self._child.pid

    def running(self) -> bool:
        return self._child.poll() is None

    def need(self) -> None:
        """Raises DemoError with the end of its log when it has died."""
        if not self.running():
            tail = "\n".join(self.log.read_text(errors="replace").splitlines()[-15:])
            raise DemoError(f"{self.name} ended with code {self._child.returncode}; the end of {self.log}:\n{tail}")

    def stop(self, patience: float = 30.0) -> int:
        """SIGTERM, and the exit code. Raises DemoError when it does not end."""
        if self.running():
            self._child.send_signal(signal.SIGTERM)
        try:
            return self._child.wait(patience)
        except subprocess.TimeoutExpired:
            self._child.kill()
            raise DemoError(f"{self.name} did not end within {patience:.0f} s of SIGTERM; see {self.log}") from None

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._child.kill()
        self._child.wait()


def status(directory: Path) -> dict[str, Any] | None:
    """The recorder's state over its control socket (docs/control.md); None while it does not answer."""
    return ask(directory, "status")


def ask(directory: Path, what: str) -> dict[str, Any] | None:
    """What the recorder's control socket answers; None while it does not."""
    with contextlib.suppress(OSError, ValueError, KeyError), socket.socket(socket.AF_UNIX) as client:
        client.settimeout(5.0)
        client.connect(str(directory / "data" / "control.sock"))
        client.sendall(json.dumps({"ask": what}).encode() + b"\n")
        with client.makefile("rb") as lines:
            answer: dict[str, Any] = json.loads(lines.readline())[what]
            return answer
    return None


def until(deadline: float, *processes: Process) -> Iterator[None]:
    """Come back five times a second until time.monotonic() reaches the deadline. Raises DemoError when one has died."""
    while time.monotonic() < deadline:
        for process in processes:
            process.need()
        yield
        time.sleep(0.2)


def descendants(pid: int) -> dict[int, str]:
    """Command lines of all processes below one, by pid."""
    found: dict[int, str] = {}
    for entry in sorted(Path("/proc").glob("[0-9]*"), key=lambda path: int(path.name)):
        with contextlib.suppress(OSError):
            parent = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
            if parent == pid or parent in found:
                found[int(entry.name)] = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
    return found
