"""[pbx]: what an administrator says about the emulated PBX; the messages say what would be right."""

from collections.abc import Iterator
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from osrec_emulators.pbx.fork_config import ForkConfig
from osrec_emulators.pbx.group_config import (
    Executive,
    Forwarding,
    Group,
    HotLine,
    ParallelRinging,
    ParkSlots,
    PickupGroup,
)
from osrec_emulators.pbx.load_config import LoadConfig
from osrec_emulators.pbx.numbering import expand, expand_all
from osrec_emulators.pbx.script_config import ScriptConfig
from osrec_emulators.pbx.values import Duration, Number, NumberRange
from osrec_emulators.section import Section


class Stations(Section):
    """Telephones. `voices` are given out in turn, `names` to the first numbers of the range.

    A name travels in ISO 8859-1, as PBXs fill the IA5String privateName; a letter that is not in it becomes "?".
    """

    range: NumberRange
    names: tuple[str, ...] = ()
    voices: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _names_fit(self) -> Self:
        if len(self.names) > len(expand(self.range)):
            raise ValueError(f"{len(self.names)} names for the {len(expand(self.range))} numbers of {self.range}")
        return self


class Trunks(Section):
    """Lines to the public network. `voices` are what the people outside say, line by line."""

    range: NumberRange
    voices: tuple[str, ...] = ()


class PbxConfig(Section):
    """The emulated PBX: numbering, behaviour, what happens in it.

    Attributes:
        call_id_wrap: call ids come again after so many; None: after all that fit into the octets. 1: at once.
        digits_dialed: whether DigitsDialed is reported: all digits in one, or "each" by itself.
        call_waiting: stations at which a second call rings while they talk.
        forward_no_answer_after: seconds until a call is forwarded on no answer.
        recall_after: seconds until a transferred call that nobody answers comes back to its transferrer; None: never.
        hold_recall_after: seconds until a held call rings at who holds it; None: never.
        camp_on_patience: seconds that a caller waits for a busy station.
        unreachable: numbers outside for which the network fails after it was reached.
    """

    stations: Annotated[tuple[Stations, ...], Field(min_length=1)]
    trunks: tuple[Trunks, ...] = ()
    recorder_ports: tuple[NumberRange, ...] = ()
    groups: tuple[Group, ...] = ()
    forwarding: tuple[Forwarding, ...] = ()
    call_waiting: tuple[NumberRange, ...] = ()
    unreachable: tuple[Number, ...] = ()
    access_code: Number = "0"  # dialled before a number outside
    access_code_shown: bool = False  # events have it before the numbers that were called
    call_id_octets: Annotated[int, Field(ge=2, le=16)] = 2
    call_id_wrap: Annotated[int, Field(ge=1)] | None = None
    connection_ids: Literal["static", "dynamic"] = "static"
    linkage: bool = True  # CallLinkageData in the events
    names_in_events: bool = True
    digits_dialed: bool | Literal["each"] = False
    conference_limit: Annotated[int, Field(ge=3, le=8)] = 8  # parties
    no_answer_after: Duration = 20.0  # seconds until a caller gives up
    forward_no_answer_after: Duration = 10.0
    recall_after: Duration | None = None
    hold_recall_after: Duration | None = None
    camp_on_patience: Duration = 60.0
    busy_hangup_after: Duration = 3.0  # seconds a caller listens to the busy tone
    utc_offset: Annotated[float, Field(ge=-14, le=14)] = 0.0  # hours; the PBX reports local time without a zone
    fork: ForkConfig = ForkConfig()
    script: tuple[ScriptConfig, ...] = ()
    load: LoadConfig | None = None

    def station_numbers(self) -> list[str]:
        return [number for stations in self.stations for number in expand(stations.range)]

    def group_members(self) -> list[str]:
        """Stations that may ring, or call, for a group."""
        return [
            number
            for group in self.groups
            if not isinstance(group, PickupGroup)
            for _, numbers in _stations_of(group)
            for number in numbers
        ]

    @model_validator(mode="after")
    def _numbers_are_unique(self) -> Self:
        expand_all([*(s.range for s in self.stations), *(t.range for t in self.trunks), *self.recorder_ports])
        return self

    @model_validator(mode="after")
    def _access_code_is_free(self) -> Self:
        for number in self.station_numbers():
            if number.startswith(self.access_code):
                raise ValueError(f"station {number} begins with the access code {self.access_code!r} of the trunks")
        return self

    @model_validator(mode="after")
    def _load_has_stations(self) -> Self:
        if self.load is not None:
            self._see_stations("load.stations", expand_all(self.load.stations))
        return self

    @model_validator(mode="after")
    def _features_have_stations(self) -> Self:
        self._see_stations("call_waiting", expand_all(self.call_waiting))
        for index, forwarding in enumerate(self.forwarding):
            self._see_stations(f"forwarding[{index}].station", [forwarding.station])
        for index, group in enumerate(self.groups):
            for key, numbers in _stations_of(group):
                self._see_stations(f"groups[{index}].{key}", numbers)
        return self

    @model_validator(mode="after")
    def _group_numbers_are_free(self) -> Self:
        """No two of them are the same, and none is a device's, unless the group is all about that device."""
        fixed = [*(s.range for s in self.stations), *(t.range for t in self.trunks), *self.recorder_ports]
        taken = dict.fromkeys(expand_all(fixed), "a station, trunk or recorder port")
        for index, group in enumerate(self.groups):
            for number in _numbers_of(group):
                if number in taken:
                    raise ValueError(f"groups[{index}]: number {number} is {taken[number]} already")
                if number.startswith(self.access_code):
                    raise ValueError(f"groups[{index}]: number {number} begins with the access code of the trunks")
                taken[number] = f"that of groups[{index}]"
        return self

    def _see_stations(self, key: str, numbers: list[str]) -> None:
        known = set(self.station_numbers())
        for number in numbers:
            if number not in known:
                ranges = ", ".join(stations.range for stations in self.stations)
                raise ValueError(f"{key}: {number} is no station; stations are {ranges}")


def _stations_of(group: Group) -> Iterator[tuple[str, list[str]]]:
    """Numbers in a group that must be stations, by key."""
    match group:
        case Executive():
            yield "number", [group.number]
            yield "secretary", [group.secretary]
        case HotLine():
            yield "number", [group.number]
        case _ if (members := getattr(group, "members", None)) is not None:
            yield "members", expand_all(members)


def _numbers_of(group: Group) -> list[str]:
    """Numbers that a group adds to the numbering plan."""
    match group:
        case PickupGroup() | HotLine():
            return []
        case Executive():
            return [group.private] if group.private else []
        case ParkSlots():
            return expand(group.numbers)
        case ParallelRinging() if group.number in expand_all(group.members):
            return []
        case _:
            return [group.number]
