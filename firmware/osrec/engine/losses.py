"""Forks that are lost in mid-call, and lines that fail under a recording: the call goes on on another pair."""

from datetime import datetime, timedelta

from osrec.calls.conversation import Conversation
from osrec.engine.alarms import AlarmRaised, Severity
from osrec.engine.coverage import Obstacle
from osrec.engine.desk import Desk
from osrec.engine.dossier import Dossier
from osrec.engine.messages import Output, Remark
from osrec.engine.recording import Recording, State
from osrec.engine.review import Reviewer
from osrec.engine.stopping import take_away

STEADY = 30.0  # seconds after which a fork counts as having held: losses before it are no longer in a row


class Losses:
    """Ends what is lost and asks for it again."""

    def __init__(self, desk: Desk, reviewer: Reviewer) -> None:
        self._desk = desk
        self._reviewer = reviewer
        self._down_since: dict[str, float] = {}  # by line

    def dropped(self, recording: Recording, now: float, at: datetime) -> list[Output]:
        """The PBX has taken a port out; does the station still talk?"""
        recording.due = None
        dropped, vigil = recording.port_dropped or now, self._desk.vigil
        told = recording.inquired is not None and recording.inquired >= dropped and not vigil.asking(recording.station)
        if vigil.blind(recording.station) and not told:
            recording.due = now + self._desk.config.port_loss
            return self._inquire(recording, now)
        since = max(dropped, recording.since)
        return self._lost(recording, "the PBX took it out of the call", since, now, at)

    def _inquire(self, recording: Recording, now: float) -> list[Output]:
        """Nobody monitors the station: the PBX is asked for its calls. With the link, its snapshot will say."""
        outputs = self._desk.inquire(recording.station)
        if outputs:
            recording.inquired = now
        return outputs

    def idle(self, recording: Recording, now: float, at: datetime) -> list[Output]:
        """Idle code on a slot: the PBX is asked where the ports are.

        When it says that they are in the call, then the party is silent. When it does not say, both slots are idle,
        and there was audio before, the fork is lost after a longer time.
        """
        sides = [since for since in (recording.own_idle_since, recording.other_idle_since) if since is not None]
        if not sides:
            recording.looked_for, recording.confirmed = None, False
            return []
        conversation = self._desk.tracker.conversations.get(recording.conversation)
        if conversation is None or conversation.talking(recording.station) is None or not self._desk.forks.ready:
            return []
        silent = self._gone_silent(recording, now)
        if silent and self._in_vain(recording):
            since = max(sides)
            return self._lost(recording, f"idle code on both slots for {now - since:.0f} s", since, now, at)
        open_question = silent and self._desk.forks.looks_for(recording)
        if open_question or not (silent or self._look_is_due(recording, sides, now)):
            return []
        recording.looked_for = now
        return self._desk.forks.look_for(recording)

    def _look_is_due(self, recording: Recording, sides: list[float], now: float) -> bool:
        """Some seconds after a side fell idle, and then from time to time."""
        config, asked = self._desk.config, recording.looked_for
        dues = [since + config.idle_check for since in sides]
        if asked is None:
            return min(dues) <= now
        return any(asked < due <= now for due in dues) or asked + config.inquire_after <= now

    def _gone_silent(self, recording: Recording, now: float) -> bool:
        patience, since = self._desk.config.idle_lost, recording.idle_since
        had_audio = recording.own_heard or recording.other_heard
        too_long = since is not None and bool(patience) and now - since >= patience
        return too_long and had_audio and not recording.confirmed

    def _in_vain(self, recording: Recording) -> bool:
        """Whether the PBX was asked for the ports of one that has gone silent, and has not said where they are.

        Asked since then, not only before: a link that is half open answers nothing, either, and what was asked of it
        runs out before it is called down. Meanwhile the call goes on, or is on hold.
        """
        asked, since = recording.looked_for, recording.idle_since
        patient = asked is not None and since is not None and asked >= since + self._desk.config.idle_lost
        return patient and not self._desk.forks.looks_for(recording)

    def watched_again(self, station: str) -> list[Output]:
        """Where are its ports? They were asked for before its monitor ran: what left in between was told to nobody."""
        forks = self._desk.forks
        theirs = [each for each in forks.recordings.values() if each.station == station]
        return [look for each in theirs if each.state is State.RUNNING for look in forks.look_for(each)]

    def lines(self, down: frozenset[str], now: float, at: datetime) -> list[Output]:
        """Recordings on a line in alarm move to another line, as far as there are pairs."""
        self._down_since = {line: self._down_since.get(line, now) for line in down}
        outputs: list[Output] = []
        failed = {line for line, since in self._down_since.items() if now - since >= self._desk.config.line_patience}
        if not failed or not self._desk.forks.ready:
            return []
        for recording in list(self._desk.forks.recordings.values()):
            line = recording.pair.line
            if line in failed and recording.state is State.RUNNING and self._desk.forks.pool.free_elsewhere(line):
                outputs += self._move(recording, now, at)
        return outputs

    def _move(self, recording: Recording, now: float, at: datetime) -> list[Output]:
        text = f"line {recording.pair.line} is in alarm"
        return self._again(recording, Obstacle("line_alarm", text), f"moved: {text}", now, at)

    def _lost(self, recording: Recording, why: str, since: float, now: float, at: datetime) -> list[Output]:
        conversation = self._desk.tracker.conversations.get(recording.conversation)
        dossier = self._desk.dossiers.get(recording.conversation)
        if conversation is None or dossier is None:
            return []
        if conversation.talking(recording.station) is None:  # on hold: when it talks again a new fork is asked for
            self._miss(recording, dossier, Obstacle("fork_lost", _lost_text(recording, why)), since, now, at)
            return take_away(self._desk, recording, f"fork lost: {why}", now)
        station = recording.station
        steady = since - recording.since >= STEADY
        losses = dossier.losses[station] = 1 if steady else dossier.losses.get(station, 0) + 1
        dossier.lost_on.add(recording.pair)
        text = _lost_text(recording, why)
        self._miss(recording, dossier, Obstacle("fork_lost", text), since, now, at)
        if losses > self._desk.config.losses:
            text += f"; that was the {losses}th in a row, it is asked for again more slowly"
            self._slow_down(dossier, conversation, station, losses, now)
        outputs: list[Output] = [
            Remark(recording.id, now, at, "fork-lost", None, {"why": why}),
            AlarmRaised(f"fork-lost:{station}", Severity.MAJOR, text),
        ]
        return outputs + self._again(recording, Obstacle("fork_lost", text), f"fork lost: {why}", now, at)

    def _miss(
        self, recording: Recording, dossier: Dossier, obstacle: Obstacle, since: float, now: float, at: datetime
    ) -> None:
        """What the recording should have had since then it has not, of all whom it was enough for.

        While nobody told us of a station we cannot know whether it talked: of that time the blind spans tell.
        """
        vigil = self._desk.vigil
        for station, served, end in dossier.served.lost(recording.id, since, now):
            for begin, until in [] if vigil.blind(station) else vigil.watched(station, served, end):
                dossier.coverage.mark(station, obstacle, begin, at - timedelta(seconds=now - begin), until)

    def _slow_down(self, dossier: Dossier, conversation: Conversation, station: str, losses: int, now: float) -> None:
        call = conversation.talking(station)
        for _ in range(min(losses - self._desk.config.losses, 3)):  # 1 s would be too soon: as after two refusals
            dossier.refused(station, call.call_id if call else b"", now)

    def _again(self, recording: Recording, obstacle: Obstacle, reason: str, now: float, at: datetime) -> list[Output]:
        """The recording ends, the conversation goes on in another one."""
        desk = self._desk
        desk.dossiers[recording.conversation].hinder(recording.station, obstacle)
        outputs = take_away(desk, recording, reason, now)
        return outputs + self._reviewer.review(desk.tracker.conversations[recording.conversation], now, at)


def _lost_text(recording: Recording, why: str) -> str:
    return f"the fork of station {recording.station} on {recording.pair} was lost while it talks: {why}"
