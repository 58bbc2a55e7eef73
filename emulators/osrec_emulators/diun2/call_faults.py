"""What goes wrong with the signalling of a trunk, as data; the default trunk is healthy. The dice are seeded."""

import random
from dataclasses import dataclass
from typing import Literal

EARLY = "early release"  # as the truth names it: then a fork goes on though its call is over

Wrong = Literal["next", "taken", "absent"]


@dataclass(frozen=True, slots=True)
class Strikes:
    """Which calls something happens to: those that any of the members chooses.

    Attributes:
        every: each so-many-th, 0: none.
        rate: a share of all, drawn at random.
        ports: those of these ports.
        between: only in these seconds of PBX time.
    """

    every: int = 0
    rate: float = 0.0
    ports: frozenset[str] = frozenset()
    between: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Outage:
    """No signalling gets through in either direction, from `at` on; again every so many seconds."""

    at: float
    seconds: float
    every: float | None = None

    def ends(self, now: float) -> float | None:
        """When the outage that runs now ends, None while none does."""
        since = now - self.at
        phase = since if self.every is None or since < 0 else since % self.every
        return now + self.seconds - phase if 0 <= phase < self.seconds else None


@dataclass(frozen=True, slots=True)
class CallFaults:
    """What goes wrong on one D channel.

    Attributes:
        seed: of the dice.
        late_release, late_seconds: the call is cleared so much later than the fork ended, with idle on its slot.
        missing_release: it is never cleared.
        early_release, early_seconds: it is cleared so long after it was answered, while the fork goes on.
        duplicate_setup: SETUP comes twice under one reference.
        double_seizure: a second call, under another reference, for the slot that a SETUP just named: glare.
        wrong_channel, wrong: SETUP names the slot after the right one, one that another call has, or time slot 16.
        mute: the call is answered and its slot carries idle.
        outages: of the D channel, or of the signalling bits.
    """

    seed: int = 1
    late_release: Strikes = Strikes()
    late_seconds: float = 5.0
    missing_release: Strikes = Strikes()
    early_release: Strikes = Strikes()
    early_seconds: float = 5.0
    duplicate_setup: Strikes = Strikes()
    double_seizure: Strikes = Strikes()
    wrong_channel: Strikes = Strikes()
    wrong: Wrong = "next"
    mute: Strikes = Strikes()
    outages: tuple[Outage, ...] = ()

    def outage_ends(self, now: float) -> float | None:
        """When the signalling is there again, None while it is."""
        return max((end for each in self.outages if (end := each.ends(now)) is not None), default=None)


class Chooser:
    """Applies one `Strikes`: it counts what it is asked about and draws for each."""

    def __init__(self, strikes: Strikes, seed: str) -> None:
        self._strikes = strikes
        self._rng = random.Random(seed)
        self._asked = 0

    def chooses(self, port: str, now: float) -> bool:
        drawn = self._rng.random()  # for each call, so that what is drawn depends on its number alone
        strikes = self._strikes
        if strikes.between is not None and not strikes.between[0] <= now < strikes.between[1]:
            return False
        self._asked += 1
        by_count = bool(strikes.every) and self._asked % strikes.every == 0
        return by_count or drawn < strikes.rate or port in strikes.ports


class Dice:
    """One chooser for each kind of fault, so that one does not change another's."""

    def __init__(self, faults: CallFaults) -> None:
        def chooser(name: str) -> Chooser:
            return Chooser(getattr(faults, name), f"{name} {faults.seed}")

        self.late_release = chooser("late_release")
        self.missing_release = chooser("missing_release")
        self.early_release = chooser("early_release")
        self.duplicate_setup = chooser("duplicate_setup")
        self.double_seizure = chooser("double_seizure")
        self.wrong_channel = chooser("wrong_channel")
        self.mute = chooser("mute")
