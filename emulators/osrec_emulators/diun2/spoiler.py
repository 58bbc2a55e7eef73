"""Puts the declared faults of a line into what it is about to send. Line octets in, line octets out; no I/O.

It stands behind the line's own transmitter. Damage on the way is done to the octets as they are; what the far end's
equipment would do (no CRC-4, RAI, E bits, time slot 16) is done first, and time slot 0 is then written anew by another
transmitter, in step with the first, so that the CRC-4 is right for it.
"""

import random
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from osrec_drivers.e1.transmitter import Transmitter
from osrec_drivers.line import SLOTS
from osrec_emulators.audio.alaw import Octets
from osrec_emulators.diun2.line_faults import BY_EQUIPMENT, ONCE, LineFault, What

_MULTIFRAME = 16  # frames, G.704 2.3.3.1
_FAS_BITS = 0x7F  # bits 2 to 8 of time slot 0
_BIT_1, _BIT_2, _A_BIT = 0x80, 0x40, 0x20
_CAS_ALARM = 0x04  # bit 6 of frame 0 of the CAS multiframe, G.704 5.1.3.2


class Spoiler:
    """The faults of one line.

    Args:
        phase: number of the first frame in the CRC-4 multiframe that the line's own transmitter writes.

    Attributes:
        frame: number of the next frame that comes in, from 0 on.
    """

    def __init__(self, faults: Sequence[LineFault], *, crc4: bool = True, phase: int = 0) -> None:
        self.frame = 0
        self._phase = phase
        self._faults = tuple(faults)
        self._dice = {fault: random.Random(f"{fault.what.value} {fault.seed}") for fault in faults}
        self._noise = {fault: np.random.default_rng(fault.seed) for fault in faults}
        self._rewrites = any(fault.what in BY_EQUIPMENT for fault in faults)
        self._as_it_is, self._without_crc = Transmitter(crc4=crc4), Transmitter(crc4=False)
        for transmitter in (self._as_it_is, self._without_crc):
            transmitter.send(bytes(phase * SLOTS))
        self._alarm = False
        self._held = b""  # less than a frame, after octets that got lost or came twice

    def spoil(self, octets: bytes) -> bytes:
        """Frames of the line, n x 32 octets, with what strikes them; again whole frames, some fewer or more."""
        frames = np.frombuffer(octets, np.uint8).reshape(-1, SLOTS).copy()
        out = bytearray(self._held)
        at = 0
        while at < len(frames):
            end = min(len(frames), self._next_change() - self.frame + at)
            out += self._run(frames[at:end])
            self.frame += end - at
            at = end
        whole = len(out) // SLOTS * SLOTS
        self._held = bytes(out[whole:])
        return bytes(out[:whole])

    def _next_change(self) -> int:
        changes = [fault.changes_after(self.frame) for fault in self._faults]
        return min((change for change in changes if change is not None), default=1 << 62)

    def _run(self, frames: Octets) -> bytes:
        """Frames during which the same faults strike."""
        striking = [fault for fault in self._faults if fault.strikes(self.frame)]
        if self._rewrites:
            self._rewrite(frames, [fault for fault in striking if fault.what in BY_EQUIPMENT])
        for fault in striking:
            if (damage := _DAMAGES.get(fault.what)) is not None:
                damage(self, fault, frames)
        out = frames.tobytes()
        for fault in striking:
            if fault.what in ONCE:
                out = out[fault.octets :] if fault.what is What.DROPPED else out[: fault.octets] + out
        return out

    # --- what the far end's equipment does

    def _rewrite(self, frames: Octets, faults: list[LineFault]) -> None:
        kinds = {fault.what: fault for fault in faults}
        for fault in faults:
            if (change := _TIME_SLOT_16.get(fault.what)) is not None:
                change(frames)
        odd = self._of_multiframe(frames, *range(1, _MULTIFRAME, 2))
        if len(odd):
            self._alarm = bool(frames[odd[0], 0] & _A_BIT)
        told = self._blocks_told(frames, kinds.get(What.E_BITS))
        for transmitter in (self._as_it_is, self._without_crc):
            transmitter.remote_alarm = self._alarm or What.RAI in kinds
            transmitter.multiframe, transmitter.errors = True, told
        octets = frames.tobytes()
        written = [self._as_it_is.send(octets), self._without_crc.send(octets)]
        chosen = written[What.CRC_OFF in kinds]
        new = max(0, _MULTIFRAME - self.frame)  # before that, the CRC-4 is of frames that it has not seen
        frames[new:, 0] = np.frombuffer(chosen, np.uint8).reshape(-1, SLOTS)[new:, 0]

    def _blocks_told(self, frames: Octets, fault: LineFault | None) -> int:
        """How many E bits are 0 in these frames, by the line itself or by the fault."""
        e_bits = frames[self._of_multiframe(frames, 13, 15), 0] & _BIT_1
        drawn = sum(self._dice[fault].random() < fault.rate for _ in e_bits) if fault is not None else 0
        return max(drawn, int(np.count_nonzero(e_bits == 0)))

    # --- damage on the way

    def _zeros(self, fault: LineFault, frames: Octets) -> None:
        frames[:] = 0

    def _ones(self, fault: LineFault, frames: Octets) -> None:
        frames[:] = 0xFF

    def _no_alignment(self, fault: LineFault, frames: Octets) -> None:
        frames[self._of_multiframe(frames, *range(0, _MULTIFRAME, 2)), 0] ^= _FAS_BITS

    def _no_bit_2(self, fault: LineFault, frames: Octets) -> None:
        frames[self._of_multiframe(frames, *range(1, _MULTIFRAME, 2)), 0] ^= _BIT_2

    def _no_multiframe(self, fault: LineFault, frames: Octets) -> None:
        frames[self._of_multiframe(frames, 1, 3, 5, 7, 9, 11), 0] ^= _BIT_1

    def _bit_errors(self, fault: LineFault, frames: Octets) -> None:
        noise = self._noise[fault].random((len(frames), SLOTS * 8)) < fault.rate
        frames ^= np.packbits(noise, axis=1)

    def _crc_errors(self, fault: LineFault, frames: Octets) -> None:
        for row in self._of_multiframe(frames, 0, 8):
            if self._dice[fault].random() < fault.rate:
                frames[row, 0] ^= _BIT_1

    def _of_multiframe(self, frames: Octets, *numbers: int) -> NDArray[np.intp]:
        """Rows that are these frames of the CRC-4 multiframe."""
        of_all = (self._phase + self.frame + np.arange(len(frames))) % _MULTIFRAME
        return np.flatnonzero(np.isin(of_all, numbers))


def _all_ones(frames: Octets) -> None:
    frames[:, 16] = 0xFF


def _all_zeros(frames: Octets) -> None:
    frames[:, 16] = 0


def _no_cas(frames: Octets) -> None:
    """Frame 0 is the one that begins with four zeros: no time slot may signal those."""
    frames[frames[:, 16] < 16, 16] |= 0x90


def _cas_alarm(frames: Octets) -> None:
    frames[frames[:, 16] < 16, 16] |= _CAS_ALARM


_TIME_SLOT_16: dict[What, Callable[[Octets], None]] = {
    What.AIS16: _all_ones,
    What.ZEROS16: _all_zeros,
    What.NO_CAS: _no_cas,
    What.RAI16: _cas_alarm,
}

_DAMAGES: dict[What, Callable[[Spoiler, LineFault, Octets], None]] = {
    What.LOS: Spoiler._zeros,
    What.AIS: Spoiler._ones,
    What.LOF: Spoiler._no_alignment,
    What.NFAS: Spoiler._no_bit_2,
    What.NO_MULTIFRAME: Spoiler._no_multiframe,
    What.BIT_ERRORS: Spoiler._bit_errors,
    What.CRC_ERRORS: Spoiler._crc_errors,
}
