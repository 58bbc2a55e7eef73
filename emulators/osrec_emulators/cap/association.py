"""Whether a client may associate, and the AARE that says so (X.227, csta.md 1.3)."""

from osrec.wire.csta import model
from osrec_emulators.cap.codes import AUTHENTICATION_FAILURE, AUTHENTICATION_REQUIRED, CONTEXT_NOT_SUPPORTED
from osrec_emulators.cap.config import CapConfig
from osrec_emulators.cap.faults import Faults, Refusal


def diagnostic_for(request: model.Associate, config: CapConfig, faults: Faults) -> int | None:
    """Why an association is rejected, as X.227 numbers it; None when it is not."""
    if request.context not in config.contexts:
        return CONTEXT_NOT_SUPPORTED
    users = {(user.name.encode(), user.password.encode()) for user in config.users}
    if users and request.name is None:
        return AUTHENTICATION_REQUIRED
    if users and (request.name, request.password) not in users:
        return AUTHENTICATION_FAILURE
    return AUTHENTICATION_FAILURE if faults.refuse is Refusal.REJECT else None


def aare(request: model.Associate, config: CapConfig, result: int, diagnostic: int) -> model.Associated:
    """The answer to an AARQ: context and version echoed, or the version as configured."""
    version = None if config.version is None else bytes.fromhex(config.version)
    return model.Associated(
        result=result,
        diagnostic=diagnostic,
        context=request.context,
        stamp=config.stamp.encode(),
        system_version=config.system_version.encode(),
        version=request.version if version is None else (version, 8 * len(version)),
    )
