"""Writes recordings as the recorder does, for tests of the judge, by hand and with none of the recorder's code."""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import soundfile

from osrec_emulators.audio import alaw
from osrec_emulators.audio.alaw import Octets
from osrec_emulators.diun2.faults import TimeSlot

SIDES = ("left", "right")
Edit = Callable[[dict[str, Any]], object]


def store(
    directory: Path,
    *,
    station: str,
    calls: Iterable[str],
    ports: Sequence[str],
    layout: Mapping[str, TimeSlot],
    octets: Octets,
    first_sample: int,
    began: datetime,
    line: str = "satop:recorder",
    gaps: Sequence[Mapping[str, Any]] = (),
    edit: Edit = lambda sidecar: None,
) -> Path:
    """Write a FLAC file and its sidecar, changed by `edit`; `octets` are left and right. Gives the sidecar's path."""
    directory.mkdir(parents=True, exist_ok=True)
    name = f"r{len(list(directory.iterdir()))}"
    flac = directory / f"{name}.flac"
    soundfile.write(flac, alaw.decode(octets).T, 8000, subtype="PCM_16")
    sidecar = {
        "schema": "osrec.recording/1",
        "recording": f"{station}-{name}",
        "conversation": f"c-{station}",
        "station": station,
        "started": began.isoformat(),
        "ended": (began + timedelta(seconds=octets.shape[1] / 8000)).isoformat(),
        "direction": "in",
        "parties": [{"number": station}],
        "calls": list(calls),
        "channels": [
            {"side": side, "line": line, "slot": layout[port].slot, "port": port}
            for side, port in zip(SIDES, ports, strict=True)
        ],
        "codec": "alaw",
        "first_sample": first_sample,
        "sample_count": octets.shape[1],
        "gaps": list(gaps),
        "decision": "record",
        "reason": "all",
        "media": {
            "file": flac.name,
            "sha256": hashlib.sha256(flac.read_bytes()).hexdigest(),
            "octets_sha256": {
                side: hashlib.sha256(octets[row].tobytes()).hexdigest() for row, side in enumerate(SIDES)
            },
        },
    }
    edit(sidecar)
    path = directory / f"{name}.json"
    path.write_text(json.dumps(sidecar))
    return path
