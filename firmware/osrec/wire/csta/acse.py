"""ACSE (X.227) as far as CSTA links use it: association with name and password, release, abort."""

from typing import Any

from osrec.errors import WireError
from osrec.wire.csta import schema
from osrec.wire.csta.ber import CONSTRUCTED, integer, string, walk
from osrec.wire.csta.model import Abort, Associate, Associated, Release, Released

AARQ, AARE, RLRQ, RLRE, ABRT = 0x40, 0x41, 0x42, 0x43, 0x44
Acse = Associate | Associated | Release | Released | Abort

_CONTEXT = 0x80
_USER_INFORMATION = _CONTEXT | 30
_BIT_STRING, _OCTET_STRING, _OBJECT_IDENTIFIER = 0x03, 0x04, 0x06
_AUTHENTICATION = (b"\x80", 2)  # acse-requirements {authentication}, with the spare bit that HiPath sends
_VERSION_1 = (b"\x80", 1)
_MAX_NESTING = 8  # of the authentication value and the user-information: 4 or 5 have been seen


def read(key: int, contents: bytes) -> Acse:
    members = {item[0]: item[1] for item in walk(contents)}
    if key == AARQ:
        return _associate(members)
    if key == AARE:
        return _associated(members)
    if key in (RLRQ, RLRE):
        reason = integer(members[_CONTEXT]) if _CONTEXT in members else None
        return Release(reason) if key == RLRQ else Released(reason)
    source = integer(members[_CONTEXT]) if _CONTEXT in members else 0
    return Abort(source, integer(members[_CONTEXT | 1]) if _CONTEXT | 1 in members else None)


def _associate(members: dict[int, bytes]) -> Associate:
    name, password = _secrets(members.get(_CONTEXT | 12))
    information = members.get(_USER_INFORMATION)
    return Associate(
        _context_name(members),
        name,
        password,
        _version(information) or (b"", 0),
        _reference(information),
        _CONTEXT in members,
    )


def _associated(members: dict[int, bytes]) -> Associated:
    result = members.get(_CONTEXT | 2)
    if result is None:
        raise WireError("AARE without result", "X.227")
    stamp, system_version = _secrets(members.get(_CONTEXT | 10))
    return Associated(
        _first_integer(result),
        _first_integer(members.get(_CONTEXT | 3, b"\x02\x01\x00")),
        _context_name(members),
        stamp,
        system_version,
        _version(members.get(_USER_INFORMATION)),
    )


def _first_integer(contents: bytes) -> int:
    """The INTEGER inside explicit tags; some leave the inner tag out."""
    for _ in range(_MAX_NESTING):
        if not contents or contents[0] not in (0x02, 0xA1, 0xA2):
            break
        items = walk(contents)
        if items[0][0] == 0x02:
            return integer(items[0][1])
        contents = items[0][1]
    return integer(contents)


def _context_name(members: dict[int, bytes]) -> str:
    for key, contents, _, _ in walk(members.get(_CONTEXT | 1, b"")):
        if key == _OBJECT_IDENTIFIER:
            return read_oid(contents)
    return ""


def _secrets(value: bytes | None) -> tuple[bytes | None, bytes | None]:
    """The OCTET STRINGs of sender{name, password} or responder{aps-stamp, system-version}, however deep they lie."""
    for _ in range(_MAX_NESTING):
        if value is None:
            break
        texts = [string(value, item) for item in walk(value) if item[0] == _OCTET_STRING]
        if texts:
            return texts[0], texts[1] if len(texts) > 1 else None
        value = next(iter(reversed(_constructed(value))), None)  # an OID or a number may stand before the value
    return None, None


def _constructed(octets: bytes) -> list[bytes]:
    """The contents of the constructed elements: only in these may others lie."""
    return [inner for _, inner, begin, _ in walk(octets) if octets[begin] & CONSTRUCTED]


def _version(information: bytes | None) -> tuple[bytes, int] | None:
    """cSTAVersion of the old and of the new definition: the first BIT STRING met on the way down."""
    for _ in range(_MAX_NESTING):
        if not information:
            return None
        for key, contents, _, _ in walk(information):
            if key == _BIT_STRING:
                return read_bits(contents)
        information = next(iter(_constructed(information)), None)
    return None


def _reference(information: bytes | None) -> str | None:
    for _, external, _, _ in walk(information or b""):
        for key, contents, _, _ in walk(external):
            if key == _OBJECT_IDENTIFIER:
                return read_oid(contents)
    return None


def read_bits(contents: bytes) -> tuple[bytes, int]:
    if not contents or contents[0] > 7 or (len(contents) == 1 and contents[0]):
        raise WireError(f"bit string begins with {contents[:1].hex() or 'nothing'}, expected 00..07", "X.690 8.6")
    return contents[1:], 8 * (len(contents) - 1) - contents[0]


def read_oid(contents: bytes) -> str:
    if not contents or contents[-1] & 0x80 or len(contents) > 64:
        raise WireError(f"object identifier {contents[:64].hex()} is empty, unfinished or too long", "X.690 8.19")
    numbers, number = [], 0
    for octet in contents:
        number = number << 7 | octet & 0x7F
        if octet < 0x80:
            numbers.append(number)
            number = 0
    first = min(numbers[0] // 40, 2)
    return ".".join(str(arc) for arc in (first, numbers[0] - 40 * first, *numbers[1:]))


# --- writing


def write(pdu: Acse) -> bytes:
    match pdu:
        case Associate():
            return schema.encode("AcsePdu", ("aarq", _write_associate(pdu)))
        case Associated():
            return schema.encode("AcsePdu", ("aare", _write_associated(pdu)))
        case Release(reason):
            return schema.encode("AcsePdu", ("rlrq", {} if reason is None else {"reason": reason}))
        case Released(reason):
            return schema.encode("AcsePdu", ("rlre", {} if reason is None else {"reason": reason}))
        case Abort(source, diagnostic):
            given = {} if diagnostic is None else {"abort-diagnostic": diagnostic}
            return schema.encode("AcsePdu", ("abrt", {"abort-source": source, **given}))


def _write_associate(pdu: Associate) -> dict[str, Any]:
    written: dict[str, Any] = {"application-context-name": pdu.context}
    if pdu.protocol_version:
        written["protocol-version"] = _VERSION_1
    if pdu.name is not None:
        sender = {"name": pdu.name, "password": pdu.password or b""}
        written["sender-acse-requirements"] = _AUTHENTICATION
        written["calling-authentication-value"] = _external(("sender", sender))
    if pdu.version[1]:
        written["user-information"] = _information(pdu.version, pdu.reference)
    return written


def _write_associated(pdu: Associated) -> dict[str, Any]:
    written: dict[str, Any] = {
        "application-context-name": pdu.context,
        "result": pdu.result,
        "result-source-diagnostic": ("acse-service-user", pdu.diagnostic),
    }
    if pdu.stamp is not None:
        responder = {"aps-stamp": pdu.stamp, "system-version": pdu.system_version or b""}
        written["responder-acse-requirements"] = _AUTHENTICATION
        written["responding-authentication-value"] = _external(("responder", responder))
    if pdu.version is not None:
        written["user-information"] = _information(pdu.version, None)
    return written


def _external(value: Any) -> tuple[str, Any]:
    return "external", {"encoding": ("single-ASN1-type", value)}


def _information(version: tuple[bytes, int], reference: str | None) -> list[dict[str, Any]]:
    external: dict[str, Any] = {"encoding": ("single-ASN1-type", ("newDefinition", {"cSTAVersion": version}))}
    if reference is not None:
        external["direct-reference"] = reference
    return [external]
