"""From a recording in the journal to its files: media, peaks, sidecar, each complete before it gets its name."""

import hashlib
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from osrec.errors import StoreError
from osrec.store.assembly import Assembly, Blocks
from osrec.store.config import StoreConfig
from osrec.store.disk import Disk, sync_file, write_file
from osrec.store.layout import PEAKS, SIDECAR, TEMPORARY, media_directory
from osrec.store.media import POINT, Written, file_sha256, media_format, octets_sha256, write_media
from osrec.store.sidecar import Event, KeptAt, Media, MissingSamples, Peaks, Sidecar, SideHashes


@dataclass(frozen=True, slots=True)
class Made:
    """The files of a recording under temporary names, all on the disk."""

    directory: Path
    sidecar: Sidecar
    sidecar_bytes: bytes

    @property
    def name(self) -> str:
        return f"{self.sidecar.recording}{SIDECAR}"

    @property
    def names(self) -> tuple[str, ...]:
        """In the order in which they get their names: the sidecar, that makes them a recording, is last."""
        return self.sidecar.media.file, self.sidecar.peaks.file, self.name

    @property
    def sidecar_sha256(self) -> str:
        return hashlib.sha256(self.sidecar_bytes).hexdigest()


def temporary(path: Path) -> Path:
    return path.with_name(f"{TEMPORARY}{path.name}")


def make(disk: Disk, config: StoreConfig, assembly: Assembly) -> Made:
    """Write the files and read them back. Raises StoreError, OSError; then nothing remains."""
    opened = assembly.description()
    directory = media_directory(config.media, opened.at)
    disk.make_directory(directory)
    media = directory / f"{opened.recording}.{media_format(opened.codec, assembly.sample_count)}"
    peaks = media.with_suffix(PEAKS)
    try:
        return _make(disk, config, assembly, media, peaks)
    except (StoreError, OSError):
        for path in (media, peaks, media.with_suffix(SIDECAR)):
            with suppress(OSError):
                disk.unlink(temporary(path))
        raise


def publish(disk: Disk, made: Made) -> None:
    """Give the files their names. Raises OSError."""
    for name in made.names:
        if name == made.name:
            disk.sync_directory(made.directory)
        path = made.directory / name
        disk.rename(temporary(path), path)
    disk.sync_directory(made.directory)


def discard(disk: Disk, made: Made) -> None:
    """The recording went on after all."""
    for name in made.names:
        disk.unlink(temporary(made.directory / name))


def _make(disk: Disk, config: StoreConfig, assembly: Assembly, media: Path, peaks: Path) -> Made:
    opened = assembly.description()
    for path in (media, peaks):
        write_file(disk, temporary(path), b"")  # with the mode of our files; what writes them keeps it
    with Blocks(disk) as blocks:
        pieces = assembly.pieces(blocks)
        written = write_media(
            temporary(media),
            temporary(peaks),
            opened.codec,
            assembly.sample_count,
            pieces,
            compression=config.compression,
        )
    for path in (media, peaks):
        sync_file(disk, temporary(path))
    _read_back(temporary(media), written)
    sidecar = _sidecar(assembly, written, media, peaks)
    octets = sidecar.model_dump_json(indent=2).encode() + b"\n"
    write_file(disk, temporary(media.with_suffix(SIDECAR)), octets)
    return Made(media.parent, sidecar, octets)


def _read_back(media: Path, written: Written) -> None:
    """The journal lets the octets go on the strength of this file: it must give them back."""
    expected = written.sample_count, written.left_sha256, written.right_sha256
    if (found := octets_sha256(media)) != expected:
        raise StoreError(f"{media}: gives {found} back, written were {expected} (samples, SHA-256 of left and right)")


def _sidecar(assembly: Assembly, written: Written, media: Path, peaks: Path) -> Sidecar:
    opened, first = assembly.description(), assembly.first_sample
    media_bytes, media_sha256 = file_sha256(temporary(media))
    peaks_bytes, peaks_sha256 = file_sha256(temporary(peaks))
    return Sidecar.model_validate(
        {
            **assembly.latest,
            "recording": opened.recording,
            "station": opened.station,
            "started": assembly.started,
            "ended": assembly.ended,
            "channels": opened.channels,
            "codec": opened.codec,
            "first_sample": first,
            "sample_count": written.sample_count,
            "gaps": [
                MissingSamples(first=hole.first - first, count=hole.count, cause=hole.cause) for hole in written.holes
            ],
            "events": _events(assembly),
            "clock": opened.clock,
            "decision": opened.decision,
            "kept": KeptAt(at=assembly.kept.at, by=assembly.kept.by) if assembly.kept else None,
            "reason": _reason(assembly),
            "media": Media(
                file=media.name,
                format=media_format(opened.codec, written.sample_count),
                bytes=media_bytes,
                sha256=media_sha256,
                octets_sha256=SideHashes(left=written.left_sha256, right=written.right_sha256),
            ),
            "peaks": Peaks(
                file=peaks.name,
                samples_per_point=POINT,
                points=written.points,
                bytes=peaks_bytes,
                sha256=peaks_sha256,
            ),
            "flags": _flags(assembly, written),
        }
    )


def _events(assembly: Assembly) -> list[Event]:
    first = assembly.first_sample
    return [
        Event(
            at=event.at,
            sample=None if event.sample is None or event.sample < first else event.sample - first,
            kind=event.kind,
            cause=event.cause,
            detail=event.detail,
        )
        for event in (note.event for note in assembly.notes if note.paused is None)  # pauses are told by the gaps
    ]


def _reason(assembly: Assembly) -> str:
    if assembly.erased is not None:
        return f"a rule says {assembly.erased.cause}"
    return assembly.closed.reason if assembly.closed else "left_open"


def _flags(assembly: Assembly, written: Written) -> list[str]:
    flags = {
        "left_open": not assembly.is_closed,
        "metadata_lost": assembly.opened is None,
        "journal_damaged": any(hole.cause == "journal_damaged" for hole in written.holes),
        "left_silent": "left" in written.silent,
        "right_silent": "right" in written.silent,
    }
    return [flag for flag, holds in flags.items() if holds]
