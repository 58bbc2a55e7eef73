"""The patterns of O.151 to O.153 from a shift register, bit by bit: the oracle of osrec_drivers.e1.prbs."""

from tests.reference.e1 import Bits, octets_of


def sequence(degree: int, tap: int, *, inverted: bool, count: int) -> Bits:
    """So many bits; the register begins with ones, its last stage and stage `tap` are added into the first."""
    register = [1] * degree
    out = []
    for _ in range(count):
        new = register[degree - 1] ^ register[tap - 1]
        register = [new, *register[:-1]]
        out.append(new ^ inverted)
    return out


def octets(degree: int, tap: int, inverted: bool, count: int) -> bytes:
    return octets_of(sequence(degree, tap, inverted=inverted, count=8 * count))
