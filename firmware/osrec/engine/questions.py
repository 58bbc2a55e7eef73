"""Who is in a call, and how, where no event told: the PBX is asked for a snapshot of the call (SnapshotCall)."""

from osrec.calls.changes import Unclear
from osrec.csta.messages import Lost, Outcome
from osrec.csta.monitor import unsupported
from osrec.engine.forks import Forks
from osrec.engine.messages import Output
from osrec.wire.csta.model import CallSnapshot, SnapshotCall

SILENCES = 2  # questions in a row without any answer after which none is asked any more

Found = tuple[str, bytes, CallSnapshot]  # station, id of its call, and who is in it


class Questions:
    """Questions on their way.

    An answer that does not come, or tells nothing, leaves the call as it was presumed to be: better recorded than
    missed. Where the PBX does not offer the service at all, it is not asked again until the link comes up anew.

    Args:
        allowed: whether the configuration lets us ask.
    """

    def __init__(self, forks: Forks, *, allowed: bool) -> None:
        self._forks = forks
        self._allowed = self._offered = allowed
        self._silences = 0
        self._asked: dict[object, tuple[str, bytes]] = {}  # by token of the request

    def connected(self) -> None:
        """The next association's PBX may be another one."""
        self._asked.clear()
        self._offered, self._silences = self._allowed, 0

    def ask(self, unclear: Unclear) -> list[Output]:
        call_id = unclear.connection.call_id
        if not self._offered or not self._forks.link_up or call_id is None:
            return []
        token, request = self._forks.ask(SnapshotCall(unclear.connection))
        self._asked[token] = unclear.station, call_id
        return [request]

    def asked(self, token: object) -> bool:
        """Whether an answer is to a question of ours."""
        return token in self._asked

    def answered(self, token: object, outcome: Outcome) -> Found | None:
        """What the PBX told; None when that was nothing."""
        station, call_id = self._asked.pop(token)
        self._silences = self._silences + 1 if isinstance(outcome, Lost) else 0
        if self._silences >= SILENCES or (not isinstance(outcome, Lost) and unsupported(outcome)):
            self._offered = False
        if isinstance(outcome, CallSnapshot) and outcome.service_cross_ref is None:
            return station, call_id, outcome
        return None
