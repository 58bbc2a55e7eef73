"""What `osrec lines` draws, from what the recorder tells."""

from typing import Any

import pytest
from rich.console import Console, RenderableType

from osrec.cli.lines_view import line_panel, performance_view, slot_state

QUIET = {"seconds": 900, "es": 0, "ses": 0, "bbe": 0, "uas": 0}
LINE: dict[str, Any] = {
    "name": "trunk1",
    "spec": "satop:0.0.0.0:5001",
    "alarms": [],
    "aligned": True,
    "crc_multiframe": True,
    "crc4": "multiframe",
    "seconds": 3661.0,
    "received": 29_288_000,
    "expected": 29_288_000,
    "ppm": 0.2,
    "counters": {"frames": 29_288_000, "crc_errors": 0, "remote_crc_errors": 0, "packets_lost": 0},
    "levels": [None] * 32,
    "slots": {},
    "call_slots": [*range(1, 16), *range(17, 32)],
    "findings": [],
    "slips_per_hour": 0.0,
    "performance": {
        side: {"quarter": QUIET, "day": QUIET, "available": True}  # the same shape for both
        for side in ("near", "far")
    },
    "events": [],
    "signalling": None,
}


def drawn(view: RenderableType) -> str:
    console = Console(width=160, record=True, file=None, highlight=False)
    with console.capture() as captured:
        console.print(view)
    return captured.get()


def line(**changed: Any) -> str:
    return drawn(line_panel(LINE | changed, whole=True))


def test_a_sound_line_is_green_in_both_directions() -> None:
    said = line()
    assert "PBX  ════════►  recorder  frames and CRC-4" in said
    assert "PBX  ◄════════  recorder  the PBX finds nothing wrong" in said
    assert "no slips, clock +0.2 ppm" in said
    assert "1:01:01" in said


def test_a_line_without_signal_is_broken_towards_us_and_unknown_the_other_way() -> None:
    said = line(alarms=["los"], aligned=False, crc_multiframe=False, crc4="searching")
    assert "PBX  ══╳ ╳══ ►  recorder  LOS" in said
    assert "PBX  ◄── ? ──   recorder  not known" in said


def test_a_pbx_that_cannot_receive_us_is_broken_the_other_way() -> None:
    said = line(alarms=["rai"])
    assert "PBX  ════════►  recorder  frames and CRC-4" in said
    assert "PBX  ◄══╳ ╳══   recorder  the PBX says that it cannot receive us (RAI)" in said


def test_lmfa_is_told_apart_from_a_line_that_is_down() -> None:
    said = line(alarms=["lmfa"], crc_multiframe=False, crc4="non-crc interworking")
    assert "PBX  ════════►  recorder  frames; the far end sends no CRC-4  LMFA" in said


def test_a_finding_stands_with_its_likely_cause() -> None:
    said = line(findings=[{"severity": "fault", "what": "it smokes", "likely": "water"}])
    assert "fault: it smokes" in said
    assert "    likely: water" in said


@pytest.mark.parametrize(
    ("slot", "changed", "state"),
    [
        (0, {}, "frames"),
        (5, {}, "-"),
        (5, {"slots": {"5": "3100"}}, "3100"),
        (5, {"levels": [-20.0] * 32}, "audio"),
        (5, {"levels": [-60.0] * 32}, "-"),
        (16, {}, "unused"),
        (16, {"signalling": {"kind": "qsig"}}, "D"),
        (16, {"signalling": {"kind": "cas"}}, "CAS"),
    ],
)
def test_each_slot_has_its_state(slot: int, changed: dict[str, Any], state: str) -> None:
    assert slot_state(LINE | changed, slot)[0] == state


def test_a_d_channel_that_is_down_says_so_with_its_counts() -> None:
    told = {"kind": "dss1", "role": "user", "up": False, "last_trouble": None, "hdlc": {"frames": 7, "aborts": 0}}
    said = line(signalling=told)
    assert "signalling dss1: DOWN, role user" in said
    assert "hdlc: frames 7" in said
    assert "last trouble" not in said
    assert "signalling dss1: up" in line(signalling=told | {"up": True})


def test_what_happened_lately_is_told_of_one_line() -> None:
    events = [
        {"at": "2026-11-24T12:00:00+00:00", "alarm": "los", "raised": raised, "sample": 1} for raised in (True, False)
    ]
    assert [row.split()[-2] for row in line(events=events).splitlines() if " LOS " in row] == ["came", "went"]


def bin_of(start: str, **near: int) -> dict[str, Any]:
    return {"start": start, "near": QUIET | near, "far": QUIET}


def test_a_day_is_a_row_of_marks_and_bad_quarters_are_listed() -> None:
    quarters = [
        bin_of("2026-11-24T11:00:00+00:00"),
        bin_of("2026-11-24T11:15:00+00:00", es=3, bbe=9),
        bin_of("2026-11-24T11:30:00+00:00", es=3, ses=2),
        bin_of("2026-11-24T11:45:00+00:00", uas=15),
        bin_of("2026-11-24T12:00:00+00:00", seconds=0),
    ]
    said = drawn(
        performance_view(
            {
                "line": "trunk1",
                "thresholds": {"blocks": 1000, "ses_share": 0.832, "ses_fas": 28, "unavailable": 10, "available": 10},
                "available": {"near": False, "far": True},
                "quarters": quarters,
                "days": [bin_of("2026-11-24T00:00:00+00:00", es=6)],
            }
        )
    )
    assert "·eSU?" in said
    assert "····?" not in said, "the far end was seen in all of them"
    assert "832 of 1000 blocks" in said
    assert "near end, UNAVAILABLE" in said
    assert "far end, available" in said
    listed = [row for row in said.splitlines() if "│" in row and "2026-11-24" in row]
    assert len(listed) == 1 + 4, "the day, three bad quarters and the one that runs"
