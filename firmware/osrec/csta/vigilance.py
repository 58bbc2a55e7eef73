"""Timers that keep an association alive: the heartbeat, and the XML session's own clock (ECMA-354)."""

from osrec.csta.settings import LinkConfig
from osrec.wire.csta.model import RequestSystemStatus, Session, Status, SystemStatus

RENEW_AFTER = 0.5  # of a session's duration: a renewal that gets lost leaves time for more
ENOUGH = 0.5  # of the time that an answer may take, in silence: PBXs answer within milliseconds
RENEW_AGAIN = 0.1  # of it, after a renewal without success


class Heartbeat:
    """Silence of the PBX, and what it does not answer.

    Attributes:
        due: when to ask for a sign of life, None: not now.
        misses: questions in a row without one.
    """

    def __init__(self, config: LinkConfig) -> None:
        self.due: float | None = None
        self.misses = 0
        self._config = config
        self._heard = float("-inf")

    def stop(self) -> None:
        self.due, self.misses = None, 0

    def heard(self, now: float, *, watching: bool) -> None:
        """Whatever the PBX sends shows that it lives."""
        self.misses, self._heard = 0, now
        if self._config.heartbeat and watching:
            self.due = now + self._config.heartbeat

    def unheard(self, now: float) -> float:
        """For how long nothing has come."""
        return max(now - self._heard, 0.0) if self._heard > float("-inf") else 0.0

    def silent(self, now: float) -> bool:
        """A request was not answered: has nothing else come, either, for half the time that an answer may take?

        Then the PBX is asked at once whether it is there: of a half-open link nothing would be heard until the next
        heartbeat. Without heartbeats nobody would ever know.
        """
        if not self._config.heartbeat or now - self._heard < self._config.request_timeout * ENOUGH:
            return False
        if self.due is not None:
            self.due = now
        return True

    def take(self, now: float) -> RequestSystemStatus | SystemStatus | None:
        """What to send now, if anything; what is heard next arms the timer again."""
        if self.due is None or self.due > now:
            return None
        self.due = None
        return self.question

    @property
    def question(self) -> RequestSystemStatus | SystemStatus:
        by_status = self._config.heartbeat_by == "status"
        return SystemStatus(Status.NORMAL) if by_status else RequestSystemStatus()

    def missed(self) -> bool:
        """One more question was not answered; True when that is one too many."""
        self.misses += 1
        return self.misses >= self._config.heartbeat_misses


class SessionClock:
    """When to renew the XML session, which ends by itself.

    Attributes:
        id: sessionID, None without session.
        due: when to renew, None: never.
        ends: when the server ends the session unless renewed.
    """

    def __init__(self) -> None:
        self.stop()

    def stop(self) -> None:
        self.id: str | None = None
        self.due: float | None = None
        self.ends: float | None = None
        self._seconds: int | None = None

    def begin(self, session: Session | None, now: float) -> None:
        self.stop()
        if session is not None and session.id is not None:
            self.id = session.id
            self.renewed(session.seconds, now)

    def renewed(self, seconds: int | None, now: float) -> None:
        """The session lasts so long from now on; None: as long as before."""
        self._seconds = seconds or self._seconds
        if self._seconds is not None:
            self.due, self.ends = now + self._seconds * RENEW_AFTER, now + self._seconds

    @property
    def seconds(self) -> int | None:
        return self._seconds

    def asked(self, now: float) -> None:
        """A renewal is on its way; without success there is another."""
        if self._seconds is not None:
            self.due = now + self._seconds * RENEW_AGAIN

    def over(self, now: float) -> bool:
        return self.ends is not None and self.ends <= now
