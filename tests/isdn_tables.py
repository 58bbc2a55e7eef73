"""The tables of docs/isdn.md, made from the machines: `python -m tests.isdn_tables` brings the document up to date."""

from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from pathlib import Path
from typing import Any

from osrec.isdn.call import NETWORK, USER, States
from osrec.isdn.call_table import _USUAL, KEYS, _rows
from osrec.isdn.link import TABLE
from osrec.isdn.link_core import State
from osrec.isdn.link_messages import LinkTimer
from osrec.isdn.timers import ROWS
from osrec.wire.q931.messages import MessageType, message_name

DOCUMENT = Path(__file__).parents[1] / "docs/isdn.md"
_BEGIN, _END = "<!-- {}: made by python -m tests.isdn_tables -->", "<!-- end -->"


def _words(handler: Any) -> str:
    return str(handler.__name__).strip("_").replace("_", " ")


def _event(key: Any) -> str:
    if isinstance(key, MessageType):
        return message_name(key)
    if isinstance(key, LinkTimer):
        return key.value
    if isinstance(key, Enum):
        return f"{key.value} (timer)" if key.name.startswith("T3") else f"{type(key).__name__} {key.value}"
    return str(key.__name__)


def _row(cells: Iterable[object]) -> str:
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


def link_table() -> Iterator[str]:
    yield _row(["event", *(f"{state.value} {state.name.replace('_', ' ').lower()}" for state in State)])
    yield _row(["---"] * (len(State) + 1))
    for key in dict.fromkeys(key for _, key in TABLE):
        cells = [_words(TABLE[state, key]) for state in State]
        yield _row([_name(key), *("–" if cell == "ignore" else cell for cell in cells)])


def _name(key: Any) -> str:
    return key.name if isinstance(key, Enum) and not isinstance(key, LinkTimer) else _event(key)


def _grouped(row: Mapping[Any, Any]) -> Iterator[str]:
    """Events by what is done about them."""
    for done in dict.fromkeys(_words(handler) for handler in row.values()):
        events = ", ".join(_event(key) for key, handler in row.items() if _words(handler) == done)
        yield f"{events}: *{done}*"


def call_table(states: States, side: str) -> Iterator[str]:
    yield _row(["state", "event: what is done"])
    yield _row(["---"] * 2)
    for state, row in sorted(_rows(states).items()):
        said = "; ".join(_grouped(row))
        yield _row([f"{side}{state.value} {state.name.replace('_', ' ').lower()}", said])
    usual = "; ".join(
        f"{_event(key)}: *{_words(_USUAL[key])}*"
        for key in KEYS
        if _words(_USUAL[key]) not in ("unexpected", "ignore", "impossible")
    )
    passed = ", ".join(_event(key) for key in KEYS if isinstance(key, MessageType) and _words(_USUAL[key]) == "ignore")
    yield _row(["all others, where the state says nothing else", f"{usual}; passed over: {passed}"])
    yield _row(
        ["what is left", "messages: *unexpected* (STATUS 101); requests: *impossible* (UsageError); timers do not run"]
    )


def timer_table() -> Iterator[str]:
    yield _row(["timer", "network", "user", "QSIG", "started by", "on expiry", "clause"])
    yield _row(["---"] * 7)
    for timer, row in ROWS.items():
        seconds = ["–" if value is None else f"{value:g}" for value in (row.network, row.user, row.qsig)]
        yield _row([timer.value, *seconds, row.started, row.expiry, row.clause])


TABLES = {
    "data link": link_table,
    "calls of a user": lambda: call_table(USER, "U"),
    "calls of a network": lambda: call_table(NETWORK, "N"),
    "timers": timer_table,
}


def brought_up_to_date(text: str) -> str:
    """The document with its tables made anew."""
    for name, made in TABLES.items():
        begin = _BEGIN.format(name)
        head, found, rest = text.partition(begin)
        assert found, f"docs/isdn.md has no line {begin}"
        text = "\n".join([head + begin, *made(), _END]) + rest.partition(_END)[2]
    return text


if __name__ == "__main__":
    DOCUMENT.write_text(brought_up_to_date(DOCUMENT.read_text()))
