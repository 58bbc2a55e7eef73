"""An access on the D channel of a line: two of them over a virtual cable, octets, flags, FCS and all."""

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from itertools import count

import pytest

from osrec.isdn.messages import (
    CallReleased,
    ChannelTaken,
    ClearCall,
    Connected,
    LinkDown,
    LinkUp,
    OwnerOutput,
    PlaceCall,
)
from osrec.isdn.profile import Protocol, Role
from osrec.isdn.runner import AccessRunner
from osrec.isdn.settings import AccessConfig
from osrec_drivers.line import IDLE, Line, open_line
from osrec_drivers.virtual import Fault, FaultKind, cable

FRAMES = 80  # 10 ms
IDLE_FRAMES = bytes([IDLE]) * 32 * FRAMES
_names = count()


class Trunk:
    """Both ends of a cable with an access at each; 10 ms pass at a time.

    Attributes:
        runners, told: by role.
        frames: what passed, with who sent it.
    """

    def __init__(self, protocol: Protocol) -> None:
        self.name = f"isdn{next(_names)}"
        self.lines: dict[Role, Line] = {
            Role.USER: open_line(f"virtual:{self.name}/a"),
            Role.NETWORK: open_line(f"virtual:{self.name}/b"),
        }
        self.told: dict[Role, list[OwnerOutput]] = {role: [] for role in self.lines}
        self.frames: list[tuple[bool, bytes]] = []
        self.now = 0.0
        self.runners = {
            role: AccessRunner(
                role.value,
                AccessConfig(protocol, role),
                line.d_channel(),
                self.told[role].append,
                (lambda sent, octets: self.frames.append((sent, octets))) if role is Role.USER else None,
            )
            for role, line in self.lines.items()
        }
        for runner in self.runners.values():
            runner.start(self.now)

    def passes(self, seconds: float) -> None:
        for _ in range(round(seconds * 100)):
            self.now += 0.01
            for line in self.lines.values():
                line.transmit(IDLE_FRAMES)
            for runner in self.runners.values():
                runner.turn(self.now)

    def close(self) -> None:
        for line in self.lines.values():
            line.close()


@pytest.fixture(params=Protocol)
def trunk(request: pytest.FixtureRequest) -> Iterator[Trunk]:
    trunk = Trunk(request.param)
    trunk.passes(2.0)
    yield trunk
    trunk.close()


def found(told: list[OwnerOutput], kind: type[OwnerOutput]) -> list[OwnerOutput]:
    return [output for output in told if type(output) is kind]


def test_a_call_goes_over_the_line_from_setup_to_release(trunk: Trunk) -> None:
    assert found(trunk.told[Role.USER], LinkUp) == found(trunk.told[Role.NETWORK], LinkUp) == [LinkUp()]
    trunk.runners[Role.NETWORK].request(PlaceCall("t", "4711", "0815", 5, exclusive=True), trunk.now)
    trunk.passes(0.5)
    (taken,) = found(trunk.told[Role.USER], ChannelTaken)
    assert isinstance(taken, ChannelTaken)
    assert (taken.slot, taken.called, taken.calling) == (5, "4711", "0815")
    assert found(trunk.told[Role.NETWORK], Connected)
    trunk.runners[Role.USER].request(ClearCall(taken.call), trunk.now)
    trunk.passes(0.5)
    for told in trunk.told.values():
        assert len(found(told, CallReleased)) == 1
    assert {sent for sent, _ in trunk.frames} == {True, False}
    assert all(runner.unsent == 0 for runner in trunk.runners.values())


def test_bit_errors_cost_frames_and_no_call(trunk: Trunk) -> None:
    trunk.runners[Role.NETWORK].request(PlaceCall("t", "1"), trunk.now)
    for seed in range(20):
        for end in "ab":
            cable(trunk.name).sent_by[end].damage(Fault(FaultKind.BIT_ERRORS, 32 * 800, 3e-4, seed))
        trunk.passes(0.5)
    trunk.passes(5.0)
    assert sum(sum(runner.foul.values()) for runner in trunk.runners.values()) > 0
    assert len(found(trunk.told[Role.USER], Connected)) == len(found(trunk.told[Role.NETWORK], Connected)) == 1
    assert not found(trunk.told[Role.USER], CallReleased)


def test_a_line_that_is_cut_loses_the_link_and_gets_it_back(trunk: Trunk) -> None:
    for end in "ab":
        cable(trunk.name).sent_by[end].damage(Fault(FaultKind.ZEROS, 32 * 8000 * 25))
    trunk.passes(25.0)
    for told in trunk.told.values():
        assert found(told, LinkDown) == [LinkDown()]
    trunk.passes(10.0)
    for told in trunk.told.values():
        assert len(found(told, LinkUp)) == 2


def test_it_runs_in_asyncio_until_it_is_cancelled() -> None:
    trunk = Trunk(Protocol.DSS1)

    async def both() -> None:
        tasks = [asyncio.create_task(runner.run()) for runner in trunk.runners.values()]
        while not all(found(told, LinkUp) for told in trunk.told.values()):
            for line in trunk.lines.values():
                line.transmit(IDLE_FRAMES)
            await asyncio.sleep(0)
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    asyncio.run(asyncio.wait_for(both(), 30))
    trunk.close()


def test_an_owner_that_fails_ends_no_call() -> None:
    trunk = Trunk(Protocol.DSS1)

    def fails(_output: OwnerOutput) -> None:
        raise RuntimeError("owner")

    trunk.runners[Role.USER]._on_output = fails
    trunk.passes(2.0)
    trunk.runners[Role.NETWORK].request(PlaceCall("t", "1"), trunk.now)
    trunk.passes(0.5)
    assert found(trunk.told[Role.NETWORK], Connected)
    trunk.close()


def test_a_line_without_signal_is_told_at_once_and_the_link_comes_back_with_it(trunk: Trunk) -> None:
    user = trunk.runners[Role.USER]
    user.stop(trunk.now)
    assert found(trunk.told[Role.USER], LinkDown)
    user.start(trunk.now)
    trunk.passes(1.0)
    assert len(found(trunk.told[Role.USER], LinkUp)) == 2
    assert user.access.link.up


def test_a_line_that_is_closed_takes_no_frames_and_breaks_nothing() -> None:
    trunk = Trunk(Protocol.DSS1)
    trunk.lines[Role.USER].close()
    runner = trunk.runners[Role.USER]
    runner.turn(1.0)
    assert runner.unsent > 0
    trunk.close()
