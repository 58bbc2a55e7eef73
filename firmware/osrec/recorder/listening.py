"""What the rings of the lines tell: where a recording's audio begins, what is on a pair, which alarms stand."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

from osrec.engine.alarms import AlarmCleared, AlarmRaised, Severity
from osrec.engine.messages import Heard, PairHeard
from osrec.engine.pool import Pair
from osrec.recorder.strays import Strays
from osrec.store.records import Stray
from osrec_drivers.errors import LineError
from osrec_drivers.line import FRAME_RATE, Alarm, AlarmChange, Line, LineStatus

DOWN = frozenset({Alarm.LOS, Alarm.LOF, Alarm.AIS, Alarm.NO_PACKETS, Alarm.UNPLUGGED})  # no audio can come
LOOK_SECONDS = 0.5
LOOK = int(LOOK_SECONDS * FRAME_RATE)  # samples looked at each time

MEANING = {
    Alarm.LOS: "no signal: is the cable plugged in at both ends?",
    Alarm.LOF: "signal without frame alignment: is the far end an E1 (PCM32) port, and is the cable sound?",
    Alarm.AIS: "all ones: the equipment at the other end is cut off from its own source",
    Alarm.RAI: "the far end says that it cannot receive us: check the cable in our direction",
    Alarm.NO_PACKETS: "no packets: is the gateway or emulator running, and does its address match?",
    Alarm.LMFA: "frames without CRC-4 multiframe: is CRC-4 switched on at one end only?",
    Alarm.LMFA16: "no CAS multiframe in time slot 16: does the far end signal by CAS at all?",
    Alarm.AIS16: "all ones in time slot 16: the far end's signalling is cut off",
    Alarm.RAI16: "the far end says that it does not receive our CAS multiframe",
    Alarm.UNPLUGGED: "the board is gone: is its cable plugged in, and is its driver or daemon running (osrec boards)?",
}


class Ears:
    """Looks into the rings of all lines.

    Args:
        idle_codes: octets that a slot carries while nothing is on it.
        preroll: seconds that a recording may reach back before it was asked for.
        energy: level in dBm0 above which a slot that no recording holds carries speech.
        on_change: is told of each alarm of a line that comes or goes.

    Attributes:
        under_test: slots with a test pattern on them, which is nobody's speech.
    """

    def __init__(
        self,
        lines: Mapping[str, Line],
        idle_codes: bytes,
        preroll: float,
        energy: float = -55.0,
        on_change: Callable[[str, AlarmChange], None] | None = None,
    ) -> None:
        self._lines = lines
        self._on_change = on_change
        self.under_test: set[tuple[str, int]] = set()
        self._strays = Strays(energy, LOOK_SECONDS)
        self._idle = idle_codes
        self._preroll = int(preroll * FRAME_RATE)
        self._doubtful: set[str] = set()  # lines whose far end has just begun to say that it cannot receive us
        self._ends: dict[Pair, int] = {}  # where the last recording on the pair ended

    def begin(self, pair: Pair, *, reach_back: bool) -> tuple[int, int]:
        """(first sample that belongs to a recording that is asked for now, the line's head).

        With `reach_back`, audio that was on the pair before counts as far back as the pre-roll goes, but never into
        the recording before, and idle code in front of the audio does not count.
        """
        line = self._lines[pair.line]
        head = line.head
        if not reach_back:
            return head, head
        first = max(head - self._preroll, self._ends.get(pair, 0), line.oldest)
        if first >= head:
            return head, head
        try:
            sides = [line.read(port.slot, first, head - first) for port in (pair.own, pair.other)]
        except LineError:
            return head, head
        leading_idle = min(len(side) - len(side.lstrip(self._idle)) for side in sides)
        return first + leading_idle, head

    def end(self, pair: Pair, last: int) -> None:
        """A recording on the pair ended before sample `last`."""
        self._ends[pair] = last

    def look(self, running: Iterable[Pair], held: Iterable[Pair], pairs: Iterable[Pair], at: datetime) -> Heard:
        """Twice a second: what was on the running pairs in the last half second, and all over the lines.

        Args:
            running: channels whose recordings run. held: these, and all others that a recording still has.
            pairs: all that calls may come on.
        """
        levels = {name: line.levels() for name, line in self._lines.items()}
        heard = {pair: self._pair(pair, levels[pair.line]) for pair in running}
        down = frozenset(name for name, line in self._lines.items() if _down(line.status()))
        up = {name: level for name, level in levels.items() if name not in down}
        return Heard(heard, down, self._strays.look(up, _slots(pairs), [*_slots(held), *self.under_test], at))

    def stop(self) -> tuple[Stray, ...]:
        """The recorder ends: speech without conversation that was not told of yet."""
        return self._strays.flush()

    def _pair(self, pair: Pair, levels: Sequence[float]) -> PairHeard:
        line = self._lines[pair.line]
        head = line.head
        first = max(head - LOOK, line.oldest)
        own, other = (line.read(port.slot, first, head - first) for port in (pair.own, pair.other))
        # what did not arrive is no sign that the call is over
        heard = head > first and not line.gaps(first, head - first)
        own_idle, other_idle = (heard and not side.strip(self._idle) for side in (own, other))
        same = heard and own == other and not own_idle
        return PairHeard(levels[pair.own.slot], levels[pair.other.slot], own_idle, other_idle, same)

    def alarms(self) -> list[AlarmRaised | AlarmCleared]:
        """Alarms that came or went since the last call."""
        changes = self._strays.alarms()
        for name, line in self._lines.items():
            if name in self._doubtful and Alarm.RAI in line.status().alarms:
                changes.append(_raised(name, Alarm.RAI))
            self._doubtful.discard(name)
            for change in line.changes():
                if self._on_change is not None:
                    self._on_change(name, change)
                if not change.raised:
                    changes.append(AlarmCleared(f"line-{change.alarm}:{name}"))
                elif change.alarm is Alarm.RAI:
                    self._doubtful.add(name)  # while both ends are finding each other it means nothing
                else:
                    changes.append(_raised(name, change.alarm))
        return changes


def _down(status: LineStatus) -> bool:
    """Nothing of the PBX can come: in a local loop, either."""
    return bool(status.alarms & DOWN) or status.loop == "local"


def _slots(pairs: Iterable[Pair]) -> list[tuple[str, int]]:
    return [(pair.line, port.slot) for pair in pairs for port in (pair.own, pair.other)]


def _raised(name: str, alarm: Alarm) -> AlarmRaised:
    severity = Severity.CRITICAL if alarm in DOWN else Severity.WARNING
    return AlarmRaised(f"line-{alarm}:{name}", severity, f"line {name}: {MEANING[alarm]}")
