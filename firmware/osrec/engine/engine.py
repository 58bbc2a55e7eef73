"""Decides which call is on which channel, from when to when, and says so.

Events in, outputs out; no clock, no I/O. The CSTA link's outputs go in as they are. A recording is the audio of one
monitored station's part in a conversation; a conversation in which several recorded stations talk is recorded once
(at the first of them) or at each, as configured, and always for as long as one of them talks in it.

This module only says who deals with what: `happenings` follows conversations, `review` brings their recordings to
what legs and rules ask for, `starting` gets forks and `granting` takes their answers, `watching` and `losses` judge
what the lines tell, `signalling` follows the PBX's calls to our ports, `evidence` tells what came when the link broke
before an answer, `demands` does what people ask for, `blindness` notes who was not watched, `coverage` who was not
recorded, `telling` has the journal know it all, and `restoring` takes it from there after a restart.
"""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from uuid import UUID

from osrec.calls.conversation import Conversation
from osrec.calls.tracker import Tracker
from osrec.csta import messages as link
from osrec.engine.alarms import AlarmCleared, AlarmRaised, Severity
from osrec.engine.blindness import Blindness
from osrec.engine.demands import Demands
from osrec.engine.desk import Desk
from osrec.engine.evidence import Evidence
from osrec.engine.fork import ForkStrategy
from osrec.engine.forks import Forks
from osrec.engine.granting import Granting
from osrec.engine.happenings import Happenings
from osrec.engine.link_alarms import link_alarms
from osrec.engine.losses import Losses
from osrec.engine.messages import (
    Adopt,
    Demanded,
    Event,
    Heard,
    JournalChanged,
    Noted,
    OpenRefused,
    Output,
    Released,
    Request,
    Restore,
    RulesChanged,
    Seized,
    SignallingChanged,
    Started,
    Stopping,
    TakenOver,
    TimerExpired,
)
from osrec.engine.pool import Pool
from osrec.engine.recording import Recording, State
from osrec.engine.review import Reviewer
from osrec.engine.rules import RuleSet
from osrec.engine.settings import EngineConfig
from osrec.engine.signalling import Signalling
from osrec.engine.starting import LINK_DOWN
from osrec.engine.telling import Telling
from osrec.engine.watching import Watching
from osrec.store.records import Decision


class Engine:
    """All recordings of one recorder.

    Attributes:
        tracker: the conversations.
        forks: the recordings, and what the PBX is asked for them.
    """

    def __init__(
        self,
        config: EngineConfig,
        tracker: Tracker,
        rules: RuleSet,
        pool: Pool,
        strategy: ForkStrategy,
        new_id: Callable[[], UUID],
        signalled: Iterable[str] = (),
    ) -> None:
        """
        Args:
            signalled: lines on which the PBX calls the ports.
        """
        self.tracker = tracker
        self.forks = Forks(pool, strategy, config, signalled)
        self._desk = Desk(config, tracker, rules, self.forks, new_id)
        self._reviewer = Reviewer(self._desk)
        self._granting = Granting(self._desk, self._reviewer)
        self._telling = Telling(self._desk)
        self._happenings = Happenings(self._desk, self._reviewer, self._telling)
        self._losses = Losses(self._desk, self._reviewer)
        self._evidence = Evidence(self._desk, self._reviewer, self._granting)
        self._watching = Watching(self._desk, self._reviewer, self._happenings, self._losses, self._evidence)
        self._signalling = Signalling(self._desk, self._reviewer, self._granting)
        self._demands = Demands(self._desk, self._reviewer)
        self._blindness = Blindness(tracker.monitored)
        self._pool_alarm = False

    @property
    def rules(self) -> RuleSet:
        """What is recorded."""
        return self._desk.rules

    @property
    def recordings(self) -> dict[UUID, Recording]:
        """Those that hold a pair now, by id."""
        return self.forks.recordings

    @property
    def pool(self) -> Pool:
        return self.forks.pool

    @property
    def link_up(self) -> bool:
        return self.forks.link_up

    @property
    def unlinked(self) -> datetime | None:
        """Since when there has been no link, as far as that is not journalled; None while there is one."""
        return self._blindness.unlinked

    @property
    def deadline(self) -> float | None:
        """When to call handle(TimerExpired()); None: nothing is due."""
        dues = (self.forks.deadline, self.tracker.deadline, self._desk.again)
        return min((due for due in dues if due is not None), default=None)

    def handle(self, event: Event | link.Output, now: float, at: datetime) -> list[Output]:
        """Advance by one event. `at` is the wall time of `now`, aware, UTC."""
        outputs = self._handle(event, now, at)
        outputs += self._pool_state()
        return _before_requests(outputs, [*self._blindness.changes(), *self._telling.changes(now, at)])

    def _handle(self, event: Event | link.Output, now: float, at: datetime) -> list[Output]:
        match event:
            case link.Reported(station, report):
                self._desk.vigil.take(event, now)
                return self._happenings.reported(station, report.event, now, at)
            case link.ServiceAnswered():
                return self._answered(event, now, at)
            case Heard():
                return [*self._watching.heard(event, now, at), *self._blindness.write_due(at)]
            case Seized() | Released() | SignallingChanged():
                return self._signalling.take(event, now, at)
            case TimerExpired():
                return self._timer(now, at)
            case Restore() | Adopt() | TakenOver():
                return self._happenings.taken_over(event, now, at)
            case JournalChanged(accepts_new):
                return self._journal(accepts_new, now, at)
            case OpenRefused(recording, reason):
                return self._granting.open_refused(recording, reason, now, at)
            case RulesChanged(rules):
                self._desk.rules = rules
                return self._reviewer.review_all(now, at)
            case Demanded():
                return self._demands.demanded(event, now, at)
            case Started() | Stopping():
                return self._begins_or_ends(event, now, at)
            case _:
                return self._link(event, now, at)

    def _begins_or_ends(self, event: Started | Stopping, now: float, at: datetime) -> list[Output]:
        if isinstance(event, Started):
            return [*self._blindness.started(event, at)]
        return [*self._happenings.stop(now, at), *self._blindness.stop(at)]

    def conversation_reason(self, conversation: UUID) -> str | None:
        """Why a running conversation is not recorded, None when it is or nothing is known against it."""
        dossier = self._desk.dossiers.get(conversation)
        return dossier.reason if dossier else None

    def uncovered(self, conversation: UUID) -> dict[str, str]:
        """Stations that talk in a running conversation, should be recorded and are not now, each with the reason."""
        dossier = self._desk.dossiers.get(conversation)
        gaps = dossier.coverage.open if dossier else {}
        return {station: gap.obstacle.text if gap.obstacle else "being set up" for station, gap in gaps.items()}

    def decide(self, conversation: Conversation, station: str) -> Decision:
        """What the rules say of a station in a running conversation."""
        return self._desk.decide(conversation, station)

    def paused_by(self, conversation: UUID) -> str | None:
        """Who paused a running conversation, None when it is not paused."""
        dossier = self._desk.dossiers.get(conversation)
        return dossier.paused if dossier else None

    # --- the link

    def _link(self, event: link.Output, now: float, at: datetime) -> list[Output]:
        self._desk.vigil.take(event, now)
        outputs: list[Output] = [*link_alarms(event), *self._blindness.take(event, at)]
        match event:
            case link.LinkUp():
                self._happenings.questions.connected()
                outputs += [*self._evidence.link_up(now, at), *self.forks.connected()]
            case link.LinkDown(_, unheard):
                self.forks.disconnected()
                self._fell_silent(now - unheard, at - timedelta(seconds=unheard))
                outputs += self._reviewer.review_waiting(now, at, all_of_them=True)  # from now on the link is to blame
            case link.SnapshotTaken(station, legs, calls):
                outputs += self._happenings.resync(station, legs, now, at, calls, self._blindness.before(station))
                outputs += self._losses.watched_again(station)
            case _:
                pass
        return outputs

    def _fell_silent(self, since: float, at: datetime) -> None:
        """Since then nothing has come from the PBX, so it has refused nothing, either."""
        for conversation in self._desk.uncovered:
            spoken = (one.asked for one in self.forks.of(conversation, State.REQUESTING) if one.spoken)
            begin = min([since, *spoken])  # with audio of the fork that was asked for then it is recorded since
            dossier = self._desk.dossiers[conversation]
            for station in dossier.coverage.reblame(
                "fork_refused", LINK_DOWN, begin, at - timedelta(seconds=since - begin)
            ):
                dossier.hinder(station, LINK_DOWN)

    def _answered(self, event: link.ServiceAnswered, now: float, at: datetime) -> list[Output]:
        self._desk.vigil.take(event, now)
        if (station := self._desk.vigil.answered(event.token)) is not None:
            return self._watching.inquired(station, event.outcome, now, at)
        if self._happenings.questions.asked(event.token):
            return self._happenings.answered(event, now, at)
        follow_up = self.forks.sweep_answered(event.token, event.outcome, now)
        if follow_up is not None:
            return follow_up + (self._reviewer.review_waiting(now, at, all_of_them=True) if self.forks.ready else [])
        recording = self.forks.answered(event.token, event.outcome, now)
        if recording is None:
            return []
        broken_off = recording.state is State.REQUESTING and recording.refused is None and bool(recording.unanswered)
        return (self._evidence.broken_off if broken_off else self._granting.answered)(recording, now, at)

    # --- time, journal, pool

    def _timer(self, now: float, at: datetime) -> list[Output]:
        outputs = self._happenings.apply(self.tracker.expire(now), now, at)
        freed = self.forks.rested(now) | self._desk.ask_again(now)
        for recording in [r for r in self.recordings.values() if r.due is not None and r.due <= now]:
            match recording.state:
                case State.DRAINING:
                    outputs += self.forks.give_back(recording, now)
                    freed |= recording.id not in self.recordings
                case State.REQUESTING:
                    outputs += self._granting.not_answered(recording, now, at)
                case State.RUNNING:
                    outputs += self._dropped(recording, now, at)
                case State.ABANDONED:
                    recording.due = None
        outputs += [*self.forks.doubtful(now), *self._signalling.overdue(now)]
        return outputs + (self._reviewer.review_waiting(now, at) if freed else [])

    def _dropped(self, recording: Recording, now: float, at: datetime) -> list[Output]:
        if recording.released is not None and not self.forks.link_up:
            return self._watching.released(recording, now, at)
        return self._losses.dropped(recording, now, at)

    def _journal(self, accepts_new: bool, now: float, at: datetime) -> list[Output]:
        self._desk.accepts_new = accepts_new
        for conversation in self._desk.uncovered if accepts_new else ():
            self._desk.dossiers[conversation].holds.clear()
        waiting = self._reviewer.review_waiting(now, at, all_of_them=True)
        if not accepts_new:
            text = "the journal has no room: new recordings are refused until the keeper has freed some"
            return [AlarmRaised("journal-full", Severity.CRITICAL, text), *waiting]
        return [AlarmCleared("journal-full"), *waiting]

    def _pool_state(self) -> list[Output]:
        short = self._desk.short
        if short == self._pool_alarm:
            return []
        self._pool_alarm = short
        if not short:
            return [AlarmCleared("no-pair")]
        text = f"all {len(self.pool.pairs)} channel pairs are taken or on lines in alarm: conversations wait for one"
        return [AlarmRaised("no-pair", Severity.MAJOR, text)]


def _before_requests(outputs: list[Output], noted: list[Noted]) -> list[Output]:
    """A request may be answered before the outputs behind it are carried out: what is told then is newer."""
    first = next((at for at, output in enumerate(outputs) if isinstance(output, Request)), len(outputs))
    return [*outputs[:first], *noted, *outputs[first:]]
