"""Whether the PBX's truth bears out the cause that a ledger gives for audio that was not recorded.

A cause has to bear out all of a span, not a moment of it: what is left over, but for the tolerance, refutes it.
"""

from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence

from osrec_emulators.check.expected import Expected
from osrec_emulators.check.outages import Outage
from osrec_emulators.check.pool import Pool
from osrec_emulators.check.sent import SlotTruth
from osrec_emulators.check.spans import Span, longer, onward, padded, within, without
from osrec_emulators.check.told import Conversation, PlayedFault, served, together
from osrec_emulators.check.troubles import NOTED, Troubles

START = 2.0  # seconds from the PBX's first audio until somebody notes that there is no link yet
UNANSWERED = ("unanswered", "late")


class Evidence:
    """The truth, asked for causes.

    Args:
        slots: by port.
        start: when the PBX began.
    """

    def __init__(
        self,
        conversations: Sequence[Conversation],
        slots: Mapping[str, SlotTruth],
        outages: Sequence[Outage],
        expected: Expected,
        start: float,
    ) -> None:
        self._start = start
        self._expected = expected
        self._times = expected.times
        self.troubles = Troubles(outages, expected.times)
        self.pool = Pool(conversations, slots, self.troubles, expected.times)

    def supports(self, cause: str, conversation: Conversation, station: str, span: Span) -> bool:
        """Whether a station can have been unrecorded during all of `span` for this cause."""
        facts, spans = _FACTS.get(cause), _SPANS.get(cause)
        if facts is not None:
            return facts(self, conversation, station)
        return spans is not None and not self._left(span, spans(self, conversation, station, span))

    def absent(self, span: Span) -> bool:
        """Whether the recorder did not run during all of `span`."""
        return not self._left(span, self.troubles.spans("recorder", None))

    def hid(self, cause: str, conversation: Conversation, stations: Iterable[str]) -> bool:
        """Whether for this cause nobody could tell what one of the stations did in a conversation."""
        span, kinds = conversation.span, _HIDING.get(cause)
        if kinds is not None:
            return any(self.troubles.out(span, *kinds, station=each) for each in stations)
        return any(self.supports(cause, conversation, each, span) for each in stations)

    def untold(self, conversation: Conversation, *stations: str) -> Iterator[Span]:
        """When nobody told what one of the stations did, or whether the fork of the first had been granted."""
        for station in stations:
            yield from self.troubles.blind(station)
        yield from self._answers(conversation, stations[:1])

    def lost_at(self, conversation: Conversation, station: str, span: Span) -> bool:
        """Whether a fork that had the station's talk was lost when the span began."""
        losses = (each for each in conversation.faults if each.kind == "lost" and abs(each.at - span[0]) <= NOTED)
        return any(station in self._carried(conversation, each.station, each.at) for each in losses)

    @property
    def began(self) -> float:
        """When the recorder was there for the first time: until then nobody was associated."""
        first = self.troubles.first_link
        return first[1] if first is not None and first[0] <= self._start + START else float("-inf")

    @property
    def causes(self) -> list[str]:
        return [*_FACTS, *_SPANS]

    def _left(self, span: Span, explained: Iterable[Span]) -> list[Span]:
        return longer(without([span], explained), self._expected.tolerance)

    def _forked_for(self, conversation: Conversation, station: str, span: Span) -> list[str]:
        """Stations whose forks a station depends on: those that it talks with, where one recording is enough.

        Of one that is recorded on a condition: when the PBX was asked to fork it.
        """
        if self._expected.each:
            return [station]
        near = padded([span], self._expected.tolerance)
        forked = {*self._expected.to_record(conversation), *_asked_for(conversation)}
        others = (one for one in self._expected.watched(conversation) if one != station and one in forked)
        return [station, *(one for one in others if within(together(conversation, station, one), near))]

    # --- causes that are a matter of time

    def _refused(self, conversation: Conversation, station: str, span: Span) -> Iterable[Span]:
        """From each request that was refused, or not answered in time, until the recorder has to ask again, and can.

        And on while the PBX owes the answer to what it was asked then.
        """
        return self._chain(conversation, station, span, self._all_holds(conversation, station, span))

    def _all_holds(self, conversation: Conversation, station: str, span: Span) -> list[Span]:
        return [
            each for one in self._forked_for(conversation, station, span) for each in self._holds(conversation, one)
        ]

    def _chain(
        self, conversation: Conversation, station: str, span: Span, seeds: Iterable[Span], *more: Span
    ) -> list[Span]:
        """What began with the seeds and goes on without a break: no pair, or an answer that is owed, keeps it going.

        Once the station has a fork again it is over.
        """
        forks = served(conversation, station, each=self._expected.each)
        last = max((min(until, span[0]) for since, until in forks if since < span[0]), default=float("-inf"))
        seeds = [each for each in seeds if each[1] >= last]
        if not seeds:
            return []
        short = self.pool.short((min(since for since, _ in seeds), span[1]))
        return onward(seeds, [*short, *self._late(conversation, station, span), *more])

    def _holds(self, conversation: Conversation, station: str) -> Iterator[Span]:
        times, refusals, reached = self._times, 0, float("-inf")
        for asked, answered in sorted(self._refusals(conversation, station)):
            refusals += asked > reached  # the two ports of a pair, and another pair at once, are one refusal
            reached = answered + NOTED
            yield asked - NOTED, answered + times.retry(refusals) + NOTED

    def _refusals(self, conversation: Conversation, station: str) -> Iterator[Span]:
        """When it was asked, and when it knew that it was asked in vain."""
        slow = [each for each in conversation.faults if each.station == station and each.kind in UNANSWERED]
        for each in conversation.refused:
            if each.station == station:
                late = (fault.seconds for fault in slow if fault.kind == "late" and fault.at == each.at)
                yield each.at, each.at + min(max(late, default=0.0), self._times.fork_timeout)
        for fault in slow:
            if fault.kind == "unanswered" or fault.seconds >= self._times.fork_timeout:
                yield fault.at, fault.at + self._times.fork_timeout

    def _lost(self, conversation: Conversation, station: str, span: Span) -> Iterable[Span]:
        """From the loss until it must be noticed, and on while there is no pair, or the PBX does not give another."""
        of = {*self._forked_for(conversation, station, span)}
        losses = [each for each in conversation.faults if each.kind in ("lost", "dead")]
        seeds = [
            (each.at - NOTED, (_left(conversation, each) if each.kind == "dead" else self._noticed(each)) + NOTED)
            for each in losses
            if not of.isdisjoint(self._carried(conversation, each.station, each.at))
        ]
        return self._chain(conversation, station, span, seeds, *self._all_holds(conversation, station, span))

    def _preempted(self, conversation: Conversation, station: str, span: Span) -> Iterable[Span]:
        """From the release of a fork in mid-call on, while there is no pair."""
        of = {*self._forked_for(conversation, station, span)}
        released = (each for each in conversation.forks if each.end == "released")
        seeds = [
            (each.span[1] - NOTED, each.span[1] + NOTED)
            for each in released
            if not of.isdisjoint(self._carried(conversation, each.station, each.span[1]))
        ]
        return self._chain(conversation, station, span, seeds)

    def _carried(self, conversation: Conversation, station: str, at: float) -> set[str]:
        """Whose talk a fork of a station had until then: that of those it talked with, too, wherever they go on."""
        if self._expected.each:
            return {station}
        others = (one for one in conversation.stations if one != station)
        return {station, *(one for one in others if within(together(conversation, station, one), [(at - NOTED, at)]))}

    def _noticed(self, loss: PlayedFault) -> float:
        """When a loss has to be noticed: by the PBX's word, by silence, or when somebody watches the station again.

        Then its ports are looked for at once.
        """
        times, troubles = self._times, self.troubles
        if troubles.unwatched((loss.at, loss.at), loss.station):
            return troubles.told_at(loss.at, loss.station) + times.port_loss
        if loss.told:
            return loss.at + times.port_loss
        return troubles.quiet_for(loss.at, times.found_out, self.pool.lines.get(loss.ports[0]))

    def _no_pair(self, conversation: Conversation, station: str, span: Span) -> Iterable[Span]:
        return self.pool.short(span)

    def _link(self, conversation: Conversation, station: str, span: Span) -> Iterator[Span]:
        for one in self._forked_for(conversation, station, span):
            yield from self.troubles.relinked(one)
        yield from self._late(conversation, station, span)  # it was still waited for when the link broke

    def _monitor(self, conversation: Conversation, station: str, span: Span) -> Iterator[Span]:
        for one in self._forked_for(conversation, station, span):
            yield from self.troubles.blind(one)

    def _licence(self, conversation: Conversation, station: str, span: Span) -> Iterator[Span]:
        for one in self._forked_for(conversation, station, span):
            yield from self.troubles.spans("licence", one)

    def _line(self, conversation: Conversation, station: str, span: Span) -> Iterable[Span]:
        return ((since, until + self._times.heard) for since, until in self.troubles.line_out())

    def _journal(self, conversation: Conversation, station: str, span: Span) -> Iterable[Span]:
        return self.troubles.spans("journal", None)

    def _late(self, conversation: Conversation, station: str, span: Span) -> Iterator[Span]:
        """From a request until its late answer, as long as it was waited for; of whom it talks with, too."""
        return self._answers(conversation, self._forked_for(conversation, station, span))

    def _answers(self, conversation: Conversation, stations: Container[str]) -> Iterator[Span]:
        for fault in conversation.faults:
            if fault.station in stations and fault.kind in UNANSWERED:
                waited = self._times.fork_timeout if fault.kind == "unanswered" else fault.seconds
                yield fault.at - NOTED, fault.at + min(waited, self._times.fork_timeout) + NOTED

    # --- and those that are not

    def _never(self, conversation: Conversation, station: str) -> bool:
        return self._expected.is_never(conversation)

    def _no_rule(self, conversation: Conversation, station: str) -> bool:
        return station not in self._expected.to_record(conversation) or self._expected.is_conditional(station)

    def _not_kept(self, conversation: Conversation, station: str) -> bool:
        return self._expected.is_on_demand(conversation)

    def _too_short(self, conversation: Conversation, station: str) -> bool:
        talk = sum(each.span[1] - each.span[0] for each in conversation.talk(station))
        return conversation.answered_at is not None and talk <= self._expected.too_short

    def _not_answered(self, conversation: Conversation, station: str) -> bool:
        return not any(conversation.talk(each) for each in self._expected.watched(conversation))


def _asked_for(conversation: Conversation) -> set[str | None]:
    """Stations that the PBX was asked to fork, whatever became of it; None: of a request that named none."""
    return {each.station for part in (conversation.forks, conversation.refused, conversation.faults) for each in part}


def _left(conversation: Conversation, dead: PlayedFault) -> float:
    """When a port without audio left the call: the PBX says that it is in there, so nobody asks for another."""
    forks = (fork for fork in conversation.forks if fork.port in dead.ports and fork.span[0] >= dead.at - NOTED)
    return min((fork.left for fork in forks), default=dead.at)


_HIDING = {
    "link_down": ("link", "recorder", "monitor", "answer"),
    "monitor": ("link", "recorder", "monitor", "licence"),
    "licence": ("licence",),
}
_SPANS: dict[str, Callable[[Evidence, Conversation, str, Span], Iterable[Span]]] = {
    "fork_refused": Evidence._refused,
    "fork_lost": Evidence._lost,
    "no_pair": Evidence._no_pair,
    "preempted": Evidence._preempted,
    "link_down": Evidence._link,
    "monitor": Evidence._monitor,
    "licence": Evidence._licence,
    "line_alarm": Evidence._line,
    "journal_full": Evidence._journal,
    "requested_late": Evidence._late,
}
_FACTS: dict[str, Callable[[Evidence, Conversation, str], bool]] = {
    "never": Evidence._never,
    "no_rule": Evidence._no_rule,
    "not_kept": Evidence._not_kept,
    "too_short": Evidence._too_short,
    "not_answered": Evidence._not_answered,
}
