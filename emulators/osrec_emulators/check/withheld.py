"""What the CAP server kept to itself, as its log of played faults tells: `faults.jsonl` in the truth's directory.

A recorder cannot know what nobody tells it: what is missing of a conversation whose events were withheld is excused,
what is invented is not. While nothing at all was sent the link was down, whatever the connection looked like; so it was
while the PBX said that it did not work. A recorder that learns that it missed something, of what it cannot know, has to
look at all of its stations: for that moment it may say that it was blind.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from osrec.wire.csta.model import Status
from osrec_emulators.cap.faults import STATUSES
from osrec_emulators.check import told
from osrec_emulators.check.outages import Outage

FAULTS = "faults.jsonl"
KEPT = frozenset({"lost", "lose_events", "damaged", "too_large_to_frame"})  # of single events
LOSING = "lose_events"  # of all events to a client, for a while
SILENT = frozenset({"silence", "half_open"})  # of a client's connection
NOTICED = 120.0  # seconds after which a recorder has given up a silent link, if the fault itself does not end before
FIRST_STATUS = frozenset({"first_status_late", "first_status_missing"})
PATIENT = 5.0  # seconds that a client waits for the first SystemStatus before it goes on without
UNFINISHED = frozenset({"answer_lost", "last_segment_lost"})
UNANSWERED = 12.0  # seconds after which a client has asked again for what was not answered
_NOT_WORKING = (Status.DISABLED, Status.INITIALIZING)
_LOSSY = (Status.MESSAGES_LOST, Status.PARTIALLY_DISABLED)
_CALL = re.compile(r", call ([0-9a-f]+)$")
_STARTED = re.compile(r"^MonitorStarted of (\S+)$")
_SECONDS = re.compile(r"(?:^|for )([0-9.]+) s$")


@dataclass(frozen=True, slots=True)
class _Fault:
    what: str
    client: str
    at: float
    detail: str

    @property
    def seconds(self) -> float | None:
        found = _SECONDS.search(self.detail)
        return float(found[1]) if found is not None else None

    @property
    def status(self) -> int | None:
        """Of SystemStatus: by its name, or by its number."""
        name = self.detail.partition(" ")[0]
        if self.what != "status":
            return None
        return int(name) if name.isdecimal() else STATUSES.get(name)


def withheld(directory: Path) -> dict[str, list[float]]:
    """When events of a call were withheld, by call id."""
    kept: dict[str, list[float]] = {}
    for fault in _faults(directory):
        found = _CALL.search(fault.detail)
        if fault.what in KEPT and found is not None:
            kept.setdefault(found[1], []).append(fault.at)
    return kept


def silences(directory: Path, outages: Iterable[Outage] = ()) -> tuple[Outage, ...]:
    """When a client that was associated heard nothing, was told that the PBX does not work, or that it missed events.

    `outages`: one of the link that begins meanwhile ends a silence: the client has noticed, and gone.
    """
    faults = list(_faults(directory))
    gone = sorted(one.span[0] for one in outages if one.what == "link")
    links = (Outage("link", span) for index, one in enumerate(faults) for span in _spans(one, faults[index:], gone))
    return (*links, *_unanswered(faults))


def _unanswered(faults: Iterable[_Fault]) -> Iterator[Outage]:
    """Until an answer is overdue a client waits for it; it does not know of a monitor that is set then.

    After a connection that is the snapshot of a station or of a port: without it no fork is asked for there.
    """
    for one in faults:
        found = _STARTED.match(one.detail)
        if one.what == "answer_lost" and found is not None:
            yield Outage("monitor", (one.at, one.at + UNANSWERED), found[1])
        elif one.what in UNFINISHED:
            yield Outage("answer", (one.at, one.at + UNANSWERED))


def _spans(fault: _Fault, since: Sequence[_Fault], gone: Sequence[float]) -> Iterator[tuple[float, float]]:
    at = fault.at
    if fault.what in SILENT:
        length = min(fault.seconds or NOTICED, NOTICED)
        yield at, next((each for each in gone if at < each <= at + length), at + length)
    elif fault.what == LOSING and fault.seconds is not None:  # else it is one of those that were lost then
        yield at, at + fault.seconds
    elif fault.what == "messages_lost":
        yield at, at
    elif fault.what in FIRST_STATUS:
        yield at, at + (fault.seconds or PATIENT)
    elif fault.status in _NOT_WORKING:
        yield at, _until_it_works(fault, since, gone)
    elif fault.status in _LOSSY:
        yield at, at
        yield at + (fault.seconds or 0.0), at + (fault.seconds or 0.0)


def _until_it_works(fault: _Fault, since: Sequence[_Fault], gone: Sequence[float]) -> float:
    """The next status that this client is told; the next association begins with one that says that all is well."""
    others = [one.at for one in since[1:] if one.client == fault.client and one.status is not None]
    return min([*others, *(each for each in gone if each > fault.at)], default=float("inf"))


def _faults(directory: Path) -> Iterable[_Fault]:
    path = directory / FAULTS
    for row in told.rows(path) if path.exists() else ():
        at = datetime.fromisoformat(row["at"]).timestamp()
        yield _Fault(row["fault"], row.get("client", ""), at, row["detail"])
