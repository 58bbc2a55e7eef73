"""osmo_isdnhdlc_* of libosmocore (Debian package libosmocore19), through ctypes."""

import ctypes
from collections.abc import Sequence

_BIT_REVERSE = 4  # OSMO_HDLC_F_BITREVERSE of osmocom/core/isdnhdlc.h: octets with the first bit in the highest place
_STATE = 256  # octets, generous: its struct osmo_isdnhdlc_vars has 40
_ROOM = 8192


class OsmoDecoder:
    """Their receiver; frames without the FCS."""

    def __init__(self, *, lsb_first: bool = False) -> None:
        self._library = ctypes.CDLL("libosmocore.so.19")
        self._state = ctypes.create_string_buffer(_STATE)
        self._out = ctypes.create_string_buffer(_ROOM)
        self._library.osmo_isdnhdlc_rcv_init(self._state, 0 if lsb_first else _BIT_REVERSE)

    def feed(self, octets: bytes) -> list[bytes]:
        """Good frames; they say nothing of others but a number, which is left out here."""
        out, taken, at = [], ctypes.c_int(), 0
        address = ctypes.cast(ctypes.c_char_p(octets), ctypes.c_void_p).value or 0
        while at < len(octets):
            length = self._library.osmo_isdnhdlc_decode(
                self._state,
                ctypes.c_void_p(address + at),
                len(octets) - at,
                ctypes.byref(taken),
                self._out,
                _ROOM,
            )
            at += taken.value
            if length > 0:
                out.append(ctypes.string_at(self._out, length))
        return out


class OsmoEncoder:
    """Their transmitter."""

    def __init__(self, *, lsb_first: bool = False) -> None:
        self._library = ctypes.CDLL("libosmocore.so.19")
        self._state = ctypes.create_string_buffer(_STATE)
        self._library.osmo_isdnhdlc_out_init(self._state, 0 if lsb_first else _BIT_REVERSE)

    def encode(self, frames: Sequence[bytes], room: int = 32) -> bytes:
        """Octets of the line with all of the frames, `room` to a call, and flags behind them."""
        line = b""
        for frame in frames:
            at = 0
            while at < len(frame):
                made, taken = self._call(frame[at:], room)
                line += made
                at += taken
        return line + self._call(b"", 16)[0]

    def _call(self, octets: bytes, room: int) -> tuple[bytes, int]:
        out, taken = ctypes.create_string_buffer(room), ctypes.c_int()
        count = self._library.osmo_isdnhdlc_encode(self._state, octets, len(octets), ctypes.byref(taken), out, room)
        assert count >= 0
        return out.raw[:count], taken.value
