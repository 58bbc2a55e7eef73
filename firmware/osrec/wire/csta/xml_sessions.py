"""Application sessions (ECMA-354) around CSTA XML, as the association values that ASN.1 uses: begin, extend, end.

A session is optional: where a site uses none, the first message on the connection is CSTA's own. What a login looks
like inside applicationSpecificInfo is the vendor's business; `Session.specific` carries it as it is.

Assumed: the element of a server's reason to end (definedTermReason), and that ECMA-354's four defined errors are
lasting or passing refusals as `ERRORS` has them.
"""

from collections.abc import Callable
from typing import Final

from osrec.errors import UsageError, WireError
from osrec.wire.csta.model import (
    Abort,
    Associate,
    Associated,
    ErrorCategory,
    Invoke,
    Pdu,
    Release,
    Released,
    ResetSessionTimer,
    ReturnError,
    ReturnResult,
    Session,
    SessionTimerReset,
)
from osrec.wire.csta.xml_tree import Node, element, fragment, parse
from osrec.wire.csta.xml_values import read_number

ACCEPTED, REFUSED, REFUSED_FOR_NOW = 0, 1, 2  # results of AARE (X.227)
ERRORS: Final = {  # of StartApplicationSessionNegResponse: result and diagnostic
    "invalidApplicationInfo": (REFUSED, 1),
    "requestedProtocolVersionNotSupported": (REFUSED, 2),
    "serverResourcesBusy": (REFUSED_FOR_NOW, 3),
    "maxNumberSessions": (REFUSED_FOR_NOW, 4),
}
_NOT_FINISHED: Final = 1  # reason of RLRE (X.227): the peer would have gone on
_PROVIDER: Final = 1  # source of ABRT (X.227)
_MAX_VERSIONS: Final = 32


def _text(node: Node, name: str) -> str | None:
    child = node.child(name)
    return None if child is None else child.value()


def _required(node: Node, name: str) -> str:
    text = _text(node, name)
    if text is None:
        raise WireError(f"{node.name} without {name}", "ECMA-354")
    return text


def _seconds(node: Node, name: str) -> int | None:
    text = _text(node, name)
    return None if not text else read_number(text, name)


# --- reading


def _start(root: Node, invoke_id: int) -> Associate:
    info = root.child("applicationInfo") or root
    versions = root.child("requestedProtocolVersions") or root
    asked = [child.value() for child in versions.children if child.name == "protocolVersion"]
    specific = info.child("applicationSpecificInfo")
    session = Session(
        _text(info, "applicationID") or "",
        tuple(asked[:_MAX_VERSIONS]),
        _seconds(root, "requestedSessionDuration"),
        specific=None if specific is None or not specific.children else fragment(specific.children[0]),
    )
    return Associate(session=session, invoke_id=invoke_id)


def _started(root: Node, invoke_id: int) -> Associated:
    version = _text(root, "actualProtocolVersion")
    session = Session(
        "",
        () if version is None else (version,),
        _seconds(root, "actualSessionDuration"),
        _required(root, "sessionID"),
    )
    return Associated(ACCEPTED, session=session, invoke_id=invoke_id)


def _not_started(root: Node, invoke_id: int) -> Associated:
    code = root.child("errorCode")
    result, diagnostic = ERRORS.get((code and _text(code, "definedError")) or "", (REFUSED, 0))
    return Associated(result, diagnostic, invoke_id=invoke_id)


def _stop(root: Node, invoke_id: int) -> Release:
    return Release(session=_required(root, "sessionID"), invoke_id=invoke_id)


def _reset(root: Node, invoke_id: int) -> Invoke:
    seconds = _seconds(root, "requestedSessionDuration")
    return Invoke(invoke_id, ResetSessionTimer(_required(root, "sessionID"), seconds))


def _was_reset(root: Node, invoke_id: int) -> ReturnResult:
    return ReturnResult(invoke_id, SessionTimerReset(_seconds(root, "actualSessionDuration")))


READ: Final[dict[str, Callable[[Node, int], Pdu]]] = {
    "StartApplicationSession": _start,
    "StartApplicationSessionPosResponse": _started,
    "StartApplicationSessionNegResponse": _not_started,
    "StopApplicationSession": _stop,
    "StopApplicationSessionPosResponse": lambda _, invoke_id: Released(invoke_id=invoke_id),
    "StopApplicationSessionNegResponse": lambda _, invoke_id: Released(_NOT_FINISHED, invoke_id),
    "ResetApplicationSessionTimer": _reset,
    "ResetApplicationSessionTimerPosResponse": _was_reset,
    "ResetApplicationSessionTimerNegResponse": lambda _, invoke_id: ReturnError(
        invoke_id, ErrorCategory.UNSPECIFIED, 0
    ),
    "ApplicationSessionTerminated": lambda root, _: Abort(_PROVIDER, session=_text(root, "sessionID")),
}


# --- writing


def write(pdu: Associate | Associated | Release | Released | Abort) -> Node:
    match pdu:
        case Associate(session=session):
            return _write_start(session)
        case Associated(result=0, session=session):
            return _write_started(session)
        case Associated(result, diagnostic):
            return _write_not_started(result, diagnostic)
        case Release(session=identifier):
            reason = element("sessionEndReason", element("definedEndReason", text="normal"))
            return element("StopApplicationSession", _session_id(identifier, "a Release"), reason)
        case Released(reason):
            return element(f"StopApplicationSession{'Pos' if reason != _NOT_FINISHED else 'Neg'}Response")
        case Abort(session=identifier):
            reason = element("sessionTermReason", element("definedTermReason", text="serverFailure"))
            return element("ApplicationSessionTerminated", _session_id(identifier, "an Abort"), reason)


def _session_id(identifier: str | None, what: str) -> Node:
    if identifier is None:
        raise UsageError(f"{what} in XML needs the id of the session that it ends")
    return element("sessionID", text=identifier)


def _duration(name: str, seconds: int | None) -> Node | None:
    return None if seconds is None else element(name, text=str(seconds))


def _write_start(session: Session | None) -> Node:
    if session is None:
        raise UsageError("an Associate in XML needs a session: without one, XML has no association")
    specific = None
    if session.specific is not None:
        try:
            specific = element("applicationSpecificInfo", parse(session.specific))
        except WireError as error:  # not to be shown: it may hold a password
            raise UsageError(f"applicationSpecificInfo of {len(session.specific)} octets is no XML: {error}") from error
    return element(
        "StartApplicationSession",
        element("applicationInfo", element("applicationID", text=session.application), specific),
        element(
            "requestedProtocolVersions",
            *(element("protocolVersion", text=version) for version in session.versions),
        ),
        _duration("requestedSessionDuration", session.seconds),
    )


def _write_started(session: Session | None) -> Node:
    if session is None or session.id is None:
        raise UsageError("an accepting Associated in XML needs a session with its id")
    return element(
        "StartApplicationSessionPosResponse",
        element("sessionID", text=session.id),
        element("actualProtocolVersion", text=session.versions[0]) if session.versions else None,
        _duration("actualSessionDuration", session.seconds),
    )


def _write_not_started(result: int, diagnostic: int) -> Node:
    """The error of this result and diagnostic; else an error of the application."""
    word = next((word for word, said in ERRORS.items() if said == (result, diagnostic)), None)
    if word is None and result == REFUSED_FOR_NOW:
        word = "serverResourcesBusy"
    error = element("applError", text="refused") if word is None else element("definedError", text=word)
    return element("StartApplicationSessionNegResponse", element("errorCode", error))


def write_reset(pdu: ResetSessionTimer) -> Node:
    return element(
        "ResetApplicationSessionTimer",
        element("sessionID", text=pdu.session),
        _duration("requestedSessionDuration", pdu.seconds),
    )


def write_was_reset(pdu: SessionTimerReset) -> Node:
    return element(
        "ResetApplicationSessionTimerPosResponse",
        _duration("actualSessionDuration", pdu.seconds),
    )
