"""Lines of DAHDI on a model of the kernel's part, in time that passes only when a test says so."""

import random
import time
from collections.abc import Callable
from typing import Any, Self

import pytest

from osrec_drivers.dahdi import DahdiDriver, DahdiLine
from osrec_drivers.errors import OpenError
from osrec_drivers.line import Gap
from tests.dahdi_model import ModelDahdi

DICE = random.Random(11)


class Bench:
    """A model, and the lines that tests open on it."""

    def __init__(self) -> None:
        self.model = ModelDahdi()
        self.driver = DahdiDriver(self.model)
        self.lines: list[DahdiLine] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for line in self.lines:
            line.close()

    def line(self, spec: str, **more: Any) -> DahdiLine:
        line = self.driver.open(spec, **more)
        assert isinstance(line, DahdiLine)
        self.lines.append(line)
        return line

    def refusal(self, spec: str) -> str:
        with pytest.raises(OpenError) as refused:
            self.driver.open(spec)
        return str(refused.value)

    def pair(self, options: str = "") -> tuple[DahdiLine, DahdiLine]:
        """The line under test and the one at the other end of its cable."""
        near, far = self.line(f"dahdi:2{options}"), self.line(f"dahdi:1{options}")
        self.model.pass_time(0)
        return near, far


def voice(milliseconds: int) -> bytes:
    return DICE.randbytes(32 * 8 * milliseconds)


def where(line: DahdiLine, frames: bytes, slot: int = 1) -> int:
    """Sample number at which these frames begin."""
    at = line.read(slot, line.oldest, line.head - line.oldest).find(frames[slot::32][:80])
    assert at >= 0, "they are not there"
    return line.oldest + at


def gaps(line: DahdiLine) -> list[Gap]:
    return list(line.gaps(0, line.head))


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.002)  # lets the line's thread run; the end is the condition's
