"""The engine asks the PBX who is in a call where no event told."""

from dataclasses import replace

from osrec.csta.messages import LinkUp, Lost, Outcome, ServiceAnswered
from osrec.engine import messages as out
from osrec.engine.settings import EngineConfig
from osrec.wire.csta.model import (
    CallSnapshot,
    CallSnapshotEntry,
    DeviceId,
    ErrorCategory,
    LocalState,
    ReturnError,
    SnapshotCall,
)
from tests.unit.csta_events import cleared, conn, delivered, established, parties
from tests.unit.engine_bench import ALERTING, CONNECTED, NULL, A, Bench, every

SENT_ON, STRANGER = 52, "4711"
NOT_SUPPORTED = ReturnError(0, ErrorCategory.OPERATION, 50)
HOLDS = CallSnapshot(
    (
        CallSnapshotEntry(DeviceId(STRANGER), conn(1, STRANGER), LocalState.HOLD),
        CallSnapshotEntry(DeviceId(A), conn(1, A), CONNECTED),
    )
)


def asked(outputs: list[out.Output]) -> list[out.Request]:
    return [one for one in every(outputs, out.Request) if isinstance(one.argument, SnapshotCall)]


def sent_on(bench: Bench, call: int = 1) -> list[out.Output]:
    """A call that somebody sent on to A rings there and is answered; what that brought about."""
    who = parties(STRANGER, A)
    rings = bench.report(A, replace(delivered(call, A, who, ALERTING), cause=SENT_ON))
    return rings + bench.report(A, established(call, A, who))


def ask_and_answer(bench: Bench, call: int, outcome: Outcome) -> int:
    """One more call is sent on, answered and ended; how often the PBX was asked about it."""
    requests = asked(sent_on(bench, call))
    for request in requests:
        bench.give(ServiceAnswered(request.token, outcome))
    bench.report(A, cleared(call, A, NULL))
    return len(requests)


def test_the_answer_tells_that_nobody_talks() -> None:
    bench = Bench()
    (request,) = asked(sent_on(bench))
    assert request.argument == SnapshotCall(conn(1, A))
    (conversation,) = bench.engine.tracker.conversations.values()
    assert conversation.talking(A) is not None
    bench.give(ServiceAnswered(request.token, HOLDS))
    assert conversation.talking(A) is None


def test_a_pbx_that_does_not_offer_it_is_not_asked_again_until_the_link_comes_anew() -> None:
    bench = Bench()
    assert [ask_and_answer(bench, call, NOT_SUPPORTED) for call in (1, 2)] == [1, 0]
    bench.give(LinkUp())
    assert ask_and_answer(bench, 3, NOT_SUPPORTED) == 1


def test_a_pbx_that_does_not_answer_twice_in_a_row_is_not_asked_again() -> None:
    bench = Bench()
    assert [ask_and_answer(bench, call, Lost("timeout")) for call in (1, 2, 3)] == [1, 1, 0]


def test_it_may_be_forbidden() -> None:
    bench = Bench(config=EngineConfig(pair_rest=0.0, snapshot_calls=False))
    assert asked(sent_on(bench)) == []
