"""Reading configuration files, and saying what is wrong in them: file, line, key, value, and what would be right."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from osrec.config_values import MisplacedError
from osrec.errors import ConfigError
from osrec.places import Key, Places

Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """One file of the configuration as it was read."""

    path: Path
    content: dict[str, Any]
    places: Places

    def fault(self, key: Key, message: str) -> str:
        """A fault in one line."""
        line = self.places.line(key)
        place = f"{self.path}:{line}" if line is not None else str(self.path)
        return f"{place}: {_name(key)}{message}"


def read(path: Path, hint: str = "docs/osrec.toml is an example to start from") -> ConfigFile:
    """Raises ConfigError that names the file, and the line when it is no TOML."""
    try:
        text = path.read_text(encoding="utf-8")
        return ConfigFile(path, tomllib.loads(text), Places(text.replace("\r\n", "\n")))
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such file; {hint}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not TOML: {error}") from error


def checked(model: type[Model], *files: ConfigFile) -> Model:
    """The content of the files together; a top-level key is one's alone, the first has what is missing.

    Raises ConfigError with a line for each fault, in the order of the files.
    """
    content: dict[str, Any] = {}
    owners: dict[str, ConfigFile] = {}
    for file in files:
        for key, value in file.content.items():
            if key in owners:
                text = f": stands in {owners[key].path}, too; leave it in one of them"
                raise ConfigError(file.fault((key,), text))
            content[key], owners[key] = value, file
    try:
        return model.model_validate(content)
    except ValidationError as error:
        located = (_located(one) for one in error.errors(include_url=False))
        faults = [(owners.get(str(key[0]) if key else "", files[0]), key, text) for key, text in located]
        faults.sort(key=lambda fault: (files.index(fault[0]), fault[0].places.line(fault[1]) or 0, _name(fault[1])))
        raise ConfigError("\n".join(file.fault(key, text) for file, key, text in faults)) from None


def _located(error: Any) -> tuple[Key, str]:
    """Where a fault is, and the text that follows the name of the key."""
    key: Key = tuple(error["loc"])
    kind, value, message = error["type"], error["input"], error["msg"]
    cause = error.get("ctx", {}).get("error")
    if isinstance(cause, MisplacedError):
        return (*key, *cause.where), f": {cause}"
    message = message.removeprefix("Value error, ")
    if kind == "missing":
        return key, " is missing"
    if kind == "extra_forbidden":
        return key, f" = {value!r}: no such key"
    if isinstance(value, dict | list) or (kind == "value_error" and repr(value) in message):
        return key, f": {message}"
    return key, f" = {value!r}: {message[0].lower()}{message[1:]}"


def _name(key: Key) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in key).lstrip(".") or "the file"
