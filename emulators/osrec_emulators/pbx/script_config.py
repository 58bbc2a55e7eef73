"""[[pbx.script]]: who does what, when."""

from dataclasses import dataclass
from typing import Annotated, Final, Literal, Self, get_args

from pydantic import ConfigDict, Field, model_validator

from osrec_emulators.pbx.values import Number, Seconds
from osrec_emulators.section import Section

Action = Literal[
    "call",
    "answer",
    "answer_any",
    "hangup",
    "leave",
    "hold",
    "retrieve",
    "alternate",
    "consult",
    "transfer",
    "blind_transfer",
    "conference",
    "deflect",
    "pickup",
    "forward",
    "unforward",
    "park",
    "unpark",
    "callback",
    "camp_on",
    "bridge",
    "dial",
    "log_on",
    "log_off",
    "ready",
    "not_ready",
    "account",
    "user_data",
    "correlator",
    "digits",
    "replace_path",
    "say",
    "busy",
    "unreachable",
    "free",
    "ignore",
]
Condition = Literal["always", "busy", "no_answer"]
Shown = Literal["number", "withheld", "unknown"]


@dataclass(frozen=True, slots=True)
class _Takes:
    """What an action is to be given: "no", "may" or "must"; `what_is` says what a text means."""

    to: Literal["no", "may", "must"] = "no"
    what: Literal["no", "may", "must"] = "no"
    what_is: str = ""


_TO = _Takes(to="must")
_TAKES: Final[dict[Action, _Takes]] = {
    "call": _Takes(to="may"),  # without it only where a station has a hot line
    "consult": _TO,
    "blind_transfer": _TO,
    "deflect": _TO,
    "pickup": _Takes(to="may"),  # without it: of one's group
    "forward": _Takes("must", "may", "when: " + ", ".join(get_args(Condition))),
    "park": _TO,
    "unpark": _TO,
    "dial": _TO,
    "account": _Takes(what="must", what_is="the account code"),
    "user_data": _Takes(what="must", what_is="text that goes with the call"),
    "correlator": _Takes(what="must", what_is="text that goes with the call"),
    "digits": _Takes(what="must", what_is="digits sent as DTMF: 0-9 A-D * #"),
    "say": _Takes(what="must", what_is="a speech file's name or tone:N"),
}


class StepConfig(Section):
    """One thing that somebody does: at `at` seconds after the script's start, or `after` the step before.

    `from` is who does it: a station's number, or the number of somebody outside. `to` is as that party would dial it.
    `shows` is what the PBX is told of a caller outside.
    """

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True)

    action: Action
    party: Number = Field(alias="from")
    to: Number | None = None
    what: str | None = None
    shows: Shown = "number"
    at: Seconds | None = None
    after: Seconds | None = None

    @model_validator(mode="after")
    def _complete(self) -> Self:
        takes = _TAKES.get(self.action, _Takes())
        if self.at is not None and self.after is not None:
            raise ValueError("a step has `at` (from the start) or `after` (from the step before), not both")
        if (self.to is None and takes.to == "must") or (self.to is not None and takes.to == "no"):
            raise ValueError(f"action {self.action!r} takes {'a' if self.to is None else 'no'} `to`")
        if self.what is None and takes.what == "must":
            raise ValueError(f"action {self.action!r} takes a `what`: {takes.what_is}")
        if self.what is not None and takes.what == "no":
            raise ValueError(f"action {self.action!r} takes no `what`, given is {self.what!r}")
        if self.shows != "number" and self.action != "call":
            raise ValueError(f"`shows` goes with action 'call', not with {self.action!r}")
        return self

    @model_validator(mode="after")
    def _what_is_right(self) -> Self:
        if self.action == "forward" and self.what is not None and self.what not in get_args(Condition):
            raise ValueError(f"`what` = {self.what!r}: a call is forwarded {', '.join(get_args(Condition))}")
        if self.action == "digits" and not set(self.what or "") <= set("0123456789ABCD*#"):
            raise ValueError(f"`what` = {self.what!r}: DTMF has the digits 0-9 A-D * #")
        return self


class ScriptConfig(Section):
    """Steps that are played once, or every `repeat` seconds."""

    name: str = ""
    start: Seconds = 0.0
    repeat: Annotated[float, Field(gt=0)] | None = None
    steps: Annotated[tuple[StepConfig, ...], Field(min_length=1)]
