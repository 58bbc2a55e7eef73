"""Results that the PBX gives in segments (operations 76 and 77), put together whoever asked for them."""

from collections import deque
from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace

from osrec.csta.messages import Trouble
from osrec.wire.csta.model import CallSnapshot, DeviceSnapshot, SnapshotCallData, SnapshotDeviceData

MOST_EARLY = 64  # segments kept that came before the result which announces them
MOST_ENTRIES = 10_000  # legs or parties of one result: nothing real has more

Segment = SnapshotDeviceData | SnapshotCallData
Whole = DeviceSnapshot | CallSnapshot
Done = Callable[[Whole | None, float], None]
"""Takes the whole result and the time; None: its segments ceased."""

_Key = tuple[type[Segment], bytes]


@dataclass(slots=True)
class _Awaited:
    """What came of a result so far. `token`: of the service that it answers, None when that is our own business."""

    result: Whole
    done: Done
    due: float
    token: Hashable


class Segments:
    """All results that are on their way in segments.

    Args:
        patience: seconds from one segment to the next.
        trouble: takes what is to be told.
        expected: whether a segment may be ahead of its result: requests that it may belong to are outstanding.
    """

    def __init__(self, patience: float, trouble: Callable[[Trouble], None], expected: Callable[[], bool]) -> None:
        self._patience = patience
        self._trouble = trouble
        self._expected = expected
        self._awaited: dict[_Key, _Awaited] = {}  # the one that waits longest is first
        self._early: deque[tuple[float, Segment]] = deque(maxlen=MOST_EARLY)

    @property
    def on_their_way(self) -> int:
        """Results that are not whole yet."""
        return len(self._awaited)

    def clear(self) -> list[Hashable]:
        """Nothing more will come: tokens of the services that somebody waits for."""
        tokens = [one.token for one in self._awaited.values() if one.token is not None]
        self._awaited.clear()
        self._early.clear()
        return tokens

    def put(self, result: Whole, done: Done, now: float, token: Hashable = None) -> None:
        """A result: `done` is called, at once or when its last segment is here, always, unless all is cleared."""
        reference = result.service_cross_ref
        if reference is None:
            done(result, now)
            return
        key: _Key = (SnapshotDeviceData if isinstance(result, DeviceSnapshot) else SnapshotCallData), reference
        before = self._awaited.pop(key, None)
        self._awaited[key] = _Awaited(result, done, now + self._patience, token)
        if before is not None:
            self._trouble(Trouble(f"the PBX gave reference {reference.hex()} of segments to another result"))
            before.done(None, now)
        early = [data for _, data in self._early if _key(data) == key]
        self._early = deque((one for one in self._early if _key(one[1]) != key), MOST_EARLY)
        for data in early:
            self.add(data, now)

    def add(self, data: Segment, now: float) -> None:
        """A segment; it may overtake the result that announces it."""
        awaited = self._awaited.pop(_key(data), None)
        if awaited is None:
            if self._expected():
                self._early.append((now + self._patience, data))
            else:
                self._nobody_asked(data)
            return
        awaited.result, size = _joined(awaited.result, data)
        if size > MOST_ENTRIES:
            reference = data.service_cross_ref.hex()
            self._trouble(Trouble(f"segments {reference} are given up: more than {MOST_ENTRIES} entries"))
            awaited.done(None, now)
        elif data.last:
            awaited.done(replace(awaited.result, service_cross_ref=None), now)
        else:
            awaited.due = now + self._patience
            self._awaited[_key(data)] = awaited

    @property
    def deadline(self) -> float | None:
        """When `expire` has something to do."""
        dues = [one.due for one in list(self._awaited.values())[:1]] + [due for due, _ in list(self._early)[:1]]
        return min(dues, default=None)

    def expire(self, now: float) -> None:
        """Give up results whose segments ceased, and segments whose result never came."""
        while self._early and self._early[0][0] <= now:
            self._nobody_asked(self._early.popleft()[1])
        while self._awaited and (key := next(iter(self._awaited))) and self._awaited[key].due <= now:
            self._awaited.pop(key).done(None, now)

    def _nobody_asked(self, data: Segment) -> None:
        self._trouble(Trouble(f"snapshot segment {data.service_cross_ref.hex()} that nobody asked for"))


def _key(data: Segment) -> _Key:
    return type(data), data.service_cross_ref


def _joined(result: Whole, data: Segment) -> tuple[Whole, int]:
    """The result with a segment more, and how many entries it has."""
    if isinstance(data, SnapshotDeviceData):
        assert isinstance(result, DeviceSnapshot)  # the key tells the kinds apart
        legs = result.legs + data.legs
        return replace(result, legs=legs), len(legs)
    assert isinstance(result, CallSnapshot)
    entries = result.entries + data.entries
    return replace(result, entries=entries), len(entries)
