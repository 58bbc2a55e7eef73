"""The DAHDI line against Debian's own DAHDI driver, in a virtual machine that is booted once: `make test-dahdi`."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.dahdi.guest import NAMES
from tests.dahdi.machine import Machine, NotReadyError, build_bench, guest_script, kernel

SECONDS = 1200  # on a loaded machine; a free one needs two to three minutes


def _chosen(request: pytest.FixtureRequest) -> list[str]:
    """The parts that pytest is to run, `-k` and the like considered."""
    items = (item for item in request.session.items if isinstance(item, pytest.Function))
    return [
        str(item.callspec.params["part"]) for item in items if item.originalname == test_on_the_real_driver.__name__
    ]


@pytest.fixture(scope="session")
def results(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> dict[str, Any]:
    """What each part found, by its name; what the guest says is shown as it comes."""
    directory = tmp_path_factory.mktemp("machine")
    capture = request.config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():
        try:
            used = kernel()
            print(f"\nLinux {used.release} in virtual time; its root is this machine's, read-only", flush=True)
            module = build_bench(used.release, directory / "bench")
            machine = Machine(used, directory)
            for line in machine.run(guest_script(module, _chosen(request)), SECONDS):
                print(line, flush=True)
        except NotReadyError as error:
            pytest.exit(f"make test-dahdi cannot run: {error}", returncode=1)
        sys.stdout.flush()
    found = machine.share / "results"
    lines = Path(found).read_text().splitlines() if found.exists() else []
    return {result["part"]: result for result in map(json.loads, lines)}


@pytest.mark.timeout(SECONDS + 120)
@pytest.mark.parametrize("part", NAMES)
def test_on_the_real_driver(part: str, results: dict[str, Any]) -> None:
    result = results.get(part)
    assert result is not None, "the guest ended before it came to this part; what it printed is above"
    if not result["ok"]:
        pytest.fail(result["failure"], pytrace=False)
