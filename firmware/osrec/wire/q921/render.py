"""LAPD frames for people: one line each, in the terms of Q.921."""

from osrec.wire.q921.fields import Parameter, read_frmr, read_xid
from osrec.wire.q921.frames import SAPI_MANAGEMENT, Frame, Information, Supervisory, U
from osrec.wire.q921.tei import TeiManagement, TeiMessage, read

_REASONS = ("undefined_control", "not_permitted", "too_long", "invalid_n_r")


def as_line(frame: Frame, *, cr_known: bool = True) -> str:
    """`cr_known`: the sender is known, so that `frame.command` can be told; a tap may not know it."""
    link = f"SAPI {frame.dlci.sapi} TEI {frame.dlci.tei}"
    match frame:
        case Information(n_s, n_r, octets, p):
            return f"{link} I N(S)={n_s} N(R)={n_r} P={p:d}, {len(octets)} octets"
        case Supervisory(kind, n_r, command, pf):
            return f"{link} {kind.name} N(R)={n_r} {_role(command, pf, cr_known)}"
    known = cr_known or frame.kind is not U.XID
    said = f"{link} {frame.kind.name} {_role(frame.command, frame.pf, known)}"
    return said + (f", {len(frame.octets)} octets" if frame.octets else "")


def _role(command: bool, pf: bool, known: bool) -> str:
    if not known:
        return f"P/F={pf:d}"
    return f"command P={pf:d}" if command else f"response F={pf:d}"


def information_text(frame: Frame) -> str | None:
    """What the information field of FRMR, XID and TEI management says; None for all other frames. Raises WireError."""
    if isinstance(frame, Supervisory) or not frame.octets:
        return None
    kind = None if isinstance(frame, Information) else frame.kind
    if frame.dlci.sapi == SAPI_MANAGEMENT and kind is U.UI:
        return _management(read(frame.octets))
    if kind is U.FRMR:
        return _reject(frame.octets)
    return _negotiation(frame.octets) if kind is U.XID else None


def _management(message: TeiManagement) -> str:
    teis = ", ".join("any" if tei == 127 and _asks(message) else str(tei) for tei in message.teis)
    return f"TEI management {message.kind.name.lower().replace('_', ' ')}, Ri {message.reference}, TEI {teis}"


def _asks(message: TeiManagement) -> bool:
    return message.kind is TeiMessage.IDENTITY_REQUEST


def _reject(octets: bytes) -> str:
    field = read_frmr(octets)
    why = " and ".join(name.replace("_", " ") for name in _REASONS if getattr(field, name)) or "no reason"
    what = "response" if field.was_response else "command"
    return f"rejects {what} with control {field.control.hex(' ')}: {why}, V(S)={field.v_s} V(R)={field.v_r}"


def _negotiation(octets: bytes) -> str:
    said = []
    for number, value in read_xid(octets).parameters:
        try:
            name = Parameter(number).name
        except ValueError:
            name = f"parameter {number}"
        said.append(f"{name} {int.from_bytes(value, 'big')}")
    return "negotiates " + (", ".join(said) or "nothing")
