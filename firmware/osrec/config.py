"""The recorder's configuration file, osrec.toml; `docs/osrec.toml` is the complete, commented example."""

import re
import tomllib
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from osrec.errors import ConfigError
from osrec.numbers import Patterns, expand

TDM_SLOTS = range(1, 32)  # TS0 carries frame alignment, G.704 2.3.2


SLOTS_PATTERN = re.compile(r"\s*\d{1,2}\s*(-\s*\d{1,2}\s*)?(,\s*\d{1,2}\s*(-\s*\d{1,2}\s*)?)*")


def _padded(part: str) -> str:
    """A slot or range of slots with two digits each, as `expand` wants ranges."""
    return "-".join(end.strip().zfill(2) for end in part.split("-"))


class Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


def _numbers(entries: list[str]) -> list[str]:
    expand(entries)
    return entries


def _patterns(entries: list[str]) -> list[str]:
    Patterns(entries)
    return entries


class Data(Section):
    """Where recordings and journal are kept."""

    directory: Path
    spare_directory: Path | None = None  # on another file system: takes the journal when the first one fails
    segment_mib: Annotated[int, Field(ge=1, le=1024)] = 64
    segments: Annotated[int, Field(ge=3, le=4096)] = 16
    reserve_seconds: Annotated[float, Field(ge=0)] = 120.0  # for running recordings, when there is no room for new ones
    resume_seconds: Annotated[float, Field(ge=1)] = 60.0  # a recording that nobody takes up again is closed then


class Csta(Section):
    """The link to the CAP server."""

    host: Annotated[str, Field(min_length=1)]
    port: Annotated[int, Field(ge=1, le=65535)]
    framing: Literal["be2", "siemens", "tpkt", "be4", "none"] = "be2"
    authentication: bool = True
    name: str = "AMHOST"
    password: str = "77777"
    context: Annotated[str, Field(pattern=r"^[0-2](\.\d+)+$")] = "1.3.12.0.218"
    version: str = "1000"  # octets of the cSTAVersion bit string, hex
    version_bits: Annotated[int, Field(ge=1, le=64)] = 16
    heartbeat: Annotated[float, Field(ge=1)] = 20.0
    window: Annotated[int, Field(ge=1)] = 8
    starts_per_second: Annotated[float, Field(gt=0)] = 50.0

    @field_validator("version")
    @classmethod
    def _hex(cls, value: str) -> str:
        try:
            bytes.fromhex(value)
        except ValueError as error:
            raise ValueError('must be hexadecimal octets such as "1000"') from error
        return value

    @model_validator(mode="after")
    def _bits_fit(self) -> Self:
        have = len(bytes.fromhex(self.version)) * 8
        if not have - 8 < self.version_bits <= have:
            raise ValueError(f"version_bits = {self.version_bits} does not fit version = {self.version!r}: {have} bits")
        return self


class LineSection(Section):
    """One E1 line from the PBX's recorder trunk board."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,32}$")]
    spec: str
    slots: str = "1-15,17-31"
    ports: list[str]

    @field_validator("ports")
    @classmethod
    def _check_ports(cls, value: list[str]) -> list[str]:
        return _numbers(value)

    @field_validator("slots")
    @classmethod
    def _check_slots(cls, value: str) -> str:
        if not SLOTS_PATTERN.fullmatch(value):
            raise ValueError(f"{value!r} are no time slots; write numbers and ranges such as 1-15,17-31")
        expand(map(_padded, value.split(",")))
        return value

    @property
    def slot_numbers(self) -> list[int]:
        return [int(slot) for slot in expand(map(_padded, self.slots.split(",")))]

    @property
    def port_numbers(self) -> list[str]:
        return expand(self.ports)

    @model_validator(mode="after")
    def _slots_and_ports(self) -> Self:
        slots = self.slot_numbers
        wrong = [slot for slot in slots if slot not in TDM_SLOTS]
        if wrong:
            raise ValueError(f"slots = {self.slots!r}: time slot {wrong[0]} does not carry audio; use 1 to 31")
        if len(slots) % 2:
            raise ValueError(
                f"slots = {self.slots!r} are {len(slots)}: a recording needs two, so the count must be even"
            )
        if len(self.port_numbers) != len(slots):
            raise ValueError(
                f"{len(self.port_numbers)} ports for {len(slots)} slots: each slot needs its own port number"
            )
        return self

    def pairs(self) -> list[tuple[tuple[int, str], tuple[int, str]]]:
        """((slot, port), (slot, port)) of each pair: neighbours in the order of `slots`."""
        both = list(zip(self.slot_numbers, self.port_numbers, strict=True))
        return list(pairwise(both))[::2]


class Stations(Section):
    """Who is watched, and which numbers lead outside."""

    monitored: Annotated[list[str], Field(min_length=1)]
    trunks: list[str] = []

    @field_validator("monitored")
    @classmethod
    def _check_monitored(cls, value: list[str]) -> list[str]:
        return _numbers(value)

    @field_validator("trunks")
    @classmethod
    def _check_trunks(cls, value: list[str]) -> list[str]:
        return _patterns(value)


class Recording(Section):
    """How recordings begin and end, and how the PBX is asked for the audio."""

    preroll: Annotated[float, Field(ge=0, le=50)] = 5.0
    tail: Annotated[float, Field(ge=0, le=10)] = 0.3
    internal: Literal["once", "each"] = "once"
    fork: Literal["single-step-conference"] = "single-step-conference"
    fork_order: Literal["own-first", "other-first"] = "own-first"
    quiet_after: Annotated[float, Field(gt=0)] = 20.0
    energy_dbm0: Annotated[float, Field(ge=-80, le=0)] = -55.0
    audio_end: Annotated[float, Field(gt=0)] = 10.0
    idle_codes: list[Annotated[int, Field(ge=0, le=255)]] = [0xD5, 0x55]


class RuleSection(Section):
    """One rule; the first that matches decides."""

    name: Annotated[str, Field(min_length=1)]
    action: Literal["record", "never"]
    stations: list[str] | None = None
    numbers: list[str] | None = None
    direction: list[Literal["in", "out", "internal", "unknown"]] | None = None

    @field_validator("stations", "numbers")
    @classmethod
    def _check(cls, value: list[str] | None) -> list[str] | None:
        return value if value is None else _patterns(value)


class Config(Section):
    """The whole file."""

    unit: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")] = "osrec"
    data: Data
    csta: Csta
    lines: Annotated[list[LineSection], Field(min_length=1)]
    stations: Stations
    recording: Recording = Recording()
    rules: Annotated[list[RuleSection], Field(min_length=1)]

    @model_validator(mode="after")
    def _names_and_ports_once(self) -> Self:
        names = [line.name for line in self.lines]
        rules = [rule.name for rule in self.rules]
        for what, all_of_them in (("lines", names), ("rules", rules)):
            twice = next((name for name in all_of_them if all_of_them.count(name) > 1), None)
            if twice is not None:
                raise ValueError(f"{what}: the name {twice!r} is used twice; give each its own")
        seen: dict[str, str] = {}
        for line in self.lines:
            for port in line.port_numbers:
                if port in seen:
                    raise ValueError(
                        f"lines: port {port} is on {seen[port]!r} and on {line.name!r}; a port is one slot"
                    )
                seen[port] = line.name
        spare = self.data.spare_directory
        if spare is not None and spare == self.data.directory:
            raise ValueError(
                f"data.spare_directory = {str(spare)!r} is data.directory; name one on another file system"
            )
        trunks = Patterns(self.stations.trunks)
        both = [station for station in expand(self.stations.monitored) if station in trunks]
        if both:
            patterns = ", ".join(trunks.entries)
            raise ValueError(
                f"stations.trunks ({patterns}) includes {both[0]}, which stations.monitored says is a station"
            )
        watched = set(expand(self.stations.monitored)) & seen.keys()
        if watched:
            raise ValueError(f"stations.monitored: {sorted(watched)[0]} is one of the recorder's own ports")
        return self


def load(path: Path) -> Config:
    """Read a configuration file. Relative directories count from the file's place.

    Raises ConfigError that names the file and, for each fault, key, value and what would be right.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such file; docs/osrec.toml is an example to start from") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not TOML: {error}") from error
    try:
        config = Config.model_validate(content)
    except ValidationError as error:
        raise ConfigError("\n".join(f"{path}: {fault}" for fault in _faults(error))) from None
    return _anchored(config, path.resolve().parent)


def _anchored(config: Config, base: Path) -> Config:
    data = config.data
    spare = base / data.spare_directory if data.spare_directory else None
    anchored = data.model_copy(update={"directory": base / data.directory, "spare_directory": spare})
    return config.model_copy(update={"data": anchored})


def _faults(error: ValidationError) -> list[str]:
    return [_fault(one["loc"], one["msg"], one["input"], one["type"]) for one in error.errors(include_url=False)]


def _fault(where: tuple[int | str, ...], message: str, value: object, kind: str) -> str:
    key = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in where).lstrip(".") or "the file"
    message = message.removeprefix("Value error, ")
    if kind == "missing":
        return f"{key} is missing"
    if kind == "extra_forbidden":
        return f"{key} = {value!r}: no such key"
    if isinstance(value, dict | list) or kind == "value_error":
        return f"{key}: {message}"
    return f"{key} = {value!r}: {message[0].lower()}{message[1:]}"
