"""The spec of a DAHDI line, `dahdi:SPAN?OPTION=VALUE&...`, read and checked."""

from dataclasses import dataclass

from osrec_drivers.errors import OpenError
from osrec_drivers.spec import Options, choice, flag, number, split

_FORM = "dahdi:SPAN, as in dahdi:1 or dahdi:2?timing=0"

_OPTIONS: Options = {
    "crc4": flag,
    "timing": number(0, 128),
    "lbo": number(0, 7),
    "configure": choice("auto", "always", "never"),
    "hdlc": choice("ours", "dahdi"),
    "ahead_ms": number(10, 100),
}


@dataclass(frozen=True, slots=True)
class DahdiSpec:
    """What the spec of a DAHDI line says.

    Attributes:
        crc4: the board sends and expects the CRC-4 multiframe.
        timing: 0: the board gives the clock; else it takes the far end's, first choice 1, second 2 and so on.
        lbo: line build-out as dahdi_cfg numbers it.
        configure: tell DAHDI framing, clock and use of the channels: auto: where they differ, always, or never.
        hdlc: who does the HDLC of a D channel in time slot 16.
        ahead_ms: how much is given to the board before it is due.
    """

    span: int
    crc4: bool = True
    timing: int = 1
    lbo: int = 0
    configure: str = "auto"
    hdlc: str = "ours"
    ahead_ms: int = 30

    @property
    def kernel_hdlc(self) -> bool:
        return self.hdlc == "dahdi"


def parse(spec: str) -> DahdiSpec:
    """Raises OpenError, which names what is wrong and what would be right."""
    place, options = split(spec, "dahdi", _FORM, _OPTIONS)
    if not place.isascii() or not place.isdigit() or len(place) > 3 or not 1 <= int(place) <= 128:
        raise OpenError(f"line {spec!r}: span {place!r} must be a number 1..128, as `cat /proc/dahdi/*` shows them")
    return DahdiSpec(int(place), **options)
