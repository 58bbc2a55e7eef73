"""The way that a call came is in its recording, in the index and in the ledger."""

from pathlib import Path

from osrec.recorder.parts import store_config
from osrec.store.ledger_json import ledger_json
from osrec.store.reconcile import reconcile
from tests.scenario.site import Site
from tests.scenario.test_calls import OUTSIDE, steps


def test_a_parked_call_is_known_by_its_park_number_and_by_who_parked_it(tmp_path: Path) -> None:
    play = steps(
        (0.5, OUTSIDE, "call", "3101"),
        (1.0, "3101", "answer"),
        (2.0, "3101", "park", "3901"),
        (2.0, "3102", "unpark", "3901"),
        (3.0, "3102", "hangup"),
    )
    groups = [{"kind": "park", "numbers": "3901-3903", "recall_after": 10.0}]
    with Site(tmp_path, play, pbx={"groups": groups}, site={"groups": ["390?"]}) as site:
        site.run(11).finish()
        last = site.sidecars()[-1]
        assert (last.station, last.via, last.parked_by) == ("3102", ["3901"], "3101")
        (conversation,) = site.conversations()
        assert (conversation.via, conversation.parked_by) == (("3901",), "3101")
        (told,) = ledger_json(reconcile(store_config(site.config)), [])["conversations"]
        assert (told["via"], told["parked_by"]) == (["3901"], "3101")
