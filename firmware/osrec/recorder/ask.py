"""The other end of the control socket."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from osrec.errors import OsrecError


class NotRunningError(OsrecError):
    """No recorder answers on the control socket."""


def status(path: Path) -> dict[str, Any]:
    """The state of the recorder now. Raises NotRunningError."""
    return next(_answers(path, {"ask": "status"}))


def follow(path: Path, every: float) -> Iterator[dict[str, Any]]:
    """The state again and again, until the recorder goes away. Raises NotRunningError."""
    return _answers(path, {"ask": "follow", "every": every})


def _answers(path: Path, request: dict[str, Any]) -> Iterator[dict[str, Any]]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.settimeout(10.0)
        try:
            client.connect(str(path))
            client.sendall(json.dumps(request).encode() + b"\n")
            with client.makefile("rb") as lines:
                for line in lines:
                    answer = json.loads(line)
                    if not answer["ok"]:
                        raise NotRunningError(f"the recorder refused {request}: {answer['error']}")
                    yield answer["status"]
        except OSError as error:
            raise NotRunningError(f"no recorder answers on {path}: {error}; is `osrec run` running?") from error
