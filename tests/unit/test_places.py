"""Lines of the keys of a TOML file."""

import tomllib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from osrec.places import Key, Places

TEXT = '''# a comment = 1
unit = "a [x] # no comment"
[data]
"quoted.key" = """
[not.a.table]
"""
dotted.inner = 1   # line 7
list = [
  "one",  # [
  'two',
  { deep = 1, also = [1, 2] },
]

[[rules]]
name = "first"
[[rules]]
name = "second"
times.from = 08:00:00
stations = ["1", "2",
  "3"]
[rules.sub]
x = 1
[[rules.list]]
y = 2020-01-01 10:00:00
[[rules.list]]
y = 2
'''


@pytest.mark.parametrize(
    ("key", "line"),
    [
        (("unit",), 2),
        (("data",), 3),
        (("data", "quoted.key"), 4),
        (("data", "dotted", "inner"), 7),
        (("data", "list"), 8),
        (("data", "list", 0), 9),
        (("data", "list", 1), 10),
        (("data", "list", 2, "also", 1), 11),
        (("rules", 0, "name"), 15),
        (("rules", 1), 16),
        (("rules", 1, "times", "from"), 18),
        (("rules", 1, "stations", 2), 20),
        (("rules", 1, "sub", "x"), 22),
        (("rules", 1, "list", 1, "y"), 26),
        (("rules", 0, "missing"), 14),
        (("nowhere",), None),
    ],
)
def test_each_key_and_element_is_found_on_its_line(key: Key, line: int | None) -> None:
    tomllib.loads(TEXT)
    assert Places(TEXT).line(key) == line


names = st.text("abc-_19", min_size=1, max_size=4)
scalars = st.one_of(
    st.integers(-9, 99).map(str),
    st.sampled_from(["true", "1.5e3", '"a # \\" ]"', "'[x]'", "2026-11-23", "07:32:00", '"""a\n"b"\n"""', '""']),
)
arrays = st.lists(scalars, max_size=3).map(lambda items: "[\n" + ",\n".join(items) + " # x\n]")


@given(st.lists(st.tuples(names, st.one_of(scalars, arrays)), max_size=6, unique_by=lambda pair: pair[0]))
@settings(max_examples=150, deadline=None)
def test_every_key_that_the_reader_of_the_standard_library_finds_has_its_line(pairs: list[tuple[str, str]]) -> None:
    text = "[[table]]\n" + "".join(f"\n# c\n{name} = {value}\n" for name, value in pairs)
    content: dict[str, Any] = tomllib.loads(text)["table"][0]
    places, lines = Places(text), text.split("\n")
    for name in content:
        line = places.line(("table", 0, name))
        assert line is not None
        assert lines[line - 1].startswith(f"{name} = ")
