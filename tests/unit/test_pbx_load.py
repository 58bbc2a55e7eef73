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


FLOWS: dict[str, Any] = {
    "stations": [{"range": "3100-3199"}],
    "trunks": [{"range": "7801-7840"}],
    "call_waiting": ["3180-3199"],
    "groups": [
        {"kind": "hunt", "number": "3800", "members": ["3180-3183"], "order": "cyclic", "ring_time": 6},
        {"kind": "queue", "number": "3900", "members": ["3184-3189"], "wrap_up": 2},
        {"kind": "parallel", "number": "3810", "members": ["3190-3192"]},
        {"kind": "shared", "number": "3811", "members": ["3193-3195"]},
        {"kind": "hotline", "number": "3199", "calls": "3800"},
        {"kind": "disa", "number": "3999"},
        {"kind": "park", "numbers": "3850-3859"},
    ],
}
BEFORE = ("forward", "deflect", "pickup", "group", "camp_on", "callback", "disa")
TALKING = ("alternate", "blind_transfer", "transfer_out", "park", "replace_path", "details", "conference")


def test_every_flow_is_played_and_none_is_impossible() -> None:
    lines: list[str] = []
    shares = dict.fromkeys(BEFORE, 0.12) | dict.fromkeys(TALKING, 0.1)
    load = {"erlang": 20, "mean_hold": 20, "conference_parties": 6, "hold": 0.1, "transfer": 0.1} | shares
    world = World(PbxConfig.model_validate(FLOWS | {"load": load}), 1, sink=lines.append)
    causes = {found.event.cause for found in world.advance(600)}
    world.stop(600)
    assert [str(note) for note in world.take_notes()] == []
    happened = {event[1] for line in lines for event in json.loads(line)["events"]}
    wanted = {"Diverted", "Queued", "Bridged", "CallInformation", "DigitsGenerated", "Conferenced", "Transferred"}
    assert wanted <= happened
    assert {2, 4, 6, 8, 9, 11, 12, 25, 38, 42, 52, 74, 109} <= causes
    assert world.truth.running == 0
    assert world.switch.calls == {}
