"""Names of the numbers that CSTA says: causes, errors, reject problems, operations.

A number without a name keeps its number.
"""

from osrec.wire.csta import schema
from osrec.wire.csta.model import ErrorCategory

EVENT_CAUSES = schema.enumeration("EventCause")  # ECMA-285, 121 of them
ERROR_VALUES = {
    ErrorCategory.OPERATION: schema.enumeration("operation"),
    ErrorCategory.SECURITY: schema.enumeration("security"),
    ErrorCategory.STATE_INCOMPATIBILITY: schema.enumeration("stateIncompatibility"),
    ErrorCategory.SYSTEM_RESOURCE: schema.enumeration("systemResourceAvailability"),
    ErrorCategory.SUBSCRIBED_RESOURCE: schema.enumeration("subscribedResourceAvailability"),
    ErrorCategory.PERFORMANCE: schema.enumeration("performanceManagement"),
    ErrorCategory.PRIVATE_DATA: schema.enumeration("privateData"),
}
ERROR_CATEGORIES = {
    ErrorCategory.OPERATION: "operation",
    ErrorCategory.SECURITY: "security",
    ErrorCategory.STATE_INCOMPATIBILITY: "stateIncompatibility",
    ErrorCategory.SYSTEM_RESOURCE: "systemResourceAvailability",
    ErrorCategory.SUBSCRIBED_RESOURCE: "subscribedResourceAvailability",
    ErrorCategory.PERFORMANCE: "performanceManagement",
    ErrorCategory.PRIVATE_DATA: "privateData",
    ErrorCategory.UNSPECIFIED: "unspecified",
}
REJECT_KINDS = ("general", "invoke", "returnResult", "returnError")
REJECT_PROBLEMS = (  # X.880: GeneralProblem, InvokeProblem, ReturnResultProblem, ReturnErrorProblem
    ("unrecognizedPDU", "mistypedPDU", "badlyStructuredPDU"),
    (
        "duplicateInvocation",
        "unrecognizedOperation",
        "mistypedArgument",
        "resourceLimitation",
        "releaseInProgress",
        "unrecognizedLinkedId",
        "linkedResponseUnexpected",
        "unexpectedLinkedOperation",
    ),
    ("unrecognizedInvocation", "resultResponseUnexpected", "mistypedResult"),
    ("unrecognizedInvocation", "errorResponseUnexpected", "unrecognizedError", "unexpectedError", "mistypedParameter"),
)
OPERATIONS = {
    1: "alternateCall",
    2: "answerCall",
    4: "clearCall",
    5: "clearConnection",
    6: "conferenceCall",
    7: "consultationCall",
    9: "holdCall",
    10: "makeCall",
    11: "makePredictiveCall",
    13: "reconnectCall",
    14: "retrieveCall",
    16: "transferCall",
    18: "parkCall",
    20: "singleStepConf",
    21: "cSTAEventReport",
    50: "singleStepTransfer",
    51: "escape",
    71: "monitorStart",
    72: "changeMonitorFilter",
    73: "monitorStop",
    74: "snapshotDevice",
    75: "snapshotCall",
    76: "snapshotCallData",
    77: "snapshotDeviceData",
    110: "startDataPath",
    111: "stopDataPath",
    112: "sendData",
    113: "sendMulticastData",
    114: "sendBroadcastData",
    201: "getLogicalDeviceInformation",
    202: "getPhysicalDeviceInformation",
    203: "getSwitchingFunctionCapabilities",
    204: "getSwitchingFunctionDevices",
    205: "switchingFunctionDevices",
    206: "changeSysStatFilter",
    207: "systemRegister",
    208: "systemRegisterAbort",
    209: "systemRegisterCancel",
    210: "requestSystemStatus",
    211: "systemStatus",
    212: "switchingFunctionCapsChanged",
    213: "switchingFunctionDevicesChanged",
    214: "acceptCall",
    221: "groupPickupCall",
    222: "intrudeCall",
    223: "joinCall",
    230: "associateData",
    231: "cancelTelephonyTones",
    232: "generateDigits",
    233: "generateTelephonyTones",
    505: "resume",
    511: "recordMessage",
}
STATUSES = schema.enumeration("SystemStatus")
ABORT_DIAGNOSTICS = schema.enumeration("abort-diagnostic")
ASSOCIATE_RESULTS = {0: "accepted", 1: "rejected permanently", 2: "rejected for now"}  # X.227


def cause_name(value: int) -> str:
    return EVENT_CAUSES.get(value, f"cause {value}")


def operation_name(opcode: int | None) -> str:
    if opcode is None:
        return "no operation"
    return OPERATIONS.get(opcode, f"operation {opcode}")


def status_name(value: int) -> str:
    return STATUSES.get(value, f"status {value}")


def error_name(category: ErrorCategory | int, value: int) -> str:
    """For example "systemResourceAvailability overallMonitorLimitExceeded"."""
    if category == ErrorCategory.UNSPECIFIED:
        return "unspecified"
    if category not in ERROR_VALUES:
        return f"error category {int(category)} value {value}"
    known = ErrorCategory(category)
    return f"{ERROR_CATEGORIES[known]} {ERROR_VALUES[known].get(value, f'error {value}')}"


def reject_name(kind: int, problem: int) -> str:
    """For example "invoke unrecognizedOperation"."""
    if not 0 <= kind < len(REJECT_KINDS):
        return f"reject kind {kind} problem {problem}"
    problems = REJECT_PROBLEMS[kind]
    return f"{REJECT_KINDS[kind]} {problems[problem] if 0 <= problem < len(problems) else f'problem {problem}'}"


def abort_name(diagnostic: int | None) -> str:
    if diagnostic is None:
        return "no diagnostic"
    return ABORT_DIAGNOSTICS.get(diagnostic, f"diagnostic {diagnostic}")
