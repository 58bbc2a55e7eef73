"""The recorder's configuration file, osrec.toml; `docs/osrec.toml` is the complete, commented example."""

from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, field_validator, model_validator

from osrec.config_csta import Csta
from osrec.config_files import ConfigFile, checked, read
from osrec.config_lines import LineSection
from osrec.config_recording import Recording
from osrec.config_rules import RulesPart
from osrec.config_values import MisplacedError, Section, each_number, each_pattern
from osrec.errors import ConfigError
from osrec.numbers import Patterns, expand


class Data(Section):
    """Where recordings and journal are kept."""

    directory: Path
    spare_directory: Path | None = None  # on another file system: takes the journal when the first one fails
    segment_mib: Annotated[int, Field(ge=1, le=1024)] = 64
    segments: Annotated[int, Field(ge=3, le=4096)] = 16
    reserve_seconds: Annotated[float, Field(ge=0)] = 120.0  # for running recordings, when there is no room for new ones
    resume_seconds: Annotated[float, Field(ge=1)] = 60.0  # a recording that nobody takes up again is closed then


class Stations(Section):
    """Who is watched, and which numbers lead outside."""

    monitored: Annotated[list[str], Field(min_length=1)]
    trunks: list[str] = []

    @field_validator("monitored")
    @classmethod
    def _check_monitored(cls, value: list[str]) -> list[str]:
        return each_number(value)

    @field_validator("trunks")
    @classmethod
    def _check_trunks(cls, value: list[str]) -> list[str]:
        return each_pattern(value)


Prefix = Annotated[str, Field(pattern=r"^[0-9*#]{0,6}$")]


class SiteSection(Section):
    """Where the PBX stands in the public network, and which of its numbers are nobody."""

    country: Annotated[str, Field(pattern=r"^([1-9][0-9]{0,2})?$")] = ""
    area: Annotated[str, Field(pattern=r"^[0-9]{0,8}$")] = ""
    main: Annotated[str, Field(pattern=r"^[0-9]{0,10}$")] = ""
    trunk_prefix: Prefix = "0"
    international: Prefix = "00"
    shortest: Annotated[int, Field(ge=1, le=15)] = 5
    access_code: Prefix = ""
    groups: list[str] = []
    queues_talk: bool = False
    network_answers: bool = False
    late_events: Annotated[float, Field(ge=0, le=60)] = 1.0

    @field_validator("groups")
    @classmethod
    def _check_groups(cls, value: list[str]) -> list[str]:
        return each_pattern(value)

    @model_validator(mode="after")
    def _area_needs_country(self) -> Self:
        for key in ("area", "main"):
            if getattr(self, key) and not self.country:
                raise MisplacedError(f"{key} = {getattr(self, key)!r} says nothing without `country`", key)
        return self


class Config(RulesPart):
    """The whole file, and the one that `rules_file` names."""

    unit: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")] = "osrec"
    data: Data
    csta: Csta
    lines: Annotated[list[LineSection], Field(min_length=1)]
    stations: Stations
    site: SiteSection = SiteSection()
    recording: Recording = Recording()
    rules_file: Path | None = None  # has rules, groups, times and calendar instead of this one

    @model_validator(mode="after")
    def _names_and_ports_once(self) -> Self:
        names: set[str] = set()
        seen: dict[str, str] = {}
        for number, line in enumerate(self.lines):
            if line.name in names:
                raise MisplacedError(
                    f"the name {line.name!r} is used twice; give each its own", "lines", number, "name"
                )
            names.add(line.name)
            for port in line.port_numbers:
                if port in seen:
                    raise MisplacedError(
                        f"port {port} is on {seen[port]!r} and on {line.name!r}; a port is one slot",
                        "lines",
                        number,
                        "ports",
                    )
                seen[port] = line.name
        return self

    @model_validator(mode="after")
    def _sections_fit_each_other(self) -> Self:
        spare = self.data.spare_directory
        if spare is not None and spare == self.data.directory:
            text = f"{str(spare)!r} is data.directory; name one on another file system"
            raise MisplacedError(text, "data", "spare_directory")
        monitored = expand(self.stations.monitored)
        trunks = Patterns(self.stations.trunks)
        both = [station for station in monitored if station in trunks]
        if both:
            text = f"{', '.join(trunks.entries)} includes {both[0]}, which stations.monitored says is a station"
            raise MisplacedError(text, "stations", "trunks")
        watched = set(monitored) & {port for line in self.lines for port in line.port_numbers}
        if watched:
            text = f"{sorted(watched)[0]} is one of the recorder's own ports"
            raise MisplacedError(text, "stations", "monitored")
        return self


def load(path: Path) -> Config:
    """Read a configuration file. Relative paths count from the file's place.

    Raises ConfigError that names the file and, for each fault, line, key, value and what would be right.
    """
    file = read(path)
    rules_file = file.content.get("rules_file")
    if not isinstance(rules_file, str):
        return _anchored(checked(Config, file), path.resolve().parent)
    rules = read(path.resolve().parent / rules_file, f"{path} names it as rules_file; docs/rules.md says what it holds")
    _only_rules(rules)
    return _anchored(checked(Config, file, rules), path.resolve().parent)


def load_rules(path: Path) -> RulesPart:
    """Read rules from a recorder's configuration, or from a file that has only them. Raises ConfigError."""
    file = read(path, "docs/rules.md has an example to start from")
    if "csta" in file.content or "rules_file" in file.content:
        return load(path)
    return checked(RulesPart, file)


def _only_rules(file: ConfigFile) -> None:
    foreign = next((key for key in file.content if key not in RulesPart.model_fields), None)
    if foreign is not None:
        known = ", ".join(RulesPart.model_fields)
        raise ConfigError(file.fault((foreign,), f": a rules file has no such section; it may have {known}"))


def _anchored(config: Config, base: Path) -> Config:
    data = config.data
    spare = base / data.spare_directory if data.spare_directory else None
    anchored = data.model_copy(update={"directory": base / data.directory, "spare_directory": spare})
    return config.model_copy(update={"data": anchored})
