"""Prints what the benchmarks found, against their peers in the same run, below pytest-benchmark's table."""

from typing import Any

import pytest


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    session = getattr(config, "_benchmarksession", None)
    found = [one for one in session.benchmarks if one.extra_info] if session is not None else []
    if not found:
        return
    terminalreporter.section('figures and ratios; "times X": so many times as fast as X in this run')
    for one in found:
        figures = ", ".join(f"{value:,} {key}" for key, value in one.extra_info.items())
        terminalreporter.write_line(f"{one.name}: {figures}")
