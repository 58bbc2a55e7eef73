"""D-channel frames out of a capture file: link types LAPD (203) and LINUX_LAPD (177, as dahdi_pcap writes it)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from osrec.errors import WireError
from osrec.wire.pcap import packets
from osrec.wire.q921.frames import Side, sender_of

LINUX_LAPD, LAPD = 177, 203
_COOKED = 16  # octets of the header before a LINUX_LAPD frame
_OUTGOING = 4  # its packet type: sent by the machine that captured
_WE_ARE_NETWORK = 6  # its octet that says which side that machine is
_ETH_P_LAPD = b"\x00\x30"
_WHY_NOT = {121: ": Siemens HiPath HDLC, for which no public description was found"}
_FCS = 2  # octets
_GOOD = 0xF0B8  # residue of FCS-16 over a frame and its FCS


@dataclass(frozen=True, slots=True)
class Caught:
    """A frame, when (seconds since 1970), and who sent it as far as is known."""

    octets: bytes
    at: float | None = None
    sender: Side | None = None


def caught(octets: bytes) -> Iterator[Caught]:
    """The frames of a capture file, in its order. Raises WireError."""
    for at, link_type, packet in packets(octets):
        if link_type == LAPD:
            yield Caught(packet, at, sender_of(packet))
        elif link_type == LINUX_LAPD:
            yield from _cooked(packet, at)
        else:
            raise WireError(
                f"link type {link_type} is not read{_WHY_NOT.get(link_type, '')}: known are LAPD 203 and LINUX_LAPD 177"
            )


def _cooked(packet: bytes, at: float) -> Iterator[Caught]:
    """Nothing for packets of other protocols that were captured along with it."""
    if len(packet) > _COOKED and packet[14:16] == _ETH_P_LAPD:
        ours = Side.NETWORK if packet[_WE_ARE_NETWORK] else Side.USER
        outgoing = int.from_bytes(packet[:2], "big") == _OUTGOING
        yield Caught(packet[_COOKED:], at, ours if outgoing else ours.other)


def without_fcs(frames: Sequence[Caught]) -> tuple[Sequence[Caught], bool]:
    """Some tools leave FCS-16 at the end of each frame: taken off, and True, when it is right in every frame."""
    if not frames or not all(len(frame.octets) > _FCS and _residue(frame.octets) == _GOOD for frame in frames):
        return frames, False
    return [replace(frame, octets=frame.octets[:-_FCS]) for frame in frames], True


def _residue(octets: bytes) -> int:
    """FCS-16 of Q.921 2.7, bit by bit: a capture is short."""
    crc = 0xFFFF
    for octet in octets:
        crc ^= octet
        for _ in range(8):
            crc = crc >> 1 ^ 0x8408 if crc & 1 else crc >> 1
    return crc
