"""What is to be recorded of a conversation, and what may be: by patterns, draws, account codes, and what was asked."""

from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256
from uuid import UUID

from osrec_emulators.check.demands import Demand, kept, of_conversation, paused
from osrec_emulators.check.expected import Expected, matches
from osrec_emulators.check.spans import Span, overlaps, union, within, without
from osrec_emulators.check.told import Conversation, Fact, TalkSpan, together
from osrec_emulators.check.troubles import Troubles
from osrec_emulators.pbx.media import Side

ALWAYS: Span = (float("-inf"), float("inf"))


class Wanted:
    """Asked station by station. Percentages are drawn from the conversation's id in the ledger (docs/rules.md).

    Args:
        troubles: what is told to nobody brings about nothing: no snapshot has the account codes that were entered.
    """

    def __init__(self, expected: Expected, asked: Sequence[Demand], troubles: Troubles) -> None:
        self._expected = expected
        self._troubles = troubles
        self._asked = [each for each in asked if each.error is None]

    def required(self, conversation: Conversation, entry: str, station: str) -> list[Span]:
        """Talk that must be recorded, or its lack named."""
        spans: list[Span] = []
        for talk in conversation.talk(station):
            wanted = within([talk.span], self._permitted(conversation, entry, station, talk))
            wanted = without(wanted, self._unheard_of(conversation, entry, station, talk))
            spans += without(wanted, self.paused(conversation, talk.call))
        return union(spans)

    def allowed(self, conversation: Conversation, entry: str, station: str) -> list[Span]:
        """Talk that may be in its recording: where one recording is enough, for whom it talks with, too."""
        spans: list[Span] = []
        for talk in conversation.talk(station):
            wanted = self._permitted(conversation, entry, station, talk)
            if not self._expected.each:
                for other in conversation.stations:
                    if other != station:
                        theirs = [one for one in conversation.talk(other) if one.call == talk.call]
                        for one in theirs:
                            wanted = wanted + within([one.span], self._permitted(conversation, entry, other, one))
            denied = [*self.forbidden(conversation, talk), *self.paused(conversation, talk.call)]
            spans += without(within([talk.span], wanted), denied)
        return union(spans)

    def forbidden(self, conversation: Conversation, talk: TalkSpan) -> list[Span]:
        """Since somebody has taken part who is never to be recorded."""
        since = [
            conversation.holds(fact, talk.call)
            for fact in conversation.appeared
            if matches(fact.text, self._expected.never)
        ]
        return [(min(since), float("inf"))] if since else []

    def paused(self, conversation: Conversation, call: str) -> list[Span]:
        """When somebody wanted nothing of it recorded."""
        return paused(self._of(conversation, call))

    def paused_for(self, conversation: Conversation) -> list[Span]:
        """The same of all its calls."""
        calls = {talk.call for talk in conversation.talks}
        return union(span for call in calls for span in self.paused(conversation, call))

    # --- one talk

    def _permitted(self, conversation: Conversation, entry: str, station: str, talk: TalkSpan) -> list[Span]:
        """When the rules, and people, want the station itself recorded."""
        return without(self._by_rule(conversation, entry, station, talk), self.forbidden(conversation, talk))

    def _by_rule(self, conversation: Conversation, entry: str, station: str, talk: TalkSpan) -> list[Span]:
        expected = self._expected
        if not expected.is_watched(station) or not matches(station, expected.stations):
            return []
        if matches(station, expected.on_demand):
            return self._kept_in_time(conversation, station, talk.call)
        for sample in expected.samples:
            if matches(station, sample.stations):
                return [ALWAYS] if _place(sample.rule, entry) < sample.percentage else []
        for account in expected.accounts:
            if matches(station, account.stations):
                entered = [one for one in conversation.accounts if matches(one.text, account.codes)]
                return [(min(conversation.holds(one, talk.call) for one in entered), float("inf"))] if entered else []
        return [ALWAYS]

    def _kept_in_time(self, conversation: Conversation, station: str, call: str) -> list[Span]:
        """What was asked to be kept afterwards is there as far as the fork goes back that runs then, and no further.

        Each demand reaches for what its own moment has: a later one finds nothing more in a fork that is over.
        """
        spans: list[Span] = []
        for demand, span in kept(self._of(conversation, call)):
            there = [(demand.at, float("inf"))]
            for other in [station] if self._expected.each else conversation.stations:
                talk = [ALWAYS] if other == station else together(conversation, station, other)
                there += within(_on_ports(conversation, other, demand.at), talk)
            spans += within([span], there)
        return union(spans)

    def _unheard_of(self, conversation: Conversation, entry: str, station: str, talk: TalkSpan) -> list[Span]:
        """When a station is recorded by an account code only that nobody has told the recorder."""
        heard = tuple(one for one in conversation.accounts if self._told(conversation, one))
        told = replace(conversation, accounts=heard)
        return without([talk.span], self._by_rule(told, entry, station, talk)) if self._by_account(station) else []

    def _told(self, conversation: Conversation, entered: Fact) -> bool:
        """CallInformation goes to the monitors of all who are in the call."""
        at = (entered.at, entered.at)
        there = (talk.station for talk in conversation.talks if overlaps(talk.span, at))
        return any(self._expected.is_watched(one) and not self._troubles.unwatched(at, one) for one in there)

    def _by_account(self, station: str) -> bool:
        return any(matches(station, account.stations) for account in self._expected.accounts)

    def _of(self, conversation: Conversation, call: str) -> list[tuple[float, Demand]]:
        """Demands that were met, each since when it holds in a call."""
        asked = of_conversation(conversation, self._asked)
        return sorted(((conversation.holds(fact, call), demand) for demand, fact in asked), key=lambda each: each[1].at)


def _on_ports(conversation: Conversation, station: str, at: float) -> list[Span]:
    """When a station was on the two ports on which it is at a moment; on hold in between, too."""
    forks = [fork for fork in conversation.forks if fork.station == station and not fork.dead]
    ports = {fork.port for fork in forks if overlaps(fork.span, (at, at))}
    sides = [[fork.span for fork in forks if fork.side is side and fork.port in ports] for side in Side]
    return within(*sides)


def _place(rule: str, entry: str) -> float:
    """Where a conversation stands between 0 and 100 for a rule, as docs/rules.md says."""
    drawn = sha256(rule.encode() + b"\x1f" + UUID(entry).bytes).digest()[:6]
    return int.from_bytes(drawn) / 2**48 * 100
