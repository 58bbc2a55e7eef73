"""Lies told of a real run: a minute and a half of bad traffic, its ledger and sidecars changed in one place each.

Each kind of lie is told of several conversations; whichever the judge lets pass hides lost calls.
"""

import json
import os
import random
import shutil
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from osrec_emulators.check.expected import Expected
from osrec_emulators.check.judge import check
from osrec_emulators.check.ledger import Ledger
from osrec_emulators.check.ledger_judge import LedgerJudge
from osrec_emulators.check.ledger_media import misfits
from osrec_emulators.check.outages import Outage, outages
from osrec_emulators.check.sent import load_truth
from osrec_emulators.check.verdict import RecordingVerdict, Report
from osrec_emulators.check.withheld import silences
from tests.scenario.soak import PRECISE, Soak
from tests.scenario.soak_site import Plan

Entry = dict[str, Any]
TOLD = 6  # conversations of which each lie is told
LONG = 8.0  # seconds: what is shorter may be within the tolerance
NEAR = 12.0  # seconds around an outage within which a recorder may err
NOBODY = "0893939393"
TAIL = 0.3  # seconds for which a recording goes on after its call


@dataclass
class Run:
    """One soak, with the judges that found nothing wrong with it."""

    directory: Path
    ledger: Entry
    expected: Expected
    judge: LedgerJudge
    recordings: tuple[RecordingVerdict, ...]
    outages: tuple[Outage, ...]

    def faults(self, ledger: Entry, *gone: str) -> list[str]:
        """Of a ledger; `gone`: recordings that are no longer on disk."""
        kept = [one for one in self.recordings if one.recording not in gone]
        read = Ledger.model_validate_json(json.dumps(ledger))
        verdict = self.judge.judge(read)
        found = [fault for entry in verdict.entries for fault in entry.faults]
        return [*found, *verdict.faults, *misfits(read, kept)]

    def of_disk(self, directory: Path, ledger: Entry | None = None) -> Report:
        """What the whole judge says of other sidecars and media, and perhaps of another ledger."""
        read = Ledger.model_validate_json(json.dumps(self.ledger if ledger is None else ledger))
        return check(self.directory / "truth", directory, expected=self.expected, ledger=read)

    def changed(self, entry: Entry, **changes: Any) -> Entry:
        """The ledger with this entry otherwise."""
        entries = [one | changes if one["id"] == entry["id"] else one for one in self.ledger["conversations"]]
        return self.ledger | {"conversations": entries}

    def without(self, entry: Entry) -> Entry:
        left = [one for one in self.ledger["conversations"] if one["id"] != entry["id"]]
        return self.ledger | {"conversations": left}

    def seen(self, entry: Entry) -> bool:
        """Whether nothing near it was out of order, so that the truth can tell."""
        since, until = (moment(entry[key]).timestamp() for key in ("started", "ended"))
        return not any(
            one.span[0] - NEAR <= until and since <= one.span[1] + NEAR
            for one in self.outages
            if one.station in (None, *entry["stations"])
        )


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    directory = tmp_path_factory.mktemp("soak")
    soak = Soak(directory, Plan(120, "asn1", 3, link_cut_every=240.0))
    outcome = soak.run()
    assert outcome.faults == []
    truth = load_truth(directory / "truth")
    out = (*outages(directory / "truth"), *silences(directory / "truth"))
    judge = LedgerJudge(truth, out, soak.expected)
    return Run(directory, outcome.ledger, soak.expected, judge, outcome.report.recordings, out)


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def moved(text: str, seconds: float) -> str:
    return (moment(text) + timedelta(seconds=seconds)).isoformat()


def ids(entry: Entry) -> list[str]:
    return [one["id"] for one in entry["recordings"]]


def length(recording: Entry) -> float:
    return (moment(recording["to"]) - moment(recording["from"])).total_seconds()


def some(run: Run, fits: Callable[[Entry], bool], count: int = TOLD) -> list[Entry]:
    """Conversations in a random order that is the same each time."""
    entries = [one for one in run.ledger["conversations"] if one["ended"] and run.seen(one) and fits(one)]
    random.Random(1).shuffle(entries)
    assert len(entries) >= 2, "the run has too few conversations of this kind"
    return entries[:count]


def any_(_: Entry) -> bool:
    return True


def whole(entry: Entry) -> bool:
    return entry["class"] == "recorded" and all(length(one) > LONG for one in entry["recordings"])


def answered(entry: Entry) -> bool:
    return entry["answered"] is not None


def lacking(entry: Entry) -> bool:
    """Recorded, and much of it missed; what a recorder thinks missed, and has from before, is no lie to deny."""
    had = [(one["station"], moment(one["from"])) for one in entry["recordings"]]
    spans = [one for one in entry["missed"] if (one["station"], moment(one["from"])) not in had]
    return entry["class"] == "gaps" and spans == entry["missed"] != [] and all(length(one) > 2.5 for one in spans)


# --- lies: entry -> another ledger

Lie = tuple[Callable[[Entry], bool], Callable[[Run, Entry], Entry]]
INVENTED = ("link_down", "monitor", "licence", "line_alarm", "journal_full", "not_answered", "never", "no_rule")


def _unrecorded(reason: str) -> Callable[[Run, Entry], Entry]:
    return lambda run, one: run.changed(one, **{"class": "not_recorded"}, reason=reason, recordings=[], missed=[])


def _other_cause(run: Run, entry: Entry) -> Entry:
    return run.changed(entry, missed=[one | {"cause": "line_alarm"} for one in entry["missed"]])


def _shorter(run: Run, entry: Entry) -> Entry:
    recordings = [one | {"to": moved(one["to"], -4.0)} for one in entry["recordings"]]
    return run.changed(entry, recordings=recordings)


def _later(run: Run, entry: Entry) -> Entry:
    recordings = [one | {"from": moved(one["from"], 5), "to": moved(one["to"], 5)} for one in entry["recordings"]]
    return run.changed(entry, recordings=recordings)


def _hidden(run: Run, entry: Entry) -> Entry:
    blind = {"station": None, "from": entry["started"], "to": entry["ended"], "cause": "link_down"}
    return run.without(entry) | {"blind": [*run.ledger["blind"], blind]}


def _cut_off(run: Run, entry: Entry) -> Entry:
    """Just more than the judge lets pass."""
    recordings = [one | {"to": moved(one["to"], -2 * PRECISE - TAIL)} for one in entry["recordings"]]
    return run.changed(entry, recordings=recordings)


def _went_on(cause: str) -> Callable[[Run, Entry], Entry]:
    """The beginning was recorded, and is said to be missed for want of something."""

    def lie(run: Run, entry: Entry) -> Entry:
        first = entry["recordings"][0]
        until = moved(first["from"], 2.0)
        missed = [{"station": first["station"], "from": first["from"], "to": until, "cause": cause, "detail": None}]
        rest = [first | {"from": until}, *entry["recordings"][1:]]
        return run.changed(entry, **{"class": "gaps"}, recordings=rest, missed=missed)

    return lie


def _in_two(run: Run, entry: Entry) -> Entry:
    other = entry | {"id": "01a20a79-0000-7000-8000-000000000000", "recordings": [], "missed": []}
    other |= {"class": "not_recorded", "reason": "no_pair"}
    return run.ledger | {"conversations": [*run.ledger["conversations"], other]}


LIES: dict[str, Lie] = {
    "a conversation is left out": (any_, lambda run, one: run.without(one)),
    "a conversation is hidden in a time of blindness": (
        lambda one: (moment(one["ended"]) - moment(one["started"])).total_seconds() > LONG,
        _hidden,
    ),
    "a conversation is in two entries": (any_, _in_two),
    **{f"a recorded one is not recorded for {reason}": (whole, _unrecorded(reason)) for reason in INVENTED},
    "gaps are told as none": (lacking, lambda run, one: run.changed(one, **{"class": "recorded"}, missed=[])),
    "one missed span is left out": (lacking, lambda run, one: run.changed(one, missed=one["missed"][1:])),
    "what was missed has another cause": (lacking, _other_cause),
    "a reason is another one": (
        lambda one: one["reason"] == "not_answered",
        lambda run, one: run.changed(one, reason="fork_refused"),
    ),
    "a recording ends too early": (whole, _shorter),
    "a recording is five seconds later": (whole, _later),
    "a recording ends half a second too early": (whole, _cut_off),
    **{
        f"two seconds that were recorded were missed for {cause}": (whole, _went_on(cause))
        for cause in ("fork_refused", "fork_lost", "no_pair", "requested_late", "link_down", "licence", "line_alarm")
    },
    "an answer is half a second late": (
        answered,
        lambda run, one: run.changed(one, answered=moved(one["answered"], 2 * PRECISE)),
    ),
    "it ended half a second later": (any_, lambda run, one: run.changed(one, ended=moved(one["ended"], 2 * PRECISE))),
    "a station is left out": (any_, lambda run, one: run.changed(one, stations=one["stations"][1:])),
    "a station is added": (any_, lambda run, one: run.changed(one, stations=[*one["stations"], "3200-x"])),
    "a party is added": (any_, lambda run, one: run.changed(one, parties=[*one["parties"], NOBODY])),
    "its own station is no party": (
        any_,
        lambda run, one: run.changed(one, parties=[each for each in one["parties"] if each != one["stations"][0]]),
    ),
    "an answer is denied": (answered, lambda run, one: run.changed(one, answered=None)),
    "an answer is late": (answered, lambda run, one: run.changed(one, answered=moved(one["answered"], 7))),
    "it began earlier": (any_, lambda run, one: run.changed(one, started=moved(one["started"], -7))),
    "it ended later": (any_, lambda run, one: run.changed(one, ended=moved(one["ended"], 7))),
    "its direction is another one": (
        answered,
        lambda run, one: run.changed(one, direction="in" if one["direction"] != "in" else "out"),
    ),
}


@pytest.mark.parametrize("name", LIES)
def test_each_lie_in_the_ledger_is_found(run: Run, name: str) -> None:
    fits, lie = LIES[name]
    for entry in some(run, fits):
        ledger = lie(run, entry)
        gone = set(ids(entry)) - {each for one in ledger["conversations"] for each in ids(one)}
        assert run.faults(ledger, *gone), f"{name}: {entry['id']}"


@pytest.mark.parametrize("member", ["stations", "parties", "calls", "recordings"])
def test_what_two_entries_have_swapped_is_found(run: Run, member: str) -> None:
    entries = some(run, lambda one: bool(one["recordings"]), 2 * TOLD)
    for one, other in zip(entries[::2], entries[1::2], strict=False):
        ledger = run.changed(one, **{member: other[member]})
        entries_then = [
            each | {member: one[member]} if each["id"] == other["id"] else each for each in ledger["conversations"]
        ]
        assert run.faults(ledger | {"conversations": entries_then}), (one["id"], other["id"])


def test_the_truth_itself_is_no_lie(run: Run) -> None:
    assert run.faults(deepcopy(run.ledger)) == []


# --- lies on disk


@pytest.fixture
def media(run: Run, tmp_path: Path) -> Path:
    """A copy of all recordings whose files may be replaced, and not written to."""
    return shutil.copytree(run.directory / "data" / "media", tmp_path / "media", copy_function=os.link)


def of(media: Path, recording: str) -> Path:
    return next(path for path in media.rglob("*.json") if recording in path.name)


def replaced(path: Path, sidecar: Entry) -> None:
    path.unlink()
    path.write_text(json.dumps(sidecar), encoding="utf-8")


def read(path: Path) -> Entry:
    sidecar: Entry = json.loads(path.read_text(encoding="utf-8"))
    return sidecar


def swapped_parties(one: Entry, other: Entry) -> Iterator[Entry]:
    yield one | {"parties": other["parties"]}
    yield other | {"parties": one["parties"]}


def swapped_audio(one: Entry, other: Entry) -> Iterator[Entry]:
    keys = ("media", "sample_count", "first_sample")
    yield one | {key: other[key] for key in keys}
    yield other | {key: one[key] for key in keys}


def swapped_stations(one: Entry, other: Entry) -> Iterator[Entry]:
    yield one | {"station": other["station"]}
    yield other | {"station": one["station"]}


def later(one: Entry, other: Entry) -> Iterator[Entry]:
    for each in (one, other):
        yield each | {"started": moved(each["started"], 5), "ended": moved(each["ended"], 5)}


@pytest.mark.parametrize("lie", [swapped_parties, swapped_audio, swapped_stations, later])
def test_each_lie_in_sidecars_is_found(run: Run, media: Path, lie: Callable[[Entry, Entry], Iterator[Entry]]) -> None:
    one, other = some(run, whole, 2)
    paths = [of(media, ids(each)[0]) for each in (one, other)]
    for path, sidecar in zip(paths, list(lie(*map(read, paths))), strict=True):
        replaced(path, sidecar)
    wrong = {each.recording for each in run.of_disk(media).recordings if each.faults}
    assert {ids(one)[0], ids(other)[0]} <= wrong


def test_audio_that_reached_the_box_and_is_on_no_disk_is_found(run: Run, media: Path) -> None:
    """Even when the ledger tells a good story about it."""
    (entry, *_) = some(run, whole)
    for path in (of(media, each) for each in ids(entry)):
        (path.parent / read(path)["media"]["file"]).unlink()
        path.unlink()
    report = run.of_disk(media)
    assert any("are in no recording" in fault for one in report.judged for fault in one.faults)
    assert report.ledger is not None
    assert any("is not on disk" in fault for fault in report.ledger.faults)


# --- what is said to be nobody's


def nobodys(run: Run, media: Path, entry: Entry, *, found: bool) -> tuple[str, Entry]:
    """A real recording is stripped of whose it is, on disk and in the ledger, which has a good story; `found`: told."""
    (recording, *rest) = entry["recordings"]
    path = of(media, recording["id"])
    conversation = "01a20a79-0000-7000-8000-000000000001"
    replaced(path, read(path) | {"calls": [], "parties": [], "conversation": conversation})
    missed = {"station": recording["station"], "from": recording["from"], "to": recording["to"]}
    told = [*entry["missed"], missed | {"cause": "link_down", "detail": None}]
    changes: Entry = {"class": "gaps", "recordings": rest, "missed": told}
    if not rest:
        changes |= {"class": "not_recorded", "reason": "link_down", "missed": []}
    ledger = run.changed(entry, **changes)
    finding = f"recording {recording['id']} of station {recording['station']}: no conversation {conversation} is known"
    return recording["id"], ledger | {"findings": [*ledger["findings"], *([finding] if found else ())]}


def test_a_real_recording_that_is_said_to_be_nobodys_is_found(run: Run, media: Path) -> None:
    (entry, *_) = some(run, whole)
    recording, ledger = nobodys(run, media, entry, found=True)
    report = run.of_disk(media, ledger)
    assert any("are in no recording" in fault for one in report.judged for fault in one.faults)
    assert report.ledger is not None
    (told,) = [one for one in report.ledger.entries if one.id == entry["id"]]
    assert any("link_down" in fault for fault in told.faults)
    assert not any(recording in fault for fault in report.ledger.faults)


def test_a_recording_of_nobody_must_be_a_finding_of_the_ledger(run: Run, media: Path) -> None:
    (entry, *_) = some(run, whole)
    recording, ledger = nobodys(run, media, entry, found=False)
    report = run.of_disk(media, ledger)
    assert report.ledger is not None
    assert any(recording in fault and "no finding" in fault for fault in report.ledger.faults)


def test_a_recording_of_nobody_cannot_be_in_an_entry(run: Run, media: Path) -> None:
    (entry, *_) = some(run, whole)
    recording, ledger = nobodys(run, media, entry, found=True)
    report = run.of_disk(media, run.ledger | {"findings": ledger["findings"]})
    assert report.ledger is not None
    assert any(recording in fault and "nobody's on disk" in fault for fault in report.ledger.faults)
