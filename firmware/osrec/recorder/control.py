"""The recorder's control socket: JSON lines over a Unix socket, described in docs/control.md."""

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import structlog

log = structlog.get_logger()
LONGEST_REQUEST = 4096  # octets of one request line
SHORTEST_PERIOD = 0.1  # seconds between two answers of "follow"


class ControlServer:
    """Answers requests of command line, web and panel; whoever may open the socket may ask.

    Args:
        path: of the socket; one left behind by a killed process is replaced.
        status: gives the state as JSON values.
    """

    def __init__(self, path: Path, status: Callable[[], dict[str, Any]]) -> None:
        self._path = path
        self._status = status
        self._server: asyncio.Server | None = None
        self._clients: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Listen. On a dead volume nobody can ask, but recording goes on, with the journal on the spare directory."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._path.unlink(missing_ok=True)
            self._server = await asyncio.start_unix_server(self._connected, self._path, limit=LONGEST_REQUEST)
            self._path.chmod(0o660)
        except OSError as error:
            log.error("no control socket", path=str(self._path), error=str(error))

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
        for task in self._clients:
            task.cancel()
        await asyncio.gather(*self._clients, return_exceptions=True)
        with suppress(OSError):
            self._path.unlink(missing_ok=True)

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(self._serve(reader, writer))
        self._clients.add(task)
        task.add_done_callback(self._clients.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.CancelledError):
            while line := await self._line(reader):
                await self._answer(line, writer)
        writer.close()

    async def _line(self, reader: asyncio.StreamReader) -> bytes:
        try:
            return await reader.readline()
        except ValueError:
            return b'{"ask": "too long"}\n'

    async def _answer(self, line: bytes, writer: asyncio.StreamWriter) -> None:
        try:
            request = json.loads(line)
            ask = request["ask"]
        except (ValueError, KeyError, TypeError):
            await _send(writer, {"ok": False, "error": 'a request is one line like {"ask": "status"}'})
            return
        match ask:
            case "status":
                await _send(writer, {"ok": True, "status": self._status()})
            case "follow":
                period = request.get("every", 1.0)
                if not isinstance(period, int | float) or not period >= SHORTEST_PERIOD:
                    error = f"every = {period!r}: seconds between two answers, {SHORTEST_PERIOD} or more"
                    await _send(writer, {"ok": False, "error": error})
                    return
                while True:
                    await _send(writer, {"ok": True, "status": self._status()})
                    await asyncio.sleep(period)
            case _:
                await _send(writer, {"ok": False, "error": f"ask = {ask!r}: one of status, follow"})


async def _send(writer: asyncio.StreamWriter, answer: dict[str, Any]) -> None:
    writer.write(json.dumps(answer, ensure_ascii=False, default=str).encode() + b"\n")
    await writer.drain()
