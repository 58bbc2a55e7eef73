"""The class of each conversation: exactly one, with the reason."""

from datetime import timedelta
from itertools import product
from typing import Any
from uuid import UUID

import pytest

from osrec.store.index import Conversation
from osrec.store.ledger import CLASSES, Ledger, Recorded, Span, classify
from osrec.store.records import Blame, Decision, Dropped, Missed
from tests.journal_support import START

ID, REC = UUID(int=1), UUID(int=2)
END = START + timedelta(seconds=60)


def conversation(action: str = "record", **changes: Any) -> Conversation:
    values: dict[str, Any] = {
        "id": ID,
        "started": START,
        "answered": START + timedelta(seconds=5),
        "ended": END,
        "direction": "in",
        "outcome": "recorded",
        "reason": None,
        "stations": ("3100",),
        "parties": (),
        "calls": (),
        "recordings": (),
        "decision": Decision(action=action, rule="r", version="1"),  # type: ignore[arg-type]
    }
    return Conversation(**(values | changes))


def missed(blame: Blame, seconds: float = 1.0) -> Missed:
    return Missed(station="3100", since=START, until=START + timedelta(seconds=seconds), blame=blame)


def dropped(cause: str, whole: bool = True, seconds: float = 5.0) -> Dropped:
    until = START + timedelta(seconds=seconds)
    return Dropped(recording=REC, conversation=ID, station="3100", since=START, until=until, cause=cause, whole=whole)  # type: ignore[arg-type]


WHOLE = Recorded(REC, "3100", START, END, ())
HOLED = Recorded(REC, "3100", START, END, (Span(START, START + timedelta(seconds=1), "los"),))


@pytest.mark.parametrize(
    ("one", "recordings", "parts", "lost", "kind", "reason"),
    [
        (conversation(), [WHOLE], [], 0, "recorded", None),
        (conversation(), [HOLED], [], 0, "gaps", None),
        (conversation(missed=(missed("fork_lost"),)), [WHOLE], [], 0, "gaps", None),
        (conversation("on_demand"), [WHOLE], [dropped("not_kept", whole=False)], 0, "gaps", None),
        (conversation(), [WHOLE], [dropped("not_kept", whole=False, seconds=0)], 0, "recorded", None),
        (conversation(), [WHOLE], [dropped("never", whole=False, seconds=0)], 0, "gaps", None),
        (conversation(), [WHOLE], [], 1, "gaps", None),
        (conversation("never"), [], [], 0, "not_recorded", "never"),
        (conversation("never", answered=None), [], [], 0, "not_recorded", "never"),
        (conversation("none"), [], [], 0, "not_recorded", "no_rule"),
        (conversation(answered=None), [], [], 0, "not_recorded", "not_answered"),
        (conversation("on_demand"), [], [dropped("not_kept")], 0, "not_recorded", "not_kept"),
        (conversation("on_demand"), [], [], 0, "not_recorded", "not_kept"),
        (conversation("on_demand", missed=(missed("no_pair"),)), [], [], 0, "not_recorded", "no_pair"),
        (conversation(missed=(missed("no_pair", 3), missed("licence", 9))), [], [], 0, "not_recorded", "licence"),
        (conversation(), [], [dropped("never")], 0, "not_recorded", "never"),
        (conversation(), [], [], 0, "not_recorded", "too_short"),
        (conversation(), [], [], 1, "not_recorded", "lost"),
    ],
)
def test_a_conversation_is_in_the_class_that_the_facts_ask_for(
    one: Conversation,
    recordings: list[Recorded],
    parts: list[Dropped],
    lost: int,
    kind: str,
    reason: str | None,
) -> None:
    entry = classify(one, recordings, parts, lost)
    assert (entry.kind, entry.reason) == (kind, reason)


def test_whatever_the_facts_a_conversation_is_in_exactly_one_class_and_a_reason_is_given_when_it_is_not_recorded() -> (
    None
):
    actions = ("record", "never", "on_demand", "none")
    misses = ((), (missed("no_pair"),))
    for action, answered, blames, recordings, parts, lost in product(
        actions, (None, START), misses, ([], [WHOLE], [HOLED]), ([], [dropped("never")], [dropped("not_kept")]), (0, 1)
    ):
        entry = classify(conversation(action, answered=answered, missed=blames), recordings, parts, lost)
        ledger = Ledger(None, None, (entry,), (), (), ())
        assert sorted(ledger.totals().values()) == [0, 0, 1]
        assert (entry.kind == "not_recorded") == (not recordings) == (entry.reason is not None)
        if entry.kind == "recorded":
            assert entry.causes == {}
        if entry.kind == "gaps" and not lost:
            assert entry.causes


def test_the_sums_are_by_class_and_by_cause() -> None:
    entries = (
        classify(conversation(), [WHOLE], [], 0),
        classify(conversation(missed=(missed("fork_lost"),)), [HOLED], [], 0),
        classify(conversation("never"), [], [], 0),
        classify(conversation("never"), [], [], 0),
    )
    ledger = Ledger(None, None, entries, (), (), ())
    assert ledger.totals() == {"recorded": 1, "gaps": 1, "not_recorded": 2}
    assert list(ledger.totals()) == list(CLASSES)
    assert ledger.causes() == {"recorded": {}, "gaps": {"los": 1, "fork_lost": 1}, "not_recorded": {"never": 2}}
