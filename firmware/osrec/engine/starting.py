"""From a station that talks to the request for its fork."""

from datetime import datetime

from osrec.calls.conversation import Conversation
from osrec.engine.alarms import AlarmRaised, Severity
from osrec.engine.coverage import Obstacle
from osrec.engine.desk import Desk, Want
from osrec.engine.dossier import KEPT_PAIRS
from osrec.engine.forks import Wanted
from osrec.engine.messages import Output, Remark
from osrec.engine.pool import Pair
from osrec.engine.preemption import Preemption
from osrec.engine.recording import Recording
from osrec.engine.stopping import take_away
from osrec.wire.csta.model import ConnectionId, DeviceId

JOURNAL_FULL = Obstacle("journal_full", "the journal has no room for a new recording")
LINK_DOWN = Obstacle("link_down", "the CSTA link is down")
SWEEPING = Obstacle("link_down", "the recorder has not yet found its ports free after the link came up")

UNHEARD_OF = Obstacle("link_down", "the link is up again, and nothing has been heard of the station yet")


class Starter:
    """Leases pairs and asks for forks, or enters what hinders it."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._preemption = Preemption(desk.forks)

    def start(
        self, conversation: Conversation, want: Want, now: float, at: datetime, tried: tuple[Pair, ...] = ()
    ) -> list[Output]:
        """Ask for the fork; when it has to wait, what that brings about. `tried`: pairs that refused already."""
        desk = self._desk
        dossier = desk.dossiers[conversation.id]
        hold = dossier.held(want.station, want.call.call_id, now)
        if hold is not None:
            if hold.obstacle is not None and want.station not in dossier.obstacles:
                dossier.hinder(want.station, hold.obstacle)
            return []
        hindrance = self._hindrance(want.station)
        if hindrance is not None:
            dossier.hinder(want.station, hindrance)
            return []
        wanted = Wanted(
            recording=desk.new_id(),
            conversation=conversation.id,
            station=want.station,
            connection=want.call.connections.get(want.station)
            or ConnectionId(want.call.call_id, DeviceId(want.station)),
            decision=want.decision,
            tried=tried,
            rather_not=tuple(dossier.lost_on),
        )
        recording, outputs = desk.forks.start(wanted, now)
        if recording is not None:
            recording.due = now + desk.config.fork_timeout
            dossier.leased(want.station, want.call if desk.config.internal == "once" else None)
            return outputs
        if tried:
            return []  # the refusal is the reason, not the want of a pair
        if desk.forks.unfit(now):
            return []  # one is as good as free: there is no want either
        dossier.hinder(want.station, desk.shared(dossier, want, KEPT_PAIRS) or self._no_pair())
        return self._preempt(conversation, want, now, at)

    def _hindrance(self, station: str) -> Obstacle | None:
        if not self._desk.accepts_new:
            return JOURNAL_FULL
        if not self._desk.forks.link_up:
            return LINK_DOWN
        if not self._desk.forks.ready:
            return SWEEPING
        if self._desk.vigil.stale(station):
            return self._desk.vigil.unmonitored(station) or UNHEARD_OF
        return None

    def _no_pair(self) -> Obstacle:
        in_alarm = self._desk.forks.pool.idle_in_alarm
        if in_alarm:
            return Obstacle("line_alarm", f"no free channel pair: {in_alarm} are free on lines in alarm", shortage=True)
        return Obstacle("no_pair", "no free channel pair", shortage=True)

    def _preempt(self, conversation: Conversation, want: Want, now: float, at: datetime) -> list[Output]:
        """End a recording of a lower class; its pair goes to who waits when the last of its audio has come in."""
        desk = self._desk
        if not desk.config.preempt:
            return []
        victim = self._preemption.victim((conversation.id, want.station), want.decision.priority)
        if victim is None:
            return []
        text = (
            f"station {victim.station} (priority {victim.decision.priority}) gave {victim.pair} "
            f"to station {want.station} (priority {want.decision.priority})"
        )
        loser = desk.dossiers[victim.conversation]
        loser.hinder(victim.station, Obstacle("preempted", text))
        outputs = [
            self._remark(victim, want, conversation, now, at),
            *take_away(desk, victim, f"preempted: {text}", now),
            AlarmRaised(f"preempted:{victim.station}", Severity.WARNING, text),
        ]
        desk.settle(desk.tracker.conversations[victim.conversation], now, at)
        return outputs

    @staticmethod
    def _remark(victim: Recording, want: Want, conversation: Conversation, now: float, at: datetime) -> Remark:
        detail = {
            "station": want.station,
            "conversation": str(conversation.id),
            "priority": str(want.decision.priority),
        }
        return Remark(victim.id, now, at, "preempted", None, detail)
