"""Whether the PBX's truth bears out the cause that a ledger gives for audio that was not recorded."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

from osrec_emulators.check.expected import Expected
from osrec_emulators.check.outages import Outage
from osrec_emulators.check.sent import SlotTruth
from osrec_emulators.check.spans import Span, union, within
from osrec_emulators.check.told import Conversation, together
from osrec_emulators.check.troubles import AROUND, RECOVERY, Troubles, hits

SUSPECTED = 60.0  # seconds for which a recorder may keep a port to itself that did not do what it should
SILENCE = 12.0  # seconds of idle code after which a recorder takes a call for over that nobody tells it of
PATIENCE = 5.0  # seconds a recorder may wait for the answer to a fork request
Pair = tuple[str, str]  # two ports on neighbouring channels of a line


class Evidence:
    """The truth, asked for causes.

    Args:
        slots: by port; neighbouring channels of a line make a pair, as recorders of trunks have them.
        start: when the PBX began.
    """

    def __init__(
        self,
        conversations: Iterable[Conversation],
        slots: Mapping[str, SlotTruth],
        outages: Sequence[Outage],
        expected: Expected,
        start: float,
    ) -> None:
        self._start = start
        self.troubles = Troubles(outages)
        self._expected = expected
        self._pairs = _pairs(slots)
        self._lines = {port: slot.line for port, slot in slots.items()}
        self._taken = _taken(conversations, self.troubles)

    def supports(self, cause: str, conversation: Conversation, station: str, span: Span) -> bool:
        """Whether a station can have been unrecorded during `span` for this cause."""
        check = _CAUSES.get(cause)
        return check is not None and check(self, conversation, station, span)

    @property
    def began(self) -> float:
        """When the recorder was there for the first time: until then nobody was associated."""
        first = self.troubles.first_link
        return first[1] if first is not None and first[0] <= self._start + AROUND else float("-inf")

    @property
    def causes(self) -> list[str]:
        return list(_CAUSES)

    def free_pair(self, at: float) -> Pair | None:
        """A pair on which nothing was around that time."""
        moment = (at - AROUND, at + AROUND)
        for pair in self._pairs:
            lines = (self._lines[port] for port in pair)
            if not any(hits(self._taken[port], moment) for port in pair) and not self.troubles.line_out(lines, moment):
                return pair
        return None

    def _forked_for(self, conversation: Conversation, station: str, span: Span) -> list[str]:
        """Stations whose forks a station depends on: those that it talks with, where one recording is enough."""
        if self._expected.each:
            return [station]
        near = [(span[0] - AROUND, span[1] + AROUND)]
        others = (
            other
            for other in self._expected.to_record(conversation)
            if within(together(conversation, station, other), near)
        )
        return [station, *others]

    # --- causes

    def _refused(self, conversation: Conversation, station: str, span: Span) -> bool:
        of = self._forked_for(conversation, station, span)
        if any(each.station in of and span[0] - AROUND <= each.at <= span[1] for each in conversation.refused):
            return True
        silent = [each for each in conversation.faults if each.station in of and each.kind in ("unanswered", "late")]
        return any(span[0] - AROUND - PATIENCE <= fault.at <= span[1] for fault in silent)

    def _lost(self, conversation: Conversation, station: str, span: Span) -> bool:
        of = self._forked_for(conversation, station, span)
        return any(
            fault.station in of and fault.kind in ("lost", "dead") and span[0] - AROUND <= fault.at <= span[1] + AROUND
            for fault in conversation.faults
        )

    def _no_pair(self, conversation: Conversation, station: str, span: Span) -> bool:
        """None was free; after an outage those are not, either, whose calls have ended and nobody has said so yet."""
        moments = (max(span[0], at) for at in range(int(span[0]), int(span[1]) + 1))
        return all(self.free_pair(at) is None or self.troubles.out((at, at), "link", "recorder") for at in moments)

    def _link(self, conversation: Conversation, station: str, span: Span) -> bool:
        return self.troubles.out(span, "link", "recorder")

    def _monitor(self, conversation: Conversation, station: str, span: Span) -> bool:
        return self.troubles.unwatched(span, station)

    def _licence(self, conversation: Conversation, station: str, span: Span) -> bool:
        return self.troubles.out(span, "licence", station=station)

    def _line(self, conversation: Conversation, station: str, span: Span) -> bool:
        return self.troubles.out(span, "line")

    def _journal(self, conversation: Conversation, station: str, span: Span) -> bool:
        return self.troubles.out(span, "journal")

    def _late(self, conversation: Conversation, station: str, span: Span) -> bool:
        """It was asked for, and granted late: where the gap, which is short, ends; or never, by a PBX that was silent.

        Of whom it talks with, too, where one recording is enough for both.
        """
        of = self._forked_for(conversation, station, span)
        begins = [fork.span[0] for fork in conversation.forks if fork.station in of]
        if span[1] - span[0] > RECOVERY:
            return False
        if any(abs(begin - span[1]) <= self._expected.tolerance for begin in begins):
            return True
        silent = (each for each in conversation.faults if each.station in of and each.kind in ("unanswered", "late"))
        return any(span[0] - AROUND <= fault.at <= span[0] + AROUND for fault in silent)

    def _never(self, conversation: Conversation, station: str, span: Span) -> bool:
        return self._expected.is_never(conversation)

    def _no_rule(self, conversation: Conversation, station: str, span: Span) -> bool:
        return station not in self._expected.to_record(conversation)

    def _not_kept(self, conversation: Conversation, station: str, span: Span) -> bool:
        return self._expected.is_on_demand(conversation)

    def _too_short(self, conversation: Conversation, station: str, span: Span) -> bool:
        talk = sum(each.span[1] - each.span[0] for each in conversation.talk(station))
        return conversation.answered_at is not None and talk <= self._expected.too_short

    def _not_answered(self, conversation: Conversation, station: str, span: Span) -> bool:
        return not any(conversation.talk(each) for each in self._expected.watched(conversation))


_CAUSES: dict[str, Callable[[Evidence, Conversation, str, Span], bool]] = {
    "fork_refused": Evidence._refused,
    "fork_lost": Evidence._lost,
    "no_pair": Evidence._no_pair,
    "preempted": Evidence._no_pair,
    "link_down": Evidence._link,
    "monitor": Evidence._monitor,
    "licence": Evidence._licence,
    "line_alarm": Evidence._line,
    "journal_full": Evidence._journal,
    "requested_late": Evidence._late,
    "never": Evidence._never,
    "no_rule": Evidence._no_rule,
    "not_kept": Evidence._not_kept,
    "too_short": Evidence._too_short,
    "not_answered": Evidence._not_answered,
}


def _pairs(slots: Mapping[str, SlotTruth]) -> list[Pair]:
    by_line: dict[str, list[SlotTruth]] = defaultdict(list)
    for slot in slots.values():
        by_line[slot.line].append(slot)
    pairs = []
    for line in by_line.values():
        ports = [slot.port for slot in sorted(line, key=lambda slot: slot.slot)]
        pairs += list(zip(ports[::2], ports[1::2], strict=False))
    return pairs


def _taken(conversations: Iterable[Conversation], troubles: Troubles) -> dict[str, list[Span]]:
    """When each port was in a call, or was refused, or is under suspicion since it did not work.

    Where nobody tells that a call is over its port is kept until the silence on it does.
    """
    taken: dict[str, list[Span]] = defaultdict(list)
    for conversation in conversations:
        for fork in conversation.forks:
            began, ended = fork.span
            untold = troubles.unwatched((ended, ended), fork.station)
            taken[fork.port].append((began, ended + (SILENCE if untold else 0.0)))
        for refused in conversation.refused:
            for port in refused.ports:
                taken[port].append((refused.at, refused.at + AROUND))
        for fault in conversation.faults:
            for port in fault.ports:
                taken[port].append((fault.at, fault.at + SUSPECTED))
    return defaultdict(list, {port: union(spans) for port, spans in taken.items()})
