"""Random traffic: enough of it, of every kind, and the same for the same seed."""

import json
from collections import Counter
from typing import Any

from osrec_emulators.pbx.config import PbxConfig
from osrec_emulators.pbx.world import World


def run(seconds: float, seed: int = 1, tick: float = 0.05, **load: Any) -> tuple[list[dict[str, Any]], list[int]]:
    """Truth of the conversations, and how many were answered and running at each tick after the first 10 s."""
    lines: list[str] = []
    config = {
        "stations": [{"range": "3100-3139"}],
        "trunks": [{"range": "7801-7830"}],
        "load": {"mean_hold": 20} | load,
    }
    world = World(PbxConfig.model_validate(config), seed, sink=lines.append)
    talking = []
    for position in range(int(seconds / tick)):
        now = position * tick
        world.advance(now)
        if now > 10:
            talking.append(len({call.thread.id for call in world.switch.calls.values() if call.answered}))
    world.stop(seconds)
    assert world.take_notes() == []
    assert world.truth.running == 0
    return [json.loads(line) for line in lines], talking


def test_keep_never_has_fewer_calls_talking() -> None:
    _, talking = run(120, keep=12)
    assert min(talking) >= 12
    assert max(talking) <= 24


def test_erlang_is_the_mean_of_simultaneous_calls() -> None:
    _, talking = run(2000, tick=1.0, erlang=8, busy=0, no_answer=0)
    assert 6 < sum(talking) / len(talking) < 10


def test_everything_that_can_happen_happens() -> None:
    truth, _ = run(400, tick=0.5, keep=10, hold=0.3, transfer=0.3, conference=0.3, busy=0.1, no_answer=0.1)
    happened = Counter(event[1] for record in truth for event in record["events"])
    wanted = {"Held", "Retrieved", "Transferred", "Conferenced", "Failed", "NetworkReached", "Established"}
    assert wanted <= happened.keys()
    assert {record["direction"] for record in truth} == {"in", "out", "internal"}
    assert any(record["answered"] is None for record in truth)


def test_the_same_seed_gives_the_same_calls_whatever_the_ticks() -> None:
    first, _ = run(60, seed=7, keep=10, tick=0.02)
    again, _ = run(60, seed=7, keep=10, tick=0.5)
    other, _ = run(60, seed=8, keep=10)
    assert first == again
    assert first != other


def test_a_load_without_idle_stations_loses_calls_and_goes_on() -> None:
    config = {"stations": [{"range": "3100-3101"}], "load": {"keep": 5, "internal": 1, "incoming": 0, "outgoing": 0}}
    world = World(PbxConfig.model_validate(config), 1)
    world.advance(30)
    assert world.load is not None
    assert world.load.begun == 1
    assert world.load.lost > 10
