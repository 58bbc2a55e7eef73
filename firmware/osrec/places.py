"""Where the keys of a TOML file stand: the standard library's reader tells values, but no lines.

Only for text that `tomllib` has taken: what is no TOML is not found out here.
"""

import re
from bisect import bisect_right

Key = tuple[str | int, ...]

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_STRING = re.compile(r'"""(?:[^\\]|\\.)*?"{3,5}|\'\'\'.*?\'{3,5}|"(?:[^"\\]|\\.)*"|\'[^\']*\'', re.DOTALL)
_SCALAR = re.compile(r"[^,\]}\s#]+(?: [0-9:.]+[^,\]}\s#]*)?")  # a date may have a space before its time
_SPACE = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_ESCAPE = re.compile(r'\\(["\\])')


class Places:
    """Lines of a TOML document, counted from 1."""

    def __init__(self, text: str) -> None:
        self._starts = [0] + [found.end() for found in re.finditer("\n", text)]
        self._at = _Scanner(text).document()

    def line(self, key: Key) -> int | None:
        """Of a key or of an array's element; of what it would be in when it is not there. None: of nothing at all."""
        for length in range(len(key), 0, -1):
            if (at := self._at.get(key[:length])) is not None:
                return bisect_right(self._starts, at)
        return None


class _Scanner:
    """Walks through a document and notes where each key begins."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._found: dict[Key, int] = {}
        self._counts: dict[Key, int] = {}  # elements of arrays of tables so far

    def document(self) -> dict[Key, int]:
        table: Key = ()
        while self._skip():
            if self._peek("["):
                table = self._header()
            else:
                self._pair(table)
        return self._found

    def _header(self) -> Key:
        start = self._at
        brackets = 2 if self._peek("[[") else 1
        self._at += brackets
        *outer, last = self._dotted()
        self._skip()
        self._at += brackets
        table: Key = ()
        for part in outer:
            table = self._newest((*table, part))
        table = (*table, last)
        self._found.setdefault(table, start)
        if brackets == 2:
            self._counts[table] = self._counts.get(table, 0) + 1
            table = self._newest(table)
            self._found[table] = start
        return table

    def _newest(self, table: Key) -> Key:
        count = self._counts.get(table)
        return table if count is None else (*table, count - 1)

    def _pair(self, table: Key) -> None:
        start = self._at
        key = (*table, *self._dotted())
        for length in range(len(table) + 1, len(key) + 1):
            self._found.setdefault(key[:length], start)
        self._skip()
        self._at += 1  # =
        self._skip()
        self._value(key)

    def _dotted(self) -> list[str]:
        parts: list[str] = []
        while True:
            self._skip()
            quoted = _STRING.match(self._text, self._at)
            bare = quoted or _BARE.match(self._text, self._at)
            if bare is None:
                raise ValueError(f"no key at offset {self._at}: not TOML")
            self._at = bare.end()
            parts.append(_ESCAPE.sub(r"\1", bare[0][1:-1]) if quoted else bare[0])
            self._skip()
            if not self._peek("."):
                return parts
            self._at += 1

    def _value(self, key: Key) -> None:
        if self._peek("["):
            self._elements(key)
        elif self._peek("{"):
            self._inline(key)
        else:
            found = _STRING.match(self._text, self._at) or _SCALAR.match(self._text, self._at)
            if found is None:
                raise ValueError(f"no value at offset {self._at}: not TOML")
            self._at = found.end()

    def _elements(self, key: Key) -> None:
        self._at += 1
        number = 0
        while self._skip() and not self._peek("]"):
            self._found[*key, number] = self._at
            self._value((*key, number))
            number += 1
            self._skip()
            self._at += self._peek(",")
        self._at += 1

    def _inline(self, key: Key) -> None:
        self._at += 1
        while self._skip() and not self._peek("}"):
            self._pair(key)
            self._skip()
            self._at += self._peek(",")
        self._at += 1

    def _peek(self, text: str) -> bool:
        return self._text.startswith(text, self._at)

    def _skip(self) -> bool:
        """Pass over space and comments. False at the end."""
        space = _SPACE.match(self._text, self._at)
        assert space is not None  # it matches nothing, too
        self._at = space.end()
        return self._at < len(self._text)
