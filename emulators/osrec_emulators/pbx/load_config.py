"""[pbx.load]: random traffic."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from osrec_emulators.pbx.values import NumberRange, Seconds, Share, Weight
from osrec_emulators.section import Section


class LoadConfig(Section):
    """Random traffic: `keep` calls at all times, or arrivals for so many `erlang`.

    The shares of directions need not sum up to 1: they are weights. Those of what happens are of all calls: one thing
    may happen until a call is answered, and one while people talk. A call for which something is missing (a third
    station, a park slot, a group) is an ordinary one instead.
    """

    stations: tuple[NumberRange, ...] = ()  # empty: all but members of groups, which those may ring at any time
    keep: Annotated[int, Field(ge=1)] | None = None
    erlang: Annotated[float, Field(gt=0)] | None = None
    mean_hold: Annotated[float, Field(ge=1)] = 60.0  # seconds of conversation
    seed: int | None = None  # None: the world's
    start: Seconds = 0.0
    spacing: Annotated[float, Field(gt=0)] = 0.25  # seconds between two new calls while filling up to `keep`
    ring: tuple[Seconds, Seconds] = (1.0, 4.0)
    incoming: Weight = 0.4
    outgoing: Weight = 0.3
    internal: Weight = 0.3
    # until a call is answered
    busy: Share = 0.03
    no_answer: Share = 0.04
    forward: Share = 0.0
    deflect: Share = 0.0
    pickup: Share = 0.0
    group: Share = 0.0  # a call to a hunt group, queue, shared line and so on
    camp_on: Share = 0.0
    callback: Share = 0.0
    disa: Share = 0.0
    # while people talk
    hold: Share = 0.15
    transfer: Share = 0.1
    conference: Share = 0.05
    alternate: Share = 0.0
    blind_transfer: Share = 0.0
    transfer_out: Share = 0.0
    park: Share = 0.0
    replace_path: Share = 0.0
    details: Share = 0.0  # account code, user data, correlator, digits
    conference_parties: Annotated[int, Field(ge=3, le=8)] = 3  # the most

    @property
    def before_answer(self) -> dict[str, float]:
        """Shares of what happens until a call is answered."""
        return {name: getattr(self, name) for name in _BEFORE_ANSWER}

    @property
    def in_conversation(self) -> dict[str, float]:
        """Shares of what happens while people talk."""
        return {name: getattr(self, name) for name in _IN_CONVERSATION}

    @model_validator(mode="after")
    def _one_target(self) -> Self:
        if (self.keep is None) == (self.erlang is None):
            raise ValueError("give either `keep` (calls at all times) or `erlang` (mean traffic)")
        if self.incoming + self.outgoing + self.internal <= 0:
            raise ValueError("one of `incoming`, `outgoing`, `internal` must be above 0")
        for shares in (self.before_answer, self.in_conversation):
            if sum(shares.values()) > 1 + 1e-9:
                raise ValueError(f"{' + '.join(shares)} = {sum(shares.values()):g}, and may be 1 at most")
        if self.ring[1] < self.ring[0]:
            raise ValueError("`ring` is [shortest, longest] in seconds")
        return self


_BEFORE_ANSWER = ("busy", "no_answer", "forward", "deflect", "pickup", "group", "camp_on", "callback", "disa")
_IN_CONVERSATION = (
    "hold",
    "transfer",
    "conference",
    "alternate",
    "blind_transfer",
    "transfer_out",
    "park",
    "replace_path",
    "details",
)
