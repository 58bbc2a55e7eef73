"""Who is in the numbering plan: stations, trunks, recorder ports, with names and voices."""

from osrec.wire.csta.model import Device, DeviceId
from osrec_emulators.pbx.calls import Party
from osrec_emulators.pbx.config import PbxConfig
from osrec_emulators.pbx.group_config import Disa, Executive, Group, HotLine, ParkSlots, PickupGroup
from osrec_emulators.pbx.numbering import expand, expand_all


class Directory:
    """The devices of the PBX by number.

    Attributes:
        stations, trunks, ports: numbers, in the order of the configuration.
        groups: those that one can call, by number.
        park_slots: seconds until a parked call comes back, by number.
        disa: numbers that give a dial tone.
        hot_lines: where stations without dialling call.
        pickup_groups: their members.
        voices: what stations and trunks say unless a script says otherwise.
    """

    def __init__(self, config: PbxConfig) -> None:
        self.names: dict[str, str] = {}
        self.voices: dict[str, str] = {}
        self.stations: dict[str, None] = {}
        self.trunks: dict[str, None] = {}
        self.ports: dict[str, None] = dict.fromkeys(expand_all(config.recorder_ports))
        self.groups: dict[str, Group] = {}
        self.park_slots: dict[str, float] = {}
        self.disa: set[str] = set()
        self.hot_lines: dict[str, str] = {}
        self.pickup_groups: list[list[str]] = []
        for group in config.groups:
            self._add_group(group)
        self.access_code = config.access_code
        self._access_code_shown = config.access_code_shown
        self._names_in_events = config.names_in_events
        for stations in config.stations:
            self._add(self.stations, stations.range, stations.voices)
            self.names.update(zip(expand(stations.range), stations.names, strict=False))
        for trunks in config.trunks:
            self._add(self.trunks, trunks.range, trunks.voices)

    def _add(self, kind: dict[str, None], pattern: str, voices: tuple[str, ...]) -> None:
        for position, number in enumerate(expand(pattern)):
            kind[number] = None
            fallback = f"tone:{len(self.voices)}"  # every device differs, so a mix-up is heard and seen
            self.voices[number] = voices[position % len(voices)] if voices else fallback

    def _add_group(self, group: Group) -> None:
        match group:
            case PickupGroup():
                self.pickup_groups.append(expand_all(group.members))
            case HotLine():
                self.hot_lines[group.number] = group.calls
            case ParkSlots():
                self.park_slots.update(dict.fromkeys(expand(group.numbers), group.recall_after))
            case Executive():
                if group.private is not None:
                    self.groups[group.private] = group
            case _:
                self.groups[group.number] = group
                if isinstance(group, Disa):
                    self.disa.add(group.number)

    def known(self, device: str) -> bool:
        """Whether somebody has this number; groups and park slots are devices too."""
        kinds = (self.stations, self.trunks, self.ports, self.groups, self.park_slots)
        return any(device in kind for kind in kinds)

    def outside(self, dialled: str) -> str | None:
        """The number in the public network that somebody dials, None when the digits stay inside."""
        code = self.access_code
        return dialled[len(code) :] if dialled.startswith(code) and len(dialled) > len(code) else None

    def device_id(self, party: Party) -> Device:
        """How a party is named in events."""
        if party.shown is not None:
            return party.shown
        name = self.names.get(party.number) if self._names_in_events and party.trunk is None else None
        return DeviceId(
            self._code_before(party) + party.number, name=name and name.encode("latin-1", "replace").decode("latin-1")
        )

    def _code_before(self, party: Party) -> str:
        """The code that the PBX leaves before the number of somebody outside who was called."""
        called = not party.called_in and not self.known(party.number)
        return self.access_code if self._access_code_shown and called else ""
