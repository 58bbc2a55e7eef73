"""[[pbx.groups]]: numbers behind which there are several devices, and devices that do more than ring."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from osrec_emulators.pbx.numbering import expand_all
from osrec_emulators.pbx.values import Duration, Number, NumberRange, Seconds
from osrec_emulators.section import Section

Members = Annotated[tuple[NumberRange, ...], Field(min_length=1)]


class HuntGroup(Section):
    """Rings one idle member after the other: from the first on, or cyclic from the one after the last that rang."""

    kind: Literal["hunt"]
    number: Number
    members: Members
    order: Literal["linear", "cyclic"] = "linear"
    ring_time: Duration = 8.0
    overflow: Number | None = None  # where a call goes that no member took; without: busy


class Queue(Section):
    """Calls wait for an agent (ACD). Who is not among `logged_on` logs on by an action.

    Attributes:
        patience: seconds that a caller waits.
        wrap_up: seconds that an agent works after a call (agentWorkingAfterCall) before the next one.
    """

    kind: Literal["queue"]
    number: Number
    members: Members
    logged_on: tuple[NumberRange, ...] | None = None  # all
    ring_time: Duration = 12.0
    patience: Duration = 60.0
    wrap_up: Seconds = 0.0

    @model_validator(mode="after")
    def _agents_are_members(self) -> Self:
        for number in expand_all(self.logged_on or ()):
            if number not in expand_all(self.members):
                raise ValueError(f"queue {self.number}: {number} is logged on, and not among `members`")
        return self


class ParallelRinging(Section):
    """All idle members ring at once (ONS); the first who answers has the call. `number` may be one of the members."""

    kind: Literal["parallel"]
    number: Number
    members: Members


class SharedLine(Section):
    """One line with an appearance at each member: all ring; who did not answer can bridge in."""

    kind: Literal["shared"]
    number: Number
    members: Members


class PickupGroup(Section):
    """Members take each other's ringing calls."""

    kind: Literal["pickup"]
    members: Members


class Executive(Section):
    """Calls to `number` ring at the secretary, who puts them through; those to the number `private` do not."""

    kind: Literal["executive"]
    number: Number
    secretary: Number
    private: Number | None = None


class Disa(Section):
    """Who calls this number hears the dial tone and dials on (direct inward system access)."""

    kind: Literal["disa"]
    number: Number


class HotLine(Section):
    """A station without dialling, as a door phone: whoever lifts it is connected to `calls`."""

    kind: Literal["hotline"]
    number: Number
    calls: Number


class ParkSlots(Section):
    """Numbers at which a call can be parked."""

    kind: Literal["park"]
    numbers: NumberRange
    recall_after: Duration = 60.0  # then it comes back to who parked it


Group = Annotated[
    HuntGroup | Queue | ParallelRinging | SharedLine | PickupGroup | Executive | Disa | HotLine | ParkSlots,
    Field(discriminator="kind"),
]


class Forwarding(Section):
    """[[pbx.forwarding]]: where the calls of a station go; an action changes it."""

    station: Number
    always: Number | None = None
    busy: Number | None = None
    no_answer: Number | None = None
