"""What goes wrong with the CSTA link of the soak's site: what the CAP is declared to do, and who dials after it.

Most of it is the CAP emulator's own: [[cap.faults.timed]], [[cap.restarts]] and [[cap.clients]] at moments that the
seed chooses. The network's part, and the recorder's choice among the CAP's addresses, are played here.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from osrec.csta import endpoints
from osrec.csta.endpoints import EndpointEvent, Endpoints, Server
from osrec.csta.link import State
from osrec.recorder.parts import link_config
from osrec_emulators.cap.outages import Down, Outages
from tests.scenario.site import Site
from tests.scenario.soak_moments import moments

ADDRESSES = (("in.process", 1), ("in.process", 2))  # of the CAP
CONNECTIONS = 200  # for which it is declared how the CAP treats them: more than there will be
QUIET = 3.0  # seconds without anything outstanding that count as a quiet moment, as for the real runner


@dataclass(frozen=True, slots=True)
class LinkTroubles:
    """How often what happens. Times are means, in seconds; rates are one in so many; 0: never.

    Attributes:
        silence: the CAP sends nothing any more. half_open: it reads nothing any more, either.
        lost_link: nothing arrives on either side, and the CAP keeps the old association for a while.
        hang_up: the CAP ends the connection.
        restart: of the CAP, or of one of its addresses; all cross references begin anew, calls go on.
        lose_events: events get lost for seconds, and the client is told. messages_lost: it is told so without a loss.
        overload, disabled, partial: SystemStatus says so for seconds.
        monitor_stop: the CAP stops the monitors of some stations.
        clients: whether later connections are treated ill, each in a way of its own (`_CLIENTS`).
        lost_every: events that get lost, and the client is told; unreported: nobody is told.
        swap_every, damaged_every, oversized_every, unknown_monitor_every: see cap/faults.py.
    """

    silence: float = 0.0
    half_open: float = 0.0
    lost_link: float = 0.0
    hang_up: float = 0.0
    restart: float = 0.0
    lose_events: float = 0.0
    messages_lost: float = 0.0
    overload: float = 0.0
    disabled: float = 0.0
    partial: float = 0.0
    monitor_stop: float = 0.0
    clients: bool = False
    lost_every: int = 0
    unreported: bool = False
    swap_every: int = 0
    damaged_every: int = 0
    oversized_every: int = 0
    unknown_monitor_every: int = 0


QUIET_LINK = LinkTroubles(restart=300.0)
ALL = LinkTroubles(
    silence=250.0,
    half_open=250.0,
    lost_link=250.0,
    hang_up=120.0,
    restart=150.0,
    lose_events=120.0,
    messages_lost=120.0,
    overload=120.0,
    disabled=150.0,
    partial=150.0,
    monitor_stop=60.0,
    clients=True,
    lost_every=2000,
    swap_every=2000,
    damaged_every=2000,
    oversized_every=1000,
    unknown_monitor_every=1000,
)

OUTAGES = LinkTroubles(silence=20.0, half_open=20.0, lost_link=20.0, hang_up=20.0, restart=20.0)
LOSSES = LinkTroubles(
    lose_events=20.0,
    messages_lost=20.0,
    overload=20.0,
    disabled=20.0,
    partial=20.0,
    monitor_stop=10.0,
    lost_every=300,
    swap_every=300,
    damaged_every=300,
    oversized_every=300,
    unknown_monitor_every=300,
)
SINGLE = {
    "silence": LinkTroubles(silence=30.0),
    "half_open": LinkTroubles(half_open=30.0),
    "lost_link": LinkTroubles(lost_link=40.0),
    "hang_up": LinkTroubles(hang_up=15.0),
    "restart": LinkTroubles(restart=20.0),
    "lose_events": LinkTroubles(lose_events=15.0),
    "messages_lost": LinkTroubles(messages_lost=15.0),
    "overload": LinkTroubles(overload=20.0),
    "disabled": LinkTroubles(disabled=20.0),
    "partial": LinkTroubles(partial=20.0),
    "monitor_stop": LinkTroubles(monitor_stop=8.0),
    "clients": LinkTroubles(clients=True, hang_up=15.0),
    "lost_every": LinkTroubles(lost_every=200),
    "swap_every": LinkTroubles(swap_every=200),
    "damaged_every": LinkTroubles(damaged_every=300),
    "oversized_every": LinkTroubles(oversized_every=300),
    "unknown_monitor_every": LinkTroubles(unknown_monitor_every=200),
}

# How the CAP treats one connection; the next one is treated in another way.
_CLIENTS: tuple[dict[str, Any], ...] = (
    {"answers": {"late": 0.1, "snapshot_segments": 1}, "transport": {"coalesce": 0.02}},  # slow
    {"association": {"refuse": "reject"}},
    {"answers": {"monitor_result_late": 0.5, "snapshot_segments": 2, "segments_first": True}},
    {"association": {"refuse": "transient"}},
    {
        "answers": {
            "refuse_monitors": [
                {"devices": "31?7", "category": "system_resource", "value": 15, "times": 2},  # deviceOutOfService
                {"devices": "32?3", "category": "subscribed_resource", "value": 4, "times": 1},
            ],
            "lost_every": 30,
            "lost_of": ["SnapshotCall"],
        }
    },
    {"association": {"refuse": "silence"}},
    {"answers": {"failed_every": 30, "late": 0.05, "snapshot_segments": 3}, "transport": {"fragment": 7}},
    {"association": {"refuse": "abort"}},
    {"status": {"late": 2.0}, "answers": {"lost_every": 60, "lost_of": ["MonitorStart", "SnapshotDevice"]}},
    {"answers": {"snapshot_segments": 1}, "status": {"never": True}},
)


def declared(plan: LinkTroubles, base: dict[str, Any], seed: int, seconds: float) -> dict[str, Any]:
    """The [cap] keys for it; `base`: [cap.faults] without it, which goes for every client."""
    rng = random.Random(f"link {seed}")
    events = {
        key: value
        for key in ("lost_every", "swap_every", "damaged_every", "oversized_every", "unknown_monitor_every")
        if (value := getattr(plan, key))
    }
    events["lost_reported"] = not plan.unreported
    timed = [one for kind in _TIMED for one in _timed(kind, getattr(plan, kind), rng, seconds)]
    faults = base | {"events": base["events"] | events, "timed": sorted(timed, key=lambda one: float(one["at"]))}
    return {
        "also_listen": [f"{host}:{port}" for host, port in ADDRESSES[1:]],
        "faults": faults,
        "clients": list(_clients(faults, rng)) if plan.clients else [],
        "restarts": list(_restarts(rng, plan.restart, seconds)),
    }


def servers() -> list[dict[str, Any]]:
    """The recorder's [[csta.servers]]."""
    return [{"host": host, "port": port} for host, port in ADDRESSES]


def _choice(rng: random.Random, kind: str) -> dict[str, Any]:
    match kind:
        case "hang_up":
            return {"what": "cut"}
        case "silence" | "half_open":
            return {"what": kind}
        case "lose_events":
            return {"what": kind, "seconds": round(rng.uniform(0.5, 4.0), 1)}
        case "messages_lost":
            return {"what": "status", "status": kind}
        case "overload":
            which = rng.choice(["overload_imminent", "overload_reached"])
            return {"what": "status", "status": which, "seconds": 15.0}
        case "disabled":
            which = rng.choice(["disabled", "initializing"])
            return {"what": "status", "status": which, "seconds": round(rng.uniform(1.0, 12.0), 1)}
        case "partial":
            return {"what": "status", "status": "partially_disabled", "seconds": round(rng.uniform(1.0, 12.0), 1)}
        case _:
            pattern = rng.choice(["31??", "3???", f"3?{rng.randrange(10)}?", f"3??{rng.randrange(10)}"])
            return {"what": "monitor_stop", "devices": pattern}


_TIMED = (
    "hang_up", "silence", "half_open", "lose_events", "messages_lost", "overload", "disabled", "partial",
    "monitor_stop",
)  # fmt: skip


def _timed(kind: str, every: float, rng: random.Random, seconds: float) -> Iterator[dict[str, Any]]:
    if every:
        yield from ({"at": round(when, 2)} | _choice(rng, kind) for when in moments(rng, seconds, every))


def _clients(faults: dict[str, Any], rng: random.Random) -> Iterator[dict[str, Any]]:
    """Every other connection is a healthy one, the first of all, too."""
    ways = rng.sample(_CLIENTS, len(_CLIENTS))
    for index in range(CONNECTIONS // 2):
        way = ways[index % len(ways)]
        merged = {key: (faults.get(key, {}) | way[key]) if key in way else faults.get(key) for key in faults | way}
        yield {"connections": [2 * index + 2] * 2, "faults": merged}


def _restarts(rng: random.Random, every: float, seconds: float) -> Iterator[dict[str, Any]]:
    for when in moments(rng, seconds, every) if every else ():
        one = {"at": round(when, 2), "closed": round(rng.uniform(2.0, 25.0), 1)}
        listener = rng.choice([1, 1, None])
        yield one if listener is None else one | {"listener": listener}


class Dialler:
    """Dials the CAP's addresses as the recorder's runner does: with its back-off, fail-over, probes and fail-back.

    Attributes:
        counts: what was played of the network and of the CAP's addresses.
        unplugged: no connection can be made.
    """

    def __init__(self, site: Site, rng: random.Random) -> None:
        self.counts: dict[str, int] = {}
        self.unplugged = False
        self._site = site
        self._config = link_config(site.config).endpoints
        self._rng = rng
        self._servers = Endpoints(self._config, lambda: 1.0)
        self._outages = Outages(site.restarts, len(self._config.servers), 0.0)
        self._listener = 1
        self._up = False
        self._connected = False
        self._busy_until = 0.0
        self._caller: object = None

    def step(self, now: float) -> None:
        self._restarts(now)
        if self._site.recorder is None:
            return
        if self._caller is not self._site.recorder:
            self._begin(now)
        self._follow(now)
        if self._servers.deadline is not None and self._servers.deadline <= now:
            self._choose(endpoints.TimeIs(quiet=now >= self._busy_until), now)

    def _begin(self, now: float) -> None:
        """The recorder has been started; the site may have dialled the first address for it."""
        self._caller = self._site.recorder
        self._servers = Endpoints(self._config, lambda: self._rng.uniform(0.5, 1.0))
        self._up, self._connected, self._listener = False, self._site.connected, 1
        if self._connected:
            self._servers.handle(endpoints.Started(), now)
        else:
            self._choose(endpoints.Started(), now)

    def _follow(self, now: float) -> None:
        """What became of the connection since the last look."""
        site = self._site
        if site.csta_link.outstanding:
            self._busy_until = now + QUIET
        up = site.csta_link.state is State.UP
        if up != self._up:
            self._up = up
            self._choose(endpoints.WentUp() if up else endpoints.WentDown(), now)
        if self._connected and not site.connected:
            self._connected = False
            self._choose(endpoints.Ended(), now)

    def _choose(self, event: EndpointEvent, now: float) -> None:
        for output in self._servers.handle(event, now):
            match output:
                case endpoints.Dial(server):
                    self._dial(server, now)
                case endpoints.HangUp(reason):
                    self._site.hang_up_in_order(reason)
                case endpoints.Probe(server):
                    self._choose(endpoints.Probed(server, self._answers(server)), now)
                case endpoints.Settled(_, preferred):
                    self._count("fail_back" if preferred else "fail_over")

    def _dial(self, server: Server, now: float) -> None:
        if not self._answers(server):
            self._count("dialled in vain")
            self._choose(endpoints.Ended(), now)
            return
        self._listener = server.port
        self._site.mend_link(server.port)
        self._connected = True

    def _answers(self, server: Server) -> bool:
        return not self.unplugged and not self._outages.is_down(server.port)

    def _restarts(self, now: float) -> None:
        for change in self._outages.take(now):
            if isinstance(change, Down):
                self._count("cap restart")
                if self._listener in change.listeners:
                    self._site.restart_cap()

    def _count(self, what: str) -> None:
        self.counts[what] = self.counts.get(what, 0) + 1


class LostLink:
    """Nothing arrives any more on the link, and nobody is told."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def strike(self, now: float) -> None:
        self._site.lose_link()

    def step(self, now: float) -> None:
        pass  # the recorder finds out, and dials again

    def calm(self, now: float) -> None:
        pass
