"""How quickly monitors may be started, and who comes next where licences are missing."""

from osrec.csta.settings import LinkConfig
from osrec.wire.csta.model import Status

CATCH_UP = 0.05  # seconds that a late timer may make up for: a rate of 1000 a second shall not depend on its grain
NOTICE = 1.0  # seconds between two reports of what has no licence: 500 refusals are few reports
_SLOWER = {Status.OVERLOAD_IMMINENT: 4, Status.OVERLOAD_REACHED: 20}  # ours; no text says how much a PBX wants


class Pace:
    """The rate of MonitorStart requests and the window of all that is paced."""

    def __init__(self, config: LinkConfig) -> None:
        self._config = config
        self._slower = 1
        self.next = 0.0

    def reset(self, now: float) -> None:
        self._slower, self.next = 1, now

    @property
    def window(self) -> int:
        return max(1, self._config.window // self._slower)

    def sent(self, now: float) -> None:
        self.next = max(self.next, now - CATCH_UP) + self._slower / self._config.starts_per_second

    def back_off(self, attempts: int) -> float:
        """Pause after so many refusals in a row."""
        return min(self._config.retry_first * 2.0 ** min(attempts, 30), self._config.retry_most)

    def busy(self, attempts: int, now: float) -> None:
        """The PBX is what is busy, not the device: everything waits."""
        self.next = max(self.next, now + self.back_off(attempts))

    def status(self, status: int) -> None:
        """Overload slows down; OVERLOAD_RELIEVED and whatever else is not overload ends that."""
        self._slower = _SLOWER.get(Status(status), 1) if status in _SLOWER else 1


class Licences:
    """Devices that the PBX refused for want of licences.

    One at a time is tried after a pause. When that one gets a licence there may be more, so the next follows at once;
    when not, all of them wait again: k free licences cost k + 1 requests, however many devices wait.
    """

    def __init__(self, retry: float) -> None:
        self._retry = retry
        self._missing: dict[str, None] = {}  # in the order in which they are tried
        self._trying: str | None = None
        self._due: float | None = None
        self._told: tuple[str, ...] = ()
        self._notice_due: float | None = None
        self._quiet_until = float("-inf")

    @property
    def missing(self) -> tuple[str, ...]:
        return tuple(sorted(self._missing))

    @property
    def due(self) -> float | None:
        """When the next device may be tried."""
        return self._due if self._missing and self._trying is None else None

    def refused(self, device: str, now: float) -> None:
        known = device in self._missing
        self._missing.pop(device, None)
        self._missing[device] = None  # behind the others
        if self._trying in (None, device):
            self._trying, self._due = None, now + self._retry
        if not known:
            self._changed(now)

    def take(self, now: float) -> str | None:
        """The device to try now."""
        if self.due is None or self.due > now:
            return None
        self._trying = next(iter(self._missing))
        return self._trying

    def settled(self, device: str, now: float, *, granted: bool) -> None:
        """The device is monitored, or it no longer matters, or licences are not what it lacks now."""
        if self._trying == device:
            self._trying = None
            self._due = now if granted else now + self._retry
        if device in self._missing:
            del self._missing[device]
            self._changed(now)

    def hurry(self, now: float) -> None:
        """A monitor of ours ended, and with it a licence is free."""
        self._due = now

    def clear(self, now: float) -> None:
        self._missing.clear()
        self._trying = self._due = None
        self._quiet_until = float("-inf")
        self._changed(now)

    def _changed(self, now: float) -> None:
        self._notice_due = now if not self._missing else max(now, self._quiet_until)

    @property
    def deadline(self) -> float | None:
        """When `notice` has something to say."""
        return self._notice_due

    def notice(self, now: float) -> tuple[str, ...] | None:
        """The devices without licence, when they changed and it is time to say so."""
        if self._notice_due is None or self._notice_due > now:
            return None
        self._notice_due = None
        missing = self.missing
        if missing == self._told:
            return None
        self._told, self._quiet_until = missing, now + NOTICE
        return missing
