"""What people asked of calls, as the judge takes it."""

import json
from pathlib import Path

import pytest

from osrec.errors import ConfigError
from osrec_emulators.check.demands import DEMANDS, Demand, demands, kept, paused
from osrec_emulators.check.spans import union

EVER = float("inf")


Wish = tuple[float, str, float | None]


def asked(*wishes: Wish) -> list[tuple[float, Demand]]:
    return [(at, Demand(at, "3100", what, seconds)) for at, what, seconds in wishes]


@pytest.mark.parametrize(
    ("wishes", "spans"),
    [
        ([], []),
        ([(10.0, "start", None)], [(10.0, EVER)]),
        ([(10.0, "keep", None)], [(-EVER, EVER)]),
        ([(10.0, "keep-last", 4.0)], [(6.0, EVER)]),
        ([(10.0, "start", None), (20.0, "stop", None)], [(10.0, 20.0)]),
        ([(10.0, "start", None), (20.0, "keep-last", 15.0)], [(5.0, EVER)]),
        ([(10.0, "stop", None), (20.0, "keep", None)], [(10.0, EVER)]),
    ],
)
def test_what_is_on_demand_is_kept_as_it_was_asked_for(wishes: list[Wish], spans: list[tuple[float, float]]) -> None:
    assert union(span for _, span in kept(asked(*wishes))) == spans


def test_each_wish_keeps_what_it_reaches_for() -> None:
    wishes = asked((5.0, "keep-last", 2.0), (10.0, "keep", None), (20.0, "stop", None), (30.0, "keep", None))
    assert [(wish.at, span) for wish, span in kept(wishes)] == [
        (5.0, (3.0, 20.0)),
        (10.0, (-EVER, 20.0)),
        (30.0, (20.0, EVER)),
    ]


def test_a_pause_lasts_until_somebody_wants_it_to_end() -> None:
    assert paused(asked((1.0, "pause", None), (2.0, "pause", None), (5.0, "resume", None), (9.0, "pause", None))) == [
        (1.0, 5.0),
        (9.0, EVER),
    ]


def test_demands_are_read_in_order(tmp_path: Path) -> None:
    row = {"at": "1970-01-01T00:00:10+00:00", "station": "3100", "what": "keep-last", "seconds": 3.0, "error": None}
    (tmp_path / DEMANDS).write_text(json.dumps(row) + "\n" + json.dumps(row | {"what": "stop", "error": "why"}) + "\n")
    assert demands(tmp_path) == (
        Demand(10.0, "3100", "keep-last", 3.0),
        Demand(10.0, "3100", "stop", 3.0, "why"),
    )


def test_a_demand_of_no_known_kind_is_refused(tmp_path: Path) -> None:
    row = {"at": "1970-01-01T00:00:10+00:00", "station": "3100", "what": "sing"}
    (tmp_path / DEMANDS).write_text(json.dumps(row) + "\n")
    with pytest.raises(ConfigError, match="what = 'sing'"):
        demands(tmp_path)
