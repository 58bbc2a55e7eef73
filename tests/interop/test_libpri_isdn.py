"""Our LAPD and Q.931 against libpri, the ISDN stack of Asterisk, from either side; Wireshark watches the D channel."""

import struct
from collections.abc import Iterator
from itertools import product
from typing import TypeVar

import pytest

from osrec.isdn.access import Access, AccessOutput, OctetsReceived, SendOctets, Start
from osrec.isdn.link_messages import Deactivated
from osrec.isdn.messages import (
    Alerting,
    CallReleased,
    CallStarted,
    ChannelTaken,
    ClearCall,
    Connected,
    LinkDown,
    LinkUp,
    OwnerOutput,
    PlaceCall,
    Request,
    RestartChannels,
    RestartDone,
    TimerExpired,
    Trouble,
    TurnedAway,
)
from osrec.isdn.profile import Protocol, Role
from osrec.isdn.settings import AccessConfig, Answering
from osrec.wire.q921.capture import LINUX_LAPD
from osrec.wire.q921.frames import Information, Side, decode
from osrec.wire.q931.causes import CauseValue
from osrec.wire.q931.codec import decode as decode_message
from osrec.wire.q931.elements import CallStateValue
from osrec.wire.q931.messages import MessageType
from tests.interop import libpri
from tests.interop.libpri import Event, Kind, Node, Pri, Switch
from tests.interop.test_q931_tshark import complaints, dissected

Found = TypeVar("Found")
NOW = 1.0  # no timer of ours runs down: libpri answers at once


class Wire:
    """A D channel with libpri at the far end. Every frame is kept, with who sent it.

    Attributes:
        told: what our machine told its owner.
    """

    def __init__(self, config: AccessConfig) -> None:
        libpri.complaints.clear()
        node = Node.USER if config.role is Role.NETWORK else Node.NETWORK
        switch = Switch.QSIG if config.protocol is Protocol.QSIG else Switch.EUROISDN
        self.access = Access(config)
        self.pri = Pri(node, switch)
        self.frames: list[tuple[Side, bytes]] = []
        self.told: list[OwnerOutput] = []
        self._side = config.role.side
        self._take(self.access.handle(Start(), NOW))

    def ask(self, request: Request) -> None:
        self._take(self.access.handle(request, NOW))
        self.settle()

    def settle(self) -> None:
        """Until neither side has anything to say."""
        while frames := self.pri.send():
            for frame in frames:
                self.frames.append((self._side.other, frame))
                self._take(self.access.handle(OctetsReceived(frame), NOW))

    def loses_line(self) -> None:
        """Ours goes down; a second later it is tried again."""
        self._take(self.access.handle(Deactivated(), NOW))
        self._take(self.access.handle(TimerExpired(), NOW + 1.0))

    def passed(self, kind: MessageType) -> set[Side]:
        """Who has sent such a message."""
        found = set()
        for sender, octets in self.frames:
            frame = decode(octets, sender)
            if isinstance(frame, Information) and decode_message(frame.octets).kind == kind:
                found.add(sender)
        return found

    def _take(self, outputs: list[AccessOutput]) -> None:
        for output in outputs:
            if isinstance(output, SendOctets):
                self.frames.append((self._side, output.octets))
                self.pri.receive(output.octets)
            else:
                self.told.append(output)
        self.settle()

    def last(self, kind: type[Found]) -> Found:
        return [output for output in self.told if isinstance(output, kind)][-1]

    def theirs(self, kind: Kind) -> Event:
        """The newest event of a kind that libpri told, and forget all."""
        return [event for event in self.pri.take() if event.kind == kind][-1]


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[tuple[Side, bytes]]]:
    """Every frame of these tests with who sent it: Wireshark sees them in the end, and may not complain of one."""
    frames: list[tuple[Side, bytes]] = []
    yield frames
    packets = []
    for sender, frame in frames:  # LINUX_LAPD says who sent a frame, so that C/R is dissected as meant
        packets.append(struct.pack(">HHHB7xH", 4, 8445, 1, sender is Side.NETWORK, 0x30) + frame)
    path = tmp_path_factory.mktemp("d") / "d.pcap"
    for (_, frame), tree in zip(frames, dissected(path, packets, LINUX_LAPD), strict=True):
        assert complaints(tree) == [], frame.hex(" ")


@pytest.fixture(params=list(product(Protocol, Role)), ids=lambda pair: f"{pair[0].value}-{pair[1].value}")
def wire(request: pytest.FixtureRequest, watched: list[tuple[Side, bytes]]) -> Iterator[Wire]:
    """A data link that is up; in the end nobody may have complained: we, libpri or Wireshark."""
    protocol, role = request.param
    wire = Wire(AccessConfig(protocol, role))
    assert wire.last(LinkUp)
    assert wire.theirs(Kind.UP)
    yield wire
    assert [output for output in wire.told if isinstance(output, Trouble)] == []
    assert libpri.complaints == []
    assert len(wire.frames) > 2
    watched += wire.frames


def test_a_call_of_libpri_is_answered_and_takes_its_slot(wire: Wire) -> None:
    wire.pri.call("4711", "0815", 7)
    wire.settle()
    taken = wire.last(ChannelTaken)
    assert (taken.slot, taken.incoming, taken.called, taken.calling) == (7, True, "4711", "0815")
    assert wire.last(Connected) == Connected(taken.call, 7)
    assert wire.theirs(Kind.ANSWER).channel == 7


def test_libpri_ends_its_call(wire: Wire) -> None:
    handle = wire.pri.call("4711", "0815", 7)
    wire.settle()
    wire.pri.hang_up(handle, CauseValue.USER_BUSY)
    wire.settle()
    assert wire.theirs(Kind.HANGUP).channel == 7
    wire.pri.hang_up(handle, CauseValue.USER_BUSY)  # it wants to be told that the channel is idle
    wire.settle()
    released = wire.last(CallReleased)
    assert (released.slot, released.cause) == (7, CauseValue.USER_BUSY)
    assert wire.access.control.calls == {}


def test_we_end_a_call_of_libpri(wire: Wire) -> None:
    handle = wire.pri.call("4711", "0815", 7)
    wire.settle()
    wire.ask(ClearCall(wire.last(Connected).call, CauseValue.NO_ANSWER))
    assert wire.theirs(Kind.HANGUP_REQUEST).cause == CauseValue.NO_ANSWER
    wire.pri.hang_up(handle, CauseValue.NORMAL_CALL_CLEARING)
    wire.settle()
    assert wire.theirs(Kind.HANGUP_ACK).channel == 7
    assert wire.last(CallReleased).cause == CauseValue.NO_ANSWER
    assert wire.access.control.calls == {}


def our_call(wire: Wire) -> int:
    """A call that we place and libpri answers; its handle there."""
    wire.ask(PlaceCall("token", "123", "456", 9, exclusive=True))
    ring = wire.theirs(Kind.RING)
    assert (ring.channel, ring.called, ring.calling, ring.complete) == (9, "123", "456", True)
    assert ring.call is not None
    wire.pri.proceed(ring.call, 9)
    wire.pri.alert(ring.call, 9)
    wire.settle()
    assert wire.last(Alerting)
    wire.pri.answer(ring.call, 9)
    wire.settle()
    return ring.call


def test_libpri_answers_a_call_of_ours(wire: Wire) -> None:
    our_call(wire)
    started = wire.last(CallStarted)
    assert (started.token, wire.last(ChannelTaken).incoming) == ("token", False)
    assert wire.last(Connected) == Connected(started.call, 9)


def test_libpri_ends_a_call_of_ours(wire: Wire) -> None:
    handle = our_call(wire)
    wire.pri.hang_up(handle, CauseValue.NORMAL_CALL_CLEARING)
    wire.settle()
    assert wire.theirs(Kind.HANGUP)
    wire.pri.hang_up(handle, CauseValue.NORMAL_CALL_CLEARING)
    wire.settle()
    assert wire.last(CallReleased).slot == 9
    assert wire.access.control.calls == {}


def test_we_end_a_call_of_ours(wire: Wire) -> None:
    handle = our_call(wire)
    wire.ask(ClearCall(wire.last(Connected).call))
    assert wire.theirs(Kind.HANGUP_REQUEST).cause == CauseValue.NORMAL_CALL_CLEARING
    wire.pri.hang_up(handle, CauseValue.NORMAL_CALL_CLEARING)
    wire.settle()
    assert wire.theirs(Kind.HANGUP_ACK)
    assert wire.access.control.calls == {}


def test_thirty_calls_of_libpri_fill_the_line_and_one_more_is_refused(wire: Wire) -> None:
    slots = [slot for slot in range(1, 32) if slot != 16]
    for slot in slots:
        wire.pri.call(str(slot), "0815", slot)
        wire.settle()
    taken = [output for output in wire.told if isinstance(output, ChannelTaken)]
    assert [(each.slot, each.called) for each in taken] == [(slot, str(slot)) for slot in slots]
    assert len([output for output in wire.told if isinstance(output, Connected)]) == 30
    wire.pri.take()
    handle = wire.pri.call("31", "0815", 5)
    wire.settle()
    assert wire.theirs(Kind.HANGUP).cause == CauseValue.REQUESTED_CHANNEL_NOT_AVAILABLE
    wire.pri.hang_up(handle, -1)
    assert wire.last(TurnedAway) == TurnedAway(CauseValue.REQUESTED_CHANNEL_NOT_AVAILABLE, "0815", "31")


def test_a_preferred_slot_that_is_taken_gives_another(wire: Wire) -> None:
    wire.pri.call("1", "0815", 7)
    wire.settle()
    wire.pri.call("2", "0815", 7, exclusive=False)
    wire.settle()
    slots = [output.slot for output in wire.told if isinstance(output, ChannelTaken)]
    assert slots[0] == 7
    assert slots[1] != 7
    assert wire.theirs(Kind.ANSWER).channel == slots[1]


def test_libpri_restarts_a_channel_with_a_call_on_it(wire: Wire) -> None:
    wire.pri.call("4711", "0815", 7)
    wire.settle()
    wire.pri.restart(7)
    wire.settle()
    assert wire.last(RestartDone) == RestartDone((7,), by_peer=True)
    assert wire.last(CallReleased).slot == 7
    assert wire.theirs(Kind.RESTART_ACK).channel == 7


def test_we_restart_a_channel_and_the_whole_interface(wire: Wire) -> None:
    wire.ask(RestartChannels((6,)))
    assert wire.theirs(Kind.RESTART).channel == 6
    assert wire.last(RestartDone) == RestartDone((6,), by_peer=False)
    wire.ask(RestartChannels())
    assert wire.theirs(Kind.RESTART).channel == -1
    assert len(wire.last(RestartDone).slots) == 30


def test_a_call_outlives_a_data_link_that_comes_back(wire: Wire) -> None:
    handle = wire.pri.call("4711", "0815", 7)
    wire.settle()
    wire.loses_line()
    assert [type(output) for output in wire.told if isinstance(output, LinkUp | LinkDown)] == [LinkUp, LinkDown, LinkUp]
    side = wire.access.control.calls
    assert list(side.values()) == [CallStateValue.ACTIVE]
    assert len(wire.passed(MessageType.STATUS_ENQUIRY)) == 1
    assert len(wire.passed(MessageType.STATUS)) == 1
    wire.ask(ClearCall(wire.last(Connected).call))
    wire.pri.hang_up(handle, CauseValue.NORMAL_CALL_CLEARING)
    wire.settle()
    assert wire.last(CallReleased).slot == 7
    assert wire.access.control.calls == {}


def test_a_channel_whose_call_ended_with_the_link_is_restarted_at_libpri(wire: Wire) -> None:
    wire.ask(PlaceCall("token", "123", "456", 9, exclusive=True))
    wire.loses_line()
    assert wire.last(CallReleased).slot == 9
    assert wire.last(RestartDone) == RestartDone((9,), by_peer=False)
    assert wire.theirs(Kind.RESTART).channel == 9
    assert wire.access.control.channels.free(9)


@pytest.mark.parametrize(("protocol", "role"), list(product(Protocol, Role)))
def test_libpri_dials_digit_by_digit(protocol: Protocol, role: Role) -> None:
    wire = Wire(AccessConfig(protocol, role, overlap=4))
    handle = wire.pri.call("47", "0815", 7, complete=False)
    wire.settle()
    assert wire.theirs(Kind.SETUP_ACK).channel == 7
    wire.pri.dial(handle, "11")
    wire.settle()
    assert wire.last(ChannelTaken).called == "4711"
    assert wire.theirs(Kind.ANSWER).channel == 7
    assert libpri.complaints == []


@pytest.mark.parametrize("protocol", Protocol)
def test_libpri_hears_a_recorder_port_ring_before_it_answers(protocol: Protocol) -> None:
    wire = Wire(AccessConfig(protocol, Role.USER, answering=Answering.ALERT))
    wire.pri.call("4711", "0815", 1)
    wire.settle()
    kinds = [event.kind for event in wire.pri.take()]
    assert kinds.index(Kind.RINGING) < kinds.index(Kind.ANSWER)
    assert libpri.complaints == []
