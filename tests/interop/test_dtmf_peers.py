"""DTMF against receivers and senders that are not ours: spandsp (libspandsp2) and multimon-ng, both of Debian."""

import ctypes
import subprocess
import wave
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from osrec_drivers.dsp.dtmf import DIGITS, DtmfDetector
from osrec_drivers.dsp.dtmf_tones import tones
from osrec_drivers.dsp.g711 import alaw_decode, alaw_encode

NUMBER = "0221*4567#ABCD" + DIGITS


def over_the_line(samples: NDArray[np.int16]) -> NDArray[np.int16]:
    return alaw_decode(alaw_encode(samples))


class Spandsp:
    """dtmf_rx and dtmf_tx of the library."""

    def __init__(self) -> None:
        self._library = ctypes.CDLL("libspandsp.so.2")
        self._library.dtmf_rx_init.restype = self._library.dtmf_tx_init.restype = ctypes.c_void_p

    def hear(self, samples: NDArray[np.int16]) -> str:
        state = ctypes.c_void_p(self._library.dtmf_rx_init(None, None, None))
        self._library.dtmf_rx(state, samples.ctypes.data_as(ctypes.c_void_p), len(samples))
        digits = ctypes.create_string_buffer(256)
        self._library.dtmf_rx_get(state, digits, 255)
        self._library.dtmf_rx_free(state)
        return digits.value.decode()

    def dial(self, digits: str, seconds: float) -> NDArray[np.int16]:
        state = ctypes.c_void_p(self._library.dtmf_tx_init(None, None, None))
        assert self._library.dtmf_tx_put(state, digits.encode(), len(digits)) == 0
        out = np.zeros(round(seconds * 8000), np.int16)
        self._library.dtmf_tx(state, out.ctypes.data_as(ctypes.c_void_p), len(out))
        self._library.dtmf_tx_free(state)
        return out


@pytest.mark.parametrize(("on", "twist", "detuned"), [(0.05, 2.0, 0.0), (0.1, -4.0, 0.008), (0.07, 3.5, -0.012)])
def test_spandsp_hears_what_we_dial(on: float, twist: float, detuned: float) -> None:
    sound = over_the_line(tones(NUMBER, on=on, off=0.06, twist=twist, detuned=detuned, level=-12.0))
    assert Spandsp().hear(sound) == NUMBER


def test_we_hear_what_spandsp_dials() -> None:
    sound = over_the_line(Spandsp().dial(NUMBER, 4.0))
    assert Spandsp().hear(sound) == NUMBER
    detector = DtmfDetector()
    found = detector.feed(sound.reshape(1, -1)) + detector.flush()
    assert "".join(one.digit for one in found) == NUMBER
    assert {one.count for one in found} <= set(range(400 - 32, 400 + 33))  # it sends 50 ms each


def test_multimon_ng_hears_what_we_dial(tmp_path: Path) -> None:
    file = tmp_path / "dial.wav"
    with wave.open(str(file), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(8000)
        out.writeframes(over_the_line(tones(NUMBER, on=0.1, off=0.1)).tobytes())
    told = subprocess.run(
        ["multimon-ng", "-q", "-a", "DTMF", "-t", "wav", str(file)], capture_output=True, text=True, check=True
    ).stdout
    assert "".join(line.removeprefix("DTMF: ") for line in told.split("\n") if line.startswith("DTMF")) == NUMBER
