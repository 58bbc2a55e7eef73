"""The [[boards]] section."""

import re
import tomllib
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel, ValidationError

from osrec.wire.q921.frames import Side as End
from osrec.wire.q931.numbers import NumberingPlan
from osrec_emulators.diun2.call_events import Dialect
from osrec_emulators.diun2.call_faults import Outage, Strikes
from osrec_emulators.diun2.config import BoardConfig, FaultsConfig
from osrec_emulators.diun2.faults import TimeSlot
from osrec_emulators.diun2.line_faults import LineFault, What
from osrec_emulators.diun2.signalling_config import StrikesConfig
from osrec_emulators.diun2.trunk import IsdnTrunk
from osrec_emulators.diut2.trunk import CasTrunk
from osrec_emulators.pbx.media import Side

EXAMPLE = Path(__file__).parents[2] / "docs" / "pbx.toml"
LINE = "satop:127.0.0.1:5101/127.0.0.1:5001"


def test_thirty_ports_are_on_slots_1_to_15_and_17_to_31() -> None:
    layout = BoardConfig(name="a", lines=(LINE, LINE), ports=("7101-7130", "7201-7230")).layout()
    assert layout["7101"] == TimeSlot(0, 1)
    assert layout["7115"] == TimeSlot(0, 15)
    assert layout["7116"] == TimeSlot(0, 17)
    assert layout["7230"] == TimeSlot(1, 31)
    assert len(layout) == 60


@pytest.mark.parametrize(
    ("lines", "ports", "complaint"),
    [
        ((LINE,), ("7101-7131",), "31 ports"),
        ((LINE,), ("7101-7130", "7201"), "1 lines with 2 port ranges"),
        ((LINE, LINE), ("7101-7130", "7130"), "port 7130 is on both lines"),
        ((LINE,), ("7101 to 7130",), "7101 to 7130"),
        (("nonsense",), ("7101",), "line 'nonsense': a line is named DRIVER:REST"),
        (("satop:127.0.0.1:5101/127.0.0.1",), ("7101",), "remote end '127.0.0.1' must be HOST:PORT"),
        ((LINE, LINE, LINE), ("1", "2", "3"), "at most 2"),
    ],
)
def test_what_does_not_fit_a_board_is_refused(lines: tuple[str, ...], ports: tuple[str, ...], complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint):
        BoardConfig(name="a", lines=lines, ports=ports)


def test_faults_are_read() -> None:
    faults = FaultsConfig(mute=frozenset({"1/5"}), stuck={"2/7": 255}, swap=(("1/1", "1/2"),)).faults()
    assert faults.mute == {TimeSlot(0, 5)}
    assert faults.stuck == {TimeSlot(1, 7): 255}
    assert faults.wired(TimeSlot(0, 1)) == TimeSlot(0, 2)
    assert faults.wired(TimeSlot(0, 2)) == TimeSlot(0, 1)
    assert faults.wired(TimeSlot(0, 3)) == TimeSlot(0, 3)


@pytest.mark.parametrize("slot", ["5", "0/5", "3/5", "1/0", "1/16", "1/32", "1/x"])
def test_a_fault_on_no_telephone_channel_is_refused(slot: str) -> None:
    with pytest.raises(ValidationError, match="is no time slot"):
        FaultsConfig(mute=frozenset({slot}))


def test_a_fault_on_a_line_that_the_board_lacks_is_refused() -> None:
    with pytest.raises(ValidationError, match="faults on line 2"):
        BoardConfig(name="a", lines=(LINE,), ports=("7101",), faults=FaultsConfig(mute=frozenset({"2/1"})))


def board(**members: Any) -> BoardConfig:
    return BoardConfig.model_validate({"name": "a", "lines": [LINE], "ports": ["7101-7130"]} | members)


def test_a_board_without_signalling_has_nailed_slots() -> None:
    assert board().board().trunks == (None,)


@pytest.mark.parametrize(("signalling", "kind"), [("dss1", IsdnTrunk), ("qsig", IsdnTrunk), ("cas", CasTrunk)])
def test_each_line_has_the_trunk_that_is_asked_for(signalling: str, kind: type) -> None:
    one = board(lines=[LINE, LINE], ports=["7101-7102", "7201-7217"], signalling=signalling).board()
    trunks = [trunk for trunk in one.trunks if isinstance(trunk, IsdnTrunk | CasTrunk)]
    assert [type(trunk) for trunk in trunks] == [kind, kind]
    assert [len(trunk.places) for trunk in trunks] == [2, 17]
    assert trunks[1].places["7217"] == 18


def test_settings_of_a_d_channel_are_read() -> None:
    isdn = {
        "side": "user",
        "first": "other",
        "numbers": {"called": "9{port}", "plan": "private", "marks": {"own": "A", "other": "B"}},
        "timers": {"t200": 0.5, "t309": 5.0},
    }
    (trunk,) = board(signalling="qsig", isdn=isdn).board().trunks
    assert isinstance(trunk, IsdnTrunk)
    settings = trunk.settings
    assert settings.dialect == Dialect(qsig=True, side=End.USER)
    assert settings.first is Side.OTHER
    assert (settings.numbers.called, settings.numbers.plan) == ("9{port}", NumberingPlan.PRIVATE)
    assert settings.numbers.marks == {Side.OWN: "A", Side.OTHER: "B"}
    assert (settings.link_timers.t200, settings.call_timers.t309) == (0.5, 5.0)


def test_settings_of_cas_are_read() -> None:
    cas = {"codes": {"idle": "1110", "seize": "1111"}, "acknowledged": 0, "keep": 3.0}
    (trunk,) = board(signalling="cas", cas=cas).board().trunks
    assert isinstance(trunk, CasTrunk)
    assert (trunk.settings.codes.idle, trunk.settings.codes.seize) == (0b1110, 0b1111)
    assert (trunk.settings.timers.acknowledge, trunk.settings.keep) == (None, 3.0)


def test_faults_of_calls_are_read() -> None:
    calls = {
        "seed": 7,
        "late_release": {"every": 3, "seconds": 9.0},
        "wrong_channel": {"ports": ["7101-7103"], "named": "absent"},
        "outages": [{"at": 10.0, "seconds": 2.0, "every": 60.0}],
    }
    (trunk,) = board(signalling="dss1", faults={"calls": calls}).board().trunks
    assert isinstance(trunk, IsdnTrunk)
    faults = trunk.faults
    assert (faults.seed, faults.late_release, faults.late_seconds) == (7, Strikes(every=3), 9.0)
    assert (faults.wrong_channel, faults.wrong) == (Strikes(ports=frozenset({"7101", "7102", "7103"})), "absent")
    assert faults.outages == (Outage(10.0, 2.0, 60.0),)


def test_faults_of_bits_are_read_in_frames() -> None:
    bits = [
        {"what": "bit_errors", "at": 1.0, "seconds": 0.5, "every": 2.0, "rate": 1e-3},
        {"what": "los", "at": 3.0},
        {"line": 2, "what": "dropped", "octets": 5},
    ]
    faults = board(lines=[LINE, LINE], ports=["7101", "7201"], faults={"bits": bits}).board().faults
    assert faults.lines[0] == (
        LineFault(What.BIT_ERRORS, 8000, 4000, 16_000, 1e-3),
        LineFault(What.LOS, 24_000, 1 << 62),
    )
    assert faults.lines[1] == (LineFault(What.DROPPED, 0, 1, None, octets=5),)


@pytest.mark.parametrize(
    ("members", "complaint"),
    [
        ({"signalling": "r2"}, "signalling"),
        ({"isdn": {"numbers": {"called": "{line}"}}}, "no field {line}; there are {port}"),
        ({"isdn": {"numbers": {"called": "{port"}}}, "expected '}'"),
        ({"isdn": {"calls": "pair", "channel": "any"}}, "one call for two slots must name them"),
        ({"isdn": {"calls": "pair", "caller": "either"}}, "only the PBX places calls for two slots"),
        ({"isdn": {"dialling": True, "matching": "called"}}, "the called number is what is dialled"),
        ({"isdn": {"timers": {"t200": 0}}}, "greater than 0"),
        ({"cas": {"codes": {"idle": "10"}}}, "'10' are no signalling bits"),
        ({"cas": {"codes": {"idle": "0000"}}}, "0000 is forbidden"),
        ({"cas": {"codes": {"idle": "0001"}}}, "idle and seize are both 0001"),
        ({"faults": {"bits": [{"what": "los", "line": 2}]}}, "faults on line 2, but a has 1 line"),
        ({"faults": {"bits": [{"what": "loss"}]}}, "'los'"),
        ({"faults": {"bits": [{"what": "los", "every": 5.0}]}}, "would never end"),
        ({"faults": {"bits": [{"what": "los", "every": 5.0, "seconds": 5.0}]}}, "would never end"),
        ({"faults": {"bits": [{"what": "dropped", "seconds": 5.0}]}}, "that happens in a moment"),
        ({"faults": {"calls": {"outages": [{"seconds": 5.0, "every": 4.0}]}}}, "would never end"),
    ],
)
def test_what_cannot_be_is_refused_with_value_and_rule(members: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValidationError, match=re.escape(complaint)):
        board(**members)


def test_every_key_is_in_the_documented_example() -> None:
    """Whoever adds a key tells of it in docs/pbx.toml."""
    (shown,) = tomllib.loads(EXAMPLE.read_text(encoding="utf-8"))["boards"]
    assert _lacking(BoardConfig, shown) == set()


def _lacking(section: type[BaseModel], shown: dict[str, Any]) -> set[str]:
    """Keys that an example leaves out, by their path. Those of StrikesConfig are told of once for all."""
    found = section.model_fields.keys() - shown.keys()
    for name, info in section.model_fields.items():
        value = shown.get(name)
        if isinstance(value, list) and all(isinstance(each, dict) for each in value):
            value = {key: said for each in value for key, said in each.items()}
        for inner in (info.annotation, *get_args(info.annotation)):
            if isinstance(value, dict) and _is_section(inner) and not issubclass(inner, StrikesConfig):
                found |= {f"{name}.{key}" for key in _lacking(inner, value)}
    return found


def _is_section(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)
