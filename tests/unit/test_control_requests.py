"""What can be asked of a running recorder: new rules, and to keep or pause a call."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from osrec.engine.messages import Demand, Demanded
from osrec.recorder import ask
from osrec.recorder.ask import RefusedError as RefusedByRecorderError
from osrec.recorder.control import ControlServer, Method, RefusedError, Request
from osrec.recorder.requests import Requests, demanded
from tests.scenario.site import Site
from tests.scenario.test_calls import TWO_PARTY, steps
from tests.unit.test_config import GOOD


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        ({}, "what = None: one of start, stop, keep, keep-last, pause, resume"),
        ({"what": "burn", "target": "1"}, "what = 'burn': one of"),
        ({"what": "keep"}, "target = None: number of a station"),
        ({"what": "keep", "target": 3100}, "target = 3100: number of a station, or id of a recording, as text"),
        ({"what": "keep", "target": "1", "by": ""}, "by = ''"),
        ({"what": "keep-last", "target": "1"}, "seconds = None"),
        ({"what": "keep-last", "target": "1", "seconds": True}, "seconds = True"),
        ({"what": "keep-last", "target": "1", "seconds": -1}, "seconds = -1: how much is to be kept, more than 0"),
    ],
)
def test_a_wrong_request_is_refused_with_what_would_be_right(request_: dict[str, Any], said: str) -> None:
    with pytest.raises(RefusedError) as caught:
        demanded(request_)
    assert said in str(caught.value)


def test_a_right_one_becomes_a_demand() -> None:
    wanted = {"what": "keep-last", "target": "3100", "seconds": 300, "by": "anna"}
    assert demanded(wanted) == Demanded("3100", Demand.KEEP_LAST, "anna", 300.0)


def talk(path: Path, methods: dict[str, Method], *requests: Request) -> list[Any]:
    """Ask a server over its socket, as the commands do; answers and refusals."""

    async def run() -> list[Any]:
        server = ControlServer(path, dict, methods)
        await server.start()

        def each() -> list[Any]:
            answers: list[Any] = []
            for request in requests:
                try:
                    answers.append(ask.request(path, request))
                except RefusedByRecorderError as error:
                    answers.append(str(error))
            return answers

        answers = await asyncio.to_thread(each)
        await server.close()
        return answers

    return asyncio.run(run())


def test_a_method_that_fails_is_answered_and_the_next_request_is_served(tmp_path: Path) -> None:
    async def fails(request: Request) -> dict[str, Any]:
        raise ZeroDivisionError

    async def works(request: Request) -> dict[str, Any]:
        return {"got": request["x"]}

    failed, unknown, worked = talk(
        tmp_path / "s", {"fails": fails, "works": works}, {"ask": "fails"}, {"ask": "?"}, {"ask": "works", "x": 1}
    )
    assert failed == "the recorder failed at this; its log says why"
    assert unknown == "ask = '?': one of status, follow, fails, works"
    assert worked == {"ok": True, "got": 1}


def test_reload_takes_the_rules_and_nothing_else_and_a_mistake_leaves_the_old_ones(tmp_path: Path) -> None:
    file = tmp_path / "osrec.toml"
    with Site(tmp_path / "site", steps(*TWO_PARTY)) as site:
        assert site.recorder is not None
        site.run(3.0)
        before = site.recorder.engine.rules
        methods = Requests(site.recorder, site.writer, file, site.clock.at).methods()
        file.write_text(GOOD.replace('action = "record"', 'action = "recrod"'))
        wrong = talk(tmp_path / "s", methods, {"ask": "reload"})[0]
        assert f"the old rules, version {before.version}, go on: {file}:16: rules[0].action = 'recrod'" in wrong
        assert site.recorder.engine.rules is before
        file.write_text(GOOD.replace('name = "all"', 'name = "every one"').replace("port = 1040", "port = 7"))
        right, shown = talk(tmp_path / "s", methods, {"ask": "reload"}, {"ask": "rules"})
        assert right["changed"] is True
        assert right["before"] == before.version
        assert shown["rules"] == right["rules"]
        assert shown["rules"]["names"] == ["every one"]
        assert "@2026-11-23T12:00:03Z" in shown["rules"]["version"]
        assert len(site.recorder.takes) == 1  # what runs goes on
        assert site.config.csta.port == 1


def test_a_demand_is_answered_when_the_journal_has_it(tmp_path: Path) -> None:
    with Site(tmp_path / "site", steps(*TWO_PARTY)) as site:
        assert site.recorder is not None
        site.run(3.0)
        methods = Requests(site.recorder, site.writer, tmp_path / "none", site.clock.at).methods()

        async def pause() -> dict[str, Any]:
            asked = asyncio.ensure_future(methods["call"]({"what": "pause", "target": "3100", "by": "anna"}))
            await asyncio.sleep(0)
            assert not asked.done()  # not before the journal has written
            site.writer.step(site.clock.now())
            return await asked

        answer = asyncio.run(pause())
        assert answer["journalled"] is True
        assert answer["recordings"] == [str(one) for one in site.recorder.engine.recordings]
        assert site.recorder.takes.paused == set(site.recorder.engine.recordings)


def test_a_demand_that_cannot_be_is_refused_with_the_reason(tmp_path: Path) -> None:
    with Site(tmp_path / "site", steps(*TWO_PARTY)) as site:
        assert site.recorder is not None
        site.run(3.0)
        methods = Requests(site.recorder, site.writer, tmp_path / "none", site.clock.at).methods()
        (answer,) = talk(tmp_path / "s", methods, {"ask": "call", "what": "resume", "target": "3100"})
        assert "not paused" in answer
