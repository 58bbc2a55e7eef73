"""What the judge wants recorded: what was asked for, as far as it was there, and what the recorder was told of."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from osrec_emulators.check.demands import Demand
from osrec_emulators.check.expected import ByAccount, Expected
from osrec_emulators.check.outages import Outage
from osrec_emulators.check.told import Conversation, Fact, GrantedFork, TalkSpan
from osrec_emulators.check.troubles import Troubles
from osrec_emulators.check.wanted import Wanted
from osrec_emulators.pbx.media import Side

A, B = "3100", "3101"
ENTRY = "01a20b24-2ac5-7593-946b-f1819f695c1d"


def moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def on_ports(station: str, since: float, until: float, ports: tuple[str, str]) -> tuple[GrantedFork, ...]:
    sides = zip(Side, ports, strict=True)
    return tuple(GrantedFork(port, station, side, (since, until), False, "call", until) for side, port in sides)


HANDED_OVER = Conversation(  # A talks and is forked until 20, then B, whose fork comes at 25
    thread="t",
    calls=frozenset({"1", "2"}),
    stations=(A, B),
    direction="in",
    started_at=moment(0),
    answered_at=moment(0),
    ended_at=moment(40),
    talks=(TalkSpan(A, "1", True, (0.0, 20.0)), TalkSpan(B, "2", True, (22.0, 40.0))),
    forks=(*on_ports(A, 2.0, 20.0, ("1", "2")), *on_ports(B, 25.0, 40.0, ("3", "4"))),
)


def test_each_demand_reaches_as_far_back_as_the_fork_of_its_own_moment() -> None:
    asked = [Demand(12.0, A, "keep-last", 4.0), Demand(30.0, B, "keep")]
    wanted = Wanted(Expected(on_demand=[A, B]), asked, Troubles(()))
    assert wanted.required(HANDED_OVER, ENTRY, A) == [(8.0, 20.0)], "when B wanted all of it A's fork was over"
    assert wanted.required(HANDED_OVER, ENTRY, B) == [(22.0, 40.0)], "A wanted all that was to come"
    assert wanted.allowed(HANDED_OVER, ENTRY, A) == [(8.0, 20.0)], "no more of it may be kept, either"


@pytest.mark.parametrize(
    ("outages", "required"),
    [
        ([], [(10.0, 20.0)]),
        ([Outage("link", (9.0, 11.0))], []),
        ([Outage("monitor", (9.0, 11.0), A)], []),
        ([Outage("monitor", (9.0, 11.0), B)], [(10.0, 20.0)]),
    ],
)
def test_an_account_code_counts_when_the_recorder_was_told_of_it(
    outages: list[Outage], required: list[tuple[float, float]]
) -> None:
    conversation = replace(HANDED_OVER, accounts=(Fact(10.0, "4711", "1"),))
    wanted = Wanted(Expected(accounts=[ByAccount([A], ["4711"])]), [], Troubles(outages))
    assert wanted.required(conversation, ENTRY, A) == required
    assert wanted.allowed(conversation, ENTRY, A) == [(10.0, 20.0)], "it may have been told all the same"
