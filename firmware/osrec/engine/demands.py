"""What people ask of a running call: keep it, keep it no longer, pause it."""

from datetime import datetime
from uuid import UUID

from osrec.calls.conversation import Conversation
from osrec.engine.desk import Desk
from osrec.engine.dossier import Dossier
from osrec.engine.keeping import keep, pause, resume
from osrec.engine.messages import Demand, Demanded, Output, Remark, Replied
from osrec.engine.recording import ACTIVE, Recording, State
from osrec.engine.review import Reviewer
from osrec.engine.stopping import take_away

KEEPING = (Demand.START, Demand.KEEP, Demand.KEEP_LAST)


class Demands:
    """Answers each Demanded with Replied, after what it brought about."""

    def __init__(self, desk: Desk, reviewer: Reviewer) -> None:
        self._desk = desk
        self._reviewer = reviewer

    def demanded(self, demand: Demanded, now: float, at: datetime) -> list[Output]:
        if demand.what is Demand.KEEP_LAST and (demand.seconds is None or demand.seconds <= 0):
            return [Replied((), f"seconds = {demand.seconds}: how much is to be kept must be more than 0")]
        conversation, error = self._conversation(demand.target)
        if conversation is None:
            return [Replied((), error)]
        dossier = self._desk.dossiers[conversation.id]
        recordings = self._desk.forks.of(conversation.id, *ACTIVE)
        if demand.what in KEEPING:
            return self._keep(demand, conversation, dossier, recordings, now, at)
        if demand.what is Demand.STOP:
            return self._stop(demand, conversation, dossier, recordings, now, at)
        return self._pause(demand, dossier, recordings, now, at)

    # --- whom it is about

    def _conversation(self, target: str) -> tuple[Conversation | None, str]:
        """The conversation of a station's or recording's call that is, or should be, recorded; or what is wrong."""
        desk = self._desk
        try:
            recording = desk.forks.recordings.get(UUID(target))
        except ValueError:
            return self._of_station(target)
        if recording is None or recording.state not in ACTIVE:
            return None, f"recording {target} does not run"
        return desk.tracker.conversations[recording.conversation], ""

    def _of_station(self, station: str) -> tuple[Conversation | None, str]:
        desk = self._desk
        if station not in desk.tracker.monitored:
            return None, f"{station!r} is neither a monitored station nor the id of a recording"
        theirs = [c for c in desk.tracker.conversations.values() if c.has(station)]
        theirs.sort(key=lambda one: one.talking(station) is None)  # the call that it talks in, before those on hold
        for conversation in theirs:
            if desk.forks.of(conversation.id, *ACTIVE) or desk.wants(conversation):
                return conversation, ""
        never = next((rule for one in theirs if (rule := desk.forbidding(one, station)) is not None), None)
        if never is not None:
            return None, f"station {station}: rule {never!r} says that its call is never recorded"
        return None, f"station {station} has no call that is being recorded"

    # --- on demand

    def _keep(
        self,
        demand: Demanded,
        conversation: Conversation,
        dossier: Dossier,
        recordings: list[Recording],
        now: float,
        at: datetime,
    ) -> list[Output]:
        """From now on all of the conversation is kept; and of what is there, as much as is asked for."""
        provisional = [r for r in recordings if r.provisional]
        on_demand = [r for r in recordings if r.provisional or r.decision.action == "on_demand"]
        if not provisional and dossier.keeping is None and recordings:
            return [Replied(_ids(recordings), "it is recorded by a rule, and kept without being asked for")]
        dossier.keeping = dossier.keeping or demand.by
        outputs: list[Output] = []
        since = None if demand.what is Demand.KEEP else now - (demand.seconds or 0.0)
        for recording in on_demand:  # of what is kept already more may be wanted: all that is there is in the journal
            from_begin = since is None or since <= recording.asked
            outputs += keep(self._desk, recording, None if from_begin else since, demand.by)
            if recording.state is State.RUNNING:
                outputs.append(Remark(recording.id, now, at, "kept", None, _detail(demand)))
        outputs += self._reviewer.review(conversation, now, at)
        return [*outputs, Replied(_ids(self._desk.forks.of(conversation.id, *ACTIVE)))]

    def _stop(
        self,
        demand: Demanded,
        conversation: Conversation,
        dossier: Dossier,
        recordings: list[Recording],
        now: float,
        at: datetime,
    ) -> list[Output]:
        """What was kept ends; what follows is provisional again."""
        kept = [r for r in recordings if r.decision.action == "on_demand" and not r.provisional]
        if dossier.keeping is None or not kept:
            by_rule = any(not r.provisional for r in recordings)
            why = "the call is recorded by a rule" if by_rule else "nobody has asked to keep the call"
            return [Replied((), f"{demand.target}: {why}; there is nothing to stop")]
        dossier.keeping = None
        outputs: list[Output] = []
        for recording in kept:
            if recording.state is not State.RUNNING:
                recording.provisional = True
                continue
            outputs.append(Remark(recording.id, now, at, "stopped", None, _detail(demand)))
            outputs += take_away(self._desk, recording, f"stopped by {demand.by}", now)
        outputs += self._reviewer.review(conversation, now, at)
        return [*outputs, Replied(_ids(kept))]

    # --- pause

    def _pause(
        self, demand: Demanded, dossier: Dossier, recordings: list[Recording], now: float, at: datetime
    ) -> list[Output]:
        """For the whole conversation, whichever of its stations are recorded, now and after a transfer."""
        pausing = demand.what is Demand.PAUSE
        if pausing == (dossier.paused is not None):
            state = f"paused already, by {dossier.paused}" if pausing else "not paused"
            return [Replied(_ids(recordings), f"{demand.target}: the recording is {state}")]
        dossier.paused = demand.by if pausing else None
        outputs: list[Output] = []
        for recording in recordings:
            if recording.state is State.RUNNING:
                change = pause if pausing else resume
                outputs += change(recording, now, at, demand.by)
        return [*outputs, Replied(_ids(recordings))]


def _ids(recordings: list[Recording]) -> tuple[UUID, ...]:
    return tuple(recording.id for recording in recordings)


def _detail(demand: Demanded) -> dict[str, str]:
    seconds = {} if demand.seconds is None else {"seconds": f"{demand.seconds:g}"}
    return {"by": demand.by, "what": demand.what.value, **seconds}
