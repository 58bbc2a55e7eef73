"""TS0 of what we send."""

import itertools
import random

import pytest

from osrec_drivers.e1.framer import Framer
from osrec_drivers.e1.transmitter import Transmitter
from tests.reference import e1

FRAMES = random.Random(3).randbytes(32 * 80)


@pytest.mark.parametrize("crc4", [True, False])
@pytest.mark.parametrize("a_bit", [0, 1])
def test_sends_what_the_oracle_sends(crc4: bool, a_bit: int) -> None:  # G.704 2.3
    transmitter = Transmitter(crc4=crc4)
    transmitter.multiframe = True
    transmitter.remote_alarm = bool(a_bit)
    assert transmitter.send(FRAMES) == e1.send(FRAMES, with_crc4=crc4, a_bit=a_bit)
    assert transmitter.frame == 80


def test_goes_on_in_the_middle_of_a_multiframe() -> None:
    whole, parts = Transmitter(), Transmitter()
    cuts = [0, 1, 4, 11, 17, 60, 80]
    assert b"".join(parts.send(FRAMES[32 * a : 32 * b]) for a, b in itertools.pairwise(cuts)) == whole.send(FRAMES)


def test_sends_e_bits_of_zero_until_the_receiver_has_the_multiframe() -> None:  # G.704 2.3.3.4
    transmitter = Transmitter()
    assert transmitter.send(FRAMES) == e1.send(FRAMES, e_bit=0)


def test_tells_each_errored_sub_multiframe_with_one_e_bit() -> None:  # G.704 2.3.3.4
    transmitter, far = Transmitter(), Framer()
    transmitter.multiframe = True
    far.feed(transmitter.send(FRAMES))
    transmitter.errors = 3
    far.feed(transmitter.send(FRAMES))
    assert far.remote_crc_errors == 3
    assert transmitter.errors == 0


def test_refuses_half_a_frame() -> None:
    with pytest.raises(ValueError, match="33 octets: frames are 32 octets each"):
        Transmitter().send(bytes(33))
