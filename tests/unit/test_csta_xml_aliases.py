"""Elements of CSTA XML whose names are assumed, and a PBX that names them otherwise."""

from contextlib import suppress
from pathlib import Path

import pytest

from osrec.errors import UsageError, WireError
from osrec.wire.csta.dialect import Dialect, dialect
from osrec.wire.csta.model import (
    CallSnapshot,
    CallSnapshotEntry,
    ConferenceJoined,
    ConnectionId,
    DeviceId,
    Escape,
    Invoke,
    JoinCall,
    LocalState,
    Participation,
    Pdu,
    ReturnResult,
    UnknownArgument,
)
from osrec.wire.csta.xml_aliases import ASSUMED, Aliases, Names
from osrec.wire.csta.xml_names import EVENTS, OPCODES, RESPONSE
from osrec.wire.csta.xml_tree import parse
from tests.scenario.site import Site
from tests.scenario.test_calls import TWO_PARTY, equal, steps

VECTORS = Path(__file__).parents[1] / "vectors" / "csta-xml"
CALL = ConnectionId(b"\1\2", DeviceId("257"))
NAMES: Names = (("conferencedCall", "joinedCall"), ("JoinCall", "JoinTheCall"), ("deviceOnCall", "party"))
JOIN = Invoke(7, JoinCall(CALL, DeviceId("7101"), Participation.SILENT))
JOINED = ReturnResult(7, ConferenceJoined(CALL), 223)
PARTIES = CallSnapshot((CallSnapshotEntry(DeviceId("257"), CALL, LocalState.CONNECTED),))
PLAIN = dialect("xml", "xml8")


def renamed(names: Names = NAMES) -> Dialect:
    return dialect("xml", "xml8", element_names=names)


@pytest.mark.parametrize(
    ("pdu", "ours", "theirs"),
    [
        (JOINED, b"<conferencedCall>", b"<joinedCall>"),
        (JOIN, b"<JoinCall ", b"<JoinTheCall "),
        (ReturnResult(8, PARTIES, 75), b"<deviceOnCall>", b"<party>"),
    ],
)
def test_an_element_is_written_and_read_by_the_sites_name(pdu: Pdu, ours: bytes, theirs: bytes) -> None:
    written = renamed().encode(pdu)
    assert written == PLAIN.encode(pdu).replace(ours, theirs).replace(
        ours.replace(b"<", b"</").replace(b" ", b">"), theirs.replace(b"<", b"</").replace(b" ", b">")
    )
    assert theirs in written
    assert renamed().decode(written) == pdu
    with suppress(WireError):
        assert PLAIN.decode(written) != pdu, "without the names it cannot be read"


def test_what_came_from_elsewhere_goes_on_as_it_came() -> None:
    private = b'<deviceOnCall xmlns="urn:site"><joinedCall>1</joinedCall></deviceOnCall>'
    sent = renamed().encode(Invoke(9, Escape(private)))
    assert private in sent
    assert renamed().decode(sent) == Invoke(9, Escape(private))
    unknown = PLAIN.decode(b"0004<Unheard><joinedCall/></Unheard>")
    assert isinstance(unknown, Invoke)
    assert isinstance(unknown.argument, UnknownArgument)
    assert renamed().decode(b"0004<Unheard><joinedCall/></Unheard>") == unknown


@pytest.mark.parametrize(
    ("names", "complaint"),
    [
        ((("deliveredd", "x"),), "'deliveredd' is no element whose name is assumed"),
        ((("deviceID", "x"),), "'deviceID' is no element whose name is assumed"),  # captures show it
        ((("conferencedCall", "joined call"),), "conferencedCall = 'joined call': an element's name has letters"),
        (
            (("conferencedCall", "x"), ("activeCall", "x")),
            "activeCall = 'x': conferencedCall has that name already",
        ),
    ],
)
def test_a_name_that_cannot_be_is_refused_with_its_reason(names: Names, complaint: str) -> None:
    with pytest.raises(UsageError, match=complaint):
        Aliases(names)


def test_every_element_that_no_capture_shows_can_be_renamed() -> None:
    seen: set[str] = set()
    own: set[str] = set()
    for path in VECTORS.glob("*.txt"):
        documents = [line[line.index("<") :] for line in path.read_text().splitlines() if not line.startswith("#")]
        names = own if path.name.startswith("own-") else seen
        for text in documents:
            names.update(node.name for node in parse(text.encode()).walk())
    services = {name for service in OPCODES for name in (service, service + RESPONSE)}
    private = {"record"}  # what own-escape has as its private data
    sessions = {"ResetApplicationSessionTimer", "StopApplicationSession"}  # ECMA-354 itself
    assert own - seen - services - set(EVENTS) - private - sessions <= ASSUMED
    assert not ASSUMED & seen


def test_a_site_whose_pbx_names_elements_otherwise_is_recorded(tmp_path: Path) -> None:
    names = dict(NAMES) | {"establishedConnection": "connection", "EstablishedEvent": "AnsweredEvent"}
    xml = {"encoding": "xml", "element_names": names}
    with Site(
        tmp_path,
        steps(*TWO_PARTY, (4.0, "3100", "hangup")),
        cap=xml | {"framing": "xml8"},
        csta={"host": "in.process", "port": 1} | xml,
        recording={"fork": "join-call"},
    ) as site:
        site.run(10).finish()
        equal(site)
        (recording,) = site.sidecars()
        assert (recording.reason, recording.gaps) == ("normalClearing", [])
