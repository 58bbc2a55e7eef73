"""Who hears whom: the state of the calls as the audio plane needs it (media.Topology)."""

from collections.abc import Mapping, Sequence

from osrec.wire.csta.model import LocalState
from osrec_emulators.pbx.media import Fork, Source, Tone, Voice
from osrec_emulators.pbx.switch import Switch


class SwitchTopology:
    """Implements media.Topology over a Switch."""

    def __init__(self, switch: Switch) -> None:
        self._switch = switch
        self._said: dict[str, str] = {}
        self._sayings = 0

    @property
    def version(self) -> int:
        return self._switch.reporter.version + self._sayings

    @property
    def forks(self) -> Mapping[str, Fork]:
        return self._switch.forks.running

    def hears(self, device: str) -> Sequence[Source]:
        found = self._switch.leg_in(device, LocalState.CONNECTED, LocalState.INITIATED)
        if found is None:
            return ()
        call, own = found
        if own.state is LocalState.INITIATED:
            return (Tone("dial"),)
        others = [leg for leg in call.legs.values() if leg is not own and not leg.silent and not leg.bridged]
        talking = [leg for leg in others if leg.state is LocalState.CONNECTED]
        voices = tuple(Voice(leg.device) for leg in talking if self._switch.is_person(leg.device))
        if talking:
            return voices or (Tone("dial"),)  # of DISA
        states = {leg.state for leg in others}
        for state, tone in _TONES.items():
            if state in states:
                return (Tone(tone),)
        return (Tone("busy"),) if call.failed else ()

    def speaks(self, device: str) -> bool:
        return self._switch.leg_in(device, LocalState.CONNECTED) is not None

    def says(self, device: str) -> str:
        return self._said.get(device) or self._switch.directory.voices.get(device, "")

    def say(self, device: str, what: str) -> None:
        """From now on the device says this."""
        self._said[device] = what
        self._sayings += 1


# What one hears of the others when none of them talks to oneself, in order of preference.
_TONES = {
    LocalState.HOLD: "music",
    LocalState.ALERTING: "ringback",
    LocalState.QUEUED: "music",
    LocalState.FAIL: "busy",
}
