import random
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest

from osrec.errors import StoreError
from osrec.store import salvage as module
from osrec.store.disk import Disk
from osrec.store.salvage import salvage, salvage_segments
from osrec.store.scan import SegmentReader, list_segments
from osrec.store.verify import verify
from tests.journal_support import SMALL
from tests.unit.test_keeper import keep, record


def image(tmp_path: Path) -> tuple[Path, list[bytes]]:
    """Segments of a journal strewn over something that is no file system, out of order."""
    config = replace(SMALL, data=tmp_path / "data")
    record(config, 1, 2, ticks=30)
    contents = [segment.path.read_bytes() for segment in list_segments(Disk(), config.journals)]
    noise = random.Random(1)
    path = tmp_path / "image"
    path.write_bytes(b"".join(noise.randbytes(noise.randrange(5000)) + content for content in reversed(contents)))
    return path, contents


@pytest.mark.parametrize("chunk", [100, 5000, 1 << 20])
def test_blocks_are_found_wherever_they_lie(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chunk: int) -> None:
    path, contents = image(tmp_path)
    monkeypatch.setattr(module, "_CHUNK", chunk)
    monkeypatch.setattr(module, "_OVERLAP", 20_000)
    found = {(block.segment, block.sequence): block for _, block in salvage(path)}
    config = replace(SMALL, data=tmp_path / "data")
    written = [
        block
        for segment in list_segments(Disk(), config.journals)
        for _, block in SegmentReader(Disk(), segment).read()
    ]
    assert found == {(block.segment, block.sequence): block for block in written}
    assert len(contents) > 2


def test_a_salvaged_journal_is_finished_by_the_keeper(tmp_path: Path) -> None:
    path, _ = image(tmp_path)
    config = replace(SMALL, data=tmp_path / "new")
    assert len(salvage_segments(path, config.journal)) > 2
    assert salvage_segments(path, config.journal) == []  # they are there
    keep(config)
    results = list(verify(config))
    assert {result.recording for result in results} == {UUID(int=1), UUID(int=2)}
    assert all(result.intact for result in results)


def test_a_device_that_cannot_be_read_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="none: cannot be read"):
        list(salvage(tmp_path / "none"))
