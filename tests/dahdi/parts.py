"""What the parts of the guest's program share: their register, waiting, the two ends of a span, the clock."""

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from osrec_drivers.dahdi import DahdiDriver, DahdiLine
from osrec_drivers.dahdi_system import Linux
from osrec_drivers.errors import OpenError
from osrec_drivers.line import FRAME_RATE, Anchor, Gap, GapCause
from tests.dahdi.spans import Bench, LocalSpans, PausingLinux
from tests.dahdi.trunk import PERIOD, Pbx, Recorder

TOLERANCE = 40  # samples that the clock of the kernel's timer may be off by: 5 ms, its period is 4

Facts = dict[str, object]
PARTS: dict[str, Callable[[Path], Facts]] = {}


def part(function: Callable[[Path], Facts]) -> Callable[[Path], Facts]:
    PARTS[function.__name__] = function
    return function


def say(text: str) -> None:
    print(f"  {time.monotonic():7.1f} s  {text}", flush=True)


def until(what: str, condition: Callable[[], bool], seconds: float) -> float:
    """How long it took. Fails, and says what, when it does not come true in time."""
    begin = time.monotonic()
    while not condition():
        assert time.monotonic() - begin < seconds, f"{what}: not within {seconds:g} s"
        time.sleep(0.01)
    return round(time.monotonic() - begin, 2)


def until_head(line: DahdiLine, sample: int) -> None:
    until(f"sample {sample}", lambda: line.head >= sample, 5)


class Clock:
    """Holds a line's sample numbers against the time."""

    def __init__(self, line: DahdiLine) -> None:
        self._line = line
        self._begin = self._anchor()

    def _anchor(self) -> Anchor:
        anchor = self._line.anchor()
        assert anchor is not None, "nothing has arrived"
        return anchor

    def check(self) -> float:
        """By how many samples they are off since the beginning. Fails when that is too much."""
        now = self._anchor()
        passed = (now.monotonic_ns - self._begin.monotonic_ns) * FRAME_RATE / 1e9
        off = now.sample - self._begin.sample - passed
        assert abs(off) <= TOLERANCE, f"{off:+.0f} samples against the clock, over {passed / FRAME_RATE:.1f} s"
        return round(off, 1)

    def gaps(self) -> Sequence[Gap]:
        return self._line.gaps(self._begin.sample, self._line.head - self._begin.sample)


def opened(span: int, options: str = "", system: Linux | None = None) -> DahdiLine:
    line = DahdiDriver(system).open(f"dahdi:{span}{options}")
    assert isinstance(line, DahdiLine)
    return line


def refused(spec: str) -> str:
    try:
        DahdiDriver().open(spec)
    except OpenError as error:
        return str(error)
    raise AssertionError(f"{spec} was opened")


@contextlib.contextmanager
def trunk(far: int, near: int, *, signals: bool = True, system: Linux | None = None) -> Iterator[tuple[Pbx, Recorder]]:
    """The DIUN2 emulator on one span, the recorder's line on the other."""
    recorder = Recorder(opened(near, system=system), signals=signals)
    pbx = Pbx(opened(far, "?timing=0"))
    try:
        until("octets from the emulator", lambda: recorder.line.head > 2 * FRAME_RATE, 10)
        yield pbx, recorder
    finally:
        pbx.close()
        recorder.close()


@contextlib.contextmanager
def local_spans() -> Iterator[LocalSpans]:
    spans = LocalSpans()
    try:
        yield spans
    finally:
        spans.close()


@contextlib.contextmanager
def bench_board(module: Path) -> Iterator[Bench]:
    bench = Bench(module)
    try:
        yield bench
    finally:
        bench.close()


def overrun_facts(far: int, near: int) -> Facts:
    """Nobody reads for 0.4 s, three times: what is said to be lost must be what is lost, on all channels."""
    found: list[int] = []
    system = PausingLinux()
    with trunk(far, near, signals=False, system=system) as (_pbx, recorder):
        line = recorder.line
        first = line.head
        phase = recorder.phase(first - 200) + 200
        for _again in range(3):
            with system.paused():
                time.sleep(0.4)
            time.sleep(1.0)
        head = line.head
        gaps = line.gaps(first, head - first)
        say(f"gaps: {[(gap.first - first, gap.count, gap.cause.value) for gap in gaps]}")
        assert [gap.cause for gap in gaps] == [GapCause.OVERRUN] * 3, f"gaps {gaps}"
        sample = first
        for gap in (*gaps, None):
            end = head if gap is None else gap.first
            off = (recorder.phase(sample) - phase - (sample - first) + PERIOD // 2) % PERIOD - PERIOD // 2
            assert not off, f"from sample {sample} on {off:+} samples were miscounted; the gaps are {gaps}"
            wrong = list(recorder.differing(sample, end - sample, phase + sample - first))
            assert not wrong, "; ".join(wrong)
            if gap is not None:
                found.append(gap.count)
                sample = gap.first + gap.count
        assert line.status().counters.overruns == 3
    return {"lost_samples": found}
