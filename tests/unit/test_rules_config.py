"""The rules part of the configuration: exact places of what is wrong, a file of its own, and what it comes to."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from osrec.config import load, load_rules
from osrec.engine.rules import Facts
from osrec.errors import ConfigError
from osrec.recorder.rules import build_rules
from tests.unit.test_config import GOOD

RULES = """\
[calendar]
zone = "Europe/Berlin"
holidays = [2026-04-03, "12-25"]
[[times]]
name = "office"
weekdays = ["mon-fri"]
from = "08:00"
to = "17:30"
[[groups]]
name = "sales"
stations = ["3100-3119"]
[[rules]]
name = "sales by day"
action = "on_demand"
groups = ["sales"]
times = ["office"]
priority = 5
[[rules]]
name = "rest"
action = "record"
"""


def rules_file(directory: Path, old: str = "", new: str = "") -> Path:
    assert old in RULES
    path = directory / "rules.toml"
    path.write_text(RULES.replace(old, new, 1) if old else RULES)
    return path


def test_groups_times_and_calendar_come_to_what_the_rules_decide(tmp_path: Path) -> None:
    rules = build_rules(load_rules(rules_file(tmp_path)))
    day = datetime(2026, 11, 23, 7, 30, tzinfo=UTC)  # 8:30 in Berlin
    decision = rules.decide(Facts("3105", "in", at=day))
    assert (decision.action, decision.rule, decision.priority) == ("on_demand", "sales by day", 5)
    assert rules.decide(Facts("3120", "in", at=day)).rule == "rest"
    assert rules.decide(Facts("3105", "in", at=datetime(2026, 4, 3, 10, tzinfo=UTC))).rule == "rest"  # a holiday


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ('action = "on_demand"', 'action = "maybe"', 14, "rules[0].action = 'maybe': input should be 'record'"),
        ('["sales"]', '["sale"]', 15, "rules[0].groups[0]: 'sale' is not among [[groups]]; there is sales"),
        ('times = ["office"]', 'times = ["office", "x"]', 16, "rules[0].times[1]: 'x' is not among [[times]]"),
        ('"rest"', '"sales by day"', 19, "rules[1].name: the name 'sales by day' is used twice"),
        ("priority = 5", "priority = 500", 17, "rules[0].priority = 500: input should be less than or equal to 100"),
        (
            "priority = 5",
            'digits = ["*9", "9a"]',
            17,
            "rules[0].digits[1]: '9a' are no keys; write them as they are pressed",
        ),
        ("priority = 5", 'not_digits = [""]', 17, "rules[0].not_digits[0]: '' are no keys"),
        ("priority = 5", "percentage = -1", 17, "rules[0].percentage = -1: input should be greater than or equal to 0"),
        ("priority = 5", 'numbers = ["112",\n"abc"]', 18, "rules[0].numbers[1]: 'abc' is neither a number"),
        ("priority = 5", "not_numbers = []", 17, "rules[0].not_numbers: [] names nothing"),
        ("priority = 5", 'name_ = "x"', 17, "rules[0].name_ = 'x': no such key"),
        ('"mon-fri"', '"mon-fry"', 6, "times[0].weekdays[0]: 'mon-fry' is no day"),
        ('from = "08:00"', 'from = "8"', 7, "times[0].from = '8': no time of day; write 08:00"),
        ('"12-25"', '"12-32"', 3, "calendar.holidays[1]: '12-32' is no holiday"),
        ('"Europe/Berlin"', '"Berlin"', 2, "calendar.zone = 'Berlin': no such time zone"),
        ('stations = ["3100-3119"]', "", 9, "groups[0].stations is missing"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(tmp_path: Path, old: str, new: str, line: int, said: str) -> None:
    path = rules_file(tmp_path, old, new)
    with pytest.raises(ConfigError) as caught:
        load_rules(path)
    assert str(caught.value).startswith(f"{path}:{line}: ")
    assert said in str(caught.value)


def test_names_that_do_not_fit_are_told_in_one_run_with_all_else_that_is_wrong(tmp_path: Path) -> None:
    path = rules_file(tmp_path)
    text = path.read_text().replace('groups = ["sales"]', 'groups = ["sales", "sale", 5]\nnot_times = ["nights"]')
    text = (
        text.replace("priority = 5", "priority = 500")
        .replace('stations = ["3100-3119"]', "")
        .replace("rest", "sales by day")
    )
    path.write_text(text + '[[rules]]\nname = 7\naction = "record"\ntimes = ["night"]\n')
    with pytest.raises(ConfigError) as caught:
        load_rules(path)
    assert [line.removeprefix(f"{path}:").partition(" = ")[0] for line in str(caught.value).splitlines()] == [
        "9: groups[0].stations is missing",
        "15: rules[0].groups[1]: 'sale' is not among [[groups]]; there is sales",
        "15: rules[0].groups[2]",
        "16: rules[0].not_times[0]: 'nights' is not among [[times]]; there is office",
        "18: rules[0].priority",
        "20: rules[1].name: the name 'sales by day' is used twice; give each its own",
        "23: rules[2].name",
        "25: rules[2].times[0]: 'night' is not among [[times]]; there is office",
    ]


def test_names_that_do_not_fit_are_told_with_what_is_wrong_elsewhere_in_the_file(tmp_path: Path) -> None:
    main = tmp_path / "osrec.toml"
    text = GOOD.replace("[[rules]]", '[[rules]]\ngroups = ["sale"]', 1)
    main.write_text(text.replace("[data]", "[data]\nsegments = 0", 1))
    with pytest.raises(ConfigError) as caught:
        load(main)
    assert "data.segments = 0: " in str(caught.value)
    assert "rules[0].groups[0]: 'sale' is not among [[groups]]; there is none at all" in str(caught.value)


def with_rules_file(directory: Path, extra: str = "") -> Path:
    main = directory / "osrec.toml"
    main.write_text('rules_file = "rules.toml"\n' + GOOD.partition("[[rules]]")[0] + extra)
    return main


def test_rules_may_have_a_file_of_their_own(tmp_path: Path) -> None:
    rules_file(tmp_path)
    main = with_rules_file(tmp_path)
    assert [rule.name for rule in load(main).rules] == ["sales by day", "rest"]
    assert build_rules(load(main)).digest == build_rules(load_rules(tmp_path / "rules.toml")).digest


def test_what_is_wrong_in_the_rules_file_is_named_there(tmp_path: Path) -> None:
    rules = rules_file(tmp_path, 'action = "record"', 'action = "no"')
    with pytest.raises(ConfigError) as caught:
        load(with_rules_file(tmp_path))
    assert str(caught.value).startswith(f"{rules}:20: rules[1].action = 'no'")


def test_rules_in_both_files_are_refused(tmp_path: Path) -> None:
    rules_file(tmp_path)
    main = with_rules_file(tmp_path, '[[rules]]\nname = "x"\naction = "record"\n')
    with pytest.raises(ConfigError, match=rf"rules\.toml:12: rules: stands in {main}, too"):
        load(main)


def test_a_rules_file_has_nothing_else(tmp_path: Path) -> None:
    path = rules_file(tmp_path)
    path.write_text('[data]\ndirectory = "x"\n' + RULES)
    with pytest.raises(ConfigError, match=r"rules\.toml:1: data: a rules file has no such section"):
        load(with_rules_file(tmp_path))


def test_a_rules_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"rules\.toml: no such file; .*osrec\.toml names it as rules_file"):
        load(with_rules_file(tmp_path))
