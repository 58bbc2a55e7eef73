"""LAPD and call control under octets that nobody intended, and two ends that agree whatever the wire did."""

from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from osrec.isdn.access import Access, OctetsReceived, SendOctets, Start
from osrec.isdn.messages import ClearCall, PlaceCall, RestartChannels, TimerExpired
from osrec.isdn.profile import Protocol, Role
from osrec.isdn.settings import AccessConfig, Answering
from osrec.wire.q921.frames import Information, Side, encode
from osrec.wire.q931 import codec
from osrec.wire.q931.elements import CallStateValue
from osrec.wire.q931.messages import CallReference, MessageType
from tests.property.isdn_wire import SECOND, Wire
from tests.property.test_q931_properties import ANY_ELEMENT, frames

PROFILES = list(product(Protocol, Role))
profiles = st.sampled_from(PROFILES)
references = st.builds(CallReference, st.integers(0, 4), st.booleans(), st.sampled_from([0, 1, 2, 3])).map(
    lambda reference: reference if reference.length else CallReference(length=0)
)


@st.composite
def messages(draw: Any) -> bytes:
    """Mostly sense, of calls that there may be."""
    elements = draw(st.lists(ANY_ELEMENT, max_size=4))
    octets = codec.encode(codec.compose(draw(st.sampled_from(MessageType)), draw(references), *elements))
    if draw(st.integers(0, 3)) == 0:
        at = draw(st.integers(0, len(octets) - 1))
        octets = octets[:at] + draw(st.binary(max_size=3)) + octets[at + draw(st.integers(0, 3)) :]
    return octets


@st.composite
def inputs(draw: Any) -> tuple[str, Any]:
    kind = draw(st.sampled_from(["message", "message", "message", "frame", "octets", "time", "owner"]))
    match kind:
        case "message":
            return kind, draw(messages())
        case "frame":
            return kind, draw(frames)
        case "octets":
            return kind, draw(st.binary(max_size=300))
        case "time":
            return kind, draw(st.sampled_from([0.0, 0.5, 1.0, 4.0, 30.0, 100.0]))
    return kind, draw(
        st.sampled_from([PlaceCall("t", "1", "2", 1, exclusive=True), PlaceCall("t", "1"), ClearCall(1), ClearCall(2)])
    )


class Prodded:
    """One end whose peer is out of his mind, but acknowledges everything."""

    def __init__(self, protocol: Protocol, role: Role) -> None:
        self.access = Access(AccessConfig(protocol, role, answering=Answering.ALERT, ring=1.0))
        self.side = role.side
        self.now = 0.0
        self.n_s = self.n_r = 0
        self._does(Start())
        self._does(OctetsReceived(bytes([0 if self.side is Side.NETWORK else 2, 1, 0x7F])))
        self.n_s = self.n_r = 0

    def _does(self, event: Any) -> None:
        for output in self.access.handle(event, self.now):
            if isinstance(output, SendOctets):
                assert len(output.octets) <= 4 + 260
                self.n_r += output.octets[2] & 1 == 0

    def takes(self, kind: str, value: Any) -> None:
        match kind:
            case "message":
                self._says(value)
            case "frame":
                self._does(OctetsReceived(encode(value, self.side.other)))
            case "octets":
                self._does(OctetsReceived(value))
            case "time":
                self.now += value
                self._does(TimerExpired())
            case "owner":
                self._does(value)

    def _says(self, message: bytes) -> None:
        """In an I frame that the link takes, if there is a link."""
        window = self.access.link._window
        frame = Information(window.v_r, window.v_s, message)
        self._does(OctetsReceived(encode(frame, self.side.other)))


@settings(max_examples=200, deadline=None)
@given(profiles, st.lists(inputs(), max_size=30))
def test_no_octets_and_no_order_of_things_break_an_access(
    profile: tuple[Protocol, Role], given_inputs: list[tuple[str, Any]]
) -> None:
    prodded = Prodded(*profile)
    for kind, value in given_inputs:
        prodded.takes(kind, value)
        control = prodded.access.control
        held = [slot for slot in range(1, 32) if control.channels.holder(slot) is not None]
        assert {control.channels.holder(slot) for slot in held} <= set(control.calls)
        assert len(control.calls) <= 60  # nobody fills our memory
    prodded.now += 1000.0
    for _ in range(20):
        prodded.takes("time", 200.0)
    assert prodded.access.link.waiting == 0 or not prodded.access.link.up


# --- two ends

roles = st.sampled_from(Role)
slots = st.sampled_from([1, 2, 3, 30, 31])


@st.composite
def happenings(draw: Any) -> tuple[Any, ...]:
    kind = draw(
        st.sampled_from(["place", "place", "place", "clear", "clear", "restart", "loss", "cut", "mend", "wait"])
    )
    match kind:
        case "place":
            slot = draw(st.none() | slots)
            return "ask", draw(roles), PlaceCall("t", "1", "2", slot, exclusive=draw(st.booleans()))
        case "clear":
            return "ask", draw(roles), ClearCall(draw(st.integers(1, 6)))
        case "restart":
            return "ask", draw(roles), RestartChannels(draw(st.none() | slots.map(lambda slot: (slot,))))
        case "loss":
            return "loss", draw(st.sampled_from([0.0, 0.1, 0.3, 0.6]))
    if kind == "wait":
        return "wait", draw(st.sampled_from([0.01, 0.05, 0.5, 3.0, 12.0, 40.0, 120.0]))
    return (kind,)


def follow(wire: Wire, happening: tuple[Any, ...]) -> None:
    match happening:
        case ("ask", role, request):
            wire.does(role, request)
        case ("loss", share):
            wire.loss = share
        case ("cut",):
            wire.cut = True
        case ("mend",):
            wire.cut, wire.loss = False, 0.0
        case ("wait", seconds):
            wire.passes(seconds)
    wire.passes(0.01)


def calls_of(wire: Wire, role: Role) -> dict[tuple[int, bool], int]:
    """Slot by call reference as the network writes it: the same at both ends, if they agree."""
    access = wire.ends[role]
    found = {}
    for call in access.control._calls.values():
        assert call.state is CallStateValue.ACTIVE
        assert call.slot is not None
        found[call.reference.value, call.incoming is (role is Role.NETWORK)] = call.slot
    return found


@pytest.mark.parametrize("protocol", Protocol)
@settings(max_examples=80, deadline=None)
@given(st.integers(0, 1 << 30), st.lists(happenings(), max_size=40))
def test_two_ends_agree_in_the_end_whatever_the_wire_lost(
    protocol: Protocol, seed: int, history: list[tuple[Any, ...]]
) -> None:
    wire = Wire(protocol, seed)
    wire.start()
    for happening in history:
        follow(wire, happening)
    wire.cut, wire.loss = False, 0.0
    wire.passes(600.0)
    assert all(wire.ends[role].link.up for role in SECOND)
    assert [wire.owners[role].up for role in SECOND] == [True] * 2
    assert calls_of(wire, Role.USER) == calls_of(wire, Role.NETWORK)
    for role in SECOND:
        owner, access = wire.owners[role], wire.ends[role]
        assert sorted(owner.slots.values()) == sorted(calls_of(wire, role).values())
        assert owner.through == set(access.control.calls) == set(owner.slots)
        assert access.link.waiting == 0
        assert sum(not access.control.channels.free(slot) for slot in access.control.channels.slots) == len(owner.slots)


@pytest.mark.parametrize("protocol", Protocol)
@settings(max_examples=40, deadline=None)
@given(st.integers(0, 1 << 30), st.lists(happenings(), max_size=20), st.data())
def test_octets_spoilt_on_the_way_break_neither_end(
    protocol: Protocol, seed: int, history: list[tuple[Any, ...]], data: st.DataObject
) -> None:
    """What FCS does not find."""
    wire = Wire(protocol, seed)
    wire.start()
    flips = iter(data.draw(st.lists(st.tuples(st.integers(0, 99), st.integers(0, 7)), max_size=60)))

    def spoilt(octets: bytes) -> bytes:
        at, bit = next(flips, (99, 0))
        return octets[:at] + bytes([octets[at] ^ 1 << bit]) + octets[at + 1 :] if at < len(octets) else octets

    wire.spoil = spoilt
    for happening in history:
        follow(wire, happening)
    wire.spoil = bytes
    wire.cut, wire.loss = False, 0.0
    wire.passes(600.0)
    assert all(wire.ends[role].link.up for role in SECOND)
