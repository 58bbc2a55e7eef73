"""A line with channel associated signalling: the bits of time slot 16 between the line and its slots' machines."""

from collections import Counter
from collections.abc import Collection, Mapping
from typing import Any

import structlog

from osrec.cas.settings import CasConfig
from osrec.cas.slot import Answered, CasSlot, Clear, CodeSeen, Event, Over, SendCode, TimerExpired, Trouble
from osrec.engine.messages import Released, Seized, SignallingChanged
from osrec.recorder.trunk_calls import News
from osrec_drivers.line import Line

log = structlog.get_logger()
NOT_UP = 5.0  # seconds without CAS multiframe after which that is told


class CasTrunk:
    """One line. The slot says which port is meant.

    Args:
        ports: the number of our port on each time slot.
        going_on: slots of recordings of an earlier run: their calls are up at the PBX, and stay so.
    """

    def __init__(
        self,
        name: str,
        config: CasConfig,
        ports: Mapping[int, str],
        line: Line,
        now: float,
        going_on: Collection[int] = (),
    ) -> None:
        self._name = name
        self._line = line
        self._ports = dict(ports)
        self._slots = {slot: CasSlot(config, answered=slot in going_on) for slot in ports}
        self._news: list[News] = [Seized(name, slot, ports[slot]) for slot in ports if slot in going_on]
        self._aligned = False
        self._tell_at: float | None = now + NOT_UP
        self._last_trouble = ""
        for slot in ports:
            line.send_cas(slot, config.our_answer if slot in going_on else config.our_idle)
        line.cas()  # from now on the line looks for the multiframe

    def step(self, now: float) -> list[News]:
        """Take what has come, do what is due."""
        news = [*self._news, *self._look_at_multiframe(now)]
        self._news = []
        for change in self._line.cas_changes():
            if self._aligned and change.slot in self._slots:
                news += self._handle(change.slot, CodeSeen(change.abcd), now)
        for slot, machine in self._slots.items():
            if machine.deadline is not None and machine.deadline <= now:
                news += self._handle(slot, TimerExpired(), now)
        if self._tell_at is not None and self._tell_at <= now:
            self._tell_at = None
            why = "no CAS multiframe in time slot 16: has the PBX's board CAS, and not a D channel, on this line?"
            news.append(SignallingChanged(self._name, up=False, why=why))
        return news

    def hang_up(self, slot: int, now: float) -> list[News]:
        """End the PBX's call on a time slot."""
        return self._handle(slot, Clear(), now) if slot in self._slots else []

    def reference(self, slot: int) -> None:
        """The slot is all that there is to tell calls apart."""

    def state(self) -> dict[str, Any]:
        """For people: JSON values."""
        return {
            "kind": "cas",
            "up": self._aligned,
            "slots": dict(Counter(machine.state.value for machine in self._slots.values())),
            "troubles": [self._last_trouble] if self._last_trouble else [],
        }

    def close(self) -> None:
        """The line's time slot 16 goes on as it is until the line is closed."""

    def _look_at_multiframe(self, now: float) -> list[News]:
        """What the slots say when it is found is new; when it is lost, nobody knows what they say."""
        seen = self._line.cas()
        if seen.aligned == self._aligned:
            return []
        self._aligned, self._tell_at = seen.aligned, None
        self._line.cas_changes()  # what was before is in `seen`
        why = "" if seen.aligned else "its CAS multiframe is lost"
        news: list[News] = [SignallingChanged(self._name, up=seen.aligned, why=why)]
        for slot in self._slots:
            news += self._handle(slot, CodeSeen(seen.abcd[slot] if seen.aligned else None), now)
        return news

    def _handle(self, slot: int, event: Event, now: float) -> list[News]:
        news: list[News] = []
        for output in self._slots[slot].handle(event, now):
            match output:
                case SendCode(abcd):
                    self._line.send_cas(slot, abcd)
                case Answered():
                    news.append(Seized(self._name, slot, self._ports[slot]))
                case Over(why):
                    news.append(Released(self._name, slot, self._ports[slot], why))
                case Trouble(text):
                    self._last_trouble = f"slot {slot}: {text}"
                    log.warning("CAS", line=self._name, slot=slot, trouble=text)
        return news
