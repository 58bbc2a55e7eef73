"""Kinds of values that the sections of [pbx] have in common."""

from typing import Annotated

from pydantic import AfterValidator, Field

from osrec_emulators.pbx.numbering import expand


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
Duration = Annotated[float, Field(gt=0)]
Share = Annotated[float, Field(ge=0, le=1)]
Weight = Annotated[float, Field(ge=0)]
