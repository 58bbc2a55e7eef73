"""Speech on slots that no recording holds: the line's own evidence that a call slipped through."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from osrec.engine.alarms import AlarmCleared, AlarmRaised, Severity
from osrec.store.records import Stray

Slot = tuple[str, int]  # line and time slot

LEAST = 3.0  # seconds of speech that count: a click is none, and a fork may be there a moment before its answer
QUIET = 5.0  # seconds without speech that end it: people pause
LAG = 2.0  # seconds after a lease in which the PBX may still have audio on the slot
WRITE = 60.0  # seconds after which one that lasts is written so far: what a crash may cost


@dataclass(slots=True)
class _Speech:
    """`told`: it is long enough, and the alarm stands."""

    since: datetime
    last: datetime
    seconds: float = 0.0
    told: bool = False


class Strays:
    """Adds up speech, slot by slot.

    Args:
        energy: level in dBm0 above which it counts.
        step: seconds between looks.
    """

    def __init__(self, energy: float, step: float) -> None:
        self._energy = energy
        self._step = step
        self._speech: dict[Slot, _Speech] = {}
        self._held_until: dict[Slot, datetime] = {}
        self._changes: list[AlarmRaised | AlarmCleared] = []

    def look(
        self,
        levels: Mapping[str, Sequence[float]],
        slots: Iterable[Slot],
        held: Iterable[Slot],
        at: datetime,
    ) -> tuple[Stray, ...]:
        """What has ended or lasts long.

        Args:
            levels: of all slots, by line; lines in alarm are left out.
            slots: where calls may come.
            held: those of them that a recording holds.
        """
        self._held_until |= dict.fromkeys(held, at + timedelta(seconds=LAG))
        found: list[Stray] = []
        for slot in slots:
            line, number = slot
            ours = self._held_until.get(slot, at) > at
            loud = line in levels and not ours and levels[line][number] > self._energy
            speech = self._speech.get(slot)
            if loud:
                found += self._hear(slot, speech, at)
            elif speech is not None and (ours or (at - speech.last).total_seconds() >= QUIET):
                found += self._end(slot, speech)
        return tuple(found)

    def flush(self) -> tuple[Stray, ...]:
        """All that lasts, so far: the recorder ends."""
        return tuple(stray for slot, speech in list(self._speech.items()) for stray in self._end(slot, speech))

    def alarms(self) -> list[AlarmRaised | AlarmCleared]:
        """That came or went since the last call."""
        changes, self._changes = self._changes, []
        return changes

    def _hear(self, slot: Slot, speech: _Speech | None, at: datetime) -> list[Stray]:
        step = timedelta(seconds=self._step)
        if speech is None:
            speech = self._speech[slot] = _Speech(at - step, at)
        speech.last = at
        speech.seconds += self._step
        if speech.seconds >= LEAST and not speech.told:
            speech.told = True
            text = f"slot {slot[1]} of {slot[0]} carries speech and no conversation is on it: is a call not reported?"
            self._changes.append(AlarmRaised(_key(slot), Severity.WARNING, text))
        if (at - speech.since).total_seconds() < WRITE or not speech.told:
            return []
        self._speech[slot] = _Speech(at, at, told=True)
        return [_stray(slot, speech)]

    def _end(self, slot: Slot, speech: _Speech) -> list[Stray]:
        del self._speech[slot]
        if not speech.told:
            return []
        self._changes.append(AlarmCleared(_key(slot)))
        return [_stray(slot, speech)] if speech.seconds else []


def _key(slot: Slot) -> str:
    return f"stray-audio:{slot[0]}:{slot[1]}"


def _stray(slot: Slot, speech: _Speech) -> Stray:
    return Stray(
        line=slot[0], slot=slot[1], since=speech.since, until=speech.last, speech_seconds=round(speech.seconds, 1)
    )
