"""Numbers made to E.164 with the prefixes of a site."""

import pytest

from osrec.calls.numbering import Site
from osrec.wire.csta.model import DeviceId, NumberKind

WARSAW = Site(country="48", area="22", main="555")


@pytest.mark.parametrize(
    ("number", "e164"),
    [
        ("+4930123456", "+4930123456"),
        ("004930123456", "+4930123456"),
        ("0601234567", "+48601234567"),
        ("1234567", "+48221234567"),
        ("112", None),
        ("*43", None),
        ("+12", None),
        ("00", None),
    ],
)
def test_a_number_outside_is_read_as_dialled_from_a_public_telephone(number: str, e164: str | None) -> None:
    assert WARSAW.e164(DeviceId(number), external=True) == e164


@pytest.mark.parametrize(
    ("number", "e164"),
    [
        ("00601234567", "+48601234567"),
        ("0004930123456", "+4930123456"),
        ("01234567", "+48221234567"),
        ("0112", None),
        ("+4930123456", "+4930123456"),
    ],
)
def test_the_code_that_seized_a_trunk_is_no_part_of_the_number(number: str, e164: str | None) -> None:
    assert WARSAW.e164(DeviceId(number), external=True, access="0") == e164


def test_an_extension_is_reached_behind_the_main_number() -> None:
    assert WARSAW.e164(DeviceId("3100"), external=False) == "+48225553100"
    assert Site(country="48", area="22").e164(DeviceId("3100"), external=False) is None


@pytest.mark.parametrize(
    ("ton", "number", "e164"),
    [(1, "4930123456", "+4930123456"), (2, "601234567", "+48601234567"), (4, "1234567", "+48221234567")],
)
def test_the_type_of_number_decides_where_the_pbx_gives_it(ton: int, number: str, e164: str) -> None:
    assert WARSAW.e164(DeviceId(number, NumberKind.EXPLICIT_PUBLIC, ton), external=True) == e164


def test_without_a_country_only_international_numbers_are_known() -> None:
    assert Site().e164(DeviceId("0601234567"), external=True) is None
    assert Site().e164(DeviceId("+48601234567"), external=True) == "+48601234567"
