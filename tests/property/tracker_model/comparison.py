"""The tracker's view beside that of the PBX: states, who talks, and which calls are one conversation."""

from typing import Any
from uuid import UUID

from osrec.calls.conversation import Conversation
from osrec.wire.csta.model import LocalState
from osrec_emulators.pbx.calls import Call
from tests.property.tracker_model.doubts import Doubts
from tests.property.tracker_model.link import Link
from tests.property.tracker_model.people import PORTS, is_group
from tests.property.tracker_model.scene import LINGER, Scene
from tests.property.tracker_model.threads import Threads

GRAIN = 0.5  # time goes on by this much at most between two looks at who is there


class Comparison:
    """Asserts that both are equal, as far as anybody could be told."""

    def __init__(self, scene: Scene, link: Link, threads: Threads, doubts: Doubts) -> None:
        self._scene = scene
        self._link = link
        self._threads = threads
        self._doubts = doubts
        self._identities = Identities(scene, link)

    def check(self) -> None:
        scene = self._scene
        self.no_port_is_anybody()
        truth, told = self.true_states(), self.told_states()
        assert told == truth, f"states: {_difference(told, truth)}"
        true_talk, told_talk = self.true_talks(), self.told_talks()
        assert told_talk == true_talk, f"talks: {_difference(told_talk, true_talk)}"
        self._check_who_is_there()
        if scene.linkage or not self._link.lossy:
            self._check_partition()

    def forget_identities(self) -> None:
        """Events were lost: a conversation may have ended on what was heard."""
        self._identities.forget()

    def note_absence(self) -> None:
        """Time passes: nobody monitored may have been in some conversation."""
        self._identities.note_absence({self._threads.conversation_of(call) for call in self._scene.watched_calls()})

    # --- the recorder's own ports

    def no_port_is_anybody(self) -> None:
        for conversation in self._scene.tracker.conversations.values():
            assert not conversation.participants.keys() & set(PORTS), "a port is a participant"
            assert not set(conversation.via) & set(PORTS), "a call came through a port"
            for call in conversation.calls.values():
                assert not call.legs.keys() & set(PORTS), f"a port is a party of call {call.call_id.hex()}"

    # --- who is where, and who talks

    def true_states(self) -> dict[tuple[str, bytes], LocalState]:
        return {
            (leg.device, call.id): leg.state
            for call in self._scene.world.switch.calls.values()
            for leg in call.connections
            if leg.device in self._scene.watched_by
        }

    def told_states(self) -> dict[tuple[str, bytes], LocalState]:
        return {
            (device, call.call_id): state
            for conversation in self._scene.tracker.conversations.values()
            for call in conversation.calls.values()
            for device, state in call.legs.items()
            if device in self._scene.watched_by
        }

    def true_talks(self) -> dict[tuple[str, bytes], None]:
        return {
            (leg.device, call.id): None
            for call in self._scene.world.switch.calls.values()
            for leg in call.active
            if leg.device in self._scene.watched_by and leg.state is LocalState.CONNECTED
            if any(o is not leg and o.state is LocalState.CONNECTED and not is_group(o.device) for o in call.active)
        }

    def told_talks(self) -> dict[tuple[str, bytes], None]:
        return {
            (station, call.call_id): None
            for conversation in self._scene.tracker.conversations.values()
            for station in self._scene.monitored
            if (call := conversation.talking(station)) is not None
        }

    def _check_who_is_there(self) -> None:
        for call in self._scene.watched_calls():
            here = {leg.party.number for leg in call.legs.values() if not leg.silent and not is_group(leg.device)}
            missing = here - self._doubts.unnamed(call) - set(self._conversation_with(call).participants)
            assert not missing, f"everybody who is in call {call.id.hex()} is a participant, {missing} are not"

    # --- which calls are one conversation

    def _check_partition(self) -> None:
        of_group: dict[Any, set[UUID]] = {}
        in_conversation: dict[UUID, set[Any]] = {}
        for call in self._scene.watched_calls():
            if not self._threads.clear(call):
                continue
            conversation = self._conversation_with(call)
            group = self._threads.conversation_of(call)
            of_group.setdefault(group, set()).add(conversation.id)
            in_conversation.setdefault(conversation.id, set()).add(group)
            strangers = set(conversation.participants) - self._threads.people_of(call)
            assert not strangers, f"nobody is who never was in call {call.id.hex()}: {strangers}"
        assert all(len(ids) == 1 for ids in of_group.values()), f"one conversation for each thread: {of_group}"
        assert all(len(groups) == 1 for groups in in_conversation.values()), f"and none for two: {in_conversation}"
        if self._scene.linkage:  # else groups grow, so they are not keys
            self._identities.check({group: next(iter(ids)) for group, ids in of_group.items()})

    def _conversation_with(self, call: Call) -> Conversation:
        found = [one for one in self._scene.tracker.conversations.values() if call.id in one.calls]
        assert len(found) == 1, f"call {call.id.hex()} is in {len(found)} conversations"
        return found[0]


class Identities:
    """A conversation keeps its id for as long as somebody monitored is in it, and for `LINGER` after."""

    def __init__(self, scene: Scene, link: Link) -> None:
        self._scene = scene
        self._link = link
        self._known_as: dict[Any, UUID] = {}  # by group of calls
        self._absent: dict[Any, float] = {}  # since when nobody monitored is in it

    def forget(self) -> None:
        self._known_as.clear()

    def check(self, now_known: dict[Any, UUID]) -> None:
        for group, identity in now_known.items():
            before = self._known_as.get(group)
            while before in self._link.merged:
                before = self._link.merged[before]
            if before is not None and self._may_not_have_ended(group):
                assert identity == before, f"conversation {before} goes on as {identity}"
        self._known_as |= now_known
        self.note_absence(set(now_known))
        for group in now_known:
            self._absent.pop(group, None)

    def note_absence(self, present: set[Any]) -> None:
        for group in self._known_as:
            if group not in present:
                self._absent.setdefault(group, self._scene.now)
            elif self._may_not_have_ended(group):
                self._absent.pop(group, None)

    def _may_not_have_ended(self, group: Any) -> bool:
        return group not in self._absent or self._scene.now - self._absent[group] < LINGER - GRAIN


def _difference(told: dict[Any, Any], truth: dict[Any, Any]) -> str:
    wrong = {key for key in told.keys() | truth.keys() if told.get(key, "none") != truth.get(key, "none")}
    return "; ".join(
        f"{device} in call {call.hex()}: told {_state(told, device, call)}, true {_state(truth, device, call)}"
        for device, call in sorted(wrong)
    )


def _state(states: dict[Any, Any], device: str, call: bytes) -> str:
    if (device, call) not in states:
        return "no"
    state = states[device, call]
    return "yes" if state is None else state.name.lower()
