"""Layer 3 of the PBX's D channel: what it answers to messages that fit and to those that do not."""

from dataclasses import dataclass, field

import pytest

from osrec.wire.q921.frames import Information, Side, U, command, decode, encode, response
from osrec.wire.q931 import codec
from osrec.wire.q931.bearer import SPEECH_A_LAW
from osrec.wire.q931.causes import CauseValue
from osrec.wire.q931.channel import ANY_CHANNEL, ChannelIdentification, time_slot
from osrec.wire.q931.elements import (
    CallState,
    CallStateValue,
    Cause,
    ProgressIndicator,
    RestartClass,
    RestartIndicator,
    SendingComplete,
)
from osrec.wire.q931.messages import CallReference, Message, MessageType
from osrec.wire.q931.registry import Element
from osrec_emulators.diun2 import call_events as layer3
from osrec_emulators.diun2.call_events import CallState as State
from osrec_emulators.diun2.call_events import Dialect, numbered
from osrec_emulators.diun2.callcontrol import RETRY, CallControl
from osrec_emulators.diun2.callcontrol_events import (
    Answered,
    Arrived,
    CallId,
    Due,
    Ended,
    Event,
    Offered,
    Output,
    Place,
    Restart,
    Restarted,
    Start,
    Tell,
    Transmit,
)
from osrec_emulators.diun2.lapd_events import LinkTimers

M = MessageType
NETWORK = Dialect()
FOR_EVER = 1e6  # seconds: the data link below sleeps
ONE = CallId(1)
THEIRS = CallId(5, ours=False)


@dataclass
class End:
    """Call control, and a far end that says what it is told to say.

    Attributes:
        said: messages that came since the last call of `take`.
        told: all other outputs since then.
    """

    dialect: Dialect = NETWORK
    now: float = 0.0
    said: list[Message] = field(default_factory=list)
    told: list[Output] = field(default_factory=list)
    acknowledges: bool = True
    _n_s: int = 0
    _n_r: int = 0

    def __post_init__(self) -> None:
        self.control = CallControl(self.dialect, link_timers=LinkTimers(t200=FOR_EVER, t203=FOR_EVER))
        self.give(Start())
        self._frame(response(U.UA, f=True))
        self.take()

    def give(self, event: Event, at: float | None = None) -> None:
        self.now = self.now if at is None else at
        for output in self.control.handle(event, self.now):
            if not isinstance(output, Transmit):
                self.told.append(output)
                continue
            frame = decode(output.octets, self.dialect.side)
            if isinstance(frame, Information):
                self._n_r = (frame.n_s + 1) % 128
                self.said.append(codec.decode(frame.octets))

    def say(self, kind: int, id: CallId, *elements: Element) -> None:
        """The far end's message of a call."""
        self.octets(codec.encode(codec.compose(kind, CallReference(id.value, id.ours), *elements)))

    def octets(self, octets: bytes) -> None:
        frame = Information(self._n_s, self._n_r, octets)
        self._n_s = (self._n_s + 1) % 128
        self._frame(frame)

    def _frame(self, frame: object) -> None:
        self.give(Arrived(encode(frame, self.dialect.side.other)))  # type: ignore[arg-type]

    def take(self) -> tuple[list[int], list[Output]]:
        said, told = [message.kind for message in self.said], self.told
        self.last = self.said[-1] if self.said else None
        self.said, self.told = [], []
        return said, told

    def until(self, now: float) -> None:
        while (due := self.control.deadline) is not None and due <= now:
            self.give(Due(), due)
        self.now = now

    def cause(self) -> int:
        assert self.last is not None
        cause = self.last.first(Cause)
        assert cause is not None
        return cause.value


def placed(dialect: Dialect = NETWORK, slot: int = 3) -> End:
    end = End(dialect)
    assert end.control.next_reference() == ONE
    end.give(Place(ONE, (slot,), (SPEECH_A_LAW, time_slot(slot))))
    assert end.take() == ([M.SETUP], [])
    return end


def active() -> End:
    end = placed()
    end.say(M.CONNECT, ONE)
    assert end.take() == ([M.CONNECT_ACKNOWLEDGE], [Answered(ONE, (3,))])
    return end


def test_a_call_goes_through_all_its_states() -> None:  # 5.2
    end = placed()
    for kind, state in (
        (M.CALL_PROCEEDING, State.PROCEEDING),
        (M.ALERTING, State.DELIVERED),
        (M.CONNECT, State.ACTIVE),
    ):
        end.say(kind, ONE)
        assert end.control.calls[ONE].state is state
    assert end.take() == ([M.CONNECT_ACKNOWLEDGE], [Answered(ONE, (3,))])


@pytest.mark.parametrize("first", [M.CALL_PROCEEDING, M.ALERTING, M.CONNECT])
def test_the_first_answer_may_name_the_channel(first: MessageType) -> None:  # 5.2.3.1
    end = placed()
    end.say(first, ONE, time_slot(9))
    if first is not M.CONNECT:
        end.say(M.CONNECT, ONE)
    assert end.take()[1] == [Answered(ONE, (9,))]


@pytest.mark.parametrize(
    ("kinds", "seconds", "cause"),
    [
        ([M.CALL_PROCEEDING], 10.0, CauseValue.NO_USER_RESPONDING),  # T310
        ([M.ALERTING], 180.0, CauseValue.NO_ANSWER),  # T301
        ([M.SETUP_ACKNOWLEDGE], 10.0, CauseValue.NO_USER_RESPONDING),
    ],
)
def test_a_call_that_nobody_answers_is_disconnected(kinds: list[int], seconds: float, cause: int) -> None:
    end = placed()
    for kind in kinds:
        end.say(kind, ONE)
    end.take()
    end.give(Due(), seconds)
    assert end.take()[0][-1] == M.DISCONNECT
    assert end.cause() == cause


def test_overlap_sending_is_told_that_this_was_all() -> None:  # 5.2.4
    end = placed()
    end.say(M.SETUP_ACKNOWLEDGE, ONE)
    end.take()
    assert end.last is not None
    assert (end.last.kind, end.last.elements) == (M.INFORMATION, (SendingComplete(),))
    end.say(M.CONNECT, ONE)
    assert end.take()[1] == [Answered(ONE, (3,))]


def test_clearing_by_them_is_answered() -> None:  # 5.3.3
    end = active()
    end.say(M.DISCONNECT, ONE, Cause(CauseValue.USER_BUSY))
    assert end.take() == ([M.RELEASE], [])
    end.say(M.RELEASE_COMPLETE, ONE)
    assert end.take() == ([], [Ended(ONE, CauseValue.USER_BUSY, "recorder")])
    assert end.control.calls == {}


def test_disconnect_from_both_ends_is_released_once() -> None:  # 5.3.5
    end = active()
    end.give(Tell(ONE, layer3.Clear()))
    end.say(M.DISCONNECT, ONE, Cause(CauseValue.USER_BUSY))
    assert end.take()[0] == [M.DISCONNECT, M.RELEASE]
    end.say(M.RELEASE, ONE)
    assert end.take() == ([], [Ended(ONE, CauseValue.NORMAL_CALL_CLEARING, "pbx")])


def test_clearing_that_nobody_answers_comes_to_an_end() -> None:  # T305, then T308 twice
    end = active()
    end.give(Tell(ONE, layer3.Clear()))
    end.until(29.0)
    assert end.take() == ([M.DISCONNECT], [])
    end.until(30.0)
    assert end.take() == ([M.RELEASE], [])
    end.until(34.0)
    assert end.take() == ([M.RELEASE], [])
    end.until(38.0)
    assert end.take() == ([], [Ended(ONE, CauseValue.NORMAL_CALL_CLEARING, "pbx")])


def test_their_call_is_taken_answered_and_acknowledged_by_the_user_side() -> None:  # 5.1.8
    end = End(Dialect(side=Side.USER))
    end.say(M.SETUP, THEIRS, SPEECH_A_LAW, time_slot(7))
    ((kinds, told)) = end.take()
    assert kinds == []
    assert [type(output) for output in told] == [Offered]
    end.give(Tell(THEIRS, layer3.Accept((time_slot(7),))))
    end.give(Tell(THEIRS, layer3.Alert()))
    end.give(Tell(THEIRS, layer3.Answer()))
    assert end.take() == ([M.CALL_PROCEEDING, M.ALERTING, M.CONNECT], [])
    end.say(M.CONNECT_ACKNOWLEDGE, THEIRS)
    assert end.take() == ([], [Answered(THEIRS, (7,))])


def test_an_answer_that_is_not_acknowledged_is_taken_back() -> None:  # T313
    end = End(Dialect(side=Side.USER))
    end.say(M.SETUP, THEIRS, SPEECH_A_LAW, time_slot(7))
    for event in (layer3.Accept(), layer3.Answer()):
        end.give(Tell(THEIRS, event))
    end.take()
    end.give(Due(), 4.0)
    assert M.DISCONNECT in end.take()[0]


@pytest.mark.parametrize(
    ("dialect", "state", "value"),
    [
        (NETWORK, State.PRESENTED, CallStateValue.CALL_PRESENT),
        (NETWORK, State.OFFERED, CallStateValue.CALL_INITIATED),
        (NETWORK, State.DISCONNECTING, CallStateValue.DISCONNECT_INDICATION),
        (Dialect(side=Side.USER), State.PRESENTED, CallStateValue.CALL_INITIATED),
        (Dialect(side=Side.USER), State.DELIVERED, CallStateValue.CALL_DELIVERED),
        (Dialect(side=Side.USER), State.OFFERED, CallStateValue.CALL_PRESENT),
        (Dialect(qsig=True), State.PRESENTED, CallStateValue.CALL_INITIATED),
        (Dialect(qsig=True), State.RINGING, CallStateValue.CALL_RECEIVED),
        (Dialect(qsig=True), State.DISCONNECTING, CallStateValue.DISCONNECT_REQUEST),
    ],
)
def test_states_have_the_numbers_of_their_side(dialect: Dialect, state: State, value: CallStateValue) -> None:
    assert numbered(state, dialect) is value


def test_an_enquiry_is_answered_with_the_state() -> None:  # 5.8.10
    end = active()
    end.say(M.STATUS_ENQUIRY, ONE)
    assert end.take()[0] == [M.STATUS]
    assert end.cause() == CauseValue.STATUS_ENQUIRY_RESPONSE
    assert end.last is not None
    assert end.last.first(CallState) == CallState(CallStateValue.ACTIVE)


def test_a_status_that_knows_no_such_call_ends_it() -> None:  # 5.8.11
    end = active()
    end.say(M.STATUS, ONE, Cause(CauseValue.INVALID_CALL_REFERENCE), CallState(CallStateValue.NULL))
    assert end.take() == ([], [Ended(ONE, CauseValue.INVALID_CALL_REFERENCE, "recorder")])


@pytest.mark.parametrize(
    ("kind", "elements", "cause"),
    [
        (M.CONNECT, (), CauseValue.MESSAGE_NOT_COMPATIBLE_WITH_STATE),
        (0x3F, (), CauseValue.MESSAGE_TYPE_NOT_IMPLEMENTED),
        (M.PROGRESS, (), CauseValue.MANDATORY_ELEMENT_MISSING),
    ],
)
def test_what_does_not_fit_is_told_so(kind: int, elements: tuple[Element, ...], cause: int) -> None:  # 5.8.4, 5.8.6.1
    end = active()
    end.say(kind, ONE, *elements)
    assert end.take()[0] == [M.STATUS]
    assert end.cause() == cause
    assert end.control.calls[ONE].state is State.ACTIVE


def test_what_changes_nothing_is_passed_over() -> None:
    end = active()
    end.say(M.PROGRESS, ONE, ProgressIndicator(8))
    end.say(M.SETUP, ONE, SPEECH_A_LAW)
    assert end.take() == ([], [])


@pytest.mark.parametrize(
    ("kind", "elements", "answer"),
    [
        (M.CONNECT, (), CauseValue.INVALID_CALL_REFERENCE),  # 5.8.3.2 a
        (M.RELEASE, (), CauseValue.INVALID_CALL_REFERENCE),  # 5.8.3.2 b
        (M.RELEASE_COMPLETE, (), None),  # 5.8.3.2 c
        (M.STATUS, (Cause(30), CallState(CallStateValue.NULL)), None),
        (M.STATUS, (Cause(30), CallState(CallStateValue.ACTIVE)), CauseValue.MESSAGE_NOT_COMPATIBLE_WITH_STATE),
        (M.SETUP, (SPEECH_A_LAW,), None),  # 5.8.3.2 d: with the flag of the other side
    ],
)
def test_a_reference_of_no_call_is_answered(kind: int, elements: tuple[Element, ...], answer: int | None) -> None:
    end = End()
    end.say(kind, CallId(77), *elements)
    said, told = end.take()
    assert told == []
    assert said == ([] if answer is None else [M.RELEASE_COMPLETE])
    if answer is not None:
        assert end.cause() == answer


def test_a_setup_without_bearer_is_turned_down() -> None:  # 5.8.6.1
    end = End()
    end.say(M.SETUP, THEIRS, time_slot(7))
    assert end.take() == ([M.RELEASE_COMPLETE], [])
    assert end.cause() == CauseValue.MANDATORY_ELEMENT_MISSING


@pytest.mark.parametrize("octets", ["", "08", "08 02 00 01", "41 02 00 01 05", "08 f2 00 01 05"])
def test_octets_that_are_no_message_are_counted(octets: str) -> None:  # 5.8.1 to 5.8.3
    end = End()
    end.octets(bytes.fromhex(octets))
    assert end.take() == ([], [])
    assert end.control.unreadable == 1


def test_restart_is_repeated_once_and_then_given_up() -> None:  # 5.5.1, T316
    end = End()
    end.give(Restart())
    end.until(239.0)
    assert end.take() == ([M.RESTART, M.RESTART], [])
    end.until(240.0)
    assert end.take() == ([], [Restarted(acknowledged=False)])
    assert not end.control.restarting


def test_a_restart_that_went_down_with_the_link_is_not_waited_for() -> None:
    end = End()
    end.give(Restart())
    assert end.control.restarting
    end._frame(command(U.SABME))
    assert not end.control.restarting
    end.take()
    end.give(Restart())
    assert end.take()[0] == [M.RESTART]


def test_restart_of_ours_ends_our_calls_on_the_channels_it_names() -> None:
    end = active()
    end.give(Restart((4,)))
    assert end.take()[1] == []
    end.give(Restart((3,)))
    assert end.take()[1] == [Ended(ONE, CauseValue.NORMAL_UNSPECIFIED, "pbx")]


def test_restart_of_channels_goes_on_when_each_is_acknowledged() -> None:
    end = End()
    end.give(Restart((4, 5)))
    assert end.take()[0] == [M.RESTART]
    for slot in (4, 5):
        elements = (time_slot(slot), RestartIndicator(RestartClass.INDICATED_CHANNELS))
        end.say(M.RESTART_ACKNOWLEDGE, CallId(0), *elements)
    assert end.take() == ([M.RESTART], [Restarted(acknowledged=True)])


@pytest.mark.parametrize(("slots", "ended"), [((3,), [ONE]), ((4,), []), ((), [ONE])])
def test_their_restart_ends_the_calls_it_names_and_is_said_back(slots: tuple[int, ...], ended: list[CallId]) -> None:
    end = active()
    kind = RestartClass.INDICATED_CHANNELS if slots else RestartClass.SINGLE_INTERFACE
    channel = (ChannelIdentification(slots),) if slots else ()
    end.say(M.RESTART, CallId(0, ours=False), *channel, RestartIndicator(kind))
    said, told = end.take()
    assert said == [M.RESTART_ACKNOWLEDGE]
    assert end.last is not None
    assert (end.last.reference, end.last.elements) == (
        CallReference(0, to_origin=True),
        (*channel, RestartIndicator(kind)),
    )
    assert [output.id for output in told if isinstance(output, Ended)] == ended


def test_references_are_not_used_twice_at_once() -> None:
    end = End()
    end.control.reference_length = 1
    ids = []
    for _ in range(127):
        ids.append(end.control.next_reference())
        end.give(Place(ids[-1], (1,), (SPEECH_A_LAW, ANY_CHANNEL)))
    assert sorted(id.value for id in ids) == list(range(1, 128))
    del end.control.calls[CallId(50)]
    assert end.control.next_reference() == CallId(50)


def test_a_link_that_went_down_is_asked_for_again() -> None:
    end = End()
    end._frame(command(U.DISC))
    assert end.control.deadline == RETRY
    end.give(Due(), RETRY)
    assert not end.control.link_up
    end._frame(response(U.UA, f=True))
    assert end.control.link_up


def test_calls_that_are_not_up_end_with_the_link() -> None:  # 5.8.9
    end = active()
    two = end.control.next_reference()
    end.give(Place(two, (4,), (SPEECH_A_LAW, time_slot(4))))
    end.take()
    end._frame(command(U.DISC))
    assert [output for output in end.take()[1] if isinstance(output, Ended)] == [
        Ended(two, CauseValue.TEMPORARY_FAILURE, "link")
    ]
    assert end.control.calls.keys() == {ONE}
