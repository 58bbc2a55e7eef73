"""Forks whose request was unanswered when the link broke: only the audio tells whether the PBX carried it out.

Nobody else asks the PBX to put anything on our ports, and a pair is leased only when its ports are out of the call
before: what comes on it now is of the station that the fork was asked for. It is recorded as soon as somebody speaks,
from where the slots had stopped to be idle; when the link is back, the PBX is asked where the ports are. That a link
is half open shows late: what has come is kept for that moment as long as the PBX says nothing else.
"""

from datetime import datetime, timedelta

from osrec.engine.coverage import Obstacle
from osrec.engine.desk import Desk
from osrec.engine.granting import Granting
from osrec.engine.messages import Forget, Listen, Output, PairHeard
from osrec.engine.proof import disproved, proved, unassign
from osrec.engine.recording import Recording, State
from osrec.engine.review import Reviewer

SOON = 1.0  # seconds after the request: audio that begins then begins with the fork, which is carried out at once
LONGEST = 30.0  # seconds of noise without a voice after which it is looked at anew: the lines' rings hold a minute
BROKEN_OFF = Obstacle("link_down", "the link broke before the PBX had answered the request for a fork")


class Evidence:
    """From the loss of the link to the proof."""

    def __init__(self, desk: Desk, reviewer: Reviewer, granting: Granting) -> None:
        self._desk = desk
        self._reviewer = reviewer
        self._granting = granting

    def broken_off(self, recording: Recording, now: float, at: datetime) -> list[Output]:
        """The link was lost with the recording's requests; it keeps its pair, and is listened to."""
        desk = self._desk
        conversation = desk.tracker.conversations.get(recording.conversation)
        recording.state, recording.due = State.UNANSWERED, None
        if conversation is None or desk.forks.doubted(recording.pair):
            recording.refused = BROKEN_OFF.text
            return self._granting.answered(recording, now, at)
        desk.dossiers[conversation.id].hinder(recording.station, BROKEN_OFF)
        desk.settle(conversation, recording.asked, at - timedelta(seconds=now - recording.asked))
        return self._begin(recording, now, at) if recording.spoken else []

    def heard(self, recording: Recording, heard: PairHeard, now: float, at: datetime) -> list[Output]:
        """What was on the pair of a recording without an answer in the last half second."""
        if self._desk.forks.bearers.lacking(recording.pair):
            return []  # the PBX has not called its ports: what its slots carry is nothing of this call
        voice = max(heard.own, heard.other) > self._desk.config.energy
        if recording.state is State.REQUESTING:  # its answer will be late
            self._note(recording, heard, now, voice=voice)
            return []
        if heard.idle:
            recording.flowing = None
            return []
        outputs: list[Output] = []
        anew = recording.flowing is None and now - recording.asked > SOON
        if anew or (recording.flowing is not None and now - recording.flowing > LONGEST):
            recording.flowing = now
            outputs.append(Listen(recording.id, recording.channels, reach_back=True))
        recording.flowing = recording.flowing or now
        return outputs + (self._begin(recording, now, at) if voice else [])

    @staticmethod
    def _note(recording: Recording, heard: PairHeard, now: float, *, voice: bool) -> None:
        """Once somebody has spoken, pauses change nothing any more."""
        recording.spoken |= voice
        if heard.idle and not recording.spoken:
            recording.flowing = None
        elif not heard.idle:
            recording.flowing = recording.flowing or now

    def _begin(self, recording: Recording, now: float, at: datetime) -> list[Output]:
        assert recording.flowing is not None
        recording.proof = {}
        coverage = self._desk.dossiers[recording.conversation].coverage
        coverage.excuse(BROKEN_OFF, recording.flowing - self._desk.config.late_after)
        return [*self._granting.located(recording), *self._granting.running(recording, now, at)]

    def link_up(self, now: float, at: datetime) -> list[Output]:
        """Where nobody spoke nothing is lost: the ports are taken out of wherever they are, and all begins anew.

        By the rules of now: those that came while there was a recording did not touch it.
        """
        outputs: list[Output] = []
        for recording in list(self._desk.forks.recordings.values()):
            if recording.state is State.UNANSWERED:
                outputs += [Forget(recording.id), *self._desk.forks.give_back(recording, now)]
                conversation = self._desk.tracker.conversations.get(recording.conversation)
                outputs += self._reviewer.review(conversation, now, at) if conversation is not None else []
        return outputs

    def prove(self, recording: Recording, now: float, at: datetime) -> list[Output]:
        """Is it the right call, says the PBX? Before the station's snapshot nobody knows which ids its calls have."""
        conversation = self._desk.tracker.conversations.get(recording.conversation)
        if recording.proof is None or conversation is None or self._desk.vigil.blind(recording.station):
            return []
        if disproved(recording, conversation):
            outputs = unassign(self._desk, recording, now, at)
            return outputs + self._reviewer.review(conversation, now, at)
        if proved(recording):
            recording.proof = None
        return []
