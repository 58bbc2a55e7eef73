"""The recorder's access against the emulated PBX, which shares the octets and nothing else, over a wire that loses.

Forks come and go at random; when the wire is mended, both know the same calls on the same slots.
"""

import random
from heapq import heappop, heappush
from itertools import count
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from osrec.isdn.access import Access, AccessOutput, OctetsReceived, SendOctets, Start
from osrec.isdn.channels import B_CHANNELS
from osrec.isdn.messages import ClearCall, TimerExpired
from osrec.isdn.profile import Protocol, Role
from osrec.isdn.settings import AccessConfig
from osrec.wire.q931.elements import CallStateValue
from osrec_emulators.diun2 import trunk_events as trunks
from osrec_emulators.diun2.call_events import Dialect
from osrec_emulators.diun2.call_faults import CallFaults
from osrec_emulators.diun2.signalling import IsdnSettings
from osrec_emulators.diun2.trunk import IsdnTrunk
from osrec_emulators.pbx.media import Fork
from osrec_emulators.pbx.media import Side as Half
from tests.property.isdn_wire import DELAY, Owner

PORTS = {f"71{slot:02}": slot for slot in B_CHANNELS}
FORKS = [Fork(port, "3100", Half.OWN, "01") for port in list(PORTS)[:6]]


class Site:
    """A PBX and a recorder on one D channel, in virtual time."""

    def __init__(self, protocol: Protocol, role: Role, seed: int) -> None:
        dialect = Dialect(protocol is Protocol.QSIG, role.side.other)
        self.pbx = IsdnTrunk(IsdnSettings(dialect=dialect), PORTS, CallFaults())
        self.access = Access(AccessConfig(protocol, role))
        self.owner = Owner()
        self.now, self.loss = 0.0, 0.0
        self.forks: frozenset[Fork] = frozenset()
        self._random = random.Random(seed)
        self._order = count()
        self._flying: list[tuple[float, int, bool, bytes]] = []  # whether it is for the PBX
        self.pbx_does(trunks.Start())
        self.does(Start())

    def does(self, event: Any) -> None:
        outputs: list[AccessOutput] = self.access.handle(event, self.now)
        for output in outputs:
            if isinstance(output, SendOctets):
                self._send(output.octets, to_pbx=True)
            else:
                self.owner.take(output)

    def pbx_does(self, event: trunks.Event) -> None:
        for output in self.pbx.handle(event, self.now):
            if isinstance(output, trunks.SendFrame):
                self._send(output.octets, to_pbx=False)

    def _send(self, octets: bytes, *, to_pbx: bool) -> None:
        if self._random.random() >= self.loss:
            heappush(self._flying, (self.now + DELAY, next(self._order), to_pbx, octets))

    def fork(self, forks: frozenset[Fork]) -> None:
        self.forks = forks
        self.pbx_does(trunks.Ports({fork.port: fork for fork in forks}))

    def passes(self, seconds: float) -> None:
        end = self.now + seconds
        while (due := self._due()) is not None and due <= end:
            self.now = max(self.now, due)
            if self.access.deadline is not None and self.access.deadline <= self.now:
                self.does(TimerExpired())
            if self.pbx.deadline is not None and self.pbx.deadline <= self.now:
                self.pbx_does(trunks.Due())
            while self._flying and self._flying[0][0] <= self.now:
                _, _, to_pbx, octets = heappop(self._flying)
                if to_pbx:
                    self.pbx_does(trunks.FrameArrived(octets))
                else:
                    self.does(OctetsReceived(octets))
        self.now = end

    def _due(self) -> float | None:
        dues = [self.access.deadline, self.pbx.deadline, self._flying[0][0] if self._flying else None]
        return min((due for due in dues if due is not None), default=None)


@st.composite
def happenings(draw: Any) -> tuple[str, Any]:
    kind = draw(st.sampled_from(["forks", "forks", "loss", "wait", "wait", "clear"]))
    match kind:
        case "forks":
            return kind, draw(st.frozensets(st.sampled_from(FORKS)))
        case "loss":
            return kind, draw(st.sampled_from([0.0, 0.2, 0.5, 1.0]))
        case "wait":
            return kind, draw(st.sampled_from([0.03, 0.5, 5.0, 9.0, 15.0, 60.0, 120.0]))
    return kind, draw(st.integers(1, 6))


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("protocol", Protocol)
@settings(max_examples=40, deadline=None)
@given(st.integers(0, 1 << 30), st.lists(happenings(), max_size=25))
def test_pbx_and_recorder_agree_in_the_end_whatever_the_wire_lost(
    protocol: Protocol, role: Role, seed: int, history: list[tuple[str, Any]]
) -> None:
    site = Site(protocol, role, seed)
    site.passes(1.0)
    for kind, value in history:
        match kind:
            case "forks":
                site.fork(value)
            case "loss":
                site.loss = value
            case "wait":
                site.passes(value)
            case "clear":
                site.does(ClearCall(value))
    site.loss = 0.0
    site.passes(600.0)
    assert site.owner.up
    assert site.pbx.up
    theirs = {call.reference: call.slots for call in site.pbx.unfinished()}
    ours = {call.reference.value: call.slots for call in site.access.control._calls.values()}
    assert ours == theirs
    assert set(site.access.control.calls.values()) <= {CallStateValue.ACTIVE}
    assert site.owner.through == set(site.access.control.calls)


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("protocol", Protocol)
def test_every_fork_of_a_sound_wire_is_on_its_slot(protocol: Protocol, role: Role) -> None:
    site = Site(protocol, role, 1)
    site.passes(1.0)
    site.fork(frozenset(FORKS))
    site.passes(2.0)
    assert site.pbx.open == {fork.port: PORTS[fork.port] for fork in FORKS}
    assert sorted(site.owner.slots.values()) == sorted(site.pbx.open.values())
    site.fork(frozenset(FORKS[:1]))
    site.passes(2.0)
    assert list(site.owner.slots.values()) == [PORTS[FORKS[0].port]]
