"""The switching network as far as it is heard: octets for every running fork, from who speaks and who hears whom.

Every voice and tone runs on in PBX time whether anybody hears it or not, so the two sides of a fork, and two forks of
one call, are in step by construction. One call renders all forks: 60 slots cost a few array operations, not 60 loops.
"""

import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from osrec.errors import UsageError
from osrec_emulators.audio import alaw, tones
from osrec_emulators.audio.alaw import Octets
from osrec_emulators.audio.voices import Voices
from osrec_emulators.pbx.media import Fork, Side, Source, Tone, Topology, Voice

NUMBERED = "tone:"
_SILENCE = "silence"


@dataclass(frozen=True, slots=True)
class Block:
    """Some samples of all running forks.

    Attributes:
        first: PBX time of the first sample.
        forks: in the order of the rows of `octets`; the same object as in the block before when nothing changed.
        octets: len(forks) x count.
    """

    first: int
    forks: tuple[Fork, ...]
    octets: Octets

    @property
    def count(self) -> int:
        return int(self.octets.shape[1])


@dataclass(frozen=True, slots=True)
class _Stream:
    """One voice or tone: a loop, entered at a phase of its own."""

    loop: str
    phase: int = 0


class _Bank:
    """All loops in one array, so that any number of them is read with one index."""

    def __init__(self, voices: Voices) -> None:
        self._voices = sorted(voices)
        self._loops: dict[str, Octets] = {_SILENCE: np.array([alaw.IDLE], np.uint8), **voices}
        self._loops |= {f"pbx:{name}": octets for name, octets in tones.call_progress().items()}

    def voice_of(self, device: str) -> str:
        """The speech of a device that nobody gave one: some file, always the same."""
        return self._voices[zlib.crc32(device.encode()) % len(self._voices)] if self._voices else _SILENCE

    def length(self, name: str) -> int:
        if name not in self._loops and name.startswith(NUMBERED):
            self._loops[name] = tones.numbered_tone(_number(name))
            self.__dict__.pop("_packed", None)
        if name not in self._loops:
            raise UsageError(f"no speech {name!r}; there are {', '.join(sorted(self._loops))} and {NUMBERED}N")
        return len(self._loops[name])

    @cached_property
    def _packed(self) -> tuple[Octets, dict[str, int]]:
        ends = np.cumsum([len(loop) for loop in self._loops.values()])
        starts = {name: int(end) - len(self._loops[name]) for name, end in zip(self._loops, ends, strict=True)}
        return np.concatenate(list(self._loops.values())), starts

    @property
    def octets(self) -> Octets:
        return self._packed[0]

    def start(self, name: str) -> int:
        return self._packed[1][name]


def _number(name: str) -> int:
    digits = name.removeprefix(NUMBERED)
    if not digits.isdecimal() or int(digits) > 0xFFFF:
        raise UsageError(f"numbered tone {name!r}: tone:0 to tone:65535 exist")
    return int(digits)


class _Plan:
    """What to render while the topology stays as it is."""

    def __init__(self, topology: Topology, bank: _Bank) -> None:
        self.version = topology.version
        self._bank = bank
        self._topology = topology
        self._rows: dict[_Stream, int] = {_Stream(_SILENCE): 0}
        self.forks = tuple(topology.forks.values())
        heard = [self._streams(fork) for fork in self.forks]
        self.single = np.array([rows[0] if len(rows) == 1 else 0 for rows in heard], np.intp)
        self.mixed = [(index, np.array(rows)) for index, rows in enumerate(heard) if len(rows) > 1]
        streams = list(self._rows)
        self.length = np.array([[bank.length(stream.loop)] for stream in streams], np.int64)
        self.phase = np.array([[stream.phase] for stream in streams], np.int64)
        self.start = np.array([[bank.start(stream.loop)] for stream in streams], np.int64)
        self.numbered = np.array(
            [row for row, stream in enumerate(streams) if stream.loop.startswith(NUMBERED)], np.intp
        )

    def _streams(self, fork: Fork) -> list[int]:
        """Rows of what a fork carries; none when it is silent."""
        own: Iterable[Source] = (Voice(fork.station),)
        sources = own if fork.side is Side.OWN else self._topology.hears(fork.station)
        return [self._rows.setdefault(stream, len(self._rows)) for stream in map(self._stream, sources) if stream]

    def _stream(self, source: Source) -> _Stream | None:
        match source:
            case Tone(name):
                return _Stream(f"pbx:{name}")
            case Voice(device) if self._topology.speaks(device):
                loop = self._topology.says(device) or self._bank.voice_of(device)
                # a numbered tone tells PBX time, so it has no phase of its own
                spread = 0 if loop.startswith(NUMBERED) else zlib.crc32(device.encode()) % self._bank.length(loop)
                return _Stream(loop, spread)
        return None


class AudioPlane:
    """Renders the audio of all running forks.

    Attributes:
        position: PBX time, in samples, of the next block's first one.
    """

    def __init__(self, topology: Topology, voices: Voices, position: int = 0) -> None:
        self.position = position
        self._topology = topology
        self._bank = _Bank(voices)
        self._plan = _Plan(topology, self._bank)

    def render(self, count: int) -> Block:
        """The next `count` samples of all forks that run now.

        Raises UsageError when a party says something that is no speech file and no numbered tone.
        """
        if self._plan.version != self._topology.version:
            forks = self._plan.forks
            self._plan = _Plan(self._topology, self._bank)
            if self._plan.forks == forks:
                self._plan.forks = forks
        plan = self._plan
        streams = self._streams(plan, count)
        octets = streams[plan.single]
        for row, parties in plan.mixed:
            octets[row] = mix(streams[parties])
        block = Block(self.position, plan.forks, octets)
        self.position += count
        return block

    def _streams(self, plan: _Plan, count: int) -> Octets:
        time = np.arange(self.position, self.position + count, dtype=np.int64)
        streams = self._bank.octets[plan.start + (plan.phase + time) % plan.length]
        if len(plan.numbered):
            self._stamp(streams, plan.numbered, time)
        return streams

    @staticmethod
    def _stamp(streams: Octets, rows: NDArray[np.intp], time: NDArray[np.int64]) -> None:
        """Write the block numbers into the marks of numbered tones."""
        digit = time % tones.BLOCK - tones.MARK // 2
        columns = np.flatnonzero((digit >= 0) & (digit < tones.MARK // 2))
        numbers = time[columns] // tones.BLOCK  # their lowest 16 bits are spelled
        spelled = tones.spell(numbers[:, np.newaxis])
        streams[rows[:, np.newaxis], columns] = spelled[np.arange(len(columns)), digit[columns]]


def mix(octets: Octets) -> Octets:
    """Several voices, parties x count, as a conference sums them: linear, saturated, A-law again."""
    total = alaw.decode(octets).astype(np.int32).sum(axis=0)
    return alaw.encode(np.clip(total, -32768, 32767).astype(np.int16))
