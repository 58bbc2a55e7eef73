"""What parties add to a call: account codes, user data, correlators, digits, and joining a shared line."""

from osrec.wire.csta import model
from osrec.wire.csta.model import LocalState
from osrec_emulators.pbx.calls import Call, Cause, Leg, RuleError
from osrec_emulators.pbx.transitions import Transitions

_IN_CALL = (LocalState.CONNECTED, LocalState.HOLD)


class Details(Transitions):
    """Call associated features."""

    def account(self, device: str, code: str) -> None:
        """Somebody enters an account code (CallInformation)."""
        call, leg = self._require(device, "enter an account code", *_IN_CALL)
        self._truth.account(call, self.now, leg.party.number, code)
        self._inform(call, leg, account=code.encode("latin-1", "replace"))

    def user_data(self, device: str, text: str) -> None:
        """Attach data that all later events of the call carry."""
        call, leg = self._require(device, "attach user data", *_IN_CALL)
        call.user_data = text.encode("latin-1", "replace")
        self._inform(call, leg)

    def correlator(self, device: str, text: str) -> None:
        """Attach a correlator, which stays with the call through transfers (ECMA-269 Associate Data)."""
        call, leg = self._require(device, "attach a correlator", *_IN_CALL)
        call.correlator = text.encode("latin-1", "replace")
        self._inform(call, leg)

    def digits(self, device: str, digits: str) -> None:
        """Send DTMF digits into the call."""
        call, leg = self._require(device, "send digits", LocalState.CONNECTED)
        self._truth.digits(call, self.now, leg.party.number, digits)
        self._report(model.DigitsGenerated, call, leg, Cause.NORMAL, digits=digits)

    def bridge(self, device: str) -> None:
        """Join the call that another appearance of the shared line has."""
        if self.engaged(device):
            raise RuleError(f"{device} cannot bridge into a call: it has one")
        for call in self.calls_of(device):
            leg = call.legs[device]
            if leg.bridged:
                leg.bridged = False
                self._set(call, leg, LocalState.CONNECTED)
                self._report(model.Established, call, leg, Cause.ACTIVE_PARTICIPATION)
                return
        raise RuleError(f"{device} cannot bridge into a call: no line of it is in use")

    def _inform(self, call: Call, leg: Leg, account: bytes | None = None) -> None:
        self._report(model.CallInformation, call, leg, Cause.NORMAL, account=account)
