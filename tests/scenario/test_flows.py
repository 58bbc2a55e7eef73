"""The library of call flows: each gives, over every dialect, the conversations that people would tell of."""

from difflib import unified_diff
from pprint import pformat
from typing import Any

import pytest

from tests.scenario.flow_player import Flow, Player, as_golden, library

LIBRARY = library()
by_name = pytest.mark.parametrize("flow", LIBRARY, ids=[flow.name for flow in LIBRARY])

# a digit that comes twice may have been pressed twice: only sequence numbers tell
NUMBERED = ("details",)


def judge(flow: Flow, told: list[dict[str, Any]], golden: list[dict[str, Any]]) -> None:
    if told != golden:
        wanted, got = (pformat(one, width=110, sort_dicts=False).splitlines() for one in (golden, told))
        pytest.fail(f"{flow.name}: \n" + "\n".join(unified_diff(wanted, got, "golden", "told", lineterm="")))


def told_of(flow: Flow, **how: Any) -> list[dict[str, Any]]:
    return [as_golden(seen) for seen in Player(flow, **how).play()]


def test_the_library_has_every_flow_once() -> None:
    assert len(LIBRARY) >= 40
    assert len({flow.text["title"] for flow in LIBRARY}) == len(LIBRARY)


@by_name
def test_a_flow_gives_its_conversations(flow: Flow) -> None:
    judge(flow, told_of(flow), flow.golden)


@by_name
def test_a_flow_in_xml_gives_the_same(flow: Flow) -> None:
    judge(flow, told_of(flow, encoding="xml"), flow.golden)


@by_name
def test_a_flow_with_dynamic_device_ids_gives_the_same(flow: Flow) -> None:
    judge(flow, told_of(flow, connection_ids="dynamic"), flow.golden)


@by_name
def test_a_flow_without_linkage_gives_the_same(flow: Flow) -> None:
    judge(flow, told_of(flow, linkage=False), flow.golden)


@by_name
def test_a_flow_whose_events_come_twice_gives_the_same(flow: Flow) -> None:
    judge(flow, told_of(flow, twice=True, numbered=flow.name in NUMBERED), flow.golden)


@by_name
def test_a_flow_whose_monitors_report_the_other_way_round_gives_the_same(flow: Flow) -> None:
    told, golden = (unordered(one) for one in (told_of(flow, backwards=True), flow.golden))
    judge(flow, told, golden)


def unordered(conversations: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Without the order of what happens in one moment."""
    mixed = [one | {"line": sorted(one["line"])} for one in conversations]
    return sorted(mixed, key=lambda one: (one["line"], str(one)))


ALONE = [(flow, station) for flow in LIBRARY for station in flow.alone]


@pytest.mark.parametrize(("flow", "station"), ALONE, ids=[f"{flow.name}-{station}" for flow, station in ALONE])
def test_one_monitored_station_sees_its_own_part_alone(flow: Flow, station: str) -> None:
    told = told_of(flow, monitored=[station])
    keys = ("direction", "answered")
    wanted = [
        {key: one[key] for key in keys} | {"talks": one.get("talks", {}).get(station)}
        for one in flow.golden
        if station in one["stations"]
    ]
    got = [{key: one[key] for key in keys} | {"talks": one.get("talks", {}).get(station)} for one in told]
    judge(flow, got, wanted)
