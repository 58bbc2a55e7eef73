"""G.711 codes <-> linear samples, exactly, for the media files.

Decoded A-law is 13-bit linear, in the upper bits of 16 (G.711 table 1); all 256 codes have different values, so a
lossless codec gives the codes back. Of µ-law two codes are both zero, so it has to be kept as received.
"""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from osrec.errors import StoreError

CodecName = Literal["alaw", "ulaw"]
IDLE: dict[CodecName, int] = {"alaw": 0xD5, "ulaw": 0xFF}  # positive zero: stands where samples are missing
SILENT: dict[CodecName, bytes] = {"alaw": b"\xd5\x55", "ulaw": b"\xff\x7f"}  # both zeros


def _alaw(code: int) -> int:
    code ^= 0x55  # even bits are inverted on the line, G.711 3.2
    exponent, mantissa = code >> 4 & 7, code & 15
    magnitude = (mantissa << 4) + 8 if exponent == 0 else ((mantissa << 4) + 0x108) << (exponent - 1)
    return magnitude if code & 0x80 else -magnitude


def _ulaw(code: int) -> int:
    code ^= 0xFF  # all bits are inverted, G.711 3.3
    magnitude = (((code & 15) << 3) + 0x84 << (code >> 4 & 7)) - 0x84
    return -magnitude if code & 0x80 else magnitude


_EXPAND: dict[CodecName, NDArray[np.int16]] = {
    "alaw": np.array([_alaw(code) for code in range(256)], np.int16),
    "ulaw": np.array([_ulaw(code) for code in range(256)], np.int16),
}
_NO_CODE = -1
_COMPRESS = np.full(65536, _NO_CODE, np.int16)
_COMPRESS[_EXPAND["alaw"].astype(np.uint16)] = np.arange(256)


def expand(octets: bytes | bytearray | memoryview, codec: CodecName) -> NDArray[np.int16]:
    """Linear samples of G.711 codes."""
    return _EXPAND[codec][np.frombuffer(octets, np.uint8)]


def compress_exactly(samples: NDArray[np.int16]) -> bytes:
    """The A-law codes that `expand` made these samples from. Raises StoreError for a sample that no code has."""
    codes = _COMPRESS[samples.astype(np.uint16)]
    if codes.size and codes.min() < 0:
        wrong = int(samples[int(np.argmin(codes))])
        raise StoreError(f"linear sample {wrong} is the value of no A-law code: the audio was changed")
    return codes.astype(np.uint8).tobytes()
