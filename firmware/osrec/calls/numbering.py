"""Telephone numbers as the PBX gives them, made to E.164 with the prefixes of the site."""

from dataclasses import dataclass

from osrec.wire.csta.model import DeviceId, NumberKind

LONGEST = 15  # digits, E.164 6.2
INTERNATIONAL, NATIONAL, SUBSCRIBER = 1, 2, 4  # PublicTON, ECMA-285: tags of its alternatives


@dataclass(frozen=True, slots=True)
class Site:
    """Where the PBX stands in the public network. With an empty `country` no number is made to E.164.

    Attributes:
        country: country code, "48". area: without trunk prefix, "22"; "" where the country has none.
        main: the number of the PBX within its area, before the extension, "123"; "" without direct dialling in.
        trunk_prefix: dialled before an area code, "0". international: before a country code, "00".
        shortest: digits of the shortest subscriber number; what is shorter is a service or an extension.
        access_code: seizes a trunk, "0", where the PBX leaves it before the numbers outside that were called; else "".
    """

    country: str = ""
    area: str = ""
    main: str = ""
    trunk_prefix: str = "0"
    international: str = "00"
    shortest: int = 5
    access_code: str = ""

    def e164(self, device: DeviceId, *, external: bool, access: str = "") -> str | None:
        """The number with "+" and country code, None where it cannot be told; `access`: the code before it, if any."""
        number = device.number
        if number.startswith("+"):
            return _checked(number[1:])
        if not self.country or not number.isascii() or not number.isdigit():
            return None
        if device.kind is NumberKind.EXPLICIT_PUBLIC:
            return self._of_type(number, device.ton)
        return self._outside(number.removeprefix(access)) if external else self._extension(number)

    def _of_type(self, number: str, ton: int | None) -> str | None:
        before = {INTERNATIONAL: "", NATIONAL: self.country, SUBSCRIBER: self.country + self.area}.get(ton or 0)
        return self._outside(number) if before is None else _checked(before + number)

    def _outside(self, number: str) -> str | None:
        """As it would be dialled from a telephone outside the PBX."""
        if self.international and number.startswith(self.international):
            return _checked(number[len(self.international) :])
        if self.trunk_prefix and number.startswith(self.trunk_prefix):
            return _checked(self.country + number[len(self.trunk_prefix) :])
        if len(number) < self.shortest:
            return None
        return _checked(self.country + self.area + number)

    def _extension(self, number: str) -> str | None:
        return _checked(self.country + self.area + self.main + number) if self.main else None


def _checked(digits: str) -> str | None:
    fits = digits.isascii() and digits.isdigit() and not digits.startswith("0") and 7 <= len(digits) <= LONGEST
    return "+" + digits if fits else None
