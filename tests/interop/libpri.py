"""libpri 1.4 (Debian package libpri1.4) as one end of a D channel: frames in, frames and events out.

A binding for the interop tests, nothing else. libpri keeps its timers by the system clock, so a test that exchanges
frames without waiting never sees one run down. Frames are between their flags, without FCS: libpri counts two octets
of FCS into each length and looks at none of them.
"""

import ctypes
import ctypes.util
from collections import deque
from dataclasses import dataclass
from enum import IntEnum
from itertools import count
from typing import Any

_FCS = 2
_TEXT = 256


class Node(IntEnum):
    """Which side libpri plays."""

    NETWORK = 1
    USER = 2


class Switch(IntEnum):
    """The protocol of layer 3."""

    EUROISDN = 5
    QSIG = 10


class Kind(IntEnum):
    """PRI_EVENT_... of libpri.h."""

    UP = 1
    DOWN = 2
    RESTART = 3
    CONFIG_ERROR = 4
    RING = 5
    HANGUP = 6
    RINGING = 7
    ANSWER = 8
    HANGUP_ACK = 9
    RESTART_ACK = 10
    FACILITY = 11
    INFO_RECEIVED = 12
    PROCEEDING = 13
    SETUP_ACK = 14
    HANGUP_REQUEST = 15
    NOTIFY = 16
    PROGRESS = 17
    KEYPAD_DIGIT = 18
    CONNECT_ACK = 27


@dataclass(frozen=True, slots=True)
class Event:
    """What libpri told. `call` is its handle, None where an event has none; `channel` is a time slot, -1 for all."""

    kind: int
    channel: int | None = None
    call: int | None = None
    calling: str | None = None
    called: str | None = None
    flexible: bool | None = None
    complete: bool | None = None
    cause: int | None = None


class _Head(ctypes.Structure):
    _fields_ = (("e", ctypes.c_int), ("channel", ctypes.c_int))


class _Ring(ctypes.Structure):
    _fields_ = (
        ("e", ctypes.c_int),
        ("channel", ctypes.c_int),
        ("callingpres", ctypes.c_int),
        ("callingplanani", ctypes.c_int),
        ("callingplan", ctypes.c_int),
        ("callingani", ctypes.c_char * _TEXT),
        ("callingnum", ctypes.c_char * _TEXT),
        ("callingname", ctypes.c_char * _TEXT),
        ("calledplan", ctypes.c_int),
        ("ani2", ctypes.c_int),
        ("callednum", ctypes.c_char * _TEXT),
        ("redirectingnum", ctypes.c_char * _TEXT),
        ("redirectingname", ctypes.c_char * _TEXT),
        ("redirectingreason", ctypes.c_int),
        ("callingplanrdnis", ctypes.c_int),
        ("useruserinfo", ctypes.c_char * 260),
        ("flexible", ctypes.c_int),
        ("cref", ctypes.c_int),
        ("ctype", ctypes.c_int),
        ("layer1", ctypes.c_int),
        ("complete", ctypes.c_int),
        ("call", ctypes.c_void_p),
    )


class _Progress(ctypes.Structure):
    """Of ringing and answer."""

    _fields_ = (
        ("e", ctypes.c_int),
        ("channel", ctypes.c_int),
        ("cref", ctypes.c_int),
        ("progress", ctypes.c_int),
        ("progressmask", ctypes.c_int),
        ("call", ctypes.c_void_p),
    )


class _Proceeding(ctypes.Structure):
    _fields_ = (
        ("e", ctypes.c_int),
        ("channel", ctypes.c_int),
        ("cref", ctypes.c_int),
        ("progress", ctypes.c_int),
        ("progressmask", ctypes.c_int),
        ("cause", ctypes.c_int),
        ("call", ctypes.c_void_p),
    )


class _Hangup(ctypes.Structure):
    _fields_ = (
        ("e", ctypes.c_int),
        ("channel", ctypes.c_int),
        ("cause", ctypes.c_int),
        ("cref", ctypes.c_int),
        ("call", ctypes.c_void_p),
    )


class _Plain(ctypes.Structure):
    """Of events with a channel and a call only."""

    _fields_ = (("e", ctypes.c_int), ("channel", ctypes.c_int), ("call", ctypes.c_void_p))


_LAYOUTS: dict[int, type[ctypes.Structure]] = {
    Kind.RING: _Ring,
    Kind.HANGUP: _Hangup,
    Kind.HANGUP_REQUEST: _Hangup,
    Kind.HANGUP_ACK: _Hangup,
    Kind.RINGING: _Progress,
    Kind.ANSWER: _Progress,
    Kind.PROCEEDING: _Proceeding,
    Kind.PROGRESS: _Proceeding,
    Kind.SETUP_ACK: _Plain,
    Kind.CONNECT_ACK: _Plain,
    Kind.RESTART: _Head,
    Kind.RESTART_ACK: _Head,
}

_IO = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int)
_TOLD = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_char_p)


def _load() -> ctypes.CDLL | None:
    try:
        library = ctypes.CDLL("libpri.so.1.4")
    except OSError:
        return None
    pointer, number = ctypes.c_void_p, ctypes.c_int
    for name, result, arguments in (
        ("pri_new_cb", pointer, (number, number, number, _IO, _IO, pointer)),
        ("pri_check_event", pointer, (pointer,)),
        ("pri_schedule_next", pointer, (pointer,)),
        ("pri_schedule_run", pointer, (pointer,)),
        ("pri_new_call", pointer, (pointer,)),
        ("pri_proceeding", number, (pointer, pointer, number, number)),
        ("pri_acknowledge", number, (pointer, pointer, number, number)),
        ("pri_answer", number, (pointer, pointer, number, number)),
        ("pri_hangup", number, (pointer, pointer, number)),
        ("pri_set_overlapdial", None, (pointer, number)),
        ("pri_information", number, (pointer, pointer, ctypes.c_char)),
        ("pri_destroycall", None, (pointer, pointer)),
        ("pri_reset", number, (pointer, number)),
        ("pri_sr_new", pointer, ()),
        ("pri_sr_free", None, (pointer,)),
        ("pri_sr_set_channel", number, (pointer, number, number, number)),
        ("pri_sr_set_bearer", number, (pointer, number, number)),
        ("pri_sr_set_called", number, (pointer, ctypes.c_char_p, number, number)),
        ("pri_sr_set_caller", number, (pointer, ctypes.c_char_p, ctypes.c_char_p, number, number)),
        ("pri_setup", number, (pointer, pointer, pointer)),
        ("pri_set_message", None, (_TOLD,)),
        ("pri_set_error", None, (_TOLD,)),
    ):
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library


LIBRARY = _load()
MISSING = "libpri is not installed: Debian package libpri1.4"
_SPEECH, _A_LAW = 0, 3 | 0x20  # PRI_TRANS_CAP_SPEECH, PRI_LAYER_1_ALAW
_ISDN_PLAN = 1  # unknown type, ISDN numbering plan

complaints: list[str] = []  # of all instances since a test cleared it: libpri has one place for them


def _complain(_: int, text: bytes) -> None:
    complaints.append(text.decode("latin-1").strip())


def _pass_over(_: int, text: bytes) -> None:
    """What libpri says without being wrong."""


_error, _message = _TOLD(_complain), _TOLD(_pass_over)  # kept: libpri holds no reference


class Pri:
    """One instance. It speaks when it is given a frame, or told to do something.

    Attributes:
        events: told and not taken yet.
    """

    _descriptors = count(1000)  # libpri only tells instances apart by them: the callbacks do its I/O

    def __init__(self, node: Node, switch: Switch) -> None:
        assert LIBRARY is not None, MISSING
        self._library: Any = LIBRARY
        self._library.pri_set_error(_error)
        self._library.pri_set_message(_message)
        self._incoming: deque[bytes] = deque()
        self._outgoing: list[bytes] = []
        self.events: list[Event] = []
        self._read, self._write = _IO(self._give), _IO(self._take)  # kept: libpri holds no reference
        self._pri = self._library.pri_new_cb(next(self._descriptors), node, switch, self._read, self._write, None)
        assert self._pri, "pri_new_cb refused"

    # --- frames

    def send(self) -> list[bytes]:
        """Frames that libpri wants on the wire."""
        self._run_timers()
        frames, self._outgoing = self._outgoing, []
        return frames

    def receive(self, frame: bytes) -> None:
        """A frame for libpri."""
        self._incoming.append(frame)
        while self._incoming:
            self._note(self._library.pri_check_event(self._pri))
        self._run_timers()

    def take(self) -> list[Event]:
        """Events since the last call."""
        events, self.events = self.events, []
        return events

    # --- calls

    def call(self, called: str, calling: str, slot: int, *, exclusive: bool = True, complete: bool = True) -> int:
        """Place a call; its handle is returned. `complete`: `called` is the whole number, Q.931 4.5.27."""
        self._library.pri_set_overlapdial(self._pri, not complete)
        call = int(self._library.pri_new_call(self._pri))
        setup = self._library.pri_sr_new()
        self._library.pri_sr_set_channel(setup, slot, exclusive, 0)
        self._library.pri_sr_set_bearer(setup, _SPEECH, _A_LAW)
        self._library.pri_sr_set_called(setup, called.encode(), _ISDN_PLAN, complete)
        self._library.pri_sr_set_caller(setup, calling.encode(), None, _ISDN_PLAN, 0)
        refused = self._library.pri_setup(self._pri, call, setup)
        self._library.pri_sr_free(setup)
        assert not refused, "pri_setup refused"
        return call

    def proceed(self, call: int, slot: int) -> None:
        """CALL PROCEEDING."""
        self._library.pri_proceeding(self._pri, call, slot, 0)

    def alert(self, call: int, slot: int) -> None:
        """ALERTING."""
        self._library.pri_acknowledge(self._pri, call, slot, 0)

    def answer(self, call: int, slot: int) -> None:
        """CONNECT."""
        self._library.pri_answer(self._pri, call, slot, 0)

    def dial(self, call: int, digits: str) -> None:
        """INFORMATION, one for each digit."""
        for digit in digits:
            self._library.pri_information(self._pri, call, digit.encode())

    def hang_up(self, call: int, cause: int = 16) -> None:
        """DISCONNECT, RELEASE or RELEASE COMPLETE, whichever is due; -1 as the cause forgets the call."""
        self._library.pri_hangup(self._pri, call, cause)

    def restart(self, slot: int) -> None:
        """RESTART of one channel."""
        self._library.pri_reset(self._pri, slot)

    # --- inside

    def _give(self, _: int, buffer: int, size: int) -> int:
        if not self._incoming:
            return 0
        frame = self._incoming.popleft() + bytes(_FCS)
        ctypes.memmove(buffer, frame, min(size, len(frame)))
        return len(frame)

    def _take(self, _: int, buffer: int, size: int) -> int:
        self._outgoing.append(ctypes.string_at(buffer, size - _FCS))
        return size

    def _run_timers(self) -> None:
        self._note(self._library.pri_schedule_run(self._pri))

    def _note(self, told: int | None) -> None:
        if not told:
            return
        kind = ctypes.cast(told, ctypes.POINTER(ctypes.c_int))[0]
        layout = _LAYOUTS.get(kind)
        if layout is None:
            self.events.append(Event(kind))
            return
        values: Any = ctypes.cast(told, ctypes.POINTER(layout)).contents
        if kind == Kind.RING:
            numbers = (values.callingnum.decode("latin-1"), values.callednum.decode("latin-1"))
            flags = (bool(values.flexible), bool(values.complete))
            self.events.append(Event(kind, values.channel, values.call, *numbers, *flags))
        else:
            call, cause = getattr(values, "call", None), getattr(values, "cause", None)
            self.events.append(Event(kind, values.channel, call, cause=cause))
