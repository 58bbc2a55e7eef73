"""The recorder's ledger against the PBX's truth, call by call: nothing invented, nothing forgotten, nothing untrue."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from osrec_emulators.check.coverage import Coverage
from osrec_emulators.check.demands import Demand
from osrec_emulators.check.evidence import Evidence
from osrec_emulators.check.expected import Expected
from osrec_emulators.check.ledger import Entry, Ledger
from osrec_emulators.check.outages import Outage
from osrec_emulators.check.parties import strangers, unnamed
from osrec_emulators.check.sent import Truth
from osrec_emulators.check.spans import Span, longer, overlaps, text, without
from osrec_emulators.check.told import Conversation
from osrec_emulators.check.verdict import EntryVerdict, LedgerVerdict, Shortage
from osrec_emulators.check.wanted import Wanted

AFTER_ALL = timedelta(seconds=0.05)  # who leaves last ends it; else nobody who is watched was there any more


class LedgerJudge:
    """Judges one ledger against one truth.

    Args:
        withheld: when events of a call were not sent, by call id.
        demands: what people asked of running calls.
    """

    def __init__(
        self,
        truth: Truth,
        outages: Sequence[Outage],
        expected: Expected,
        withheld: Mapping[str, Sequence[float]] | None = None,
        demands: Sequence[Demand] = (),
    ) -> None:
        self._truth = truth
        self._expected = expected
        self._evidence = Evidence(truth.conversations, truth.slots, outages, expected, _start(truth))
        self._withheld = withheld or {}
        self._wanted = Wanted(expected, demands, self._evidence.troubles)
        self._since = self._evidence.began

    def judge(self, ledger: Ledger) -> LedgerVerdict:
        """Entries from before the truth and conversations outside the ledger's time are passed over."""
        entries = [entry for entry in ledger.conversations if entry.ended is None or not self._is_older(entry)]
        conversations = [each for each in self._truth.conversations if self._is_due(ledger, each)]
        by_call = _by_call(self._truth.conversations)
        of = {entry.id: _matching(entry, by_call, self._expected.clocks) for entry in entries}
        entries_of: dict[str, list[Entry]] = defaultdict(list)
        for entry in entries:
            for conversation in of[entry.id]:
                entries_of[conversation.thread].append(entry)
        coverage = Coverage(self._expected, self._wanted, self._evidence, ledger, self._since)
        parts = {entry.id: [_part(each, entry, entries_of[each.thread]) for each in of[entry.id]] for entry in entries}
        verdicts = [self._entry(entry, parts[entry.id], coverage) for entry in entries]
        unknown = [each for each in conversations if not entries_of[each.thread]]
        faults = [*_twice(entries), *self._blind(ledger)]
        excused: list[str] = []
        for conversation in conversations:
            to = excused if self._was_withheld(conversation) else faults
            to += self._split(conversation, entries_of[conversation.thread])
            if not entries_of[conversation.thread]:
                to += self._forgotten(ledger, conversation)
        return LedgerVerdict(
            entries=tuple(verdicts),
            conversations=len(conversations),
            blind=len(unknown),
            classes=tuple((name, sum(entry.class_ == name for entry in entries)) for name in CLASSES),
            faults=tuple(faults),
            excused=tuple(excused),
            shortage=self._shortage(entries),
        )

    def _shortage(self, entries: Iterable[Entry]) -> Shortage:
        spans = [each.span for entry in entries for each in entry.missed if each.cause == "no_pair"]
        pool, seconds = self._evidence.pool, sum(until - since for since, until in spans)
        used = [(pool.in_use(span), span[1] - span[0]) for span in spans if span[1] > span[0]]
        mean = sum(pairs * length for pairs, length in used) / seconds if seconds else 0.0
        least = min((pairs for pairs, _ in used), default=0.0)
        return Shortage(len(spans), seconds, mean, least, len(pool.pairs))

    # --- entries

    def _entry(self, entry: Entry, conversations: Sequence[Conversation], coverage: Coverage) -> EntryVerdict:
        faults = tuple(self._entry_faults(entry, conversations, coverage))
        excused: tuple[str, ...] = ()
        if len(conversations) == 1 and self._was_withheld(conversations[0]):
            invented = tuple(self._invented(entry, conversations[0]))
            excused, faults = tuple(each for each in faults if each not in invented), invented
        return EntryVerdict(
            id=entry.id,
            calls=entry.calls,
            stations=entry.stations,
            class_=entry.class_,
            reason=entry.reason,
            faults=faults,
            excused=excused,
        )

    def _entry_faults(self, entry: Entry, conversations: Sequence[Conversation], coverage: Coverage) -> Iterator[str]:
        if not conversations:
            if entry.ended is not None:
                yield "the PBX had no such conversation"
            return
        if len(conversations) > 1:
            threads = ", ".join(each.thread for each in conversations)
            yield f"mixes {len(conversations)} conversations of the PBX: {threads}"
            return
        (conversation,) = conversations
        yield from self._invented(entry, conversation)
        yield from self._stations(entry, conversation)
        watched = not self._was_out(conversation)
        if watched and (absent := unnamed(entry.parties, conversation)):
            yield f"does not name {', '.join(absent)}"
        if watched:
            yield from self._told_times(entry, conversation)
        yield from coverage.faults(conversation, entry)

    def _told_times(self, entry: Entry, conversation: Conversation) -> Iterator[str]:
        """Beginning, answer, end and direction. A recorder that watches some of its stations only sees a part of it."""
        if (entry.answered is None) != (conversation.answered_at is None):
            yield "was answered, and is said not to be" if entry.answered is None else "was never answered"
        if len(self._expected.watched(conversation)) < len(conversation.stations):
            return
        if entry.direction != conversation.direction and (entry.answered is not None or entry.direction != "unknown"):
            yield f"direction {entry.direction!r}, of the PBX {conversation.direction!r}"
        began = min(max(entry.started, conversation.started_at), conversation.reached_at or conversation.started_at)
        moments = [("began", entry.started, began)]
        if entry.ended is not None and entry.ended < conversation.ended_at:
            moments.append(("ended", entry.ended, self._left(conversation)))
        elif entry.ended is not None and conversation.ended_at - self._left(conversation) < AFTER_ALL:
            moments.append(("ended", entry.ended, conversation.ended_at))
        if entry.answered is not None and conversation.answered_at is not None:
            moments.append(("was answered", entry.answered, conversation.answered_at))
        for what, told, real in moments:
            if abs((told - real).total_seconds()) > self._expected.clocks:
                yield f"{what} at {told:%H:%M:%S}, of the PBX at {real:%H:%M:%S}"

    @staticmethod
    def _left(conversation: Conversation) -> datetime:
        """When its last station had gone and people outside were among themselves; without talk, its end."""
        talks = [talk.span[1] for talk in conversation.talks]
        return datetime.fromtimestamp(max(talks), UTC) if talks else conversation.ended_at

    @staticmethod
    def _invented(entry: Entry, conversation: Conversation) -> Iterator[str]:
        """Who had no part in it must not be in it, whatever the recorder was not told."""
        for station in entry.stations:
            if station not in conversation.stations:
                yield f"station {station} had no part in it"
        if foreign := strangers(entry.parties, conversation):
            yield f"names {', '.join(foreign)}, who had no part in it"

    def _stations(self, entry: Entry, conversation: Conversation) -> Iterator[str]:
        for station in self._expected.watched(conversation):
            talked = bool(conversation.talk(station))
            if station in entry.stations or self._was_out(conversation):
                continue
            if talked or station in conversation.active:
                took = "talked" if talked else "took part"
                yield f"station {station} {took} in it and is not among its stations"

    # --- conversations

    def _split(self, conversation: Conversation, entries: Sequence[Entry]) -> Iterator[str]:
        """One conversation is one entry, unless the recorder was blind to where one of them went over into the next."""
        inside = sorted((entry.span for entry in entries), key=lambda span: span[0])
        seams = [(min(until, since), since) for (_, until), (since, _) in pairwise(inside)]
        if any(not self._was_blind(conversation, seam) for seam in seams):
            yield f"{_name(conversation)} is in {len(entries)} entries: {', '.join(entry.id for entry in entries)}"

    def _forgotten(self, ledger: Ledger, conversation: Conversation) -> Iterator[str]:
        """A conversation that the ledger does not know must lie where it says that it was blind."""
        slack, settled = self._expected.tolerance, self._expected.times.settled
        for station in self._expected.watched(conversation):
            if station in conversation.passed:
                continue
            blind = [each.span for each in ledger.blind if each.station in (None, station)]
            span = _presence(conversation, station)
            unseen = [(float("-inf"), self._since + settled), *((a - slack, b + settled) for a, b in blind)]
            seen = without([span], unseen)
            if seen:
                yield f"{_name(conversation)} is not in the ledger; station {station} was watched: {text(seen)}"

    def _blind(self, ledger: Ledger) -> Iterator[str]:
        """It is blind only when the PBX knows of an outage; of what was before the PBX ran nobody knows."""
        before = (float("-inf"), _start(self._truth))
        for blind in ledger.blind:
            excess = without([blind.span], [before, *self._evidence.troubles.blind(blind.station)])
            excess = longer(excess, self._expected.tolerance)
            if excess:
                whom = "all stations" if blind.station is None else f"station {blind.station}"
                yield f"the ledger is blind to {whom} for {blind.cause}: {text(excess)} without an outage"

    # --- details

    def _was_out(self, conversation: Conversation) -> bool:
        """Whether one of its stations was not watched in it; others' outages excuse nothing."""
        return any(self._evidence.troubles.unwatched(conversation.span, each) for each in conversation.stations)

    def _was_blind(self, conversation: Conversation, span: Span) -> bool:
        """Whether one of its stations was not watched then, or a moment before."""
        near = (span[0] - self._expected.clocks, span[1])
        return any(self._evidence.troubles.unwatched(near, each) for each in conversation.stations)

    def _was_withheld(self, conversation: Conversation) -> bool:
        """The recorder was not told all of it, and was not told that either."""
        moments = (at for call in conversation.calls for at in self._withheld.get(call, ()))
        return any(overlaps((at, at), conversation.span, self._expected.clocks) for at in moments)

    def _is_older(self, entry: Entry) -> bool:
        began = self._truth.began
        return began is not None and entry.span[1] < began.timestamp()

    def _is_due(self, ledger: Ledger, conversation: Conversation) -> bool:
        since, until = ledger.span
        within = max(since, self._since) <= conversation.span[1] <= until
        return within and bool(self._expected.watched(conversation))


CLASSES = ("recorded", "gaps", "not_recorded")


def _start(truth: Truth) -> float:
    return truth.began.timestamp() if truth.began is not None else float("-inf")


def _by_call(conversations: Iterable[Conversation]) -> dict[str, list[Conversation]]:
    by_call: dict[str, list[Conversation]] = defaultdict(list)
    for conversation in conversations:
        for call in conversation.calls:
            by_call[call].append(conversation)
    return by_call


def _matching(entry: Entry, by_call: dict[str, list[Conversation]], clocks: float) -> list[Conversation]:
    """Call ids come again some day, so the time must fit too."""
    found = {
        each.thread: each
        for call in entry.calls
        for each in by_call.get(call, ())
        if overlaps(each.span, entry.span, clocks)
    }
    best = [each for each in found.values() if overlaps(each.span, entry.span)]
    return best or list(found.values())


def _part(conversation: Conversation, entry: Entry, entries: Sequence[Entry]) -> Conversation:
    """What is left to one of several entries of a conversation: talk that is in no other one's time."""
    others = without((each.span for each in entries if each is not entry), [entry.span])
    talks = (replace(talk, span=piece) for talk in conversation.talks for piece in without([talk.span], others))
    return replace(conversation, talks=tuple(talks)) if others else conversation


def _twice(entries: Sequence[Entry]) -> Iterator[str]:
    seen: set[str] = set()
    for entry in entries:
        if entry.id in seen:
            yield f"{entry.name} is there twice"
        seen.add(entry.id)


def _presence(conversation: Conversation, station: str) -> Span:
    """When a station had a part in it: as far as is known by its talk, else until it left, or all the time."""
    spans = [talk.span for talk in conversation.talk(station, heard=False)]
    if not spans:
        began, ended = conversation.span
        left = [fact.at for fact in conversation.left if fact.text == station]
        return began, max(left, default=ended)
    return min(since for since, _ in spans), max(until for _, until in spans)


def _name(conversation: Conversation) -> str:
    calls, stations = ", ".join(sorted(conversation.calls)), ", ".join(conversation.stations)
    return f"conversation {conversation.thread} (calls {calls}; stations {stations})"
