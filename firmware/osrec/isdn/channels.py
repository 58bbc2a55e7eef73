"""The B channels of one access: which time slots there are, which are taken, by which call. Q.931 5.2.3 and 5.1.2."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

from osrec.errors import UsageError
from osrec.wire.q931.causes import CauseValue
from osrec.wire.q931.channel import ChannelIdentification, ChannelType, Selection

B_CHANNELS = (*range(1, 16), *range(17, 32))  # slot 16 is the D channel


@dataclass(frozen=True, slots=True)
class Refused:
    """No channel for the call, and the cause that says why."""

    cause: CauseValue


class Channels:
    """Who holds which slot. A slot is free, held by a call (its number), blocked, or being restarted."""

    def __init__(self, slots: Iterable[int] = B_CHANNELS, most: int = 1) -> None:
        """`most`: slots of one call."""
        self._most = most
        self.slots = tuple(sorted(set(slots)))
        self._holders: dict[int, int] = {}
        self._blocked: frozenset[int] = frozenset()
        self._restarting: set[int] = set()
        for slot in self.slots:
            if not 1 <= slot <= 31:
                raise UsageError(f"B channel in time slot {slot}: 1..31 [Q.931 4.5.13]")

    def holder(self, slot: int) -> int | None:
        return self._holders.get(slot)

    def free(self, slot: int) -> bool:
        return slot in self.slots and not (slot in self._holders or slot in self._blocked or slot in self._restarting)

    def hold(self, slots: Iterable[int], call: int) -> None:
        self._holders.update(dict.fromkeys(slots, call))

    def release(self, slots: Iterable[int]) -> None:
        for slot in slots:
            del self._holders[slot]

    def block(self, slots: Iterable[int]) -> None:
        """These slots and no others are not for calls; a call that is on one stays."""
        self._blocked = frozenset(slots)

    def restart(self, slots: Iterable[int], *, pending: bool) -> None:
        """No calls on slots whose RESTART is pending."""
        if pending:
            self._restarting.update(slots)
        else:
            self._restarting.difference_update(slots)

    def any(self, count: int, *, from_top: bool) -> tuple[int, ...]:
        """So many free slots, or none. The two sides search from opposite ends, so that they seldom meet."""
        order = reversed(self.slots) if from_top else iter(self.slots)
        found = tuple(islice((slot for slot in order if self.free(slot)), count))
        return found if len(found) == count else ()

    def choose(self, asked: ChannelIdentification | None, *, from_top: bool) -> tuple[int, ...] | Refused:
        """The slots for a call that asks for channels so; None: it asks for none in particular."""
        count = 1
        if asked is not None and asked.d_channel:
            return Refused(CauseValue.SERVICE_NOT_IMPLEMENTED)  # signalling without a call, as QSIG has it
        if asked is not None and asked.selection == Selection.NONE:
            return Refused(CauseValue.NO_CHANNEL_AVAILABLE)  # call waiting: nothing to record
        if asked is not None and asked.selection == Selection.INDICATED and asked.channels:
            named, count = asked.channels, len(asked.channels)
            if count > self._most or len(set(named)) < count or asked.channel_type != ChannelType.B:
                return Refused(CauseValue.CHANNEL_TYPE_NOT_IMPLEMENTED)
            if all(self.free(slot) for slot in named):
                return named
            if asked.exclusive:
                known = set(named) <= set(self.slots)
                cause = CauseValue.REQUESTED_CHANNEL_NOT_AVAILABLE if known else CauseValue.CHANNEL_DOES_NOT_EXIST
                return Refused(cause)
        return self.any(count, from_top=from_top) or Refused(CauseValue.NO_CHANNEL_AVAILABLE)
