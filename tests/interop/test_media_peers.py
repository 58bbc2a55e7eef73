"""sox and ffmpeg read what we store and export, and agree with us on every octet and sample."""

import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from osrec.store.companding import expand
from osrec.store.config import StoreConfig
from osrec.store.export import export
from tests.journal_support import LEFT, RIGHT, SMALL, TICK
from tests.unit.test_keeper import LINE_GAP, expected, keep, record

GAP = LINE_GAP.first, LINE_GAP.count


@pytest.fixture(scope="module", params=["alaw", "ulaw"])
def stored(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, StoreConfig]:
    config = replace(SMALL, data=tmp_path_factory.mktemp("data"))
    record(config, 1, codec=request.param)
    keep(config)
    return request.param, config


def run(*command: str | Path) -> bytes:
    return subprocess.run([str(part) for part in command], check=True, capture_output=True).stdout


def sides(codec: str) -> tuple[bytes, bytes]:
    idle = 0xD5 if codec == "alaw" else 0xFF
    return expected(LEFT, 10 * TICK, GAP, idle=idle), expected(RIGHT, 10 * TICK, GAP, idle=idle)


def linear(codec: str) -> bytes:
    left, right = sides(codec)
    return np.column_stack((expand(left, codec), expand(right, codec))).astype("<i2").tobytes()  # type: ignore[arg-type]


def interleaved(codec: str) -> bytes:
    left, right = sides(codec)
    return bytes(octet for pair in zip(left, right, strict=True) for octet in pair)


def media(config: StoreConfig) -> Path:
    (path,) = [path for path in config.media.rglob("*.*") if path.suffix in (".flac", ".wav")]
    return path


def test_sox_reads_the_stored_file_with_our_samples(stored: tuple[str, StoreConfig]) -> None:
    codec, config = stored
    assert run("sox", media(config), "-t", "raw", "-e", "signed", "-b", "16", "-") == linear(codec)


def test_ffmpeg_reads_the_stored_file_with_our_samples(stored: tuple[str, StoreConfig]) -> None:
    codec, config = stored
    assert run("ffmpeg", "-v", "error", "-i", media(config), "-f", "s16le", "-") == linear(codec)


def exported_wav(config: StoreConfig, directory: Path) -> Path:
    (sidecar,) = config.media.rglob("*.json")
    export(sidecar, "wav", directory / "out.wav")
    return directory / "out.wav"


def test_the_octets_that_ffmpeg_copies_from_a_wav_export_are_those_sent(
    stored: tuple[str, StoreConfig], tmp_path: Path
) -> None:
    codec, config = stored
    raw = {"alaw": "alaw", "ulaw": "mulaw"}[codec]
    out = exported_wav(config, tmp_path)
    assert run("ffmpeg", "-v", "error", "-i", out, "-c:a", "copy", "-f", raw, "-") == interleaved(codec)


def test_sox_knows_the_encoding_of_a_wav_export_and_gives_our_samples(
    stored: tuple[str, StoreConfig], tmp_path: Path
) -> None:
    codec, config = stored
    out = exported_wav(config, tmp_path)
    assert run("soxi", "-e", out).strip().lower() == {"alaw": b"a-law", "ulaw": b"u-law"}[codec]
    assert run("sox", out, "-t", "raw", "-e", "signed", "-b", "16", "-") == linear(codec)
    if codec == "alaw":  # sox decodes and encodes again, which leaves the two zeros of µ-law one
        assert run("sox", out, "-t", "raw", "-e", "a-law", "-") == interleaved(codec)


def test_ffmpeg_checks_the_md5_inside_the_flac_file(stored: tuple[str, StoreConfig]) -> None:
    codec, config = stored
    if codec == "ulaw":
        pytest.skip("a µ-law recording is kept as WAV")
    run("ffmpeg", "-v", "error", "-xerror", "-err_detect", "crccheck+explode", "-i", media(config), "-f", "null", "-")


def test_ffprobe_finds_two_channels_of_opus(stored: tuple[str, StoreConfig], tmp_path: Path) -> None:
    _, config = stored
    (sidecar,) = config.media.rglob("*.json")
    export(sidecar, "opus", tmp_path / "out.opus")
    entries = ("-show_entries", "stream=codec_name,channels", "-of", "csv=p=0")
    assert run("ffprobe", "-v", "error", *entries, tmp_path / "out.opus").strip() == b"opus,2"
