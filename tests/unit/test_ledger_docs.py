"""The examples in docs/rules.md and docs/ledger.md are true."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from osrec.config import load_rules
from osrec.engine.rules import Facts
from osrec.recorder.rules import build_rules
from osrec.store.ledger import Ledger, Recorded, Span, classify
from osrec.store.ledger_json import ledger_json
from osrec.store.not_stored import NotStored
from osrec.store.records import Blind, Missed, Stray
from osrec_emulators.check.ledger import load_ledger
from tests.journal_support import START
from tests.unit.test_ledger_classes import conversation

DOCS = Path(__file__).parents[2] / "docs"


def example(document: str, language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", (DOCS / document).read_text(), re.DOTALL)
    assert found is not None
    return found[1]


def test_the_rules_of_the_document_decide_as_it_says(tmp_path: Path) -> None:
    path = tmp_path / "rules.toml"
    path.write_text(example("rules.md", "toml"))
    rules = build_rules(load_rules(path))
    assert rules.warnings() == []

    def rule(station: str, hour: int, *numbers: str, **more: Any) -> str | None:
        at = datetime(2026, 11, 23, hour, tzinfo=UTC)
        return rules.decide(Facts(station, "in", numbers, at=at, conversation=UUID(int=3), **more)).rule

    assert rule("3141", 12, "112") == "works council"
    assert rule("3100", 12, "02281234567", e164=("+492281234567",)) == "doctor"
    assert rule("3100", 12, "112") == "emergency"
    assert rule("3100", 23, "030123") == "hotline at night"
    assert rule("3100", 12, "030123", names=("Test call",)) == "the rest"


def shape(value: Any) -> Any:
    """The members of all objects in it."""
    if isinstance(value, dict):
        return {key: shape(one) for key, one in value.items()}
    return shape(value[0]) if isinstance(value, list) and value else None


def test_the_json_of_the_document_has_the_members_of_the_program() -> None:
    span = Span(START, START, "paused")
    one = conversation(missed=(Missed(station="3100", since=START, until=START, blame="fork_lost"),))
    entry = classify(one, [Recorded(UUID(int=1), "3100", START, START, (span,))], [], 0)
    blind = Blind(station=None, since=START, until=START, blame="link_down")
    stray = Stray(line="trunk1", slot=7, since=START, until=START, speech_seconds=1.0)
    ledger = Ledger(START, None, (entry,), (blind,), (stray,), ())
    over = NotStored(conversation(recordings=(UUID(int=1),)), START, None, None)
    said = ledger_json(ledger, [{"id": "x", "stations": []}], [over])
    assert shape(json.loads(example("ledger.md", "json"))) == shape(said)


def test_the_judge_of_the_emulators_reads_what_the_document_and_the_program_say(tmp_path: Path) -> None:
    path = tmp_path / "ledger.json"
    path.write_text(example("ledger.md", "json"))
    (entry,) = load_ledger(path).conversations
    assert (entry.class_, entry.recordings[0].gaps[0].cause) == ("gaps", "paused")
    entries = (classify(conversation("never"), [], [], 0),)
    path.write_text(json.dumps(ledger_json(Ledger(None, None, entries, (), (), ()), []), default=str))
    (entry,) = load_ledger(path).conversations
    assert (entry.class_, entry.reason) == ("not_recorded", "never")


def test_every_cause_is_described() -> None:
    text = (DOCS / "ledger.md").read_text()
    blames = Missed.model_fields["blame"].annotation.__args__  # type: ignore[union-attr]
    for cause in (*blames, "never", "no_rule", "not_answered", "not_kept", "too_short", "lost"):
        assert f"`{cause}`" in text, cause
