"""A recorder that cannot start leaves nothing behind: its lines are closed, its journal is free, its threads end."""

import asyncio
import threading
from pathlib import Path

import pytest

from osrec.config import Config, load
from osrec.recorder.parts import store_config
from osrec.recorder.runner import run
from osrec.store.writer import JournalWriter
from osrec_drivers.errors import OpenError
from osrec_drivers.line import open_line
from tests.journal_support import run_started
from tests.unit.test_config import config_file


def _config(path: Path, name: str) -> Config:
    """A line with a D channel on a virtual cable, and a journal in a directory of its own."""
    config = load(config_file(path, ('directory = "data"', f'directory = "{path}/data"')))
    line = config.lines[0].model_copy(update={"spec": f"virtual:{name}/b", "signalling": "dss1"})
    return config.model_copy(update={"lines": [line]})


def _left_nothing(config: Config, spec: str, before: set[threading.Thread]) -> None:
    assert set(threading.enumerate()) == before
    open_line(spec).close()
    JournalWriter(store_config(config), run_started()).stop()


def test_a_trunk_that_cannot_begin_leaves_nothing_behind(tmp_path: Path) -> None:
    config, before = _config(tmp_path, "unbegun"), set(threading.enumerate())
    isdn = config.lines[0].isdn.model_copy(update={"role": "neither"})  # no check has seen it
    broken = config.model_copy(update={"lines": [config.lines[0].model_copy(update={"isdn": isdn})]})
    with pytest.raises(ValueError, match="'neither' is not a valid Role"):
        asyncio.run(run(broken, tmp_path / "osrec.toml"))
    _left_nothing(config, "virtual:unbegun/b", before)


def test_a_line_that_cannot_be_opened_closes_those_before_it(tmp_path: Path) -> None:
    config, before = _config(tmp_path, "unopened"), set(threading.enumerate())
    again = config.lines[0].model_copy(update={"name": "again", "ports": ["7201-7230"]})
    twice = config.model_copy(update={"lines": [config.lines[0], again]})
    with pytest.raises(OpenError, match="is open already"):
        asyncio.run(run(twice, tmp_path / "osrec.toml"))
    _left_nothing(config, "virtual:unopened/b", before)
