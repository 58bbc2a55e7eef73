"""The pump that reads a channel without the interpreter; a socket that keeps messages apart stands for the channel."""

import errno
import select
import socket
import threading
from collections.abc import Iterator

import pytest

from osrec_drivers.dahdi_abi import ELAST, GET_EVENT
from osrec_drivers.dahdi_pump import Pump
from osrec_drivers.dahdi_stream import Block, PumpedStream, Sent
from osrec_drivers.errors import LineError

SIZE = 64


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    """The channel, and who puts octets into it."""
    channel, board = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with channel, board:
        channel.setblocking(False)
        yield channel, board


def block(number: int) -> bytes:
    return bytes([number]) * SIZE


def test_blocks_come_in_order_and_only_the_last_is_fresh(ends: tuple[socket.socket, socket.socket]) -> None:
    channel, board = ends
    for number in range(5):
        board.send(block(number))
    stream = PumpedStream(channel.fileno(), SIZE)
    found: list[Block | int] = []
    while len(found) < 5:
        stream.wait(board.fileno(), 1000)
        found += stream.take()
    stream.close()
    assert [item.octets for item in found if isinstance(item, Block)] == [block(number) for number in range(5)]
    assert [item.fresh for item in found if isinstance(item, Block)] == [False] * 4 + [True]
    arrivals = [item.arrival for item in found if isinstance(item, Block)]
    assert arrivals == sorted(arrivals)
    assert stream.take() == []


def test_what_finds_no_room_is_counted_where_it_is_missing(ends: tuple[socket.socket, socket.socket]) -> None:
    """Room for 8: two are kept for events and the end."""
    channel, board = ends
    pump = Pump(channel.fileno(), SIZE, 8, GET_EVENT, ELAST)
    thread = threading.Thread(target=pump.run)
    for number in range(20):
        board.send(block(number))
    thread.start()
    select.select([pump], [], [], 20)
    board.send(block(20))
    while board_has_unread(channel):
        pass
    taken = pump.take()
    board.send(block(21))
    while not (after := pump.take()):
        select.select([pump], [], [], 20)
    pump.stop()
    thread.join()
    kept = [octets[0] for kind, _, octets, _, _ in taken if kind == "block"]
    assert kept == list(range(len(kept)))
    assert 4 <= len(kept) <= 6
    _, lost, octets, _, _ = after[0]
    assert octets[0] - lost == kept[-1] + 1


def board_has_unread(channel: socket.socket) -> bool:
    return bool(select.select([channel], [], [], 0)[0])


def test_a_channel_whose_blocks_have_another_size_is_given_up(ends: tuple[socket.socket, socket.socket]) -> None:
    channel, board = ends
    board.send(block(1))
    board.send(b"short")
    stream = PumpedStream(channel.fileno(), SIZE)
    while not (found := stream.take()):
        stream.wait(board.fileno(), 1000)
    assert len(found) == 1
    stream.wait(board.fileno(), 1000)
    with pytest.raises(LineError, match="is gone: another program has set its buffers") as gone:
        stream.take()
    assert gone.value.errno == errno.EPROTO
    with pytest.raises(LineError, match="is gone"):
        stream.take()
    stream.close()


def test_sending_says_whether_there_was_room(ends: tuple[socket.socket, socket.socket]) -> None:
    channel, board = ends
    stream = PumpedStream(channel.fileno(), SIZE)
    while stream.send(block(7)) is Sent.TAKEN:
        pass
    assert stream.send(block(7)) is Sent.FULL
    assert board.recv(1000) == block(7)
    assert stream.send(block(7)) is Sent.TAKEN
    board.close()
    with pytest.raises(LineError, match="is gone") as gone:
        stream.send(block(7))
    assert gone.value.errno in (errno.EPIPE, errno.ECONNRESET)
    stream.close()


def test_a_ring_too_small_for_its_own_reserve_is_refused() -> None:
    with pytest.raises(ValueError, match="blocks of 64 octets, room for 3"):
        Pump(0, SIZE, 3, GET_EVENT, ELAST)
