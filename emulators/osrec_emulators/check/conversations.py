"""Whether each conversation that should have been recorded is, with all that was sent for it."""

from collections.abc import Iterable, Sequence
from datetime import timedelta

from osrec_emulators.check.expected import Expected
from osrec_emulators.check.placed import Judged
from osrec_emulators.check.recorded import Sidecar
from osrec_emulators.check.sent import SentFork, Truth
from osrec_emulators.check.told import Conversation
from osrec_emulators.check.verdict import ConversationVerdict
from osrec_emulators.pbx.media import Side

CLOCKS = timedelta(seconds=5)  # the recorder's wall clock may be that far from the PBX's
LAME = ("lost", "dead", "unanswered", "late")  # faults that leave one side of a pair without the other for a while
TOGETHER = 1.0  # seconds within which the ports of a pair are asked for
MOMENT = 4000  # frames: the two ports of a pair join and leave one after the other


def judge_conversations(
    truth: Truth, expected: Expected, recordings: Sequence[Judged], *, complete: bool = True
) -> tuple[ConversationVerdict, ...]:
    """Judge those that were answered and have a station that is to be recorded.

    `complete`: each must have a recording; else a ledger tells why one has none.
    """
    return tuple(
        _judge(truth, stations, each, recordings, complete)
        for each in truth.conversations
        if each.answered_at is not None and (stations := expected.to_record(each)) and not _is_outdated(truth, each)
    )


def _is_outdated(truth: Truth, conversation: Conversation) -> bool:
    """Its audio is no longer kept."""
    return truth.pruned and truth.began is not None and conversation.ended_at < truth.began


def _judge(
    truth: Truth, stations: Sequence[str], conversation: Conversation, recordings: Sequence[Judged], complete: bool
) -> ConversationVerdict:
    mine = [each for each in recordings if each.sidecar and _is_of(each.sidecar, conversation)]
    forks = [fork for fork in _forks(truth, conversation) if fork.station in stations]
    faults = [] if mine or not complete else ["no recording"]
    for fork in forks:
        if _was_unknown(conversation, fork):
            continue
        if _was_half(conversation, fork, forks):
            continue
        lacking = _uncovered(fork, [covered for each in mine if (covered := each.covers(fork.slot_port))])
        if lacking:
            faults.append(
                f"{lacking} of {len(fork.octets)} octets sent on port {fork.port} for {fork.station} "
                f"({fork.side.value}) are in no recording"
            )
    faults += _half_pairs(conversation, forks)
    return ConversationVerdict(
        thread=conversation.thread,
        calls=tuple(sorted(conversation.calls)),
        stations=conversation.stations,
        recordings=len(mine),
        forks=len(forks),
        faults=tuple(faults),
    )


def _was_unknown(conversation: Conversation, fork: SentFork) -> bool:
    """The PBX did not say in time that it had forked a port or its partner: the recorder could not know."""
    at = fork.at.timestamp()
    return any(
        fault.kind in ("unanswered", "late") and fault.station == fork.station and abs(fault.at - at) < TOGETHER
        for fault in conversation.faults
    )


def _was_half(conversation: Conversation, fork: SentFork, forks: Sequence[SentFork]) -> bool:
    """The PBX did not grant the other side with it: there was no pair to record, and the port is given back."""
    refused = any(each.station == fork.station for each in conversation.refused)
    if not refused and not conversation.had_fault(fork.station, *LAME):
        return False
    others = (each for each in forks if each.station == fork.station and each.side is not fork.side)
    return not any(each.first < fork.end - MOMENT and fork.first + MOMENT < each.end for each in others)


def _half_pairs(conversation: Conversation, forks: Sequence[SentFork]) -> list[str]:
    """A recording needs both sides: as much of what a station said as of what it heard, but for a moment."""
    lengths = {(fork.station, side): 0 for fork in forks for side in Side}
    for fork in forks:
        lengths[fork.station, fork.side] += len(fork.octets)
    return [
        f"station {station}: {lengths[station, Side.OWN]} octets of its own voice were forked, "
        f"{lengths[station, Side.OTHER]} of the other side"
        for station in dict.fromkeys(fork.station for fork in forks)
        if abs(lengths[station, Side.OWN] - lengths[station, Side.OTHER]) > MOMENT
        and not conversation.had_fault(station, *LAME)
        and not any(refused.station == station for refused in conversation.refused)
    ]


def _forks(truth: Truth, conversation: Conversation) -> list[SentFork]:
    """Call ids come again some day, so the time must fit too."""
    return [
        fork
        for slot in truth.slots.values()
        for fork in slot.forks
        if fork.call in conversation.calls
        and conversation.started_at - CLOCKS < fork.at < conversation.ended_at + CLOCKS
    ]


def _is_of(sidecar: Sidecar, conversation: Conversation) -> bool:
    return (
        bool(conversation.calls & set(sidecar.calls))
        and sidecar.started < conversation.ended_at + CLOCKS
        and sidecar.ended > conversation.started_at - CLOCKS
    )


def _uncovered(fork: SentFork, covered: Iterable[tuple[int, int]]) -> int:
    """Frames of a fork in none of the ranges."""
    lacking, at = 0, fork.first
    for first, end in sorted(covered):
        if first >= fork.end:
            break
        lacking += max(0, first - at)
        at = max(at, end)
    return lacking + max(0, fork.end - at)
