"""`osrec bert`: a bit error test of time slots, through the recorder or on a line that it does not hold."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from time import monotonic, sleep
from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from osrec.cli.common import (
    DEFAULT_CONFIG,
    ConfigOption,
    JsonOption,
    console,
    control_socket,
    plain_errors,
    print_json,
)
from osrec.config import Config, load
from osrec.config_lines import slot_list
from osrec.recorder import ask
from osrec.recorder.ask import NotRunningError
from osrec.recorder.line_requests import STEP, TELL, bert_json
from osrec_drivers.e1.bert import CONFIDENCE, PATTERNS, BitErrorTest
from osrec_drivers.line import Line, open_line

Results = Iterator[dict[str, Any]]
STYLE = {"passed": "bold green", "errors": "bold red", "no pattern": "bold red", "too short to tell": "yellow"}
SETTLING = 2.0  # seconds
UNUSUAL_SLIPS = "slips: octets come twice or not at all; look at the clocks (osrec lines)"
MEANING = {
    "no pattern": (
        "nothing of the pattern came back: put a loop plug into the far end of the cable, or a loop there"
        " (osrec lines LINE loop remote, if the far end is a recorder), and look at osrec lines for alarms"
    ),
    "too short to tell": "the pattern takes up to a second to come back: test for longer",
    "errors": "look which direction is bad: osrec lines says what this end and the far end find",
}


class PatternName(StrEnum):
    """Of O.151, O.152 and O.153."""

    PRBS_15 = "2^15-1"
    PRBS_11 = "2^11-1"
    PRBS_9 = "2^9-1"


@plain_errors
def bert(
    line: Annotated[str, typer.Argument(help="Name of a line of the recorder, or the spec of any other line.")],
    slots: Annotated[str, typer.Argument(help="Time slots, such as 1-15,17-31; each is tested by itself.")],
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
    pattern: Annotated[PatternName, typer.Option(help="What is sent.")] = PatternName.PRBS_15,
    seconds: Annotated[float, typer.Option(min=1.0, help="How long; Ctrl-C ends it, too.")] = 60.0,
) -> None:
    """Bit error test: send a pattern on time slots and compare what a loop at the far end sends back."""
    try:
        slot_list(slots)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="slots") from error
    results = (
        _directly(line, slots, pattern, seconds) if ":" in line else _of_line(config, line, slots, pattern, seconds)
    )
    if json or not console.is_terminal:
        last = _last(results, lambda told: None)
        print_json(last) if json else console.print(bert_view(last))
    else:
        with Live(console=console, auto_refresh=False) as live:
            last = _last(results, lambda told: live.update(bert_view(told), refresh=True))
    raise typer.Exit(0 if last["verdict"] == "passed" else 1)


def _last(results: Results, show: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    """Follow a test to its end, or to Ctrl-C."""
    last: dict[str, Any] = {"verdict": "too short to tell", "slots": [], "seconds": 0.0}
    with suppress(KeyboardInterrupt):
        for told in results:
            last = told
            show(told)
    return last


def _of_line(path: Path, name: str, slots: str, pattern: PatternName, seconds: float) -> Results:
    """Through the recorder that holds the line; when none runs, on the line itself."""
    loaded = load(path)
    request = {"ask": "bert", "line": name, "slots": slots, "pattern": pattern.value, "seconds": seconds}
    answers = ask.stream(control_socket(loaded), request)
    try:
        first = next(answers)
    except NotRunningError:
        yield from _directly(_spec(loaded, name), slots, pattern, seconds)
        return
    yield first["bert"]
    for answer in answers:
        yield answer["bert"]
        if answer["bert"]["done"]:
            return


def _spec(config: Config, name: str) -> str:
    for line in config.lines:
        if line.name == name:
            return line.spec
    known = ", ".join(line.name for line in config.lines)
    raise typer.BadParameter(
        f"{name!r}: there is {known}; a line of no recorder is named by its spec", param_hint="line"
    )


def _directly(spec: str, slots: str, pattern: PatternName, seconds: float) -> Results:
    line = open_line(spec)
    try:
        _settle(line)
        test = BitErrorTest(line, slot_list(slots), PATTERNS[pattern.value])
        begun = told = monotonic()
        while (now := monotonic()) - begun < seconds:
            test.step()
            if now - told >= TELL:
                told = now
                yield bert_json(spec, pattern.value, test, done=False)
            sleep(STEP)
        yield bert_json(spec, pattern.value, test, done=True)
    finally:
        line.close()


def _settle(line: Line) -> None:
    """Give both ends the time to find each other: what is wrong then is the cable's, not the beginning's."""
    until = monotonic() + SETTLING
    while (not (status := line.status()).aligned or status.alarms) and monotonic() < until:
        sleep(STEP)


# --- showing it


def bert_view(told: dict[str, Any]) -> RenderableType:
    table = Table()
    for column in ("slot", "state", "bits", "errors", "rate", "sync losses", "slips", "octets missing"):
        table.add_column(column, justify="left" if column == "state" else "right")
    for one in told["slots"]:
        verdict = Text(one["verdict"], STYLE[one["verdict"]])
        counts = (str(one[key]) for key in ("losses", "slips", "missing"))
        table.add_row(str(one["slot"]), verdict, f"{one['bits']:,}", f"{one['errors']:,}", _rate(one), *counts)
    text = Text(f"{told['seconds']:.0f} s: ").append(told["verdict"], STYLE[told["verdict"]])
    text.append(f"; {meaning}" if (meaning := _meaning(told)) else "")
    return Group(table, text)


def _rate(one: dict[str, Any]) -> str:
    """Wrong bits in all; without any, what it is below with 95 % certainty."""
    if not one["bits"]:
        return "-"
    return f"{one['rate']:.1e}" if one["errors"] else f"< {CONFIDENCE / one['bits']:.0e}"


def _meaning(told: dict[str, Any]) -> str:
    if any(one["slips"] for one in told["slots"]):
        return UNUSUAL_SLIPS
    return MEANING.get(told["verdict"], "")
