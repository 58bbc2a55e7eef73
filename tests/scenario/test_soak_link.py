"""The soak with what can go wrong with the CSTA link.

`make soak` plays each kind of trouble for itself, in both encodings, and all of them at once with those of the lines.
Each time the tests run, two groups of them are played for a minute and a half.
"""

from pathlib import Path

import pytest

from tests.scenario.soak import Soak
from tests.scenario.soak_link_troubles import ALL, LOSSES, OUTAGES, SINGLE, LinkTroubles
from tests.scenario.soak_site import Plan
from tests.scenario.test_soak import ENCODINGS, LONG, MINUTES, SEED, nothing_wrong

SECONDS = 90.0
NEVER = 1e9  # seconds on average until a trouble of another kind
long = pytest.mark.skipif(not LONG, reason="played by make soak")


def plan(seconds: float, encoding: str, seed: int, troubles: LinkTroubles) -> Plan:
    return Plan(seconds, encoding, seed, NEVER, NEVER, NEVER, troubles)


@pytest.mark.parametrize(
    ("encoding", "seed", "troubles", "played"),  # a seed with which each of them has its turn before another one
    [
        ("xml", 3, OUTAGES, ("fault silence", "fault half_open", "fault cut", "cap restart")),
        (
            "asn1",
            1,
            LOSSES,
            (
                "fault lose_events",
                "fault messages_lost",
                "fault status",
                "fault monitor_stop",
                "fault lost",
                "fault swap",
                "fault damaged",
                "fault oversized",
                "fault unknown_monitor",
            ),
        ),
    ],
    ids=["outages", "losses"],
)
def test_the_ledger_equals_the_truth_over_a_link_in_trouble(
    tmp_path: Path, encoding: str, seed: int, troubles: LinkTroubles, played: tuple[str, ...]
) -> None:
    outcome = Soak(tmp_path, plan(SECONDS, encoding, seed, troubles)).run()
    nothing_wrong(outcome)
    assert [kind for kind in played if not outcome.counts.get(kind)] == [], "each of its troubles was played"


@long
@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("name", SINGLE)
def test_the_ledger_equals_the_truth_with_each_trouble_of_the_link(tmp_path: Path, encoding: str, name: str) -> None:
    nothing_wrong(Soak(tmp_path, plan(MINUTES * 5, encoding, SEED, SINGLE[name])).run())


@long
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_the_ledger_equals_the_truth_with_all_troubles_of_the_link(tmp_path: Path, encoding: str) -> None:
    nothing_wrong(Soak(tmp_path, Plan(MINUTES * 20, encoding, SEED, link=ALL)).run())
