"""Whether those whom a recording or a ledger names really took part, however a site writes its numbers."""

from collections.abc import Iterable, Sequence

from osrec_emulators.check.placed import Judged
from osrec_emulators.check.sent import SentFork, Truth
from osrec_emulators.check.spans import overlaps
from osrec_emulators.check.told import Conversation, TruthParty

LEAST_DIGITS = 5  # of a public number that are taken for the same number written without prefixes


def strangers(numbers: Iterable[str | None], conversation: Conversation) -> list[str]:
    """Numbers of nobody who took part or was dialled; None, a number that the PBX did not tell, is anybody."""
    return [
        number
        for number in dict.fromkeys(numbers)
        if number is not None
        and not any(_is(number, party) for party in (*conversation.parties, *conversation.dialled))
    ]


def unnamed(numbers: Iterable[str | None], conversation: Conversation) -> list[str]:
    """Stations that took part, and people outside in an answered call, whom no number names.

    Of a caller who withholds his number, or whose number the trunk does not tell, no recorder can know it: the PBX puts
    notKnown or restricted in its place in every event and every snapshot.
    """
    named = [number for number in numbers if number is not None]
    talked = {talk.station for talk in conversation.talks if talk.heard}
    outside = conversation.answered_at is not None and bool(talked)
    present = talked | conversation.active
    due = (party for party in conversation.parties if (outside if party.external else party.number in present))
    return [party.number for party in due if not party.hidden and not any(_is(number, party) for number in named)]


def judge_parties(truth: Truth, recordings: Sequence[Judged]) -> None:
    """Blame recordings that name somebody who had no part in the conversation whose audio they hold."""
    for recording in recordings:
        if recording.sidecar is None:
            continue
        own = set(recording.sidecar.calls)
        held = [each for each in _held(truth, recording) if each.calls & own]  # audio of other calls is blamed already
        for conversation in held:
            numbers = [party.number for party in recording.sidecar.parties]
            if foreign := strangers(numbers, conversation):
                recording.blame(
                    f"names {', '.join(foreign)}, who had no part in conversation {conversation.thread}, which it holds"
                )
            if conversation.parties and recording.sidecar.station not in numbers:
                recording.blame(f"does not name its own station {recording.sidecar.station}")
        if len(held) > 1:
            recording.blame(f"holds audio of {len(held)} conversations: {', '.join(each.thread for each in held)}")


def _held(truth: Truth, recording: Judged) -> list[Conversation]:
    """Conversations whose forks were on the recording's slots while it ran."""
    found = {}
    for piece in recording.pieces:
        for port in piece.ports:
            for fork in truth.slots[port].during(piece.first, piece.end):
                conversation = _of(truth, fork)
                if conversation is not None:
                    found[conversation.thread] = conversation
    return list(found.values())


def _of(truth: Truth, fork: SentFork) -> Conversation | None:
    """Call ids come again some day, so the time must fit too."""
    at = fork.at.timestamp()
    return next(
        (each for each in truth.conversations if fork.call in each.calls and overlaps(each.span, (at, at), 1.0)), None
    )


def _is(number: str, party: TruthParty) -> bool:
    """A public number may be written with other prefixes than the PBX's; who is unknown goes by the trunk."""
    if number in (party.number, party.trunk):
        return True
    one, other = _bare(number), _bare(party.number)
    shorter = min(len(one), len(other))
    return party.external and shorter >= LEAST_DIGITS and (one.endswith(other) or other.endswith(one))


def _bare(number: str) -> str:
    return "".join(digit for digit in number if digit.isdigit()).lstrip("0")
