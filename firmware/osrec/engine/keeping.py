"""Keeping what is recorded on demand, and pausing any recording."""

from datetime import datetime

from osrec.engine.desk import Desk
from osrec.engine.messages import Keep, Output, Pause, Remark, Resume
from osrec.engine.recording import Recording, State


def keep(desk: Desk, recording: Recording, since: float | None, by: str) -> list[Output]:
    """A recording on demand is kept, from `since` on, None: from its beginning; what was kept before stays kept."""
    recording.provisional = False
    if recording.state is not State.RUNNING:
        return []  # it will open as one that is kept
    begins = recording.asked if since is None else since
    if begins >= recording.kept_since:
        return []
    recording.kept_since = begins
    dossier = desk.dossiers[recording.conversation]
    if recording.id not in dossier.recordings:
        dossier.recordings.append(recording.id)
    dossier.recorded_by = dossier.recorded_by or recording.decision
    return [Keep(recording.id, since, by)]


def pause(recording: Recording, now: float, at: datetime, by: str, since: float | None = None) -> list[Output]:
    """From `since` on, now when it is None, the recording has no audio."""
    recording.paused = True
    since = now if since is None else since
    return [Pause(recording.id, since), Remark(recording.id, now, at, "paused", None, {"by": by})]


def resume(recording: Recording, now: float, at: datetime, by: str) -> list[Output]:
    """From now on it has audio again."""
    recording.paused = False
    return [Resume(recording.id, now), Remark(recording.id, now, at, "resumed", None, {"by": by})]
