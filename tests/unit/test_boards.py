"""What is plugged in, as udev tells it: a bench of boards mocked with umockdev, looked at by the command itself."""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import pyudev

from osrec_drivers.board_models import PCI, TIGER, TIGER_SUBVENDORS, USB, pci_model, usb_model
from osrec_drivers.boards import find
from osrec_drivers.line import LineInfo, check_spec

BENCH = Path(__file__).parents[1] / "vectors/boards/bench.umockdev"
RULES = Path(__file__).parents[2] / "drivers/udev/60-osrec-e1.rules"


def osrec_boards(*options: str) -> str:
    command = "from osrec.app import main; main()"
    done = subprocess.run(
        ["umockdev-run", "-d", str(BENCH), "--", sys.executable, "-c", command, "boards", *options],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def bench() -> dict[str, dict[str, Any]]:
    return {board["place"]: board for board in json.loads(osrec_boards("--json"))}


def test_all_boards_are_found_and_nothing_else(bench: dict[str, dict[str, Any]]) -> None:
    assert set(bench) == {
        "usb 1-2",
        "usb 1-3",
        "usb 1-4",
        "pci 0000:03:00.0",
        "pci 0000:04:00.0",
        "pci 0000:05:00.0",
        "pci 0000:06:00.0",
        "dahdi span-7",
    }


def test_a_usb_board_is_named_by_its_serial_number_and_tells_which_port_is_free(bench: dict[str, Any]) -> None:
    board = bench["usb 1-2"]
    assert (board["name"], board["ids"], board["driver"]) == ("Osmocom icE1usb", "1d50:6145", "ice1usb")
    assert board["serial"] == "dc697407e7881531"
    assert board["lines"] == 2, "its interface for GPS is no E1"
    assert [(port["spec"], port["free"]) for port in board["ports"]] == [
        ("ice1usb:dc697407e7881531:0", False),
        ("ice1usb:dc697407e7881531:1", True),
    ]
    assert board["udev"]["ID_PATH"] == "pci-0000:00:14.0-usb-0:2"
    assert board["to_do"] == []


def test_what_stands_in_the_configuration_is_toml_with_the_spec_of_the_line(bench: dict[str, Any]) -> None:
    for board in bench.values():
        for port in board["ports"]:
            (line,) = tomllib.loads(port["toml"])["lines"]
            assert line["spec"].partition("?")[0] == port["spec"]
            check_spec(line["spec"])


def test_a_pci_board_without_its_module_is_found_and_the_module_named(bench: dict[str, Any]) -> None:
    board = bench["pci 0000:03:00.0"]
    assert (board["name"], board["lines"]) == ("Digium TE420 (5th generation)", 4)
    assert (board["module"], board["loaded"], board["ports"]) == ("wct4xxp", False, [])
    assert board["to_do"] == ["load its kernel module: modprobe wct4xxp"]
    assert board["udev"]["ID_VENDOR_FROM_DATABASE"] == "Digium, Inc."


def test_the_spans_of_a_board_are_its_lines(bench: dict[str, Any]) -> None:
    board = bench["pci 0000:04:00.0"]
    assert (board["name"], board["loaded"]) == ("Digium TE121", True)
    (port,) = board["ports"]
    assert port["spec"] == "dahdi:3"
    assert port["description"] == "span 3 E1 Wildcard TE121 Card 0"
    assert board["to_do"] == []


def test_a_span_without_a_board_is_listed_whatever_its_kernel_calls_its_type(bench: dict[str, Any]) -> None:
    board = bench["dahdi span-7"]
    (port,) = board["ports"]
    assert (port["spec"], port["description"]) == ("dahdi:7", "span 7 E1 Dynamic 'loc' span at '1:0'")


def test_what_cannot_be_used_says_why(bench: dict[str, Any]) -> None:
    assert bench["usb 1-3"]["driver"] is None
    assert bench["usb 1-3"]["to_do"] == [
        "it waits for firmware (DFU): unplug it and plug it in again, or finish the update with dfu-util"
    ]
    assert "e1-tracer-record" in bench["usb 1-4"]["to_do"][0]
    assert bench["pci 0000:05:00.0"]["to_do"] == ["ISDN basic rate: it has no E1 port"]
    assert bench["pci 0000:06:00.0"]["name"] == "Digium TE110P", "told from others by its subsystem's vendor"


def test_a_person_reads_what_to_do_and_what_to_configure() -> None:
    shown = osrec_boards()
    assert "ice1usb:dc697407e7881531:1" in shown
    assert "Digium TE420 (5th generation) at pci 0000:03:00.0: load its kernel module: modprobe wct4xxp" in shown
    assert (
        '# in use by another program now\n[[lines]]\nname = "trunk1"\nspec = "ice1usb:dc697407e7881531:0?wait=1"'
        in shown
    )
    assert 'spec = "dahdi:3"' in shown


def test_lines_of_a_daemon_are_listed_with_what_it_says_of_them() -> None:
    told = LineInfo("e1d:/run/e1d.ctl:0/0", "osmo-e1d, interface 0, line 0", False)
    (board,) = [board for board in find(pyudev.Context(), [told]) if board.driver == "e1d"]
    assert (board.name, board.place) == ("osmo-e1d", "/run/e1d.ctl:0/0")
    assert [(port.spec, port.free) for port in board.ports] == [("e1d:/run/e1d.ctl:0/0", False)]


def _rules() -> list[dict[tuple[str, str], str]]:
    """Each rule as {(key, operator): value}."""
    found = []
    for line in RULES.read_text().splitlines():
        if line and not line.startswith("#"):
            parts = re.findall(r'([A-Z]+(?:\{[^}]+\})?)(==|!=|\+=|=)"([^"]*)"(?:, |$)', line)
            assert ", ".join(f'{key}{operator}"{value}"' for key, operator, value in parts) == line, line
            found.append({(key, operator): value for key, operator, value in parts})
    return found


def test_the_udev_rules_name_the_same_boards_as_the_program() -> None:
    named = {}
    for rule in _rules():
        board = rule.get(("ENV{OSREC_BOARD}", "="))
        if board is not None and ("ATTR{vendor}", "==") in rule:
            ids = [rule[f"ATTR{{{key}}}", "=="].removeprefix("0x") for key in ("vendor", "device")]
            subvendor = rule.get(("ATTR{subsystem_vendor}", "=="), "").removeprefix("0x")
            model = pci_model(ids[0], ids[1], subvendor)
            assert model is not None
            told = (board, rule["ENV{OSREC_DRIVER}", "="], rule["ENV{OSREC_MODULE}", "="])
            assert told == (model.name, model.driver, model.module)
            named[tuple(ids), subvendor] = board
        elif board is not None:
            product = rule["ATTR{idProduct}", "=="].replace("*", "61")
            usb = usb_model(rule["ATTR{idVendor}", "=="], product)
            assert usb is not None
            assert board.startswith(usb.name)
            named[(rule["ATTR{idVendor}", "=="], product), ""] = board
    ours = {(ids, "") for ids, model in PCI.items() if model.driver} | {(ids, "") for ids in USB}
    ours |= {(TIGER, subvendor) for subvendor in TIGER_SUBVENDORS} | {(("e4e4", "1161"), "")}
    assert set(named) == ours


def test_the_udev_rules_jump_only_to_labels_that_stand_further_down() -> None:
    rules = _rules()
    for number, rule in enumerate(rules):
        label = rule.get(("GOTO", "="))
        assert label is None or any(later.get(("LABEL", "=")) == label for later in rules[number:])
