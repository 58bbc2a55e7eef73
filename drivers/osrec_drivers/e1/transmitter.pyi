from osrec_drivers.line import Octets

class Transmitter:
    """Writes TS0: FAS, NFAS, the CRC-4 multiframe, E and A bits; Sa bits are 1."""

    remote_alarm: bool
    multiframe: bool
    errors: int
    @property
    def frame(self) -> int: ...
    def __init__(self, *, crc4: bool = True) -> None: ...
    def send(self, frames: Octets) -> bytes: ...
