"""How late forks were asked for: from the moment that a station talks until both its sides were granted."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import ceil

from osrec_emulators.check.expected import Expected
from osrec_emulators.check.outages import Outage
from osrec_emulators.check.spans import Span, union, without
from osrec_emulators.check.told import Conversation, served
from osrec_emulators.check.troubles import Troubles

SUDDEN = 0.001  # seconds between two talks that are one: a transfer changes the call in one instant


@dataclass(frozen=True, slots=True)
class Lateness:
    """In seconds, over all times that a station began to talk and was forked before it stopped.

    Attributes:
        begins: how often a station that was to be recorded began to talk, and was not forked already.
        forked: how often it was forked then.
    """

    begins: int
    forked: int
    mean: float
    p99: float
    largest: float


def lateness(conversations: Iterable[Conversation], expected: Expected, outages: Sequence[Outage] = ()) -> Lateness:
    """Of all conversations. Where talk began while a recorder could not ask, nobody was late."""
    delays: list[float] = []
    begins, troubles = 0, Troubles(outages, expected.times)
    for conversation in conversations:
        waits = {
            wait
            for station in expected.to_record(conversation)
            for wait in _waits(conversation, station, expected)
            if not _was_out(troubles, station, wait[0])
        }
        begins += len(waits)  # two stations of one call that one fork serves have waited once
        delays += [until - since for since, until, forked in waits if forked]
    delays.sort()
    if not delays:
        return Lateness(begins, 0, 0.0, 0.0, 0.0)
    p99 = delays[ceil(len(delays) * 0.99) - 1]
    return Lateness(begins, len(delays), sum(delays) / len(delays), p99, delays[-1])


def _was_out(troubles: Troubles, station: str, at: float) -> bool:
    return troubles.unwatched((at, at), station) or troubles.out((at, at), "journal")


def _waits(conversation: Conversation, station: str, expected: Expected) -> Iterator[tuple[float, float, bool]]:
    """Each time that a station talked unforked: from when, until when, and whether it was forked then.

    What follows the loss of a fork is no wait: it was asked for in time.
    """
    forked = served(conversation, station, each=expected.each)
    losses = [fork.span[1] for fork in conversation.forks if fork.station == station and fork.end == "lost"]
    for talk in _talks(conversation, station):
        for since, until in without([talk], forked):
            if until - since > SUDDEN and not any(abs(since - lost) < SUDDEN for lost in losses):
                yield since, until, until < talk[1]


def _talks(conversation: Conversation, station: str) -> list[Span]:
    """Talks that follow each other in one instant are one."""
    spans = union((since, until + SUDDEN) for since, until in (talk.span for talk in conversation.talk(station)))
    return [(since, until - SUDDEN) for since, until in spans]
