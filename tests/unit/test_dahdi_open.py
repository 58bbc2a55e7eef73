"""Opening a span of DAHDI, and what stands in the way of that."""

from collections.abc import Iterator
from typing import Any

import pytest

from osrec_drivers import dahdi_abi as abi
from osrec_drivers.dahdi_abi import LineConfig, LineSetting, Signalling
from osrec_drivers.errors import OpenError
from tests.unit.dahdi_bench import Bench


@pytest.fixture
def bench() -> Iterator[Bench]:
    with Bench() as bench:
        yield bench


def test_opening_tells_dahdi_framing_clock_and_use_of_the_channels(bench: Bench) -> None:
    bench.line("dahdi:2?timing=0&crc4=0")
    span = bench.model.spans[2]
    assert span.configured == [LineSetting(2, LineConfig.CCS | LineConfig.HDB3, lbo=0, timing=0)]
    assert span.running
    assert [channel.signalling for channel in span.channels] == [Signalling.CLEAR] * 31
    assert {channel.master for channel in span.channels} == {32}


def test_a_span_that_is_set_up_already_is_left_as_it_is(bench: Bench) -> None:
    bench.line("dahdi:2").close()
    bench.line("dahdi:2").close()
    assert len(bench.model.spans[2].configured) == 1
    bench.line("dahdi:2?configure=always").close()
    assert len(bench.model.spans[2].configured) == 2


def test_a_span_that_others_set_up_is_not_touched_on_request(bench: Bench) -> None:
    bench.line("dahdi:2").close()
    bench.line("dahdi:2?configure=never&timing=0").close()
    assert [setting.timing for setting in bench.model.spans[2].configured] == [1]


def test_what_stands_in_the_way_is_named(bench: Bench) -> None:
    assert "span 7: DAHDI has none; it has 1, 2" in bench.refusal("dahdi:7")
    bench.line("dahdi:1")
    assert "span 1 is in use by another program, as /proc/dahdi/1 shows" in bench.refusal("dahdi:1")
    bench.model.spans[2].refuses = frozenset({"config"})
    assert "model card 0 span 2 refuses" in bench.refusal("dahdi:2")
    assert "timing=1: Invalid argument" in bench.refusal("dahdi:2")


def test_a_machine_without_dahdi_is_told_so(bench: Bench) -> None:
    bench.model.refused_paths["/dev/dahdi/ctl"] = 13
    assert "/dev/dahdi/ctl may not be opened: it belongs to user and group dahdi" in bench.refusal("dahdi:1")
    bench.model.refused_paths.clear()
    bench.model.loaded = False
    assert "/dev/dahdi/ctl is not there: the kernel module dahdi is not loaded" in bench.refusal("dahdi:1")


def test_a_t1_is_refused(bench: Bench) -> None:
    status = bench.model.spans[1].status
    bench.model.spans[1].status = abi.span_status(abi.span_answer(status).replace(b"E1\0", b"T1\0"))
    bench.model.spans[1].status = type(status)(**{**_fields(bench.model.spans[1].status), "channels": 24})
    assert "span 1 has 24 channels (T1, model card 0 span 1): an E1 has 31" in bench.refusal("dahdi:1")


def _fields(status: abi.SpanStatus) -> dict[str, Any]:
    return {name: getattr(status, name) for name in abi.SpanStatus.__slots__}


def test_nothing_stays_open_after_a_refusal(bench: Bench) -> None:
    bench.model.spans[2].refuses = frozenset({"config"})
    bench.refusal("dahdi:2")
    assert bench.model.open_descriptors == 0


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("dahdi:x", "span 'x' must be a number 1..128"),
        ("dahdi:0", "span '0' must be a number 1..128"),
        ("dahdi:", "such a line is named dahdi:SPAN, as in dahdi:1"),
        ("dahdi:1?timing=x", "option timing='x' must be a number 0..128"),
        ("dahdi:1?hdlc=maybe", "option hdlc='maybe' must be ours or dahdi"),
        ("dahdi:1?framing=esf", "option 'framing' is unknown; there are crc4, timing, lbo, configure, hdlc, ahead_ms"),
    ],
)
def test_a_wrong_spec_is_named_with_what_would_be_right(bench: Bench, spec: str, message: str) -> None:
    with pytest.raises(OpenError) as refused:
        bench.driver.check(spec)
    assert message in str(refused.value)


def test_spans_are_listed_with_whether_they_are_free(bench: Bench) -> None:
    bench.line("dahdi:2")
    found = [(info.spec, info.description, info.free) for info in bench.driver.detect()]
    assert found == [
        ("dahdi:1", "DAHDI span 1: model card 0 span 1", True),
        ("dahdi:2", "DAHDI span 2: model card 0 span 2", False),
    ]
