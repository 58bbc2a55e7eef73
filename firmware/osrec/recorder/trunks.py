"""The signalling of all lines that have one, whichever it is."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import structlog

from osrec.engine.messages import SignallingChanged
from osrec.recorder.trunk_news import News

log = structlog.get_logger()
POLL = 0.02  # seconds between two looks: a call of the PBX waits so long at most
FAULTY = 1.0  # seconds over which faults of ours in a trunk may come before its line counts as down
CALM = 10.0  # seconds without any after which it is trusted again


class Trunk(Protocol):
    """The signalling of one line."""

    @property
    def up(self) -> bool: ...

    def step(self, now: float) -> list[News]: ...

    def hang_up(self, slot: int, now: float) -> list[News]: ...

    def reference(self, slot: int) -> int | None: ...

    def state(self) -> dict[str, Any]: ...

    def close(self) -> None: ...


@dataclass(slots=True)
class _Faults:
    """Of one trunk, and ours: since when, the last one, and whether the engine was told."""

    since: float
    last: float
    told: bool = False


class Trunks:
    """All of one recorder. Lines without signalling are not among them. A fault in one is kept from the others."""

    def __init__(self) -> None:
        self._trunks: dict[str, Trunk] = {}
        self._faults: dict[str, _Faults] = {}
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
        return [news for line, trunk in self._trunks.items() for news in self._guarded(line, trunk.step, now)]

    def hang_up(self, line: str, slot: int, now: float) -> list[News]:
        """End the PBX's call on a time slot."""
        trunk = self._trunks[line]
        return self._guarded(line, lambda now: trunk.hang_up(slot, now), now)

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

    def _guarded(self, line: str, do: Callable[[float], list[News]], now: float) -> list[News]:
        try:
            news = do(now)
        except Exception as error:  # the other lines, and all that runs, must not pay for it
            return self._failed(line, error, now)
        return [*news, *self._went_well(line, now)]

    def _failed(self, line: str, error: Exception, now: float) -> list[News]:
        faults = self._faults.get(line)
        if faults is None:
            log.exception("signalling could not be followed by our own fault", line=line)
            faults = self._faults[line] = _Faults(now, now)
        faults.last = now
        if faults.told or now - faults.since < FAULTY:
            return []
        faults.told = True
        why = f"a fault of ours, see the log: {type(error).__name__}: {error}"
        return [SignallingChanged(line, up=False, why=why)]

    def _went_well(self, line: str, now: float) -> list[News]:
        faults = self._faults.get(line)
        if faults is None or now - faults.last < CALM:
            return []
        del self._faults[line]
        up = faults.told and self._trunks[line].up
        return [SignallingChanged(line, up=True)] if up else []
