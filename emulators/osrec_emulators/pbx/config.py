"""What an administrator says about the emulated PBX; the messages say what would be right."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from osrec_emulators.pbx.numbering import expand, expand_all


def _range(pattern: str) -> str:
    expand(pattern)
    return pattern


def _digits(number: str) -> str:
    if not number or not set(number) <= set("0123456789*#+"):
        raise ValueError(f"{number!r} is no telephone number: use digits, *, # and a leading +")
    return number


NumberRange = Annotated[str, AfterValidator(_range)]
Number = Annotated[str, AfterValidator(_digits)]
Seconds = Annotated[float, Field(ge=0)]
Share = Annotated[float, Field(ge=0, le=1)]


class Section(BaseModel):
    """A table of the file: nothing unknown in it, nothing changed later."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Stations(Section):
    """Telephones. `voices` are given out in turn, `names` to the first numbers of the range.

    A name travels in ISO 8859-1, as PBXs fill the IA5String privateName; a letter that is not in it becomes "?".
    """

    range: NumberRange
    names: tuple[str, ...] = ()
    voices: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _names_fit(self) -> Self:
        if len(self.names) > len(expand(self.range)):
            raise ValueError(f"{len(self.names)} names for the {len(expand(self.range))} numbers of {self.range}")
        return self


class Trunks(Section):
    """Lines to the public network. `voices` are what the people outside say, line by line."""

    range: NumberRange
    voices: tuple[str, ...] = ()


class ForkConfig(Section):
    """How the PBX gives audio to the recorder. No public document settles it: play every variant.

    Attributes:
        order: which side the first port joined for a station carries.
        follows: "station": through hold, consultation and conference, until the station has no connection left
            in the conversation; "call": only while the station is connected in the very call that was forked.
        events: who is told of the silent legs: the forked station's monitors, those of all in the call, or nobody.
            A monitor on the port itself always is.
    """

    order: Literal["own-first", "other-first"] = "own-first"
    follows: Literal["station", "call"] = "station"
    events: Literal["station", "all", "none"] = "station"


Action = Literal[
    "call",
    "answer",
    "hold",
    "retrieve",
    "alternate",
    "consult",
    "transfer",
    "conference",
    "deflect",
    "pickup",
    "hangup",
    "say",
    "busy",
    "free",
    "ignore",
]
_NEED_TO = frozenset({"call", "consult", "deflect", "pickup"})


class StepConfig(Section):
    """One thing that somebody does: at `at` seconds after the script's start, or `after` the step before.

    `from` is who does it: a station's number, or the number of somebody outside. `to` is as that party would dial it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, validate_by_name=True, validate_by_alias=True)

    action: Action
    party: Number = Field(alias="from")
    to: Number | None = None
    what: str | None = None
    at: Seconds | None = None
    after: Seconds | None = None

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.at is not None and self.after is not None:
            raise ValueError("a step has `at` (from the start) or `after` (from the step before), not both")
        if (self.to is not None) != (self.action in _NEED_TO):
            raise ValueError(f"action {self.action!r} takes {'a' if self.to is None else 'no'} `to`")
        if (self.what is not None) != (self.action == "say"):
            raise ValueError("`what` (a speech file's name or tone:N) goes with action 'say', and only there")
        return self


class ScriptConfig(Section):
    """Steps that are played once, or every `repeat` seconds."""

    name: str = ""
    start: Seconds = 0.0
    repeat: Annotated[float, Field(gt=0)] | None = None
    steps: Annotated[tuple[StepConfig, ...], Field(min_length=1)]


class LoadConfig(Section):
    """Random traffic: `keep` calls at all times, or arrivals for so many `erlang`.

    The shares of directions need not sum up to 1: they are weights. Those of what happens are of all calls.
    """

    stations: tuple[NumberRange, ...] = ()  # empty: all
    keep: Annotated[int, Field(ge=1)] | None = None
    erlang: Annotated[float, Field(gt=0)] | None = None
    mean_hold: Annotated[float, Field(ge=1)] = 60.0  # seconds of conversation
    seed: int | None = None  # None: the world's
    start: Seconds = 0.0
    spacing: Annotated[float, Field(gt=0)] = 0.25  # seconds between two new calls while filling up to `keep`
    ring: tuple[Seconds, Seconds] = (1.0, 4.0)
    incoming: Annotated[float, Field(ge=0)] = 0.4
    outgoing: Annotated[float, Field(ge=0)] = 0.3
    internal: Annotated[float, Field(ge=0)] = 0.3
    hold: Share = 0.15
    transfer: Share = 0.1
    conference: Share = 0.05
    busy: Share = 0.03
    no_answer: Share = 0.04

    @model_validator(mode="after")
    def _one_target(self) -> Self:
        if (self.keep is None) == (self.erlang is None):
            raise ValueError("give either `keep` (calls at all times) or `erlang` (mean traffic)")
        if self.incoming + self.outgoing + self.internal <= 0:
            raise ValueError("one of `incoming`, `outgoing`, `internal` must be above 0")
        if self.hold + self.transfer + self.conference > 1 or self.busy + self.no_answer > 1:
            raise ValueError("hold + transfer + conference and busy + no_answer may each be 1 at most")
        if self.ring[1] < self.ring[0]:
            raise ValueError("`ring` is [shortest, longest] in seconds")
        return self


class PbxConfig(Section):
    """The emulated PBX: numbering, behaviour, what happens in it."""

    stations: Annotated[tuple[Stations, ...], Field(min_length=1)]
    trunks: tuple[Trunks, ...] = ()
    recorder_ports: tuple[NumberRange, ...] = ()
    access_code: Number = "0"  # dialled before a number outside
    call_id_octets: Annotated[int, Field(ge=2, le=16)] = 2
    connection_ids: Literal["static", "dynamic"] = "static"
    linkage: bool = True  # CallLinkageData in the events
    names_in_events: bool = True
    digits_dialed: bool = False  # whether DigitsDialed is reported
    no_answer_after: Annotated[float, Field(gt=0)] = 20.0  # seconds until a caller gives up
    busy_hangup_after: Annotated[float, Field(gt=0)] = 3.0  # seconds a caller listens to the busy tone
    utc_offset: Annotated[float, Field(ge=-14, le=14)] = 0.0  # hours; the PBX reports local time without a zone
    fork: ForkConfig = ForkConfig()
    script: tuple[ScriptConfig, ...] = ()
    load: LoadConfig | None = None

    @model_validator(mode="after")
    def _numbers_are_unique(self) -> Self:
        expand_all([*(s.range for s in self.stations), *(t.range for t in self.trunks), *self.recorder_ports])
        return self

    @model_validator(mode="after")
    def _access_code_is_free(self) -> Self:
        for stations in self.stations:
            for number in expand(stations.range):
                if number.startswith(self.access_code):
                    raise ValueError(f"station {number} begins with the access code {self.access_code!r} of the trunks")
        return self

    @model_validator(mode="after")
    def _load_has_stations(self) -> Self:
        if self.load is not None:
            known = {number for stations in self.stations for number in expand(stations.range)}
            for number in expand_all(self.load.stations):
                if number not in known:
                    raise ValueError(f"load.stations: {number} is no station; stations are {self._ranges()}")
        return self

    def _ranges(self) -> str:
        return ", ".join(stations.range for stations in self.stations)
