"""What no event tells, and the recorder does not ask: who is in a call where somebody monitored only rings."""

from osrec.wire.csta.model import LocalState
from osrec_emulators.pbx.calls import Call
from tests.property.tracker_model.scene import Scene


class Doubts:
    """Follows the PBX from look to look."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._unnamed: set[tuple[Call, str]] = set()  # who was in a call before anybody monitored was
        self._watched: set[Call] = set()  # calls that a monitored station was in at the last look

    def unnamed(self, call: Call) -> set[str]:
        """Who in the call need not be known by name."""
        return {number for one, number in self._unnamed if one is call}

    def look(self) -> None:
        """Somebody monitored may have come into a call: it is told who called, and asks once it is connected."""
        monitored = self._scene.watched_by
        watched = set(self._scene.watched_calls())
        for call in watched:
            told = {call.calling.number, *monitored}
            before = () if call in self._watched else call.connections
            self._unnamed |= {(call, leg.party.number) for leg in before if leg.party.number not in told}
        asked = {
            call for call in watched if any(leg.device in monitored for leg in call.in_state(LocalState.CONNECTED))
        }
        self._unnamed = {(call, number) for call, number in self._unnamed if call in watched - asked}
        self._watched = watched
