"""The members of each event as tables: tag, name in the ASN.1 module, attribute of the value, and how it travels.

Members stand in the order of the wire. One tag may serve two members of an event (transferringDevice and
transferredToDevice are both [APPLICATION 3]); then the first of them on the wire is the first of the table.
"""

from typing import Any

from osrec.wire.csta import devices, model
from osrec.wire.csta.kinds import (
    CONNECTION,
    CONNECTIONS,
    DEVICE,
    DEVICE_ID,
    ENUMERATED,
    IA5STRING,
    LINKAGE,
    LINKAGES,
    NUMBER,
    OCTET_STRING,
    OCTETS,
    REDIRECTION,
    STATE,
    TAGGED,
    TEXT,
    USER_DATA,
    EventType,
    Kind,
    Member,
    application,
    context,
)

_SEQUENCE = devices.SEQUENCE


def _connection(name: str, attribute: str = "connection") -> Member:
    return Member(attribute, name, devices.CONNECTION, CONNECTION)


def _subject(name: str, attribute: str = "device") -> Member:
    return Member(attribute, name, application(3), DEVICE)


def _optional(attribute: str, name: str, key: int, kind: Kind) -> Member:
    return Member(attribute, name, key, kind, required=False)


_LOCAL = _optional("local", "localConnectionInfo", application(14), STATE)
_USER = _optional("user_data", "userData", application(29), USER_DATA)
_CAUSE = Member("cause", "cause", ENUMERATED, NUMBER)
_CALLING = Member("parties.calling", "callingDevice", application(1), DEVICE)
_CALLED = Member("parties.called", "calledDevice", application(2), DEVICE)
_REDIRECTION = Member("parties.last_redirection", "lastRedirectionDevice", application(4), REDIRECTION)
_TRUNK_SIDE = (
    _optional("parties.network_calling", "networkCallingDevice", application(7), DEVICE),
    _optional("parties.network_called", "networkCalledDevice", application(8), DEVICE),
    _optional("parties.associated_calling", "associatedCallingDevice", application(5), DEVICE),
    _optional("parties.associated_called", "associatedCalledDevice", application(6), DEVICE),
)


def _correlator(key: int) -> Member:
    return _optional("correlator", "correlatorData", key, OCTETS)


def _linkage(number: int) -> Member:
    return _optional("linkage", "callLinkageData", context(number), LINKAGE)


def _linkages(number: int) -> Member:
    return _optional("linkage", "callLinkageDataList", context(number), LINKAGES)


def _contexts(*numbers: int) -> tuple[int, ...]:
    return tuple(context(number) for number in numbers)


def _call(value: type[Any], tag: int, name: str, members: tuple[Member, ...], passed: tuple[int, ...]) -> EventType:
    return EventType(value, 0, tag, name, members, passed)


_ORIGINATING_NID = devices.CONNECTION  # the second [APPLICATION 11] of an event
_THREE_PARTIES = (_CALLING, _CALLED, _REDIRECTION)

EVENT_TYPES: tuple[EventType, ...] = (
    _call(
        model.Bridged,
        0,
        "bridged",
        (
            _connection("bridgedConnection"),
            _subject("bridgedAppearance"),
            _LOCAL,
            _correlator(context(0)),
            _USER,
            _CAUSE,
            _linkage(5),
        ),
        _contexts(1, 2, 3, 4, 6, 7),
    ),
    _call(
        model.CallCleared,
        1,
        "callCleared",
        (_connection("clearedCall"), _correlator(context(1)), _USER, _CAUSE, _linkage(4)),
        _contexts(2, 3, 5, 6),
    ),
    EventType(
        model.Conferenced,
        0,
        2,
        "conferenced",
        (
            _connection("primaryOldCall", "primary"),
            _optional("secondary", "secondaryOldCall", devices.CONNECTION, CONNECTION),
            _subject("conferencingDevice"),
            _subject("addedParty", "added"),
            Member("connections", "conferenceConnections", _SEQUENCE, CONNECTIONS),
            _LOCAL,
            _correlator(context(1)),
            _USER,
            _CAUSE,
            _linkages(6),
        ),
        _contexts(2, 3, 4, 7, 8, 9),
        extensions=context(5),  # sic, in ECMA-285
    ),
    _call(
        model.ConnectionCleared,
        3,
        "connectionCleared",
        (
            _connection("droppedConnection"),
            _subject("releasingDevice"),
            _LOCAL,
            _correlator(context(0)),
            _USER,
            _CAUSE,
            _linkage(6),
        ),
        _contexts(1, 2, 3, 4, 5, 7, 8, 9),
    ),
    _call(
        model.Delivered,
        4,
        "delivered",
        (
            _connection("connection"),
            _subject("alertingDevice"),
            *_THREE_PARTIES,
            _LOCAL,
            _correlator(context(0)),
            _USER,
            _CAUSE,
            *_TRUNK_SIDE,
            _linkage(5),
        ),
        (_ORIGINATING_NID, *_contexts(1, 2, 3, 4, 6, 7, 8, 9, 10)),
    ),
    _call(
        model.DigitsDialed,
        5,
        "digitsDialed",
        (
            _connection("dialingConnection"),
            _subject("dialingDevice"),
            Member("digits", "dialingSequence", _SEQUENCE, DEVICE_ID),
            _LOCAL,
            _correlator(context(0)),
            _CAUSE,
            _linkage(4),
        ),
        (*(member.key for member in _TRUNK_SIDE), *_contexts(1, 2, 3, 5, 6)),
    ),
    _call(
        model.Diverted,
        6,
        "diverted",
        (
            _connection("connection"),
            _subject("divertingDevice"),
            _subject("newDestination", "new_destination"),
            _optional("parties.calling", "callingDevice", application(1), DEVICE),
            _optional("parties.called", "calledDevice", application(2), DEVICE),
            _REDIRECTION,
            _LOCAL,
            _correlator(context(0)),
            _USER,
            _CAUSE,
            *_TRUNK_SIDE,
            _linkage(5),
        ),
        _contexts(1, 2, 3, 4, 6, 7, 8, 9, 10),
    ),
    _call(
        model.Established,
        7,
        "established",
        (
            _connection("establishedConnection"),
            _subject("answeringDevice"),
            *_THREE_PARTIES,
            _LOCAL,
            _correlator(context(1)),
            _USER,
            _CAUSE,
            *_TRUNK_SIDE,
            _linkage(6),
        ),
        (_ORIGINATING_NID, *_contexts(2, 3, 4, 5, 7, 8, 9, 10, 11)),
    ),
    _call(
        model.Failed,
        8,
        "failed",
        (
            _connection("failedConnection"),
            _subject("failingDevice"),
            *_THREE_PARTIES,
            _LOCAL,
            _correlator(context(0)),
            _USER,
            _CAUSE,
            *_TRUNK_SIDE,
            _linkage(5),
        ),
        (_ORIGINATING_NID, *_contexts(1, 2, 3, 4, 6, 7, 8, 9, 10)),
    ),
    _call(
        model.Held,
        9,
        "held",
        (
            _connection("heldConnection"),
            _subject("holdingDevice"),
            _LOCAL,
            _correlator(context(0)),
            _CAUSE,
            _linkage(5),
        ),
        _contexts(1, 2, 3, 4, 6, 7),
    ),
    _call(
        model.NetworkReached,
        11,
        "networkReached",
        (
            _connection("outboundConnection"),
            _subject("networkInterfaceUsed"),
            *_THREE_PARTIES,
            _LOCAL,
            _correlator(context(0)),
            _USER,
            _CAUSE,
            *_TRUNK_SIDE[:3],
            _linkage(6),
        ),
        (_ORIGINATING_NID, *_contexts(1, 2, 3, 4, 5, 7, 8, 9)),
    ),
    _call(
        model.Offered,
        12,
        "offered",
        (
            _connection("offeredConnection"),
            _subject("offeredDevice"),
            *_THREE_PARTIES,
            _LOCAL,
            _correlator(OCTET_STRING),  # untagged, unlike in every other event
            _USER,
            _CAUSE,
            *_TRUNK_SIDE,
            _linkage(4),
        ),
        (_ORIGINATING_NID, *_contexts(0, 1, 2, 3, 5, 6, 7, 8, 9)),
    ),
    _call(
        model.Originated,
        13,
        "originated",
        (
            _connection("originatedConnection"),
            _subject("callingDevice"),
            _CALLED,
            _LOCAL,
            _correlator(context(2)),
            _CAUSE,
            *_TRUNK_SIDE,
            _linkage(7),
        ),
        (_SEQUENCE, *_contexts(3, 4, 5, 6, 8, 9, 10, 11)),
    ),
    _call(
        model.Queued,
        14,
        "queued",
        (
            _connection("queuedConnection"),
            _subject("queue"),
            *_THREE_PARTIES,
            _LOCAL,
            _correlator(context(2)),
            _USER,
            _CAUSE,
            *_TRUNK_SIDE,
            _linkage(7),
        ),
        _contexts(0, 1, 3, 4, 5, 6, 8, 9, 10, 11, 12),
    ),
    _call(
        model.Retrieved,
        15,
        "retrieved",
        (
            _connection("retrievedConnection"),
            _subject("retrievingDevice"),
            _LOCAL,
            _correlator(context(0)),
            _CAUSE,
            _linkage(5),
        ),
        _contexts(1, 2, 3, 4, 6, 7),
    ),
    _call(
        model.ServiceInitiated,
        16,
        "serviceInitiated",
        (
            _connection("initiatedConnection"),
            _subject("initiatingDevice"),
            _LOCAL,
            _correlator(context(0)),
            _CAUSE,
            _linkage(5),
        ),
        (*map(application, (2, 5, 7, 8)), *_contexts(1, 2, 3, 4, 7, 8, 9, 10)),
    ),
    _call(
        model.Transferred,
        17,
        "transferred",
        (
            _connection("primaryOldCall", "primary"),
            _optional("secondary", "secondaryOldCall", context(0), TAGGED),
            _subject("transferringDevice"),
            _subject("transferredToDevice", "to"),
            Member("connections", "transferredConnections", context(1), CONNECTIONS),
            _LOCAL,
            _correlator(context(2)),
            _USER,
            _CAUSE,
            _linkages(7),
        ),
        _contexts(3, 4, 5, 6, 8, 9, 10),
    ),
    EventType(
        model.CallInformation,
        1,
        0,
        "callInformation",
        (
            _connection("connection"),
            _subject("device"),
            _optional("account", "accountInfo", context(0), OCTETS),
            _correlator(context(2)),
            _USER,
            _linkages(5),
        ),
        (application(1), _SEQUENCE, *_contexts(1, 3, 4, 6, 7, 8, 9)),
    ),
    EventType(
        model.DigitsGenerated,
        1,
        2,
        "digitsGenerated",
        (_connection("connection"), Member("digits", "digitGeneratedList", IA5STRING, TEXT)),
        (_SEQUENCE, *_contexts(0, 1)),
    ),
)
_SERVICE_STATE = (_subject("device"), _optional("cause", "cause", ENUMERATED, NUMBER))
IN_SERVICE_TYPES = (
    EventType(model.InService, 5, 0, "backInService", _SERVICE_STATE),
    EventType(model.InService, 5, 2, "outOfService", _SERVICE_STATE),
)
