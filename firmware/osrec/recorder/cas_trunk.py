"""A line with channel associated signalling: the bits of time slot 16 between the line and its slots' machines."""

from collections import Counter
from collections.abc import Collection, Mapping
from typing import Any

import structlog

from osrec.cas.settings import CasConfig
from osrec.cas.slot import (
    Answered,
    CasSlot,
    Clear,
    CodeSeen,
    Event,
    MultiframeFound,
    MultiframeLost,
    Over,
    SendCode,
    TimerExpired,
    Trouble,
)
from osrec.engine.messages import Released, Seized, SignallingChanged
from osrec.recorder.trunk_news import News
from osrec_drivers.line import FRAME_RATE, CasState, Line

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
        self._unknown = set[int]()  # slots whose code has not been seen since the multiframe was found
        self._reached = now  # the time that the machines have been told of
        self._tell_at: float | None = now + NOT_UP
        self._last_trouble = ""
        for slot in ports:
            line.send_cas(slot, config.our_answer if slot in going_on else config.our_idle)
        line.cas()  # from now on the line looks for the multiframe

    @property
    def up(self) -> bool:
        """The multiframe is found."""
        return self._aligned

    def step(self, now: float) -> list[News]:
        """Take what has come, do what is due."""
        changes = self._line.cas_changes()
        seen = self._line.cas()  # in this order: what changes in between is seen now and told later, never lost
        head = self._line.head
        if seen.aligned and not self._aligned:
            self._found()
        for change in changes:
            if change.slot in self._slots:
                self._unknown.discard(change.slot)
                self._at(change.slot, CodeSeen(change.abcd), now - (head - change.sample) / FRAME_RATE)
        if seen.aligned:
            self._fill_in(seen, now)
        for slot in self._slots:
            self._wait(slot, now)
        if self._aligned and not seen.aligned:
            self._lost(now)
        self._reached = now
        if self._tell_at is not None and self._tell_at <= now:
            self._tell_at = None
            why = "no CAS multiframe in time slot 16: has the PBX's board CAS, and not a D channel, on this line?"
            self._news.append(SignallingChanged(self._name, up=False, why=why))
        return self._fetch()

    def hang_up(self, slot: int, now: float) -> list[News]:
        """End the PBX's call on a time slot."""
        if slot in self._slots:
            self._at(slot, Clear(), now)
            self._reached = max(self._reached, now)
        return self._fetch()

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

    def _fetch(self) -> list[News]:
        news, self._news = self._news, []
        return news

    # --- the multiframe

    def _found(self) -> None:
        """The slots' codes come with its next repetitions; one that is what it was before the loss is not told."""
        self._aligned, self._tell_at = True, None
        self._unknown = set(self._slots)
        self._news.append(SignallingChanged(self._name, up=True))
        for slot in self._slots:
            self._handle(slot, MultiframeFound(), self._reached)

    def _lost(self, now: float) -> None:
        self._aligned = False
        self._unknown.clear()
        self._news.append(SignallingChanged(self._name, up=False, why="its CAS multiframe is lost"))
        for slot in self._slots:
            self._handle(slot, MultiframeLost(), now)

    def _fill_in(self, seen: CasState, now: float) -> None:
        """Codes that the line knows, and has not told since they are what they were."""
        for slot in list(self._unknown):
            abcd = seen.abcd[slot]
            if abcd is not None:
                self._unknown.discard(slot)
                self._at(slot, CodeSeen(abcd), now)

    # --- the slots' machines

    def _at(self, slot: int, event: Event, when: float) -> None:
        """An event when it happened, however late we look; but time does not go back."""
        when = max(when, self._reached)
        self._wait(slot, when)
        self._handle(slot, event, when)

    def _wait(self, slot: int, until: float) -> None:
        """What was due, when it was due: a stall of ours must not make one call of two."""
        machine = self._slots[slot]
        while (due := machine.deadline) is not None and due <= until:
            self._handle(slot, TimerExpired(), due)

    def _handle(self, slot: int, event: Event, now: float) -> None:
        for output in self._slots[slot].handle(event, now):
            match output:
                case SendCode(abcd):
                    self._line.send_cas(slot, abcd)
                case Answered():
                    self._news.append(Seized(self._name, slot, self._ports[slot]))
                case Over(why):
                    self._news.append(Released(self._name, slot, self._ports[slot], why))
                case Trouble(text):
                    self._last_trouble = f"slot {slot}: {text}"
                    log.warning("CAS", line=self._name, slot=slot, trouble=text)
