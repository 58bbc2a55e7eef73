"""The live view: who talks to whom, which ports carry whose audio, how the lines are."""

from collections.abc import Iterable

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from osrec_emulators.pbx.calls import Call, Leg
from osrec_emulators.pbx.media import Fork, Side
from osrec_emulators.runner import Emulation

MOST_CALLS = 40  # rows that a terminal shows


def view(emulation: Emulation) -> RenderableType:
    """One picture of the PBX as it is now."""
    return Group(_summary(emulation), _clients(emulation), _calls(emulation), _lines(emulation))


def _summary(emulation: Emulation) -> Text:
    world = emulation.world
    return Text(
        f"PBX {emulation.clock():.0f} s   calls {len(world.switch.calls)}   ended {world.truth.finished}   "
        f"forked ports {len(world.topology.forks)}   clients {len(emulation.server.clients)}"
    )


def _clients(emulation: Emulation) -> Table:
    table = Table("client", "monitors", "events", "withheld", "faults", title="CSTA", title_justify="left", expand=True)
    for client in emulation.server.clients:
        counters = client.counters
        played = ", ".join(f"{name} {count}" for name, count in sorted(counters.faults.items())) or "none"
        who = f"{client.user or 'nobody'} at {client.peer}"
        table.add_row(who, f"{client.monitors}", f"{counters.events}", f"{counters.withheld}", played)
    return table


def _calls(emulation: Emulation) -> Table:
    table = Table("call", "parties", "recorder ports", title="calls", title_justify="left", expand=True)
    forks = emulation.world.topology.forks
    calls = list(emulation.world.switch.calls.values())
    for call in calls[:MOST_CALLS]:
        table.add_row(call.id.hex(), _parties(call), _ports(call, forks.values()))
    if len(calls) > MOST_CALLS:
        table.add_row("", f"and {len(calls) - MOST_CALLS} more", "")
    return table


def _parties(call: Call) -> str:
    return "   ".join(_leg(leg) for leg in call.legs.values() if not leg.silent)


def _leg(leg: Leg) -> str:
    over = f" over {leg.device}" if leg.party.trunk else ""
    return f"{leg.party.number}{over} {leg.state.name.lower()}"


def _ports(call: Call, forks: Iterable[Fork]) -> str:
    marks = {Side.OWN: "says", Side.OTHER: "hears"}
    stations = {leg.device for leg in call.legs.values() if not leg.silent}
    return "   ".join(f"{fork.port} {fork.station} {marks[fork.side]}" for fork in forks if fork.station in stations)


def _lines(emulation: Emulation) -> Table:
    heads = ("line", "frames sent", "slots in use", "signalling", "alarms")
    table = Table(*heads, title="lines", title_justify="left", expand=True)
    for port in emulation.ports:
        alarms = ", ".join(sorted(port.alarms)) or "none"
        shown = Text(alarms, "red" if port.alarms else "green")
        table.add_row(port.line, f"{port.sent}", f"{port.forks}", _SIGNALLING[port.signalling], shown)
    return table


_SIGNALLING: dict[bool | None, str | Text] = {None: "none", True: "up", False: Text("down", "red")}
