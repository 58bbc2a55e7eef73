"""The configuration file: what is wrong is said with file, key, value and what would be right."""

from pathlib import Path

import pytest

from osrec.config import load
from osrec.errors import ConfigError
from osrec_drivers.e1.performance import Thresholds

GOOD = """
[data]
directory = "data"
[csta]
host = "192.0.2.1"
port = 1040
[[lines]]
name = "trunk1"
spec = "virtual:trunk1/b"
ports = ["7101-7130"]
[stations]
monitored = ["3100-3139"]
trunks = ["78??"]
[[rules]]
name = "all"
action = "record"
"""


def config_file(directory: Path, *changes: tuple[str, str]) -> Path:
    text = GOOD
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path = directory / "osrec.toml"
    path.write_text(text)
    return path


def test_a_small_file_is_enough(tmp_path: Path) -> None:
    config = load(config_file(tmp_path))
    pairs = config.lines[0].pairs()
    assert len(pairs) == 15
    assert pairs[0] == ((1, "7101"), (2, "7102"))
    assert pairs[7] == ((15, "7115"), (17, "7116"))
    assert pairs[14] == ((30, "7129"), (31, "7130"))
    assert config.data.directory == tmp_path / "data"


def test_thresholds_of_a_line_may_be_other_than_the_standards(tmp_path: Path) -> None:
    assert load(config_file(tmp_path)).lines[0].thresholds == Thresholds()
    other = "[lines.performance]\nses_share = 0.832\nunavailable = 12\n[stations]"
    assert load(config_file(tmp_path, ("[stations]", other))).lines[0].thresholds == Thresholds(
        ses_share=0.832, unavailable=12
    )


DSS1 = 'signalling = "dss1"\n[lines.isdn]\n'  # behind the keys of a line


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("port = 1040", "port = 70000", "csta.port = 70000: input should be less than or equal to 65535"),
        ("port = 1040", "", "csta.port: is missing; or name several servers"),
        ("port = 1040", 'port = 1040\nframing = "be3"', "csta.framing = 'be3': input should be 'be2', 'siemens'"),
        ("port = 1040", "port = 1040\nhots = 1", "csta.hots = 1: no such key"),
        ("port = 1040", 'port = 1040\nversion = "x"', "hexadecimal octets"),
        ('ports = ["7101-7130"]', 'ports = ["7101-7129"]', "29 ports for 30 slots"),
        (
            "[stations]",
            "[lines.performance]\nses = 1\n[stations]",
            "'ses' is no threshold; there are blocks, ses_share",
        ),
        ("[stations]", "[lines.performance]\nses_share = 30\n[stations]", "ses_share = 30.0: a share of the blocks"),
        ("[stations]", "[lines.performance]\nses_fas = 2.5\n[stations]", "ses_fas = 2.5: a whole number"),
        ("[stations]", "[lines.performance]\nses_fas = inf\n[stations]", "ses_fas = inf: a whole number"),
        ("[stations]", f"{DSS1}t200 = inf\n[stations]", "isdn.t200 = inf: input should be a finite number"),
        ("[stations]", f"{DSS1}t203 = 0.5\n[stations]", "T203 0.5 s is less than T200, 1 s"),
        ("[stations]", f"{DSS1}timers = {{ T303 = inf }}\n[stations]", "T303 = inf: input should be a finite number"),
        ('ports = ["7101-7130"]', 'ports = ["7130-7101"]', "range '7130-7101': both ends"),
        ('ports = ["7101-7130"]', 'ports = ["3100-3129"]', "3100 is one of the recorder's own ports"),
        ('ports = ["7101-7130"]', 'ports = ["1-3"]\nslots = "1-3"', "the count must be even"),
        ('ports = ["7101-7130"]', 'ports = ["1-4"]\nslots = "30-33"', "time slot 32 does not carry audio"),
        ('ports = ["7101-7130"]', 'ports = ["1-4"]\nslots = "a-b"', "slots: 'a-b' are no time slots; write numbers"),
        (
            'directory = "data"',
            'directory = "data"\nspare_directory = "data"',
            "is data.directory; name one on another",
        ),
        (
            'trunks = ["78??"]',
            'trunks = ["31??"]',
            ":13: stations.trunks: 31?? includes 3100, which stations.monitored",
        ),
        ('action = "record"', 'action = "maybe"', "rules[0].action = 'maybe'"),
        ('action = "record"', 'action = "record"\n[[rules]]\nname = "all"\naction = "never"', "'all' is used twice"),
        ('directory = "data"', 'directory = "data', "not TOML"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, old: str, new: str, said: str) -> None:
    path = config_file(tmp_path, (old, new))
    with pytest.raises(ConfigError) as caught:
        load(path)
    assert said in str(caught.value)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    ("spec", "signalling", "said"),
    [
        ("dahdi:1?hdlc=dahdi", "cas", "hdlc=dahdi gives time slot 16 to DAHDI's HDLC, and CAS needs it"),
        ("e1d:/run/e1d.ctl?mode=channelized&slots=1-15,17-31", "dss1", "option slots leaves out time slot 16"),
    ],
)
def test_signalling_on_a_line_that_cannot_carry_it_is_refused(
    tmp_path: Path, spec: str, signalling: str, said: str
) -> None:
    line = 'spec = "virtual:trunk1/b"'
    with pytest.raises(ConfigError) as caught:
        load(config_file(tmp_path, (line, f'spec = "{spec}"\nsignalling = "{signalling}"')))
    assert f"lines[0].spec: with signalling = {signalling!r}: line {spec!r}: {said}" in str(caught.value)
    other = {"cas": "dss1", "dss1": "none"}[signalling]
    load(config_file(tmp_path, (line, f'spec = "{spec}"\nsignalling = "{other}"')))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"absent\.toml: no such file"):
        load(tmp_path / "absent.toml")


def test_every_fault_is_told_at_once(tmp_path: Path) -> None:
    path = config_file(tmp_path, ("port = 1040", "port = 0"), ('action = "record"', 'action = "no"'))
    with pytest.raises(ConfigError) as caught:
        load(path)
    assert len(str(caught.value).splitlines()) == 2


def test_the_documented_example_is_complete_and_valid(tmp_path: Path) -> None:
    example = Path(__file__).parents[2] / "docs" / "osrec.toml"
    config = load(example)
    text = example.read_text()
    calls = config.rules[0], config.groups[0], config.times[0], config.calendar
    for section in (
        config.data,
        config.csta,
        config.lines[0],
        config.lines[0].isdn,
        config.lines[0].cas,
        config.stations,
        config.recording,
        *calls,
    ):
        for name, member in type(section).model_fields.items():
            shown = f"{member.alias or name} = " in text or f".{name}]" in text
            assert shown, f"docs/osrec.toml does not show {name}"
