"""The [[boards]] section."""

import pytest
from pydantic import ValidationError

from osrec_emulators.diun2.config import BoardConfig, FaultsConfig
from osrec_emulators.diun2.faults import TimeSlot

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
