"""The filter in MonitorStart: left out, or as a site's PBX wants it."""

from pathlib import Path

import pytest

from osrec.errors import UsageError
from osrec.wire.csta.codec import decode, encode
from osrec.wire.csta.dialect import dialect
from osrec.wire.csta.model import DeviceId, Invoke, MonitorFilter, MonitorStart
from tests.scenario.site import Site
from tests.scenario.test_calls import TWO_PARTY, equal, steps

HIPATH = (  # the lengths that HiPath's client sends, its zeros written out
    "8004060000008602030087020600"  # call control 18 bits, call associated 5, media 2
    "88030500008903020000830205008502010084020700"  # physical 11, logical 14, maintenance 3, voice unit 7, private 1
)


def start(asked: MonitorFilter | None) -> Invoke:
    return Invoke(7, MonitorStart(DeviceId("257"), asked))


@pytest.mark.parametrize("asked", [None, *MonitorFilter])
def test_a_filter_goes_over_the_wire_and_comes_back(asked: MonitorFilter | None) -> None:
    assert decode(encode(start(asked))) == start(asked)


def test_zeros_have_the_lengths_that_a_hipath_knows() -> None:
    octets = encode(start(MonitorFilter.ZEROS)).hex()
    assert HIPATH in octets
    assert f"a0{len(HIPATH) // 2:02x}{HIPATH}" in octets


def test_an_empty_filter_is_a_sequence_without_members() -> None:
    assert "a000" in encode(start(MonitorFilter.EMPTY)).hex()
    assert encode(start(None)).hex() == "a1" + "12" + "020107020147300a" + "30058003323537" + "0a0101"


def test_xml_has_no_words_for_a_filter() -> None:
    with pytest.raises(UsageError, match="filter 'zeros' of MonitorStart has no place in XML"):
        dialect("xml", "xml8").encode(start(MonitorFilter.ZEROS))


def test_ones_leave_the_bits_that_are_not_used_zero() -> None:  # X.690 11.2.1
    octets = encode(start(MonitorFilter.ONES)).hex()
    assert "800406ffffc0" in octets
    assert "84020780" in octets


def test_one_bit_is_enough_to_be_no_filter_of_zeros() -> None:
    octets = encode(start(MonitorFilter.ZEROS))
    read = decode(octets.replace(bytes.fromhex("80040600000086"), bytes.fromhex("80040600080086")))
    assert read == start(MonitorFilter.ONES)


@pytest.mark.parametrize(
    ("asked", "silent", "recorded"),
    [("none", ["ones"], 1), ("zeros", ["none", "ones"], 1), ("ones", ["none", "zeros"], 1), ("ones", ["ones"], 0)],
)
def test_a_pbx_of_either_polarity_reports_when_the_filter_suits_it(
    tmp_path: Path, asked: str, silent: list[str], recorded: int
) -> None:
    csta = {"host": "in.process", "port": 1, "monitor_filter": asked}
    play = steps(*TWO_PARTY, (3.0, "3100", "hangup"))
    with Site(tmp_path, play, cap={"silent_filters": silent}, csta=csta) as site:
        site.run(8).finish()
        if recorded:
            equal(site)
        assert len(site.sidecars()) == recorded
