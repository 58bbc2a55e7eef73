"""Event reports that come twice without a sequence number that would say so: what else can tell.

Two reports of the same words are not the same report: who presses 5 twice in a second brings two events that differ in
nothing but, if the PBX gives it so, their invoke id or the fraction of their second. So a report is known as a
repetition only

- when it has the invoke id of one just before it and says the same, from a PBX that gives each report an id of its own
  (X.880 lets it give all of them the same one, as XML does: then ids say nothing), or
- when it says the same with the same time, given finer than the second.

A PBX that sends a report again under another id, with times in whole seconds, cannot be found out.
"""

from collections import deque

from osrec.wire.csta.model import EventReport

REMEMBERED = 64  # reports of the link: fewer than any invoke id needs to come round again (127, in one octet)


class Repeats:
    """The last reports of one association."""

    def __init__(self) -> None:
        self._recent: deque[tuple[int, EventReport]] = deque()
        self._by_id: dict[int, EventReport] = {}

    def clear(self) -> None:
        self._recent.clear()
        self._by_id.clear()

    def again(self, invoke_id: int, report: EventReport) -> bool:
        """Whether the report came before; if not, it is remembered."""
        if self._ids_tell and self._by_id.get(invoke_id) == report:
            return True
        if report.at is not None and report.at.microsecond and any(report == earlier for _, earlier in self._recent):
            return True
        self._remember(invoke_id, report)
        return False

    @property
    def _ids_tell(self) -> bool:
        """Each report had an id of its own; of a single one nobody knows."""
        return len(self._recent) > 1 and len(self._by_id) == len(self._recent)

    def _remember(self, invoke_id: int, report: EventReport) -> None:
        if len(self._recent) == REMEMBERED:
            old_id, old = self._recent.popleft()
            if self._by_id.get(old_id) is old:
                del self._by_id[old_id]
        self._recent.append((invoke_id, report))
        self._by_id[invoke_id] = report
