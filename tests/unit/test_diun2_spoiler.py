"""Faults of a line's bits, as the receiver at its far end sees them: each raises what it should, when it should."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import count

import numpy as np
import pytest

from osrec_drivers.e1.line import EngineLine
from osrec_drivers.e1.transmitter import Transmitter
from osrec_drivers.errors import OpenError
from osrec_drivers.line import FRAME_RATE, Alarm, AlarmChange, CasChange, Line, LineStatus, open_line
from osrec_drivers.virtual import Fault as Damage
from osrec_drivers.virtual import FaultKind
from osrec_drivers.virtual import cable as laid
from osrec_emulators.audio.plane import Block
from osrec_emulators.diun2.board import Board
from osrec_emulators.diun2.faults import Faults, TimeSlot
from osrec_emulators.diun2.line_faults import LineFault, What
from osrec_emulators.diun2.outlet import Outlet
from osrec_emulators.diun2.spoiler import Spoiler

FIRST, COUNT = 8000, 16000  # frames: from the second second to the end of the third
END = FIRST + COUNT
MULTIFRAME = 16  # frames
BLOCK = 80  # frames of a tick
STRUCK = LineFault(What.LOS, FIRST, COUNT)
QUIET = Block(0, (), np.empty((0, BLOCK), np.uint8))

_cables = count()


@dataclass(frozen=True, slots=True)
class Seen:
    """What the far end's receiver told from the second second on, when both ends had found each other."""

    changes: Sequence[AlarmChange]
    before: LineStatus
    status: LineStatus
    audio: bytes  # of time slot 1
    bits: Sequence[CasChange]  # once more than a second was over

    def spans(self, alarm: Alarm) -> list[tuple[int, int]]:
        """When an alarm came and went."""
        samples = [change.sample for change in self.changes if change.alarm is alarm]
        return list(zip(samples[::2], samples[1::2], strict=True))

    def counted(self, name: str) -> int:
        return int(getattr(self.status.counters, name) - getattr(self.before.counters, name))


def receive(*faults: LineFault, crc4: bool = True, cas: bool = False, seconds: int = 5, phase: int = 0) -> Seen:
    """A board on a cable, and a receiver at the other end. `phase`: frames that the line sent before the board came."""
    cable = f"spoilt{next(_cables)}"
    options = "" if crc4 else "?crc4=0"
    sender, receiver = (open_line(f"virtual:{cable}/{end}{options}") for end in "ab")
    board = Board("a", [sender.spec], {}, Faults(stuck={TimeSlot(0, 1): 0x5A}, lines={0: faults}))
    try:
        receiver.transmit(b"\xd5" * 32 * phase)
        if cas:
            for line in (sender, receiver):
                line.cas()
                line.send_cas(1, 9)
                line.send_cas(17, 9)
        outlet = Outlet(board, [sender])
        before = _seconds(1 - phase / FRAME_RATE, board, outlet, receiver)
        receiver.changes()
        if cas:
            receiver.cas_changes()
        status = _seconds(seconds - 1, board, outlet, receiver)
        bits = receiver.cas_changes() if cas else ()
        return Seen(receiver.changes(), before, status, receiver.read(1, 0, receiver.head), bits)
    finally:
        sender.close()
        receiver.close()


def _seconds(seconds: float, board: Board, outlet: Outlet, receiver: Line) -> LineStatus:
    for _ in range(round(seconds * FRAME_RATE / BLOCK)):
        outlet.send(board.frames(QUIET))
        receiver.transmit(b"\xd5" * 32 * BLOCK)
    return receiver.status()


@pytest.mark.parametrize(
    ("what", "alarm", "raised_within", "cleared_within"),
    [
        (What.LOS, Alarm.LOS, 8, 8),  # 255 bits each way, G.775
        (What.AIS, Alarm.AIS, 4, 6),  # two periods of 512 bits, G.775
        (What.LOF, Alarm.LOF, 6, 4),  # three wrong FAS, G.706 4.1.1; three frames, 4.1.2
        (What.NFAS, Alarm.LOF, 6, 4),  # three wrong bits 2
        (What.RAI, Alarm.RAI, 6, 6),  # three A bits
    ],
)
def test_a_fault_raises_its_alarm_at_once_and_clears_it_at_once(
    what: What, alarm: Alarm, raised_within: int, cleared_within: int
) -> None:
    ((raised, cleared),) = receive(replace(STRUCK, what=what)).spans(alarm)
    assert FIRST <= raised <= FIRST + raised_within
    assert END - 1 <= cleared <= END + cleared_within


@pytest.mark.parametrize("what", [What.LOS, What.AIS, What.LOF])
def test_a_lost_signal_is_one_loss_of_alignment_and_the_octets_come_again(what: What) -> None:
    seen = receive(replace(STRUCK, what=what))
    assert seen.counted("alignment_losses") == 1
    assert seen.audio[-8000:] == b"\x5a" * 8000
    assert seen.status.alarms == frozenset()


@pytest.mark.parametrize("what", [What.CRC_OFF, What.NO_MULTIFRAME])
def test_without_a_multiframe_the_blocks_are_wrong_until_interworking_is_found(what: What) -> None:
    seen = receive(replace(STRUCK, what=what))
    assert 915 <= seen.counted("crc_errors") < 1000  # G.706 4.3.2: then the alignment is false
    ((raised, cleared),) = seen.spans(Alarm.LMFA)
    assert FIRST + 915 * 8 < raised < END
    assert END < cleared <= END + 4 * MULTIFRAME
    assert seen.counted("fas_errors") == 0


def test_rai_and_e_bits_leave_the_crc_right() -> None:
    for what in (What.RAI, What.E_BITS):
        assert receive(replace(STRUCK, what=what)).counted("crc_errors") == 0


def test_e_bits_tell_of_blocks_that_were_errored() -> None:
    assert receive(replace(STRUCK, what=What.E_BITS)).counted("e_bits") == COUNT // 8
    some = receive(replace(STRUCK, what=What.E_BITS, rate=0.25)).counted("e_bits")
    assert 0.2 < some / (COUNT // 8) < 0.3


def test_a_share_of_the_blocks_is_errored() -> None:
    seen = receive(replace(STRUCK, what=What.CRC_ERRORS, rate=0.1))
    assert 0.07 < seen.counted("crc_errors") / (COUNT // 8) < 0.13
    assert seen.counted("alignment_losses") == 0


def test_blocks_that_are_all_errored_are_a_false_alignment() -> None:
    seen = receive(replace(STRUCK, what=What.CRC_ERRORS))
    assert seen.counted("alignment_losses") == 2  # once a second or so, for two seconds


def test_bits_are_inverted_at_a_rate_and_blocks_are_errored_with_them() -> None:
    seen = receive(replace(STRUCK, what=What.BIT_ERRORS, rate=1e-4))
    wrong = sum((octet ^ 0x5A).bit_count() for octet in seen.audio[FIRST:END])
    assert 0.5 < wrong / (COUNT * 8 * 1e-4) < 1.5
    blocks = 1 - (1 - 1e-4) ** 2048
    assert 0.8 < seen.counted("crc_errors") / (COUNT / 8 * blocks) < 1.2
    assert wrong == sum((octet ^ 0x5A).bit_count() for octet in seen.audio[FIRST - 800 :])


def test_bursts_come_again_and_again() -> None:
    burst = LineFault(What.BIT_ERRORS, FIRST, 40, every=8000, rate=0.5)
    seen = receive(burst)
    assert seen.counted("alignment_losses") >= 4  # noise may look like an alignment
    wrong = [second for second in range(1, 5) if seen.audio[second * 8000 : second * 8000 + 40] != b"\x5a" * 40]
    assert wrong == [1, 2, 3, 4]
    assert seen.audio[FIRST + 80 : FIRST + 8000] == b"\x5a" * 7920


@pytest.mark.parametrize(
    ("what", "alarm", "within"),
    [
        (What.AIS16, Alarm.AIS16, 2),
        (What.NO_CAS, Alarm.LMFA16, 3),
        (What.ZEROS16, Alarm.LMFA16, 2),
        (What.RAI16, Alarm.RAI16, 3),
    ],
)
def test_faults_of_time_slot_16_raise_their_alarms_and_leave_the_crc_right(
    what: What, alarm: Alarm, within: int
) -> None:
    seen = receive(replace(STRUCK, what=what), cas=True)
    ((raised, cleared),) = seen.spans(alarm)
    assert FIRST <= raised <= FIRST + within * MULTIFRAME + 1
    assert END <= cleared <= END + within * MULTIFRAME + 1
    assert seen.counted("crc_errors") == 0
    assert seen.bits == []


@pytest.mark.parametrize("what", [What.DROPPED, What.REPEATED])
@pytest.mark.parametrize("octets", [32, 5])
def test_octets_that_get_lost_or_come_twice_are_a_slip(what: What, octets: int) -> None:
    seen = receive(LineFault(what, FIRST, octets=octets))
    assert seen.counted("slips") == 1
    assert seen.counted("alignment_losses") == 1
    assert seen.status.alarms == frozenset()


def test_slips_come_again_and_again() -> None:
    assert receive(LineFault(What.DROPPED, FIRST, every=8000)).counted("slips") == 4


@pytest.mark.parametrize("what", What)
def test_before_a_fault_and_after_it_nothing_is_wrong(what: What) -> None:
    seen = receive(LineFault(what, 2 * FIRST, 1 if what in (What.DROPPED, What.REPEATED) else 800), seconds=2)
    assert seen.changes == []
    healthy = receive(seconds=2)
    assert seen.status.counters == healthy.status.counters
    after = receive(LineFault(what, 0, 1), seconds=2)
    assert after.status.alarms == frozenset()
    assert after.changes == []


@pytest.mark.parametrize("phase", [0, 5, 80])
def test_a_line_that_sent_before_keeps_its_multiframe(phase: int) -> None:
    seen = receive(replace(STRUCK, what=What.RAI), phase=phase)
    assert seen.status.counters.crc_errors == 0
    assert seen.status.counters.alignment_losses == 0
    assert seen.status.crc_multiframe


def test_what_the_line_itself_tells_the_far_end_is_kept() -> None:
    cable = f"spoilt{next(_cables)}"
    sender, receiver = (open_line(f"virtual:{cable}/{end}") for end in "ab")
    never = LineFault(What.E_BITS, 1 << 40)
    board = Board("a", [sender.spec], {}, Faults(lines={0: (never,)}))
    outlet = Outlet(board, [sender])
    _seconds(1, board, outlet, receiver)
    assert Alarm.RAI not in receiver.status().alarms
    laid(cable).sent_by["b"].damage(Damage(FaultKind.ZEROS, 8000 * 32))
    assert Alarm.RAI in _seconds(0.5, board, outlet, receiver).alarms
    told = _seconds(1, board, outlet, receiver)
    assert told.alarms == frozenset()
    assert told.counters.remote_crc_errors > 0
    sender.close()
    receiver.close()


def test_a_line_without_crc_4_stays_one() -> None:
    seen = receive(replace(STRUCK, what=What.RAI), crc4=False)
    assert len(seen.spans(Alarm.RAI)) == 1
    assert seen.counted("fas_errors") == 0


def test_any_cutting_into_blocks_gives_the_same_octets() -> None:
    faults = [
        LineFault(What.BIT_ERRORS, 10, 100, rate=0.01),
        LineFault(What.RAI, 50, 33),
        LineFault(What.DROPPED, 70, octets=7),
        LineFault(What.E_BITS, 90, 200, rate=0.5),
        LineFault(What.LOF, 120, 10, every=60),
    ]
    octets = Transmitter().send(np.random.default_rng(1).integers(0, 256, 400 * 32, np.uint8).tobytes())
    whole = Spoiler(faults).spoil(octets)
    for size in (1, 7, 80):
        spoiler = Spoiler(faults)
        cut = b"".join(spoiler.spoil(octets[at : at + size * 32]) for at in range(0, len(octets), size * 32))
        assert cut == whole


def test_frames_that_are_composed_first_arrive_like_those_that_are_not() -> None:
    frames = np.random.default_rng(2).integers(0, 256, (4000, 32), np.uint8)
    heard = []
    for composed in (False, True):
        cable = f"spoilt{next(_cables)}"
        sender, receiver = (open_line(f"virtual:{cable}/{end}") for end in "ab")
        assert isinstance(sender, EngineLine)
        channel = sender.d_channel()
        for first in range(0, len(frames), 80):
            channel.send(b"\x02\x01\x7f")
            octets = frames[first : first + 80].tobytes()
            sender.transmit(sender.compose(octets) if composed else octets)
            receiver.transmit(b"\xd5" * 32 * 80)
        counters = receiver.status().counters
        assert (counters.fas_errors, counters.crc_errors, counters.alignment_losses) == (0, 0, 0)
        heard.append([receiver.read(slot, 0, receiver.head) for slot in range(1, 32)])
        channel.close()
        sender.close()
        receiver.close()
    assert heard[0] == heard[1]


def test_a_line_whose_bits_are_written_elsewhere_is_refused() -> None:
    class Other:
        spec = "dahdi:1"

    board = Board("a", ["dahdi:1"], {}, Faults(lines={0: (STRUCK,)}))
    with pytest.raises(OpenError, match="line 'dahdi:1': los of a needs a line whose bits are written here"):
        Outlet(board, [Other()])  # type: ignore[list-item]
