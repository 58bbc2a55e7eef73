"""What an earlier run of the recorder left: its conversations and recordings go on, and what was missed stays told.

Until a snapshot of its station comes nobody knows whether a conversation went on while the recorder was away.
"""

from datetime import datetime
from math import inf

from osrec.calls.changes import Change
from osrec.calls.conversation import Conversation
from osrec.engine.coverage import Coverage, Obstacle
from osrec.engine.desk import IN_CALL, Desk, Want
from osrec.engine.dossier import Absence, Awaited, Dossier
from osrec.engine.messages import Adopt, Output, Restore
from osrec.engine.recording import Recording, State
from osrec.store.going import missed_by
from osrec.store.records import Going
from osrec.wire.csta.model import ConnectionId, DeviceId

EARLIER = "before the restart"
AWAY = Obstacle("link_down", "the recorder did not run")
FOUND = Obstacle("link_down", "it was answered while the recorder did not run, since when is not known")


class Restoring:
    """Takes over, and says what was missed meanwhile."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def restore(self, event: Restore, now: float) -> list[Change]:
        """A conversation of an earlier run goes on, so far as is known; what follows at once."""
        going, conversation, desk = event.going, event.conversation, self._desk
        changes = desk.tracker.restore(conversation, now)
        dossier = desk.dossiers[conversation.id] = _dossier(going, event, now)
        if conversation.over is None:
            stations = {one: _awaited(event, one) for one in conversation.stations if conversation.has(one)}
            dossier.absence = Absence(event.seen, event.seen_at, stations)
        return changes

    def adopt(self, event: Adopt, now: float, at: datetime) -> list[Output]:
        """A recording of an earlier run goes on; the next snapshot of its station puts right what has changed."""
        opened, conversation, desk = event.opened, event.conversation, self._desk
        if conversation.id not in desk.tracker.conversations:
            desk.tracker.adopt(conversation)
            desk.dossiers[conversation.id] = Dossier(opened.at, now, decision=opened.decision)
        dossier = desk.dossiers[conversation.id]
        call = conversation.talking(opened.station)
        call_id = call.call_id if call is not None else next(iter(conversation.calls), None)
        connection = ConnectionId(call_id, DeviceId(opened.station))
        recording = Recording(
            opened.recording, conversation.id, opened.station, event.pair, connection, opened.decision
        )
        recording.state, recording.carrier = State.RUNNING, event.carrier
        recording.asked = recording.since = now
        recording.adopted = True
        recording.proof = {}  # its end, and the pair's next lease, may not have come into the journal
        recording.provisional = opened.provisional and not event.kept
        if event.kept:
            dossier.keeping = dossier.keeping or EARLIER
        if event.paused:
            dossier.paused, recording.paused = dossier.paused or EARLIER, True
        if not recording.provisional:
            recording.kept_since = inf if opened.provisional else -inf  # of the former the journal knows since when
            if opened.recording not in dossier.recordings:
                dossier.recordings.append(opened.recording)
            dossier.recorded_by = dossier.recorded_by or opened.decision
        desk.forks.adopt(recording)
        if dossier.absence is not None:
            dossier.absence.followed = True
        else:
            desk.settle(conversation, now, at)
        return []

    def taken_over(self) -> list[Output]:
        """All that goes on is known: who was in a call, should have been recorded, and is not?"""
        for identity, dossier in self._desk.dossiers.items():
            conversation = self._desk.tracker.conversations.get(identity)
            if conversation is None or dossier.absence is None:
                continue
            self._desk.touched[identity] = None
            for station, awaited in dossier.absence.stations.items():
                awaited.unrecorded = self._unrecorded(conversation, station)
        return []

    def seen_again(self, conversation: Conversation, station: str, now: float, at: datetime) -> None:
        """A snapshot tells whether the station is still in a conversation that went on before the restart."""
        dossier = self._desk.dossiers[conversation.id]
        absence = dossier.absence
        if absence is None:
            return
        awaited = absence.stations.pop(station, None)
        if awaited is not None and awaited.unrecorded:
            talks = conversation.talking(station) is not None
            dossier.coverage.mark(station, AWAY, awaited.since, awaited.at, now if talks else None)
        elif awaited is not None and self._unrecorded(conversation, station):
            dossier.coverage.mark(station, FOUND, now, at)
        self.seen_in(conversation, station)

    def seen_in(self, conversation: Conversation, device: str | None) -> None:
        """The PBX tells of a device: a station that is in the conversation shows that it went on, whoever is awaited.

        So it does when its call was not known before the restart, and nobody awaits a snapshot of it.
        """
        dossier = self._desk.dossiers.get(conversation.id)
        if dossier is None or dossier.absence is None:
            return
        absence = dossier.absence
        awaited = device in absence.stations
        absence.followed |= device in conversation.stations and not awaited and conversation.has(device)
        if absence.is_over:
            dossier.absence = None

    def _unrecorded(self, conversation: Conversation, station: str) -> bool:
        """Whether a station is in a call that should be recorded, and none of the recordings has it."""
        desk, dossier = self._desk, self._desk.dossiers[conversation.id]
        call = next((one for one in conversation.calls.values() if one.state(station) in IN_CALL), None)
        if call is None or desk.forbidding(conversation, station) is not None:
            return False
        decision = desk.decide(conversation, station)
        wanted = decision.action == "record" or (decision.action == "on_demand" and dossier.keeping is not None)
        running = desk.forks.of(conversation.id, State.RUNNING)
        return wanted and desk.cover(Want(call, station, decision), running) is None


def end_unseen(dossier: Dossier, now: float, at: datetime) -> tuple[float, datetime]:
    """When a conversation ended that is over: if nobody saw it after the recorder was away, when it was seen last."""
    absence = dossier.absence
    if absence is None:
        return now, at
    for station, awaited in absence.stations.items():
        if awaited.unrecorded:
            dossier.coverage.mark(station, AWAY, awaited.since, awaited.at)
    return (now, at) if absence.followed else (absence.since, absence.at)


def _awaited(event: Restore, station: str) -> Awaited:
    """Since the run before that found it, or did not come so far as to look for it."""
    at = event.going.unseen.get(station, event.seen_at)
    return Awaited(event.seen - (event.seen_at - at).total_seconds(), at)


def _dossier(going: Going, event: Restore, now: float) -> Dossier:
    before = missed_by(going, event.seen_at)
    dossier = Dossier(going.started or event.seen_at, now, coverage=Coverage(before))
    dossier.recordings = list(going.recordings)
    if going.answered is not None:  # before, what the rules said was not a decision
        dossier.decision = going.decision
    if going.recordings:
        dossier.recorded_by = going.recorded_by or going.decision
    dossier.offered, dossier.stopped_by = going.offered, going.stopped_by
    dossier.keeping, dossier.paused = going.keeping, going.paused
    dossier.reason = before[-1].detail if before else None
    return dossier
