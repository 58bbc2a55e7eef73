"""Whether a client may associate, and the AARE that says so (X.227, csta.md 1.3; for XML sessions ECMA-354)."""

from osrec.wire.csta import model
from osrec_emulators.cap.codes import (
    AUTHENTICATION_FAILURE,
    AUTHENTICATION_REQUIRED,
    CONTEXT_NOT_SUPPORTED,
    INVALID_APPLICATION_INFO,
    PROTOCOL_VERSION_NOT_SUPPORTED,
)
from osrec_emulators.cap.config import Application, CapConfig

SESSION_ID = "1"  # a connection has one session, and ids are the connection's own


def diagnostic_for(request: model.Associate, config: CapConfig) -> int | None:
    """Why an association is rejected, as X.227 numbers it; None when it is not."""
    if config.encoding == "xml":
        return _session_diagnostic(request.session, config.session)
    if request.context not in config.contexts:
        return CONTEXT_NOT_SUPPORTED
    users = {(user.name.encode(), user.password.encode()) for user in config.users}
    if users and request.name is None:
        return AUTHENTICATION_REQUIRED
    if users and (request.name, request.password) not in users:
        return AUTHENTICATION_FAILURE
    return None


def _session_diagnostic(asked: model.Session | None, config: Application) -> int | None:
    if asked is None or (config.applications and asked.application not in config.applications):
        return INVALID_APPLICATION_INFO
    return None if _common_version(asked, config) else PROTOCOL_VERSION_NOT_SUPPORTED


def _common_version(asked: model.Session, config: Application) -> str | None:
    return next((each for each in asked.versions if each.rpartition("/")[2] in config.versions), None)


def granted(asked: model.Session, config: Application) -> model.Session:
    """The session that a client gets: its first version that is accepted, and no more time than is granted."""
    version = _common_version(asked, config)
    seconds = min(asked.seconds or config.seconds, config.seconds)
    return model.Session(asked.application, (version,) if version else (), seconds, id=SESSION_ID)


def aare(request: model.Associate, config: CapConfig, result: int, diagnostic: int) -> model.Associated:
    """The answer to an AARQ: context echoed, version and session as configured."""
    return model.Associated(
        result=result,
        diagnostic=diagnostic,
        context=request.context,
        stamp=config.stamp.encode(),
        system_version=config.system_version.encode(),
        version=_version(request.version, config.version),
        session=granted(request.session, config.session) if result == 0 and request.session else None,
        invoke_id=request.invoke_id,
    )


def _version(asked: tuple[bytes, int], configured: str | None) -> tuple[bytes, int] | None:
    """cSTAVersion: echoed, or as the configuration says."""
    match configured:
        case None:
            return asked
        case "none":
            return None
        case "trimmed":
            return trimmed(asked)
    octets = bytes.fromhex(configured)
    return octets, 8 * len(octets)


def trimmed(bits: tuple[bytes, int]) -> tuple[bytes, int]:
    """Without the zeros after the last one, as DER has named bits (X.690 11.2.2)."""
    octets = bits[0].rstrip(b"\0")
    if not octets:
        return b"", 0
    spare = (octets[-1] & -octets[-1]).bit_length() - 1
    return octets, 8 * len(octets) - spare
