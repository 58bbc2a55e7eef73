"""The emulated PBX's own D channel against libpri, the ISDN stack of Asterisk; Wireshark reads every frame of both."""

import struct
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import product

import pytest

from osrec.wire.q921.capture import LINUX_LAPD
from osrec.wire.q921.frames import Side
from osrec.wire.q931.causes import CauseValue
from osrec_emulators.diun2 import trunk_events as trunks
from osrec_emulators.diun2.call_events import Dialect
from osrec_emulators.diun2.call_faults import CallFaults, Strikes
from osrec_emulators.diun2.signalling import IsdnSettings
from osrec_emulators.diun2.trunk import IsdnTrunk
from osrec_emulators.pbx.media import Fork
from osrec_emulators.pbx.media import Side as Half
from tests.interop import libpri
from tests.interop.libpri import Event, Kind, Node, Pri, Switch
from tests.interop.test_q931_tshark import complaints, dissected

NOW = 1.0  # no timer runs down: both answer at once
PLACES = {str(7100 + channel): slot for channel, slot in enumerate((*range(1, 16), *range(17, 32)), 1)}
OWN = Fork("7101", "3100", Half.OWN, "01")
OTHER = Fork("7102", "3100", Half.OTHER, "01")
DIALECTS = [Dialect(qsig, side) for qsig, side in product((False, True), Side)]


class Recorder:
    """libpri at the far end of a trunk. Every frame is kept, with who sent it.

    Attributes:
        rings: the calls that it was offered.
        outcomes: what the PBX was told.
    """

    def __init__(self, settings: IsdnSettings, faults: CallFaults | None = None, answers: bool = True) -> None:
        libpri.complaints.clear()
        dialect = settings.dialect
        node = Node.USER if dialect.side is Side.NETWORK else Node.NETWORK
        self.trunk = IsdnTrunk(settings, PLACES, faults or CallFaults())
        self.pri = Pri(node, Switch.QSIG if dialect.qsig else Switch.EUROISDN)
        self.answers = answers
        self.rings: list[Event] = []
        self.events: list[Event] = []
        self.outcomes: list[trunks.Output] = []
        self.frames: list[tuple[Side, bytes]] = []
        self._side = dialect.side
        self.give(trunks.Start())

    def give(self, event: trunks.Event) -> None:
        self._outputs(self.trunk.handle(event, NOW))
        self.settle()

    def ports(self, *forks: Fork) -> None:
        self.give(trunks.Ports({fork.port: fork for fork in forks}))

    def settle(self) -> None:
        """Until neither side has anything to say."""
        while True:
            for event in self.pri.take():
                self._react(event)
            frames = self.pri.send()
            if not frames:
                return
            for frame in frames:
                self.frames.append((self._side.other, frame))
                self._outputs(self.trunk.handle(trunks.FrameArrived(frame), NOW))

    def _outputs(self, outputs: list[trunks.Output]) -> None:
        for output in outputs:
            if isinstance(output, trunks.SendFrame):
                self.frames.append((self._side, output.octets))
                self.pri.receive(output.octets)
            else:
                self.outcomes.append(output)

    def _react(self, event: Event) -> None:
        self.events.append(event)
        if event.kind == Kind.RING:
            self.rings.append(event)
            if self.answers:
                self.answer(event)
        elif event.kind in (Kind.HANGUP, Kind.HANGUP_REQUEST):
            assert event.call is not None
            self.pri.hang_up(event.call, CauseValue.NORMAL_CALL_CLEARING)

    def answer(self, ring: Event) -> None:
        assert ring.call is not None
        assert ring.channel is not None
        self.pri.proceed(ring.call, ring.channel)
        self.pri.answer(ring.call, ring.channel)

    def hang_up(self, ring: Event, cause: int = CauseValue.NORMAL_CALL_CLEARING) -> None:
        assert ring.call is not None
        self.pri.hang_up(ring.call, cause)
        self.settle()

    def kinds(self) -> list[int]:
        return [event.kind for event in self.events]

    def finished(self) -> list[trunks.TrunkCall]:
        return [outcome.call for outcome in self.outcomes if isinstance(outcome, trunks.Finished)]


Make = Callable[..., Recorder]
Watched = list[tuple[str, Side, bytes]]


@pytest.fixture(scope="module")
def wiretap(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """Takes the frames of all tests, by the test's name, for Wireshark to read in the end: it is slow to start."""
    frames: Watched = []
    yield frames
    packets = []
    for _, sender, frame in frames:  # LINUX_LAPD says who sent a frame, so that C/R is dissected as meant
        packets.append(struct.pack(">HHHB7xH", 4, 8445, 1, sender is Side.NETWORK, 0x30) + frame)
    trees = dissected(tmp_path_factory.mktemp("tap") / "d.pcap", packets, LINUX_LAPD)
    assert len(trees) > 1000
    for (test, sender, frame), tree in zip(frames, trees, strict=True):
        assert complaints(tree) == [], f"{test}, {sender.value}: {frame.hex(' ')}"


@pytest.fixture(params=DIALECTS, ids=lambda dialect: f"{'qsig' if dialect.qsig else 'dss1'}-{dialect.side.value}")
def make(request: pytest.FixtureRequest, wiretap: Watched) -> Iterator[Make]:
    """Builds recorders; in the end nobody may have complained: the PBX, libpri or Wireshark."""
    made: list[Recorder] = []

    def build(settings: IsdnSettings | None = None, **more: object) -> Recorder:
        made.append(Recorder(replace(settings or IsdnSettings(), dialect=request.param), **more))  # type: ignore[arg-type]
        return made[-1]

    yield build
    for recorder in made:
        assert recorder.trunk.link_complaints == []
        assert libpri.complaints == []
        wiretap += [(request.node.name, sender, frame) for sender, frame in recorder.frames]


def test_the_link_comes_up_and_libpri_acknowledges_the_restart(make: Make) -> None:
    recorder = make()
    assert recorder.kinds()[:2] == [Kind.UP, Kind.RESTART]
    assert recorder.trunk.up


def test_each_channel_may_be_restarted(make: Make) -> None:
    recorder = make(IsdnSettings(restart="channels"))
    assert Kind.RESTART in recorder.kinds()
    assert recorder.trunk.up


def test_libpri_may_bring_the_link_up(make: Make) -> None:
    recorder = make(IsdnSettings(establishes=False))
    recorder.settle()
    assert recorder.trunk.up


def test_both_forks_of_a_station_are_called_on_their_slots_and_answered(make: Make) -> None:
    recorder = make()
    recorder.ports(OWN, OTHER)
    rings = [(ring.channel, ring.called, ring.calling, ring.flexible) for ring in recorder.rings]
    assert rings == [(1, "7101", "3100", False), (2, "7102", "3100", False)]
    assert recorder.trunk.open == {"7101": 1, "7102": 2}


def test_libpri_hears_that_a_fork_has_ended(make: Make) -> None:
    recorder = make()
    recorder.ports(OWN, OTHER)
    recorder.ports(OTHER)
    asked = [event for event in recorder.events if event.kind == Kind.HANGUP_REQUEST]
    assert [(event.channel, event.cause) for event in asked] == [(1, CauseValue.NORMAL_CALL_CLEARING)]
    assert [(call.ports, call.by) for call in recorder.finished()] == [(("7101",), "pbx")]
    assert recorder.trunk.open == {"7102": 2}


def test_libpri_ends_a_call(make: Make) -> None:
    recorder = make()
    recorder.ports(OWN, OTHER)
    recorder.hang_up(recorder.rings[1])
    assert trunks.HungUp("7102") in recorder.outcomes
    assert [(call.ports, call.by) for call in recorder.finished()] == [(("7102",), "recorder")]


def test_libpri_takes_a_call_and_does_not_answer_it(make: Make) -> None:
    recorder = make(answers=False)
    recorder.ports(OWN)
    recorder.pri.proceed(recorder.rings[0].call or 0, 1)
    recorder.settle()
    recorder.hang_up(recorder.rings[0], CauseValue.USER_BUSY)
    assert trunks.HungUp("7101") in recorder.outcomes
    assert [call.cause for call in recorder.finished()] == [CauseValue.USER_BUSY]
    assert recorder.trunk.open == {}


def test_thirty_forks_fill_the_line(make: Make) -> None:
    recorder = make()
    forks = [Fork(port, "3100", Half.OWN, "01") for port in PLACES]
    recorder.ports(*forks)
    assert recorder.trunk.open == PLACES
    recorder.ports()
    assert len(recorder.finished()) == 30
    assert recorder.trunk.calls == {}


def test_a_preferred_channel_leaves_libpri_the_choice(make: Make) -> None:
    recorder = make(IsdnSettings(exclusive=False), answers=False)
    recorder.ports(OWN)
    assert recorder.rings[0].flexible
    recorder.answer(replace(recorder.rings[0], channel=7))
    recorder.settle()
    assert recorder.trunk.open == {"7101": 7}


def test_a_duplicate_setup_is_no_second_call(make: Make) -> None:
    recorder = make(faults=CallFaults(duplicate_setup=Strikes(every=1)))
    recorder.ports(OWN)
    assert len(recorder.rings) == 1
    assert recorder.trunk.open == {"7101": 1}


def test_a_restart_of_libpri_frees_a_channel(make: Make) -> None:
    recorder = make()
    recorder.ports(OWN, OTHER)
    recorder.pri.restart(2)
    recorder.settle()
    assert Kind.RESTART_ACK in recorder.kinds()
    assert recorder.trunk.open == {"7101": 1}


def test_a_call_of_libpri_gets_the_fork_of_its_slot(make: Make) -> None:
    recorder = make(IsdnSettings(caller="recorder"))
    recorder.ports(OTHER)
    recorder.pri.call("7102", "4711", 2)
    recorder.settle()
    assert [event.channel for event in recorder.events if event.kind == Kind.ANSWER] == [2]
    assert recorder.trunk.open == {"7102": 2}
    recorder.ports()
    assert [(call.by, call.placed_by_pbx) for call in recorder.finished()] == [("pbx", False)]


def test_a_call_of_libpri_rings_until_its_fork_is_there(make: Make) -> None:
    recorder = make(IsdnSettings(caller="recorder"))
    recorder.pri.call("7101", "4711", 1)
    recorder.settle()
    assert Kind.RINGING in recorder.kinds()
    assert Kind.ANSWER not in recorder.kinds()
    recorder.ports(OWN)
    assert Kind.ANSWER in recorder.kinds()
