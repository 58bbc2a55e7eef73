"""The emulator's file: errors name file, key, value and what would be right."""

from pathlib import Path

import pytest

from osrec.errors import ConfigError
from osrec_emulators.config import load_config

GOOD = """
[pbx]
recorder_ports = ["7101-7130"]
[[pbx.stations]]
range = "3100-3109"
voices = ["hello", "tone:5"]
[cap]
port = 0
[audio]
speech = "talk"
[[boards]]
name = "diun2-1"
lines = ["virtual:config-test/a"]
ports = ["7101-7130"]
[truth]
directory = "truth"
"""


def write(home: Path, text: str) -> Path:
    (home / "talk").mkdir()
    (home / "talk" / "hello.alaw").write_bytes(b"\xd5" * 100)
    file = home / "pbx.toml"
    file.write_text(text)
    return file


def test_paths_are_taken_from_the_files_directory(tmp_path: Path) -> None:
    config = load_config(write(tmp_path, GOOD))
    assert config.audio.speech == tmp_path / "talk"
    assert config.truth is not None
    assert config.truth.directory == tmp_path / "truth"


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("[cap]", "[cap", "is not TOML"),
        ('speech = "talk"', "", "audio.speech is missing"),
        ('speech = "talk"', 'speech = "nowhere"', "audio.speech = 'nowhere'"),
        ("port = 0", "prot = 0", "cap.prot = 0: no such key; there are"),
        ("port = 0", "port = 99999", "cap.port = 99999: Input should be less than or equal to 65535"),
        ('"hello"', '"hallo"', "pbx.stations[0].voices = 'hallo': no hallo.alaw in"),
        ('"virtual:config-test/a"', '"virtual:x"', "boards[0].lines[0] = 'virtual:x'"),
        ('ports = ["7101-7130"]\n[truth]', 'ports = ["7101-7129"]\n[truth]', "pbx.recorder_ports: 7130 is on no board"),
        ('recorder_ports = ["7101-7130"]', "", "boards: port 7101 of diun2-1 is not among pbx.recorder_ports"),
        ("[truth]", "[truth]\nkeep_minutes = 0", "truth.keep_minutes = 0: Input should be greater than 0"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, old: str, new: str, complaint: str) -> None:
    assert old in GOOD
    file = write(tmp_path, GOOD.replace(old, new))
    with pytest.raises(ConfigError) as raised:
        load_config(file)
    assert str(raised.value).startswith(f"{file}: ")
    assert complaint in str(raised.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        load_config(tmp_path / "none.toml")


def test_the_documented_example_is_valid() -> None:
    config = load_config(Path(__file__).parents[2] / "docs" / "pbx.toml")
    assert config.pbx.load is not None
    assert config.truth is not None
