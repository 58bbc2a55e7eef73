"""What any CSTA XML message may carry at its end: sequence number, time, private data (CSTACommonArguments).

Private data is kept as it came: each item is what one <private> holds, one item an element, with the declarations of
the prefixes that it uses. Octets that are no XML, as ASN.1 has them, travel as hex text and come back as octets.
"""

from dataclasses import dataclass, field
from datetime import datetime

from osrec.errors import WireError
from osrec.wire.csta.identifiers import read_identifier, write_identifier
from osrec.wire.csta.xml_names import is_ours
from osrec.wire.csta.xml_tree import Node, element, fragment, parse
from osrec.wire.csta.xml_values import read_moment, read_number, write_moment

EXTENSIONS = "extensions"
_KNOWN = ("security", "privateData")


@dataclass(slots=True)
class Extensions:
    at: datetime | None = None
    sequence: int | None = None
    private: list[bytes] = field(default_factory=list)


def read_extensions(node: Node, extensions: Extensions, notes: list[str]) -> None:
    for child in node.children:
        if not is_ours(child.namespace) or child.name not in _KNOWN:
            notes.append(f"unknown member {child.qname[:60]} in extensions")
        elif child.name == "security":
            _read_security(child, extensions, notes)
        else:
            extensions.private += read_private(child)


def _read_security(node: Node, extensions: Extensions, notes: list[str]) -> None:
    for child in node.children:  # securityInfo is anything: passed over without a remark
        if child.name == "messageSequenceNumber":
            try:
                extensions.sequence = read_number(child.value(), child.name)
            except WireError as error:
                notes.append(str(error))
        elif child.name == "timestamp":
            extensions.at = read_moment(child.value())
            if extensions.at is None:
                notes.append(f"timestamp {child.value()[:40]!r} is no time")


def read_private(data: Node) -> list[bytes]:
    """The items of <privateData>."""
    items: list[bytes] = []
    for private in data.children:
        items += [fragment(child) for child in private.children]
        if not private.children and private.value():
            items.append(read_identifier(private.value()))
    return items


def write_extensions(extensions: Extensions) -> Node | None:
    security = []
    if extensions.sequence is not None:
        security.append(element("messageSequenceNumber", text=str(extensions.sequence)))
    if extensions.at is not None:
        security.append(element("timestamp", text=write_moment(extensions.at)))
    if not security and not extensions.private:
        return None
    return element(
        EXTENSIONS,
        element("security", *security) if security else None,
        write_private(extensions.private) if extensions.private else None,
    )


def write_private(items: list[bytes]) -> Node:
    return element("privateData", *map(_write_item, items))


def _write_item(item: bytes) -> Node:
    if item.startswith(b"<"):
        try:
            return element("private", parse(item))
        except WireError:
            pass  # octets of ASN.1 that only look so
    return element("private", text=write_identifier(item))
