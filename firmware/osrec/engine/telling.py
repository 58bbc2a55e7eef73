"""What the journal is told of conversations that go on, at each change, so that none is lost with the recorder.

Changes are what counts: who is in it and in which state, what is known of them, what was decided, what is being
missed. Nothing is told because time passes.
"""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from osrec.calls.conversation import Conversation
from osrec.engine.desk import Desk
from osrec.engine.dossier import Dossier, parties_of
from osrec.engine.messages import Noted
from osrec.store.records import CallNow, Decision, Going, Missed, Uncovered
from osrec.wire.csta.model import Linkage, LocalState

MOST_MISSED = 200  # spans told of one conversation while it goes on; its last record has all of them


class _Told:
    """What was told of one conversation: by what each member was made of, and how many of its spans."""

    def __init__(self) -> None:
        self.sources: dict[str, object] = {}
        self.gaps = 0
        self.missed = 0

    def changed(self, sources: dict[str, object]) -> list[str]:
        """Names of members that are made of something else now."""
        known, self.sources = self.sources, sources
        return [name for name, one in sources.items() if name not in known or _differ(one, known[name])]


def _differ(one: object, other: object) -> bool:
    return one is not other and one != other


class Telling:
    """Compares what was told with what is so now, of conversations that the desk says were touched."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._told: dict[UUID, _Told] = {}

    def changes(self, now: float, at: datetime) -> list[Noted]:
        """What has changed since the last call."""
        desk, noted = self._desk, list[Noted]()
        for gone, into in desk.merged:
            if self._told.pop(gone, None) is not None:
                noted.append(Noted(Going(kind="going", conversation=gone, merged_into=into)))
        for _, into in desk.merged:
            self._told.pop(into, None)  # its next record says all that it took over
        for identity in desk.touched:
            conversation, dossier = desk.tracker.conversations.get(identity), desk.dossiers.get(identity)
            if conversation is None or dossier is None:
                self._told.pop(identity, None)
            else:
                noted += self._tell(conversation, dossier, now, at)
        desk.merged.clear()
        desk.touched.clear()
        return noted

    def whole(self, conversation: Conversation, now: float, at: datetime) -> list[Noted]:
        """All of it, whatever was told before."""
        self._told.pop(conversation.id, None)
        return self._tell(conversation, self._desk.dossiers[conversation.id], now, at)

    def _tell(self, conversation: Conversation, dossier: Dossier, now: float, at: datetime) -> list[Noted]:
        told = self._told.setdefault(conversation.id, _Told())
        first = not told.sources
        names = told.changed(self._sources(conversation, dossier))
        missed = [*(dossier.coverage.before if first else ()), *self._newly_missed(told, dossier)]
        if not names and not missed:
            return []
        members: dict[str, Any] = {
            name: _member(name, told.sources[name], conversation, dossier, now, at) for name in names
        }
        if missed or first:
            members["missed"] = missed
        return [Noted(Going(kind="going", conversation=conversation.id, **members))]

    def _sources(self, conversation: Conversation, dossier: Dossier) -> dict[str, object]:
        """What members are made of: cheap to take, and to compare."""
        decision, absence = self._decision(conversation, dossier), dossier.absence
        return {
            "started": dossier.started,
            "answered": conversation.answered,
            "over": conversation.over,
            "patience": conversation.patience,
            "unseen_since": absence.at if absence is not None and not absence.followed else None,
            "unseen": tuple((one, each.at) for one, each in absence.stations.items()) if absence is not None else (),
            "direction": conversation.direction,
            "stations": tuple(conversation.stations),
            "parties": tuple((p.number, p.name, p.external, p.e164) for p in conversation.participants.values()),
            "calls": tuple(conversation.call_ids),
            "legs": tuple((one.call_id, one.linkage, tuple(one.legs.items())) for one in conversation.calls.values()),
            "decision": decision,
            "recorded_by": dossier.recorded_by if _differ(dossier.recorded_by, decision) else None,
            "recordings": tuple(dossier.recordings),
            "offered": dossier.offered,
            "keeping": dossier.keeping,
            "paused": dossier.paused,
            "stopped_by": dossier.stopped_by,
            # without the text: a refusal that is repeated in other words is no change
            "uncovered": tuple((one.station, one.since, one.blame) for one in dossier.coverage.open.values()),
            "accounts": tuple(conversation.accounts),
            "digits": conversation.digits,
            "trunks": tuple(conversation.trunks),
            "via": tuple(conversation.via),
            "parked_by": conversation.parked_by,
        }

    def _decision(self, conversation: Conversation, dossier: Dossier) -> Decision | None:
        """While nobody has talked, what the rules say of the first station."""
        if dossier.decision is not None or not conversation.stations:
            return dossier.decision
        return self._desk.decide(conversation, conversation.stations[0])

    def _newly_missed(self, told: _Told, dossier: Dossier) -> list[Missed]:
        """Spans that are over; a set-up that took no longer than it may is none."""
        gaps = dossier.coverage.closed[told.gaps :]
        told.gaps += len(gaps)
        counts = [gap for gap in gaps if gap.obstacle is not None or gap.seconds > self._desk.config.late_after]
        counts = counts[: max(0, MOST_MISSED - told.missed)]
        told.missed += len(counts)
        return [gap.missed for gap in counts]


def _member(name: str, source: Any, conversation: Conversation, dossier: Dossier, now: float, at: datetime) -> object:
    match name:
        case "answered" | "over":
            return None if source is None else at - timedelta(seconds=now - source)
        case "unseen":
            return dict(source)
        case "parties":
            return parties_of(conversation, None)
        case "calls":
            return [call_id.hex() for call_id in source]
        case "legs":
            return [_call(*one) for one in source]
        case "uncovered":
            return [
                Uncovered(
                    station=gap.station,
                    since=gap.at,
                    blame=gap.blame,
                    detail=gap.obstacle.text if gap.obstacle is not None else None,
                )
                for gap in dossier.coverage.open.values()
            ]
        case _:
            return source


def _call(call_id: bytes, linkage: Linkage | None, legs: tuple[tuple[str, LocalState], ...]) -> CallNow:
    thread = linkage.thread if linkage is not None else None
    return CallNow(
        id=call_id.hex(),
        legs={device: state.name.lower() for device, state in legs},
        linkage=linkage.call.hex() if linkage is not None else None,
        thread=thread.hex() if thread is not None else None,
    )
