"""Which calls of the PBX are one conversation, and who ever was in it: the truth, so far as anybody could be told."""

from typing import Any

from osrec.wire.csta import model
from osrec.wire.csta.model import LocalState
from osrec_emulators.pbx.calls import Call, Occurrence
from osrec_emulators.pbx.moves import Move
from tests.property.tracker_model.link import Link
from tests.property.tracker_model.scene import Scene

JOINS = ("transfer", "conference", "blind_transfer", "replace_path")

Members = dict[Call, set[str]]  # devices of each call before a move


class Threads:
    """Follows the PBX from move to move."""

    def __init__(self, scene: Scene, link: Link) -> None:
        self._scene = scene
        self._link = link
        self._groups: dict[Call, set[Call]] = {}  # without linkage: calls that can be known to be one conversation
        self._joined: dict[bytes, bytes] = {}  # threads that became part of another one
        self._unclear: set[bytes] = set()  # threads that were joined and nobody told of it
        self._people: dict[bytes, set[str]] = {}  # by thread
        self._thread_of: dict[bytes, bytes] = {}  # by call id

    # --- what was so

    def clear(self, call: Call) -> bool:
        """Whether somebody monitored told of all that made the call's conversation what it is."""
        return self._of(call.thread.id) not in self._unclear

    def people_of(self, call: Call) -> set[str]:
        """Everybody who ever was in the call's conversation."""
        return self._people[self._of(call.thread.id)]

    def conversation_of(self, call: Call) -> Any:
        """Equal for calls that can be known to be one conversation."""
        if self._scene.linkage:
            return self._of(call.thread.id)
        return frozenset(map(id, self._groups.get(call, {call})))

    def _of(self, thread: bytes) -> bytes:
        while thread in self._joined:
            thread = self._joined[thread]
        return thread

    # --- what happens

    def moved(self, move: Move, new: list[Call], members: Members) -> None:
        """A move made new calls; `members` is who was in which call before."""
        who, monitored = move.arguments[0], self._scene.watched_by
        for call in new:
            self._groups.setdefault(call, {call})
            told = self._scene.watches(call) or who in monitored
            if move.command == "consult" and who in monitored:
                olds = [one for one in members if who in one.legs and one.legs[who].state is LocalState.HOLD]
            elif move.command in JOINS and told:
                running = self._scene.world.switch.calls
                olds = [one for one in members if running.get(one.id) is not one and who in members[one]]
                hearing = self._link.hearing
                heard = who in hearing or any(leg.device in hearing for leg in call.active)
                seen = heard and all(members[old] & hearing for old in olds)
                for old in olds:
                    self._join(old.thread.id, call.thread.id, seen=seen)
            else:
                continue
            for old in olds:
                group = self._groups.get(old, {old}) | self._groups[call]
                for one in group:
                    self._groups[one] = group

    def _join(self, one: bytes, other: bytes, *, seen: bool) -> None:
        one, other = self._of(one), self._of(other)
        if one != other and not seen:
            self._unclear |= {one, other}
        elif one != other:
            self._unclear |= {other} if one in self._unclear else set()
            self._joined[one] = other
            self._people.setdefault(other, set()).update(self._people.pop(one, set()))

    def look(self) -> None:
        """See who is in which call now."""
        for call in self._scene.world.switch.calls.values():
            self._thread_of[call.id] = call.thread.id
            people = self._people.setdefault(self._of(call.thread.id), set())
            people |= {leg.party.number for leg in call.legs.values() if not leg.silent} | {call.calling.number}
            people |= {call.redirected_from} if call.redirected_from else set()
            people |= {call.called.number} if call.called else set()

    def passed(self, occurrences: list[Occurrence]) -> None:
        """Somebody may be in a call for a moment only: the PBX tells him of it then."""
        for occurrence in occurrences:
            connection: model.ConnectionId | None = getattr(occurrence.event, "connection", None)
            if connection is not None and connection.call_id in self._thread_of:
                self._people[self._of(self._thread_of[connection.call_id])].add(occurrence.device)
