"""The recorder's ledger, as `osrec ledger --json` prints it: read with nothing of the recorder's own code."""

import sys
from pathlib import Path
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from osrec.errors import ConfigError
from osrec_emulators.check.spans import Span, span

STDIN = Path("-")


class _Part(BaseModel):
    """Members that the check does not judge are passed over."""

    model_config = ConfigDict(extra="ignore", frozen=True, validate_by_name=True, validate_by_alias=True)


class _Timed(_Part):
    since: AwareDatetime = Field(alias="from")
    until: AwareDatetime = Field(alias="to")

    @property
    def span(self) -> Span:
        return span(self.since, self.until)


class LedgerGap(_Timed):
    """Audio is missing in a recording."""

    cause: str


class LedgerRecording(_Timed):
    """One recording of a station's part."""

    id: str
    station: str
    gaps: tuple[LedgerGap, ...] = ()


class LedgerMissed(_Timed):
    """A station talked and was not recorded."""

    station: str
    cause: str
    detail: str | None = None


class Entry(_Part):
    """One conversation. `ended` None: it goes on."""

    id: str
    started: AwareDatetime
    ended: AwareDatetime | None
    answered: AwareDatetime | None
    direction: str
    stations: tuple[str, ...]
    parties: tuple[str, ...]  # numbers, as far as they are known
    calls: tuple[str, ...]
    class_: Literal["recorded", "gaps", "not_recorded"] = Field(alias="class")
    reason: str | None
    detail: str | None = None
    recordings: tuple[LedgerRecording, ...]
    missed: tuple[LedgerMissed, ...]

    @property
    def span(self) -> Span:
        return self.started.timestamp(), self.ended.timestamp() if self.ended else float("inf")

    @property
    def name(self) -> str:
        return f"ledger {self.id} (calls {', '.join(self.calls) or 'none'}; stations {', '.join(self.stations)})"


class BlindSpan(_Timed):
    """A station was not watched; None: all of them."""

    station: str | None
    cause: str


class StraySpan(_Timed):
    """A slot carried speech that belongs to no conversation."""

    line: str
    slot: int
    speech_seconds: float


class Ledger(_Part):
    """All of it; `since` and `until` None: from the beginning, to the end."""

    since: AwareDatetime | None = Field(alias="from")
    until: AwareDatetime | None = Field(alias="to")
    conversations: tuple[Entry, ...]
    blind: tuple[BlindSpan, ...]
    stray: tuple[StraySpan, ...]
    findings: tuple[str, ...] = ()  # what does not fit together, in words for people

    @property
    def span(self) -> Span:
        """What it claims to be about."""
        return (
            self.since.timestamp() if self.since else float("-inf"),
            self.until.timestamp() if self.until else float("inf"),
        )


def load_ledger(path: Path) -> Ledger:
    """Read the file, or standard input for "-". Raises ConfigError that says where it is no ledger."""
    try:
        octets = sys.stdin.buffer.read() if path == STDIN else path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from error
    try:
        return Ledger.model_validate_json(octets)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or "whole"
        raise ConfigError(f"{path}: is no ledger: {where} = {str(first['input'])[:80]!r}: {first['msg']}") from error
