"""The recorder's control socket: JSON lines over a Unix socket, described in docs/control.md."""

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing, suppress
from pathlib import Path
from typing import Any

import structlog

from osrec.errors import OsrecError

log = structlog.get_logger()
Request = dict[str, Any]
Method = Callable[[Request], Awaitable[dict[str, Any]]]
Stream = Callable[[Request], AsyncGenerator[dict[str, Any], None]]
LONGEST_REQUEST = 4096  # octets of one request line
SHORTEST_PERIOD = 0.1  # seconds between two answers of "follow"


class RefusedError(OsrecError):
    """What was asked for is wrong or cannot be; the message says what would be right."""


class ControlServer:
    """Answers requests of command line, web and panel; whoever may open the socket may ask.

    Args:
        path: of the socket; one left behind by a killed process is replaced.
        status: gives the state as JSON values.
        methods: what else can be asked for; each takes the request and gives the members of its answer, or raises
            RefusedError.
        streams: the same with one answer after the other.
    """

    def __init__(
        self,
        path: Path,
        status: Callable[[], dict[str, Any]],
        methods: Mapping[str, Method] | None = None,
        streams: Mapping[str, Stream] | None = None,
    ) -> None:
        self._path = path
        self._status = status
        self._methods = dict(methods or {})
        self._streams = dict(streams or {})
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
            case str() if ask in self._methods:
                await _send(writer, await _outcome(self._methods[ask], request))
            case str() if ask in self._streams:
                await _pour(self._streams[ask], request, writer)
            case _:
                known = ", ".join(["status", "follow", *self._methods, *self._streams])
                await _send(writer, {"ok": False, "error": f"ask = {ask!r}: one of {known}"})


async def _outcome(method: Method, request: Request) -> dict[str, Any]:
    try:
        return {"ok": True} | await method(request)
    except RefusedError as error:
        return {"ok": False, "error": str(error)}
    except Exception:  # a fault of ours in one request must not end the connection without a word
        log.exception("request failed", request=request)
        return {"ok": False, "error": "the recorder failed at this; its log says why"}


async def _pour(stream: Stream, request: Request, writer: asyncio.StreamWriter) -> None:
    """Send all answers; the stream is closed when the client has gone."""
    async with aclosing(stream(request)) as answers:
        try:
            async for answer in answers:
                await _send(writer, {"ok": True} | answer)
        except RefusedError as error:
            await _send(writer, {"ok": False, "error": str(error)})


async def _send(writer: asyncio.StreamWriter, answer: dict[str, Any]) -> None:
    writer.write(json.dumps(answer, ensure_ascii=False, default=str).encode() + b"\n")
    await writer.drain()
