import json
from pathlib import Path

import pytest

from osrec.errors import StoreError
from osrec.store.sidecar import SCHEMA, Sidecar, read_sidecar
from tests.unit.test_index import sidecar

PUBLISHED = Path(__file__).parents[2] / "docs" / "sidecar.schema.json"


def test_the_published_schema_is_that_of_the_program() -> None:
    """Make it anew: python -m osrec.store.sidecar > docs/sidecar.schema.json"""
    assert json.loads(PUBLISHED.read_text()) == Sidecar.model_json_schema()


def test_a_sidecar_is_read_as_it_was_written(tmp_path: Path) -> None:
    written = sidecar(1)
    (tmp_path / "a.json").write_text(written.model_dump_json())
    assert read_sidecar(tmp_path / "a.json") == written
    assert json.loads((tmp_path / "a.json").read_text())["schema"] == SCHEMA


def test_members_of_a_later_version_are_passed_over(tmp_path: Path) -> None:
    members = json.loads(sidecar(1).model_dump_json()) | {"later": 1}
    (tmp_path / "a.json").write_text(json.dumps(members))
    assert read_sidecar(tmp_path / "a.json") == sidecar(1)


@pytest.mark.parametrize(
    ("member", "value", "message"),
    [("schema", "osrec.recording/9", "schema: Input should be"), ("sample_count", -1, "sample_count: .* greater")],
)
def test_what_is_wrong_is_named(tmp_path: Path, member: str, value: object, message: str) -> None:
    members = json.loads(sidecar(1).model_dump_json()) | {member: value}
    (tmp_path / "a.json").write_text(json.dumps(members))
    with pytest.raises(StoreError, match=rf"a\.json: {message}.*; expected osrec\.recording/1"):
        read_sidecar(tmp_path / "a.json")


def test_a_sidecar_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"a\.json: No such file"):
        read_sidecar(tmp_path / "a.json")
