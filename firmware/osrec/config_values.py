"""What all parts of the configuration have in common: a section, and faults that say exactly where they are."""

from collections.abc import Callable

from pydantic import BaseModel, ConfigDict

from osrec.numbers import Patterns, expand


class MisplacedError(ValueError):
    """What is wrong is not where the validator stands, but at `where` below it."""

    def __init__(self, message: str, *where: str | int) -> None:
        super().__init__(message)
        self.where = where


class Section(BaseModel):
    """A table of the file: nothing unknown in it, nothing changed later."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def each_pattern(entries: list[str]) -> list[str]:
    """Raises MisplacedError that tells which one is none."""
    return _each(entries, Patterns)


def each_number(entries: list[str]) -> list[str]:
    """Raises MisplacedError that tells which one is neither a number nor a range."""
    return _each(entries, expand)


def _each(entries: list[str], check: Callable[[list[str]], object]) -> list[str]:
    for number, entry in enumerate(entries):
        try:
            check([entry])
        except ValueError as error:
            raise MisplacedError(str(error), number) from None
    return entries
