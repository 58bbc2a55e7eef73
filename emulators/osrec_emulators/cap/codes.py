"""Numbers of X.227, X.880 and ECMA-285 that the server says, and the operations that it knows."""

from osrec.wire.csta import model

# X.227 diagnostics of the ACSE service user
CONTEXT_NOT_SUPPORTED, AUTHENTICATION_FAILURE, AUTHENTICATION_REQUIRED = 2, 13, 14
REJECTED_PERMANENT = 1
PROTOCOL_ERROR, ABRT_AUTHENTICATION_FAILURE = 2, 5  # X.227 abort-diagnostic

# X.880 problems
GENERAL, INVOKE = 0, 1
BADLY_STRUCTURED, UNRECOGNIZED_OPERATION, MISTYPED_ARGUMENT = 2, 1, 2

# ECMA-285 errors
INVALID_DEVICE_ID, SERVICE_NOT_SUPPORTED, INVALID_MONITOR_CROSS_REF = 12, 50, 60  # operation
OVERALL_MONITOR_LIMIT_EXCEEDED = 7  # systemResource: what a PBX says when licences are missing

# Operations of phase III that exist and that this server does not offer (csta.md 2.1); op 52 is phase I's SystemStatus.
NOT_OFFERED = frozenset(
    {1, 2, 4, 6, 7, 9, 10, 11, 13, 14, 16, 18, 50, 72}
    | {76, *range(110, 120), *range(201, 210), 212, 213, *range(214, 223), *range(230, 234)}
    | {505, 511}
)
OPCODES: dict[type, int] = {
    model.ClearConnection: 5,
    model.SingleStepConference: 20,
    model.Escape: 51,
    model.MonitorStart: 71,
    model.MonitorStop: 73,
    model.SnapshotDevice: 74,
    model.SnapshotCall: 75,
    model.RequestSystemStatus: 210,
    model.SystemStatus: 211,
    model.JoinCall: 223,
}
