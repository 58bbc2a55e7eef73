"""Where a board's lines lead and which recorder port is on which time slot."""

from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from osrec_drivers.errors import DriverError
from osrec_drivers.line import check_spec
from osrec_emulators.diun2.faults import Faults, TimeSlot
from osrec_emulators.pbx.numbering import expand
from osrec_emulators.section import Section

CHANNEL_SLOTS = (*range(1, 16), *range(17, 32))  # telephone channels 1..30, G.704 5.1
LINES_PER_BOARD = 2  # a DIUN2 has two S2 interfaces


def _check_ports(ports: str) -> str:
    count = len(expand(ports))
    if count > len(CHANNEL_SLOTS):
        raise ValueError(f"{ports!r} are {count} ports; a line has {len(CHANNEL_SLOTS)} channels")
    return ports


def _check_spec(spec: str) -> str:
    try:
        check_spec(spec)
    except DriverError as error:
        raise ValueError(str(error)) from error
    return spec


class FaultsConfig(Section):
    """Faults of a board; a time slot is "LINE/SLOT", the board's first line being 1."""

    mute: frozenset[str] = frozenset()
    stuck: dict[str, Annotated[int, Field(ge=0, le=255)]] = {}
    swap: tuple[tuple[str, str], ...] = ()

    def faults(self) -> Faults:
        """Raises ValueError for what is no time slot."""
        return Faults(
            mute=frozenset(map(_time_slot, self.mute)),
            stuck={_time_slot(slot): octet for slot, octet in self.stuck.items()},
            swap=tuple((_time_slot(one), _time_slot(other)) for one, other in self.swap),
        )

    @model_validator(mode="after")
    def _readable(self) -> "FaultsConfig":
        self.faults()
        return self


def _time_slot(text: str) -> TimeSlot:
    line, _, slot = text.partition("/")
    if not (line.isdecimal() and slot.isdecimal() and 1 <= int(line) <= LINES_PER_BOARD and int(slot) in CHANNEL_SLOTS):
        raise ValueError(f"{text!r} is no time slot; right would be 1/5: line 1 or 2, slot 1 to 15 or 17 to 31")
    return TimeSlot(int(line) - 1, int(slot))


class BoardConfig(Section):
    """One [[boards]] section: a DIUN2 with its lines.

    Attributes:
        lines: one or two line specs, as `open_line` takes them.
        ports: for each line, the recorder ports on its channels, from time slot 1 upwards.
    """

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]
    lines: Annotated[tuple[Annotated[str, AfterValidator(_check_spec)], ...], Field(min_length=1, max_length=2)]
    ports: tuple[Annotated[str, AfterValidator(_check_ports)], ...]
    faults: FaultsConfig = FaultsConfig()

    @model_validator(mode="after")
    def _one_range_a_line(self) -> "BoardConfig":
        if len(self.ports) != len(self.lines):
            raise ValueError(f"{len(self.lines)} lines with {len(self.ports)} port ranges; each line needs one")
        self.layout()
        lacking = [at for at in self.faults.faults().touched if at.line >= len(self.lines)]
        if lacking:
            raise ValueError(f"faults on line {lacking[0].line + 1}, but {self.name} has {len(self.lines)} line(s)")
        return self

    def layout(self) -> dict[str, TimeSlot]:
        """The time slot of each port. Raises ValueError when a port is on two."""
        layout: dict[str, TimeSlot] = {}
        for line, ports in enumerate(self.ports):
            for slot, port in zip(CHANNEL_SLOTS, expand(ports), strict=False):
                if port in layout:
                    raise ValueError(f"port {port} is on both lines; a port has one time slot")
                layout[port] = TimeSlot(line, slot)
        return layout
