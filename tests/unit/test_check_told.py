"""What lies beside the recordings and the ledger is read as it was written: calls, outages, withheld events."""

import json
from pathlib import Path
from typing import Any

import pytest

from osrec.errors import ConfigError
from osrec_emulators.check import told
from osrec_emulators.check.expected import Expected
from osrec_emulators.check.ledger import Ledger, load_ledger
from osrec_emulators.check.ledger_judge import LedgerJudge
from osrec_emulators.check.outages import Outage, outages
from osrec_emulators.check.withheld import silences, withheld
from tests.unit.check_ledger import A, B, Case, Pbx, at, second


def row(thread: str, calls: list[str], **more: Any) -> dict[str, Any]:
    return {
        "thread": thread,
        "calls": calls,
        "stations": [A],
        "direction": "in",
        "started": 0.0,
        "started_at": second(0),
        "answered_at": None,
        "ended_at": second(9),
    } | more


def read(tmp_path: Path, *rows: dict[str, Any]) -> list[told.Conversation]:
    path = tmp_path / "calls.jsonl"
    path.write_text("".join(json.dumps(each) + "\n" for each in rows))
    return told.conversations(path)


def test_conversations_that_became_one_are_read_as_one(tmp_path: Path) -> None:
    first = row("a", ["01"], merged_into="b", answered_at=second(2))
    second_ = row("b", ["02"], merged_into="c", stations=[B], ended_at=second(12))
    third = row("c", ["03"], started_at=second(3), answered_at=second(4), ended_at=second(20))
    (one,) = read(tmp_path, first, second_, third)
    assert (one.thread, one.stations) == ("c", (A, B))
    assert one.calls == {"01", "02", "03"}
    assert (one.started_at, one.answered_at, one.ended_at) == (at(0), at(2), at(20))


def test_a_conversation_whose_heir_is_not_told_stays_as_it_is(tmp_path: Path) -> None:
    assert [each.thread for each in read(tmp_path, row("a", ["01"], merged_into="z"))] == ["a"]


def test_refused_requests_of_no_conversation_are_passed_over(tmp_path: Path) -> None:
    assert [each.thread for each in read(tmp_path, {"is": "refused", "at": 1.0}, row("a", ["01"]))] == ["a"]


def test_a_call_reaches_its_station_when_the_queue_lets_it_go(tmp_path: Path) -> None:
    events = [[100.0, "Originated", "0891"], [100.0, "Queued", "3900"], [107.5, "Delivered", A]]
    waiting, merged = row("a", ["01"], started=100.0, events=events), row("b", ["02"], merged_into="a")
    (one,) = read(tmp_path, waiting, merged)
    assert (one.started_at, one.reached_at) == (at(0), at(7.5))


def test_pbx_time_becomes_utc(tmp_path: Path) -> None:
    talk = {"station": A, "call": "01", "heard": True, "from": 102.5, "to": 104.0}
    (one,) = read(tmp_path, row("a", ["01"], started=100.0, talks=[talk]))
    assert one.talks[0].span == (at(2.5).timestamp(), at(4).timestamp())


def test_outages_are_read(tmp_path: Path) -> None:
    assert outages(tmp_path) == ()
    rows = [
        {"what": "link", "from": second(1), "to": second(2)},
        {"what": "licence", "from": second(3), "to": None, "station": A},
        {"what": "line", "from": second(3), "to": second(4), "line": "board/1"},
    ]
    (tmp_path / "outages.jsonl").write_text("".join(json.dumps(each) + "\n" for each in rows))
    times = [at(now).timestamp() for now in range(5)]
    assert outages(tmp_path) == (
        Outage("link", (times[1], times[2])),
        Outage("licence", (times[3], float("inf")), A),
        Outage("line", (times[3], times[4]), None, "board/1"),
    )


def test_an_outage_of_no_known_kind_is_explained(tmp_path: Path) -> None:
    (tmp_path / "outages.jsonl").write_text(json.dumps({"what": "rain", "from": second(1), "to": None}) + "\n")
    with pytest.raises(ConfigError, match="what = 'rain': there are answer, journal, licence"):
        outages(tmp_path)


def fault(fault: str, now: float, detail: str) -> dict[str, Any]:
    return {"at": second(now), "seconds": now, "client": "a", "user": "b", "fault": fault, "detail": detail}


def log(tmp_path: Path, *rows: dict[str, Any]) -> Path:
    (tmp_path / "faults.jsonl").write_text("".join(json.dumps(each) + "\n" for each in rows))
    return tmp_path


def test_withheld_events_are_found_by_call(tmp_path: Path) -> None:
    log(
        tmp_path,
        fault("lost", 5, "Established of monitor 0001, call 0a01"),
        fault("lose_events", 6, "Held of monitor 0001, call 0a01"),
        fault("duplicate", 7, "Held of monitor 0001, call 0a02"),
        fault("lost", 7, "BackInService of monitor 0001"),
    )
    assert withheld(tmp_path) == {"0a01": [at(5).timestamp(), at(6).timestamp()]}


@pytest.mark.parametrize(("detail", "seconds"), [("5 s", 5), ("for ever", 120), ("900 s", 120)])
def test_a_silent_client_had_no_link(tmp_path: Path, detail: str, seconds: float) -> None:
    log(tmp_path, fault("half_open", 5, detail), fault("pause_reading", 5, "9 s"))
    began = at(5).timestamp()
    assert silences(tmp_path) == (Outage("link", (began, began + seconds)),)


def test_what_is_wrong_since_events_were_withheld_is_excused(tmp_path: Path) -> None:
    pbx = Pbx(tmp_path)
    pbx.incoming(10, 40, A)
    pbx.incoming(60, 80, A)
    case = Case(pbx.truth())
    case.entries[0]["recordings"][0]["to"] = second(20)
    del case.entries[1]
    assert len(case.faults()) == 3
    ledger = Ledger.model_validate_json(json.dumps(case.ledger))
    one, other = (sorted(each.calls)[0] for each in case.truth.conversations)

    def judged(**moments: float) -> tuple[int, int]:
        kept = {call: [at(now).timestamp()] for call, now in ((one, moments["one"]), (other, moments["other"]))}
        verdict = LedgerJudge(case.truth, (), Expected(), kept).judge(ledger)
        faults = len(verdict.faults) + sum(len(entry.faults) for entry in verdict.entries)
        return faults, len(verdict.excused) + sum(len(entry.excused) for entry in verdict.entries)

    assert judged(one=15, other=61) == (0, 3)
    assert judged(one=15, other=100) == (1, 2)  # long after it had ended
    assert judged(one=100, other=61) == (2, 1)


def test_a_ledger_that_is_none_is_explained(tmp_path: Path) -> None:
    path = tmp_path / "ledger.json"
    with pytest.raises(ConfigError, match=r"ledger\.json: No such file"):
        load_ledger(path)
    path.write_text('{"from": null, "to": null, "conversations": [], "blind": {}, "stray": []}')
    with pytest.raises(ConfigError, match=r"is no ledger: blind = '\{\}'"):
        load_ledger(path)
