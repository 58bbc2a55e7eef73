"""A PBX that is too busy: what it would not do now is asked for again, a little later each time.

That it is busy says nothing of the station or the port that was asked for. A port that it did not take out of a call
is in there still: it takes the place of the next fork of that station, and the next call on that pair would get its
audio.
"""

from collections.abc import Callable
from dataclasses import dataclass

from osrec.csta.messages import Lost
from osrec.engine.recording import Recording
from osrec.wire.csta.model import Argument, ErrorCategory, Reject, ReturnError

BACK_OFF = (0.5, 1.0, 2.0, 5.0)  # seconds after which it is asked again; the last one for ever
NOT_SENT = Lost("too many requests outstanding")
UNANSWERED = Lost("timeout")
_BUSY = (ErrorCategory.SUBSCRIBED_RESOURCE, ErrorCategory.PERFORMANCE)
_RESOURCE_LIMITATION = (1, 3)  # kind and problem of a reject, X.880


def is_busy(outcome: object) -> bool:
    """Whether the request was not carried out for want of capacity, and might be a little later."""
    match outcome:
        case ReturnError(_, category, _):
            return category in _BUSY
        case Reject(_, kind, problem):
            return (kind, problem) == _RESOURCE_LIMITATION
        case _:
            return outcome == NOT_SENT


def back_off(times: int) -> float:
    """How long to wait after so many refusals in a row."""
    return BACK_OFF[min(times, len(BACK_OFF)) - 1]


class Pause:
    """No fork is asked for while it lasts; one for all stations, since it is the PBX that is busy.

    Attributes:
        times: how often in a row the PBX was still busy when it was over.
    """

    def __init__(self) -> None:
        self.times = 0
        self._until = 0.0

    def refused(self, now: float) -> float:
        """The PBX is busy; until when to wait. What it refuses in the meantime was asked for before: no new pause."""
        if now >= self._until:
            self.times += 1
            self._until = now + back_off(self.times)
        return self._until

    def granted(self) -> None:
        self.times = 0

    @property
    def long(self) -> bool:
        """Whether somebody should be told."""
        return self.times >= len(BACK_OFF)


@dataclass(slots=True)
class _Clear:
    """`times`: it was refused so often; `again`: when to repeat it, None while its answer is awaited."""

    recording: Recording
    argument: Argument
    times: int = 0
    again: float | None = None


class Clears:
    """Requests that take a recording's ports out of its call, each until the PBX has done it or says that it cannot."""

    def __init__(self, token: Callable[[], object]) -> None:
        self._token = token
        self._clears: dict[object, _Clear] = {}

    def ask(self, recording: Recording, argument: Argument, now: float) -> tuple[object, Argument]:
        """The request to send now."""
        return self._send(_Clear(recording, argument), now)

    def answered(self, token: object, outcome: object, now: float) -> Recording | None:
        """The recording when the answer ends such a request of it; no other refusal than "busy": the port is out."""
        clear = self._clears.get(token)
        if clear is None:
            return None
        if is_busy(outcome) or outcome == UNANSWERED:
            clear.times += 1
            clear.again = now + back_off(clear.times)
            return None
        del self._clears[token]
        clear.recording.leaving.discard(token)
        return clear.recording

    def repeat(self, now: float) -> list[tuple[object, Argument]]:
        """Requests to send now since their time has come."""
        due = [token for token, clear in self._clears.items() if clear.again is not None and clear.again <= now]
        requests: list[tuple[object, Argument]] = []
        for token in due:
            clear = self._clears.pop(token)
            clear.recording.leaving.discard(token)
            requests.append(self._send(clear, now))
        return requests

    def again(self, recording: Recording) -> float | None:
        """When the last of those that a busy PBX refused to a recording is repeated, None: no answer is so."""
        times = [clear.again for token in recording.leaving if (clear := self._clears[token]).again is not None]
        return max((time for time in times if time is not None), default=None)

    def forget(self, recording: Recording) -> bool:
        """Whether there were any that the PBX has not carried out."""
        for token in recording.leaving:
            del self._clears[token]
        unfinished = bool(recording.leaving)
        recording.leaving.clear()
        return unfinished

    def disconnected(self) -> list[Recording]:
        """The link is lost, nothing is repeated; the recordings whose ports are to be looked for."""
        postponed = {token: clear for token, clear in self._clears.items() if clear.again is not None}
        for token, clear in postponed.items():
            del self._clears[token]
            clear.recording.leaving.discard(token)
        return [clear.recording for clear in postponed.values()]

    @property
    def deadline(self) -> float | None:
        return min((clear.again for clear in self._clears.values() if clear.again is not None), default=None)

    def _send(self, clear: _Clear, now: float) -> tuple[object, Argument]:
        token = self._token()
        clear.again = None
        clear.recording.left = now
        clear.recording.leaving.add(token)
        self._clears[token] = clear
        return token, clear.argument
