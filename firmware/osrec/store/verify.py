"""Whether the recordings are what they were: files, octets, sidecars and index against each other."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from osrec.errors import StoreError
from osrec.store.companding import IDLE
from osrec.store.config import StoreConfig
from osrec.store.index import Index, Recording
from osrec.store.layout import PEAKS, SIDECAR, TEMPORARY, recording_of
from osrec.store.media import file_sha256, octets_sha256, read_octets, read_peaks
from osrec.store.running import PAUSED
from osrec.store.sidecar import Sidecar, read_sidecar


@dataclass(frozen=True, slots=True)
class Verified:
    """What was found about one recording, or about files that belong to none; no findings: it is as it was stored."""

    recording: UUID | None
    sidecar: Path
    findings: tuple[str, ...]

    @property
    def intact(self) -> bool:
        return not self.findings


def verify(config: StoreConfig, recording: str | None = None) -> Iterator[Verified]:
    """Check one recording, by its id or the beginning of it, or all of them and then what else lies in their place.

    Raises StoreError when there is no index, NoSuchRecordingError for an id that is not in it.
    """
    with Index(config.index) as index:
        if recording is not None:
            yield verify_recording(config.media, index.get(recording))
            return
        known: set[Path] = set()
        cursor: str | None = None
        while True:
            page = index.search(limit=500, cursor=cursor)
            for row in page.rows:
                known |= _files(config.media, row)
                yield verify_recording(config.media, row)
            if (cursor := page.cursor) is None:
                break
        for path in _orphans(config.media, known):
            if (owner := recording_of(path.with_suffix(SIDECAR).name)) is None or not index.has(
                owner
            ):  # not just stored
                yield Verified(None, path, (f"{path}: belongs to no recording of the index",))


def verify_recording(media: Path, row: Recording) -> Verified:
    """Check one recording against its row."""
    path = media / row.sidecar
    findings = list(_sidecar_findings(path, row))
    try:
        sidecar = read_sidecar(path)
    except StoreError as error:
        return Verified(row.id, path, (*findings, str(error)))
    findings += _row_findings(sidecar, row)
    findings += _media_findings(path.with_name(sidecar.media.file), sidecar)
    findings += _peaks_findings(path.with_name(sidecar.peaks.file), sidecar)
    return Verified(row.id, path, tuple(findings))


def _sidecar_findings(path: Path, row: Recording) -> Iterator[str]:
    if path.exists() and hashlib.sha256(path.read_bytes()).hexdigest() != row.sidecar_sha256:
        yield f"{path}: changed since it was stored: its SHA-256 is not that of the index"


def _row_findings(sidecar: Sidecar, row: Recording) -> Iterator[str]:
    """Members that index and sidecar both have."""
    pairs = {
        "recording": (sidecar.recording, row.id),
        "conversation": (sidecar.conversation, row.conversation),
        "station": (sidecar.station, row.station),
        "sample_count": (sidecar.sample_count, row.sample_count),
        "media.bytes": (sidecar.media.bytes, row.media_bytes),
        "media.sha256": (sidecar.media.sha256, row.media_sha256),
        "media.octets_sha256.left": (sidecar.media.octets_sha256.left, row.left_sha256),
        "media.octets_sha256.right": (sidecar.media.octets_sha256.right, row.right_sha256),
    }
    for name, (said, known) in pairs.items():
        if said != known:
            yield f"{row.sidecar}: {name} is {said}, the index says {known}"


def _media_findings(path: Path, sidecar: Sidecar) -> Iterator[str]:
    """The file, then the octets: a file that was encoded anew may still give the same ones."""
    yield from _file_findings(path, sidecar.media.bytes, sidecar.media.sha256)
    if not path.exists():
        return
    try:
        count, left, right = octets_sha256(path)
    except StoreError as error:
        yield str(error)
        return
    if count != sidecar.sample_count:
        yield f"{path}: gives {count} samples, the sidecar says {sidecar.sample_count}"
    yield from _pause_findings(path, sidecar)
    for side, found, said in (
        ("left", left, sidecar.media.octets_sha256.left),
        ("right", right, sidecar.media.octets_sha256.right),
    ):
        if found != said:
            yield f"{path}: the octets of the {side} side are not those that were recorded"


def _pause_findings(path: Path, sidecar: Sidecar) -> Iterator[str]:
    """Where it was paused there must be nothing but idle code."""
    pauses = [(gap.first, gap.first + gap.count) for gap in sidecar.gaps if gap.cause == PAUSED]
    idle = bytes([IDLE[sidecar.codec]])
    at = 0
    for sides in read_octets(path) if pauses else ():
        end = at + len(sides[0])
        for first, last in pauses:
            cut = slice(max(first - at, 0), max(min(last, end) - at, 0))
            if any(side[cut].strip(idle) for side in sides):
                yield f"{path}: has audio between samples {first} and {last}, where it was paused"
                return
        at = end


def _peaks_findings(path: Path, sidecar: Sidecar) -> Iterator[str]:
    yield from _file_findings(path, sidecar.peaks.bytes, sidecar.peaks.sha256)
    if path.exists():
        try:
            read_peaks(path.read_bytes())
        except StoreError as error:
            yield f"{path}: {error}"


def _file_findings(path: Path, length: int, sha256: str) -> Iterator[str]:
    try:
        found = file_sha256(path)
    except FileNotFoundError:
        yield f"{path}: missing"
    except OSError as error:
        yield f"{path}: unreadable: {error.strerror}"
    else:
        if found != (length, sha256):
            yield f"{path}: changed: {found[0]} bytes, SHA-256 {found[1]}; stored were {length} bytes, {sha256}"


def _files(media: Path, row: Recording) -> set[Path]:
    sidecar = media / row.sidecar
    return {sidecar, media / row.media_file, sidecar.with_suffix(PEAKS)}


def _orphans(media: Path, known: set[Path]) -> list[Path]:
    """Files that are not known. One that the keeper is just writing has a temporary name."""
    found = sorted(media.glob("*/*/*/*"))
    return [path for path in found if path not in known and not path.name.startswith(TEMPORARY)]
