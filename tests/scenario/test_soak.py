"""Minutes of random traffic, two Erlang over capacity, with faults of every kind; `make soak` plays half an hour.

Each variant is a site of its own: ways of forking, rules of all kinds with people who ask for recordings, and what goes
wrong with the recorder itself. `make soak` plays all of them, those but the plain one for a third of the time.
"""

import os
from pathlib import Path

import pytest

from tests.scenario.soak import Outcome, Soak
from tests.scenario.soak_site import Plan
from tests.scenario.soak_variants import VARIANTS

LONG = "OSREC_SOAK_MINUTES" in os.environ
MINUTES = float(os.environ.get("OSREC_SOAK_MINUTES", "2"))
SEED = int(os.environ.get("OSREC_SOAK_SEED", "1"))
ENCODINGS = ("asn1", "xml")
SHORT = (("asn1", "rules"), ("asn1", "kills"))  # played each time; for a minute and a half
EACH = [(encoding, name) for name in VARIANTS if name != "plain" for encoding in ENCODINGS]


def nothing_wrong(outcome: Outcome) -> None:
    print(outcome.summary())
    assert outcome.faults == []
    unexplained = [one for one in outcome.ledger["findings"] if "nobody was watched then" not in one]
    assert unexplained == []
    assert outcome.report.ledger is not None
    assert all(outcome.ledger["totals"].values()), "each class was met"


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_the_ledger_equals_the_truth_call_by_call(tmp_path: Path, encoding: str) -> None:
    nothing_wrong(Soak(tmp_path, Plan(MINUTES * 60, encoding, SEED)).run())


@pytest.mark.parametrize(("encoding", "name"), EACH if LONG else SHORT)
def test_the_ledger_equals_the_truth_at_other_sites(tmp_path: Path, encoding: str, name: str) -> None:
    seconds = MINUTES * 20 if LONG else 90.0
    outcome = Soak(tmp_path, Plan(seconds, encoding, SEED, variant=VARIANTS[name])).run()
    nothing_wrong(outcome)
    played = VARIANTS[name].plays
    assert [what for what in played if not outcome.counts.get(what)] == [], "each of its troubles was played"
