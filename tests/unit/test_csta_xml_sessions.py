"""osrec.wire.csta.xml_sessions: application sessions of ECMA-354 as associations."""

import pytest

from osrec.errors import UsageError
from osrec.wire.csta import model
from osrec.wire.csta.model import (
    Abort,
    Associate,
    Associated,
    Invoke,
    Release,
    Released,
    ResetSessionTimer,
    ReturnResult,
    Session,
    SessionTimerReset,
)
from tests.unit.csta_xml import ED3, ED4, XML


@pytest.mark.parametrize(
    "pdu",
    [
        Associate(session=Session("osrec", (ED4, ED3), 600), invoke_id=1),
        Associate(session=Session("osrec", (ED4,), specific=b"<l:login xmlns:l=\"u\">secret</l:login>"), invoke_id=7),
        Associated(0, session=Session("", (ED4,), 600, "s1"), invoke_id=1),
        Associated(1, 0, invoke_id=1),
        Associated(1, 2, invoke_id=1),
        Associated(2, 3, invoke_id=1),
        Associated(2, 4, invoke_id=1),
        Invoke(3, ResetSessionTimer("s1", 600)),
        Invoke(3, ResetSessionTimer("s1")),
        ReturnResult(3, SessionTimerReset(600)),
        Release(session="s1", invoke_id=4),
        Released(invoke_id=4),
        Released(1, invoke_id=4),
        Abort(1, session="s1"),
    ],
)  # fmt: skip
def test_sessions_begin_last_and_end(pdu: model.Pdu) -> None:
    sent = XML.encode(pdu)
    assert b'xmlns="http://www.ecma-international.org/standards/ecma-354/appl_session"' in sent
    assert XML.decode(sent) == pdu


def test_a_login_is_kept_out_of_the_representation() -> None:
    assert "secret" not in repr(Associate(session=Session("osrec", (), specific=b"<p>secret</p>")))


@pytest.mark.parametrize(
    ("pdu", "what"),
    [
        (Associate(), "an Associate in XML needs a session"),
        (Associated(0), "an accepting Associated in XML needs a session with its id"),
        (Release(), "a Release in XML needs the id of the session"),
        (Abort(), "an Abort in XML needs the id of the session"),
        (Associate(session=Session("a", (), specific=b"<p>secret")), "applicationSpecificInfo of 9 octets is no XML"),
    ],
)
def test_a_session_that_cannot_be_said_is_refused(pdu: model.Pdu, what: str) -> None:
    with pytest.raises(UsageError, match=what) as refused:
        XML.encode(pdu)
    assert "secret" not in str(refused.value)
