"""People at the soak's site who want their calls kept, or paused; what they asked, and what was said, for the judge."""

import json
import random
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from osrec.engine.messages import Demand, Demanded
from osrec.recorder.parts import store_config
from osrec.store.block import Block, Kind, blocks
from osrec.store.running import PAUSED
from osrec.wire.csta.model import LocalState
from osrec_emulators.check.demands import DEMANDS
from tests.scenario.site import START, Site

WANTS = {  # how often each thing is wanted
    Demand.KEEP: 3,
    Demand.START: 3,
    Demand.KEEP_LAST: 2,
    Demand.STOP: 2,
    Demand.PAUSE: 3,
    Demand.RESUME: 3,
}


IDLE = b"\xd5\x55"  # silence, in A-law
AGAIN = 0.5  # seconds after which somebody who does not talk tries again
AT_ONCE = 10  # that are asked for in a busy while
BUSY = 20.0  # seconds that it lasts


class Demands:
    """Now and then people who talk ask for something, sensible or not; whoever pauses wants an end of it, too.

    Args:
        stations: who may ask.
    """

    def __init__(self, site: Site, rng: random.Random, stations: Sequence[str]) -> None:
        self._site = site
        self._rng = rng
        self._stations = stations
        self._lines: list[str] = []
        self._later: list[
            tuple[float, str | None]
        ] = []  # when a station wants its pause to end; None: anybody, anything

    def strike(self, now: float) -> None:
        self._later += [(now + self._rng.uniform(0.0, BUSY), None) for _ in range(AT_ONCE)]

    def step(self, now: float) -> None:
        for when, station in [each for each in self._later if each[0] <= now]:
            self._later.remove((when, station))
            if station is None:
                self._somebody(now)
            elif self._talks(station):
                self._ask(station, Demand.RESUME, now)
            else:
                self._later.append((now + AGAIN, station))

    def calm(self, now: float) -> None:
        """Everything that was asked is written down."""
        path = self._site.directory / "truth" / DEMANDS
        path.write_text("".join(self._lines), encoding="utf-8")

    def _somebody(self, now: float) -> None:
        talking = [one for one in self._stations if self._talks(one)]
        if not talking:
            return
        station = self._rng.choice(talking)
        (what,) = self._rng.choices(list(WANTS), list(WANTS.values()))
        self._ask(station, what, now)
        if what is Demand.PAUSE:
            self._later.append((now + self._rng.uniform(1.0, 10.0), station))

    def _talks(self, station: str) -> bool:
        """Whether it talks, and the recorder can know it: else nobody could say which call was meant."""
        session = self._site.session
        found = self._site.world.switch.leg_in(station, LocalState.CONNECTED)
        if found is None or session is None or station not in session.monitors.values():
            return False
        call, own = found
        others = (leg for leg in call.legs.values() if leg is not own and not leg.silent)
        return call.answered and any(leg.state is LocalState.CONNECTED for leg in others)

    def _ask(self, station: str, what: Demand, now: float) -> None:
        if self._site.recorder is None:
            return
        seconds = round(self._rng.uniform(1.0, 20.0), 1) if what is Demand.KEEP_LAST else None
        reply = self._site.recorder.demand(Demanded(station, what, "soak", seconds))
        row: dict[str, Any] = {"at": (START + timedelta(seconds=now)).isoformat(), "station": station}
        row |= {"what": what.value, "seconds": seconds, "error": reply.error}
        self._lines.append(json.dumps(row) + "\n")


def paused_on_disk(site: Site) -> list[str]:
    """Where the journal has audio of a pause, in segments that were let go, too; the media files are the judge's."""
    pauses = {
        one.recording: [(one.first_sample + gap.first, gap.count) for gap in one.gaps if gap.cause == PAUSED]
        for one in site.sidecars()
    }
    found: list[str] = []
    for path in sorted(store_config(site.config).journal.glob("*.seg")):
        for position, block in blocks(path.read_bytes()):
            for first, count in pauses.get(block.recording, ()) if block.kind is Kind.AUDIO else ():
                start, end = max(first, block.sample), min(first + count, block.sample + block.count)
                if any(side[start - block.sample : end - block.sample].strip(IDLE) for side in _sides(block)):
                    found.append(f"{path.name}, octet {position}: audio of a pause of {block.recording}")
    return found


def _sides(block: Block) -> tuple[bytes, bytes]:
    return block.payload[: block.count], block.payload[block.count :]
