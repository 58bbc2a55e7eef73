"""[pbx.fork]: which ways of asking for a station's audio the PBX takes, and what goes wrong with them."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from osrec_emulators.pbx.escape_template import DEFAULT_START, DEFAULT_STOP, START_NEEDS, STOP_NEEDS, Template
from osrec_emulators.pbx.fork_errors import ERRORS
from osrec_emulators.pbx.values import NumberRange, Seconds, Share
from osrec_emulators.section import Section

Strategy = Literal["single-step-conference", "join-call", "escape", "make-call"]


def _error(name: str) -> str:
    if name not in ERRORS:
        raise ValueError(f"{name!r} is no error that a PBX answers a fork with; there are {', '.join(ERRORS)}")
    return name


def _code(digits: str) -> str:
    if not digits or not set(digits) <= set("0123456789*#"):
        raise ValueError(f"{digits!r} is no feature code: use digits, * and #")
    return digits


def _start(text: str) -> str:
    Template(text, START_NEEDS)
    return text


def _stop(text: str) -> str:
    Template(text, STOP_NEEDS)
    return text


def _rising(span: tuple[float, float]) -> tuple[float, float]:
    if span[1] < span[0]:
        raise ValueError(f"[{span[0]:g}, {span[1]:g}]: the first may not be above the second")
    return span


Span = Annotated[tuple[Seconds, Seconds], AfterValidator(_rising)]


class EscapeConfig(Section):
    """Private data of the Escape service; the templates are described in docs/fork-strategies.md."""

    start: Annotated[str, AfterValidator(_start)] = DEFAULT_START
    stop: Annotated[str, AfterValidator(_stop)] = DEFAULT_STOP


class CodesConfig(Section):
    """Feature codes that a port dials before a station's number; the same twice: the order of joining decides."""

    own: Annotated[str, AfterValidator(_code)] = "*44"
    other: Annotated[str, AfterValidator(_code)] = "*45"

    @model_validator(mode="after")
    def _told_apart(self) -> Self:
        one, other = sorted((self.own, self.other), key=len)
        if one != other and other.startswith(one):
            raise ValueError(f"code {other!r} begins with the other code {one!r}: what is dialled would mean both")
        return self


class When(Section):
    """Which requests, forks or pairs something happens to: those that any of the members chooses.

    Attributes:
        every: each so-many-th of all, 0: none.
        rate: a share of all, drawn at random.
        ports: those on these ports.
        first: so many of the first of each station in each call.
        between: only in these seconds of PBX time.
    """

    every: Annotated[int, Field(ge=0)] = 0
    rate: Share = 0.0
    ports: tuple[NumberRange, ...] = ()
    first: Annotated[int, Field(ge=0)] = 0
    between: Span | None = None


class Refuse(When):
    """Requests that are answered with an error, one after the other of `errors`, and do nothing."""

    errors: Annotated[tuple[Annotated[str, AfterValidator(_error)], ...], Field(min_length=1)] = ("resourceBusy",)


class Unanswered(When):
    """Requests that are never answered. `joins`: the PBX does what was asked all the same."""

    joins: bool = True


class Late(When):
    """Requests that are served at once and answered late."""

    seconds: Span = (2.0, 2.0)


class Lost(When):
    """Forks that the PBX ends in mid-call. `told`: with the events that any other end has; else without."""

    after: Span = (5.0, 5.0)  # seconds from the fork's beginning
    sides: Literal["both", "own", "other"] = "both"
    told: bool = True


class Stuck(When):
    """Ports that stay seized when they should be free: they refuse forks as busy, for so many seconds."""

    seconds: Span = (30.0, 30.0)


class ForkFaultsConfig(Section):
    """What goes wrong with forks; the default PBX is healthy.

    `lost` chooses among stations' pairs, by their first port, `swapped` too; all others among requests or ports.

    Attributes:
        seed: of what is drawn; None: the world's.
        swapped: pairs on which each side carries what the other one should.
        dead: forks that are granted and carry nothing.
    """

    seed: int | None = None
    refuse: Refuse = Refuse()
    unanswered: Unanswered = Unanswered()
    late: Late = Late()
    lost: Lost = Lost()
    swapped: When = When()
    dead: When = When()
    stuck: Stuck = Stuck()


class ForkConfig(Section):
    """How the PBX gives audio to the recorder. No public document settles it: play every variant.

    Attributes:
        strategies: the ways of asking that it takes, see docs/fork-strategies.md; the rest are not supported.
        order: which side the first port joined for a station carries.
        escape, codes: how the ways `escape` and `make-call` spell their request.
        follows: "station": through hold, consultation and conference, until the station has no connection left
            in the conversation; "call": only while the station is connected in the very call that was forked.
        events: who is told of the silent legs: the forked station's monitors, those of all in the call, or nobody.
            A monitor on the port itself always is.
    """

    strategies: Annotated[tuple[Strategy, ...], Field(min_length=1)] = ("single-step-conference", "join-call")
    order: Literal["own-first", "other-first"] = "own-first"
    escape: EscapeConfig = EscapeConfig()
    codes: CodesConfig = CodesConfig()
    follows: Literal["station", "call"] = "station"
    events: Literal["station", "all", "none"] = "station"
    faults: ForkFaultsConfig = ForkFaultsConfig()
