"""`osrec-emulate e1d`: an osmo-e1d without boards, for programs that use one."""

import signal
import threading
from pathlib import Path
from typing import Annotated

import typer

from osrec_emulators.e1d.server import Daemon


def e1d(
    socket: Annotated[Path, typer.Argument(help="Control socket to listen at.")],
    pairs: Annotated[int, typer.Option(min=1, max=127, help="Virtual pairs: interfaces 0 and 1, 2 and 3, ...")] = 1,
    lines: Annotated[int, typer.Option(min=1, max=16, help="Lines of each interface.")] = 1,
    seconds: Annotated[float | None, typer.Option(min=0, help="Stop by itself after that time.")] = None,
) -> None:
    """Speak osmo-e1d's protocol: what is sent on a line of one interface of a pair comes out of the other's."""
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    daemon = Daemon(socket, pairs=pairs, lines=lines, patient=False)
    print(f"listening at {socket}: osrec lines e1d:{socket}:0/0 and e1d:{socket}:1/0 hear each other", flush=True)
    ended.wait(seconds)
    daemon.close()
