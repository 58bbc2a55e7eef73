"""The stream of event reports to one client, with what is declared to go wrong in it."""

import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace

from osrec.errors import UsageError
from osrec.wire.csta import model
from osrec_emulators.cap.exit import Exit
from osrec_emulators.cap.faults import Events
from osrec_emulators.cap.messages import Counters
from osrec_emulators.cap.spoil import Spoiler, with_eight_bit_name, with_private

NOBODYS = b"\xee\xee"  # cross reference that no monitor has: they are counted from 1


@dataclass(slots=True)
class _Held:
    """Reports of one monitor that wait. `swap`: until the next of that monitor has been sent, if it comes in time."""

    due: float
    reports: deque[model.EventReport]
    swap: bool = False


class Stream:
    """Sends event reports.

    Attributes:
        lost: whether an event has been lost, on purpose, that the client was not told of.
        losing_until: all events are lost until then.
    """

    def __init__(
        self, faults: Events, spoiler: Spoiler, exit_: Exit, counters: Counters, rng: random.Random, *, sequence: bool
    ) -> None:
        self.lost = False
        self.losing_until = float("-inf")
        self._faults = faults
        self._spoiler = spoiler
        self._exit = exit_
        self._counters = counters
        self._rng = rng
        self._sequence = 0 if sequence else None
        self._held: dict[bytes, _Held] = {}
        self._healthy = all(getattr(faults, key) is None for key in Events.model_fields if key.endswith("_every"))

    @property
    def deadline(self) -> float | None:
        """When held reports are due."""
        return min((held.due for held in self._held.values()), default=None)

    def report(self, report: model.EventReport, now: float) -> None:
        """One event of one monitor."""
        if self._sequence is not None:
            self._sequence += 1
            report = replace(report, sequence=self._sequence)
        if now < self.losing_until:
            self._lose(report, "lose_events", now)
        elif self._healthy and not self._held:
            self._send(report, now)
        else:
            self._play(report, now)

    def release(self, now: float) -> None:
        """Send what was held and is due."""
        for cross_ref, held in list(self._held.items()):
            if held.due <= now:
                self._release(cross_ref, now)

    def forget(self, cross_ref: bytes) -> None:
        """The monitor has ended."""
        self._held.pop(cross_ref, None)

    def junk(self, now: float) -> None:
        octets = self._spoiler.junk(self._rng)
        self._exit.played("junk", now, octets.hex())
        self._exit.send_octets(octets, now)

    def oversized(self, report: model.EventReport, now: float) -> None:
        """An event report with private data that makes it large."""
        report = with_private(report, self._spoiler.oversized(self._faults.oversized_octets))
        self._exit.played("oversized", now, f"{self._faults.oversized_octets} octets")
        try:
            self._send(report, now)
        except UsageError as error:  # XML's own limit
            self._counters.withheld += 1
            self._exit.played("too_large_to_frame", now, f"{error}: {_named(report)}")

    # --- one report

    def _hits(self, every: int | None) -> bool:
        return every is not None and self._rng.randrange(every) == 0

    def _play(self, report: model.EventReport, now: float) -> None:
        faults, cross_ref = self._faults, report.cross_ref
        held = self._held.get(cross_ref)
        if self._hits(faults.lost_every):
            self._lose(report, "lost", now)
        elif held is not None and held.swap:
            self._spoilt(report, now)
            self._release(cross_ref, now)
        elif held is not None:
            held.reports.append(report)  # the order within a monitor stays as it was
        elif self._hits(faults.reorder_every):
            self._exit.played("reorder", now, _named(report))
            self._held[cross_ref] = _Held(now + faults.reorder_by, deque([report]))
        elif self._hits(faults.swap_every):
            self._exit.played("swap", now, _named(report))
            self._held[cross_ref] = _Held(now + faults.reorder_by, deque([report]), swap=True)
        else:
            self._spoilt(report, now)

    def _release(self, cross_ref: bytes, now: float) -> None:
        for report in self._held.pop(cross_ref).reports:
            self._spoilt(report, now)

    def _lose(self, report: model.EventReport, fault: str, now: float) -> None:
        self.lost = True
        self._counters.withheld += 1
        self._exit.played(fault, now, _named(report))

    def _spoilt(self, report: model.EventReport, now: float) -> None:
        """Send it, with what goes wrong with the report itself, and what comes beside it."""
        faults, exit_, name = self._faults, self._exit, _named(report)
        if self._hits(faults.damaged_every):
            exit_.played("damaged", now, name)
            self._counters.withheld += 1
            exit_.send_octets(self._spoiler.damaged(self._encoded(report), self._rng), now)
            return
        clean = report
        if self._hits(faults.private_every):
            exit_.played("private", now, name)
            report = with_private(report, self._spoiler.private(self._rng))
        if self._hits(faults.eight_bit_every):
            exit_.played("eight_bit", now, name)
            report = with_eight_bit_name(report)
        if self._hits(faults.oversized_every):
            self.oversized(report, now)
        else:
            self._send_octets(self._with_octets_spoilt(self._encoded(report), name, now), name, now)
        self._beside(clean, name, now)

    def _with_octets_spoilt(self, pdu: bytes, name: str, now: float) -> bytes:
        faults, spoiler, rng = self._faults, self._spoiler, self._rng
        ways: tuple[tuple[int | None, str, Callable[[bytes], bytes]], ...] = (
            (faults.unknown_cause_every, "unknown_cause", lambda octets: spoiler.unknown_cause(octets, rng)),
            (faults.unknown_member_every, "unknown_member", lambda octets: spoiler.unknown_member(octets, rng)),
            (faults.indefinite_every, "indefinite", spoiler.indefinite),
        )
        for every, fault, change in ways:
            if self._hits(every):
                self._exit.played(fault, now, name)
                pdu = change(pdu)
        return pdu

    def _beside(self, report: model.EventReport, name: str, now: float) -> None:
        faults, exit_ = self._faults, self._exit
        if self._hits(faults.duplicate_every):
            exit_.played("duplicate", now, name)
            self._send(report, now)
        if self._hits(faults.unknown_event_every):
            exit_.played("unknown_event", now, name)
            exit_.send_octets(self._spoiler.unknown_event(self._encoded(report), self._rng), now)
        if self._hits(faults.unknown_monitor_every):
            exit_.played("unknown_monitor", now, name)
            self._send(replace(report, cross_ref=NOBODYS), now)
        if self._hits(faults.junk_every):
            self.junk(now)

    def _send(self, report: model.EventReport, now: float) -> None:
        self._send_octets(self._encoded(report), _named(report), now)

    def _send_octets(self, octets: bytes, name: str, now: float) -> None:
        if self._exit.send_octets(octets, now, name):
            self._counters.events += 1
        else:
            self._counters.withheld += 1

    def _encoded(self, report: model.EventReport) -> bytes:
        return self._exit.encode(model.Invoke(self._exit.invoke_id(), report))


def _named(report: model.EventReport) -> str:
    """What the judge of ledgers reads back: whose events were withheld."""
    name = f"{type(report.event).__name__} of monitor {report.cross_ref.hex()}"
    connection = getattr(report.event, "connection", None) or getattr(report.event, "primary", None)
    return name if connection is None else f"{name}, call {connection.call_id.hex()}"
