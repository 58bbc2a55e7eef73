"""The ledger's recordings against those on disk, whose audio is judged: the same ones, with the same times and gaps."""

from collections.abc import Iterator, Mapping, Sequence

from osrec_emulators.check.ledger import Entry, Ledger, LedgerRecording
from osrec_emulators.check.sent import SentFork, Truth
from osrec_emulators.check.spans import Span, length, overlaps, text
from osrec_emulators.check.verdict import RecordingVerdict

SLACK = 1.0  # seconds between the times of a ledger and those of a sidecar


def misfits(ledger: Ledger, recordings: Sequence[RecordingVerdict]) -> Iterator[str]:
    """What does not fit, in words. A recording that is still made is not on disk, and its conversation not over.

    A recorder may say that it does not know whose a recording is: people are told so by a finding, and no conversation
    has it, so that whoever talked on it was missed.
    """
    on_disk = {each.recording: each for each in recordings}
    told: dict[str, str] = {}
    for entry in ledger.conversations:
        for recording in entry.recordings:
            if recording.id in told:
                yield f"recording {recording.id} is in {told[recording.id]} and again in {entry.name}"
            told[recording.id] = entry.name
            if recording.id in on_disk:
                if on_disk[recording.id].nobodys:
                    yield f"{entry.name}: recording {recording.id} is nobody's on disk"
                yield from _compare(entry, recording, on_disk[recording.id])
            elif entry.ended is not None and not _is_older(entry, recordings):
                yield f"{entry.name}: recording {recording.id} is not on disk"
    for recording_id, verdict in on_disk.items():
        if recording_id in told or not verdict.conversation or not _is_due(ledger, verdict):
            continue
        if not verdict.nobodys:
            yield f"recording {recording_id} of station {verdict.station} is in no entry of the ledger"
        elif not any(recording_id in finding for finding in ledger.findings):
            yield f"recording {recording_id} of station {verdict.station} is nobody's, and no finding of the ledger"


def unheard(ledger: Ledger, truth: Truth, lines: Mapping[str, str]) -> Iterator[str]:
    """Speech that the ledger heard outside conversations, on slots on which the PBX sent nothing then.

    Args:
        lines: the PBX's name of a line by the recorder's; of other lines nothing is known.
    """
    for stray in ledger.stray:
        slot = next(
            (each for each in truth.slots.values() if (each.line, each.slot) == (lines.get(stray.line), stray.slot)),
            None,
        )
        if slot is not None and not any(overlaps(_span(fork), stray.span, SLACK) for fork in slot.forks):
            where = f"line {stray.line}, slot {stray.slot}"
            yield f"the ledger heard speech on {where}: {text([stray.span])}; none was sent"


def _span(fork: SentFork) -> Span:
    began = fork.at.timestamp()
    return began, began + len(fork.octets) / 8000


def _compare(entry: Entry, told: LedgerRecording, found: RecordingVerdict) -> Iterator[str]:
    name = f"{entry.name}: recording {told.id}"
    if found.conversation != entry.id:
        yield f"{name} is of conversation {found.conversation} on disk"
    if found.station != told.station:
        yield f"{name} is of station {found.station} on disk, not {told.station}"
    if found.started is None:
        return
    began = found.started.timestamp()
    if abs(told.span[0] - began) > SLACK or abs(told.span[1] - began - found.seconds) > SLACK:
        yield f"{name} lasts {told.span[1] - told.span[0]:.1f} s, on disk {found.seconds:.1f} s from {found.started}"
    if found.gap_samples / 8000 - length(gap.span for gap in told.gaps) > SLACK:
        yield f"{name} lacks {found.gap_samples / 8000:.1f} s on disk, of which the ledger does not tell"


def _is_older(entry: Entry, recordings: Sequence[RecordingVerdict]) -> bool:
    """From before all that is judged: recordings of an earlier run are passed over."""
    began = [each.started.timestamp() for each in recordings if each.started is not None]
    return bool(began) and entry.span[1] < min(began)


def _is_due(ledger: Ledger, verdict: RecordingVerdict) -> bool:
    if verdict.started is None:
        return False
    began = verdict.started.timestamp()
    return overlaps(ledger.span, (began, began + verdict.seconds))
