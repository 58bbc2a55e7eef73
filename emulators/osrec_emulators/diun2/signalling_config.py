"""[boards.isdn] and [boards.faults.calls]: the D channel of a board's lines, and what goes wrong on it."""

import string
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from osrec.wire.q921.frames import Side as End
from osrec.wire.q931.numbers import NumberingPlan, TypeOfNumber
from osrec_emulators.diun2.call_events import CallTimers, Dialect
from osrec_emulators.diun2.call_faults import CallFaults, Outage, Strikes, Wrong
from osrec_emulators.diun2.lapd_events import LinkTimers
from osrec_emulators.diun2.signalling import (
    FIELDS,
    Audio,
    Caller,
    Calls,
    Channel,
    IsdnSettings,
    Matching,
    Numbers,
    RestartScope,
    Slots,
)
from osrec_emulators.pbx.media import Side
from osrec_emulators.pbx.numbering import expand_all
from osrec_emulators.pbx.values import NumberRange, Seconds, Share
from osrec_emulators.section import Section

_TYPES = {"unknown": TypeOfNumber.UNKNOWN, "national": TypeOfNumber.NATIONAL, "subscriber": TypeOfNumber.SUBSCRIBER}
_PLANS = {"unknown": NumberingPlan.UNKNOWN, "isdn": NumberingPlan.ISDN, "private": NumberingPlan.PRIVATE}


def _template(text: str) -> str:
    try:
        fields = [field for _, field, _, _ in string.Formatter().parse(text) if field is not None]
    except ValueError as error:
        raise ValueError(f"{text!r}: {error}") from error
    if unknown := [field for field in fields if field not in FIELDS]:
        raise ValueError(
            f"{text!r}: no field {{{unknown[0]}}}; there are {', '.join(f'{{{name}}}' for name in FIELDS)}"
        )
    if not text.isascii():
        raise ValueError(f"{text!r}: numbers and texts are ASCII [Q.931 4.5.8, 4.5.16]")
    return text


Text = Annotated[str, AfterValidator(_template)]
Timer = Annotated[float, Field(gt=0)]


class MarksConfig(Section):
    """What {side} stands for."""

    own: str = "1"
    other: str = "2"


class NumbersConfig(Section):
    """Texts of SETUP with the fields of signalling.Numbers; "" leaves the element out."""

    called: Text = "{port}"
    calling: Text = "{station}"
    display: Text = ""
    user_user: Text = ""
    marks: MarksConfig = MarksConfig()
    type: Literal["unknown", "national", "subscriber"] = "unknown"
    plan: Literal["unknown", "isdn", "private"] = "isdn"

    def numbers(self) -> Numbers:
        marks = {Side.OWN: self.marks.own, Side.OTHER: self.marks.other}
        texts = (self.called, self.calling, self.display, self.user_user)
        return Numbers(*texts, marks, _TYPES[self.type], _PLANS[self.plan])


class TimersConfig(Section):
    """Timers of Q.921 5.9 and Q.931 9.1, seconds; `n200` and `k` are numbers."""

    t200: Timer = LinkTimers().t200
    t203: Timer = LinkTimers().t203
    n200: Annotated[int, Field(ge=0)] = LinkTimers().n200
    k: Annotated[int, Field(ge=1, le=127)] = LinkTimers().k
    t301: Timer = CallTimers().t301
    t303: Timer = CallTimers().t303
    t305: Timer = CallTimers().t305
    t308: Timer = CallTimers().t308
    t309: Timer = CallTimers().t309
    t310: Timer = CallTimers().t310
    t313: Timer = CallTimers().t313
    t316: Timer = CallTimers().t316

    def link(self) -> LinkTimers:
        return LinkTimers(self.t200, self.t203, self.n200, self.k)

    def call(self) -> CallTimers:
        return CallTimers(self.t301, self.t303, self.t305, self.t308, self.t309, self.t310, self.t313, self.t316)


class IsdnConfig(Section):
    """[boards.isdn]: as signalling.IsdnSettings."""

    side: Literal["network", "user"] = "network"
    caller: Caller = "pbx"
    calls: Calls = "each"
    first: Literal["own", "other"] = "own"
    slots: Slots = "port"
    exclusive: bool = True
    channel: Channel = "number"
    numbers: NumbersConfig = NumbersConfig()
    audio: Audio = "answer"
    matching: Matching = "channel"
    dialling: bool = False
    establishes: bool = True
    restart: RestartScope = "interface"
    hang_up: bool = True
    attempts: Annotated[int, Field(ge=1)] = 1
    reference_octets: Annotated[int, Field(ge=1, le=2)] = 2
    timers: TimersConfig = TimersConfig()

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.calls == "pair" and self.channel not in ("number", "map"):
            raise ValueError(f'calls = "pair" with channel = {self.channel!r}: one call for two slots must name them')
        if self.calls == "pair" and self.caller != "pbx":
            raise ValueError(f'calls = "pair" with caller = {self.caller!r}: only the PBX places calls for two slots')
        if self.dialling and self.matching == "called":
            raise ValueError('dialling = true with matching = "called": the called number is what is dialled')
        return self

    def settings(self, protocol: Literal["dss1", "qsig"]) -> IsdnSettings:
        return IsdnSettings(
            dialect=Dialect(protocol == "qsig", End(self.side)),
            caller=self.caller,
            calls=self.calls,
            first=Side(self.first),
            slots=self.slots,
            exclusive=self.exclusive,
            channel=self.channel,
            numbers=self.numbers.numbers(),
            audio=self.audio,
            matching=self.matching,
            dialling=self.dialling,
            establishes=self.establishes,
            restart=self.restart,
            hang_up=self.hang_up,
            attempts=self.attempts,
            reference_length=self.reference_octets,
            call_timers=self.timers.call(),
            link_timers=self.timers.link(),
        )


class StrikesConfig(Section):
    """Which calls a fault happens to, see call_faults.Strikes."""

    every: Annotated[int, Field(ge=0)] = 0
    rate: Share = 0.0
    ports: tuple[NumberRange, ...] = ()
    between: tuple[Seconds, Seconds] | None = None

    def strikes(self) -> Strikes:
        return Strikes(self.every, self.rate, frozenset(expand_all(self.ports)), self.between)


class LateConfig(StrikesConfig):
    seconds: Seconds = 5.0


class WrongChannelConfig(StrikesConfig):
    named: Wrong = "next"


class OutageConfig(Section):
    """No signalling for so many `seconds`, from `at` on, again `every` so many."""

    at: Seconds = 0.0
    seconds: Timer
    every: Timer | None = None

    @model_validator(mode="after")
    def _ends_before_the_next(self) -> Self:
        if self.every is not None and self.every <= self.seconds:
            raise ValueError(f"every = {self.every:g} with seconds = {self.seconds:g}: it would never end")
        return self


class CallFaultsConfig(Section):
    """[boards.faults.calls]: faults of the signalling, see call_faults.CallFaults."""

    seed: int = 1
    late_release: LateConfig = LateConfig()
    missing_release: StrikesConfig = StrikesConfig()
    early_release: LateConfig = LateConfig()
    duplicate_setup: StrikesConfig = StrikesConfig()
    double_seizure: StrikesConfig = StrikesConfig()
    wrong_channel: WrongChannelConfig = WrongChannelConfig()
    mute: StrikesConfig = StrikesConfig()
    outages: tuple[OutageConfig, ...] = ()

    def faults(self) -> CallFaults:
        return CallFaults(
            seed=self.seed,
            late_release=self.late_release.strikes(),
            late_seconds=self.late_release.seconds,
            missing_release=self.missing_release.strikes(),
            early_release=self.early_release.strikes(),
            early_seconds=self.early_release.seconds,
            duplicate_setup=self.duplicate_setup.strikes(),
            double_seizure=self.double_seizure.strikes(),
            wrong_channel=self.wrong_channel.strikes(),
            wrong=self.wrong_channel.named,
            mute=self.mute.strikes(),
            outages=tuple(Outage(each.at, each.seconds, each.every) for each in self.outages),
        )
