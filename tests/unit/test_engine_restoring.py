"""The engine takes up what an earlier run left: since when was each station not seen, after one restart or several?"""

from datetime import datetime, timedelta

from osrec.csta.messages import LinkDown, SnapshotTaken
from osrec.engine import messages as out
from osrec.engine.messages import Restore, Stopping, TakenOver
from osrec.recorder.resuming import restored
from osrec.store.going import together
from osrec.store.records import Going
from osrec.wire.csta.model import SnapshotLeg
from tests.unit.csta_events import conn
from tests.unit.engine_bench import CONNECTED, START, A, B, Bench, every


def going_of(outputs: list[out.Output]) -> Going:
    first, *news = [one.record for one in every(outputs, out.Noted) if isinstance(one.record, Going)]
    for one in news:
        first = together(first, one)
    return first


def next_run(going: Going, seen: float, now: float) -> Bench:
    """A recorder comes back, and has no link yet; all was seen at `seen` last."""
    bench = Bench(pairs=[], now=now)
    bench.give(LinkDown("not yet"))
    at = START + timedelta(seconds=now)
    conversation = restored(going, now, at, [A, B])
    bench.give(Restore(going, conversation, seen, START + timedelta(seconds=seen)))
    bench.give(TakenOver())
    return bench


def found(bench: Bench, station: str) -> None:
    bench.give(SnapshotTaken(station, (SnapshotLeg(conn(1, station), None, (CONNECTED, CONNECTED)),)))


def moment(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def test_who_was_found_before_the_next_restart_was_away_for_that_one_only() -> None:
    bench = Bench(pairs=[])
    bench.call()
    second = next_run(going_of(bench.outputs), 1010.0, 1020.0)
    second.connect()
    found(second, A)
    going = going_of(second.outputs)
    assert (going.unseen_since, going.unseen) == (None, {B: moment(1010)}), "it goes on; of B nobody knows"
    third = next_run(going, 1030.0, 1040.0)
    third.connect()
    for station in (A, B):
        found(third, station)
    third.give(Stopping())
    spans = [one for one in going_of(third.outputs).missed if one.detail == "the recorder did not run"]
    assert {(one.station, one.since) for one in spans if one.until == moment(1040)} == {
        (A, moment(1030)),
        (B, moment(1010)),
    }
