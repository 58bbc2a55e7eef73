"""The recorder: carries out what the engine decides, on real lines, a real journal and a real link.

All methods are quick and run in one thread; `runner` calls them from asyncio, tests call them in virtual time.
"""

from collections.abc import Callable, Container, Mapping
from typing import Any

import structlog

from osrec.csta import messages as link
from osrec.engine.alarms import AlarmBoard, AlarmCleared, AlarmRaised, Severity
from osrec.engine.engine import Engine
from osrec.engine.messages import (
    Concluded,
    Cut,
    Demanded,
    Event,
    Finish,
    Forget,
    HangUp,
    JournalChanged,
    Keep,
    Listen,
    Noted,
    Open,
    OpenRefused,
    Output,
    Pause,
    Remark,
    Replied,
    Request,
    Resume,
    RulesChanged,
    Started,
    Stopping,
    TakenOver,
    TimerExpired,
    Wipe,
)
from osrec.engine.recording import LISTENED
from osrec.engine.rules import RuleSet
from osrec.errors import StoreError
from osrec.recorder.clock import Clock
from osrec.recorder.keeper_watch import KeeperWatch
from osrec.recorder.listening import LOOK_SECONDS, Ears
from osrec.recorder.resuming import Resuming, channels_of
from osrec.recorder.takes import Takes
from osrec.recorder.trunk_news import News, Settled, TrunkAlarms, Unexpected
from osrec.recorder.trunks import Trunks
from osrec.store.records import ConversationEnded, LineAnchor, Opened
from osrec.store.state import Condition, JournalState
from osrec.store.writer import JournalWriter
from osrec.wire.csta.model import Argument
from osrec_drivers.line import Line

log = structlog.get_logger()
HUNG_AFTER = 3.0  # seconds without a commit; one is due every half second


class Recorder:
    """One recorder.

    Args:
        lines: open lines by name.
        request: sends a service request over the CSTA link; the answer comes to `take` as ServiceAnswered.
        boot_id: of this boot of the machine, for the anchors.

    Attributes:
        takes: the recordings in the journal.
        alarms: what stands now.
        journal: latest state of the journal, None before the first.
        keeper: whether it makes progress.
        trunks: the lines' own signalling; it begins when what an earlier run left has been taken up.
        adopted: recordings of an earlier run that go on.
        begun, concluded: recordings begun and conversations ended by this process.
    """

    def __init__(
        self,
        engine: Engine,
        lines: Mapping[str, Line],
        ears: Ears,
        writer: JournalWriter,
        request: Callable[[Any, Argument], None],
        clock: Clock,
        boot_id: str,
    ) -> None:
        self.engine = engine
        self.lines = lines
        self.ears = ears
        self.trunks = Trunks()
        self._trunk_alarms = TrunkAlarms()
        self.takes = Takes(lines, ears, writer, clock, self.trunks.reference)
        self.alarms = AlarmBoard()
        self.journal: JournalState | None = None
        self.keeper = KeeperWatch()
        self.adopted: list[Opened] = []
        self.begun = 0
        self.concluded = 0
        self._writer = writer
        self._request = request
        self._clock = clock
        self._boot_id = boot_id
        self._replies: list[Replied] = []
        self._next_look = 0.0

    # --- what comes in

    def resume(self, in_step: Container[str], longest: float) -> None:
        """Go on with what the earlier run had open; what cannot go on is closed. See Resuming."""
        recovered = self._writer.recovered
        signs = [*(one.at for one in recovered.anchors.values()), *(one.last_at for one in recovered.recordings)]
        last_alive = max(signs, default=None)
        unlinked = [one.unlinked for one in recovered.anchors.values() if one.unlinked is not None]
        self._give(Started(last_alive, min(unlinked, default=None), recovered.unwatched))
        resuming = Resuming(self.engine, self.lines, self._writer, self._clock, longest)
        recordings = resuming.adoptable(in_step)
        for restore in resuming.conversations(
            last_alive or self._clock.at(), {one.conversation for one, _ in recordings}
        ):
            self._give(restore)
            log.info("conversation may go on", conversation=str(restore.going.conversation))
        for open_one, pair in recordings:
            self._give(resuming.adopt(open_one, pair))
            self.adopted.append(open_one.opened)
            self.takes.adopt(open_one.opened, channels_of(open_one.opened), paused=open_one.paused)
            log.info(
                "recording goes on",
                recording=str(open_one.opened.recording),
                station=open_one.opened.station,
                pair=str(pair),
            )
        self._give(TakenOver())

    def take(self, output: link.Output) -> None:
        """Take an output of the CSTA link."""
        self._give(output)
        if isinstance(output, link.LinkDown):
            self._anchor()  # it may have been down for some time already: not even a kill now loses that

    def demand(self, demanded: Demanded) -> Replied:
        """Somebody asks something of a running call; the writer's `settled` tells when the journal has it."""
        self._give(demanded)
        reply = self._replies.pop() if self._replies else Replied((), "the engine did not answer")
        self._replies.clear()
        log.info("asked for", what=demanded.what.value, target=demanded.target, by=demanded.by, error=reply.error)
        return reply

    def change_rules(self, rules: RuleSet) -> None:
        """From now on these decide; what runs goes on."""
        before = self.engine.rules.version
        self._give(RulesChanged(rules))
        self._alarm(AlarmCleared("rules"))
        log.info("rules loaded", version=rules.version, before=before, rules=len(rules.rules))

    def refuse_rules(self, error: str) -> None:
        """New rules have mistakes; who sent a SIGHUP gets no answer, so the alarm tells."""
        log.error("new rules refused, the old ones go on", error=error)
        first, *others = error.splitlines()
        more = f" (and {len(others)} more)" if others else ""
        text = f"new rules refused, the old ones go on: {first}{more}"
        self._alarm(AlarmRaised("rules", Severity.WARNING, text))

    def journal_state(self, state: JournalState) -> None:
        """The journal's thread reports (called in the recorder's own thread)."""
        before, self.journal = self.journal, state
        if before is None or before.accepts_new != state.accepts_new:
            self._give(JournalChanged(state.accepts_new))
        text = f"the journal: {state.error}"
        for condition, severity in ((Condition.STOPPED, Severity.CRITICAL), (Condition.FAILED_OVER, Severity.MAJOR)):
            key = f"journal-{condition}"
            self._alarm(AlarmRaised(key, severity, text) if state.condition is condition else AlarmCleared(key))

    def keeper_seen(self, stamp: int | None) -> None:
        """The keeper's sign of life, as it is now."""
        self.keeper.seen(stamp, self._clock.now())

    @property
    def deadline(self) -> float:
        """When `tick` has something to do."""
        dues = (self._next_look, self.takes.deadline, self.engine.deadline, self.trunks.deadline)
        return min(due for due in dues if due is not None)

    def tick(self) -> None:
        """Do what is due."""
        now = self._clock.now()
        if self.trunks.deadline is not None and self.trunks.deadline <= now:
            self._follow(self.trunks.step(now))
            for over in self._trunk_alarms.over(now):
                self._alarm(over)
        self.takes.close_due(now)
        if self.engine.deadline is not None and self.engine.deadline <= now:
            self._give(TimerExpired())
        if now >= self._next_look:
            self._next_look = now + LOOK_SECONDS
            self._look()

    def stop(self) -> None:
        """Leave recordings open in the journal for the next run: the calls go on, and so do they."""
        self._give(Stopping())
        for stray in self.ears.stop():
            self._writer.tell(stray)
        self.takes.close_ending()
        self.trunks.close()
        self._anchor()
        if self.takes:
            log.info("recordings stay open: the next start goes on with them or closes them", count=len(self.takes))

    # --- what the engine wants done

    def _give(self, event: Event | link.Output) -> None:
        for output in self.engine.handle(event, self._clock.now(), self._clock.at()):
            self._do(output)

    def _do(self, output: Output) -> None:
        match output:
            case Request(token, argument):
                self._request(token, argument)
            case HangUp(line, slot):
                self._follow(self.trunks.hang_up(line, slot, self._clock.now()))
            case Open():
                self._open(output)
            case Listen() | Remark() | Pause() | Resume() | Keep() | Wipe() | Cut() | Finish() | Forget():
                self.takes.do(output)
            case Noted(record):
                self._writer.tell(record)
            case Replied():
                self._replies.append(output)
            case Concluded(record):
                self._conclude(record)
            case AlarmRaised() | AlarmCleared():
                self._alarm(output)

    def _open(self, wanted: Open) -> None:
        try:
            self.takes.open(wanted)
        except StoreError as error:
            log.error("recording not begun", recording=str(wanted.recording), error=str(error))
            self._give(OpenRefused(wanted.recording, f"the journal refused it: {error}"))
            return
        self.begun += 1

    def _conclude(self, record: ConversationEnded) -> None:
        self.concluded += 1
        self._writer.tell(record)
        log.info(
            "conversation ends", conversation=str(record.conversation), outcome=record.outcome, reason=record.reason
        )

    def _alarm(self, change: AlarmRaised | AlarmCleared) -> None:
        if not self.alarms.take(change, self._clock.at()):
            return
        if isinstance(change, AlarmRaised):
            log.warning("alarm", key=change.key, severity=str(change.severity), text=change.text)
        else:
            log.info("alarm cleared", key=change.key)

    # --- looking at the lines

    def _follow(self, news_of_trunks: list[News]) -> None:
        for news in news_of_trunks:
            try:
                self._hear(news)
            except Exception:  # a fault of ours in one of them must not cost the others, which nobody tells again
                log.exception("news of a line's signalling could not be followed", news=news)

    def _hear(self, news: News) -> None:
        if isinstance(news, Unexpected | Settled):
            self._alarm(self._trunk_alarms.take(news, self._clock.now()))
        else:
            self._give(news)

    def _look(self) -> None:
        for change in self.ears.alarms():
            self._alarm(change)
        self._watch_journal()
        self._alarm(self.keeper.alarm(self._clock.now()))
        recordings = self.engine.recordings.values()
        running = [r.channels for r in recordings if r.state in LISTENED]
        held = [r.channels for r in recordings]
        self._give(self.ears.look(running, held, self.engine.pool.pairs, self._clock.at()))
        self._anchor()

    def _watch_journal(self) -> None:
        """A disk that hangs blocks the journal's thread, which then cannot say so itself."""
        silent = self._clock.now() - self._writer.state.committed
        if silent > HUNG_AFTER:
            text = f"the disk of the journal has not answered for {silent:.0f} s: audio waits in memory"
            self._alarm(AlarmRaised("journal-hung", Severity.CRITICAL, text))
        else:
            self._alarm(AlarmCleared("journal-hung"))

    def _anchor(self) -> None:
        for name, line in self.lines.items():
            anchor = line.anchor()
            if anchor is not None:
                self._writer.anchor(
                    LineAnchor(
                        line=name,
                        sample=anchor.sample,
                        sequence=anchor.sequence,
                        monotonic_ns=anchor.monotonic_ns,
                        boot_id=self._boot_id,
                        at=self._clock.at(),
                        unlinked=self.engine.unlinked,
                    )
                )
