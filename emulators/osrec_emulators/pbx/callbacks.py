"""A caller who did not reach a station: call-back when both are free, and camp-on."""

from dataclasses import dataclass
from functools import partial

from osrec.wire.csta import model
from osrec.wire.csta.model import LocalState
from osrec_emulators.pbx.calls import Call, Cause, Identifiers, Leg, Party, RuleError
from osrec_emulators.pbx.config import PbxConfig
from osrec_emulators.pbx.directory import Directory
from osrec_emulators.pbx.routing import Routing
from osrec_emulators.pbx.truth import Truth


@dataclass(slots=True)
class _Callback:
    """`ready`: the station was used since, or was busy and is no more; `skip`: this call itself does not count."""

    to: str
    ready: bool = False
    skip: bool = False


class Callbacks(Routing):
    """Remembers who wants whom.

    Attributes:
        callbacks: what is going to be called back, by the station that wants it.
    """

    def __init__(self, config: PbxConfig, directory: Directory, identifiers: Identifiers, truth: Truth) -> None:
        super().__init__(config, directory, identifiers, truth)
        self.callbacks: dict[str, _Callback] = {}
        self._when_idle.insert(0, self._let_camped_ring)
        self._when_idle.append(self._call_back_from)

    def callback(self, device: str) -> None:
        """The PBX shall call as soon as both are free: after busy, or when the station was used again; hangs up."""
        call, _ = self._require(device, "ask for a call back", LocalState.CONNECTED)
        ringing = [leg.device for leg in call.in_state(LocalState.ALERTING) if leg.device in self.directory.stations]
        wanted = call.wanted or (ringing[0] if len(ringing) == 1 and not call.answered else None)
        if wanted is None:
            raise RuleError(f"{device} cannot ask for a call back: call {call.id.hex()} waits for no station")
        self.callbacks[device] = _Callback(wanted, skip=bool(ringing))
        self._release(call, device, Cause.NORMAL_CLEARING)
        if not ringing:
            self._see_idle(wanted)

    def camp_on(self, device: str) -> None:
        """Wait for a busy station: it rings as soon as it is free (ECMA-269 Camp On Call)."""
        call, _ = self._require(device, "camp on", LocalState.CONNECTED)
        if call.wanted not in call.legs or not call.failed:
            raise RuleError(f"{device} cannot camp on: call {call.id.hex()} did not find a station busy")
        failed = call.legs.pop(call.wanted or "")
        call.failed = False
        leg = self._connect(call, failed.device, failed.party, LocalState.QUEUED, failed.dynamic)
        leg.offered = leg.device
        self._be_patient(call, self._config.camp_on_patience)
        self._report(model.Queued, call, leg, Cause.CAMP_ON)
        self._see_idle(leg.device)

    # --- when a station is idle

    def _let_camped_ring(self, device: str) -> None:
        for call in self.calls_of(device):
            leg = call.legs[device]
            if leg.state is LocalState.QUEUED and not leg.bridged:
                self._alert(call, leg, Cause.CAMP_ON)
                return

    def _call_back_from(self, device: str) -> None:
        for who, wish in list(self.callbacks.items()):
            if wish.to == device:
                wish.ready, wish.skip = not wish.skip, False
            if device in (who, wish.to) and wish.ready and self.idle(who) and self.idle(wish.to):
                del self.callbacks[who]
                self._prompt(who, wish.to)

    def _prompt(self, device: str, to: str) -> None:
        """The telephone of who wants the call rings first; when it is answered, the wanted one is called."""
        call = self._begin(self._new_thread(), Party(device))
        call.called, call.wanted = Party(to), to
        leg = self._connect(call, device, Party(device), LocalState.INITIATED)
        call.prompts = True
        self.timers.set(call, "patience", self.now + self._config.no_answer_after, partial(self._no_prompt, call))
        self._report(model.ServiceInitiated, call, leg, Cause.CALL_BACK, only=[leg])

    def _no_prompt(self, call: Call) -> None:
        self._release(call, call.calling.number, Cause.CALL_NOT_ANSWERED)

    def _answer_prompt(self, call: Call, leg: Leg) -> None:
        to, call.prompts, call.wanted = call.wanted or "", False, None
        self.timers.cancel(call, "patience")
        self._set(call, leg, LocalState.CONNECTED)
        self._report(model.Originated, call, leg, Cause.CALL_BACK)
        self._put_through(call, to, Cause.CALL_BACK)
