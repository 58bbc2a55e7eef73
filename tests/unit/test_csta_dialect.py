"""osrec.wire.csta.dialect: encoding and framing as a configuration names them."""

import pytest

from osrec.errors import UsageError
from osrec.wire.csta.dialect import dialect


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (("asn1", "xml8"), "framing 'xml8' with encoding 'asn1': XML needs xml8"),
        (("xml", "be2"), "framing 'be2' with encoding 'xml': XML needs xml8"),
        (("json", "be2"), "encoding 'json': known are asn1, xml"),
        (("asn1", "be3"), "framing 'be3': known are be2"),
    ],
)
def test_a_combination_that_cannot_be_is_refused(arguments: tuple[str, str], what: str) -> None:
    with pytest.raises(UsageError, match=what):
        dialect(*arguments)


def test_edition_and_device_form_are_checked() -> None:
    with pytest.raises(UsageError, match="edition 2 of ECMA-323: known are 3, 4, 5"):
        dialect("xml", "xml8", edition=2)
    with pytest.raises(UsageError, match=r"device form 'tel:': it has to hold \{number\} once"):
        dialect("xml", "xml8", device_form="tel:")


def test_each_connection_gets_a_fresh_framing_with_the_sites_limit() -> None:
    speaks = dialect("xml", "xml8", 1000)
    first, second = speaks.framing(), speaks.framing()
    first.feed(b"\0")
    assert (first.held, second.held, second.limit) == (1, 0, 1000)
