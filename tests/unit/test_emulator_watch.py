"""Outages are noted as they were: no client, a station without monitor, no licence for it."""

import json
from datetime import timedelta
from typing import Any

from osrec_emulators.pbx.world import EPOCH
from osrec_emulators.watch import Seen, Watch

A, B = "3100", "3101"
ALL = frozenset({A, B})
NOBODY = Seen(frozenset(), frozenset(), exhausted=False)


class Site:
    def __init__(self) -> None:
        self.lines: list[str] = []
        self.watch = Watch(ALL, lambda now: EPOCH + timedelta(seconds=now), self.lines.append)

    def see(self, now: float, *monitored: str, clients: str = "a", exhausted: bool = False) -> None:
        self.watch.look(Seen(frozenset(clients), frozenset(monitored), exhausted), now)

    def rows(self) -> list[tuple[Any, ...]]:
        start = EPOCH.isoformat(timespec="milliseconds")
        assert all(row["from"] >= start for row in map(json.loads, self.lines))
        rows = [json.loads(line) for line in self.lines]
        return sorted(
            (row["what"], row.get("station"), row["from"][17:19], (row["to"] or "never")[17:19]) for row in rows
        )


def test_until_somebody_associates_the_link_is_down() -> None:
    site = Site()
    site.watch.look(NOBODY, 1.0)
    site.see(3.0, A, B)
    assert site.rows() == [("link", None, "00", "03")]


def test_a_client_that_comes_back_leaves_a_gap() -> None:
    site = Site()
    site.see(0.0, A, B)
    site.see(5.0, A, B)
    site.watch.look(NOBODY, 6.0)
    site.watch.look(NOBODY, 7.0)
    site.see(9.0, A, B)
    assert site.rows()[1:] == [("link", None, "05", "09")]


def test_a_client_that_is_replaced_between_two_looks_was_away() -> None:
    site = Site()
    site.see(0.0, A, B, clients="a")
    site.see(5.0, A, B, clients="a")
    site.see(6.0, A, B, clients="b")
    assert site.rows()[1:] == [("link", None, "05", "06")]


def test_one_client_of_two_may_leave() -> None:
    site = Site()
    site.see(0.0, A, B, clients="ab")
    site.see(5.0, A, B, clients="b")
    assert len(site.rows()) == 1


def test_when_the_pbx_ends_the_link_is_down_for_good() -> None:
    site = Site()
    site.see(0.0, A)
    site.watch.close(9.0)
    assert site.rows() == [("link", None, "00", "00"), ("link", None, "09", ""), ("monitor", B, "00", "09")]
    site = Site()
    site.watch.close(9.0)
    assert site.rows() == [("link", None, "00", "")]


def test_a_station_without_monitor_is_noted() -> None:
    site = Site()
    site.see(0.0, A)
    site.see(4.0, A, B)
    site.see(7.0, B)
    site.watch.close(9.0)
    assert site.rows()[2:] == [("monitor", A, "07", "09"), ("monitor", B, "00", "04")]


def test_a_station_for_which_there_is_no_licence_is_noted_so() -> None:
    site = Site()
    site.see(0.0, A)
    site.see(2.0, A, exhausted=True)
    site.see(4.0, A, B, exhausted=True)
    assert site.rows() == [("licence", B, "00", "04"), ("link", None, "00", "00")]


def test_while_the_link_is_down_no_monitor_is_missed() -> None:
    site = Site()
    site.see(0.0, A)
    site.watch.look(NOBODY, 5.0)
    site.watch.look(NOBODY, 6.0)
    site.see(8.0, A, B)
    assert site.rows()[1:] == [("link", None, "00", "08"), ("monitor", B, "00", "00")]
