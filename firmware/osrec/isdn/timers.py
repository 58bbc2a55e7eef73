"""Timers of call control: Q.931 tables 9-1 (network) and 9-2 (user), ECMA-143 (QSIG). One table, all configurable."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from math import isfinite

from osrec.errors import UsageError
from osrec.isdn.profile import Protocol, Role


class Timer(Enum):
    """Timers that run for a call, or (T316) for a restart; T317 is not among them: see docs/isdn.md."""

    T301 = "T301"
    T302 = "T302"
    T303 = "T303"
    T304 = "T304"
    T305 = "T305"
    T308 = "T308"
    T309 = "T309"
    T310 = "T310"
    T313 = "T313"
    T316 = "T316"
    T322 = "T322"


@dataclass(frozen=True, slots=True)
class Row:
    """Seconds on each side, and what the timer is for; None: that side does not run it."""

    network: float | None
    user: float | None
    qsig: float | None
    clause: str
    started: str
    expiry: str


ROWS: dict[Timer, Row] = {
    Timer.T301: Row(180, 180, 180, "Q.931 5.2.5.3", "ALERTING received", "DISCONNECT 102"),
    Timer.T302: Row(12, 15, 15, "Q.931 5.1.3", "SETUP ACKNOWLEDGE sent, INFORMATION", "the number is complete, or 28"),
    Timer.T303: Row(4, 4, 4, "Q.931 5.2.5.3", "SETUP sent", "SETUP once more, then RELEASE COMPLETE 102"),
    Timer.T304: Row(20, 30, 20, "Q.931 5.2.4", "SETUP ACKNOWLEDGE received", "DISCONNECT 28: we have no more digits"),
    Timer.T305: Row(30, 30, 30, "Q.931 5.3.3", "DISCONNECT sent", "RELEASE with the same cause"),
    Timer.T308: Row(4, 4, 4, "Q.931 5.3.3", "RELEASE sent", "RELEASE once more, then the channel needs maintenance"),
    Timer.T309: Row(90, 90, 90, "Q.931 5.8.9", "data link lost in state 10", "released with cause 27"),
    Timer.T310: Row(10, 30, 30, "Q.931 5.2.5.3", "CALL PROCEEDING received", "DISCONNECT 102"),
    Timer.T313: Row(None, 4, 4, "Q.931 5.2.8", "CONNECT sent", "DISCONNECT 102"),
    Timer.T316: Row(120, 120, 120, "Q.931 5.5.1", "RESTART sent", "RESTART once more, then maintenance is told"),
    Timer.T322: Row(4, 4, 4, "Q.931 5.8.10", "STATUS ENQUIRY sent", "STATUS ENQUIRY once more, then DISCONNECT 41"),
}


@dataclass(frozen=True, slots=True)
class Timers:
    """The timers of one access. `changed`: seconds by name, "T303", where they are not as in the table."""

    protocol: Protocol = Protocol.DSS1
    role: Role = Role.USER
    changed: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        names = {timer.value for timer in Timer}
        for name, seconds in self.changed.items():
            if name not in names:
                raise UsageError(f"timer {name!r}: known are {', '.join(sorted(names))}")
            if not (isfinite(seconds) and seconds > 0):
                raise UsageError(f"timer {name} of {seconds:g} s: a number of seconds, more than 0 [Q.931 9]")

    def __getitem__(self, timer: Timer) -> float | None:
        """Seconds; None: this side does not run the timer."""
        row = ROWS[timer]
        usual = row.network if self.role is Role.NETWORK else row.user
        usual = row.qsig if self.protocol is Protocol.QSIG else usual
        return None if usual is None else self.changed.get(timer.value, usual)
