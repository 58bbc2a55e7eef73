"""What 1 to 1,024 E1 lines cost of one core, as a picture: python -m tests.bench.cost_of_lines [docs/e1-cost.svg].

Each line has an engine of its own, all of them share one block for the stereo. Every 20 ms each takes 160 frames; what
that costs of these 20 ms is the share of a core. Best of several turns, in processor time: other work does not count.
"""

import random
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

import numpy as np

from osrec_drivers.e1.audio import LineAudio
from osrec_drivers.e1.engine import Engine
from osrec_drivers.e1.transmitter import Transmitter

BLOCK = 160  # frames
BLOCK_SECONDS = 0.02
COUNTS = [2**n for n in range(11)]
SLOTS = [*range(1, 16), *range(17, 32)]
PAIRS = [(SLOTS[i], SLOTS[i + 1]) for i in range(0, 30, 2)]
LEAST_SECONDS, TURNS = 0.03, 5


@dataclass(frozen=True, slots=True)
class Curve:
    """One way of computing, and its costs by number of lines, in shares of a core."""

    name: str
    colour: str
    shares: list[float]


def line_octets() -> bytes:
    frames = random.Random(1).randbytes(32 * BLOCK)
    return Transmitter().send(frames * 2)[32 * BLOCK :]  # its end fits its beginning


def turn(count: int, *, portable: bool, whole: bool) -> Callable[[], None]:
    """What `count` lines do in 20 ms: framing, and if `whole` decoding, levels and stereo of all pairs."""
    octets, stereo = line_octets(), np.empty((len(PAIRS), BLOCK, 2), np.int16)
    engines = [Engine(capacity=1 << 12, portable=portable) for _ in range(count)]
    audios = [LineAudio(engine, PAIRS, portable=portable) for engine in engines]
    first = -BLOCK

    def work() -> None:
        nonlocal first
        first += BLOCK
        for engine, audio in zip(engines, audios, strict=True):
            engine.receive(octets)
            if whole:
                audio.listen(first, stereo)

    for _ in range(4):
        work()
    assert all(engine.snapshot()[4]["crc_errors"] == 0 and engine.snapshot()[2] for engine in engines)
    return work


def seconds(work: Callable[[], None]) -> float:
    best, rounds = float("inf"), 1
    while True:
        begin = time.process_time()
        for _ in range(rounds):
            work()
        spent = time.process_time() - begin
        if spent > LEAST_SECONDS:
            break
        rounds *= 2
    for _ in range(TURNS):
        begin = time.process_time()
        for _ in range(rounds):
            work()
        best = min(best, (time.process_time() - begin) / rounds)
    return best


def measured() -> list[Curve]:
    kinds = [
        ("framing, portable", "#c98a3d", True, False),
        ("framing, AVX2", "#2f6fb3", False, False),
        ("whole chain, portable", "#b3402f", True, True),
        ("whole chain, AVX2", "#2f8f5b", False, True),
    ]
    return [
        Curve(name, colour, [seconds(turn(n, portable=p, whole=w)) / BLOCK_SECONDS for n in COUNTS])
        for name, colour, p, w in kinds
    ]


WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM = 760, 460, 80, 40, 200, 60
LOWEST, HIGHEST = -5, 0  # powers of ten of a core


def x_of(step: int) -> float:
    return LEFT + step * (WIDTH - LEFT - RIGHT) / (len(COUNTS) - 1)


def y_of(share: float) -> float:
    power = float(np.log10(share))
    return HEIGHT - BOTTOM - (power - LOWEST) * (HEIGHT - TOP - BOTTOM) / (HIGHEST - LOWEST)


def text(x: float, y: float, words: str, *, anchor: str = "middle", colour: str = "#333") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}">{escape(words)}</text>'


def picture(curves: list[Curve]) -> str:
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" '
        'font-size="12"><rect width="100%" height="100%" fill="#fff"/>',
        text(LEFT, 20, "E1 lines and what they cost of one core, 20 ms a call", anchor="start"),
    ]
    for power in range(LOWEST, HIGHEST + 1):
        y = y_of(10.0**power)
        out.append(f'<line x1="{LEFT}" y1="{y:.1f}" x2="{WIDTH - RIGHT}" y2="{y:.1f}" stroke="#ddd"/>')
        out.append(text(LEFT - 8, y + 4, f"{100 * 10.0**power:g} %", anchor="end"))
    for step, count in enumerate(COUNTS):
        out.append(text(x_of(step), HEIGHT - BOTTOM + 20, f"{count:,}"))
    out.append(text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 16, "lines"))
    for curve in curves:
        points = " ".join(f"{x_of(step):.1f},{y_of(share):.1f}" for step, share in enumerate(curve.shares))
        out.append(f'<polyline points="{points}" fill="none" stroke="{curve.colour}" stroke-width="2"/>')
    ends = sorted(curves, key=lambda curve: curve.shares[-1])
    place = float("inf")
    for curve in ends:
        place = min(place - 30, y_of(curve.shares[-1]) + 4)
        a_core = COUNTS[-1] / curve.shares[-1]
        out.append(text(WIDTH - RIGHT + 8, place, curve.name, anchor="start", colour=curve.colour))
        out.append(
            text(WIDTH - RIGHT + 8, place + 13, f"{round(a_core, -2):,.0f} a core", anchor="start", colour=curve.colour)
        )
    return "\n".join([*out, "</svg>", ""])


def main() -> None:
    curves = measured()
    for curve in curves:
        costs = ", ".join(f"{n}: {round(n / share):,}" for n, share in zip(COUNTS, curve.shares, strict=True))
        print(f"{curve.name}: lines a core, {costs}")
    target = Path(sys.argv[1] if len(sys.argv) > 1 else "docs/e1-cost.svg")
    target.write_text(picture(curves))
    print(f"{target} written")


if __name__ == "__main__":
    main()
