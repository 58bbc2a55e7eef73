"""Which way a call came and what was sent along with it is in its recording, in the index and in the ledger."""

from pathlib import Path
from typing import Any

from osrec.recorder.parts import store_config
from osrec.store.ledger_json import ledger_json
from osrec.store.reconcile import reconcile
from tests.scenario.site import Site
from tests.scenario.test_calls import OUTSIDE, equal, steps


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


def test_what_is_sent_along_with_a_call_is_on_the_time_line_and_who_hides_his_number_is_somebody(
    tmp_path: Path,
) -> None:
    play: list[dict[str, Any]] = [
        {"after": 0.5, "from": OUTSIDE, "action": "call", "to": "3101", "shows": "withheld"},
        {"after": 1.0, "from": "3101", "action": "answer"},
        {"after": 1.0, "from": "3101", "action": "user_data", "what": "file 17"},
        {"after": 1.0, "from": "3101", "action": "digits", "what": "12#"},
        {"after": 2.0, "from": "3101", "action": "hangup"},
    ]
    with Site(tmp_path, {"steps": play}) as site:
        site.run(8).finish()
        equal(site)
        (sidecar,) = site.sidecars()
        details = {key: text for event in sidecar.events for key, text in event.detail.items()}
        assert (details["user data"], details["digits"]) == ("file 17", "12#")
        assert [(party.number, party.external) for party in sidecar.parties] == [("3101", False), (None, True)]
        (conversation,) = site.conversations()
        assert [party.number for party in conversation.parties] == ["3101", None]
        (told,) = ledger_json(reconcile(store_config(site.config)), [])["conversations"]
        assert (told["parties"], told["class"]) == (["3101"], "recorded")
