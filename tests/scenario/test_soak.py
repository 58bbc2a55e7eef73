"""Minutes of random traffic, two Erlang over capacity, with faults of every kind; `make soak` plays half an hour."""

import os
from pathlib import Path

import pytest

from tests.scenario.soak import Soak
from tests.scenario.soak_site import Plan

MINUTES = float(os.environ.get("OSREC_SOAK_MINUTES", "2"))
SEED = int(os.environ.get("OSREC_SOAK_SEED", "1"))


@pytest.mark.parametrize("encoding", ["asn1", "xml"])
def test_the_ledger_equals_the_truth_call_by_call(tmp_path: Path, encoding: str) -> None:
    outcome = Soak(tmp_path, Plan(MINUTES * 60, encoding, SEED)).run()
    print(outcome.summary())
    assert outcome.faults == []
    unexplained = [one for one in outcome.ledger["findings"] if "nobody was watched then" not in one]
    assert unexplained == []
    assert outcome.report.ledger is not None
    assert all(outcome.ledger["totals"].values()), "each class was met"
