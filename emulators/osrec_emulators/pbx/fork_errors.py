"""Errors that a PBX answers a fork request with, by name: UniversalFailure of ECMA-285 (csta.md 2.7)."""

from dataclasses import dataclass

from osrec.wire.csta.model import ErrorCategory


@dataclass(frozen=True, slots=True)
class ErrorCode:
    """One alternative of UniversalFailure and its value."""

    name: str
    category: ErrorCategory
    value: int


ERRORS = {
    code.name: code
    for code in (
        ErrorCode("generic", ErrorCategory.OPERATION, 1),
        ErrorCode("requestIncompatibleWithObject", ErrorCategory.OPERATION, 2),
        ErrorCode("invalidCallingDeviceID", ErrorCategory.OPERATION, 5),
        ErrorCode("invalidCalledDeviceID", ErrorCategory.OPERATION, 6),
        ErrorCode("privilegeViolationSpecifiedDevice", ErrorCategory.OPERATION, 8),
        ErrorCode("invalidDeviceID", ErrorCategory.OPERATION, 12),
        ErrorCode("invalidConnectionID", ErrorCategory.OPERATION, 13),
        ErrorCode("serviceNotSupported", ErrorCategory.OPERATION, 50),
        ErrorCode("noActiveCall", ErrorCategory.STATE_INCOMPATIBILITY, 4),
        ErrorCode("invalidConnectionState", ErrorCategory.STATE_INCOMPATIBILITY, 25),
        ErrorCode("resourceBusy", ErrorCategory.SYSTEM_RESOURCE, 2),
        ErrorCode("resourceOutOfService", ErrorCategory.SYSTEM_RESOURCE, 4),
        ErrorCode("conferenceMemberLimitExceeded", ErrorCategory.SYSTEM_RESOURCE, 8),
        ErrorCode("deviceOutOfService", ErrorCategory.SYSTEM_RESOURCE, 15),
        ErrorCode("resourceLimitExceeded", ErrorCategory.SYSTEM_RESOURCE, 26),
        ErrorCode("outstandingReqLimitExceeded", ErrorCategory.SUBSCRIBED_RESOURCE, 4),
        ErrorCode("performanceLimitExceeded", ErrorCategory.PERFORMANCE, 2),
        ErrorCode("cSTAPrivateDataInfoError", ErrorCategory.PRIVATE_DATA, 1),
        ErrorCode("unspecified", ErrorCategory.UNSPECIFIED, 0),
    )
}


class Refused(Exception):  # noqa: N818, an answer to a client and no failure of ours
    """A request that the PBX refuses with one of ERRORS."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.code = ERRORS[name]

    @property
    def category(self) -> ErrorCategory:
        return self.code.category

    @property
    def value(self) -> int:
        return self.code.value
