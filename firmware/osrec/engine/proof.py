"""Recordings that began on the evidence of their audio alone: are their ports in the call that they were asked for?

No recording may bear another call's parties. When the PBX says that a port was in some other call, then the audio is
kept, as nobody's. One that went on after a restart of the recorder is its conversation's as far as the earlier run had
written it, and ends there: a pair may have been leased anew in the moment before a kill, and the journal not know it.
What the pair has carried since then becomes a recording of its own, nobody's.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from osrec.calls.conversation import Conversation
from osrec.engine.coverage import Obstacle
from osrec.engine.desk import Desk
from osrec.engine.dossier import Dossier
from osrec.engine.messages import Finish, Listen, Open, Output, Remark
from osrec.engine.recording import Recording
from osrec.engine.stopping import stop, take_away

WHY = "the PBX had its ports in a call that is none of this conversation"


def disproved(recording: Recording, conversation: Conversation) -> bool:
    """Whether the PBX says that a port of the recording is in another call."""
    found = recording.proof.values() if recording.proof is not None else ()
    return any(connection.call_id not in conversation.call_ids for connection in found)


def proved(recording: Recording) -> bool:
    """Whether the PBX has said of both ports where they are; nothing else is left to be asked."""
    return recording.proof is not None and len(recording.proof) == 2


def end(
    desk: Desk, recording: Recording, conversation: Conversation, reason: str, now: float, at: datetime
) -> list[Output]:
    """The call is over for the station, says a snapshot or an event: what was recorded is its audio, or nobody's."""
    if disproved(recording, conversation):
        return unassign(desk, recording, now, at)
    return stop(desk, recording, reason, now)


def unassign(desk: Desk, recording: Recording, now: float, at: datetime) -> list[Output]:
    """The recording ends as one of nobody: its conversation has no other part, and the ledger finds none for it."""
    recording.proof = None
    dossier = desk.dossiers.get(recording.conversation)
    if recording.adopted:
        return _end_at_restart(desk, recording, dossier, now, at)
    if dossier is not None:
        obstacle = Obstacle("link_down", f"what was recorded without the link is of another call: {WHY}")
        if recording.id in dossier.recordings:
            dossier.recordings.remove(recording.id)
        began = at - timedelta(seconds=now - recording.since)
        dossier.coverage.mark(recording.station, obstacle, recording.since, began, now)
        dossier.hinder(recording.station, obstacle)
    remark = Remark(
        recording.id,
        now,
        at,
        "unassigned",
        None,
        {"why": WHY, "conversation": str(recording.conversation)},
        parties=[],
        direction="unknown",
        calls=[],
        via=[],
        conversation=desk.new_id(),
    )
    return [remark, *take_away(desk, recording, WHY, now)]


def _end_at_restart(
    desk: Desk, recording: Recording, dossier: Dossier | None, now: float, at: datetime
) -> list[Output]:
    """It ends where the earlier run ended; what its pair has carried since then is none of its conversation.

    That is kept all the same, as far as the line's memory goes back: a minute.
    """
    if dossier is not None:
        obstacle = Obstacle("link_down", f"since the recorder was started: {WHY}")
        dossier.coverage.mark(
            recording.station, obstacle, recording.since, at - timedelta(seconds=now - recording.since)
        )
        dossier.hinder(recording.station, obstacle)
    outputs = take_away(desk, recording, WHY, now)
    found: list[Output] = []
    for one in outputs:
        if isinstance(one, Finish):
            found += [replace(one, when=recording.since), *_as_nobodys(desk, recording, one, now, at)]
        else:
            found.append(one)
    return found


def _as_nobodys(desk: Desk, recording: Recording, end_: Finish, now: float, at: datetime) -> list[Output]:
    """What the pair has carried since the restart, until the PBX has taken its ports out."""
    nobodys = desk.new_id()
    opened = Open(nobodys, desk.new_id(), recording.station, recording.channels, "unknown", [], [], recording.decision)
    detail = {"why": WHY, "conversation": str(recording.conversation)}
    return [
        Listen(nobodys, recording.channels, reach_back=True, since=recording.since),
        opened,
        Remark(nobodys, now, at, "unassigned", None, detail),
        replace(end_, recording=nobodys),
    ]
