"""The independent judge: is what lies on disk what the PBX sent, octet for octet, side for side, and all of it?"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from osrec_emulators.check.conversations import judge_conversations
from osrec_emulators.check.demands import demands
from osrec_emulators.check.expected import Expected
from osrec_emulators.check.lateness import lateness
from osrec_emulators.check.ledger import Ledger
from osrec_emulators.check.ledger_judge import LedgerJudge
from osrec_emulators.check.ledger_media import misfits, unheard
from osrec_emulators.check.match import Fit, Piece, fit, lay, pieces
from osrec_emulators.check.outages import outages
from osrec_emulators.check.parties import judge_parties
from osrec_emulators.check.placed import Judged
from osrec_emulators.check.recorded import (
    Channel,
    DeclaredGap,
    Recording,
    Sidecar,
    Unreadable,
    read_media,
    read_sidecar,
    sidecars,
)
from osrec_emulators.check.runs import judge_runs
from osrec_emulators.check.sent import SentFork, SlotTruth, Truth, load_truth
from osrec_emulators.check.spans import Span, longer, overlaps, padded, without
from osrec_emulators.check.spans import text as span_text
from osrec_emulators.check.troubles import ABSENT, NOTED, Troubles, absences
from osrec_emulators.check.verdict import RecordingVerdict, Report
from osrec_emulators.check.withheld import silences, withheld
from osrec_emulators.pbx.media import Side

SIDES = (("left", Side.OWN), ("right", Side.OTHER))


def check(
    truth_directory: Path,
    recordings_directory: Path,
    stations: Sequence[str] = ("*",),
    restarts: int = 0,
    gaps: Collection[str] = (),
    *,
    expected: Expected | None = None,
    ledger: Ledger | None = None,
) -> Report:
    """Judge all recordings below a media directory, and the recorder's ledger.

    Args:
        stations: patterns (fnmatch) of the stations that are to be recorded.
        restarts: how often the recorder was restarted between recordings, beside gaps that say so.
        gaps: causes of gaps that somebody brought about; any other gap is a fault.
        expected: what else the recorder was told, in place of `stations` and `gaps`.
        ledger: what the recorder says of each conversation; without it each one that is not recorded is a fault.

    Raises ConfigError when there is no truth.
    """
    told = expected or Expected(stations=stations, gaps=frozenset(gaps))
    truth = load_truth(truth_directory)
    noted = outages(truth_directory)
    out = (*noted, *silences(truth_directory, noted))
    gone = [each.span for each in noted if each.what == "recorder"]
    away = absences(noted, told.times.settled)
    cut = [each.span for each in out if each.what == "link"]
    troubles = Troubles(out, told.times)
    judge = Judge(truth, told, restarts, complete=ledger is None, away=away, gone=gone, cut=cut, troubles=troubles)
    report = judge.judge(sidecars(recordings_directory))
    report = replace(report, lateness=lateness(truth.conversations, told, out))
    if ledger is None:
        return report
    verdict = LedgerJudge(truth, out, told, withheld(truth_directory), demands(truth_directory)).judge(ledger)
    media = (*misfits(ledger, report.recordings), *unheard(ledger, truth, judge.lines))
    faults = (*verdict.faults, *media)
    return replace(report, ledger=replace(verdict, faults=faults))


class Judge:
    """Judges recordings against one truth.

    Args:
        complete: whatever should be recorded has to be, without excuse.
        away: when nobody could tell the recorder whose audio its ports carry, since it had been away.
        cut: when there was no link.
        troubles: when which station was not watched.
        gone: when it was away, as far as that was noted; gaps that it says are for that reason lie there, if it was.
    """

    def __init__(
        self,
        truth: Truth,
        expected: Expected,
        restarts: int = 0,
        *,
        complete: bool = True,
        away: Sequence[Span] = (),
        gone: Sequence[Span] = (),
        cut: Sequence[Span] = (),
        troubles: Troubles | None = None,
    ) -> None:
        self._truth = truth
        self._expected = expected
        self._restarts = restarts
        self._complete = complete
        self._away = away
        self._cut = cut
        self._troubles = troubles
        self._gone = padded(gone, NOTED + expected.clocks)
        self._offsets: dict[str, list[int]] = defaultdict(list)
        self._names: dict[str, str] = {}  # the recorder's name of a line by the PBX's
        self._unplaced: list[tuple[Judged, Sidecar, Piece]] = []

    def judge(self, paths: Iterable[Path]) -> Report:
        read = [(path, read_sidecar(path)) for path in paths]
        current = [(path, sidecar) for path, sidecar in read if not self._is_older(sidecar)]
        recordings = [self._recording(path, sidecar) for path, sidecar in current]
        self._place_idle()
        runs = judge_runs(recordings, self._restarts)
        judge_parties(self._truth, recordings)
        return Report(
            conversations=len(self._truth.conversations),
            judged=judge_conversations(
                self._truth,
                self._expected,
                recordings,
                complete=self._complete,
                away=self._away,
                cut=self._cut,
                troubles=self._troubles,
            ),
            recordings=tuple(recording.verdict for recording in recordings),
            older=len(read) - len(current),
            runs=runs,
            lateness=lateness(self._truth.conversations, self._expected),
            faults=() if recordings or not self._complete else ("there is no recording",),
        )

    @property
    def lines(self) -> dict[str, str]:
        """The PBX's name of each line by the recorder's, as far as there are recordings."""
        return {recorders: name for name, recorders in self._names.items()}

    def _is_older(self, sidecar: Sidecar | Unreadable) -> bool:
        """Left by an earlier run, or sent before the truth that is kept."""
        began = self._truth.began
        return isinstance(sidecar, Sidecar) and began is not None and sidecar.ended < began

    def _recording(self, path: Path, sidecar: Sidecar | Unreadable) -> Judged:
        if isinstance(sidecar, Unreadable):
            return Judged(_unreadable(sidecar))
        recording = read_media(path, sidecar)
        if isinstance(recording, Unreadable):
            return Judged(_unreadable(recording, sidecar), sidecar)
        judged = Judged(_verdict(path, sidecar, recording.faults), sidecar)
        for gap in sidecar.gaps:
            if gap.cause not in self._expected.gaps:
                judged.blame(f"{gap.count} samples are missing from sample {gap.first} on: {gap.cause}")
            elif gap.cause in ABSENT and (ran := self._ran(sidecar, gap)):
                judged.blame(f"{span_text(ran)} are missing from sample {gap.first} on: {gap.cause}; the recorder ran")
        slots = [self._slot(judged, sidecar, side) for side in ("left", "right")]
        if slots[0] is not None and slots[1] is not None:
            self._compare(judged, sidecar, recording, (slots[0], slots[1]))
        return judged

    def _ran(self, sidecar: Sidecar, gap: DeclaredGap) -> list[Span]:
        """What of a gap that is said to be for want of the recorder lies where it ran."""
        began = sidecar.started.timestamp()
        span = began + gap.first / 8000, began + gap.end / 8000
        return longer(without([span], self._gone), 0.0) if self._gone else []

    def _slot(self, judged: Judged, sidecar: Sidecar, side: str) -> SlotTruth | None:
        """The truth of the slot that a side says it was taken from."""
        channel = next(channel for channel in sidecar.channels if channel.side == side)
        slot = self._truth.slots.get(channel.port)
        if slot is None:
            judged.blame(f"{side}: port {channel.port} is on no board")
            return None
        if self._names.setdefault(slot.line, channel.line) != channel.line:
            judged.blame(f"{side}: port {channel.port} is on line {self._names[slot.line]}, not {channel.line}")
        if slot.slot == channel.slot:
            return slot
        called = self._called(slot.line, channel)
        if called is None:
            judged.blame(f"{side}: port {channel.port} is on slot {slot.slot}, not {channel.slot}")
        return called or slot

    def _called(self, line: str, channel: Channel) -> SlotTruth | None:
        """Another slot than its own on which the trunk's signalling called a port."""
        there = (each for each in self._truth.slots.values() if (each.line, each.slot) == (line, channel.slot))
        return next((each for each in there if any(fork.port == channel.port for fork in each.forks)), None)

    def _compare(
        self, judged: Judged, sidecar: Sidecar, recording: Recording, slots: tuple[SlotTruth, SlotTruth]
    ) -> None:
        if slots[0].line != slots[1].line:
            judged.blame(f"the sides are on two lines, {slots[0].line} and {slots[1].line}, with one first_sample")
            return
        for piece in pieces(sidecar.first_sample, recording.octets, slots, sidecar.gaps):
            self._place(judged, sidecar, piece)

    def _place(self, judged: Judged, sidecar: Sidecar, piece: Piece) -> None:
        calls, known = self._calls_of(sidecar), self._offsets[piece.tracks[0].slot.line]
        fitted = fit(piece, calls, known)
        if fitted is None or not fitted.equal:
            crosswise = fit(piece.swapped(), calls, known)
            if crosswise is not None and crosswise.equal:
                left, right = (track.slot.port for track in piece.tracks)
                judged.blame(f"the sides are swapped: left equals port {right}, right port {left}")
                judged.add(lay(piece, crosswise.offset))
                return
        if fitted is None:
            self._unplaced.append((judged, sidecar, piece))
            return
        judged.add(fitted)
        self._check_sides(judged, sidecar, fitted)
        self._check_time(judged, sidecar, fitted)
        if fitted.offset not in known:
            known.append(fitted.offset)

    def _place_idle(self) -> None:
        """What holds nothing of a fork, as a restart right after the start leaves it, must equal what was sent then.

        So must the few octets of a fork that was too short to be searched for.
        """
        for judged, sidecar, piece in self._unplaced:
            known = self._offsets[piece.tracks[0].slot.line]
            fitted = next((one for one in (lay(piece, offset) for offset in known) if one.equal), None)
            if fitted is None or not (judged.pieces or self._was_granted(sidecar)):
                judged.blame(f"nothing sent in calls {', '.join(sidecar.calls) or '(none)'} on its ports is in it")
                continue
            judged.add(fitted)
            self._check_sides(judged, sidecar, fitted)

    def _check_sides(self, judged: Judged, sidecar: Sidecar, fitted: Fit) -> None:
        own = self._calls_of(sidecar)
        for index, (side, meant) in enumerate(SIDES):
            differing, first = fitted.differing[index], fitted.first_differing[index]
            if differing:
                judged.blame(f"{side}: {differing} octets differ from those sent, the first at sample {first}")
            for fork in () if sidecar.is_nobodys else fitted.piece.tracks[index].slot.during(*fitted.frames):
                _check_fork(judged, (sidecar.station, own), (side, meant), fork, fitted.frames)

    def _was_granted(self, sidecar: Sidecar) -> bool:
        """Both its ports were in a call of its own, though perhaps for less than one block of audio."""
        during = (sidecar.started.timestamp(), sidecar.ended.timestamp())
        granted = {
            fork.port
            for conversation in self._truth.conversations
            if conversation.calls & set(sidecar.calls)
            for fork in conversation.forks
            if fork.station == sidecar.station and overlaps(fork.span, during)
        }
        return {channel.port for channel in sidecar.channels} <= granted

    def _check_time(self, judged: Judged, sidecar: Sidecar, fitted: Fit) -> None:
        """Whether the octets were sent when the sidecar says that they came."""
        first, end = fitted.frames
        said = sidecar.started.timestamp() + fitted.piece.start / 8000
        for fork in fitted.piece.tracks[0].slot.during(first, end)[:1]:
            sent = fork.at.timestamp() + (first - fork.first) / 8000
            if abs(said - sent) > self._expected.clocks:
                judged.blame(f"its time is {said - sent:+.1f} s against when its octets were sent")

    def _calls_of(self, sidecar: Sidecar) -> frozenset[str]:
        """Its own calls, and those that their conversations became: without a link nobody tells a recorder of that.

        A recording of nobody may have any; it counts for none of their conversations.
        """
        if sidecar.is_nobodys:
            return frozenset(call for conversation in self._truth.conversations for call in conversation.calls)
        own = set(sidecar.calls)
        during = (sidecar.started.timestamp(), sidecar.ended.timestamp())
        for conversation in self._truth.conversations:
            if own & conversation.calls and overlaps(conversation.span, during, 1.0):
                own |= conversation.calls
        return frozenset(own)


def _check_fork(
    judged: Judged, whose: tuple[str, frozenset[str]], where: tuple[str, Side], fork: SentFork, frames: tuple[int, int]
) -> None:
    """A side holds its own station's forks of its own calls, and no others."""
    (station, calls), (side, meant) = whose, where
    if fork.call not in calls:
        count = min(fork.end, frames[1]) - max(fork.first, frames[0])
        judged.blame(f"{side}: holds {count} octets of call {fork.call}, station {fork.station}, which is not its own")
    elif fork.station != station:
        judged.blame(f"{side}: is of station {fork.station}, not {station}")
    elif fork.side is not meant:
        judged.blame(
            f"{side}: is what the station {'says' if fork.side is Side.OWN else 'hears'}: the sides are swapped"
        )


def _verdict(path: Path, sidecar: Sidecar, faults: tuple[str, ...]) -> RecordingVerdict:
    return RecordingVerdict(
        path=path,
        recording=sidecar.recording,
        conversation=sidecar.conversation,
        station=sidecar.station,
        ports=tuple(sidecar.channel(side).port for side in ("left", "right")),
        started=sidecar.started,
        seconds=sidecar.sample_count / 8000,
        octets=0,
        gaps=len(sidecar.gaps),
        gap_samples=sum(gap.count for gap in sidecar.gaps),
        nobodys=sidecar.is_nobodys,
        faults=faults,
    )


def _unreadable(what: Unreadable, sidecar: Sidecar | None = None) -> RecordingVerdict:
    if sidecar is not None:
        return _verdict(what.path, sidecar, (what.reason,))
    return RecordingVerdict(what.path, what.path.stem, "", "", (), None, 0.0, 0, 0, 0, False, (what.reason,))
