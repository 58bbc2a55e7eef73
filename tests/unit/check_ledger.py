"""A PBX that plays a few conversations, and the ledger that an honest recorder would write of them, to make lies of."""

import json
from collections.abc import Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from osrec.wire.csta import model
from osrec.wire.csta.model import ConnectionId, DeviceId, NoDevice, Participation
from osrec_emulators.check import told
from osrec_emulators.check.expected import Expected
from osrec_emulators.check.ledger import Ledger
from osrec_emulators.check.ledger_judge import LedgerJudge
from osrec_emulators.check.outages import Outage
from osrec_emulators.check.sent import SlotTruth, Truth
from osrec_emulators.check.verdict import LedgerVerdict
from osrec_emulators.pbx.config import PbxConfig
from osrec_emulators.pbx.world import EPOCH, World

A, B, C, D, E = "3100", "3101", "3102", "3103", "3104"
OUTSIDE = "004930123456"
PORTS = ["5001", "5002", "5003", "5004"]
SLOTS = {port: SlotTruth("board/1", at, port, 0xD5, ()) for at, port in enumerate(PORTS, 1)}
LATE = 0.1  # seconds after which the honest recorder has its forks


def at(now: float) -> datetime:
    return datetime.fromtimestamp(EPOCH.timestamp() + now, UTC)


def second(now: float) -> str:
    return at(now).isoformat()


class Pbx:
    """Plays calls; all times are PBX time."""

    def __init__(self, home: Path, **fork: Any) -> None:
        config: dict[str, Any] = {
            "stations": [{"range": "3100-3109"}],
            "trunks": [{"range": "7801-7804"}],
            "recorder_ports": ["5001-5004"],
            "fork": fork,
        }
        self._calls = home / "calls.jsonl"
        self._file = self._calls.open("w", encoding="utf-8", buffering=1)
        self.world = World(PbxConfig.model_validate(config), sink=self._file.write)

    def at(self, now: float) -> World:
        self.world.advance(now)
        return self.world

    def fork(self, now: float, station: str, first: int = 0) -> None:
        """Ask for a station's two sides on the ports from `first` on."""
        call = self.world.switch.calls_of(station)[-1].id
        for port in PORTS[first : first + 2]:
            station_connection = ConnectionId(call, DeviceId(station))
            request = model.SingleStepConference(station_connection, DeviceId(port), Participation.SILENT)
            self.world.request(request, now)

    def release(self, now: float, station: str) -> None:
        """The recorder has the ports of a station taken out of its call."""
        self.at(now)
        call = self.world.switch.calls_of(station)[-1].id
        for port in PORTS[:2]:
            self.world.request(model.ClearConnection(ConnectionId(call, DeviceId(port))), now)

    def incoming(
        self,
        began: float,
        ended: float,
        station: str,
        *,
        first: int | None = 0,
        number: str = OUTSIDE,
        shown: NoDevice | None = None,
    ) -> None:
        """Somebody outside calls; it is answered after a second, and forked."""
        self.at(began).switch.incoming(number, station, shown)
        self.at(began + 1).switch.answer(station)
        if first is not None:
            self.fork(began + 1 + LATE, station, first)
        self.at(ended).switch.clear(station)

    def truth(self) -> Truth:
        self._file.close()
        return Truth(SLOTS, tuple(told.conversations(self._calls)), EPOCH, pruned=False)


def honest(truth: Truth) -> dict[str, Any]:
    """The ledger of a recorder that recorded all that was forked, and nothing else."""
    entries = [_entry(number, each) for number, each in enumerate(truth.conversations)]
    return {"from": None, "to": None, "conversations": entries, "blind": [], "stray": []}


def _entry(number: int, conversation: told.Conversation) -> dict[str, Any]:
    recordings = []
    for station in dict.fromkeys(fork.station for fork in conversation.forks):
        spans = [fork.span for fork in conversation.forks if fork.station == station]
        recordings.append(
            {
                "id": f"r{number}-{station}",
                "station": station,
                "from": iso(min(since for since, _ in spans)),
                "to": iso(max(until for _, until in spans)),
                "gaps": [],
            }
        )
    return {
        "id": f"c{number}",
        "started": conversation.started_at.isoformat(),
        "ended": conversation.ended_at.isoformat(),
        "answered": conversation.answered_at.isoformat() if conversation.answered_at else None,
        "direction": conversation.direction,
        "stations": list(conversation.stations),
        "parties": [party.number for party in conversation.parties],
        "calls": sorted(conversation.calls),
        "class": "recorded" if recordings else "not_recorded",
        "reason": None if recordings else "not_answered",
        "detail": "",
        "recordings": recordings,
        "missed": [],
    }


def iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()


def missed(station: str, since: float, until: float, cause: str) -> dict[str, Any]:
    return {"station": station, "from": second(since), "to": second(until), "cause": cause, "detail": None}


def outage(what: str, since: float, until: float, station: str | None = None) -> Outage:
    return Outage(what, (at(since).timestamp(), at(until).timestamp()), station)


@dataclass
class Case:
    """A truth with its honest ledger."""

    truth: Truth
    outages: list[Outage] = field(default_factory=list)
    expected: Expected = field(default_factory=Expected)

    def __post_init__(self) -> None:
        self.ledger = honest(self.truth)

    @property
    def entries(self) -> list[dict[str, Any]]:
        entries: list[dict[str, Any]] = self.ledger["conversations"]
        return entries

    def judge(self) -> LedgerVerdict:
        ledger = Ledger.model_validate_json(json.dumps(self.ledger))
        return LedgerJudge(self.truth, self.outages, self.expected).judge(ledger)

    def faults(self) -> list[str]:
        """Of all entries and of the whole."""
        verdict = self.judge()
        return [*(fault for entry in verdict.entries for fault in entry.faults), *verdict.faults]

    def blind(self, since: float, until: float, cause: str, station: str | None = None) -> None:
        self.ledger["blind"].append({"station": station, "from": second(since), "to": second(until), "cause": cause})


def copied(entry: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
    return {**deepcopy(dict(entry)), **changes}


def without_recording(entry: dict[str, Any], reason: str, gaps: Iterable[dict[str, Any]] = ()) -> None:
    """The conversation is said not to be recorded."""
    entry |= {"class": "not_recorded", "reason": reason, "recordings": [], "missed": list(gaps)}
