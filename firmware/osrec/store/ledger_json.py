"""The ledger as JSON values, version 1; docs/ledger.md describes the members."""

from typing import Any

from osrec.store.ledger import Entry, Ledger, Span

VERSION = 1


def ledger_json(ledger: Ledger, running: list[dict[str, Any]]) -> dict[str, Any]:
    """`running`: conversations that go on, as the recorder's status has them."""
    return {
        "version": VERSION,
        "from": ledger.since,
        "to": ledger.until,
        "conversations": [_entry(one) for one in ledger.entries],
        "running": [{"id": one["id"], "stations": one["stations"]} for one in running],
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
