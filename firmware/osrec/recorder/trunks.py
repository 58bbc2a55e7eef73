"""The signalling of all lines that have one, whichever it is."""

from collections.abc import Mapping
from typing import Any, Protocol

from osrec.recorder.trunk_calls import News

POLL = 0.02  # seconds between two looks: a call of the PBX waits so long at most


class Trunk(Protocol):
    """The signalling of one line."""

    def step(self, now: float) -> list[News]: ...

    def hang_up(self, slot: int, now: float) -> list[News]: ...

    def reference(self, slot: int) -> int | None: ...

    def state(self) -> dict[str, Any]: ...

    def close(self) -> None: ...


class Trunks:
    """All of one recorder. Lines without signalling are not among them."""

    def __init__(self) -> None:
        self._trunks: dict[str, Trunk] = {}
        self._next = 0.0

    def begin(self, trunks: Mapping[str, Trunk]) -> None:
        """From now on these, by line."""
        self._trunks = dict(trunks)

    @property
    def deadline(self) -> float | None:
        """When to call `step`."""
        return self._next if self._trunks else None

    def step(self, now: float) -> list[News]:
        """Take what has come, do what is due; what has happened since the last time."""
        self._next = now + POLL
        return [news for trunk in self._trunks.values() for news in trunk.step(now)]

    def hang_up(self, line: str, slot: int, now: float) -> list[News]:
        """End the PBX's call on a time slot."""
        return self._trunks[line].hang_up(slot, now)

    def reference(self, line: str, slot: int) -> int | None:
        """The call reference of the PBX's call on a time slot; None where there is none."""
        trunk = self._trunks.get(line)
        return None if trunk is None else trunk.reference(slot)

    def state(self, line: str) -> dict[str, Any] | None:
        """For people: JSON values; None for a line without signalling."""
        trunk = self._trunks.get(line)
        return None if trunk is None else trunk.state()

    def close(self) -> None:
        """Nothing more is said."""
        for trunk in self._trunks.values():
            trunk.close()
