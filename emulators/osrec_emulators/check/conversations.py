"""Whether each conversation that should have been recorded is, with all that was sent for it."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta

import numpy as np

from osrec_emulators.check.expected import Expected
from osrec_emulators.check.placed import Judged
from osrec_emulators.check.recorded import Sidecar
from osrec_emulators.check.sent import SentFork, Truth
from osrec_emulators.check.spans import Span, overlaps
from osrec_emulators.check.times import Times
from osrec_emulators.check.told import Conversation
from osrec_emulators.check.troubles import Troubles
from osrec_emulators.check.verdict import ConversationVerdict
from osrec_emulators.pbx.media import Side

UNANSWERED = ("unanswered", "late")
LAME = ("lost", "dead", "unanswered", "late")  # faults that leave one side of a pair without the other for a while
TOGETHER = 0.3  # seconds within which the ports of a pair are asked for
TAKEN_OUT = 1.0  # seconds from when nobody waits for an answer any more until the ports are out of the call
MOMENT = 4000  # frames: the two ports of a pair join and leave one after the other


def judge_conversations(
    truth: Truth,
    expected: Expected,
    recordings: Sequence[Judged],
    *,
    complete: bool = True,
    away: Sequence[Span] = (),
    cut: Sequence[Span] = (),
    troubles: Troubles | None = None,
) -> tuple[ConversationVerdict, ...]:
    """Judge those that were answered and have a station that is to be recorded.

    Args:
        complete: each must have a recording; else a ledger tells why one has none.
        away: when the recorder did not run, or did not know yet where its ports were.
        cut: when nothing that it asked for reached the PBX, or could be answered.
        troubles: when which station was not watched.
    """
    return tuple(
        _judge(truth, expected, stations, each, recordings, complete, away, cut, troubles or Troubles(()))
        for each in truth.conversations
        if each.answered_at is not None and (stations := expected.to_record(each)) and not _is_outdated(truth, each)
    )


def _is_outdated(truth: Truth, conversation: Conversation) -> bool:
    """Its audio is no longer kept."""
    return truth.pruned and truth.began is not None and conversation.ended_at < truth.began


def _judge(
    truth: Truth,
    expected: Expected,
    stations: Sequence[str],
    conversation: Conversation,
    recordings: Sequence[Judged],
    complete: bool,
    away: Sequence[Span],
    cut: Sequence[Span],
    troubles: Troubles,
) -> ConversationVerdict:
    clocks = timedelta(seconds=expected.clocks)
    mine = [each for each in recordings if each.sidecar and _is_of(each.sidecar, conversation, clocks)]
    forks = [fork for fork in _forks(truth, conversation, clocks) if fork.station in stations]
    faults = [] if mine or not complete else ["no recording"]
    for fork in forks:
        if _was_half(conversation, fork, forks):
            continue
        covered = [found for each in mine if (found := each.covers(fork.slot_port))]
        covered += [*_frames(fork, away), *_frames(fork, _unknown(conversation, fork, expected.times, cut))]
        covered += _silence(truth, fork, troubles)
        lacking = _uncovered(fork, covered)
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


def _frames(fork: SentFork, spans: Iterable[Span]) -> Iterator[tuple[int, int]]:
    """Frames that were sent on the fork's line in spans of time."""
    at = fork.at.timestamp()
    for since, until in spans:
        yield fork.first + round((since - at) * 8000), fork.first + round((until - at) * 8000)


def _silence(truth: Truth, fork: SentFork, troubles: Troubles) -> Iterator[tuple[int, int]]:
    """Idle code up to the end of a fork whose station nobody watched then: was it in the call? Nobody could tell.

    Who is told of the call records what comes, silence too.
    """
    ended = fork.at.timestamp() + len(fork.octets) / 8000
    if troubles.unwatched((ended, ended), fork.station):
        heard = np.flatnonzero(fork.octets != truth.slots[fork.port].idle)
        yield fork.first + (int(heard[-1]) + 1 if heard.size else 0), fork.end


def _unknown(conversation: Conversation, fork: SentFork, times: Times, cut: Sequence[Span]) -> Iterator[Span]:
    """When the PBX had granted a fork, or that of the pair's other port, without saying so in time.

    For so long the recorder could not know of it; after it the ports are out of the call again, but where nobody hears
    that they are to be taken out. Who found that the call was over while it still waited could not either.
    """
    for fault in conversation.faults:
        owed = times.fork_timeout if fault.kind == "unanswered" else fault.seconds
        vain = owed >= times.fork_timeout or _was_over(conversation, fork, fault.at + owed)
        if (
            fault.kind in UNANSWERED
            and vain
            and fault.station == fork.station
            and abs(fault.at - _granted_at(conversation, fork)) < TOGETHER
        ):
            given_up = fault.at + times.fork_timeout
            unheard = (until for since, until in cut if since <= given_up + TAKEN_OUT and given_up <= until)
            yield fault.at - TOGETHER, max(unheard, default=given_up) + TAKEN_OUT


def _was_over(conversation: Conversation, fork: SentFork, answered: float) -> bool:
    """Whether the port had left the call again when the answer came."""
    at = fork.at.timestamp()
    of = (each for each in conversation.forks if (each.port, each.station) == (fork.port, fork.station))
    return any(each.left <= answered for each in of if overlaps(each.span, (at, at), TOGETHER))


def _granted_at(conversation: Conversation, fork: SentFork) -> float:
    """When its port came into the call: what was sent begins anew where a call changes its id, or is held."""
    at = fork.at.timestamp()
    of = [each for each in conversation.forks if (each.port, each.station) == (fork.port, fork.station)]
    for each in sorted(of, key=lambda each: each.span[0], reverse=True):
        went_on = each.end != "released"  # else another request brought the port into the call again
        if each.span[0] <= at <= each.left + (MOMENT / 8000 if went_on else 0.0):
            at = each.span[0]
    return at


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


def _forks(truth: Truth, conversation: Conversation, clocks: timedelta) -> list[SentFork]:
    """Call ids come again some day, so the time must fit too."""
    return [
        fork
        for slot in truth.slots.values()
        for fork in slot.forks
        if fork.call in conversation.calls
        and conversation.started_at - clocks < fork.at < conversation.ended_at + clocks
    ]


def _is_of(sidecar: Sidecar, conversation: Conversation, clocks: timedelta) -> bool:
    return (
        bool(conversation.calls & set(sidecar.calls))
        and sidecar.started < conversation.ended_at + clocks
        and sidecar.ended > conversation.started_at - clocks
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
