"""XML documents and fragments as plain trees, read with expat and nothing that a peer could abuse.

A document type declaration is refused, so there are no entities to expand and nothing outside to fetch; size, depth and
count of elements are bounded. Names keep their prefixes: peers that forget to declare one have been seen, and their
messages are read all the same.
"""

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr

from osrec.errors import UsageError, WireError

MAX_OCTETS: Final = 65_527  # what 16 bits of length leave for a document (ECMA-323 annex J)
MAX_DEPTH: Final = 32  # ours: the deepest element that we read lies at level 8
MAX_NODES: Final = 10_000  # ours: a snapshot of a thousand calls has fewer
_PREFIXED = "xmlns:"
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_PADDING = b" \t\r\n\0"  # around a document, which expat takes for junk
_NO_CHARACTER = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # Char of XML 1.0


@dataclass(slots=True, eq=False)
class Node:
    """One element. `scope` are the namespaces in force, by prefix ("" is the default one); None: the element is ours.

    Text between children is kept behind them: CSTA has no mixed content, and private data has not been seen with it.
    """

    qname: str
    attributes: dict[str, str] = field(default_factory=dict)
    scope: dict[str, str] | None = None
    children: "list[Node]" = field(default_factory=list)
    text: str = ""
    name: str = field(init=False)  # without prefix

    def __post_init__(self) -> None:
        self.name = self.qname.rpartition(":")[2]

    @property
    def namespace(self) -> str | None:
        """None: none in force, or the prefix was never declared."""
        return (self.scope or {}).get(self.qname.rpartition(":")[0]) or None

    def child(self, name: str) -> "Node | None":
        for child in self.children:
            if child.name == name:
                return child
        return None

    def value(self) -> str:
        return self.text.strip()

    def walk(self) -> "Iterator[Node]":
        yield self
        for child in self.children:
            yield from child.walk()


def parse(octets: bytes) -> Node:
    """The root of one document. Raises WireError."""
    if len(octets) > MAX_OCTETS:
        raise WireError(f"XML of {len(octets)} octets, allowed are {MAX_OCTETS}")
    builder = _Builder()
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.characters
    parser.StartDoctypeDeclHandler = builder.doctype
    try:
        parser.Parse(octets if octets[:2] in _UTF_16 else octets.strip(_PADDING), True)
    except expat.ExpatError as error:
        raise WireError(f"no well-formed XML: {error}", "XML 1.0") from error
    except WireError:
        raise
    except (LookupError, ValueError) as error:  # an encoding that nobody knows, or not of single octets
        raise WireError(f"no readable XML: {error}", "XML 1.0") from error
    return builder.root()


def as_it_came(octets: bytes, what: str) -> Node:
    """What was once read, to be sent again. Raises UsageError when it is no XML: it came in another encoding."""
    try:
        return parse(octets)
    except WireError as error:
        raise UsageError(f"{what} with body {octets[:20].hex()} cannot be said in XML: {error}") from error


class _Builder:
    def __init__(self) -> None:
        self._open: list[Node] = []
        self._root: Node | None = None
        self._count = 0

    def root(self) -> Node:
        assert self._root is not None  # expat refuses a document without root
        return self._root

    def start(self, qname: str, attributes: dict[str, str]) -> None:
        above = self._open
        self._count += 1
        if len(above) >= MAX_DEPTH:
            raise WireError(f"more than {MAX_DEPTH} elements within each other, at {qname[:40]}")
        if self._count > MAX_NODES:
            raise WireError(f"more than {MAX_NODES} elements")
        scope = (above[-1].scope if above else None) or {}
        if attributes:
            attributes, scope = _declared(attributes, scope)
        node = Node(qname, attributes, scope)
        if above:
            above[-1].children.append(node)
        else:
            self._root = node
        above.append(node)

    def end(self, _qname: str) -> None:
        self._open.pop()

    def characters(self, text: str) -> None:
        self._open[-1].text += text

    def doctype(self, name: str, *_: object) -> None:
        raise WireError(f"document type declaration {name[:40]!r} refused: it could define entities")


def _declared(attributes: dict[str, str], scope: dict[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """The attributes that declare no namespace, and the namespaces in force with those that do."""
    declared = {key for key in attributes if key == "xmlns" or key.startswith(_PREFIXED)}
    if not declared:
        return attributes, scope
    rest = {key: value for key, value in attributes.items() if key not in declared}
    return rest, scope | {key[len(_PREFIXED) :]: attributes[key] for key in declared}


def element(name: str, *children: Node | None, text: str = "", **attributes: str) -> Node:
    """An element of ours; children that are None are left out."""
    return Node(name, attributes, children=[child for child in children if child is not None], text=text)


def document(root: Node, namespace: str) -> bytes:
    """A whole document: what is ours in `namespace`, what was read before in its own."""
    written = _written(root, {"": namespace}, ("",)) if root.scope is None else _alone(root, root.scope)
    return _encoded(f'<?xml version="1.0" encoding="UTF-8"?>{written}')


def fragment(node: Node) -> bytes:
    """One element that was read, on its own: every prefix that it uses is declared within it."""
    return _encoded(_alone(node, node.scope or {}))


def _encoded(text: str) -> bytes:
    if bad := _NO_CHARACTER.search(text):
        raise UsageError(f"character {bad[0]!r} cannot be said in XML: {text[max(bad.start() - 30, 0) : bad.end()]!r}")
    return text.encode("utf-8")


def _alone(node: Node, scope: dict[str, str]) -> str:
    return _written(node, scope, tuple(sorted(prefix for prefix in _used(node) if scope.get(prefix))))


def _used(node: Node) -> set[str]:
    """Prefixes in the tree; "" when it has a name without."""
    prefixes: set[str] = set()
    for inner in node.walk():
        prefixes.update(name.rpartition(":")[0] for name in (inner.qname, *filter(_is_prefixed, inner.attributes)))
    return prefixes


def _is_prefixed(name: str) -> bool:
    return ":" in name


def _written(node: Node, scope: dict[str, str], declare: tuple[str, ...]) -> str:
    """`declare`: prefixes that have to be declared here."""
    declared = [
        f" {_PREFIXED + prefix if prefix else 'xmlns'}={quoteattr(scope.get(prefix, ''))}" for prefix in declare
    ]
    attributes = "".join(declared + [f" {name}={quoteattr(value)}" for name, value in node.attributes.items()])
    text = node.text if node.text.strip() or not node.children else ""
    inner = "".join(_child(child, scope) for child in node.children) + escape(text, {"\r": "&#13;"})
    return f"<{node.qname}{attributes}>{inner}</{node.qname}>" if inner else f"<{node.qname}{attributes}/>"


def _child(child: Node, outer: dict[str, str]) -> str:
    if child.scope is None:  # ours: in whatever is in force
        return _written(child, outer, ())
    scope = child.scope
    changed = {prefix for prefix in _used(child) if scope.get(prefix, "") != outer.get(prefix, "")}
    return _written(child, scope, tuple(sorted(prefix for prefix in changed if prefix in scope or not prefix)))
