"""[boards.cas]: the signalling bits of a board's lines and what they mean."""

from typing import Annotated, Self

from pydantic import BeforeValidator, Field, model_validator

from osrec_emulators.diun2.signalling import Audio, Caller
from osrec_emulators.diut2.channel import ChannelTimers, Codes
from osrec_emulators.diut2.trunk import CasSettings
from osrec_emulators.section import Section


def _abcd(value: object) -> object:
    if isinstance(value, str):
        if len(value) != 4 or not set(value) <= {"0", "1"}:
            raise ValueError(f"{value!r} are no signalling bits; right would be 1001: a, b, c, d")
        value = int(value, 2)
    if value == 0:
        raise ValueError("abcd = 0000 is forbidden, since it would look like the multiframe alignment [G.704 5.1.3.2]")
    return value


Abcd = Annotated[int, BeforeValidator(_abcd), Field(ge=1, le=15)]
Timer = Annotated[float, Field(gt=0)]


class CodesConfig(Section):
    """abcd as text, "1001"; what they say: channel.Codes."""

    idle: Abcd = Codes().idle
    seize: Abcd = Codes().seize
    acknowledge: Abcd = Codes().acknowledge
    answer: Abcd = Codes().answer
    clear_back: Abcd = Codes().clear_back
    blocked: Abcd = Codes().blocked

    @model_validator(mode="after")
    def _told_apart(self) -> Self:
        for one, other in (("idle", "seize"), ("idle", "answer"), ("answer", "clear_back"), ("answer", "acknowledge")):
            if getattr(self, one) == getattr(self, other):
                raise ValueError(f"{one} and {other} are both {getattr(self, one):04b}: nobody could tell them apart")
        return self

    def codes(self) -> Codes:
        return Codes(self.idle, self.seize, self.acknowledge, self.answer, self.clear_back, self.blocked)


class CasConfig(Section):
    """[boards.cas]: as trunk.CasSettings. `acknowledged`: seconds to it; 0: seizures are not acknowledged."""

    codes: CodesConfig = CodesConfig()
    caller: Caller = "pbx"
    audio: Audio = "answer"
    hang_up: bool = True
    keep: Annotated[float, Field(ge=0)] | None = None
    acknowledged: Annotated[float, Field(ge=0)] = 1.0
    answered: Timer = ChannelTimers().answer
    released: Timer = ChannelTimers().release

    def settings(self) -> CasSettings:
        timers = ChannelTimers(self.acknowledged or None, self.answered, self.released)
        return CasSettings(self.codes.codes(), timers, self.caller, self.audio, self.hang_up, self.keep)
