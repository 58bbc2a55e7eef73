"""CPU and memory of processes over time, from /proc."""

import os
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from rich.console import Console

from osrec_emulators.demo.processes import descendants

TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Sample:
    """One process at one moment: seconds since the start, CPU seconds used so far, resident MiB."""

    at: float
    recordings: int
    cpu: float
    resident: float


class Meter:
    """Follows processes and everything below them.

    Args:
        roots: pids by name.
    """

    def __init__(self, roots: dict[str, int]) -> None:
        self._pids = dict(roots)
        for root in list(roots.values()):
            for pid, line in descendants(root).items():
                self._pids[_name(line)] = pid
        self._samples: dict[str, list[Sample]] = {name: [] for name in self._pids}

    def sample(self, at: float, recordings: int) -> None:
        """Note all processes that are there."""
        for name, pid in self._pids.items():
            try:
                fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
                resident = int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE / 2**20
            except OSError:
                continue
            cpu = (int(fields[11]) + int(fields[12])) / TICKS
            self._samples[name].append(Sample(at, recordings, cpu, resident))

    def write(self, path: Path, console: Console) -> None:
        """A Markdown table: per process, CPU of a core and resident memory in steps of a minute or less."""
        lines = [
            "| process | from s | to s | recordings | CPU % of a core | resident MiB |",
            "|---|---|---|---|---|---|",
        ]
        for name, samples in self._samples.items():
            step = max(len(samples) // 10, 1)
            marks = samples[::step]
            for one, other in pairwise(marks):
                cpu = 100 * (other.cpu - one.cpu) / (other.at - one.at)
                span = f"{one.at:.0f} | {other.at:.0f}"
                lines.append(f"| {name} | {span} | {other.recordings} | {cpu:.1f} | {other.resident:.1f} |")
        path.write_text("\n".join(lines) + "\n")
        console.print("\n".join(lines))


def _name(command_line: str) -> str:
    for part in ("recorder.main", "recorder.keeper"):
        if part in command_line:
            return part.rpartition(".")[2] if part.endswith("keeper") else "recorder"
    return command_line[:40]
