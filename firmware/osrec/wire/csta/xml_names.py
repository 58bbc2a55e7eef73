"""What CSTA XML calls things: namespaces, words, and the elements that carry operations (ECMA-323, ECMA-354).

Element names are those of captures and of public clients of OpenScape Voice, Avaya and Yealink where these show them;
tests/vectors/csta-xml says which. The rest is assumed to be named as ECMA-269 names it. Spellings that look wrong are
the standard's: TransferedEvent, systemResourceAvailibility, mediaAttachementServices.
"""

from typing import Final

from osrec.wire.csta.causes import ERROR_VALUES, EVENT_CAUSES, STATUSES
from osrec.wire.csta.kinds import EventType
from osrec.wire.csta.members import EVENT_TYPES, IN_SERVICE_TYPES
from osrec.wire.csta.model import ErrorCategory, LocalState, Participation
from osrec.wire.csta.schema import enumeration
from osrec.wire.csta.xml_values import Words

SESSION_NAMESPACE: Final = "http://www.ecma-international.org/standards/ecma-354/appl_session"
_CSTA: Final = "ecma-323/csta"  # in a namespace that is ours: hosts and editions differ, some misspelt
_SESSIONS: Final = "/appl_session"


def namespace_of(edition: int) -> str:
    return f"http://www.ecma-international.org/standards/ecma-323/csta/ed{edition}"


def is_ours(namespace: str | None) -> bool:
    """Some peers declare no namespace at all, or a prefix that they then do not use."""
    return namespace is None or _CSTA in namespace or _SESSIONS in namespace


CAUSES: Final = Words("cause", EVENT_CAUSES)
LOCAL_STATES: Final = Words("local connection state", {state: state.name.lower() for state in LocalState})
PARTICIPATIONS: Final = Words("participation type", {how: how.name.lower() for how in Participation})
SYSTEM_STATUSES: Final = Words("system status", STATUSES)
SIMPLE_STATES: Final = Words("simple call state", enumeration("simpleCallState"))

ERROR_ELEMENTS: Final = {
    ErrorCategory.OPERATION: "operation",
    ErrorCategory.SECURITY: "security",
    ErrorCategory.STATE_INCOMPATIBILITY: "stateIncompatibility",
    ErrorCategory.SYSTEM_RESOURCE: "systemResourceAvailibility",  # sic, in ECMA-323
    ErrorCategory.SUBSCRIBED_RESOURCE: "subscribedResourceAvailability",
    ErrorCategory.PERFORMANCE: "performanceManagement",
    ErrorCategory.PRIVATE_DATA: "privateData",
    ErrorCategory.UNSPECIFIED: "unspecified",
}
ERROR_CATEGORIES: Final = {name: category for category, name in ERROR_ELEMENTS.items()} | {
    "systemResourceAvailability": ErrorCategory.SYSTEM_RESOURCE,
    "subscribedResourceAvailibility": ErrorCategory.SUBSCRIBED_RESOURCE,
    "privateErrorCode": ErrorCategory.PRIVATE_DATA,  # seen with a vendor's own words
}
ERROR_WORDS: Final = {category: Words("error", values) for category, values in ERROR_VALUES.items()}

SERVICES: Final = {  # whose elements are <Name> and <NameResponse>
    1: "AlternateCall",
    2: "AnswerCall",
    4: "ClearCall",
    5: "ClearConnection",
    6: "ConferenceCall",
    7: "ConsultationCall",
    9: "HoldCall",
    10: "MakeCall",
    11: "MakePredictiveCall",
    13: "ReconnectCall",
    14: "RetrieveCall",
    16: "TransferCall",
    18: "ParkCall",
    20: "SingleStepConferenceCall",
    50: "SingleStepTransferCall",
    51: "Escape",
    71: "MonitorStart",
    72: "ChangeMonitorFilter",
    73: "MonitorStop",
    74: "SnapshotDevice",
    75: "SnapshotCall",
    76: "SnapshotCallData",
    77: "SnapshotDeviceData",
    201: "GetLogicalDeviceInformation",
    202: "GetPhysicalDeviceInformation",
    203: "GetSwitchingFunctionCapabilities",
    204: "GetSwitchingFunctionDevices",
    205: "SwitchingFunctionDevices",
    206: "ChangeSystemStatusFilter",
    207: "SystemRegister",
    208: "SystemRegisterAbort",
    209: "SystemRegisterCancel",
    210: "RequestSystemStatus",
    211: "SystemStatus",
    212: "SwFunctionCapsChanged",
    213: "SwFunctionDevicesChanged",
    214: "AcceptCall",
    221: "GroupPickupCall",
    222: "IntrudeCall",
    223: "JoinCall",
}
OPCODES: Final = {name: opcode for opcode, name in SERVICES.items()}
RESPONSE: Final = "Response"
EVENT: Final = "Event"
_SPELT: Final = {"transferred": "TransferedEvent"}  # sic, in ECMA-323


def event_element(name: str) -> str:
    """The element of the event that ASN.1 calls so."""
    return _SPELT.get(name) or name[0].upper() + name[1:] + EVENT


EVENTS: Final[dict[str, EventType]] = {event_element(kind.name): kind for kind in (*EVENT_TYPES, *IN_SERVICE_TYPES)} | {
    "TransferredEvent": next(kind for kind in EVENT_TYPES if kind.name == "transferred")
}
NUMBERED_EVENTS: Final = {  # that we do not interpret: category and tag in EventSpecificInfo, ECMA-285
    "NetworkCapabilitiesChangedEvent": (0, 10),
    "ChargingEvent": (1, 1),
    "TelephonyTonesGeneratedEvent": (1, 3),
    "ServiceCompletionFailureEvent": (1, 4),
    "MediaAttachedEvent": (2, 0),
    "MediaDetachedEvent": (2, 1),
    "AgentBusyEvent": (4, 0),
    "AgentLoggedOnEvent": (4, 1),
    "AgentLoggedOffEvent": (4, 2),
    "AgentNotReadyEvent": (4, 3),
    "AgentReadyEvent": (4, 4),
    "AgentWorkingAfterCallEvent": (4, 5),
    "DoNotDisturbEvent": (4, 11),
    "ForwardingEvent": (4, 12),
    "DeviceCapsChangedEvent": (5, 1),
    "PartiallyInServiceEvent": (5, 3),
    "PrivateEvent": (7, 0),
}
PASSED: Final = frozenset(  # elements of events that exist and that we do not read
    (
        "servicesPermitted",
        "mediaCallCharacteristics",
        "callCharacteristics",
        "connectionInfo",
        "originatingNIDConnection",
        "originatingDevice",
        "networkCapability",
        "numberQueued",
        "callsInFront",
        "chargingInfo",
        "subjectOfCall",
        "messageInfo",
        "languagePreferences",
        "deviceHistory",
        "locationInfo",
        "locationInfoList",
        "callQualifyingData",
        "calledDevice",  # of ServiceInitiated
        "callingDevice",  # of CallInformation
        "associatedCallingDevice",
        "associatedCalledDevice",
        "networkCallingDevice",
        "networkCalledDevice",
        "digitDurationList",
        "pauseDurationList",
        "connections",
        "monitorCrossRefID",
        "extensions",
    )
)
PASSED_SUFFIX: Final = "ConnectionInfo"  # establishedConnectionInfo and its like in other events
