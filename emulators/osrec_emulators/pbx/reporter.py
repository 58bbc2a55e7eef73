"""Turns each transition of a call into the events that the monitors of its devices see (ECMA-269 clause 6)."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from osrec.wire.csta import model
from osrec.wire.csta.model import ConnectionId, Device, DeviceId, LinkedConnection, LocalState, NoDevice
from osrec_emulators.pbx.calls import Call, Leg, Occurrence, Party
from osrec_emulators.pbx.config import PbxConfig
from osrec_emulators.pbx.directory import Directory
from osrec_emulators.pbx.truth import Truth

Moved = tuple[Call, Leg]  # a connection that went to another call: where it was, and what it is now


class Reporter:
    """Collects occurrences until somebody takes them.

    Attributes:
        version: grows with every report, so with every change that anybody could notice.
    """

    def __init__(self, config: PbxConfig, directory: Directory, truth: Truth) -> None:
        self.version = 0
        self._directory = directory
        self._truth = truth
        self._dynamic = config.connection_ids == "dynamic"
        self._linkage = config.linkage
        self._who_sees_ports = config.fork.events
        self._occurrences: list[Occurrence] = []

    def take(self) -> list[Occurrence]:
        taken, self._occurrences = self._occurrences, []
        return taken

    def occurred(self, occurrence: Occurrence) -> None:
        """Something that no call has to do with."""
        self.version += 1
        self._occurrences.append(occurrence)

    def connection(self, call: Call, leg: Leg) -> ConnectionId:
        return ConnectionId(call.id, leg.dynamic if self._dynamic else DeviceId(leg.device))

    def device(self, party: Party) -> Device:
        return self._directory.device_id(party)

    def parties(self, call: Call) -> model.Parties:
        """Calling and called, with the number outside and the trunk where one is external (ECMA-269 6.1.3)."""
        calling, called = call.calling, call.called
        return model.Parties(
            calling=self.device(calling),
            called=NoDevice.NOT_KNOWN if called is None else self.device(called),
            last_redirection=DeviceId(call.redirected_from) if call.redirected_from else NoDevice.NOT_SPECIFIED,
            network_calling=self.device(calling) if calling.trunk else None,
            associated_calling=DeviceId(calling.trunk) if calling.trunk else None,
            associated_called=DeviceId(called.trunk) if called and called.trunk else None,
        )

    def report(
        self,
        now: float,
        kind: type[model.Event],
        call: Call,
        leg: Leg,
        cause: int,
        *,
        gone: Iterable[Leg] = (),
        only: Iterable[Leg] | None = None,
        **members: Any,
    ) -> None:
        """One event about `leg` for each device of the call, with that device's own state.

        Args:
            gone: connections that have just left the call and still hear of it, with local state null.
            only: the audience, when not everybody is told.
            members: what this kind of event has beyond connection, device, cause and parties.
        """
        self.version += 1
        self._truth.event(call, now, kind.__name__, leg.party.number)
        if "device" not in members and kind is not model.DigitsGenerated:
            members["device"] = self.device(leg.party)
        if kind in _WITH_PARTIES:
            parties = self.parties(call)
            # ECMA-285 gives Originated no callingDevice beyond its subject
            members["parties"] = replace(parties, calling=NoDevice.NOT_KNOWN) if kind is model.Originated else parties
        members.update(
            cause=cause,
            linkage=call.linkage if self._linkage else None,
            connection=self.connection(call, leg),
            user_data=call.user_data,
            correlator=call.correlator,
        )
        event = kind(**members)
        present = call.legs.values() if only is None else only
        self._tell(now, event, [other for other in present if other.state is not LocalState.FAIL], gone)

    def merged(
        self,
        now: float,
        kind: type[model.Transferred | model.Conferenced],
        new: Call,
        old: tuple[Moved, ...],
        *,
        to: Party,
        moved: list[Moved],
        cause: int,
    ) -> None:
        """Transferred or Conferenced: two calls became `new`; `old` are the deciding device's connections.

        A single step transfer and the replacement of a path have one old call.
        """
        by = old[0][1]
        self.version += 1
        self._truth.event(new, now, kind.__name__, by.party.number)
        self._truth.merged(new, (call for call, _ in old), now)
        gone = [] if by.device in new.legs else [by]
        final: dict[str, Any] = {"to" if kind is model.Transferred else "added": self.device(to)}
        for leg in [*new.legs.values(), *gone]:
            event = kind(
                cause=cause,
                linkage=new.linkage if self._linkage else None,
                primary=self.connection(*old[0]),
                secondary=self.connection(*old[1]) if len(old) > 1 else None,
                user_data=new.user_data,
                correlator=new.correlator,
                device=self.device(by.party),
                connections=tuple(self._link(new, was, is_now) for was, is_now in moved if self._shows(is_now, leg)),
                **final,
            )
            self._tell(now, event, [] if leg in gone else [leg], [leg] if leg in gone else [])

    def fork_joined(
        self, now: float, call: Call, port: Leg, station: Leg, *, cause: int, moved_from: Call | None = None
    ) -> None:
        """Conferenced for a recorder's port: it joined, or with `moved_from` it followed its station to this call."""
        self.version += 1
        joined = LinkedConnection(
            new=self.connection(call, port),
            old=self.connection(moved_from, port) if moved_from else None,
            endpoint=self.device(port.party),
        )
        stays = tuple(self._link(call, call, leg) for leg in call.legs.values() if not leg.silent)
        event = model.Conferenced(
            cause=cause,
            linkage=call.linkage if self._linkage else None,
            primary=self.connection(moved_from or call, port if moved_from else station),
            secondary=None,
            device=self.device(station.party),
            added=self.device(port.party),
            connections=(*stays, joined),
        )
        self._tell(now, event, self._port_audience(call, port), ())

    def fork_left(self, now: float, call: Call, port: Leg, station: Leg, cause: int) -> None:
        """ConnectionCleared for a recorder's port."""
        self.version += 1
        event = model.ConnectionCleared(
            cause=cause,
            linkage=call.linkage if self._linkage else None,
            connection=self.connection(call, port),
            device=self.device(port.party),
        )
        audience = self._port_audience(call, port)
        absent = [station] if station.device not in call.legs and self._sees_ports_of(station.device, port) else []
        self._tell(now, event, audience, [port, *absent])

    def _port_audience(self, call: Call, port: Leg) -> list[Leg]:
        """Who is told what a silent leg does: always those who monitor the port."""
        return [
            leg
            for leg in call.legs.values()
            if leg is port or (leg.state is not LocalState.FAIL and self._sees_ports_of(leg.device, port))
        ]

    def _shows(self, leg: Leg, viewer: Leg) -> bool:
        """Whether a connection list names `leg` for this viewer: silent legs are not for everyone."""
        return not leg.silent or leg.device == viewer.device or self._sees_ports_of(viewer.device, leg)

    def _sees_ports_of(self, viewer: str, port: Leg) -> bool:
        return self._who_sees_ports == "all" or (self._who_sees_ports == "station" and viewer == port.records)

    def _link(self, new: Call, was: Call, leg: Leg) -> LinkedConnection:
        return LinkedConnection(
            new=self.connection(new, leg), old=self.connection(was, leg), endpoint=self.device(leg.party)
        )

    def _tell(self, now: float, event: Any, present: Iterable[Leg], gone: Iterable[Leg]) -> None:
        for leg in present:
            self._occurrences.append(Occurrence(now, leg.device, replace(event, local=leg.state)))
        for leg in gone:
            self._occurrences.append(Occurrence(now, leg.device, replace(event, local=LocalState.NULL)))


_WITH_PARTIES = frozenset(
    {
        model.Originated,
        model.NetworkReached,
        model.Queued,
        model.Delivered,
        model.Established,
        model.Failed,
        model.Diverted,
    }
)
