"""Thresholds of a line in osrec.toml."""

from dataclasses import fields
from pathlib import Path

import pytest

from osrec.config_lines import LineSection
from osrec_drivers.e1.criteria import Criteria

LINE = {"name": "t1", "spec": "virtual:x/a", "slots": "1-2", "ports": ["7101", "7102"]}


def test_a_line_may_have_thresholds_of_its_own() -> None:
    section = LineSection.model_validate(LINE | {"criteria": {"bad_fas": 4, "interworking_frames": 800}})
    assert Criteria(**section.criteria) == Criteria(bad_fas=4, interworking_frames=800)
    assert Criteria(**LineSection.model_validate(LINE).criteria) == Criteria()


@pytest.mark.parametrize(
    ("criteria", "message"),
    [
        ({"bad_fast": 4}, "'bad_fast' is no threshold; there are bad_fas, bad_nfas"),
        ({"bad_fas": 0}, r"bad_fas = 0: must be 1\.\.100"),
        ({"crc_bad_blocks": 1001}, "crc_bad_blocks = 1001 of crc_blocks = 1000"),
    ],
)
def test_a_wrong_threshold_is_named_with_what_would_be_right(criteria: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        LineSection.model_validate(LINE | {"criteria": criteria})


def test_the_c_takes_all_of_the_table_in_its_order() -> None:
    header = (Path(__file__).parents[2] / "drivers/osrec_drivers/e1/receiver_state.h").read_text()
    struct = header[header.index("typedef struct {") : header.index("} e1_criteria;")]
    members = struct.replace("int ", "").replace(";", ",").split("\n", 1)[1]
    names = [name.strip() for name in members.split(",") if name.strip()]
    assert names == [each.name for each in fields(Criteria)]
