"""docs/isdn.md says what the machines do."""

from tests.isdn_tables import DOCUMENT, brought_up_to_date


def test_the_tables_of_the_document_are_those_of_the_machines() -> None:
    text = DOCUMENT.read_text()
    assert text == brought_up_to_date(text), "run: python -m tests.isdn_tables"
