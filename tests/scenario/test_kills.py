"""A recorder that is killed in mid-call knows again, when it is back, what it knew of calls that it did not record."""

import json
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

from osrec.recorder.parts import store_config
from osrec.store.block import encode, find
from osrec.store.cut_off import CUT_OFF as KNOWN_BY_RECORDING
from osrec.store.going import CUT_OFF
from osrec.store.keeper import Keeper
from osrec.store.ledger import Entry, Ledger
from osrec.store.ledger_json import ledger_json
from osrec.store.reconcile import reconcile
from osrec_emulators.check.expected import Expected
from osrec_emulators.check.judge import check
from osrec_emulators.check.ledger import Ledger as JudgedLedger
from osrec_emulators.check.outages import OUTAGES
from tests.scenario.site import START, Site
from tests.scenario.test_calls import OUTSIDE, TWO_PARTY, steps
from tests.scenario.test_rules_site import found_on_disk, pair_of, spoken

SECRET_ACCOUNT = [
    {"name": "secret", "action": "never", "accounts": ["007*"]},
    {"name": "all", "action": "record"},
]
ENTERED = {"steps": [  # the code at 3.5; over at 15.5
    *steps(*TWO_PARTY)["steps"],
    {"after": 2.0, "from": "3100", "action": "account", "what": "0071"},
    {"after": 12.0, "from": "3100", "action": "hangup"},
]}  # fmt: skip
CALL = steps(*TWO_PARTY, (12.0, "3100", "hangup"))  # is answered at 1.5 and over at 13.5
SECOND = steps((2.0, "+48221111111", "call", "3101"), (1.0, "3101", "answer"), (14.0, "3101", "hangup"))
REFUSED = {"faults": {"refuse": {"rate": 1.0, "errors": ["conferenceMemberLimitExceeded"]}}}
LOST = {"faults": {"lost": {"first": 1, "after": [2.0, 2.0], "told": True}}}


class UnreachableSite(Site):
    """Its CAP server is out of reach from time to time."""

    reachable = True

    def mend_link(self, listener: int = 1) -> None:
        if self.reachable:
            super().mend_link(listener)


def kill(site: Site, away: float, *, end: str = "kill") -> None:
    """The recorder is killed, or stopped, and comes back."""
    since = site.clock.at()
    if end == "stop":
        assert site.recorder is not None
        site.recorder.stop()
        site.writer.stop()
        site.recorder = None
        site.cut_link()
        site._close_lines()
    else:
        site.kill_recorder()
    site.run(away)
    site.start_recorder()
    row = {"what": "recorder", "from": since.isoformat(), "to": site.clock.at().isoformat()}
    with (site.directory / "truth" / OUTAGES).open("a", encoding="utf-8") as file:
        file.write(json.dumps(row) + "\n")


def judged(site: Site, **expected: Any) -> Ledger:
    """The ledger, in which the emulators' judge finds nothing wrong."""
    config = store_config(site.config)
    ledger = reconcile(config)
    said = JudgedLedger.model_validate(json.loads(json.dumps(ledger_json(ledger, []), default=str)))
    gaps = frozenset({"not_listening", "recorder_restart"})
    rules = Expected(stations=("31??",), gaps=gaps, **expected)
    report = check(site.directory / "truth", config.media, expected=rules, ledger=said)
    assert report.ledger is not None
    assert [fault for one in report.recordings for fault in one.faults] == []
    assert [fault for one in report.ledger.entries for fault in one.faults] == []
    assert list(report.ledger.faults) == []
    assert ledger.findings == ()
    return ledger


def only(ledger: Ledger) -> Entry:
    (entry,) = ledger.entries
    return entry


def seconds(entry: Entry) -> tuple[float, float]:
    """When it began and ended, from the beginning of the test on."""
    one = entry.conversation
    return (one.started - START).total_seconds(), (one.ended - START).total_seconds()


# --- never


@pytest.mark.parametrize("end", ["kill", "stop"])
def test_a_call_forbidden_by_its_account_code_stays_forbidden_after_a_restart(end: str, tmp_path: Path) -> None:
    with Site(tmp_path / "recorded", ENTERED) as site:
        site.run(8.0)
        words = spoken(site, pair_of(site), 4.0)
        assert found_on_disk(site, words) != []
    with Site(tmp_path / "never", ENTERED, rules=SECRET_ACCOUNT) as site:  # the same PBX: everybody says the same
        site.run(3.8)
        kill(site, 1.0, end=end)
        site.run(4.0)
        assert site.recorder is not None
        assert site.recorder.engine.recordings == {}, "the snapshot does not tell the account code"
        site.run(8.0).finish()
        assert found_on_disk(site, words) == []
        entry = only(reconcile(store_config(site.config)))
        assert {missed.span.cause for missed in entry.missed} == {"never"}
        assert entry.conversation.accounts == ("0071",)


def test_digits_and_trunks_of_before_the_restart_are_in_the_ledger(tmp_path: Path) -> None:
    digits = {"after": 1.0, "from": OUTSIDE, "action": "digits", "what": "42#"}
    play = {"steps": [*steps(*TWO_PARTY)["steps"], digits, *steps((9.0, "3100", "hangup"))["steps"]]}
    with Site(tmp_path, play) as site:
        site.run(4.0)
        kill(site, 1.0)
        site.run(9.0).finish()
        conversation = only(judged(site)).conversation
        assert conversation.digits == "42#"
        assert conversation.trunks != ()


# --- missed spans


def test_what_a_conversation_missed_before_the_restart_is_still_missed(tmp_path: Path) -> None:
    with Site(tmp_path, CALL, fork=LOST) as site:
        site.run(6.0)  # the fork was lost at 3.5, and soon granted again
        kill(site, 1.0)
        site.run(9.0).finish()
        entry = only(judged(site))
        assert [one.span.cause for one in entry.missed] == ["fork_lost"]
        assert len(entry.recordings) == 2


def test_a_call_that_waited_for_a_pair_before_the_restart_says_so_and_what_followed(tmp_path: Path) -> None:
    with Site(tmp_path, CALL, SECOND, pairs=1) as site:  # no pair for the second, from 3.0 to 13.5
        site.run(6.0)
        kill(site, 2.0)
        site.run(10.0).finish()
        waited = judged(site).entries[1]
        assert [one.span.cause for one in waited.missed] == ["no_pair", "link_down", "no_pair"]
        first, away, second = (one.span for one in waited.missed)
        assert first.seconds == pytest.approx(3.0, abs=0.6)
        assert first.until == away.since
        assert away.until == second.since
        assert waited.kind == "gaps"
        assert len(waited.recordings) == 1, "from 13.5 on"


# --- conversations that are not recorded


@pytest.mark.parametrize(
    ("rules", "fork", "reason"),
    [
        ([{"name": "secret", "action": "never"}], {}, "never"),
        ([{"name": "others", "action": "record", "stations": ["3103"]}], {}, "no_rule"),
        (None, REFUSED, "fork_refused"),
    ],
)
@pytest.mark.parametrize("end", ["kill", "stop"])
def test_an_unrecorded_call_that_ends_while_the_recorder_is_down_is_told_of_once(
    rules: list[dict[str, Any]] | None, fork: dict[str, Any], reason: str, end: str, tmp_path: Path
) -> None:
    changes: dict[str, Any] = {} if rules is None else {"rules": rules}
    with Site(tmp_path, CALL, fork=fork, **changes) as site:
        site.run(10.0)
        kill(site, 5.0, end=end)
        site.run(5.0).finish()
        entry = only(reconcile(store_config(site.config)))
        assert (entry.kind, entry.reason) == ("not_recorded", reason)
        assert entry.detail.endswith(CUT_OFF)
        began, ended = seconds(entry)
        assert began == pytest.approx(0.5, abs=0.05)
        assert ended == pytest.approx(10.0, abs=0.6), "so long it was seen"
        if rules is None:
            judged(site)


@pytest.mark.parametrize("end", ["kill", "stop"])
def test_an_unrecorded_call_that_outlives_the_restart_is_one_conversation(end: str, tmp_path: Path) -> None:
    with Site(tmp_path, CALL, fork=REFUSED) as site:
        site.run(5.0)
        kill(site, 1.0, end=end)
        site.run(4.0)
        kill(site, 1.0, end=end)
        site.run(5.0).finish()
        entry = only(judged(site))
        assert (entry.kind, entry.reason) == ("not_recorded", "fork_refused")
        assert CUT_OFF not in entry.detail
        assert [round(moment, 1) for moment in seconds(entry)] == [0.5, 13.5]
        causes = [cause for cause, _ in groupby(one.span.cause for one in entry.missed)]
        assert causes == ["fork_refused", "link_down", "fork_refused", "link_down", "fork_refused"]
        assert sum(one.span.seconds for one in entry.missed) == pytest.approx(12.0, abs=0.1), "all of the talk"


@pytest.mark.parametrize("end", ["kill", "stop"])
def test_who_was_found_between_two_restarts_was_away_for_the_second_time_only(end: str, tmp_path: Path) -> None:
    """The call was sent on to somebody else while the recorder was away for the first time."""
    play = steps(*TWO_PARTY, (4.5, "3100", "blind_transfer", "3101"), (2.0, "3101", "answer"), (8.0, "3101", "hangup"))
    with Site(tmp_path, play, fork=REFUSED) as site:
        site.run(5.0)
        kill(site, 1.5, end=end)
        site.run(4.0)
        kill(site, 1.0, end=end)
        site.run(8.0).finish()
        entry = only(judged(site))
        theirs = [one.span for one in entry.missed if one.station == "3101"]
        assert (theirs[0].since - START).total_seconds() == pytest.approx(8.0, abs=0.1)
        assert sum(one.seconds for one in theirs) == pytest.approx(8.0, abs=0.1), "all of the talk, once"


def test_killed_again_before_the_link_is_back_nothing_is_forgotten(tmp_path: Path) -> None:
    site = UnreachableSite(tmp_path, CALL, fork=REFUSED)
    with site:
        site.run(5.0)
        site.kill_recorder()
        site.reachable = False
        site.run(1.0)
        site.start_recorder()
        site.run(2.0)
        site.kill_recorder()
        site.reachable = True
        site.run(1.0)
        site.start_recorder()
        site.run(6.0).finish()
        entry = only(reconcile(store_config(site.config)))
        assert sum(one.span.seconds for one in entry.missed) == pytest.approx(12.0, abs=0.1)


def test_a_call_of_which_nobody_heard_again_in_time_is_told_as_far_as_it_is_known(tmp_path: Path) -> None:
    with Site(tmp_path, CALL, rules=[{"name": "secret", "action": "never"}], data={"resume_seconds": 5.0}) as site:
        site.run(4.0)
        site.kill_recorder()
        site.run(6.5)
        (told,) = site.conversations()
        assert (told.outcome, told.decision.action) == ("not_recorded", "never"), "the keeper tells of it"
        site.start_recorder()
        site.run(5.0).finish()
        before, after = reconcile(store_config(site.config)).entries
        assert (before.reason, after.reason) == ("never", "never")
        assert seconds(before)[1] == pytest.approx(4.0, abs=0.6)


def test_a_parked_call_is_taken_up_by_the_conversation_of_before_the_restart(tmp_path: Path) -> None:
    play = steps(
        *TWO_PARTY,
        (3.0, "3100", "park", "3850"),
        (6.0, "3101", "unpark", "3850"),
        (4.0, "3101", "hangup"),
    )
    groups = [{"kind": "park", "numbers": "3850-3859"}]
    with Site(tmp_path, play, pbx={"groups": groups}, site={"groups": ["38??"]}) as site:
        site.run(6.0)
        kill(site, 1.0)
        site.run(10.0).finish()
        entry = only(judged(site))
        assert entry.conversation.stations == ("3100", "3101")
        assert entry.conversation.parked_by == "3100"
        assert len(entry.recordings) == 2


def test_a_journal_of_an_older_version_that_tells_of_no_conversations_is_gone_on_with(tmp_path: Path) -> None:
    with Site(tmp_path, CALL) as site:
        site.run(5.0)
        site.kill_recorder()
        make_older(site)
        site.run(1.0)
        site.start_recorder()
        site.run(9.0).finish()
        report = site.judge("not_listening", "recorder_restart", restarts=1)
        assert [fault for one in report.recordings for fault in one.faults] == []
        entry = only(reconcile(store_config(site.config)))
        (recording,) = entry.recordings
        assert sum(gap.seconds for gap in recording.gaps) == pytest.approx(1.0, abs=0.2), "it is the same recording"


def test_of_an_older_journal_a_conversation_that_was_over_is_known_by_its_recording(tmp_path: Path) -> None:
    with Site(tmp_path, steps(*TWO_PARTY, (4.0, "3100", "hangup"))) as site:
        site.run(6.2)  # over at 5.5, and told of 1 s later
        site.kill_recorder()
        make_older(site)
        site.run(1.0)
        site.start_recorder()
        site.run(8.0).finish()
        entry = only(reconcile(store_config(site.config)))
        assert (entry.kind, entry.detail) == ("recorded", KNOWN_BY_RECORDING)


def make_older(site: Site) -> None:
    """Make the records of conversations that go on unknown ones, as if nobody had written any."""
    for path in (site.directory / "data" / "journal").glob("seg-*.seg"):
        octets = bytearray(path.read_bytes())
        at = 0
        while (found := find(bytes(octets), at)) is not None:
            start, block = found
            if b'"kind":"going"' in block.payload:
                unknown = replace(block, payload=block.payload.replace(b'"kind":"going"', b'"kind":"other"'))
                octets[start : start + block.length] = encode(unknown)
            at = start + block.length
        path.write_bytes(octets)
    site.keeper.close()  # it has read the journal as it was
    site.keeper = Keeper(store_config(site.config))
