"""The [recording] section: how recordings begin and end, and how the PBX is asked for the audio."""

from typing import Annotated, Literal

from pydantic import Field, field_validator

from osrec.config_values import Section
from osrec.engine.fork_template import START, STOP, start_template, stop_template

DIALLED = r"^[0-9*#+A-D]{1,16}$"
Seconds = Annotated[float, Field(gt=0)]


class ForkEscape(Section):
    """Templates of the private data for fork = "escape" (docs/fork-strategies.md)."""

    start: str = START
    stop: str = STOP

    @field_validator("start")
    @classmethod
    def _check_start(cls, value: str) -> str:
        start_template(value)
        return value

    @field_validator("stop")
    @classmethod
    def _check_stop(cls, value: str) -> str:
        stop_template(value)
        return value


class ForkCodes(Section):
    """Feature codes for fork = "make-call": what a port dials before the station's number to get that side."""

    own: Annotated[str, Field(pattern=DIALLED)] = "*44"
    other: Annotated[str, Field(pattern=DIALLED)] = "*45"


class Recording(Section):
    """Times in seconds."""

    preroll: Annotated[float, Field(ge=0, le=50)] = 5.0
    tail: Annotated[float, Field(ge=0, le=10)] = 0.3
    internal: Literal["once", "each"] = "once"
    fork: Literal["single-step-conference", "join-call", "make-call", "escape"] = "single-step-conference"
    fork_order: Literal["own-first", "other-first"] = "own-first"
    fork_escape: ForkEscape = ForkEscape()
    fork_codes: ForkCodes = ForkCodes()
    fork_attempts: Annotated[int, Field(ge=1, le=10)] = 2
    fork_timeout: Seconds = 3.0
    pair_rest: Annotated[float, Field(ge=0, le=10)] = 0.1
    fork_losses: Annotated[int, Field(ge=1)] = 3
    idle_lost: Annotated[float, Field(ge=0)] = 30.0
    preempt: bool = True
    line_patience: Seconds = 2.0
    suspect_after: Annotated[int, Field(ge=1)] = 3
    late_after: Annotated[float, Field(ge=0)] = 1.0
    quiet_after: Seconds = 20.0
    energy_dbm0: Annotated[float, Field(ge=-80, le=0)] = -55.0
    audio_end: Seconds = 10.0
    outage_end: Seconds = 1800.0
    forgotten_after: Seconds = 4 * 3600.0
    idle_codes: list[Annotated[int, Field(ge=0, le=255)]] = [0xD5, 0x55]
