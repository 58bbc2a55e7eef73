"""When an E1 line counts as aligned, lost, cut off or silent: every threshold of the receiver, in one table."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Criteria:
    """Thresholds; the defaults are the standards', other equipment differs as noted."""

    bad_fas: int = 3  # consecutive wrong FAS that lose alignment, G.706 4.1.1 (some equipment: 4)
    bad_nfas: int = 3  # consecutive wrong bits 2 of NFAS that lose it, G.706 4.1.1, optional there; 0: ignored
    crc_blocks: int = 1000  # CRC-4 blocks looked at together, G.706 4.3.2
    crc_bad_blocks: int = 915  # bad ones among them that mean false alignment, G.706 4.3.2
    multiframe_frames: int = 64  # two MFAS within 8 ms gain multiframe alignment, G.706 4.2
    los_zeros: int = 255  # consecutive zeros that are loss of signal, G.775 (some equipment: 2048)
    los_window: int = 255  # bits looked at for the end of it
    los_ones: int = 32  # ones among them that end it
    ais_zeros: int = 2  # at most so many zeros in each of two periods of 512 bits are AIS, G.775
    rai_times: int = 3  # equal A bits in a row that raise or clear RAI, O.162 2.1.4
    lof_frames: int = 8  # frames searched in vain at the start before that is called LOF; ours: 1 ms
