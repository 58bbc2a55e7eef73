"""The [[lines]] sections: E1 lines from the PBX's recorder trunk boards, and how calls are put on their time slots."""

import re
from collections.abc import Mapping
from dataclasses import fields, replace
from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from osrec.cas.settings import CODES, CasConfig
from osrec.config_values import MisplacedError, Section, each_number
from osrec.errors import UsageError
from osrec.isdn.link_messages import LinkConfig
from osrec.isdn.profile import Protocol, Role
from osrec.isdn.settings import AccessConfig, Answering
from osrec.numbers import expand
from osrec_drivers.e1.criteria import Criteria
from osrec_drivers.e1.performance import Thresholds
from osrec_drivers.errors import DriverError
from osrec_drivers.line import check_signalling

TDM_SLOTS = range(1, 32)  # TS0 carries frame alignment, G.704 2.3.2


SLOTS_PATTERN = re.compile(r"\s*\d{1,2}\s*(-\s*\d{1,2}\s*)?(,\s*\d{1,2}\s*(-\s*\d{1,2}\s*)?)*")


def _padded(part: str) -> str:
    """A slot or range of slots with two digits each, as `expand` wants ranges."""
    return "-".join(end.strip().zfill(2) for end in part.split("-"))


def slot_list(text: str) -> list[int]:
    """The time slots that `1-15,17-31` names. Raises ValueError, also for a slot that does not exist."""
    if not SLOTS_PATTERN.fullmatch(text):
        raise ValueError(f"{text!r} are no time slots; write numbers and ranges such as 1-15,17-31")
    slots = [int(slot) for slot in expand(map(_padded, text.split(",")))]
    wrong = [slot for slot in slots if slot not in TDM_SLOTS]
    if wrong:
        raise ValueError(f"{text!r}: time slot {wrong[0]} does not carry audio; use 1 to 31")
    return slots


Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]
D_CHANNEL_SLOT = 16  # of a primary rate access, and of channel associated signalling, G.704 5.1


class IsdnSection(Section):
    """A D channel: signalling = "dss1" or "qsig". Times in seconds."""

    role: Literal["user", "network"] = "user"
    ports_by: Literal["called", "slot"] = "called"
    answering: Literal["connect", "alert"] = "connect"
    proceeding: bool | None = None
    restart: bool = True
    restart_patience: Seconds = 10.0
    timers: dict[str, Seconds] = {}
    t200: Seconds = 1.0
    n200: Annotated[int, Field(ge=0, le=100)] = 3
    k: Annotated[int, Field(ge=1, le=127)] = 7
    t203: Seconds = 10.0

    def access(self, protocol: Protocol, slots: tuple[int, ...]) -> AccessConfig:
        """Raises UsageError for a timer that is not known."""
        config = AccessConfig(
            protocol=protocol,
            role=Role(self.role),
            slots=slots,
            answering=Answering.MANUAL,
            most_slots=2,
            proceeding=self.proceeding,
            timers=self.timers,
            link=self.link(),
        )
        _ = config.all_timers
        return config

    def link(self) -> LinkConfig:
        """Raises UsageError for times that do not go together."""
        return LinkConfig(t200=self.t200, n200=self.n200, k=self.k, t203=self.t203)

    @model_validator(mode="after")
    def _layer_2_goes_together(self) -> Self:
        try:
            self.link()
        except UsageError as error:
            raise ValueError(str(error)) from error
        return self


Code = Annotated[str, Field(pattern=r"^[01]{4}$")]


class CasSection(Section):
    """Codes of signalling = "cas", as abcd, and times in seconds."""

    their_idle: Code = "1001"
    their_seize: Code = "0001"
    their_block: Code | Literal["none"] = "1101"
    our_idle: Code = "1001"
    our_ack: Code | Literal["none"] = "1101"
    our_answer: Code = "0101"
    our_clear: Code = "1101"
    recognition: Annotated[float, Field(ge=0, le=1)] = 0.02
    answer_after: Annotated[float, Field(ge=0, le=10)] = 0.1
    clear_patience: Seconds = 10.0
    loss_patience: Seconds = 90.0

    def config(self) -> CasConfig:
        """Raises UsageError for codes that do not go together."""
        values = self.model_dump()
        codes = {name: None if values[name] == "none" else int(values[name], 2) for name in CODES}
        return CasConfig(**(values | codes))

    @model_validator(mode="after")
    def _codes_go_together(self) -> Self:
        try:
            self.config()
        except UsageError as error:
            raise ValueError(str(error)) from error
        return self


def _known(value: Mapping[str, object], table: type[Criteria | Thresholds]) -> None:
    """Raises ValueError for a threshold that the table does not have."""
    known = [each.name for each in fields(table)]
    unknown = [name for name in value if name not in known]
    if unknown:
        raise ValueError(f"{unknown[0]!r} is no threshold; there are {', '.join(known)}")


def _thresholds(value: Mapping[str, float]) -> Thresholds:
    """All but the share are counts. Raises ValueError."""
    broken = [name for name, one in value.items() if name != "ses_share" and not one.is_integer()]
    if broken:
        raise ValueError(f"{broken[0]} = {value[broken[0]]}: a whole number")
    share = value.get("ses_share", Thresholds().ses_share)
    return replace(
        Thresholds(ses_share=share), **{name: int(one) for name, one in value.items() if name != "ses_share"}
    )


class LineSection(Section):
    """One E1 line from the PBX's recorder trunk board."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,32}$")]
    spec: str
    slots: str = "1-15,17-31"
    ports: list[str]
    signalling: Literal["none", "dss1", "qsig", "cas"] = "none"
    isdn: IsdnSection = IsdnSection()
    cas: CasSection = CasSection()
    criteria: dict[str, int] = {}
    performance: dict[str, float] = {}

    @field_validator("criteria")
    @classmethod
    def _check_criteria(cls, value: dict[str, int]) -> dict[str, int]:
        _known(value, Criteria)
        Criteria(**value)
        return value

    @field_validator("performance")
    @classmethod
    def _check_performance(cls, value: dict[str, float]) -> dict[str, float]:
        _known(value, Thresholds)
        _thresholds(value)
        return value

    @property
    def thresholds(self) -> Thresholds:
        """When a second of the line is severely errored, and its time unavailable."""
        return _thresholds(self.performance)

    @field_validator("ports")
    @classmethod
    def _check_ports(cls, value: list[str]) -> list[str]:
        return each_number(value)

    @field_validator("slots")
    @classmethod
    def _check_slots(cls, value: str) -> str:
        if not SLOTS_PATTERN.fullmatch(value):
            raise ValueError(f"{value!r} are no time slots; write numbers and ranges such as 1-15,17-31")
        expand(map(_padded, value.split(",")))
        return value

    @property
    def slot_numbers(self) -> list[int]:
        return [int(slot) for slot in expand(map(_padded, self.slots.split(",")))]

    @property
    def ports_by_slot(self) -> dict[int, str]:
        return dict(zip(self.slot_numbers, self.port_numbers, strict=True))

    @property
    def port_numbers(self) -> list[str]:
        return expand(self.ports)

    @model_validator(mode="after")
    def _slots_and_ports(self) -> Self:
        slots = self.slot_numbers
        wrong = [slot for slot in slots if slot not in TDM_SLOTS]
        if wrong:
            raise ValueError(f"slots = {self.slots!r}: time slot {wrong[0]} does not carry audio; use 1 to 31")
        if len(slots) % 2:
            raise ValueError(
                f"slots = {self.slots!r} are {len(slots)}: a recording needs two, so the count must be even"
            )
        if len(self.port_numbers) != len(slots):
            raise ValueError(
                f"{len(self.port_numbers)} ports for {len(slots)} slots: each slot needs its own port number"
            )
        return self

    @model_validator(mode="after")
    def _signalling_fits(self) -> Self:
        if self.signalling != "none" and D_CHANNEL_SLOT in self.slot_numbers:
            text = f"{self.slots!r}: with signalling = {self.signalling!r} time slot 16 carries the signalling"
            raise MisplacedError(text, "slots")
        if self.signalling != "none":
            try:
                check_signalling(self.spec, cas=self.signalling == "cas")
            except DriverError as error:
                raise MisplacedError(f"with signalling = {self.signalling!r}: {error}", "spec") from error
        if self.signalling != "cas" and self.cas != CasSection():
            raise MisplacedError(f"says nothing with signalling = {self.signalling!r}; it goes with 'cas'", "cas")
        if self.signalling not in ("dss1", "qsig"):
            if self.isdn != IsdnSection():
                text = f"says nothing with signalling = {self.signalling!r}; it goes with 'dss1' and 'qsig'"
                raise MisplacedError(text, "isdn")
            return self
        try:
            self.access()
        except UsageError as error:
            raise MisplacedError(str(error), "isdn", "timers") from error
        return self

    def access(self) -> AccessConfig:
        """The D channel of a line that has one."""
        return self.isdn.access(Protocol(self.signalling), tuple(self.slot_numbers))

    def pairs(self) -> list[tuple[tuple[int, str], tuple[int, str]]]:
        """((slot, port), (slot, port)) of each pair: neighbours in the order of `slots`."""
        both = list(zip(self.slot_numbers, self.port_numbers, strict=True))
        return list(pairwise(both))[::2]
