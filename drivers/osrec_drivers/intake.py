"""Octets off a board into the engine of a line, so that its sample numbers never lose step with time.

Boards do not number what they give us, or only in small circles. What they drop in silence (a socket that nobody read
in time, a USB transfer that was not there) shows only in that 8000 frames a second become fewer: from then on
everything comes later than it used to. An intake watches that delay, and puts a gap with its cause where the loss was.
No I/O, no clock: `now` is CLOCK_MONOTONIC in ns, given by whoever reads the board.
"""

from dataclasses import dataclass

import numpy as np

from osrec_drivers.drift_windows import DriftWindows
from osrec_drivers.e1.engine import Engine
from osrec_drivers.line import Alarm, AlarmChange, GapCause, Octets

FRAME = 32  # octets
FRAME_NS = 125_000
_MS = 1_000_000


@dataclass(frozen=True, slots=True)
class Limits:
    """When a delay is a loss; in ns.

    Attributes:
        late: how much later than usual frames may come without any being lost: reader and scheduler need that much.
        doubt: how long frames that come later than that are held back, in case they were only late.
        silence: without octets for so long the line raises NO_PACKETS, and its time goes on by the clock.
        creep_ppm: how much faster or slower the far end's clock may be than ours; more than that is octets lost.
    """

    late: int = 60 * _MS
    doubt: int = 250 * _MS
    silence: int = 500 * _MS
    creep_ppm: int = 150  # +-50 ppm of G.703 9.1 and +-100 ppm of a computer


# A clock-driven gap ends so much before now: what comes back must never turn out to be older than what was given out.
_BEHIND_NS = 500 * _MS
_BEHIND_PPM = 200
_FAS, _NFAS = 0x9B, 0xDF  # Si 1, no alarm, Sa bits 1, G.704 2.3.2


def with_ts0(frames: Octets, number: int) -> bytes:
    """Frames with TS0 written, FAS in the even ones; `number` is that of the first."""
    written = np.frombuffer(frames, np.uint8).reshape(-1, FRAME).copy()
    odd = (np.arange(len(written)) + number) & 1
    written[:, 0] = np.where(odd, _NFAS, _FAS)
    return written.tobytes()


class Intake:
    """Takes what a board gives.

    Args:
        writes_ts0: the board frames itself and keeps TS0: whatever it gives there is overwritten with a frame
            alignment signal of ours, so that one engine serves all boards.

    Attributes:
        lost: frames that were lost on the way, as far as anybody could tell.
        overruns: times that happened.
        first_arrival: when the first octets came, None before.
    """

    def __init__(self, engine: Engine, limits: Limits | None = None, *, writes_ts0: bool = False) -> None:
        self.engine = engine
        self.lost = 0
        self.overruns = 0
        self.first_arrival: int | None = None
        self.last_arrival = 0
        self._limits = Limits() if limits is None else limits
        self._writes_ts0 = writes_ts0
        self._origin = 0  # when frame 0 of the engine was due
        self._base = 0  # least delay, followed at the pace that clocks may differ
        self._based_at = 0
        self._held: list[bytes] = []  # frames under doubt
        self._held_since = 0
        self._held_delay = 0
        self._held_lost = (0, 0)  # what the board says is missing before them: so many frames, or a multiple more
        self._suspect_until = 0
        self._silent = False
        self._drift = DriftWindows()
        self._alarms: dict[Alarm, GapCause | None] = {}
        self._changes: list[AlarmChange] = []
        self._absence = GapCause.NO_PACKETS
        self._opened: int | None = None

    # ---- what comes ----

    def take(self, octets: Octets, now: int, *, fresh: bool = True, lost: int = 0, circle: int = 0) -> None:
        """Whole frames that came in one piece.

        Args:
            octets: n x 32 of them.
            now: when the last of them came.
            fresh: nothing waits behind them; else they waited, and their delay says nothing.
            lost: frames that the board says are missing before them.
            circle: the board numbers frames modulo this, so a multiple of it may be missing, too; 0: it does not.
        """
        frames = len(octets) // FRAME
        if self.first_arrival is None:
            self._start(frames, now)
        elif self._silent:
            self._come_back(frames, now)
        elif lost:
            self._settle(now)
            self._told_lost(lost, circle, self.delay(now, frames + lost) if fresh else None)
        self.last_arrival = now
        if fresh or self._held:
            self._weigh(octets, now)
        else:
            self._feed(octets)

    def delay(self, now: int, frames: int = 0) -> int:
        """How much later than usual it is for so many more frames to have come, in ns."""
        return now - self._origin - (self._frames + frames) * FRAME_NS - self._base

    def due(self, frames: int) -> int:
        """When frame `frames` of the engine came or will come, as far as the clock estimate goes."""
        return self._origin + self._base + frames * FRAME_NS

    def tick(self, now: int) -> None:
        """Time passes, whether or not anything comes. To be called a few times a second."""
        if self._opened is None:
            self._opened = now
        if self._held and now - self._held_since >= self._limits.doubt:
            self._settle(now)
        quiet_since = self.last_arrival if self.first_arrival is not None else self._opened
        if now - quiet_since > self._limits.silence:
            self._silent = True
            self._absence = self._cause or self._absence
            if self._absence is GapCause.NO_PACKETS:
                self.alarm(Alarm.NO_PACKETS, True)
            self._absent(now)

    def suspect(self, now: int, circle: int) -> None:
        """The board says that it lost frames, a multiple of `circle`, and not how many: the clock has to tell."""
        if not self._silent and self._held_lost == (0, 0):
            self._suspect_until = now + self._limits.doubt
            self._held_lost = (0, circle)

    def ppm(self) -> float | None:
        """The board's clock against ours, None until it is known."""
        return self._drift.ppm()

    def gone(self) -> None:
        """The board is not there any more; what it told of the line counts no more."""
        self._settle(self.last_arrival)
        self._silent = True
        self._absence = GapCause.UNPLUGGED
        for alarm in self.alarms - {Alarm.UNPLUGGED}:
            self.alarm(alarm, False)
        self.alarm(Alarm.UNPLUGGED, True)

    # ---- alarms that the board tells of ----

    def alarm(self, alarm: Alarm, raised: bool, cause: GapCause | None = None) -> None:
        """The board says that an alarm came or went. With a cause, what comes meanwhile is no audio but a gap."""
        if raised == (alarm in self._alarms):
            return
        if raised:
            self._alarms[alarm] = cause
        else:
            del self._alarms[alarm]
        self._changes.append(AlarmChange(alarm, raised, self.engine.head))

    @property
    def alarms(self) -> frozenset[Alarm]:
        return frozenset(self._alarms)

    def changes(self) -> list[AlarmChange]:
        """What `alarm` was told since the last call."""
        told, self._changes = self._changes, []
        return told

    # ---- inside ----

    @property
    def _frames(self) -> int:
        return self.engine.octets // FRAME

    @property
    def _cause(self) -> GapCause | None:
        """Why what comes is no audio, as the board says."""
        return next((cause for cause in self._alarms.values() if cause is not None), None)

    def _start(self, frames: int, now: int) -> None:
        self.first_arrival = now
        self._based_at = now
        resume = self.engine.resume
        if resume is not None:
            away = (now - resume.monotonic_ns) // FRAME_NS - frames
            self.engine.miss(FRAME * max(away, 0), GapCause.NOT_LISTENING)
        self._origin = now - (self._frames + frames) * FRAME_NS
        self._present()

    def _told_lost(self, lost: int, circle: int, delay: int | None) -> None:
        """The board's count has a gap; `delay` how late what follows is if that is all, None when it has waited."""
        if circle and delay is not None and delay < -lost * FRAME_NS // 2:
            return  # it began to count anew
        if circle and delay is not None and delay > self._late(circle):
            self._held_lost = (lost, circle)
        else:
            self._lose(lost)

    def _late(self, circle: int) -> int:
        """What is later than that is lost. With a count that goes round, half a round is."""
        return min(self._limits.late, circle * FRAME_NS // 2) if circle else self._limits.late

    def _come_back(self, frames: int, now: int) -> None:
        """Silence is over; how long it was, only the clock knows."""
        self._settle(now)
        self.engine.miss(FRAME * max(self.delay(now, frames) // FRAME_NS, 0), self._absence)
        self._base += self.delay(now, frames)  # less than a frame, or what the clocks have drifted
        self._based_at = now
        self._drift.restart()
        self._present()

    def _present(self) -> None:
        self._silent = False
        self._absence = GapCause.NO_PACKETS
        self.alarm(Alarm.NO_PACKETS, False)
        self.alarm(Alarm.UNPLUGGED, False)

    def _absent(self, now: int) -> None:
        if self.first_arrival is None:
            return
        self._settle(now)
        silent = now - self.last_arrival
        sure = self.delay(now) - _BEHIND_NS - silent * _BEHIND_PPM // 1_000_000
        if sure >= FRAME_NS:
            self.engine.miss(sure // FRAME_NS * FRAME, self._absence)

    def _weigh(self, octets: Octets, now: int) -> None:
        if self._suspect_until and now >= self._suspect_until:
            self._settle(now)
        waiting = self._held_lost[0] + sum(map(len, self._held)) // FRAME
        delay = self.delay(now, waiting + len(octets) // FRAME)
        if delay <= self._late(self._held_lost[1]) and not self._suspect_until:
            self._release()
            self._follow(delay, now)
            self._feed(octets)
            return
        self._held_since = self._held_since if self._held else now
        self._held_delay = min(self._held_delay, delay) if self._held else delay
        self._held.append(bytes(octets))
        if now - self._held_since >= self._limits.doubt:
            self._settle(now)

    def _follow(self, delay: int, now: int) -> None:
        creep = (now - self._based_at) * self._limits.creep_ppm // 1_000_000
        self._base += min(creep, delay)
        self._based_at = now
        nominal = self._frames * FRAME_NS
        self._drift.note(nominal, now - self._origin - nominal)

    def _settle(self, now: int) -> None:
        """Frames under doubt did not catch up: some before them are lost."""
        if not self._held:
            self._suspect_until, self._held_lost = 0, (0, 0)
            return
        lost, circle = self._held_lost
        more = self._held_delay // FRAME_NS
        self._held_lost = (lost + (max(round(more / circle), 0) * circle if circle else more), 0)
        self._suspect_until = 0
        self._release()
        self._based_at = now

    def _release(self) -> None:
        held, self._held = self._held, []
        (lost, _), self._held_lost = self._held_lost, (0, 0)
        self._lose(lost)
        for octets in held:
            self._feed(octets)

    def _lose(self, frames: int) -> None:
        if not frames:
            return
        self.lost += frames
        self.overruns += 1
        self._drift.restart()
        self.engine.miss(FRAME * frames, GapCause.OVERRUN)

    def _feed(self, octets: Octets) -> None:
        cause = self._cause
        if cause is not None:
            self.engine.miss(len(octets), cause)
        elif self._writes_ts0:
            self.engine.receive(with_ts0(octets, self._frames))
        else:
            self.engine.receive(octets)
