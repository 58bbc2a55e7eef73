"""Going on with what an earlier run of the recorder had open."""

from collections.abc import Container, Mapping
from datetime import datetime
from uuid import UUID

import structlog

from osrec.calls.conversation import Conversation, Participant
from osrec.engine.engine import Engine
from osrec.engine.messages import Adopt, Restore
from osrec.engine.pool import Pair, Port
from osrec.recorder.clock import Clock
from osrec.store.going import cut_off_going
from osrec.store.records import CallNow, ConversationEnded, Going, Opened
from osrec.store.recovery import OpenRecording
from osrec.store.writer import JournalWriter
from osrec.wire.csta.model import Linkage, LocalState
from osrec_drivers.line import Line

log = structlog.get_logger()
STATES = frozenset(state.name for state in LocalState)


class Resuming:
    """Decides which conversations and recordings go on, and says what is known of them.

    Args:
        longest: seconds; after a longer absence nothing is taken up again.
    """

    def __init__(
        self, engine: Engine, lines: Mapping[str, Line], writer: JournalWriter, clock: Clock, longest: float
    ) -> None:
        self._engine = engine
        self._lines = lines
        self._writer = writer
        self._clock = clock
        self._longest = longest

    def adoptable(self, in_step: Container[str]) -> list[tuple[OpenRecording, Pair]]:
        """Recordings that can go on, with their pairs; the others are closed.

        Args:
            in_step: lines whose sample numbers go on from the earlier run's.
        """
        found: list[tuple[OpenRecording, Pair]] = []
        for recovered in self._writer.recovered.recordings:
            pair = self._pair_of(recovered.opened, {pair for _, pair in found})
            if pair is None or recovered.opened.station not in self._engine.tracker.monitored:
                self._close(recovered, "its station or its channels are no longer configured")
            elif pair.line not in in_step or self._away(recovered.last_at) > self._longest:
                self._close(recovered, "the recorder was away")
            else:
                found.append((recovered, pair))
        return found

    def conversations(self, last_alive: datetime, going_on: Container[UUID]) -> list[Restore]:
        """Conversations that may go on, for the engine; of the others the last that is known is told.

        Args:
            last_alive: the earlier run's last sign of life.
            going_on: conversations of recordings that go on.
        """
        found: list[Restore] = []
        monitored = self._engine.tracker.monitored
        for going in self._writer.recovered.conversations:
            seen = going.unseen_since or last_alive
            fresh = self._away(seen) <= self._longest and not monitored.isdisjoint(going.stations)
            if going.started is not None and (fresh or going.conversation in going_on):
                conversation = restored(going, self._clock.now(), self._clock.at(), monitored)
                found.append(Restore(going, conversation, self._clock.now() - self._away(seen), seen))
            elif (told := cut_off_going(going, going.over or seen)) is not None:
                self._writer.tell(told)
                log.warning("conversation ended with the earlier run", conversation=str(going.conversation))
        return found

    def adopt(self, recovered: OpenRecording, pair: Pair) -> Adopt:
        """For the engine."""
        kept = recovered.kept is not None
        conversation, carrier = self._conversation_of(recovered), channels_of(recovered.opened)
        return Adopt(recovered.opened, pair, conversation, carrier, kept=kept, paused=recovered.paused)

    def _away(self, since: datetime) -> float:
        return (self._clock.at() - since).total_seconds()

    def _pair_of(self, opened: Opened, taken: Container[Pair]) -> Pair | None:
        """Where signalling chooses the slots, the ports say which pair it had."""
        carrier = channels_of(opened)
        signalled = self._engine.forks.bearers.signalled
        for pair in self._engine.pool.pairs:
            ports = (pair.own.number, pair.other.number) == (carrier.own.number, carrier.other.number)
            slots = (pair.own.slot, pair.other.slot) == (carrier.own.slot, carrier.other.slot)
            if pair.line == carrier.line and (ports if pair.line in signalled else slots):
                free = pair.line in self._lines and self._engine.pool.owner(pair) is None and pair not in taken
                return pair if free else None
        return None

    def _close(self, recovered: OpenRecording, reason: str) -> None:
        opened, recording = recovered.opened, recovered.opened.recording
        self._writer.close(recording, recovered.last_sample, recovered.last_at, reason)
        log.warning("recording ended with the earlier run", recording=str(recording), reason=reason)
        if any(one.conversation == recovered.conversation for one in self._writer.recovered.conversations):
            return  # it goes on without it, or is told of with all that is known
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

    def _conversation_of(self, recovered: OpenRecording) -> Conversation:
        """What the journal knows of the conversation; the snapshot after reconnection puts it right."""
        opened = recovered.opened
        known = self._engine.tracker.conversations.get(recovered.conversation)
        if known is not None and known.calls:
            return known  # restored, with all that is known of it
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


def channels_of(opened: Opened) -> Pair:
    """The time slots that a recording is made from."""
    left, right = opened.channels
    return Pair(left.line, Port(left.slot, left.port), Port(right.slot, right.port))


def restored(going: Going, now: float, at: datetime, monitored: Container[str]) -> Conversation:
    """What the journal knows of a conversation; the snapshots after reconnection put it right."""

    def monotonic(moment: datetime | None) -> float | None:
        return None if moment is None else now - (at - moment).total_seconds()

    conversation = Conversation(
        going.conversation,
        monotonic(going.started) or now,
        going.direction,
        monotonic(going.answered),
        call_ids=[bytes.fromhex(call) for call in going.calls],
        stations=[station for station in going.stations if station in monitored],
        via=list(going.via),
        trunks=list(going.trunks),
        parked_by=going.parked_by,
        accounts=list(going.accounts),
        digits=going.digits,
        told=now,
        over=monotonic(going.over),
        patience=going.patience,
    )
    for party in going.parties:
        if party.number is not None:
            conversation.participants[party.number] = Participant(party.number, party.name, party.external, party.e164)
    for call_now in going.legs:
        _enter(conversation, call_now)
    return conversation


def _enter(conversation: Conversation, call_now: CallNow) -> None:
    """One of its calls: stations know of themselves; what they said of others may be so no longer."""
    call = conversation.call(bytes.fromhex(call_now.id))
    if call_now.linkage is not None:
        thread = None if call_now.thread is None else bytes.fromhex(call_now.thread)
        call.linkage = Linkage(bytes.fromhex(call_now.linkage), thread)
        conversation.threads |= {thread} if thread is not None else set()
    states = {device: LocalState[name.upper()] for device, name in call_now.legs.items() if name.upper() in STATES}
    present = [station for station in conversation.stations if station in states]
    for station in present:
        call.tell_local(station, states[station])
    for device, state in states.items():
        if device not in present and present:
            call.tell(present[0], device, state, sure=False)
    for station in present:
        if len(states) == 1:  # with somebody whose name nobody told
            call.presume(station, None)
