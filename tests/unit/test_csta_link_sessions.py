"""Links that begin otherwise than ASN.1: XML without session, with one (ECMA-354), and with SystemRegister."""

from dataclasses import replace

import pytest

from osrec.csta.link import Link, State
from osrec.csta.messages import (
    Close,
    CloseRequested,
    Connected,
    LinkDown,
    LinkUp,
    PduReceived,
    Send,
    TimerExpired,
    Trouble,
)
from osrec.csta.settings import LinkConfig
from osrec.wire.csta.model import (
    Abort,
    Associate,
    Associated,
    ErrorCategory,
    NoData,
    Release,
    Released,
    RequestSystemStatus,
    ResetSessionTimer,
    Session,
    SessionTimerReset,
    Status,
    SystemRegister,
    SystemRegistered,
    SystemStatus,
    UnknownArgument,
)
from osrec.wire.csta.xml_names import namespace_of
from tests.unit.csta_play import error, invoke, invoked, play, result, status_answered

ASKED = Session("osrec", (namespace_of(4),), 180)
GIVEN = Session("osrec", (namespace_of(4),), 100, id="s-1")
BARE = LinkConfig(associate=False, heartbeat=0.0)
WITH_SESSION = LinkConfig(session=ASKED, heartbeat=0.0)
RENEW = ResetSessionTimer("s-1", 100)


def in_session(config: LinkConfig = WITH_SESSION) -> Link:
    link = Link(config)
    play(
        link,
        [
            (0.0, Connected(), [Send(Associate(session=ASKED))]),
            (0.0, PduReceived(Associated(0, session=GIVEN)), []),
            (0.0, invoked(SystemStatus(Status.NORMAL)), [status_answered(), LinkUp()]),
        ],
    )
    return link


def test_xml_without_session_waits_for_the_status_at_once_and_says_no_goodbye() -> None:
    link = Link(BARE)
    play(
        link,
        [
            (0.0, Connected(), []),
            (0.1, invoked(SystemStatus(Status.NORMAL)), [status_answered(), LinkUp()]),
            (1.0, CloseRequested(), [Close("closed by us"), LinkDown("closed by us")]),
        ],
    )


@pytest.mark.parametrize(
    "answer", [error(1, ErrorCategory.OPERATION, 50), invoked(UnknownArgument(None, b"", "unread"))]
)
def test_xml_without_session_asks_a_server_that_says_nothing_and_goes_on_with_any_answer(answer: PduReceived) -> None:
    link = Link(BARE)
    play(link, [(0.0, Connected(), [])])
    assert (link.state, link.deadline) == (State.AWAITING_STATUS, 5.0)
    play(link, [(5.0, TimerExpired(), [invoke(1, RequestSystemStatus())])])
    link.handle(answer, 5.1)
    assert (link.state, link.deadline) == (State.AWAITING_STATUS, 5.1)
    assert LinkUp() in link.handle(TimerExpired(), 5.1)


def test_xml_without_session_is_not_up_where_nobody_ever_answers() -> None:
    link = Link(BARE)
    down = "no answer to 2 heartbeats of 5 s"
    play(
        link,
        [
            (0.0, Connected(), []),
            (5.0, TimerExpired(), [invoke(1, RequestSystemStatus())]),
            (10.0, TimerExpired(), [invoke(2, RequestSystemStatus())]),
            (15.0, TimerExpired(), [Close(down), LinkDown(down, unheard=15.0)]),
        ],
    )


def test_a_server_without_sessions_is_told_apart_by_its_error() -> None:
    link = Link(WITH_SESSION)
    link.handle(Connected(), 0.0)
    reason = "association refused: operation serviceNotSupported: look at [csta] session = true"
    play(link, [(0.1, error(1, ErrorCategory.OPERATION, 50), [Close(reason), LinkDown(reason)])])


def test_a_session_is_renewed_before_it_runs_out() -> None:
    link = in_session()
    assert link.session_id == "s-1"
    assert link.deadline == 50.0
    play(
        link,
        [
            (50.0, TimerExpired(), [invoke(1, RENEW)]),
            (50.1, result(1, SessionTimerReset(40)), []),
        ],
    )
    assert link.deadline == pytest.approx(70.1), "half of what the server gave last"
    play(link, [(70.1, TimerExpired(), [invoke(2, ResetSessionTimer("s-1", 40))]), (70.2, result(2, NoData()), [])])
    assert link.deadline == pytest.approx(90.2)


def test_a_renewal_that_fails_is_repeated_and_the_session_closed_when_it_has_run_out() -> None:
    link = in_session(replace(WITH_SESSION, request_timeout=5.0))
    reason = "the session ran out: the PBX did not renew it"
    play(link, [(50.0, TimerExpired(), [invoke(1, RENEW)])])
    (trouble,) = link.handle(error(1, ErrorCategory.STATE_INCOMPATIBILITY, 2), 50.1)
    assert isinstance(trouble, Trouble)
    assert "stateIncompatibility invalidObjectState" in trouble.text
    for number in range(2, 6):
        assert link.handle(TimerExpired(), 40.0 + number * 10) == [invoke(number, RENEW)]
        link.handle(error(number, ErrorCategory.STATE_INCOMPATIBILITY, 2), 40.1 + number * 10)
    play(link, [(100.0, TimerExpired(), [Close(reason), LinkDown(reason)])])


def test_the_session_is_named_when_it_is_stopped_and_its_clock_with_it() -> None:
    link = in_session()
    play(link, [(49.0, CloseRequested(), [Send(Release(session="s-1"))])])
    assert link.deadline == 51.0, "at 50 the session would be renewed"
    play(link, [(49.1, PduReceived(Released()), [Close("closed by us"), LinkDown("closed by us")])])
    assert link.session_id is None


def test_a_session_that_the_server_ends_closes_the_link() -> None:
    (close, down) = in_session().handle(PduReceived(Abort(1, session="s-1")), 1.0)
    assert isinstance(close, Close)
    assert isinstance(down, LinkDown)
    assert "aborted by the PBX" in down.reason


def test_a_refused_session_closes_with_the_reason() -> None:
    link = Link(WITH_SESSION)
    link.handle(Connected(), 0.0)
    keys = "[csta] application and session_info"
    reason = f"association rejected permanently, diagnostic 0 (an error of the application): look at {keys}"
    play(link, [(0.1, PduReceived(Associated(1)), [Close(reason), LinkDown(reason)])])


def test_a_release_of_the_server_is_answered_with_its_own_invoke_id() -> None:
    reason = "released by the PBX"
    play(
        in_session(),
        [
            (
                1.0,
                PduReceived(Release(session="s-1", invoke_id=77)),
                [Send(Released(invoke_id=77)), Close(reason), LinkDown(reason)],
            )
        ],
    )


def test_system_register_follows_the_first_status() -> None:
    link = Link(replace(BARE, register=True))
    play(
        link,
        [
            (0.0, Connected(), []),
            (
                0.1,
                invoked(SystemStatus(Status.NORMAL)),
                [status_answered(), LinkUp(), invoke(1, SystemRegister())],
            ),
            (0.2, result(1, SystemRegistered(b"1"), 207), []),
        ],
    )


def test_a_refused_system_register_is_told_and_harms_nothing() -> None:
    link = Link(replace(BARE, register=True))
    link.handle(Connected(), 0.0)
    link.handle(invoked(SystemStatus(Status.NORMAL)), 0.1)
    refused = Trouble("systemRegister: operation serviceNotSupported")
    play(link, [(0.2, error(1, ErrorCategory.OPERATION, 50), [refused])])
    assert link.state is State.UP


@pytest.mark.parametrize("by", ["request", "status"])
def test_the_heartbeat_asks_or_tells_as_configured(by: str) -> None:
    link = Link(replace(BARE, heartbeat=20.0, heartbeat_by="status" if by == "status" else "request"))
    link.handle(Connected(), 0.0)
    link.handle(invoked(SystemStatus(Status.NORMAL)), 0.0)
    question = SystemStatus(Status.NORMAL) if by == "status" else RequestSystemStatus()
    play(link, [(20.0, TimerExpired(), [invoke(1, question)]), (20.1, result(1, NoData()), [])])
    assert link.deadline == pytest.approx(40.1)
