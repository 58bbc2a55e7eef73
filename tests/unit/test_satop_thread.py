"""The thread of a SAToP line works while the interpreter stands still."""

import ctypes
import socket
import time

from osrec_drivers.line import open_line
from osrec_drivers.satop import SatopLine, bind

PATIENCE = 20.0
STALL = 0.4  # seconds
FRAMES = 8000


def test_a_stray_datagram_does_not_become_the_far_end_of_a_line_that_names_none() -> None:
    near_socket = bind("satop:127.0.0.1:0")
    port = near_socket.getsockname()[1]
    near = open_line("satop:127.0.0.1:0", fd=near_socket.detach())
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stray:
        stray.sendto(b"hello", ("127.0.0.1", port))
        deadline = time.monotonic() + PATIENCE
        while near.status().counters.packets_malformed < 1:
            assert time.monotonic() < deadline
            time.sleep(0.002)
    far = open_line(f"satop:127.0.0.1:0/127.0.0.1:{port}")
    try:
        far.transmit(b"\xd5" * 32 * 800)
        while near.head < 400:
            assert time.monotonic() < deadline, "the line went deaf"
            time.sleep(0.002)
    finally:
        near.close()
        far.close()


def test_a_stalled_interpreter_delays_and_loses_nothing() -> None:
    near_socket = bind("satop:127.0.0.1:0")
    port = near_socket.getsockname()[1]
    near = open_line("satop:127.0.0.1:0", fd=near_socket.detach())
    far = open_line(f"satop:127.0.0.1:0/127.0.0.1:{port}")
    assert isinstance(far, SatopLine)
    try:
        far.transmit(b"\xd5" * 32 * 2 * FRAMES)
        deadline = time.monotonic() + PATIENCE
        while near.head < 400:
            assert time.monotonic() < deadline
            time.sleep(0.002)
        before = near.head
        # a call through PyDLL keeps the GIL: no Python thread can run meanwhile
        ctypes.PyDLL(None).usleep(int(STALL * 1e6))
        after = near.head
        assert after - before > STALL * FRAMES / 4, "much came meanwhile, however busy the machine"
        assert not near.gaps(before, after - before)
    finally:
        near.close()
        far.close()
