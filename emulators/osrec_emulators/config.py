"""The emulator's configuration file: the PBX, its CAP server, its audio, its boards, and where it keeps the truth."""

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, get_args

from pydantic import BaseModel, Field, ValidationError, model_validator
from pydantic_core import ErrorDetails

from osrec.errors import ConfigError
from osrec_emulators.audio.plane import NUMBERED
from osrec_emulators.audio.voices import SUFFIX
from osrec_emulators.cap.config import CapConfig
from osrec_emulators.diun2.config import BoardConfig
from osrec_emulators.pbx.config import PbxConfig
from osrec_emulators.pbx.numbering import expand_all
from osrec_emulators.section import Section


class AudioConfig(Section):
    """[audio]: speech is a directory of *.alaw files, taken from the directory of the configuration file."""

    speech: Path


class TruthConfig(Section):
    """[truth]: what the checks are to know.

    Attributes:
        directory: taken from the directory of the configuration file; what an earlier run left there is removed.
        audio: whether to write the octets sent on each slot.
        keep_minutes: how much of them to keep at least; without it, all.
    """

    directory: Path
    audio: bool = True
    keep_minutes: Annotated[float, Field(gt=0)] | None = None


class EmulatorConfig(Section):
    """The whole file."""

    pbx: PbxConfig
    cap: CapConfig
    audio: AudioConfig
    boards: Annotated[tuple[BoardConfig, ...], Field(min_length=1)]
    truth: TruthConfig | None = None

    @model_validator(mode="after")
    def _ports_are_wired(self) -> "EmulatorConfig":
        wired: dict[str, str] = {}
        for board in self.boards:
            for port in board.layout():
                if port in wired:
                    raise ValueError(f"boards: port {port} is on board {wired[port]} and again on {board.name}")
                wired[port] = board.name
        ports = expand_all(self.pbx.recorder_ports)
        if loose := [port for port in ports if port not in wired]:
            raise ValueError(f"pbx.recorder_ports: {loose[0]} is on no board; add it to `ports` of one of [[boards]]")
        if unknown := [port for port in wired if port not in set(ports)]:
            raise ValueError(f"boards: port {unknown[0]} of {wired[unknown[0]]} is not among pbx.recorder_ports")
        return self

    def speech_named(self) -> Iterator[tuple[str, str]]:
        """Every speech that the file names, with the key that names it."""
        voices = {f"pbx.stations[{index}]": each.voices for index, each in enumerate(self.pbx.stations)}
        voices |= {f"pbx.trunks[{index}]": each.voices for index, each in enumerate(self.pbx.trunks)}
        yield from ((f"{key}.voices", name) for key, names in voices.items() for name in names)
        for index, script in enumerate(self.pbx.script):
            for number, step in enumerate(script.steps):
                if step.action == "say" and step.what is not None:
                    yield f"pbx.script[{index}].steps[{number}].what", step.what


def load_config(path: Path) -> EmulatorConfig:
    """Read the file. Raises ConfigError that names file, key, value and what would be right."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: is not TOML: {error}") from error
    try:
        config = EmulatorConfig.model_validate(document)
    except ValidationError as error:
        raise ConfigError("\n".join(f"{path}: {_explain(each)}" for each in error.errors())) from error
    return _at_home(config, path)


def _at_home(config: EmulatorConfig, path: Path) -> EmulatorConfig:
    """Make paths absolute, from the file's directory on, and see that all speech is there."""
    home = path.resolve().parent
    audio = AudioConfig(speech=home / config.audio.speech)
    if not audio.speech.is_dir():
        raise ConfigError(f"{path}: audio.speech = {str(config.audio.speech)!r}: {audio.speech} is no directory")
    there = {file.stem for file in audio.speech.glob(f"*{SUFFIX}")}
    for key, name in config.speech_named():
        if name not in there and not name.startswith(NUMBERED):
            raise ConfigError(
                f"{path}: {key} = {name!r}: no {name}{SUFFIX} in {audio.speech}; "
                f"there are {', '.join(sorted(there)) or 'none'}, and {NUMBERED}0 to {NUMBERED}65535"
            )
    truth = config.truth and config.truth.model_copy(update={"directory": home / config.truth.directory})
    return config.model_copy(update={"audio": audio, "truth": truth})


def _explain(error: ErrorDetails) -> str:
    key = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error["loc"]).lstrip(".")
    if error["type"] == "extra_forbidden":
        known = ", ".join(_known_keys(error["loc"][:-1]))
        return f"{key} = {error['input']!r}: no such key" + (f"; there are {known}" if known else "")
    if error["type"] == "missing":
        return f"{key} is missing"
    message = error["msg"].removeprefix("Value error, ")
    return (
        f"{key} = {error['input']!r}: {message}"
        if key and not isinstance(error["input"], dict)
        else f"{key}: {message}".lstrip(": ")
    )


def _known_keys(loc: tuple[int | str, ...]) -> list[str]:
    """Keys of the section at a place in the file."""
    section: type[BaseModel] = EmulatorConfig
    for part in loc:
        if isinstance(part, str):
            found = _section(section.model_fields[part].annotation) if part in section.model_fields else None
            if found is None:
                return []
            section = found
    return sorted(field.alias or name for name, field in section.model_fields.items())


def _section(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next(filter(None, map(_section, get_args(annotation))), None)
