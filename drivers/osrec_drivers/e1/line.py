"""What the lines of all drivers share that have an engine behind them."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from osrec_drivers.dsp.level import level
from osrec_drivers.e1 import cas
from osrec_drivers.e1.criteria import Criteria
from osrec_drivers.e1.dchannel import Channel
from osrec_drivers.e1.engine import Engine
from osrec_drivers.line import (
    FRAME_RATE,
    SLOTS,
    AlarmChange,
    CasChange,
    CasState,
    DChannel,
    Gap,
    Line,
    LoopKind,
    Octets,
)

_LEVEL_SAMPLES = FRAME_RATE // 10  # levels cover 100 ms


class EngineLine(Line):
    """A line whose octets an Engine receives; drivers add how they get there and back."""

    engine: Engine
    _channels: Mapping[int, Channel] = MappingProxyType({})  # the last of each time slot that had any

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

    def compose(self, frames: Octets) -> bytes:
        """Line octets of frames: with TS0, D channels and CAS written, for a test to put errors into them.

        From the first call on `transmit` takes nothing but such octets, whole frames of them, and sends them as they
        are. A and E bits answer what has been received when this is called.
        """
        return self.engine.compose(frames)

    def send(self, slot: int, octets: Octets) -> int:
        return self.engine.send(slot, octets)

    def send_sa(self, bits: int) -> None:
        self.engine.send_sa(bits)

    def d_channel(self, slot: int = 16) -> DChannel:
        channel = Channel(self.engine, slot)
        self._channels = {**self._channels, slot: channel}
        return channel

    def cas(self) -> CasState:
        return cas.state(self.engine)

    def cas_changes(self) -> Sequence[CasChange]:
        return cas.changes(self.engine)

    def send_cas(self, slot: int, abcd: int) -> None:
        cas.send(self.engine, slot, abcd)

    def judge_by(self, criteria: Criteria) -> None:
        self.engine.judge_by(criteria)

    def loop(self, kind: LoopKind) -> None:
        self.engine.loop = kind

    def _close_channels(self) -> None:
        for channel in self._channels.values():
            channel.close()
