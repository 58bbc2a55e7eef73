"""What is in a raw capture of an E1 line: frames, CRC-4, alarms, counters, and what each time slot carries.

The octets are the bits of the line as some board or analyser wrote them down: at any bit offset, perhaps inverted,
perhaps with the first bit in the least significant place. Nothing but the octets is known.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from osrec_drivers.dsp.level import level
from osrec_drivers.e1 import cas
from osrec_drivers.e1.engine import Engine
from osrec_drivers.e1.framer import Framer
from osrec_drivers.e1.hdlc import HdlcDecoder, HdlcError, HdlcFrame
from osrec_drivers.line import FRAME_RATE, SLOTS, Alarm, AlarmChange, CasState, Crc4, Gap

FRAME = 32  # octets
FAS = (0, 0, 1, 1, 0, 1, 1)  # bits 2 to 8 of time slot 0 in every other frame, G.704 2.3.2
WINDOW = FRAME_RATE // 10  # samples that a level is measured over: 100 ms
TRIED = 2 * FRAME_RATE * FRAME  # octets that tell in which form the bits are: 2 s
CHUNK = 1000 * FRAME  # octets at a time
FLAGS = bytes({0x7E << shift & 0xFF | 0x7E >> 8 - shift for shift in range(8)})  # a flag, wherever an octet begins
IDLES = 0.9  # share of flags, or of one code, that is called idle


@dataclass(frozen=True, slots=True)
class Form:
    """How the bits of the line became octets."""

    inverted: bool = False
    lsb_first: bool = False

    def plain(self, octets: bytes) -> bytes:
        """The octets as this project has them: most significant bit first, not inverted."""
        return octets.translate(_TABLES[self]) if self != Form() else octets


FORMS = (Form(), Form(lsb_first=True), Form(inverted=True), Form(inverted=True, lsb_first=True))
_TABLES = {
    form: bytes(
        (int(f"{octet:08b}"[::-1], 2) if form.lsb_first else octet) ^ (0xFF if form.inverted else 0)
        for octet in range(256)
    )
    for form in FORMS
}


@dataclass(frozen=True, slots=True)
class Hdlc:
    """HDLC in a time slot; `flags`: share of its octets that are flags at some bit offset."""

    frames: int
    errors: dict[HdlcError, int]
    flags: float
    first: tuple[HdlcFrame, ...] = ()


@dataclass(frozen=True, slots=True)
class SlotContent:
    """A time slot over the whole capture.

    Attributes:
        level, loudest: dBm0 of all of it, and of its loudest 100 ms; -inf when silent.
        idle: code that at least nine of ten octets are, None: no code is.
        hdlc: None where none is.
    """

    slot: int
    level: float
    loudest: float
    idle: int | None
    hdlc: Hdlc | None


@dataclass(frozen=True, slots=True)
class CaptureReport:
    """All that was found.

    Attributes:
        form: how the bits became octets; None: no frames in any form.
        offset: bit of the capture that the first frame begins with, 0..255; None without frames.
        standing: alarms at the end of the capture.
        gaps: samples without a frame, by cause.
        cas: signalling in slot 16, None: no CAS multiframe there.
    """

    octets: int
    form: Form | None
    offset: int | None
    frames: int
    fas_errors: int
    bit2_errors: int
    crc_errors: int
    remote_crc_errors: int
    alignment_losses: int
    slips: int
    crc4: Crc4
    sa: int | None
    standing: frozenset[Alarm]
    changes: tuple[AlarmChange, ...]
    gaps: tuple[Gap, ...]
    slots: tuple[SlotContent, ...] = field(default=())
    cas: CasState | None = None

    @property
    def seconds(self) -> float:
        return self.octets / FRAME / FRAME_RATE


def analyse(octets: bytes) -> CaptureReport:
    """Look at the whole capture. Never raises on what it holds."""
    form, offset = form_of(octets) or (None, None)
    plain = (form or Form()).plain(octets)
    framer, frames = Framer(), bytearray()
    changes: list[AlarmChange] = []
    for chunk in _chunks(plain):
        frames += framer.feed(chunk)
        changes += framer.changes()
    slots = np.frombuffer(bytes(frames), np.uint8).reshape(-1, FRAME).T
    contents = tuple(_content(number, np.ascontiguousarray(slots[number])) for number in range(SLOTS))
    signals = contents[16].hdlc is None and form is not None
    return CaptureReport(
        octets=len(octets),
        form=form,
        offset=offset,
        frames=framer.frames,
        fas_errors=framer.fas_errors,
        bit2_errors=framer.bit2_errors,
        crc_errors=framer.crc_errors,
        remote_crc_errors=framer.remote_crc_errors,
        alignment_losses=framer.losses,
        slips=framer.slips,
        crc4=_crc4(framer),
        sa=framer.sa,
        standing=framer.alarms,
        changes=tuple(changes),
        gaps=tuple(framer.gaps()),
        slots=() if form is None else contents,
        cas=_cas(plain) if signals else None,
    )


def form_of(octets: bytes) -> tuple[Form, int] | None:
    """The form in which the first two seconds with frames have most of them, the plainest of several; their offset.

    Chance makes a few frames of anything, so they must be a tenth of what could be there.
    """
    for first in range(0, len(octets), TRIED):
        window = octets[first : first + TRIED]
        counts = {form: _frames(form.plain(window)) for form in FORMS}
        best = max(counts, key=lambda form: counts[form])
        if counts[best] * FRAME * 10 >= len(window):
            return best, offset_of(best.plain(window))  # the window begins on a multiple of 256 bits
    return None


def _frames(octets: bytes) -> int:
    framer = Framer(crc4=False)
    framer.feed(octets)
    return framer.frames


def offset_of(octets: bytes) -> int:
    """Bit at which most frames begin, 0..255: where the FAS stands in every other frame, and bit 2 between them is 1.

    Several seconds with a slip among them begin at several bits; the commonest is given.
    """
    bits = np.unpackbits(np.frombuffer(octets, np.uint8))
    places = len(bits) - 256 - len(FAS) - 1
    found = np.ones(max(places, 0), np.bool_)
    for number, bit in enumerate(FAS, 1):
        found &= bits[number : number + len(found)] == bit
    found &= bits[257 : 257 + len(found)] == 1
    counts = np.bincount(np.flatnonzero(found) % 512, minlength=512)
    return int(np.argmax(counts)) % 256


def _chunks(octets: bytes) -> Iterator[bytes]:
    return (octets[first : first + CHUNK] for first in range(0, len(octets), CHUNK))


def _crc4(framer: Framer) -> Crc4:
    if framer.crc_multiframe:
        return Crc4.MULTIFRAME
    return Crc4.INTERWORKING if framer.interworking else Crc4.SEARCHING


# --- time slots


def _content(number: int, octets: NDArray[np.uint8]) -> SlotContent:
    whole = len(octets) // WINDOW * WINDOW
    levels = [level(part) for part in octets[:whole].reshape(-1, WINDOW)] or [level(octets)]
    hdlc = None if number == 0 else _hdlc(octets)
    return SlotContent(number, _mean(levels), max(levels), _idle(octets), hdlc)


def _mean(levels: Sequence[float]) -> float:
    """Of powers, not of decibels."""
    power = sum(10 ** (one / 10) for one in levels) / len(levels)
    return 10 * math.log10(power) if power else -math.inf


def _idle(octets: NDArray[np.uint8]) -> int | None:
    counts = np.bincount(octets, minlength=256)
    code = int(np.argmax(counts))
    return code if len(octets) and counts[code] >= IDLES * len(octets) else None


def _hdlc(octets: NDArray[np.uint8]) -> Hdlc | None:
    """What else is in a slot gives a frame by chance at times, but then more that fail their FCS."""
    decoder = HdlcDecoder()
    frames = [frame for frame in decoder.feed(octets) if frame.error is None]
    flags = float(np.isin(octets, np.frombuffer(FLAGS, np.uint8)).mean()) if len(octets) else 0.0
    if decoder.frames <= decoder.errors[HdlcError.FCS] and not (flags >= IDLES and _steady(octets)):
        return None
    return Hdlc(decoder.frames, decoder.errors, flags, tuple(frames[:5]))


def _steady(octets: NDArray[np.uint8]) -> bool:
    """Whether flags follow flags at the same bit offset, as no sound does."""
    return bool((octets[1:] == octets[:-1]).mean() >= IDLES) if len(octets) > 1 else False


def _cas(octets: bytes) -> CasState | None:
    engine = Engine()
    cas.state(engine)  # from now on it looks for it
    for chunk in _chunks(octets):
        engine.receive(chunk)
    found = cas.state(engine)
    return found if found.aligned else None
