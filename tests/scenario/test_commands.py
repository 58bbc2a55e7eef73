"""The commands on real recordings."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import soundfile
from typer.testing import CliRunner

from osrec.app import app
from osrec.store.disk import Disk
from osrec.store.takeover import LOCK_NAME
from tests.scenario.site import Site
from tests.scenario.test_calls import TWO_PARTY, steps


class Commands:
    """`osrec` with the configuration of a site."""

    def __init__(self, site: Site, config: Path) -> None:
        self.site = site
        self.config = config

    def __call__(self, *arguments: str, code: int = 0) -> str:
        result = CliRunner().invoke(app, [*arguments, "-c", str(self.config)])
        assert result.exit_code == code, result.output
        return result.output

    def json(self, *arguments: str) -> Any:
        return json.loads(self(*arguments, "--json"))


@pytest.fixture(scope="module")
def osrec(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Commands]:
    directory = tmp_path_factory.mktemp("commands")
    inside = steps((6.0, "3102", "call", "3103"), (1.0, "3103", "answer"), (2.0, "3103", "hangup"))
    unanswered = steps((1.0, "3101", "call", "3103"), (2.0, "3101", "hangup"))
    with Site(
        directory,
        steps(*TWO_PARTY, (2.0, "3100", "hold"), (1.0, "3100", "retrieve"), (1.0, "3100", "hangup")),
        inside,
        unanswered,
    ) as site:
        site.run(12).finish()
        config = directory / "osrec.toml"
        config.write_text(
            f'[data]\ndirectory = "{directory}/data"\n[csta]\nhost = "x"\nport = 1\n'
            '[[lines]]\nname = "trunk1"\nspec = "virtual:commands/b"\nports = ["7101-7130"]\n'
            '[stations]\nmonitored = ["3100-3103"]\n[[rules]]\nname = "all"\naction = "record"\n'
        )
        yield Commands(site, config)


def test_recordings_are_listed_newest_first(osrec: Commands) -> None:
    rows = osrec.json("recordings")["recordings"]
    assert [row["station"] for row in rows] == ["3102", "3100"]
    assert rows[1]["started"] == osrec.json("show", rows[1]["id"])["started"]
    assert rows[1]["id"] in osrec("recordings"), "whole ids also in the table"


@pytest.mark.parametrize(
    ("arguments", "stations"),
    [
        (("--party", "*4567"), ["3100"]),
        (("--party", "3103"), ["3102"]),
        (("--direction", "internal"), ["3102"]),
        (("--station", "31*"), ["3102", "3100"]),
        (("--since", "2026-11-23T12:00:05+00:00"), ["3102"]),
        (("--until", "2026-11-23T12:00:05+00:00"), ["3100"]),
        (("--limit", "1"), ["3102"]),
        (("--since", "2030-01-01"), []),
    ],
)
def test_recordings_are_filtered(osrec: Commands, arguments: tuple[str, ...], stations: list[str]) -> None:
    assert [row["station"] for row in osrec.json("recordings", *arguments)["recordings"]] == stations


def test_the_list_goes_on_where_a_page_ended(osrec: Commands) -> None:
    page = osrec.json("recordings", "--limit", "1")
    rest = osrec.json("recordings", "--cursor", page["cursor"])["recordings"]
    assert [row["station"] for row in rest] == ["3100"]


def test_conversations_say_why_they_were_not_recorded(osrec: Commands) -> None:
    rows = osrec.json("conversations", "--outcome", "not_recorded")["conversations"]
    assert [row["reason"] for row in rows] == ["not answered"]
    assert "not recorded: not answered" in osrec("conversations")


def test_a_recording_is_shown_with_its_time_line(osrec: Commands) -> None:
    recording = osrec.json("recordings", "--station", "3100")["recordings"][0]["id"]
    shown = osrec("show", recording[:26])
    assert "all: matches, record" in shown
    assert "held" in shown
    assert "+48221234567" in shown
    assert re.search(r"-1\.0\d\d s  delivered", shown), "what happened before, by how long before"
    assert osrec.json("show", recording)["schema"] == "osrec.recording/1"


def test_an_exported_wav_has_the_octets_and_the_others_play(osrec: Commands, tmp_path: Path) -> None:
    recording = osrec.json("recordings", "--station", "3100")["recordings"][0]
    for format, subtype in (("wav", "ALAW"), ("flac", "PCM_16"), ("opus", "OPUS")):
        out = tmp_path / f"call.{format}"
        osrec("export", recording["id"], "--format", format, "-o", str(out))
        info = soundfile.info(out)
        assert (info.channels, info.samplerate, info.subtype) == (
            2,
            8000 if format != "opus" else info.samplerate,
            subtype,
        )
        assert abs(info.duration - recording["sample_count"] / 8000) < 0.01


def test_export_does_not_replace_a_file_unless_told(osrec: Commands, tmp_path: Path) -> None:
    recording = osrec.json("recordings")["recordings"][0]["id"]
    out = tmp_path / "call.wav"
    out.write_text("mine")
    osrec("export", recording, "-o", str(out), code=2)
    assert out.read_text() == "mine"
    osrec("export", recording, "-o", str(out), "--force")
    assert out.read_bytes()[:4] == b"RIFF"


def test_an_unknown_recording_is_named(osrec: Commands) -> None:
    assert "ffff" in osrec("show", "ffff", code=1)


def test_verify_finds_nothing_changed(osrec: Commands) -> None:
    assert "2 recordings intact, 0 findings" in osrec("verify")


def test_a_running_recorder_is_needed_for_its_status_only(osrec: Commands) -> None:
    assert "is `osrec run` running" in osrec("status", code=1)


def test_a_configuration_is_checked_and_explained(osrec: Commands) -> None:
    out = osrec("check-config")
    assert "15: as many calls can be recorded at once" in out
    assert "4 monitored" in out


def test_a_wrong_line_is_found_before_anything_runs(osrec: Commands, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.toml"
    wrong.write_text(osrec.config.read_text().replace("virtual:commands/b", "satop:nowhere"))
    said = Commands(osrec.site, wrong)("check-config", code=2)
    assert f"{wrong}:8: lines[0].spec = 'satop:nowhere'" in said


def test_a_recording_is_found_by_either_end_of_its_id(osrec: Commands) -> None:
    recording = osrec.json("recordings", "--station", "3100")["recordings"][0]["id"]
    assert recording in osrec("show", recording[-8:])


def test_two_recordings_that_begin_alike_are_both_named(osrec: Commands) -> None:
    ids = [row["id"] for row in osrec.json("recordings")["recordings"]]
    said = osrec("show", ids[0][:4], code=1)
    assert all(one in said for one in ids)


@pytest.mark.parametrize(
    "arguments",
    [
        ("--party", "abc"),
        ("--station", "3100-3105"),
        ("--since", "soon"),
        ("--since", "2026-12-01", "--until", "2026-11-01"),
    ],
)
def test_a_wrong_filter_is_refused(osrec: Commands, arguments: tuple[str, ...]) -> None:
    assert "Invalid value" in osrec("recordings", *arguments, code=2)


def test_export_writes_into_nothing_but_files(osrec: Commands, tmp_path: Path) -> None:
    recording = osrec.json("recordings")["recordings"][0]["id"]
    assert "no ordinary file" in osrec("export", recording, "--force", "-o", "/dev/null", code=2)
    assert "there is no directory" in osrec("export", recording, "-o", str(tmp_path / "no" / "a.wav"), code=2)


def test_a_second_recorder_on_the_same_data_is_refused_before_anything_starts(osrec: Commands, tmp_path: Path) -> None:
    journal = tmp_path / "data" / "journal"
    journal.mkdir(parents=True)
    disk = Disk()
    lock = disk.lock(journal / LOCK_NAME)
    config = tmp_path / "osrec.toml"
    config.write_text(osrec.config.read_text().replace(f"{osrec.site.directory}/data", str(tmp_path / "data")))
    said = Commands(osrec.site, config)("run", code=2)
    disk.close(lock)
    assert "another recorder runs there" in said


def test_a_data_directory_that_cannot_be_is_named(osrec: Commands, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    config = tmp_path / "osrec.toml"
    config.write_text(osrec.config.read_text().replace(f"{osrec.site.directory}/data", str(tmp_path / "file")))
    assert "data.directory = " in Commands(osrec.site, config)("run", code=2)
