"""Going on with what an earlier run of the recorder had open."""

from collections.abc import Container, Mapping, Sequence

import structlog

from osrec.calls.conversation import Conversation, Participant
from osrec.engine.engine import Engine
from osrec.engine.messages import Adopt
from osrec.engine.pool import Pair
from osrec.recorder.clock import Clock
from osrec.store.records import ConversationEnded, Opened
from osrec.store.recovery import OpenRecording
from osrec.store.writer import JournalWriter
from osrec_drivers.line import Line

log = structlog.get_logger()


class Resuming:
    """Decides which recordings go on, and says what is known of their conversations."""

    def __init__(self, engine: Engine, lines: Mapping[str, Line], writer: JournalWriter, clock: Clock) -> None:
        self._engine = engine
        self._lines = lines
        self._writer = writer
        self._clock = clock

    def adoptable(
        self, recordings: Sequence[OpenRecording], in_step: Container[str], longest: float
    ) -> list[tuple[OpenRecording, Pair]]:
        """Recordings that can go on, with their pairs; the others are closed.

        Args:
            in_step: lines whose sample numbers go on from the earlier run's.
            longest: seconds; after a longer absence a recording is not taken up again.
        """
        found: list[tuple[OpenRecording, Pair]] = []
        for recovered in recordings:
            pair = self._pair_of(recovered.opened, {pair for _, pair in found})
            away = (self._clock.at() - recovered.last_at).total_seconds()
            if pair is None or recovered.opened.station not in self._engine.tracker.monitored:
                self._close(recovered, "its station or its channels are no longer configured")
            elif pair.line not in in_step or away > longest:
                self._close(recovered, "the recorder was away")
            else:
                found.append((recovered, pair))
        return found

    def adopt(self, recovered: OpenRecording, pair: Pair) -> Adopt:
        """For the engine."""
        kept = recovered.kept is not None
        return Adopt(recovered.opened, pair, self._conversation_of(recovered), kept=kept, paused=recovered.paused)

    def _pair_of(self, opened: Opened, taken: Container[Pair]) -> Pair | None:
        left, right = opened.channels
        for pair in self._engine.pool.pairs:
            if pair.line == left.line == right.line and (pair.own.slot, pair.other.slot) == (left.slot, right.slot):
                free = pair.line in self._lines and self._engine.pool.owner(pair) is None and pair not in taken
                return pair if free else None
        return None

    def _close(self, recovered: OpenRecording, reason: str) -> None:
        opened, recording = recovered.opened, recovered.opened.recording
        self._writer.close(recording, recovered.last_sample, recovered.last_at, reason)
        self._writer.tell(
            ConversationEnded(
                conversation=recovered.conversation,
                started=opened.at,
                answered=opened.at,
                ended=recovered.last_at,
                direction=recovered.direction,
                stations=[opened.station],
                parties=recovered.parties,
                calls=recovered.calls,
                via=recovered.via,
                parked_by=recovered.parked_by,
                decision=opened.decision,
                recordings=[recording],
                outcome="recorded",
            )
        )
        log.warning("recording ended with the earlier run", recording=str(recording), reason=reason)

    def _conversation_of(self, recovered: OpenRecording) -> Conversation:
        """What the journal knows of the conversation; the snapshot after reconnection puts it right."""
        opened = recovered.opened
        known = self._engine.tracker.conversations.get(recovered.conversation)
        began = self._clock.now() - (self._clock.at() - opened.at).total_seconds()
        conversation = known or Conversation(recovered.conversation, began, recovered.direction, answered=began)
        for party in recovered.parties:
            if party.number is not None:
                conversation.participants[party.number] = Participant(
                    party.number, party.name, party.external, party.e164
                )
        for call in (bytes.fromhex(call) for call in recovered.calls):
            if call not in conversation.call_ids:
                conversation.call_ids.append(call)
        conversation.via += [number for number in recovered.via if number not in conversation.via]
        conversation.parked_by = conversation.parked_by or recovered.parked_by
        if conversation.call_ids:
            newest = conversation.call_ids[-1]
            call_now = conversation.call(newest)
            call_now.presume_talking(opened.station)
        if opened.station not in conversation.stations:
            conversation.stations.append(opened.station)
        return conversation
