"""Numbers of X.227, X.880 and ECMA-285 that the server says, and the operations that it knows."""

from osrec.wire.csta import model

# X.227 diagnostics of the ACSE service user
CONTEXT_NOT_SUPPORTED, AUTHENTICATION_FAILURE, AUTHENTICATION_REQUIRED = 2, 13, 14
INVALID_APPLICATION_INFO, PROTOCOL_VERSION_NOT_SUPPORTED = 1, 2  # ECMA-354's, as the codec numbers them
REJECTED_PERMANENT, REJECTED_TRANSIENT = 1, 2
PROTOCOL_ERROR, ABRT_AUTHENTICATION_FAILURE = 2, 5  # X.227 abort-diagnostic

# X.880 problems
GENERAL, INVOKE = 0, 1
BADLY_STRUCTURED, UNRECOGNIZED_OPERATION, MISTYPED_ARGUMENT = 2, 1, 2

# ECMA-285 errors
INVALID_DEVICE_ID, SERVICE_NOT_SUPPORTED, INVALID_MONITOR_CROSS_REF = 12, 50, 60  # operation
OVERALL_MONITOR_LIMIT_EXCEEDED = 7  # systemResource: what a PBX says when licences are missing

# Operations of phase III that exist and that this server does not offer (csta.md 2.1); op 52 is phase I's SystemStatus.
NOT_OFFERED = frozenset(
    {1, 2, 4, 6, 7, 9, 11, 13, 14, 16, 18, 50, 72}
    | {*range(110, 120), *range(201, 207), 208, 209, 212, 213, *range(214, 223), *range(230, 234)}
    | {505, 511}
)
OPCODES: dict[type, int] = {
    model.ClearConnection: 5,
    model.MakeCall: 10,
    model.SingleStepConference: 20,
    model.Escape: 51,
    model.MonitorStart: 71,
    model.MonitorStop: 73,
    model.SnapshotDevice: 74,
    model.SnapshotCall: 75,
    model.SnapshotCallData: 76,
    model.SnapshotDeviceData: 77,
    model.SystemRegister: 207,
    model.RequestSystemStatus: 210,
    model.SystemStatus: 211,
    model.JoinCall: 223,
}
