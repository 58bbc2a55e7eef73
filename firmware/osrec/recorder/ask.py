"""The other end of the control socket."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from osrec.errors import OsrecError


class NotRunningError(OsrecError):
    """No recorder answers on the control socket."""


class RefusedError(OsrecError):
    """The recorder refused what was asked for; the message says why."""


def status(path: Path) -> dict[str, Any]:
    """The state of the recorder now. Raises NotRunningError."""
    answer: dict[str, Any] = request(path, {"ask": "status"})["status"]
    return answer


def follow(path: Path, every: float) -> Iterator[dict[str, Any]]:
    """The state again and again, until the recorder goes away. Raises NotRunningError."""
    return (answer["status"] for answer in _answers(path, {"ask": "follow", "every": every}))


def request(path: Path, what: dict[str, Any]) -> dict[str, Any]:
    """Ask for anything else. Raises NotRunningError, RefusedError."""
    answer = next(_answers(path, what), None)
    if answer is None:
        raise NotRunningError(f"the recorder on {path} went away without an answer")
    return answer


def stream(path: Path, what: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Ask for what is answered again and again. Raises NotRunningError, also when the recorder ends; RefusedError."""
    return _answers(path, what)


def _answers(path: Path, what: dict[str, Any]) -> Iterator[dict[str, Any]]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.settimeout(10.0)
        try:
            client.connect(str(path))
            client.sendall(json.dumps(what).encode() + b"\n")
            with client.makefile("rb") as lines:
                for line in lines:
                    answer = json.loads(line)
                    if not answer["ok"]:
                        raise RefusedError(answer["error"])
                    yield answer
        except OSError as error:
            raise NotRunningError(f"no recorder answers on {path}: {error}; is `osrec run` running?") from error
