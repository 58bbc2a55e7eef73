"""Our ASN.1 module, compiled by asn1tools: what we send is encoded by it, and the tests hold the decoder against it.

asn1tools 0.169 refuses a whole message for an enumerated value it does not know and for text above 7 bits, so these
types become plain integers and octets on reading the file; nothing changes on the wire. Likewise GraphicString and
GeneralizedTime.
"""

import re
from functools import cache
from importlib.resources import files
from typing import Any

import asn1tools

from osrec.errors import UsageError

_ENUMERATION = re.compile(r"\bENUMERATED\s*\{([^}]*)\}")
_ITEM = re.compile(r"([\w-]+)\s*\(\s*(\d+)\s*\)")
_OWN_TYPES = """
Enumerated ::= [UNIVERSAL 10] IMPLICIT INTEGER
Text8 ::= [UNIVERSAL 22] IMPLICIT OCTET STRING
Time8 ::= [UNIVERSAL 24] IMPLICIT OCTET STRING
Graphic8 ::= [UNIVERSAL 25] IMPLICIT OCTET STRING
END
"""


@cache
def text() -> str:
    """The module as the standard writes it, without comments."""
    source = files("osrec.wire.csta").joinpath("csta3.asn1").read_text(encoding="ascii")
    return re.sub(r"--[^\n]*", "", source)


def enumeration(name: str) -> dict[int, str]:
    """Values and names of one enumerated type, or of one enumerated alternative, of the module."""
    found = re.search(rf"\b{name}\s*(?:::=)?\s*(?:\[\d+\])?\s*(?:IMPLICIT)?\s*ENUMERATED\s*\{{([^}}]*)\}}", text())
    if found is None:
        raise UsageError(f"no enumerated type {name} in csta3.asn1")
    return {int(value): item for item, value in _ITEM.findall(found[1])}


def _rewritten() -> str:
    names = {item: value for body in _ENUMERATION.findall(text()) for item, value in _ITEM.findall(body)}
    module = _ENUMERATION.sub("Enumerated", text())
    for name in ("constant", "active", "prompt"):
        module = re.sub(rf"\bDEFAULT {name}\b", f"DEFAULT {names[name]}", module)
    for standard, own in (("IA5String", "Text8"), ("GeneralizedTime", "Time8"), ("GraphicString", "Graphic8")):
        module = re.sub(rf"\b{standard}\b(\s*\(SIZE[^)]*\)\))?", own, module)
    return re.sub(r"\bEND\s*$", _OWN_TYPES, module)


@cache
def compiled() -> Any:
    """The compiled module; takes 0.3 s once."""
    return asn1tools.compile_string(_rewritten(), "ber")


def encode(type_name: str, value: Any) -> bytes:
    """Encode what one of our own callers built; raises UsageError when it does not fit the type."""
    try:
        return bytes(compiled().encode(type_name, value))
    except (asn1tools.Error, ValueError, TypeError, KeyError, OverflowError) as error:
        raise UsageError(f"no {type_name} can say {value!r}: {error}") from error
