"""Rules, pauses and recordings on demand, from the PBX's first event to the bytes on the disk, in virtual time."""

from pathlib import Path
from typing import Any

import pytest

from osrec.engine.messages import Demand, Demanded, Wipe
from osrec.engine.pool import Pair
from osrec.engine.rules import Rule, RuleSet
from osrec.numbers import Patterns
from osrec.recorder.parts import store_config
from osrec.recorder.replay import replay
from osrec.recorder.rules import build_rules
from osrec.store.ledger import Ledger
from osrec.store.media import read_octets
from osrec.store.reconcile import reconcile
from osrec.store.sidecar import Sidecar
from osrec_drivers.line import IDLE
from tests.scenario.site import Site
from tests.scenario.test_calls import TWO_PARTY, equal, steps

CALL_AND_HANG_UP = (*TWO_PARTY, (8.0, "3100", "hangup"))
ON_DEMAND = [{"name": "ask", "action": "on_demand"}]
NEVER = [{"name": "secret", "action": "never"}]
PIECE = 160  # octets, 20 ms of speech: long enough to be found by chance in nothing else


def site(directory: Path, rules: list[dict[str, Any]] | None = None, **more: Any) -> Site:
    changes: dict[str, Any] = {} if rules is None else {"rules": rules}
    return Site(directory, steps(*CALL_AND_HANG_UP), **changes, **more)


def demand(running: Site, what: Demand, target: str = "3100", seconds: float | None = None) -> None:
    assert running.recorder is not None
    reply = running.recorder.demand(Demanded(target, what, "a test", seconds))
    assert reply.error is None, reply.error


def spoken(running: Site, pair: Pair, since: float) -> list[bytes]:
    """Pieces of what both sides of a pair said since then, none of them silence."""
    line = running.lines[pair.line]
    first = line.head - round((running.clock.time - since) * 8000)
    sides = [line.read(port.slot, first, line.head - first) for port in (pair.own, pair.other)]
    found = [side[at : at + PIECE] for side in sides for at in range(0, len(side) - PIECE, PIECE)]
    return [piece for piece in found if len(set(piece)) > 20]


def pair_of(running: Site) -> Pair:
    assert running.recorder is not None
    (recording,) = running.recorder.engine.recordings.values()
    return recording.pair


def found_on_disk(running: Site, wanted: list[bytes]) -> list[Path]:
    """Files of the data directory, journal and all, that have one of the pieces."""
    files = [path for path in (running.directory / "data").rglob("*") if path.is_file()]
    return [path for path in files if any(piece in content for content in (path.read_bytes(),) for piece in wanted)]


def decoded(running: Site, sidecar: Sidecar) -> tuple[bytes, bytes]:
    media = running.directory / "data" / "media" / f"{sidecar.started:%Y/%m/%d}" / sidecar.media.file
    sides = list(read_octets(media))
    return b"".join(left for left, _ in sides), b"".join(right for _, right in sides)


def ledger(running: Site) -> Ledger:
    return reconcile(store_config(running.config))


def test_a_call_that_is_never_to_be_recorded_leaves_no_octet_on_the_disk(tmp_path: Path) -> None:
    with site(tmp_path / "recorded") as running:
        running.run(6.0)
        words = spoken(running, pair_of(running), 2.0)
        assert found_on_disk(running, words) != []
    with site(tmp_path / "never", NEVER) as running:  # the same PBX: everybody says the same at the same time
        running.run(6.0)
        assert found_on_disk(running, words) == []
        running.run(6.0)
        running.finish()
        assert found_on_disk(running, words) == []
        (conversation,) = running.conversations()
        assert (conversation.decision.action, conversation.recordings) == ("never", ())
        assert list((running.directory / "data" / "media").rglob("*.*")) == []
        (entry,) = ledger(running).entries
        assert (entry.kind, entry.reason) == ("not_recorded", "never")


def test_what_is_paused_is_on_no_disk_and_silent_in_the_file_with_the_time_line_kept(tmp_path: Path) -> None:
    with site(tmp_path) as running:
        running.run(4.0)
        pair = pair_of(running)
        paused_at = running.clock.time
        demand(running, Demand.PAUSE)
        running.run(2.0)
        secret = spoken(running, pair, paused_at)
        demand(running, Demand.RESUME)
        assert secret, "there was speech while it was paused"
        running.run(6.0)
        running.finish()
        equal(running, "paused")
        assert found_on_disk(running, secret) == []
        (sidecar,) = running.sidecars()
        (gap,) = sidecar.gaps
        assert (gap.cause, gap.count) == ("paused", 16000)
        assert [event.kind for event in sidecar.events if event.kind in ("paused", "resumed")] == ["paused", "resumed"]
        for side in decoded(running, sidecar):
            assert set(side[gap.first : gap.first + gap.count]) == {IDLE}
        (entry,) = ledger(running).entries
        assert entry.kind == "gaps"
        assert [one.cause for one in entry.recordings[0].gaps] == ["paused"]


def test_a_recorder_that_is_killed_while_paused_comes_back_paused(tmp_path: Path) -> None:
    with site(tmp_path) as running:
        running.run(4.0)
        paused_at = running.clock.time
        demand(running, Demand.PAUSE)
        running.run(0.5)
        pair = pair_of(running)
        before = spoken(running, pair, paused_at)
        running.kill_recorder()
        running.run(0.5)
        running.start_recorder()
        back_at = running.clock.time
        running.run(3.5)
        after = spoken(running, pair, back_at)
        assert before
        assert after
        demand(running, Demand.RESUME)
        running.run(6.0)
        running.finish()
        assert found_on_disk(running, before + after) == []
        (sidecar,) = running.sidecars()
        assert [gap.cause for gap in sidecar.gaps] == ["paused"]
        assert sidecar.gaps[0].count == pytest.approx(4.5 * 8000, abs=800)


def test_nothing_of_a_call_on_demand_that_nobody_asked_for_stays_on_the_disk(tmp_path: Path) -> None:
    with site(tmp_path, ON_DEMAND) as running:
        running.run(6.0)
        pair = pair_of(running)
        words = spoken(running, pair, 3.0)
        assert found_on_disk(running, words) != []  # in the journal: somebody may still ask for its beginning
        running.run(6.0)
        running.finish()
        assert found_on_disk(running, words) == []
        assert running.recordings() == []
        (entry,) = ledger(running).entries
        assert (entry.kind, entry.reason) == ("not_recorded", "not_kept")


@pytest.mark.parametrize(
    ("what", "seconds", "length"), [(Demand.KEEP, None, 8.0), (Demand.START, None, 4.0), (Demand.KEEP_LAST, 2.0, 6.0)]
)
def test_a_call_on_demand_is_kept_from_where_somebody_asked(
    tmp_path: Path, what: Demand, seconds: float | None, length: float
) -> None:
    with site(tmp_path, ON_DEMAND) as running:
        running.run(5.5)  # it talks since 1.5
        demand(running, what, seconds=seconds)
        running.run(7.0)
        running.finish()
        (sidecar,) = running.sidecars()
        assert sidecar.sample_count / 8000 == pytest.approx(length + 0.3, abs=0.2)
        assert sidecar.kept is not None
        assert sidecar.kept.by == "a test"
        assert sidecar.gaps == []
        (entry,) = ledger(running).entries
        assert [one.span.cause for one in entry.missed] == ([] if what is Demand.KEEP else ["not_kept"])


def test_what_was_asked_to_be_kept_is_kept_although_the_recorder_is_killed(tmp_path: Path) -> None:
    with site(tmp_path, ON_DEMAND) as running:
        running.run(4.0)
        demand(running, Demand.KEEP)
        running.run(0.3)
        running.kill_recorder()
        running.run(0.3)
        running.start_recorder()
        running.run(8.0)
        running.finish()
        (sidecar,) = running.sidecars()
        assert sidecar.sample_count > 7 * 8000
        assert ledger(running).findings == ()


def test_a_call_that_may_never_be_recorded_from_some_moment_on_is_recorded_up_to_it(tmp_path: Path) -> None:
    consult = ((3.0, "3100", "consult", "3101"), (0.5, "3101", "answer"), (3.0, "3100", "hangup"))
    rules = [{"name": "secret", "action": "never", "numbers": ["3101"]}, {"name": "all", "action": "record"}]
    with Site(tmp_path, steps(*TWO_PARTY, *consult), rules=rules) as running:
        running.run(4.4)
        pair = pair_of(running)
        running.run(0.4)  # at 4.5 it consults
        assert spoken(running, pair, 4.6) == []  # wiped from the ring, too
        running.run(6.0)
        running.finish()
        (sidecar,) = running.sidecars()
        assert sidecar.sample_count / 8000 == pytest.approx(3.0, abs=0.2)
        assert sidecar.reason == "a rule says never"
        (entry,) = ledger(running).entries
        assert entry.kind == "gaps"
        (missed,) = entry.missed
        assert (missed.span.cause, missed.span.until) == ("never", entry.conversation.ended)


def test_new_rules_leave_running_recordings_alone_and_decide_about_the_next_call(tmp_path: Path) -> None:
    again = ((1.0, "+48221234567", "call", "3101"), (0.5, "3101", "answer"), (3.0, "3101", "hangup"))
    with Site(tmp_path, steps(*CALL_AND_HANG_UP, *again)) as running:
        running.run(4.0)
        recorder = running.recorder
        assert recorder is not None
        recorder.change_rules(RuleSet([Rule("no", "never", stations=Patterns(["3101"])), Rule("all", "record")]))
        assert len(recorder.takes) == 1
        running.run(12.0)
        running.finish()
        assert [one.station for one in running.recordings()] == ["3100"]
        assert [one.decision.rule for one in running.conversations()] == ["all", "no"]


def test_a_rule_may_go_by_the_trunk_and_the_replay_decides_as_the_recorder_did(tmp_path: Path) -> None:
    rules = [
        {"name": "trunk", "action": "record", "trunks": ["78??"], "priority": 3},
        {"name": "some", "action": "never", "percentage": 50},
        {"name": "rest", "action": "record"},
    ]
    inside = steps((2.0, "3102", "call", "3103"), (1.0, "3103", "answer"), (2.0, "3103", "hangup"))
    with Site(tmp_path, steps(*CALL_AND_HANG_UP), inside, rules=rules) as running:
        running.run(12.0)
        running.finish()
        conversations = running.conversations()
        assert [one.decision.rule == "trunk" for one in conversations] == [True, False]
        assert conversations[0].decision.priority == 3
        assert conversations[0].trunks
        replayed = list(replay(build_rules(running.config), conversations))
        assert [one.changes for one in replayed] == [False, False]
        assert [one.after.rule for one in replayed] == [one.decision.rule for one in conversations]


def test_a_wipe_takes_what_the_ring_and_the_journal_have_of_both_sides(tmp_path: Path) -> None:
    with site(tmp_path) as running:
        running.run(5.0)
        pair, since = pair_of(running), running.clock.time - 1.5
        words = spoken(running, pair, since)
        assert words
        assert found_on_disk(running, words) != []
        assert running.recorder is not None
        (recording,) = running.recorder.engine.recordings
        running.recorder.takes.do(Wipe(recording, pair.line, (pair.own.slot, pair.other.slot), since))
        assert spoken(running, pair, since) == []
        assert spoken(running, pair, since - 1.0) != [], "what was before stays"
        running.run(7.0)
        running.finish()
        assert found_on_disk(running, words) == []
        (sidecar,) = running.sidecars()
        assert sidecar.sample_count / 8000 == pytest.approx(2.0, abs=0.1)


def test_who_takes_a_parked_call_up_is_recorded_by_a_rule_of_its_own(tmp_path: Path) -> None:
    play = steps(
        (0.5, "3100", "call", "3101"),
        (1.0, "3101", "answer"),
        (3.0, "3100", "park", "3901"),
        (2.0, "3102", "unpark", "3901"),
        (6.0, "3102", "hangup"),
    )
    groups = [{"kind": "park", "numbers": "3901-3903", "recall_after": 10.0}]
    rules = [{"name": "taker", "action": "record", "stations": ["3102"]}]
    with Site(tmp_path, play, pbx={"groups": groups}, site={"groups": ["390?"]}, rules=rules) as running:
        running.run(15).finish()
        (sidecar,) = running.sidecars()
        assert sidecar.station == "3102"
        assert sidecar.sample_count > 6 * 8000


def test_what_a_rule_keeps_of_a_station_on_demand_ends_with_the_talk_that_the_rule_is_about(tmp_path: Path) -> None:
    play = steps(
        *TWO_PARTY,
        (3.0, "3100", "consult", "3101"),
        (1.0, "3101", "answer"),
        (4.0, "3101", "hangup"),
        (1.0, "3100", "retrieve"),
        (6.0, "3100", "hangup"),
    )
    rules = [{"name": "ask", "action": "on_demand", "stations": ["3100"]}, {"name": "all", "action": "record"}]
    with Site(tmp_path, play, rules=rules) as running:
        running.run(20).finish()
        (sidecar,) = running.sidecars()
        assert sidecar.reason == "no rule wants it any more"
        assert 4.0 * 8000 <= sidecar.sample_count < 6.0 * 8000
