"""What the keeper itself has to tell: audio that it dropped, conversations whose recorder never came back."""

from typing import Literal

from osrec.store.assembly import Assembly
from osrec.store.records import ConversationEnded, Dropped
from osrec.store.sidecar import Sidecar

CUT_OFF = "the recorder was killed before it told of the conversation: known by the recording alone"


def dropped_parts(assembly: Assembly) -> list[Dropped]:
    """What of a recording that is over is not kept, for the ledger; a pause is told by the sidecar."""
    opened = assembly.description()
    spans: list[tuple[int, int, Literal["not_kept", "never"]]] = []
    if assembly.unwanted is not None:
        spans.append((assembly.began, assembly.stopped, assembly.unwanted))
    else:
        if assembly.first_sample > assembly.began:
            spans.append((assembly.began, assembly.first_sample, "not_kept"))
        if assembly.erased is not None:
            spans.append((assembly.end_sample, max(assembly.end_sample, assembly.heard), assembly.erased.cause))
    return [
        Dropped(
            recording=opened.recording,
            conversation=assembly.latest["conversation"],
            station=opened.station,
            since=assembly.time_of(first),
            until=assembly.time_of(end),
            cause=cause,
            whole=assembly.unwanted is not None,
        )
        for first, end, cause in spans
    ]


def cut_off(sidecar: Sidecar) -> ConversationEnded:
    """What is known of a conversation whose recorder never came back, or was killed before it had told of it."""
    return ConversationEnded(
        conversation=sidecar.conversation,
        started=sidecar.started,
        answered=sidecar.started,
        ended=sidecar.ended,
        direction=sidecar.direction,
        stations=[sidecar.station],
        parties=sidecar.parties,
        calls=sidecar.calls,
        via=sidecar.via,
        parked_by=sidecar.parked_by,
        decision=sidecar.decision,
        recordings=[sidecar.recording],
        outcome="recorded",
        reason=CUT_OFF,
    )


def cut_off_with(assembly: Assembly) -> ConversationEnded:
    """The same of one whose recording was dropped."""
    opened, latest = assembly.description(), assembly.latest
    return ConversationEnded(
        conversation=latest["conversation"],
        started=opened.at,
        answered=opened.at,
        ended=assembly.ended,
        direction=latest["direction"],
        stations=[opened.station],
        parties=latest["parties"],
        calls=latest["calls"],
        via=latest["via"],
        parked_by=latest["parked_by"],
        decision=opened.decision,
        recordings=[],
        outcome="not_recorded",
        reason=f"the recorder did not come back; {assembly.unwanted}",
    )
