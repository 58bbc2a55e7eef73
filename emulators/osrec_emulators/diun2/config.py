"""Where a board's lines lead, which recorder port is on which time slot, and how its calls are signalled."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from osrec_drivers.errors import DriverError
from osrec_drivers.line import FRAME_RATE, IDLE, SLOTS, check_spec
from osrec_emulators.diun2.board import Board
from osrec_emulators.diun2.faults import Faults, TimeSlot
from osrec_emulators.diun2.line_faults import ONCE, LineFault, What
from osrec_emulators.diun2.signalling_config import CallFaultsConfig, IsdnConfig
from osrec_emulators.diun2.trunk import IsdnTrunk
from osrec_emulators.diun2.trunk_events import Trunk
from osrec_emulators.diut2.config import CasConfig
from osrec_emulators.diut2.trunk import CasTrunk
from osrec_emulators.pbx.numbering import expand
from osrec_emulators.pbx.values import Duration, Seconds
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


class BitsConfig(Section):
    """One fault of the bits that leave a line: from `at` on, for so many `seconds`, again `every` so many.

    Attributes:
        rate: of bits for bit_errors, of blocks for crc_errors, of E bits for e_bits.
        octets: for dropped and repeated, which happen once; 32 are a whole frame.
    """

    line: Annotated[int, Field(ge=1, le=LINES_PER_BOARD)] = 1
    what: What
    at: Seconds = 0.0
    seconds: Duration | None = None
    every: Duration | None = None
    rate: Annotated[float, Field(gt=0, le=1)] = 1.0
    octets: Annotated[int, Field(ge=1, le=SLOTS)] = SLOTS
    seed: int = 1

    @model_validator(mode="after")
    def _fits_together(self) -> "BitsConfig":
        if self.seconds is not None and self.what in ONCE:
            raise ValueError(f"seconds = {self.seconds:g} with what = {self.what.value!r}: that happens in a moment")
        if self.every is not None and (self.seconds is None and self.what not in ONCE):
            raise ValueError(f"every = {self.every:g} without seconds: what = {self.what.value!r} would never end")
        if self.every is not None and self.seconds is not None and self.every <= self.seconds:
            raise ValueError(f"every = {self.every:g} with seconds = {self.seconds:g}: it would never end")
        return self

    def fault(self) -> LineFault:
        for_ever = 1 if self.what in ONCE else 1 << 62
        count = for_ever if self.seconds is None else max(1, round(self.seconds * FRAME_RATE))
        every = None if self.every is None else round(self.every * FRAME_RATE)
        return LineFault(self.what, round(self.at * FRAME_RATE), count, every, self.rate, self.octets, self.seed)


class FaultsConfig(Section):
    """Faults of a board; a time slot is "LINE/SLOT", the board's first line being 1."""

    mute: frozenset[str] = frozenset()
    stuck: dict[str, Annotated[int, Field(ge=0, le=255)]] = {}
    swap: tuple[tuple[str, str], ...] = ()
    idle: Annotated[int, Field(ge=0, le=255)] = IDLE
    ppm: Annotated[float, Field(ge=-1000, le=1000)] = 0.0
    bits: tuple[BitsConfig, ...] = ()
    calls: CallFaultsConfig = CallFaultsConfig()

    def faults(self) -> Faults:
        """Raises ValueError for what is no time slot."""
        return Faults(
            mute=frozenset(map(_time_slot, self.mute)),
            stuck={_time_slot(slot): octet for slot, octet in self.stuck.items()},
            swap=tuple((_time_slot(one), _time_slot(other)) for one, other in self.swap),
            idle=self.idle,
            ppm=self.ppm,
            lines={line: self._of_line(line + 1) for line in range(LINES_PER_BOARD) if self._of_line(line + 1)},
        )

    def _of_line(self, line: int) -> tuple[LineFault, ...]:
        return tuple(each.fault() for each in self.bits if each.line == line)

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
        signalling: how the recorder is told which slot carries a call; "none": by CSTA alone.
        isdn: of a D channel in time slot 16, with "dss1" and "qsig".
        cas: of the multiframe in time slot 16, with "cas": the board is a DIUT2.
    """

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]
    lines: Annotated[tuple[Annotated[str, AfterValidator(_check_spec)], ...], Field(min_length=1, max_length=2)]
    ports: tuple[Annotated[str, AfterValidator(_check_ports)], ...]
    signalling: Literal["none", "dss1", "qsig", "cas"] = "none"
    isdn: IsdnConfig = IsdnConfig()
    cas: CasConfig = CasConfig()
    faults: FaultsConfig = FaultsConfig()

    @model_validator(mode="after")
    def _one_range_a_line(self) -> "BoardConfig":
        if len(self.ports) != len(self.lines):
            raise ValueError(f"{len(self.lines)} lines with {len(self.ports)} port ranges; each line needs one")
        self.layout()
        lacking = [at for at in self.faults.faults().touched if at.line >= len(self.lines)]
        numbers = [at.line + 1 for at in lacking] + [each.line for each in self.faults.bits]
        if numbers and max(numbers) > len(self.lines):
            raise ValueError(f"faults on line {max(numbers)}, but {self.name} has {len(self.lines)} line(s)")
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

    def board(self) -> Board:
        """The board as configured."""
        layout = self.layout()
        trunks = [self._trunk(index, layout) for index in range(len(self.lines))]
        return Board(self.name, self.lines, layout, self.faults.faults(), trunks)

    def _trunk(self, line: int, layout: dict[str, TimeSlot]) -> Trunk | None:
        places = {port: at.slot for port, at in layout.items() if at.line == line}
        match self.signalling:
            case "none":
                return None
            case "dss1" | "qsig":
                return IsdnTrunk(self.isdn.settings(self.signalling), places, self.faults.calls.faults())
            case "cas":
                return CasTrunk(self.cas.settings(), places, self.faults.calls.faults())
