"""Export and verify on real stored recordings: the octets, and every way in which they can be wrong."""

import re
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest
import soundfile

from osrec.errors import StoreError
from osrec.store import wav
from osrec.store.companding import expand
from osrec.store.config import StoreConfig
from osrec.store.export import Format, export
from osrec.store.verify import Verified, verify
from tests.journal_support import LEFT, RIGHT, SMALL, TICK
from tests.unit.test_keeper import LINE_GAP, expected, keep, record

LEFT_OCTETS = expected(LEFT, 10 * TICK, (LINE_GAP.first, LINE_GAP.count))
RIGHT_OCTETS = expected(RIGHT, 10 * TICK, (LINE_GAP.first, LINE_GAP.count))


@pytest.fixture
def config(tmp_path: Path) -> StoreConfig:
    config = replace(SMALL, data=tmp_path / "data")
    record(config, 1)
    keep(config)
    return config


def file(config: StoreConfig, suffix: str) -> Path:
    (path,) = config.media.rglob(f"*{suffix}")
    return path


def test_a_wav_export_has_the_octets_of_the_line(config: StoreConfig, tmp_path: Path) -> None:
    export(file(config, ".json"), "wav", tmp_path / "out.wav")
    content = (tmp_path / "out.wav").read_bytes()
    assert wav.parse_header(content) == ("alaw", 10 * TICK)
    assert content[wav.HEADER_LENGTH :: 2] == LEFT_OCTETS
    assert content[wav.HEADER_LENGTH + 1 :: 2] == RIGHT_OCTETS


def test_a_flac_export_has_their_linear_values(config: StoreConfig, tmp_path: Path) -> None:
    export(file(config, ".json"), "flac", tmp_path / "out.flac")
    samples, rate = soundfile.read(tmp_path / "out.flac", dtype="int16")
    assert rate == 8000
    assert np.array_equal(samples[:, 0], expand(LEFT_OCTETS, "alaw"))


def test_an_opus_export_is_as_long_as_the_recording(config: StoreConfig, tmp_path: Path) -> None:
    export(file(config, ".json"), "opus", tmp_path / "out.opus")
    info = soundfile.info(tmp_path / "out.opus")
    assert (info.format, info.subtype, info.channels) == ("OGG", "OPUS", 2)
    assert info.duration == pytest.approx(1.0, abs=0.02)


@pytest.mark.parametrize("format", ["wav", "flac", "opus"])
def test_an_export_that_fails_leaves_what_was_there(config: StoreConfig, tmp_path: Path, format: Format) -> None:
    file(config, ".flac").write_bytes(b"nonsense")
    out = tmp_path / "out"
    out.write_bytes(b"before")
    with pytest.raises(StoreError):
        export(file(config, ".json"), format, out)
    assert out.read_bytes() == b"before"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "out"]


def test_an_export_to_a_directory_that_is_not_there_names_it(config: StoreConfig, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"none/out\.wav: cannot be written"):
        export(file(config, ".json"), "wav", tmp_path / "none" / "out.wav")


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def rewrite(old: str, new: str) -> Callable[[StoreConfig], None]:
    def change(config: StoreConfig) -> None:
        path = file(config, ".json")
        path.write_text(path.read_text().replace(old, new))

    return change


def change_row(config: StoreConfig) -> None:
    with sqlite3.connect(config.index) as database:
        database.execute("UPDATE recordings SET station = '9999'")
    database.close()


@pytest.mark.parametrize(
    ("damage", "reasons"),
    [
        (lambda config: flip(file(config, ".flac")), ["changed: "]),
        (lambda config: file(config, ".flac").unlink(), [r"\.flac: missing"]),
        (lambda config: file(config, ".peaks").unlink(), [r"\.peaks: missing"]),
        (lambda config: flip(file(config, ".peaks")), [r"\.peaks: changed"]),
        (lambda config: file(config, ".peaks").write_bytes(b""), [r"\.peaks: changed", "a peaks file of 0 octets"]),
        (lambda config: file(config, ".json").unlink(), ["No such file"]),
        (lambda config: file(config, ".json").write_text("{}"), ["changed since", "expected osrec.recording/1"]),
        (rewrite('"station": "3001"', '"station": "3002"'), ["changed since", "station is 3002, the index says 3001"]),
        (change_row, ["station is 3001, the index says 9999"]),
    ],
)
def test_damage_is_found_and_named(
    config: StoreConfig, damage: Callable[[StoreConfig], None], reasons: list[str]
) -> None:
    damage(config)
    (result,) = (found for found in verify(config) if found.recording is not None)
    for reason in reasons:
        assert any(re.search(reason, finding) for finding in result.findings), result.findings


def test_a_file_encoded_anew_is_changed_but_its_octets_are_not(config: StoreConfig) -> None:
    media = file(config, ".flac")
    samples, rate = soundfile.read(media, dtype="int16")
    soundfile.write(media, samples, rate, "PCM_16", format="FLAC", compression_level=0.0)
    (result,) = verify(config)
    assert [finding.split(": ")[1] for finding in result.findings] == ["changed"]


def test_other_octets_under_a_true_file_hash_are_found(config: StoreConfig) -> None:
    media = file(config, ".flac")
    samples, rate = soundfile.read(media, dtype="int16")
    soundfile.write(media, samples[:, ::-1], rate, "PCM_16", format="FLAC")
    (result,) = verify(config)
    assert "the octets of the left side are not those that were recorded" in result.findings[-2]


def test_a_file_of_no_recording_is_reported(config: StoreConfig) -> None:
    orphan = file(config, ".flac").with_name(f"{UUID(int=5)}.flac")
    orphan.write_bytes(b"")
    results = list(verify(config))
    assert results[0].intact
    assert results[1] == Verified(None, orphan, (f"{orphan}: belongs to no recording of the index",))


def test_one_recording_can_be_verified_alone(config: StoreConfig) -> None:
    assert [result.recording for result in verify(config, str(UUID(int=1)))] == [UUID(int=1)]
