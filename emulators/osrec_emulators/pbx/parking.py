"""Parking: a call waits at a number until somebody takes it from there, or comes back to who parked it."""

from functools import partial

from osrec.wire.csta import model
from osrec.wire.csta.model import LocalState
from osrec_emulators.pbx.calls import Cause, Party, RuleError
from osrec_emulators.pbx.merging import Merging


class Parking(Merging):
    """Parks calls (ECMA-269 Park Call)."""

    def park(self, device: str, slot: str) -> None:
        """Put the other party to a slot and leave."""
        call, leg = self._require_talking(device, "park")
        recall_after = self._slot(device, "park", slot)
        others = [other for other in call.active if other is not leg]
        if [other.state for other in others] != [LocalState.CONNECTED]:
            raise RuleError(f"{device} cannot park call {call.id.hex()}: it takes one other party, who is connected")
        if slot in self._of:
            raise RuleError(f"{device} cannot park at {slot}: a call is parked there")
        self._divert(call, leg, slot, Cause.PARK)
        parked = self._connect(call, slot, Party(slot), LocalState.QUEUED)
        self._report(model.Queued, call, parked, Cause.PARK)
        self.timers.set(call, "recall", self.now + recall_after, partial(self._recall, call, device))

    def unpark(self, device: str, slot: str) -> None:
        """Take the call that is parked at a slot."""
        self._require_idle(device)
        self._slot(device, "unpark", slot)
        if slot not in self._of:
            raise RuleError(f"{device} cannot unpark at {slot}: no call is parked there")
        (call,) = self._of[slot]
        if device in call.legs:
            raise RuleError(f"{device} cannot unpark at {slot}: it is in that call")
        self._divert(call, call.legs[slot], device, Cause.CALL_PICKUP)
        self._answered(call, self._connect(call, device, Party(device), LocalState.CONNECTED), Cause.CALL_PICKUP)

    def _slot(self, device: str, action: str, slot: str) -> float:
        """After how many seconds a call comes back from there."""
        seconds = self.directory.park_slots.get(slot)
        if seconds is None:
            there = ", ".join(self.directory.park_slots) or "none"
            raise RuleError(f"{device} cannot {action} at {slot}: it is no park slot; there are {there}")
        return seconds
