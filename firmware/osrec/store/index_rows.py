"""Rows of the index and the values that they stand for."""

import json
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from hashlib import sha256 as digest
from pathlib import Path
from uuid import UUID

from osrec.store.assembly import seconds
from osrec.store.records import Blind, ConversationEnded, Decision, Direction, Dropped, Missed, Party, Stray
from osrec.store.schema import (
    ConversationPartyRow,
    ConversationRow,
    LedgerRow,
    RecordingPartyRow,
    RecordingRow,
)
from osrec.store.sidecar import Sidecar


@dataclass(frozen=True, slots=True)
class Recording:
    """A recording as the index knows it; `sidecar` is below the media directory and tells everything else."""

    id: UUID
    conversation: UUID
    station: str
    started: datetime
    ended: datetime
    direction: Direction
    parties: tuple[Party, ...]
    codec: str
    sample_count: int
    missing_samples: int
    reason: str
    sidecar: str
    sidecar_sha256: str
    media_file: str
    media_bytes: int
    media_sha256: str
    left_sha256: str
    right_sha256: str
    key_id: int
    flags: tuple[str, ...]
    stored: datetime

    @property
    def seconds(self) -> float:
        return seconds(self.sample_count)

    @property
    def missing_seconds(self) -> float:
        return seconds(self.missing_samples)


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation that is over."""

    id: UUID
    started: datetime
    answered: datetime | None
    ended: datetime
    direction: Direction
    outcome: str
    reason: str | None
    stations: tuple[str, ...]
    parties: tuple[Party, ...]
    calls: tuple[str, ...]
    recordings: tuple[UUID, ...]
    decision: Decision
    missed: tuple[Missed, ...] = ()
    accounts: tuple[str, ...] = ()
    digits: str = ""
    trunks: tuple[str, ...] = ()
    via: tuple[str, ...] = ()
    parked_by: str | None = None


LedgerFact = Blind | Stray | Dropped
Told = ConversationEnded | LedgerFact


def recording_row(sidecar: Sidecar, file: str, sha256: str, stored: datetime) -> RecordingRow:
    parties = [RecordingPartyRow(**_party_columns(at, party)) for at, party in enumerate(sidecar.parties)]
    return RecordingRow(
        id=str(sidecar.recording),
        conversation=str(sidecar.conversation),
        station=sidecar.station,
        started=sidecar.started,
        ended=sidecar.ended,
        direction=sidecar.direction,
        codec=sidecar.codec,
        sample_count=sidecar.sample_count,
        missing_samples=sidecar.missing_samples,
        reason=sidecar.reason,
        sidecar=file,
        sidecar_sha256=sha256,
        media_file=str(Path(file).with_name(sidecar.media.file)),
        media_bytes=sidecar.media.bytes,
        media_sha256=sidecar.media.sha256,
        left_sha256=sidecar.media.octets_sha256.left,
        right_sha256=sidecar.media.octets_sha256.right,
        key_id=sidecar.key_id,
        flags=" ".join(sidecar.flags),
        stored=stored,
        parties=parties,
    )


def _party_columns(position: int, party: Party) -> dict[str, object]:
    reverse = None if party.number is None else party.number[::-1]
    return {"position": position, "number_reversed": reverse, **party.model_dump()}


def ledger_row(fact: LedgerFact) -> LedgerRow:
    text = fact.model_dump_json()
    id = digest(text.encode()).hexdigest()
    whose = (
        {"recording": str(fact.recording), "conversation": str(fact.conversation)} if isinstance(fact, Dropped) else {}
    )
    return LedgerRow(id=id, kind=fact.kind, **whose, since=fact.since, until=fact.until, record=text)


def conversation_row(ended: ConversationEnded) -> ConversationRow:
    return ConversationRow(
        id=str(ended.conversation),
        started=ended.started,
        answered=ended.answered,
        ended=ended.ended,
        direction=ended.direction,
        outcome=ended.outcome,
        reason=ended.reason,
        stations=json.dumps(ended.stations),
        calls=json.dumps(ended.calls),
        recordings=json.dumps([str(recording) for recording in ended.recordings]),
        decision=ended.decision.model_dump_json(),
        missed=json.dumps([one.model_dump(mode="json") for one in ended.missed]),
        accounts=json.dumps(ended.accounts),
        digits=ended.digits,
        trunks=json.dumps(ended.trunks),
        via=json.dumps(ended.via),
        parked_by=ended.parked_by,
        parties=[ConversationPartyRow(**_party_columns(at, party)) for at, party in enumerate(ended.parties)],
    )


def of_record(ended: ConversationEnded) -> Conversation:
    """As the index would have it."""
    return conversation_of(conversation_row(ended))


def together(known: Conversation, more: ConversationEnded) -> ConversationEnded:
    """One conversation of two parts; what the later one says of parties and decision counts."""
    answers = [at for at in (known.answered, more.answered) if at is not None]
    recordings = list(dict.fromkeys([*known.recordings, *more.recordings]))
    return more.model_copy(
        update={
            "started": min(known.started, more.started),
            "answered": min(answers, default=None),
            "ended": max(known.ended, more.ended),
            "direction": known.direction if more.direction == "unknown" else more.direction,
            "stations": list(dict.fromkeys([*known.stations, *more.stations])),
            "calls": list(dict.fromkeys([*known.calls, *more.calls])),
            "parties": more.parties + [p for p in known.parties if p.number not in {q.number for q in more.parties}],
            "recordings": recordings,
            "outcome": "recorded" if recordings else "not_recorded",
            "reason": None if recordings else more.reason,
            "missed": list(dict.fromkeys([*known.missed, *more.missed])),
            "accounts": list(dict.fromkeys([*known.accounts, *more.accounts])),
            "digits": more.digits if more.digits.startswith(known.digits) else known.digits + more.digits,
            "trunks": list(dict.fromkeys([*known.trunks, *more.trunks])),
            "via": list(dict.fromkeys([*known.via, *more.via])),
            "parked_by": more.parked_by or known.parked_by,
        }
    )


def _party(row: RecordingPartyRow | ConversationPartyRow) -> Party:
    return Party(number=row.number, name=row.name, external=row.external, recorded=row.recorded, e164=row.e164)


def recording_of(row: RecordingRow) -> Recording:
    return Recording(
        UUID(row.id),
        UUID(row.conversation),
        row.station,
        row.started,
        row.ended,
        row.direction,
        tuple(_party(party) for party in row.parties),
        row.codec,
        row.sample_count,
        row.missing_samples,
        row.reason,
        row.sidecar,
        row.sidecar_sha256,
        row.media_file,
        row.media_bytes,
        row.media_sha256,
        row.left_sha256,
        row.right_sha256,
        row.key_id,
        tuple(row.flags.split()),
        row.stored,
    )


@lru_cache(maxsize=1000)
def _decision(text: str) -> Decision:
    """Of many conversations it is the same."""
    return Decision.model_validate_json(text)


def conversation_of(row: ConversationRow) -> Conversation:
    return Conversation(
        UUID(row.id),
        row.started,
        row.answered,
        row.ended,
        row.direction,
        row.outcome,
        row.reason,
        tuple(json.loads(row.stations)),
        tuple(_party(party) for party in row.parties),
        tuple(json.loads(row.calls)),
        tuple(UUID(recording) for recording in json.loads(row.recordings)),
        _decision(row.decision),
        tuple(Missed.model_validate(one) for one in json.loads(row.missed)),
        tuple(json.loads(row.accounts)),
        row.digits,
        tuple(json.loads(row.trunks)),
        tuple(json.loads(row.via)),
        row.parked_by,
    )
