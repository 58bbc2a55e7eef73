"""What the lines tell: sides that stay silent, calls that are over without a word, forks and lines that failed."""

from datetime import datetime

from osrec.engine.desk import Desk
from osrec.engine.evidence import Evidence
from osrec.engine.happenings import Happenings
from osrec.engine.hearing import listen
from osrec.engine.losses import Losses
from osrec.engine.messages import Heard, Noted, Output
from osrec.engine.recording import Recording, State
from osrec.engine.review import Reviewer
from osrec.engine.stopping import stop
from osrec.wire.csta.model import DeviceSnapshot

ROUND = 60.0  # seconds between looks for conversations of which nothing was heard


class Watching:
    """Judges what is heard, twice a second."""

    def __init__(
        self, desk: Desk, reviewer: Reviewer, happenings: Happenings, losses: Losses, evidence: Evidence
    ) -> None:
        self._desk = desk
        self._reviewer = reviewer
        self._happenings = happenings
        self._losses = losses
        self._evidence = evidence
        self._next_round = 0.0
        self._lines_down: frozenset[str] = frozenset()

    def heard(self, heard: Heard, now: float, at: datetime) -> list[Output]:
        desk = self._desk
        for line in {pair.line for pair in desk.forks.pool.pairs}:
            desk.forks.pool.block(line, line in heard.lines_down)
        outputs: list[Output] = []
        for recording in list(desk.forks.recordings.values()):
            if recording.channels not in heard.pairs:
                continue
            if recording.state in (State.REQUESTING, State.UNANSWERED):
                outputs += self._unanswered(recording, heard, now, at)
            elif recording.state is State.RUNNING:
                outputs += self._evidence.prove(recording, now, at)
                outputs += listen(recording, heard.pairs[recording.channels], desk.config, now)
                outputs += desk.suspicion.heard(recording)
                outputs += self._silent(recording, now, at)
        outputs += self._losses.lines(heard.lines_down, now, at)
        outputs += [Noted(stray) for stray in heard.strays]
        outputs += self._forgotten(now)
        changed, self._lines_down = heard.lines_down != self._lines_down, heard.lines_down
        return outputs + self._reviewer.review_waiting(now, at, all_of_them=changed)

    def _unanswered(self, recording: Recording, heard: Heard, now: float, at: datetime) -> list[Output]:
        """What a line in alarm brings is nobody's audio."""
        if recording.pair.line in heard.lines_down:
            return []
        return self._evidence.heard(recording, heard.pairs[recording.channels], now, at)

    def inquired(self, station: str, outcome: object, now: float, at: datetime) -> list[Output]:
        """The PBX was asked for a station's calls; when it does not tell, the recordings go on."""
        if isinstance(outcome, DeviceSnapshot) and outcome.service_cross_ref is None:
            return self._happenings.resync(station, outcome.legs, now, at)
        return []

    def _silent(self, recording: Recording, now: float, at: datetime) -> list[Output]:
        """Is the call over, and nobody told us? While nobody could, silence says so; else the PBX is asked."""
        desk, station = self._desk, recording.station
        blind = desk.vigil.blind(station)
        recording.unseen = recording.idle_since is not None and (blind or recording.unseen)
        if blind and self._over(recording, now):
            outputs = stop(desk, recording, "audio ended while the station was not monitored", now)
            return outputs + self._happenings.fell_silent(recording.conversation, station, now, at)
        outputs = self._losses.idle(recording, now, at)
        patience = desk.config.audio_end if not recording.joined else desk.config.inquire_after
        if recording.state is not State.RUNNING or recording.idle_since is None:
            return outputs
        if now - max(recording.idle_since, recording.inquired or 0.0) >= patience:
            recording.inquired = now
            outputs += self._inquire(station)
        return outputs

    def released(self, recording: Recording, now: float, at: datetime) -> list[Output]:
        """The trunk has ended its calls, and there is no link that could tell whether the station talks on."""
        outputs = stop(self._desk, recording, "the PBX released its calls, and nobody could tell why", now)
        return outputs + self._happenings.fell_silent(recording.conversation, recording.station, now, at)

    def _over(self, recording: Recording, now: float) -> bool:
        """Both slots have carried idle code for so long that the call must be over; asked only while nobody tells us.

        With a link the PBX may have said where the ports are, and a snapshot may just be on its way.
        """
        desk, since = self._desk, recording.idle_since
        if since is None:
            return False
        if not desk.forks.link_up:
            return now - since >= desk.config.outage_end
        blind_since = desk.vigil.blind_since(recording.station)
        return not recording.confirmed and now - max(since, blind_since) >= desk.config.audio_end

    def _forgotten(self, now: float) -> list[Output]:
        """Nothing was heard of a conversation for hours: did the end of it get lost?"""
        if now < self._next_round:
            return []
        self._next_round = now + ROUND
        outputs: list[Output] = []
        for conversation in self._desk.tracker.conversations.values():
            dossier = self._desk.dossiers.get(conversation.id)
            if dossier is None or now - max(conversation.told, dossier.asked) < self._desk.config.forgotten_after:
                continue
            dossier.asked = now
            for station in conversation.stations:
                outputs += self._inquire(station)
        return outputs

    def _inquire(self, station: str) -> list[Output]:
        return [] if self._desk.vigil.blind(station) else self._desk.inquire(station)
