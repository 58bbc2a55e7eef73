"""A site's own names of XML elements, where what we assume is not what its PBX says.

Captures show the names of most elements that we read, and none of those in `ASSUMED`, nor of most services and events:
ECMA-323 names them after ECMA-269, vendors misspell. Each can be given another name, which holds in both directions.
"""

import re
from collections.abc import Iterable
from typing import Final

from osrec.errors import UsageError
from osrec.wire.csta.xml_names import EVENTS, RESPONSE, SERVICES
from osrec.wire.csta.xml_tree import Node

ASSUMED: Final = frozenset(  # below services and events; a test holds this against the messages that were captured
    (
        "activeCall", "addedParty", "answeringDevice", "associatedNID", "bridgedAppearance", "bridgedConnection",
        "callIdentifier", "callLinkageData", "callLinkageDataList", "calledDirectoryNumber", "conferenceConnections",
        "conferencedCall", "conferencingDevice", "connectionToBeCleared", "definedEndReason", "deviceOnCall",
        "deviceToJoin", "endpointDevice", "establishedConnection", "globalCallData", "globalCallLinkageID",
        "globallyUniqueCallLinkageID", "globallyUniqueThreadID", "joiningDevice", "lastSegment",
        "messageSequenceNumber", "monitorExistingCalls", "newCallLinkageData", "notSpecified", "oldCallLinkageData",
        "oldConnection", "operation", "participationType", "restricted", "secondaryOldCall", "security", "segmentID",
        "serviceCrossRefID", "sessionEndReason", "simpleCallState", "snapshotCallResponseInfo",
        "snapshotObject", "threadData", "threadLinkageID", "timestamp", "unknown", "userData",
    )
)  # fmt: skip
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,99}")

Names = tuple[tuple[str, str], ...]
"""Pairs of our name and the site's."""


def check(names: Iterable[tuple[str, str]]) -> None:
    """Raises UsageError that names what is wrong."""
    taken: dict[str, str] = {}
    for ours, theirs in names:
        if ours not in _RENAMED:
            raise UsageError(f"{ours!r} is no element whose name is assumed; docs/csta.md says which are")
        if not _NAME.fullmatch(theirs):
            raise UsageError(f"{ours} = {theirs!r}: an element's name has letters, digits, '_', '.' and '-'")
        if theirs in taken:
            raise UsageError(f"{ours} = {theirs!r}: {taken[theirs]} has that name already")
        taken[theirs] = ours


def _renamed() -> frozenset[str]:
    services = {name for service in SERVICES.values() for name in (service, service + RESPONSE)}
    return ASSUMED | services | set(EVENTS)


_RENAMED: Final = _renamed()


class Aliases:
    """Renames the elements of a message: read with our names, written with the site's."""

    def __init__(self, names: Names = ()) -> None:
        """Raises UsageError."""
        check(names)
        self._theirs = dict(names)
        self._ours = {theirs: ours for ours, theirs in names}

    def read(self, root: Node) -> None:
        """What is handed on as it came keeps its names."""
        if self._ours:
            for node in root.walk():
                node.name = self._ours.get(node.name, node.name)

    def write(self, root: Node) -> None:
        """Only what is ours: what was read before goes back as it came."""
        if self._theirs and root.scope is None:
            root.qname = self._theirs.get(root.qname, root.qname)
            for child in root.children:
                self.write(child)


NONE: Final = Aliases()
