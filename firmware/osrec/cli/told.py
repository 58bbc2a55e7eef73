"""What somebody tells `osrec rules explain` of a call, checked, as the facts that rules look at."""

import typer

from osrec.calls.numbering import Site
from osrec.numbers import NUMBER
from osrec.store.records import Direction
from osrec.wire.csta.model import DeviceId

UNKNOWN = "-"  # in the place of a number: withheld, or not known
_RULE = "digits, * and #, with + before a country code, such as 3105 or +4922812345"


def number_of(text: str, field: str, *, unknown: bool = False) -> str:
    """A number as a PBX may write it. Raises BadParameter: what is none would match no rule without a word."""
    if NUMBER.fullmatch(text) or (unknown and text == UNKNOWN):
        return text
    also = f"; {UNKNOWN} stands for a number that is not known" if unknown else ""
    raise typer.BadParameter(f"{text!r} is no number: write {_RULE}{also}", param_hint=field)


def others(number: str, site: Site, direction: Direction) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The other party's number, and its form +49... where the site's prefixes tell it: the recorder has both."""
    if number == UNKNOWN:
        return (), ()
    access = site.access_code if direction == "out" else ""
    e164 = site.e164(DeviceId(number), external=direction != "internal", access=access)
    return (number,), () if e164 is None else (e164,)
