"""The judge: right recordings pass, and each kind of wrong is found and named."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from osrec.errors import ConfigError
from osrec_emulators.audio.alaw import Octets
from osrec_emulators.audio.plane import AudioPlane
from osrec_emulators.audio.voices import load_voices
from osrec_emulators.check.judge import check
from osrec_emulators.check.ledger import Ledger
from osrec_emulators.check.verdict import Report
from osrec_emulators.diun2.board import Board
from osrec_emulators.diun2.faults import Faults, TimeSlot
from osrec_emulators.diun2.truth import AudioTruth
from osrec_emulators.pbx.media import Fork, Side, Source, Voice
from tests.unit.check_media import store

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
SPEECH = Path(__file__).parents[1] / "vectors" / "speech"
PAIRS = {"3101": ("7101", "7102"), "3102": ("7103", "7104")}
LAYOUT = {f"710{slot}": TimeSlot(0, slot) for slot in range(1, 5)}
OFFSET = 123_457  # of the recorder's sample numbers against the board's frame numbers
CALLS = {"3101": "0a01", "3102": "0a02", "3103": "0a03"}
SPOKEN = {"3101": "en-order", "3102": "pl-serwis", "outside": "de-zentrale"}


class Network:
    """Two stations talk to the same person outside."""

    def __init__(self) -> None:
        self.version = 0
        self.forks: Mapping[str, Fork] = {}
        self.on_hold = False

    def hears(self, device: str) -> list[Source]:
        return [] if self.on_hold else [Voice("outside")]

    def speaks(self, device: str) -> bool:
        return not self.on_hold

    def says(self, device: str) -> str:
        return SPOKEN[device]

    def fork(self, *stations: str) -> None:
        self.forks = {
            port: Fork(port, station, side, CALLS[station])
            for station in stations
            for port, side in zip(PAIRS[station], (Side.OWN, Side.OTHER), strict=True)
        }
        self.version += 1


@dataclass
class Site:
    """An emulated PBX with its truth, and a recorder that a test can make lie."""

    home: Path
    faults: Faults = field(default_factory=Faults)
    sent: Octets = field(default_factory=lambda: np.empty((0, 32), np.uint8))
    spans: dict[str, tuple[int, int]] = field(default_factory=dict)

    def play(self, *, held: bool = False) -> "Site":
        """3101 is forked from 1 s to 9 s, 3102 from 2 s to 7 s. `held`: from then on 3101 has its call on hold."""
        network, board = Network(), Board("a", ["virtual:a"], LAYOUT, self.faults)
        plane = AudioPlane(network, load_voices(SPEECH))
        truth = AudioTruth(self.home / "truth", [board], AT)
        blocks: list[Sequence[Octets]] = []
        for stations, seconds in (((), 1), (("3101",), 1), (("3101", "3102"), 5), (("3101",), 2), ((), 2)):
            network.on_hold = held and len(blocks) >= 70
            network.fork(*stations)
            for _ in range(seconds * 10):
                at = AT + timedelta(seconds=board.sent / 8000)
                blocks.append(board.frames(plane.render(800)))
                truth.write(board, blocks[-1], at)
        truth.close(AT + timedelta(seconds=11))
        self.sent = np.concatenate([block[0] for block in blocks])
        self.spans = {"3101": (1, 9), "3102": (2, 7)}
        rows = [self.conversation(station) for station in self.spans]
        (self.home / "truth" / "calls.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        return self

    def conversation(self, station: str, answered: bool = True) -> dict[str, Any]:
        began, ended = ((AT + timedelta(seconds=second)).isoformat() for second in self.spans[station])
        return {
            "thread": f"thread-{station}",
            "calls": [CALLS[station]],
            "stations": [station],
            "parties": [
                {"number": station, "external": False, "trunk": None, "name": None},
                {"number": "004930123456", "external": True, "trunk": "7801", "name": None},
            ],
            "direction": "in",
            "started": self.spans[station][0],
            "talks": [
                {
                    "station": station,
                    "call": CALLS[station],
                    "heard": True,
                    "from": self.spans[station][0],
                    "to": self.spans[station][1],
                }
            ],
            "forks": [
                {
                    "port": port,
                    "station": station,
                    "side": side.value,
                    "from": self.spans[station][0],
                    "to": self.spans[station][1],
                    "dead": False,
                    "end": "released",
                }
                for port, side in zip(PAIRS.get(station, ()), (Side.OWN, Side.OTHER), strict=False)
            ],
            "started_at": began,
            "answered_at": began if answered else None,
            "ended_at": ended,
        }

    def record(self, station: str, **lie: Any) -> Path:
        """A recording from half a second before the fork to half a second after it, unless told otherwise."""
        first = lie.get("first", self.spans[station][0] * 8000 - 4000)
        end = lie.get("end", self.spans[station][1] * 8000 + 4000)
        slots = [LAYOUT[port].slot for port in PAIRS[station]]
        octets = np.ascontiguousarray(self.sent[first:end, slots].T)
        lie.get("spoil", lambda octets: None)(octets)
        return store(
            self.home / "media" / "2026" / station,
            station=station,
            calls=[CALLS[station]],
            ports=PAIRS[station],
            layout=LAYOUT,
            octets=octets,
            first_sample=first + lie.get("offset", OFFSET),
            began=AT + timedelta(seconds=first / 8000),
            gaps=lie.get("gaps", ()),
            edit=lie.get("edit", lambda sidecar: None),
        )

    def check(self, *stations: str, restarts: int = 0, gaps: tuple[str, ...] = ()) -> Report:
        return check(self.home / "truth", self.home / "media", stations or ("*",), restarts, gaps)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path).play()


def faults_of(report: Report) -> str:
    return "\n".join(
        fault
        for each in (*report.recordings, *report.judged, report)
        for fault in each.faults  # type: ignore[attr-defined]
    )


def test_recordings_that_equal_what_was_sent_are_right(site: Site) -> None:
    site.record("3101")
    site.record("3102")
    report = site.check()
    assert faults_of(report) == ""
    assert report.right
    assert [(each.seconds, each.octets, each.gaps) for each in report.recordings] == [(9, 144000, 0), (6, 96000, 0)]
    assert [(each.recordings, each.forks) for each in report.judged] == [(1, 2), (1, 2)]
    assert [(each.line, each.offsets) for each in report.runs] == [("a/1", (OFFSET,))]


@pytest.mark.parametrize("row", [0, 1])
@pytest.mark.parametrize("at", [0, 3999, 4000, 40000, 71999])
def test_one_octet_that_differs_is_found(site: Site, row: int, at: int) -> None:
    def spoil(octets: Octets) -> None:
        octets[row, at] ^= 0x10

    site.record("3101", spoil=spoil)
    site.record("3102")
    report = site.check()
    side = ("left", "right")[row]
    assert faults_of(report) == f"{side}: 1 octets differ from those sent, the first at sample {at}"
    assert not report.right


def test_swapped_sides_are_found(site: Site) -> None:
    def swap(octets: Octets) -> None:
        octets[:] = octets[::-1].copy()

    site.record("3101", spoil=swap)
    site.record("3102")
    assert "the sides are swapped: left equals port 7102" in faults_of(site.check())


def test_sides_that_are_swapped_in_octets_and_ports_alike_are_found(site: Site) -> None:
    def swap(octets: Octets) -> None:
        octets[:] = octets[::-1].copy()

    def edit(sidecar: dict[str, Any]) -> None:
        left, right = sidecar["channels"]
        left["side"], right["side"] = "right", "left"

    site.record("3101", spoil=swap, edit=edit)
    site.record("3102")
    report = site.check()
    assert "left: is what the station hears: the sides are swapped" in faults_of(report)
    assert not report.right


def test_a_pair_that_the_board_swapped_is_found(tmp_path: Path) -> None:
    site = Site(tmp_path, Faults(swap=((TimeSlot(0, 1), TimeSlot(0, 2)),))).play()
    site.record("3101")
    site.record("3102")
    assert "left: is what the station hears: the sides are swapped" in faults_of(site.check())


def test_a_missing_recording_is_found(site: Site) -> None:
    site.record("3101")
    report = site.check()
    assert "no recording" in faults_of(report)
    assert [each.right for each in report.judged] == [True, False]
    assert not report.right


def test_a_conversation_that_was_never_forked_is_found(site: Site) -> None:
    site.record("3101")
    site.record("3102")
    site.spans["3103"] = (3, 5)
    with (site.home / "truth" / "calls.jsonl").open("a") as calls:
        calls.write(json.dumps(site.conversation("3103")) + "\n")
    report = site.check()
    assert [(each.stations, each.faults) for each in report.judged if not each.right] == [
        (("3103",), ("no recording",))
    ]


def test_no_recording_at_all_is_not_right(site: Site) -> None:
    report = site.check("99*")
    assert report.judged == ()
    assert not report.right


@pytest.mark.parametrize(("lie", "lacking"), [({"first": 8001}, 1), ({"end": 72000 - 9}, 9)])
def test_a_fork_that_is_not_covered_is_found(site: Site, lie: dict[str, int], lacking: int) -> None:
    site.record("3101", **lie)
    site.record("3102")
    report = site.check()
    assert f"{lacking} of 64000 octets sent on port 7101 for 3101 (own) are in no recording" in faults_of(report)
    assert not report.right


@pytest.mark.parametrize(("station", "end", "lacking"), [("3101", 7, 0), ("3102", 7, 16000), ("3101", 6, 8000)])
def test_silence_at_the_end_need_not_be_recorded_of_a_station_that_nobody_watched(
    tmp_path: Path, station: str, end: int, lacking: int
) -> None:
    site = Site(tmp_path).play(held=True)
    since, until = ((AT + timedelta(seconds=seconds)).isoformat() for seconds in (8, 20))
    outage = {"what": "monitor", "from": since, "to": until, "station": station}
    (site.home / "truth" / "outages.jsonl").write_text(json.dumps(outage) + "\n")
    site.record("3101", end=end * 8000)
    site.record("3102")
    found = faults_of(site.check())
    assert (f"{lacking} of 64000 octets sent on port 7101" in found) == (lacking > 0), found
    assert (f"{lacking} of 64000 octets sent on port 7102" in found) == (lacking > 0), found


def test_two_recordings_that_cover_a_fork_together_are_right(site: Site) -> None:
    site.record("3101", end=40000)
    site.record("3101", first=40000)
    site.record("3102")
    assert faults_of(site.check()) == ""


def lose(first: int, count: int) -> Callable[[Octets], None]:
    def spoil(octets: Octets) -> None:
        octets[:, first : first + count] = 0xD5

    return spoil


def test_a_declared_gap_is_right_and_summed(site: Site) -> None:
    gap = {"first": 30000, "count": 800, "cause": "packet_loss"}
    site.record("3101", spoil=lose(30000, 800), gaps=[gap])
    site.record("3102")
    report = site.check(gaps=("packet_loss",))
    assert faults_of(report) == ""
    assert [(each.gaps, each.gap_samples) for each in report.recordings] == [(1, 800), (0, 0)]
    assert report.recordings[0].octets == 144000 - 1600


def test_half_a_pair_is_found(site: Site) -> None:
    index = next((site.home / "truth").glob("audio-*/forks.jsonl"))
    rows = [json.loads(line) for line in index.read_text().splitlines()]
    half = [row["fork"] for row in rows if row["is"] == "fork" and row["station"] == "3101" and row["side"] == "other"]
    index.write_text("".join(json.dumps(row) + "\n" for row in rows if row.get("fork") not in half))

    def silent(octets: Octets) -> None:
        octets[1] = 0xD5

    site.record("3101", spoil=silent)
    site.record("3102")
    assert "station 3101: 64000 octets of its own voice were forked, 0 of the other side" in faults_of(site.check())


def test_a_declared_gap_that_nobody_brought_about_is_a_fault(site: Site) -> None:
    gap = {"first": 30000, "count": 800, "cause": "journal_damaged"}
    site.record("3101", spoil=lose(30000, 800), gaps=[gap])
    site.record("3102")
    assert "800 samples are missing from sample 30000 on: journal_damaged" in faults_of(site.check())


def test_an_undeclared_gap_is_found(site: Site) -> None:
    site.record("3101", spoil=lose(30000, 800))
    site.record("3102")
    assert "left: " in faults_of(site.check())


def test_a_gap_declared_one_sample_short_is_found(site: Site) -> None:
    def spoil(octets: Octets) -> None:
        octets[:, 30000:30800] = 0x00

    gap = {"first": 30000, "count": 799, "cause": "packet_loss"}
    site.record("3101", spoil=spoil, gaps=[gap])
    site.record("3102")
    assert "1 octets differ from those sent, the first at sample 30799" in faults_of(site.check())


def test_a_lost_sample_that_was_closed_up_is_found(site: Site) -> None:
    def spoil(octets: Octets) -> None:
        octets[:, 30000:-1] = octets[:, 30001:].copy()

    site.record("3101", spoil=spoil)
    site.record("3102")
    assert "octets differ from those sent" in faults_of(site.check())


def test_a_recording_a_sample_off_the_others_is_found(site: Site) -> None:
    site.record("3101")
    site.record("3102", offset=OFFSET + 1)
    report = site.check()
    assert "without a restart" in faults_of(report)
    assert not report.right


def test_sample_numbers_may_begin_anew_when_the_recorder_says_that_it_was_away(site: Site) -> None:
    gap = {"first": 30000, "count": 8000, "cause": "not_listening"}

    def away(octets: Octets) -> None:
        octets[:, 30000:] = np.concatenate([np.full((2, 8000), 0xD5, np.uint8), octets[:, 37900:-100]], axis=1)

    site.record("3101", spoil=away, gaps=[gap], end=72000 + 4000)
    report = site.check("3101", gaps=("not_listening",))
    assert faults_of(report) == ""
    assert [each.offsets for each in report.runs] == [(OFFSET, OFFSET + 100)]


def test_a_restart_between_recordings_must_be_announced(site: Site) -> None:
    site.record("3101", end=40000)
    site.record("3101", first=40000, offset=77)
    report = site.check("3101")
    assert "without a restart" in faults_of(report)
    assert faults_of(site.check("3101", restarts=1)) == ""


def test_conversations_that_nobody_answered_or_of_other_stations_need_no_recording(site: Site) -> None:
    rows = [site.conversation("3101"), site.conversation("3102", answered=False)]
    (site.home / "truth" / "calls.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    site.record("3101")
    assert site.check().right
    assert site.check("31*").right
    (site.home / "truth" / "calls.jsonl").write_text(json.dumps(site.conversation("3102")) + "\n")
    assert len(site.check("3101", "32*").judged) == 0


@pytest.mark.parametrize(
    ("edit", "complaint"),
    [
        (lambda sidecar: sidecar.update(station="3199"), "left: is of station 3101, not 3199"),
        (lambda sidecar: sidecar.update(calls=["ffff"]), "nothing sent in calls ffff on its ports is in it"),
        (lambda sidecar: sidecar.update(schema="osrec.recording/9"), "schema 'osrec.recording/9'"),
        (lambda sidecar: sidecar.pop("channels"), "channels: Field required"),
        (lambda sidecar: sidecar["channels"][0].update(slot=9), "left: port 7101 is on slot 1, not 9"),
        (lambda sidecar: sidecar["channels"][0].update(port="9999"), "left: port 9999 is on no board"),
        (lambda sidecar: sidecar["channels"][1].update(line="other"), "right: port 7102 is on line satop:recorder"),
        (lambda sidecar: sidecar.update(sample_count=71999), "72000 samples in the file, sample_count says 71999"),
        (lambda sidecar: sidecar["media"].update(sha256="0"), "media.sha256 is not the file's"),
        (lambda sidecar: sidecar["media"]["octets_sha256"].update(left="0"), "media.octets_sha256.left"),
        (lambda sidecar: sidecar["media"].update(file="none.flac"), "media file none.flac"),
    ],
)
def test_a_sidecar_that_says_the_wrong_thing_is_found(site: Site, edit: Callable[..., Any], complaint: str) -> None:
    site.record("3101", edit=edit)
    site.record("3102")
    report = site.check()
    assert complaint in faults_of(report)
    assert not report.right


def test_audio_of_another_call_in_a_recording_is_found(site: Site) -> None:
    def edit(sidecar: dict[str, Any]) -> None:
        sidecar["channels"] = [
            {"side": "left", "line": "satop:recorder", "slot": 1, "port": "7101"},
            {"side": "right", "line": "satop:recorder", "slot": 4, "port": "7104"},
        ]

    def spoil(octets: Octets) -> None:
        octets[1] = site.sent[4000 : 4000 + octets.shape[1], 4]

    site.record("3101", spoil=spoil, edit=edit)
    report = site.check()
    foreign = (site.spans["3102"][1] - site.spans["3102"][0]) * 8000
    assert f"right: holds {foreign} octets of call 0a02, station 3102, which is not its own" in faults_of(report)


def test_samples_that_are_no_a_law_are_found(site: Site) -> None:
    path = site.record("3101")
    samples, _ = soundfile.read(path.with_suffix(".flac"), dtype="int16")
    soundfile.write(path.with_suffix(".flac"), samples + np.int16(1), 8000, subtype="PCM_16")
    assert "samples are no A-law values" in faults_of(site.check("3101"))


def test_recordings_from_before_the_truth_are_passed_over(site: Site) -> None:
    def edit(sidecar: dict[str, Any]) -> None:
        sidecar.update(started="2026-02-01T12:00:00+00:00", ended="2026-02-01T12:01:00+00:00")

    site.record("3101", edit=edit)
    site.record("3101")
    site.record("3102")
    report = site.check()
    assert report.right
    assert report.older == 1


def test_a_directory_without_truth_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"neither calls\.jsonl nor audio"):
        check(tmp_path, tmp_path, ("*",))


# --- parties, and the ledger's recordings


def name(*numbers: str | None) -> Callable[[dict[str, Any]], None]:
    return lambda sidecar: sidecar.update(parties=[{"number": number} for number in numbers])


def test_a_recording_that_names_its_parties_is_right(site: Site) -> None:
    site.record("3101", edit=name("3101", "+4930123456"))
    site.record("3102", edit=name("3102", None))
    assert site.check().right


def test_a_recording_that_names_a_stranger_is_found(site: Site) -> None:
    site.record("3101", edit=name("3101", "3102"))
    site.record("3102")
    assert "names 3102, who had no part in conversation thread-3101, which it holds" in faults_of(site.check())


def test_a_recording_that_does_not_name_its_station_is_found(site: Site) -> None:
    site.record("3101", edit=name("004930123456"))
    site.record("3102")
    assert "does not name its own station 3101" in faults_of(site.check())


def entry(site: Site, station: str) -> dict[str, Any]:
    """What a ledger says of a station's conversation and its recording."""
    began, ended = site.spans[station]
    times = {"from": (AT + timedelta(seconds=began)).isoformat(), "to": (AT + timedelta(seconds=ended)).isoformat()}
    return {
        "id": f"c-{station}",
        "started": times["from"],
        "ended": times["to"],
        "answered": times["from"],
        "direction": "in",
        "stations": [station],
        "parties": [station, "004930123456"],
        "calls": [CALLS[station]],
        "class": "recorded",
        "reason": None,
        "recordings": [{"id": f"{station}-r0", "station": station, **times, "gaps": []}],
        "missed": [],
    }


def judged(site: Site, *entries: dict[str, Any], stray: Sequence[dict[str, Any]] = ()) -> list[str]:
    """Faults of a ledger whose recordings are on disk."""
    ledger: dict[str, Any] = {"from": None, "to": None, "conversations": entries, "blind": [], "stray": stray}
    told = Ledger.model_validate_json(json.dumps(ledger))
    report = check(site.home / "truth", site.home / "media", ledger=told)
    assert report.ledger is not None
    return [*report.ledger.faults, *(fault for each in report.ledger.entries for fault in each.faults)]


def test_a_ledger_whose_recordings_are_on_disk_is_right(site: Site) -> None:
    site.record("3101")
    site.record("3102")
    assert judged(site, entry(site, "3101"), entry(site, "3102")) == []


@pytest.mark.parametrize(
    ("lie", "words"),
    [
        ({"id": "3101-r9"}, "recording 3101-r9 is not on disk"),
        ({"station": "3102"}, "is of station 3101 on disk, not 3102"),
        ({"to": (AT + timedelta(seconds=30)).isoformat()}, "lasts 29.0 s, on disk 9.0 s"),
    ],
)
def test_a_ledger_that_differs_from_what_is_on_disk_is_found(site: Site, lie: dict[str, Any], words: str) -> None:
    site.record("3101")
    site.record("3102")
    told = entry(site, "3101")
    told["recordings"][0] |= lie
    assert any(words in fault for fault in judged(site, told, entry(site, "3102")))


def test_a_recording_of_another_conversation_is_found(site: Site) -> None:
    site.record("3101", edit=lambda sidecar: sidecar.update(conversation="c-3102"))
    site.record("3102")
    faults = judged(site, entry(site, "3101"), entry(site, "3102"))
    assert any("recording 3101-r0 is of conversation c-3102 on disk" in fault for fault in faults)


def test_a_recording_that_no_entry_knows_is_found(site: Site) -> None:
    site.record("3101")
    site.record("3102")
    told = entry(site, "3101") | {"recordings": [], "class": "not_recorded", "reason": "no_rule"}
    faults = judged(site, told, entry(site, "3102"))
    assert any("recording 3101-r0 of station 3101 is in no entry of the ledger" in fault for fault in faults)


def test_a_recording_in_two_entries_is_found(site: Site) -> None:
    site.record("3101")
    site.record("3102")
    told = entry(site, "3102")
    told["recordings"] += entry(site, "3101")["recordings"]
    faults = judged(site, entry(site, "3101"), told)
    assert any(
        "recording 3101-r0 is in ledger c-3101" in fault and "again in ledger c-3102" in fault for fault in faults
    )


def test_a_gap_that_the_ledger_conceals_is_found(site: Site) -> None:
    gap = {"first": 16000, "count": 12000, "cause": "los"}

    def spoil(octets: Octets) -> None:
        octets[:, 16000:28000] = 0xD5

    site.record("3101", gaps=[gap], spoil=spoil)
    site.record("3102")
    faults = judged(site, entry(site, "3101"), entry(site, "3102"))
    assert any("lacks 1.5 s on disk, of which the ledger does not tell" in fault for fault in faults)


# --- forks with declared faults


def tell(site: Site, **more: Any) -> None:
    """Change what the PBX tells of 3101's conversation."""
    rows = [site.conversation("3101") | more, site.conversation("3102")]
    (site.home / "truth" / "calls.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def played(kind: str, at: float, station: str = "3101") -> dict[str, Any]:
    return {"at": at, "fault": kind, "station": station, "ports": [PAIRS[station][1]], "detail": ""}


def test_a_fork_of_which_the_pbx_said_nothing_need_not_be_recorded_while_it_is_waited_for(site: Site) -> None:
    """Neither the port that was not answered nor its partner: a pair is recorded, or nothing.

    Three seconds later nobody waits any more, and after one more the ports are to be out of the call.
    """
    site.record("3102")
    tell(site, faults=[played("unanswered", 1.0)])
    faults = faults_of(site.check())
    assert "32000 of 64000 octets sent on port 7101" in faults
    assert "no recording" in faults
    tell(site, faults=[played("unanswered", 5.0)])  # another fork's
    assert "64000 of 64000 octets sent on port 7101" in faults_of(site.check())


def test_a_fork_that_nobody_hears_is_to_be_taken_out_need_not_be_recorded_until_the_link_is_back(site: Site) -> None:
    site.record("3102")
    row = site.conversation("3101")
    began = datetime.fromisoformat(row["started_at"]) - timedelta(seconds=row["started"])
    tell(site, faults=[played("unanswered", 1.0)])
    for since, until, lacking in ((4.5, 7.0, 8000), (1.0, 3.9, 32000), (5.5, 7.0, 32000)):
        span = {key: (began + timedelta(seconds=at)).isoformat() for key, at in (("from", since), ("to", until))}
        (site.home / "truth" / "outages.jsonl").write_text(json.dumps({"what": "link"} | span) + "\n")
        assert f"{lacking} of 64000 octets sent on port 7101" in faults_of(site.check())


def test_a_fork_that_was_over_before_its_answer_came_need_not_be_recorded(site: Site) -> None:
    site.record("3102")
    late = played("late", 1.0) | {"detail": "2.000 s"}
    forks = [
        {
            "port": port,
            "station": "3101",
            "side": side,
            "call": "0a01",
            "from": 1.0,
            "to": 9.0,
            "dead": False,
            "end": "call",
        }
        for port, side in zip(PAIRS["3101"], ("own", "other"), strict=True)
    ]
    tell(site, faults=[late], forks=[fork | {"left": 2.5} for fork in forks])
    assert "32000 of 64000 octets" in faults_of(site.check()), "from 1 s to 9 s"
    tell(site, faults=[late], forks=[fork | {"left": 9.0} for fork in forks])
    assert "64000 of 64000 octets" in faults_of(site.check())


def half(site: Site) -> None:
    """Leave 3101's other side out of what was sent."""
    index = next((site.home / "truth").glob("audio-*/forks.jsonl"))
    rows = [json.loads(line) for line in index.read_text().splitlines()]
    gone = {row["fork"] for row in rows if row.get("port") == "7102" and row["is"] == "fork"}
    index.write_text("".join(json.dumps(row) + "\n" for row in rows if row.get("fork") not in gone))


def test_one_side_alone_is_the_recorders_fault_unless_the_pbx_refused_the_other(site: Site) -> None:
    site.record("3102")
    half(site)
    faults = faults_of(site.check())
    assert "64000 of 64000 octets sent on port 7101" in faults
    assert "64000 octets of its own voice were forked, 0 of the other side" in faults
    refused = {"at": 1.0, "station": "3101", "ports": ["7102"], "error": "resourceBusy", "played": True}
    tell(site, refused=[refused])
    faults = faults_of(site.check())
    assert "octets sent on port" not in faults
    assert "of its own voice" not in faults


def test_with_a_ledger_a_conversation_without_recording_is_judged_there(site: Site) -> None:
    site.record("3102")
    half(site)
    refused = {"station": "3101", "ports": ["7102"], "error": "resourceBusy", "played": True}
    tell(site, refused=[refused | {"at": at} for at in (1.0, 2.0, 7.0)], forks=[])
    told = entry(site, "3101") | {"class": "not_recorded", "reason": "fork_refused", "recordings": []}
    assert judged(site, told, entry(site, "3102")) == []
    assert judged(site, told | {"reason": "line_alarm"}, entry(site, "3102")) != []


@pytest.mark.parametrize(("slot", "since", "heard"), [(1, 3, True), (1, 9.8, True), (4, 8.2, False), (9, 3, True)])
def test_speech_that_a_ledger_heard_must_have_been_sent(site: Site, slot: int, since: float, heard: bool) -> None:
    """3101 is on slot 1 from 1 s to 9 s, 3102 on slot 4 from 2 s to 7 s; of slot 9 nothing is known."""
    site.record("3101")
    site.record("3102")
    times = {"from": (AT + timedelta(seconds=since)).isoformat(), "to": (AT + timedelta(seconds=since + 1)).isoformat()}
    stray = {"line": "satop:recorder", "slot": slot, **times, "speech_seconds": 1.0}
    faults = judged(site, entry(site, "3101"), entry(site, "3102"), stray=[stray])
    assert faults == (
        []
        if heard
        else [f"the ledger heard speech on line satop:recorder, slot {slot}: 1.0 s from 12:00:08.200 on; none was sent"]
    )


def test_a_call_id_that_its_conversation_took_on_unknown_to_the_recorder_is_its_own(site: Site) -> None:
    def edit(sidecar: dict[str, Any]) -> None:
        sidecar["calls"] = ["0a00"]

    site.record("3101", edit=edit)
    site.record("3102")
    assert "nothing sent in calls 0a00 on its ports is in it" in faults_of(site.check())
    rows = [site.conversation(station) for station in site.spans]
    rows[0]["calls"] = ["0a00", CALLS["3101"]]
    (site.home / "truth" / "calls.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert faults_of(site.check()) == ""
