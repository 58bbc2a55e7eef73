"""What the lines of all drivers share that have an engine behind them."""

from collections.abc import Sequence

from osrec_drivers.dsp.level import level
from osrec_drivers.e1.engine import Engine
from osrec_drivers.line import FRAME_RATE, SLOTS, AlarmChange, Gap, Line

_LEVEL_SAMPLES = FRAME_RATE // 10  # levels cover 100 ms


class EngineLine(Line):
    """A line whose octets an Engine receives; drivers add how they get there and back."""

    engine: Engine

    @property
    def head(self) -> int:
        return self.engine.head

    @property
    def oldest(self) -> int:
        return self.engine.oldest

    def read(self, slot: int, first: int, count: int) -> bytes:
        return self.engine.read(slot, first, count)

    def wipe(self, slot: int, first: int, count: int) -> None:
        self.engine.wipe(slot, first, count)

    def gaps(self, first: int, count: int) -> Sequence[Gap]:
        return self.engine.gaps(first, count)

    def changes(self) -> Sequence[AlarmChange]:
        return self.engine.changes()

    def levels(self) -> Sequence[float]:
        head = self.engine.head
        count = min(_LEVEL_SAMPLES, head - self.engine.oldest)
        return [level(self.engine.read(slot, head - count, count)) for slot in range(SLOTS)]
