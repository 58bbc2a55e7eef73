"""Conversations that go on, as the journal tells of them: put together from record to record, and their end.

A recorder that is killed tells nobody how its conversations ended. What it had told of them by then goes on in the
next run, or is the last that anybody knows.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from uuid import UUID

import structlog

from osrec.store.records import Blame, ConversationEnded, Going, Missed, Record, Uncovered

_log = structlog.get_logger(__name__)

CUT_OFF = "the recorder ended during it"


class Goings:
    """Those that go on by what was read, or written, so far; records are taken in the order of writing.

    Attributes:
        ended: conversations that are over, or part of another one.
    """

    def __init__(self, goings: Iterable[Going] = ()) -> None:
        self._by_id: dict[UUID, Going] = {one.conversation: one for one in goings}
        self.ended: set[UUID] = set()

    def __contains__(self, conversation: UUID) -> bool:
        return conversation in self._by_id

    def __iter__(self) -> Iterator[Going]:
        return iter(self._by_id.values())

    def get(self, conversation: UUID) -> Going | None:
        return self._by_id.get(conversation)

    def take(self, record: Record) -> None:
        """Take a Going or a ConversationEnded; nothing else tells of them."""
        match record:
            case Going(conversation=conversation, merged_into=None):
                known = self._by_id.get(conversation)
                self._by_id[conversation] = record if known is None else together(known, record)
                self.ended.discard(conversation)
            case Going(conversation=conversation) | ConversationEnded(conversation=conversation):
                self._by_id.pop(conversation, None)
                self.ended.add(conversation)
            case _:
                pass

    def fitting(self, octets: int) -> Iterator[Going]:
        """All of them; of too many those that fit into so much of the journal."""
        for going in self:
            octets -= len(going.model_dump_json(exclude_unset=True))
            if octets < 0:
                _log.error("too many conversations go on: the next segment of the journal does not begin with all")
                return
            yield going

    def precede(self, older: "Goings", *, others: bool) -> None:
        """Take what was written before; `others`: conversations that are not told of since may go on, too."""
        for one in older:
            newer = self._by_id.get(one.conversation)
            if newer is not None:
                self._by_id[one.conversation] = together(one, newer)
            elif others and one.conversation not in self.ended:
                self._by_id[one.conversation] = one
        self.ended |= older.ended


def together(known: Going, news: Going) -> Going:
    """What is known of a conversation after one more record of it."""
    changed = {name: getattr(news, name) for name in news.model_fields_set}
    changed["missed"] = list(dict.fromkeys([*known.missed, *news.missed]))
    return known.model_copy(update=changed)


def cut_off(record: ConversationEnded) -> ConversationEnded:
    """Say of a conversation that nobody saw its end."""
    return record.model_copy(update={"reason": f"{record.reason}; {CUT_OFF}" if record.reason else CUT_OFF})


def cut_off_going(going: Going, ended: datetime) -> ConversationEnded | None:
    """Its last record, when nobody goes on with it; None when the journal has lost how it began."""
    decision = (going.recorded_by if going.recordings else None) or going.decision
    if going.started is None or decision is None:
        return None
    missed = missed_by(going, ended)
    record = ConversationEnded(
        conversation=going.conversation,
        started=going.started,
        answered=going.answered,
        ended=max(ended, going.started),
        direction=going.direction,
        stations=going.stations,
        parties=going.parties,
        calls=going.calls,
        decision=decision,
        recordings=going.recordings,
        outcome="recorded" if going.recordings else "not_recorded",
        reason=None if going.recordings else _why_not(going, missed),
        missed=missed,
        accounts=going.accounts,
        digits=going.digits,
        trunks=going.trunks,
        via=going.via,
        parked_by=going.parked_by,
    )
    return cut_off(record)


def missed_by(going: Going, seen: datetime) -> list[Missed]:
    """What it had missed by the moment at which it was seen last; one span where one goes on where another ended."""
    told = [*going.missed, *(_missed_until(one, seen) for one in going.uncovered)]
    spans: list[Missed] = []
    last: dict[str, int] = {}  # by station, where its last span is
    for one in sorted(told, key=lambda one: (one.since, one.until)):
        at = last.get(one.station)
        before = spans[at] if at is not None else None
        if at is not None and before is not None and before.until == one.since and _same_reason(before, one):
            spans[at] = before.model_copy(update={"until": one.until})
        elif before is None or one.until > before.until:
            last[one.station] = len(spans)
            spans.append(one)
    return spans


def _same_reason(one: Missed, other: Missed) -> bool:
    return (one.blame, one.detail) == (other.blame, other.detail)


def _missed_until(uncovered: Uncovered, until: datetime) -> Missed:
    """What was being set up when the recorder was killed came to nothing for want of the recorder."""
    blame: Blame = uncovered.blame or "link_down"
    return Missed(
        station=uncovered.station,
        since=uncovered.since,
        until=max(until, uncovered.since),
        blame=blame,
        detail=uncovered.detail or CUT_OFF,
    )


def _why_not(going: Going, missed: list[Missed]) -> str:
    decision = going.decision
    if decision is None or decision.action == "none":
        return "no rule matches"
    if decision.action == "never":
        return f"rule {decision.rule!r} says never"
    if going.answered is None:
        return "not answered"
    if decision.action == "on_demand" and going.keeping is None:
        return f"rule {decision.rule!r} records on demand, and nobody asked for it"
    return missed[-1].detail or missed[-1].blame if missed else "ended before the PBX had forked it"
