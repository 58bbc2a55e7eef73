"""When an E1 line counts as aligned, lost, cut off or silent: every threshold of the receiver, in one table."""

from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True)
class Criteria:
    """Thresholds; the defaults are the standards', other equipment differs as noted. docs/e1.md tells what follows.

    Raises ValueError for a threshold that none can be.
    """

    # Frame alignment, G.706
    bad_fas: int = 3  # consecutive wrong FAS that lose alignment, G.706 4.1.1 (some equipment: 4)
    bad_nfas: int = 3  # consecutive wrong bits 2 of NFAS that lose it, G.706 4.1.1, optional there; 0: ignored
    crc_blocks: int = 1000  # CRC-4 blocks looked at together, G.706 4.3.2
    crc_bad_blocks: int = 915  # bad ones among them that mean false alignment, G.706 4.3.2
    multiframe_frames: int = 64  # two MFAS within 8 ms gain the multiframe, else LMFA and re-search, G.706 4.2
    # Signal
    los_zeros: int = 255  # consecutive zeros that are loss of signal, G.775 (some equipment: 2048)
    los_window: int = 255  # bits looked at for the end of it
    los_ones: int = 32  # ones among them that end it
    ais_zeros: int = 2  # at most so many zeros in each of two periods of 512 bits are AIS, G.775
    rai_times: int = 3  # equal A bits in a row that raise or clear RAI, O.162 2.1.4
    lof_frames: int = 8  # frames searched in vain at the start before that is called LOF; ours: 1 ms
    # What the far end sends or does not send
    interworking_frames: int = 3200  # 400 ms without a multiframe: the far end sends no CRC-4, G.706 Annex B
    sa_times: int = 3  # equal Sa bits in a row that count; ours, as for the A bit
    # CAS in time slot 16
    cas_bad_mfas: int = 2  # consecutive wrong CAS MFAS that lose the CAS multiframe, G.732 5.2
    cas_zero_multiframes: int = 1  # multiframes of zeros in slot 16 that lose it, G.732 5.2: one or two; 0: ignored
    ais16_zeros: int = 0  # at most so many zeros in slot 16 over a multiframe are AIS16 (some equipment: 3)
    ais16_multiframes: int = 1  # such multiframes in a row (some equipment: 2)
    rai16_times: int = 3  # equal y bits in a row that raise or clear RAI16; ours, as for the A bit
    cas_times: int = 2  # multiframes in a row that make abcd valid; ours: 4 ms, Q.421's recognition takes 20 ms

    def __post_init__(self) -> None:
        for each in fields(self):
            value, (least, most) = getattr(self, each.name), _RANGES.get(each.name, _USUAL)
            if not least <= value <= most:
                raise ValueError(f"{each.name} = {value}: must be {least}..{most}")
        if self.crc_bad_blocks > self.crc_blocks:
            rule = "so many cannot be bad"
            raise ValueError(f"crc_bad_blocks = {self.crc_bad_blocks} of crc_blocks = {self.crc_blocks}: {rule}")


_USUAL = (1, 100)
_RANGES = {
    "bad_nfas": (0, 100),
    "crc_blocks": (1, 100_000),
    "crc_bad_blocks": (1, 100_000),
    "multiframe_frames": (28, 8000),  # two MFAS end 16 frames apart, and the first may take 28 to come
    "los_zeros": (8, 100_000),
    "los_window": (8, 100_000),
    "los_ones": (1, 100_000),
    "ais_zeros": (0, 100),
    "lof_frames": (1, 8000),
    "interworking_frames": (28, 80_000),
    "cas_zero_multiframes": (0, 100),
    "ais16_zeros": (0, 64),
}
