"""The configuration of the PBX: what it takes, and what it says of mistakes."""

from typing import Any

import pytest
from pydantic import ValidationError

from osrec_emulators.pbx.calls import Party
from osrec_emulators.pbx.config import PbxConfig
from osrec_emulators.pbx.directory import Directory
from osrec_emulators.pbx.numbering import expand
from osrec_emulators.pbx.script_config import StepConfig

STATIONS = [{"range": "3100-3102", "names": ["Jürgen Groß", "Zoë Núñez"], "voices": ["male1", "female1"]}]


@pytest.mark.parametrize(
    ("pattern", "numbers"),
    [("3100", ["3100"]), ("3100-3102", ["3100", "3101", "3102"]), ("098 - 100", ["098", "099", "100"])],
)
def test_a_range_is_spelled_out_with_its_leading_zeros(pattern: str, numbers: list[str]) -> None:
    assert expand(pattern) == numbers


@pytest.mark.parametrize("pattern", ["", "-", "3100-", "-3100", "31x0", "3109-3100", "310-3109", "0-9999999", "٣١٠٠"])
def test_what_is_no_range_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match=r"range|numbers"):
        expand(pattern)


def test_names_and_voices_are_given_to_the_stations_in_turn() -> None:
    directory = Directory(PbxConfig.model_validate({"stations": STATIONS, "trunks": [{"range": "7801-7802"}]}))
    assert directory.names == {"3100": "Jürgen Groß", "3101": "Zoë Núñez"}
    assert directory.voices == {
        "3100": "male1",
        "3101": "female1",
        "3102": "male1",
        "7801": "tone:3",
        "7802": "tone:4",
    }


def test_a_letter_that_the_wire_does_not_carry_becomes_a_question_mark() -> None:
    directory = Directory(PbxConfig.model_validate({"stations": [{"range": "3100", "names": ["Zażółcie"]}]}))
    assert directory.device_id(Party("3100")).name == "Za?ó?cie"


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"stations": []}, "at least 1 item"),
        ({"trunks": [{"range": "3102"}]}, "number 3102 is in '3100-3102' and again in '3102'"),
        ({"recorder_ports": ["50-x"]}, "'50-x' is no number and no range such as 3100-3139"),
        ({"access_code": "3"}, "station 3100 begins with the access code '3'"),
        ({"call_id_octets": 1}, "greater than or equal to 2"),
        ({"fork": {"order": "first"}}, "'own-first' or 'other-first'"),
        ({"colour": "red"}, "Extra inputs are not permitted"),
        ({"stations": [{"range": "3100", "names": ["a", "b"]}]}, "2 names for the 1 numbers of 3100"),
        ({"load": {"keep": 3, "erlang": 2}}, "either `keep`"),
        ({"load": {"keep": 3, "stations": ["9999"]}}, "9999 is no station; stations are 3100-3102"),
        ({"load": {"keep": 3, "ring": [4, 1]}}, "shortest, longest"),
        ({"groups": [{"kind": "dance"}]}, "'hunt', 'queue'"),
        ({"groups": [{"kind": "hunt", "number": "38", "members": ["9"]}]}, r"groups\[0\].members: 9 is no station"),
        ({"groups": [{"kind": "disa", "number": "3100"}]}, "number 3100 is a station, trunk or recorder port already"),
        ({"groups": [{"kind": "queue", "number": "38", "members": ["3100"], "logged_on": ["3101"]}]}, "3101 is logged"),
        ({"forwarding": [{"station": "9", "always": "3100"}]}, r"forwarding\[0\].station: 9 is no station"),
        ({"call_waiting": ["9"]}, "call_waiting: 9 is no station"),
        ({"load": {"keep": 3, "hold": 0.8, "transfer": 0.8}}, "1 at most"),
        ({"load": {"keep": 3, "incoming": 0, "outgoing": 0, "internal": 0}}, "must be above 0"),
    ],
)
def test_a_mistake_is_named(more: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        PbxConfig.model_validate({"stations": STATIONS} | more)


@pytest.mark.parametrize(
    ("step", "message"),
    [
        ({"action": "consult", "from": "3100"}, "'consult' takes a `to`"),
        ({"action": "hold", "from": "3100", "to": "3101"}, "'hold' takes no `to`"),
        ({"action": "say", "from": "3100"}, "`what`"),
        ({"action": "forward", "from": "3100", "to": "3101", "what": "now"}, "'now': a call is forwarded always, busy"),
        ({"action": "digits", "from": "3100", "what": "12x"}, "'12x': DTMF has the digits"),
        ({"action": "answer", "from": "3100", "shows": "withheld"}, "`shows` goes with action 'call'"),
        ({"action": "hold", "from": "3100", "at": 1, "after": 1}, "not both"),
        ({"action": "dance", "from": "3100"}, "'call', 'answer'"),
        ({"action": "hold", "from": "Bob"}, "'Bob' is no telephone number"),
    ],
)
def test_a_mistake_in_a_step_is_named(step: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        StepConfig.model_validate(step)
