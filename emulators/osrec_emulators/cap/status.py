"""What the CAP server shows of itself: its clients, and the faults that were played."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from osrec_emulators.cap.messages import Counters


@dataclass(frozen=True, slots=True)
class ClientStatus:
    """One client, connected or gone."""

    peer: str
    user: str
    associated: bool
    monitors: int
    counters: Counters

    def __str__(self) -> str:
        counters = self.counters
        faults = ", ".join(f"{name} {count}" for name, count in sorted(counters.faults.items())) or "none"
        return (
            f"{self.user or 'nobody'} at {self.peer}: {counters.events} events, {counters.withheld} withheld, "
            f"{counters.sent} PDUs sent, {counters.received} received ({counters.undecodable} undecodable), "
            f"{counters.errors} errors, {counters.rejects} rejects; faults: {faults}"
        )


@dataclass(frozen=True, slots=True)
class PlayedFault:
    """A declared fault was played. `client` and `user` are empty for what concerns the whole server.

    Attributes:
        at: PBX time, in seconds.
    """

    at: float
    client: str
    user: str
    fault: str
    detail: str

    def as_json(self, wall: datetime) -> dict[str, Any]:
        """One line of faults.jsonl; `wall` is `at` as UTC."""
        return {"at": wall.isoformat(), "seconds": round(self.at, 6)} | {
            key: value for key, value in asdict(self).items() if key != "at"
        }
