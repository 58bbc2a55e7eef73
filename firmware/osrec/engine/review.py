"""Brings the recordings of a conversation to what its legs and the rules now ask for."""

from dataclasses import replace
from datetime import datetime

from osrec.calls.conversation import Conversation
from osrec.engine.desk import Desk
from osrec.engine.keeping import keep
from osrec.engine.messages import Finish, Output
from osrec.engine.proof import end
from osrec.engine.recording import ACTIVE, Recording, State
from osrec.engine.starting import Starter
from osrec.engine.stopping import forbid, take_away


class Reviewer:
    """Looks at one conversation after another.

    Attributes:
        starter: gets the forks.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.starter = Starter(desk)

    def review(self, conversation: Conversation, now: float, at: datetime, cause: str | None = None) -> list[Output]:
        """`cause`: of the change that makes it necessary."""
        desk = self._desk
        outputs = self._stop_leavers(conversation, now, at, cause)
        dossier = desk.dossiers.get(conversation.id)
        if dossier is None:
            return outputs
        outputs += self._stop_forbidden(conversation, now)
        outputs += self._let_go(conversation, now)
        self._note_decisions(conversation)
        for want in desk.wants(conversation):
            if desk.cover(want, desk.forks.of(conversation.id, *ACTIVE)) is None:
                outputs += self.starter.start(conversation, want, now, at)
        outputs += self._keep_wanted(conversation, now)
        desk.settle(conversation, now, at)
        return outputs

    def review_waiting(self, now: float, at: datetime, *, all_of_them: bool = False) -> list[Output]:
        """Something came free: who waits is looked at, the highest class first.

        Args:
            all_of_them: those for whom there is no pair, too: what is to blame may have changed.
        """
        outputs: list[Output] = []
        for priority, conversation in list(self._desk.waiting()):
            if not all_of_them and self._desk.hopeless(priority):
                break  # those that follow are of no higher class
            outputs += self.review(conversation, now, at)
        return outputs

    def review_all(self, now: float, at: datetime) -> list[Output]:
        """New rules: what is not recorded may be now."""
        outputs: list[Output] = []
        for conversation in list(self._desk.tracker.conversations.values()):
            outputs += self.review(conversation, now, at)
        return outputs

    def _stop_leavers(self, conversation: Conversation, now: float, at: datetime, cause: str | None) -> list[Output]:
        outputs: list[Output] = []
        for recording in self._desk.forks.of(conversation.id, *ACTIVE):
            if not conversation.has(recording.station):
                reason = cause or "the station left the conversation"
                outputs += end(self._desk, recording, conversation, reason, now, at)
        return outputs

    def _stop_forbidden(self, conversation: Conversation, now: float) -> list[Output]:
        """A rule that says never, by what became known since or by who came into the call, ends a recording at once."""
        outputs: list[Output] = []
        for recording in self._desk.forks.of(conversation.id, *ACTIVE):
            rule = self._desk.forbidding(conversation, recording.station)
            if rule is not None:
                self._desk.dossiers[conversation.id].stopped_by = rule
                outputs += forbid(self._desk, recording, rule, now)
        return outputs

    def _keep_wanted(self, conversation: Conversation, now: float) -> list[Output]:
        """What runs on demand and has a station's audio that a rule records is kept, however it came to run.

        A station whose own fork was refused a moment ago may have got one for whom it talks with.
        """
        desk = self._desk
        outputs: list[Output] = []
        for want in desk.wants(conversation):
            covering = desk.cover(want, desk.forks.of(conversation.id, *ACTIVE))
            if covering is not None and covering.provisional and want.decision.action == "record":
                outputs += keep(desk, covering, now, f"rule {want.decision.rule!r}")
        return outputs

    def _let_go(self, conversation: Conversation, now: float) -> list[Output]:
        """Whom a rule records has left the talk of a station on demand: what follows is nobody's to keep."""
        desk = self._desk
        if desk.dossiers[conversation.id].keeping is not None:
            return []
        wants = desk.wants(conversation)
        outputs: list[Output] = []
        for recording in desk.forks.of(conversation.id, *ACTIVE):
            covered = [want for want in wants if desk.cover(want, [recording])]
            if not covered or recording.provisional or any(want.decision.action == "record" for want in covered):
                continue
            if recording.state is State.REQUESTING:
                recording.provisional = True
            else:
                outputs += self._cut(recording, now)
        return outputs

    def _cut(self, recording: Recording, now: float) -> list[Output]:
        """Of a talk that went on until now the last audio is on its way; after a pause only what nobody wants is."""
        outputs = take_away(self._desk, recording, "no rule wants it any more", now)
        if self._desk.dossiers[recording.conversation].served.serves(recording.id):
            return outputs
        return [replace(one, when=now) if isinstance(one, Finish) else one for one in outputs]

    def _note_decisions(self, conversation: Conversation) -> None:
        dossier = self._desk.dossiers[conversation.id]
        for call in conversation.calls.values():
            for station in conversation.stations:
                if call.talking(station):
                    dossier.decide(self._desk.decide(conversation, station))
