"""The four ways of asking the PBX for a station's audio, as docs/fork-strategies.md describes them."""

import pytest

from osrec.config_recording import Recording
from osrec.engine.fork import FeatureCall, ForkStrategy, PrivateEscape, SilentConference, SilentJoin
from osrec.engine.fork_template import start_template, stop_template
from osrec.engine.pool import Pair, Port
from osrec.recorder.parts import fork_strategy
from osrec.wire.csta.model import (
    CallMade,
    ClearConnection,
    ConferenceJoined,
    ConnectionId,
    DeviceId,
    Escape,
    JoinCall,
    MakeCall,
    NoData,
    Participation,
    SingleStepConference,
)

PAIR = Pair("trunk1", Port(1, "7101"), Port(2, "7102"))
STATION = ConnectionId(b"\x0a\x01", DeviceId("3100"))


def port(number: str, call: bytes = b"\x0a\x01") -> ConnectionId:
    return ConnectionId(call, DeviceId(number))


def asked(strategy: ForkStrategy) -> list[object]:
    return [one.argument for one in strategy.start("3100", STATION, PAIR)]


def test_a_silent_conference_joins_each_port_to_the_stations_connection() -> None:
    assert asked(SilentConference()) == [
        SingleStepConference(STATION, DeviceId("7101"), Participation.SILENT),
        SingleStepConference(STATION, DeviceId("7102"), Participation.SILENT),
    ]


def test_a_silent_join_names_the_port_as_the_one_that_joins() -> None:
    assert asked(SilentJoin()) == [
        JoinCall(STATION, DeviceId("7101"), Participation.SILENT),
        JoinCall(STATION, DeviceId("7102"), Participation.SILENT),
    ]


def test_a_feature_call_dials_the_code_of_the_side_and_the_station() -> None:
    assert asked(FeatureCall("*44", "*45")) == [
        MakeCall(DeviceId("7101"), DeviceId("*443100")),
        MakeCall(DeviceId("7102"), DeviceId("*453100")),
    ]


@pytest.mark.parametrize("make", [SilentConference, SilentJoin, lambda first: FeatureCall("*4", "*4", first)])
def test_the_port_that_joins_first_is_the_one_that_gets_the_own_voice(make) -> None:  # type: ignore[no-untyped-def]
    assert [one.ports[0].number for one in make(True).start("3100", STATION, PAIR)] == ["7101", "7102"]
    assert [one.ports[0].number for one in make(False).start("3100", STATION, PAIR)] == ["7102", "7101"]


def test_an_answer_names_the_ports_connection() -> None:
    there = ConnectionId(b"\x0b\x02", DeviceId("7101"))
    for strategy in (SilentConference(), SilentJoin()):
        assert strategy.joined(PAIR.own, STATION, ConferenceJoined(there)) == there
    assert FeatureCall("*44", "*45").joined(PAIR.own, STATION, CallMade(there)) == there
    dynamic = ConnectionId(b"\x0b\x02", None)
    assert SilentJoin().joined(PAIR.own, STATION, ConferenceJoined(dynamic)) == there


def test_an_answer_of_another_kind_means_no() -> None:
    for strategy in (SilentConference(), SilentJoin(), FeatureCall("*44", "*45")):
        assert strategy.joined(PAIR.own, STATION, NoData()) is None


def test_each_port_is_cleared_by_its_connection() -> None:
    joined = {"7101": port("7101"), "7102": port("7102", b"\x0c\x03")}
    for strategy in (SilentConference(), SilentJoin(), FeatureCall("*44", "*45")):
        assert strategy.stop("3100", PAIR, joined) == [ClearConnection(one) for one in joined.values()]


def escape() -> PrivateEscape:
    return PrivateEscape(start_template(), stop_template())


def test_one_escape_asks_for_both_ports() -> None:
    (ask,) = escape().start("3100", STATION, PAIR)
    assert ask.ports == (PAIR.own, PAIR.other)
    octets = "3019800101 81020a01 820433313030 830437313031 840437313032"
    assert ask.argument == Escape(bytes.fromhex(octets.replace(" ", "")))


def test_an_escape_that_is_granted_has_both_ports_in_the_stations_call() -> None:
    assert escape().joined(PAIR.other, STATION, NoData()) == port("7102")
    assert escape().joined(PAIR.other, STATION, ConferenceJoined(port("7102"))) is None


def test_one_escape_ends_both_ports_with_the_call_that_is_known_last() -> None:
    (stop,) = escape().stop("3100", PAIR, {"7102": port("7102", b"\x0d\x04")})
    octets = "3019800102 81020d04 820433313030 830437313031 840437313032"
    assert stop == Escape(bytes.fromhex(octets.replace(" ", "")))
    assert escape().stop("3100", PAIR, {}) == []


def test_lengths_are_definite_and_minimal_whatever_they_come_to() -> None:
    template = start_template("7F 8101( 04({call}) 0C({station}) 0C({own}) 0C({other}) )")
    for size in (0, 100, 127, 128, 255, 256, 70_000):
        octets = template.octets(b"x" * size, "3100", "7101", "7102")

        content = 18 + size + (2 if size < 128 else 3 if size < 256 else 4 if size < 65536 else 5)
        assert octets.startswith(b"\x7f\x81\x01")
        assert octets.endswith(b"\x0c\x047102")
        assert (
            len(octets) == 3 + (1 if content < 128 else 2 if content < 256 else 3 if content < 65536 else 4) + content
        )


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("30( 81({station} 82({own}) 83({other}) )", "a placeholder stands alone"),
        ("30( 81({station}) 82({own}) 83({other})", "1 parentheses are not closed"),
        ("30( 81({station}) 82({own}) 83({other}) ) )", "at position 43: a parenthesis closes that was not opened"),
        (
            "30( 81({station}) 82({own}) 83({port}) )",
            "no placeholder {port}; there are {call}, {station}, {own}, {other}",
        ),
        ("30( 81({station}) 82({own}) 83({own}) )", "{own} comes twice"),
        ("30( 81({station}) 82({own}) )", "lacks {other}"),
        ("30( 81({station}) 82({own}) 83({other}) ) 00", "not exactly one BER element"),
        ("30 81({station}) 82({own}) 83({other})", "not exactly one BER element"),
        ("30( 8({station}) 82({own}) 83({other}) )", "at position 5: expected two hexadecimal digits"),
        ("{station} 30( 82({own}) 83({other}) )", "a placeholder stands alone"),
    ],
)
def test_what_is_no_template_is_refused_with_the_place(text: str, fault: str) -> None:
    with pytest.raises(ValueError, match="template") as refused:
        start_template(text)
    assert fault in str(refused.value)


@pytest.mark.parametrize(
    ("fork", "kind"),
    [
        ("single-step-conference", SilentConference),
        ("join-call", SilentJoin),
        ("make-call", FeatureCall),
        ("escape", PrivateEscape),
    ],
)
def test_the_configuration_names_the_way(fork: str, kind: type) -> None:
    assert type(fork_strategy(Recording.model_validate({"fork": fork}))) is kind


def test_the_configuration_gives_codes_order_and_templates() -> None:
    how = Recording.model_validate(
        {"fork": "make-call", "fork_order": "other-first", "fork_codes": {"own": "#1", "other": "#2"}}
    )
    assert asked(fork_strategy(how)) == [
        MakeCall(DeviceId("7102"), DeviceId("#23100")),
        MakeCall(DeviceId("7101"), DeviceId("#13100")),
    ]
    how = Recording.model_validate(
        {"fork": "escape", "fork_escape": {"start": "04( 01({station}) 02({own}) 03({other}) )"}}
    )
    assert asked(fork_strategy(how)) == [Escape(bytes.fromhex("0412010433313030 0204 37313031 0304 37313032"))]


def test_a_template_in_the_configuration_is_checked() -> None:
    with pytest.raises(ValueError, match=r"lacks \{own\} and \{other\}"):
        Recording.model_validate({"fork_escape": {"stop": "30( 81({station}) )"}})
