"""docs/e1.md says of every alarm, counter and threshold where it is tested, and those tests are there."""

import re
from dataclasses import fields
from pathlib import Path

from osrec_drivers.e1.criteria import Criteria
from osrec_drivers.line import Alarm, Crc4, DCounters, LineCounters
from osrec_emulators.diun2.line_faults import What

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs/e1.md").read_text()
ROWS = [line for line in TEXT.splitlines() if line.startswith("|")]


def test_every_test_that_is_named_is_there() -> None:
    named = re.findall(r"`(test_\w+)`(?: in (test_\w+\.py))?", TEXT)
    assert len(named) > 20
    for test, file in named:
        path = ROOT / "tests/unit" / (file or "test_line_alarms.py")
        assert f"def {test}(" in path.read_text(), test


def test_every_alarm_counter_threshold_fault_and_state_has_its_place() -> None:
    table = "\n".join(ROWS)
    wanted = [alarm.value for alarm in Alarm] + [state.value for state in Crc4]
    wanted += [each.name for each in (*fields(LineCounters), *fields(DCounters))]
    wanted += [what.value for what in What]
    assert [name for name in wanted if f"`{name}`" not in table] == []
    assert [each.name for each in fields(Criteria) if f"`{each.name}`" not in TEXT] == []
