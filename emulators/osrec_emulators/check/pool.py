"""The pairs of ports that a recorder has, as the PBX knows them: when each was taken, and when one could be leased."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from osrec_emulators.check.sent import SlotTruth
from osrec_emulators.check.spans import Span, length, longer, union, within, without
from osrec_emulators.check.times import Times
from osrec_emulators.check.told import Conversation, GrantedFork, PlayedFault
from osrec_emulators.check.troubles import NOTED, Troubles

Pair = tuple[str, str]  # two ports on neighbouring channels of a line
EVER = (float("-inf"), float("inf"))


class Pool:
    """All pairs. A port is taken while it is in a call, and as long as a recorder by its own rules cannot give it away.

    Args:
        slots: by port; neighbouring channels of a line make a pair, as recorders of trunks have them.

    Attributes:
        lines: of the ports.
    """

    def __init__(
        self, conversations: Iterable[Conversation], slots: Mapping[str, SlotTruth], troubles: Troubles, times: Times
    ) -> None:
        self._times = times
        self._troubles = troubles
        self.lines = {port: slot.line for port, slot in slots.items()}
        self.pairs = _pairs(slots)
        self._joined: dict[str, list[Span]] = defaultdict(list)
        taken: dict[str, list[Span]] = defaultdict(list)
        for conversation in conversations:
            for fork in conversation.forks:
                self._joined[fork.port].append((fork.span[0], fork.left))
                taken[fork.port].append(self._leased(fork, conversation))
            for refused in conversation.refused:
                for port in refused.ports:
                    taken[port].append((refused.at, refused.at + times.freed))
            for fault in conversation.faults:
                for port in fault.ports:
                    taken[port].append(self._doubted(fault))
        self._free = union(span for pair in self.pairs for span in self._leasable(pair, taken))
        self._in_use = [union(span for port in pair for span in self._joined[port]) for pair in self.pairs]

    def free(self, span: Span) -> list[Span]:
        """When a recorder could have leased a pair, and had had the time to see it."""
        return within([span], self._free)

    def short(self, span: Span) -> list[Span]:
        """When it could not."""
        return without([span], self._free)

    def in_use(self, span: Span) -> float:
        """How many pairs had a port in a call, on average over the span."""
        seconds = span[1] - span[0]
        return sum(length(within(used, [span])) for used in self._in_use) / seconds if seconds else 0.0

    # --- when a port is taken

    def _leased(self, fork: GrantedFork, conversation: Conversation) -> Span:
        """Until the PBX has told that the port is out of the call, or the recorder has found out, and a rest.

        While nobody watches the station silence tells.
        """
        ended, times, troubles, line = fork.left, self._times, self._troubles, self.lines.get(fork.port)
        told = troubles.told_at(ended, fork.station)
        if fork.end != "lost":
            known = min(told, troubles.quiet_for(ended, times.audio_end + times.heard, line))
        elif told == ended and _told_of(conversation, fork):
            known = ended + times.port_loss
        else:
            silent = troubles.quiet_for(ended, times.found_out, line)
            known = silent if told == ended else min(told, silent) + times.port_loss
        return fork.span[0], known + times.freed

    def _doubted(self, fault: PlayedFault) -> Span:
        """A request without answer keeps its pair until the answer comes, or nobody waits for it any more."""
        waited = {"unanswered": self._times.request_timeout, "late": fault.seconds}.get(fault.kind, 0.0)
        return fault.at, fault.at + waited + self._times.freed

    def _leasable(self, pair: Pair, taken: Mapping[str, Sequence[Span]]) -> Iterator[Span]:
        busy = [span for port in pair for span in taken.get(port, ())]
        busy += [
            (since, until + self._times.heard) for since, until in self._troubles.line_out(self.lines[p] for p in pair)
        ]
        for since, until in longer(without([EVER], busy), NOTED):
            yield since + NOTED, until


def _told_of(conversation: Conversation, lost: GrantedFork) -> bool:
    """Whether the PBX told, with the usual events, of the loss that ended a fork."""
    losses = (each for each in conversation.faults if each.kind == "lost" and lost.port in each.ports)
    return all(each.told for each in losses if abs(each.at - lost.left) < NOTED)


def _pairs(slots: Mapping[str, SlotTruth]) -> list[Pair]:
    by_line: dict[str, list[SlotTruth]] = defaultdict(list)
    for slot in slots.values():
        by_line[slot.line].append(slot)
    pairs = []
    for line in by_line.values():
        ports = [slot.port for slot in sorted(line, key=lambda slot: slot.slot)]
        pairs += list(zip(ports[::2], ports[1::2], strict=False))
    return pairs
