"""The ledger as JSON values, version 1; docs/ledger.md describes the members."""

from collections.abc import Sequence
from typing import Any

from osrec.store.ledger import Entry, Ledger, Span
from osrec.store.not_stored import NotStored

VERSION = 1


def ledger_json(ledger: Ledger, running: list[dict[str, Any]], waiting: Sequence[NotStored] = ()) -> dict[str, Any]:
    """`running`: conversations that go on, as the recorder's status has them; `waiting`: over, and not yet stored."""
    return {
        "version": VERSION,
        "from": ledger.since,
        "to": ledger.until,
        "conversations": [_entry(one) for one in ledger.entries],
        "running": [{"id": one["id"], "stations": one["stations"]} for one in running],
        "not_stored": [not_stored_json(one) for one in waiting],
        "blind": [
            {"station": one.station, "from": one.since, "to": one.until, "cause": one.blame, "detail": one.detail}
            for one in ledger.blind
        ],
        "stray": [
            {
                "line": one.line,
                "slot": one.slot,
                "from": one.since,
                "to": one.until,
                "speech_seconds": one.speech_seconds,
            }
            for one in ledger.stray
        ],
        "totals": ledger.totals(),
        "causes": ledger.causes(),
        "findings": list(ledger.findings),
    }


def not_stored_json(one: NotStored) -> dict[str, Any]:
    conversation = one.conversation
    return {
        "id": str(conversation.id),
        "started": conversation.started,
        "ended": conversation.ended,
        "direction": conversation.direction,
        "stations": list(conversation.stations),
        "parties": [party.number for party in conversation.parties if party.number is not None],
        "class": one.kind,
        "reason": one.reason,
        "recordings": [str(id) for id in conversation.recordings],
    }


def _entry(entry: Entry) -> dict[str, Any]:
    one = entry.conversation
    return {
        "id": str(one.id),
        "started": one.started,
        "ended": one.ended,
        "answered": one.answered,
        "direction": one.direction,
        "stations": list(one.stations),
        "parties": [party.number for party in one.parties if party.number is not None],
        "calls": list(one.calls),
        "via": list(one.via),
        "parked_by": one.parked_by,
        "class": entry.kind,
        "reason": entry.reason,
        "detail": entry.detail,
        "recordings": [
            {
                "id": str(recorded.id),
                "station": recorded.station,
                "from": recorded.since,
                "to": recorded.until,
                "gaps": [_span(gap) for gap in recorded.gaps],
                "silent": list(recorded.silent),
            }
            for recorded in entry.recordings
        ],
        "missed": [
            {"station": missed.station, **_span(missed.span), "detail": missed.detail} for missed in entry.missed
        ],
    }


def _span(span: Span) -> dict[str, Any]:
    return {"from": span.since, "to": span.until, "cause": span.cause}
