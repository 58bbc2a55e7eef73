"""Loops and bit error tests asked of a recorder while calls are recorded."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from osrec.engine.messages import Seized
from osrec.recorder import line_requests
from osrec.recorder.control import RefusedError
from osrec.recorder.line_requests import LineRequests
from osrec.recorder.line_watch import LineWatch
from tests.scenario.site import Site
from tests.scenario.test_calls import TWO_PARTY, steps

SECOND_CALL = 10.0  # seconds from the start


class Asked:
    """The requests of a site with one call on its first pair."""

    def __init__(self, site: Site) -> None:
        assert site.recorder is not None
        self.site, self.recorder = site, site.recorder
        watch = LineWatch(site.recorder.lines, site.clock.at)
        self.requests = LineRequests(site.recorder, watch, site.clock.at)
        (recording,) = site.recorder.engine.recordings.values()
        self.busy = {recording.channels.own.slot, recording.channels.other.slot}

    def ask(self, what: str, **request: Any) -> dict[str, Any]:
        return asyncio.run(self.requests.methods()[what](request))  # type: ignore[arg-type]

    def first_of(self, **request: Any) -> dict[str, Any]:
        async def first() -> dict[str, Any]:
            stream = self.requests.streams()["bert"]({"line": "trunk1", **request})
            answer = await anext(stream)
            self.under_test = set(self.recorder.ears.under_test)
            await stream.aclose()
            return dict(answer["bert"])

        return asyncio.run(first())


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    with Site(tmp_path_factory.mktemp("site"), steps(*TWO_PARTY)) as site:
        site.run(3.0)
        yield Asked(site)


@pytest.fixture
def two_calls(tmp_path: Path) -> Iterator[Asked]:
    """One call now, another one soon."""
    later = steps((SECOND_CALL, "3102", "call", "3103"), (0.5, "3103", "answer"))
    with Site(tmp_path, steps(*TWO_PARTY), later) as site:
        site.run(3.0)
        yield Asked(site)


def refused(asked: Asked, what: str, **request: Any) -> str:
    with pytest.raises(RefusedError) as caught:
        asked.ask(what, **request) if what != "bert" else asked.first_of(**request)
    return str(caught.value)


def test_a_line_with_calls_is_not_looped_unless_forced(asked: Asked) -> None:
    listed = ", ".join(map(str, sorted(asked.busy)))
    for kind in ("local", "remote"):
        said = refused(asked, "loop", line="trunk1", kind=kind)
        assert said.startswith(f"line trunk1: its slots {listed} are in use by calls, and a loop would spoil them")
    assert asked.recorder.lines["trunk1"].status().loop == "none"
    assert not asked.recorder.engine.pool.blocked("trunk1")
    assert asked.ask("loop", line="trunk1", kind="remote", force=True) == {"line": "trunk1", "kind": "remote"}
    assert asked.recorder.lines["trunk1"].status().loop == "remote"
    assert asked.recorder.engine.pool.blocked("trunk1"), "no call comes onto a line in a loop"
    assert asked.ask("loop", line="trunk1", kind="none")["kind"] == "none"
    assert not asked.recorder.engine.pool.blocked("trunk1")


def test_slots_in_use_by_calls_are_not_tested(asked: Asked) -> None:
    busy = min(asked.busy)
    assert f"slots {busy} are in use by calls" in refused(asked, "bert", slots=f"{busy},31")


def test_free_slots_are_tested_and_their_pattern_is_nobodys_speech(asked: Asked) -> None:
    told = asked.first_of(slots="30-31", seconds=0.3)
    assert (told["done"], [one["slot"] for one in told["slots"]]) == (True, [30, 31])
    assert asked.under_test == {("trunk1", 30), ("trunk1", 31)}
    assert asked.recorder.ears.under_test == set()


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        ({"line": "trunk9"}, "line = 'trunk9': one of trunk1"),
        ({}, "line = None: one of trunk1"),
        ({"line": "trunk1", "kind": "both"}, "kind = 'both': one of none, local, remote"),
    ],
)
def test_a_wrong_loop_is_refused_with_what_would_be_right(asked: Asked, request_: dict[str, Any], said: str) -> None:
    assert refused(asked, "loop", **request_) == said


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        ({}, "slots = None: numbers and ranges as text"),
        ({"slots": "0-3"}, "slots = '0-3': time slot 0 does not carry audio"),
        ({"slots": "30", "pattern": "2^23-1"}, "pattern = '2^23-1': one of 2^15-1, 2^11-1, 2^9-1"),
        ({"slots": "30", "seconds": -1}, "seconds = -1: how long to test, more than 0"),
    ],
)
def test_a_wrong_test_is_refused_with_what_would_be_right(asked: Asked, request_: dict[str, Any], said: str) -> None:
    assert said in refused(asked, "bert", **request_)


def _while_a_call_comes(asked: Asked, slots: list[int]) -> asyncio.Task[Any]:
    """A test of the slots that runs when the second call begins; its next answer, or why it ended."""
    stream = asked.requests.streams()["bert"]({"line": "trunk1", "slots": ",".join(map(str, slots)), "seconds": 1.5})
    answer = asyncio.ensure_future(anext(stream))

    def call() -> None:
        asked.site.run(SECOND_CALL + 3.0 - asked.site.clock.now())

    asyncio.get_running_loop().call_later(3 * line_requests.STEP, call)
    return answer


def test_a_recording_gets_slots_that_nobody_tests(two_calls: Asked) -> None:
    slots = sorted(set(range(1, 16)) - two_calls.busy)

    async def tested() -> Any:
        return (await _while_a_call_comes(two_calls, slots))["bert"]

    assert [one["slot"] for one in asyncio.run(tested())["slots"]] == slots
    assert len(two_calls.recorder.engine.recordings) == 2
    assert two_calls.requests._busy("trunk1").isdisjoint(slots)


def test_a_call_for_which_there_are_no_other_slots_is_recorded_and_ends_the_test_at_once(
    two_calls: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(line_requests, "TELL", 1000.0)  # it does not wait for the next answer
    slots = sorted(set(range(1, 32)) - two_calls.busy - {16})

    async def until_refused() -> str:
        with pytest.raises(RefusedError) as caught:
            await _while_a_call_comes(two_calls, slots)
        return str(caught.value)

    assert "are in use by calls, of recordings or of the PBX; no test there" in asyncio.run(until_refused())
    assert len(two_calls.recorder.engine.recordings) == 2
    assert two_calls.recorder.ears.under_test == set()


def test_after_a_test_its_slots_are_leased_as_before(two_calls: Asked) -> None:
    pool = two_calls.recorder.engine.pool
    next_one = pool.lease(UUID(int=1))
    assert next_one is not None
    pool.release(next_one)  # to the end of the queue
    longest_free = pool.pairs[pool.pairs.index(next_one) + 1]
    two_calls.first_of(slots=f"{longest_free.own.slot}", seconds=0.1)
    assert pool.lease(UUID(int=2)) == longest_free


def test_on_a_line_with_signalling_the_slots_of_the_pbxs_calls_are_in_use(tmp_path: Path) -> None:
    signalling = {"signalling": "dss1"}
    trunk = {**signalling, "isdn": {"slots": "highest"}}
    with Site(tmp_path, steps(*TWO_PARTY), trunk=trunk, line=signalling) as site:
        site.run(3.0)
        asked = Asked(site)
        assert asked.busy == {30, 31}
        assert "slots 30, 31 are in use by calls" in refused(asked, "bert", slots="1-2,30-31", seconds=0.1)
        assert asked.first_of(slots="1-2", seconds=0.1)["done"], "the pair's own slots carry nothing"
        engine = asked.recorder.engine
        engine.handle(Seized("trunk1", 5, "7111"), site.clock.now(), site.clock.at())
        assert "slots 5 are in use by calls" in refused(asked, "bert", slots="5", seconds=0.1)
