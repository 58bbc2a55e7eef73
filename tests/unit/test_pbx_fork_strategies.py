"""Each way of asking for a station's audio does what docs/fork-strategies.md says, and is refused as it says."""

import json
from typing import Any

import pytest
from pydantic import ValidationError

from osrec.wire.csta import model
from osrec.wire.csta.model import ConnectionId, DeviceId, ErrorCategory
from osrec_emulators.pbx.config import PbxConfig
from osrec_emulators.pbx.escape_template import DEFAULT_START, START_NEEDS, STOP_NEEDS, Template
from osrec_emulators.pbx.media import Side
from osrec_emulators.pbx.services import Refusal
from osrec_emulators.pbx.world import World

A, B, C, D = "3100", "3101", "3102", "3103"
P1, P2, P3 = "5000", "5001", "5002"
ALL = ["single-step-conference", "join-call", "escape", "make-call"]


def pbx(sink: list[str] | None = None, **fork: Any) -> World:
    """A PBX that takes every way, with A and B talking."""
    config: dict[str, Any] = {
        "stations": [{"range": "3100-3109"}],
        "trunks": [{"range": "7801-7802"}],
        "recorder_ports": ["5000-5005"],
        "fork": {"strategies": ALL} | fork,
    }
    world = World(PbxConfig.model_validate(config), sink=None if sink is None else sink.append)
    world.switch.make_call(A, B)
    world.switch.answer(B)
    world.switch.take()
    return world


def call_id(world: World, device: str = A) -> bytes:
    return world.switch.calls_of(device)[-1].id


def ask(world: World, request: model.Argument) -> model.Result | Refusal | None:
    return world.request(request, world.switch.now).result


def element(tag: int, contents: bytes) -> bytes:
    return bytes([tag, len(contents)]) + contents


def escape(what: int, call: bytes, station: str = A, own: str = P1, other: str = P2) -> model.Escape:
    """The default templates, spelled by hand."""
    members = [bytes([what]), call, station.encode(), own.encode(), other.encode()]
    return model.Escape(element(0x30, b"".join(element(0x80 + n, each) for n, each in enumerate(members))))


def dial(port: str, digits: str) -> model.MakeCall:
    return model.MakeCall(DeviceId(port), DeviceId(digits))


def sides(world: World) -> dict[str, tuple[str, Side]]:
    return {port: (fork.station, fork.side) for port, fork in world.topology.forks.items()}


PAIR = {P1: (A, Side.OWN), P2: (A, Side.OTHER)}


def requests(world: World, strategy: str) -> list[model.Argument]:
    """What asks for A's two sides on P1 and P2."""
    station = ConnectionId(call_id(world), DeviceId(A))
    silent = model.Participation.SILENT
    match strategy:
        case "single-step-conference":
            return [model.SingleStepConference(station, DeviceId(port), silent) for port in (P1, P2)]
        case "join-call":
            return [model.JoinCall(station, DeviceId(port), silent) for port in (P1, P2)]
        case "escape":
            return [escape(1, call_id(world))]
        case _:
            return [dial(P1, "*44" + A), dial(P2, "*45" + A)]


def start(world: World, strategy: str) -> list[model.Result | Refusal | None]:
    return [ask(world, request) for request in requests(world, strategy)]


@pytest.mark.parametrize("strategy", ALL)
def test_every_way_puts_one_side_on_each_port(strategy: str) -> None:
    world = pbx()
    answers = start(world, strategy)
    assert sides(world) == PAIR
    ports = [answer.connection for answer in answers if isinstance(answer, model.ConferenceJoined | model.CallMade)]
    named = [ConnectionId(call_id(world), DeviceId(port)) for port in (P1, P2)]
    assert ports == ([] if strategy == "escape" else named)
    assert [world.snapshot(port).legs[0].connection for port in (P1, P2)] == named
    assert all(not isinstance(answer, Refusal) for answer in answers)


@pytest.mark.parametrize("strategy", ALL)
def test_a_port_is_taken_out_by_call_id_and_number_whichever_way_it_came(strategy: str) -> None:
    world = pbx()
    start(world, strategy)
    assert ask(world, model.ClearConnection(ConnectionId(call_id(world), DeviceId(P1)))) == model.NoData()
    assert sides(world) == {P2: (A, Side.OTHER)}


@pytest.mark.parametrize("strategy", ALL)
def test_ways_that_the_pbx_does_not_take_are_not_supported(strategy: str) -> None:
    world = pbx(strategies=[other for other in ALL if other != strategy])
    assert set(start(world, strategy)) == {Refusal(ErrorCategory.OPERATION, 50)}
    assert sides(world) == {}


@pytest.mark.parametrize("strategy", ALL)
@pytest.mark.parametrize(("events", "viewers"), [("station", {A, P1, P2}), ("all", {A, B, P1, P2}), ("none", {P1, P2})])
def test_the_same_monitors_are_told_whichever_way_was_taken(strategy: str, events: str, viewers: set[str]) -> None:
    world = pbx(events=events)
    happened = [found for each in requests(world, strategy) for found in world.request(each, 1.0).occurrences]
    assert {found.device for found in happened} == viewers
    assert {type(found.event) for found in happened} == {model.Conferenced}


# --- escape


def test_the_example_of_the_documentation_is_understood() -> None:
    octets = bytes.fromhex("301980010181020a01820433313030830437313031840437313032")
    values = Template(DEFAULT_START, START_NEEDS).match(octets)
    assert values == {"call": b"\x0a\x01", "station": b"3100", "own": b"7101", "other": b"7102"}


def test_one_escape_takes_both_ports_out_again() -> None:
    world = pbx()
    start(world, "escape")
    assert ask(world, escape(2, b"\x7f\x7f")) == model.NoData()  # the PBX goes by the ports
    assert world.switch.forks.joined == {}
    assert ask(world, escape(2, call_id(world))) == Refusal(ErrorCategory.OPERATION, 13)


def test_one_escape_takes_out_the_port_that_is_left() -> None:
    world = pbx()
    start(world, "escape")
    world.switch.free_port(P1)
    assert ask(world, escape(2, call_id(world))) == model.NoData()
    assert world.switch.forks.joined == {}


def test_an_escape_joins_both_ports_or_none() -> None:
    world = pbx()
    ask(world, escape(1, call_id(world), own=P2, other=P3))
    assert ask(world, escape(1, call_id(world, B), station=B, own=P1, other=P2)) == Refusal(
        ErrorCategory.SYSTEM_RESOURCE, 2
    )
    assert ask(world, escape(1, call_id(world), own=P1, other="5003")) == Refusal(ErrorCategory.SYSTEM_RESOURCE, 8)
    assert sides(world) == {P2: (A, Side.OWN), P3: (A, Side.OTHER)}


def test_an_escape_cannot_put_both_sides_on_one_port() -> None:
    world = pbx()
    assert ask(world, escape(1, call_id(world), own=P1, other=P1)) == Refusal(ErrorCategory.SYSTEM_RESOURCE, 2)
    assert sides(world) == {}


def test_an_escape_without_call_takes_the_connected_one() -> None:
    template = {"start": "7e( 30( 04({own}) 04({other}) ) 0c({station}) )", "stop": "7f( 04({own}) 04({other}) )"}
    world = pbx(escape=template)
    ports = element(4, P1.encode()) + element(4, P2.encode())
    spelled = element(0x7E, element(0x30, ports) + element(0x0C, A.encode()))
    assert ask(world, model.Escape(spelled)) == model.NoData()
    assert sides(world) == PAIR
    assert ask(world, model.Escape(element(0x7F, ports))) == model.NoData()
    assert sides(world) == {}
    world.switch.hold(A)
    assert ask(world, model.Escape(spelled)) == Refusal(ErrorCategory.STATE_INCOMPATIBILITY, 4)  # noActiveCall
    unknown = element(0x7E, element(0x30, ports) + element(0x0C, b"9999"))
    assert ask(world, model.Escape(unknown)) == Refusal(ErrorCategory.OPERATION, 12)


@pytest.mark.parametrize("octets", ["", "0500", "301b800101", "3003800103", "30820100800101", "3080800101", "30038001"])
def test_private_data_that_is_none_of_the_templates_is_refused(octets: str) -> None:
    assert ask(pbx(), model.Escape(bytes.fromhex(octets))) == Refusal(ErrorCategory.PRIVATE_DATA, 1)


def test_octets_behind_the_element_are_no_match() -> None:
    template = Template("30( 80({own}) 81({other}) )", STOP_NEEDS)
    octets = element(0x30, element(0x80, b"1") + element(0x81, b"2"))
    assert template.match(octets) == {"own": b"1", "other": b"2"}
    assert template.match(octets + b"\0") is None
    assert template.match(octets[:-1]) is None


def test_long_values_have_long_lengths() -> None:
    template = Template("30( 80({own}) 81({other}) )", STOP_NEEDS)
    own, other = b"1" * 200, b"2" * 300
    contents = b"\x80\x81\xc8" + own + b"\x81\x82\x01\x2c" + other
    assert template.match(b"\x30\x82" + len(contents).to_bytes(2, "big") + contents) == {"own": own, "other": other}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("30( 80({own}) 81({other}) 82({own}) )", "comes twice"),
        ("30( 80({own}) )", "{other} is missing"),
        ("30( 80({own}{other}) )", "alone in its parentheses"),
        ("30( 80({own}) 81(00{other}) )", "alone in its parentheses"),
        ("30 {own} 80({other})", "a placeholder stands in parentheses"),
        ("30( 80({own}) 81({port}) )", "{port} is no placeholder"),
        ("30( 80({own}) 81({other})", "never closed"),
        ("30( 80({own}) 81({other}) ))", "closes nothing"),
        ("3( 80({own}) 81({other}) )", "'3' at 1"),
        ("80({own}) 81({other})", "one BER element"),
        ("30( 80({own}) 81({other}) ) 05", "one BER element"),
    ],
)
def test_a_template_that_cannot_be_read_is_explained(text: str, complaint: str) -> None:
    with pytest.raises(ValidationError) as caught:
        pbx(escape={"stop": text})
    assert complaint in str(caught.value)


# --- make-call


def test_with_two_feature_codes_the_side_does_not_go_by_the_order() -> None:
    world = pbx()
    ask(world, dial(P1, "*45" + A))
    ask(world, dial(P2, "*44" + A))
    assert sides(world) == {P1: (A, Side.OTHER), P2: (A, Side.OWN)}
    assert ask(world, dial(P3, "*44" + A)) == Refusal(ErrorCategory.SYSTEM_RESOURCE, 8)


def test_a_side_that_is_taken_is_not_given_twice() -> None:
    world = pbx()
    ask(world, dial(P1, "*44" + A))
    assert ask(world, dial(P2, "*44" + A)) == Refusal(ErrorCategory.SYSTEM_RESOURCE, 8)
    assert sides(world) == {P1: (A, Side.OWN)}


def test_with_one_feature_code_the_side_goes_by_the_order() -> None:
    world = pbx(codes={"own": "*44", "other": "*44"}, order="other-first")
    ask(world, dial(P1, "*44" + A))
    ask(world, dial(P2, "*44" + A))
    assert sides(world) == {P1: (A, Side.OTHER), P2: (A, Side.OWN)}


def test_a_feature_code_finds_the_call_that_is_not_on_hold() -> None:
    world = pbx()
    consultation = world.switch.consult(A, C)
    world.switch.answer(C)
    start(world, "make-call")
    assert {fork.call for fork in world.topology.forks.values()} == {consultation.id.hex()}


@pytest.mark.parametrize(
    ("port", "digits", "refusal"),
    [
        (C, "*44" + A, Refusal(ErrorCategory.OPERATION, 5)),  # invalidCallingDeviceID
        (P1, "*99" + A, Refusal(ErrorCategory.OPERATION, 6)),  # invalidCalledDeviceID
        (P1, "*449999", Refusal(ErrorCategory.OPERATION, 6)),
        (P1, "*44" + C, Refusal(ErrorCategory.STATE_INCOMPATIBILITY, 4)),  # noActiveCall
    ],
)
def test_a_call_that_is_no_fork_is_refused(port: str, digits: str, refusal: Refusal) -> None:
    assert ask(pbx(), dial(port, digits)) == refusal


def test_feature_codes_that_begin_alike_are_no_configuration() -> None:
    with pytest.raises(ValidationError, match="begins with the other code"):
        pbx(codes={"own": "*4", "other": "*45"})


# --- truth


def test_requests_that_the_rules_refuse_are_in_the_truth_of_their_call() -> None:
    lines: list[str] = []
    world = pbx(lines)
    start(world, "make-call")
    world.advance(3.0)
    ask(world, escape(1, call_id(world)))
    ask(world, dial(P3, "*44" + C))
    world.switch.clear(A)
    stray, conversation = map(json.loads, lines)
    assert conversation["refused"] == [
        {
            "at": 3.0,
            "strategy": "escape",
            "station": A,
            "ports": [P1, P2],
            "error": "resourceBusy",
            "played": False,
        }
    ]
    assert (stray["is"], stray["station"], stray["error"]) == ("refused", C, "noActiveCall")
