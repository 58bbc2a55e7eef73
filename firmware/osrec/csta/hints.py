"""Which keys of the configuration to look at when a link does not come about."""

from osrec.csta.settings import RunnerConfig
from osrec.wire.csta.recognition import NEEDED, recognise, shown
from osrec.wire.csta.xml_sessions import ERRORS

_WHO = "[csta] name and password"
_ACSE = {  # Associate-source-diagnostic of an acse-service-user, X.227: its name, and whose keys it is about
    1: ("no reason given", ""),
    2: ("application-context-name-not-supported", "[csta] context"),
    11: ("authentication-mechanism-name-not-recognized", "[csta] authentication"),
    12: ("authentication-mechanism-name-required", "[csta] authentication"),
    13: ("authentication-failure", _WHO),
    14: ("authentication-required", f"[csta] authentication, and {_WHO}"),
}
_ABORTS = {3: "[csta] authentication", 4: "[csta] authentication", 5: _WHO, 6: f"[csta] authentication, and {_WHO}"}
_SESSIONS = {  # of ECMA-354
    "invalidApplicationInfo": "[csta] application and session_info",
    "requestedProtocolVersionNotSupported": "[csta] edition",
}
_ANY_OF = "[csta] context, version, version_bits, reference, protocol_version, name and password"


def refused(diagnostic: int, *, transient: bool, session: bool) -> str:
    """What a diagnostic of the association's answer means, and what to look at. `session`: it was one of ECMA-354."""
    if session:
        word = next((word for word, said in ERRORS.items() if said[1] == diagnostic), "an error of the application")
        return f" ({word}){_look_at(_SESSIONS.get(word, '' if transient else '[csta] application and session_info'))}"
    word, keys = _ACSE.get(diagnostic, ("", _ANY_OF))
    named = f" ({word})" if word else ""
    return named + _look_at(keys or ("" if transient else _ANY_OF))


def aborted(diagnostic: int | None) -> str:
    return _look_at(_ABORTS.get(diagnostic or 0, ""))


def _look_at(keys: str) -> str:
    return f": look at {keys}" if keys else ""


class Impression:
    """What a connection brought before anything of it could be understood.

    Once a PDU was read, framing and encoding are right, and what ends the link has other reasons.
    """

    def __init__(self, config: RunnerConfig) -> None:
        self._config = config
        self._first = b""
        self._connected = self._understood = False

    def connected(self) -> None:
        self._connected = True

    def octets(self, octets: bytes) -> None:
        if len(self._first) < NEEDED:
            self._first += octets[: NEEDED - len(self._first)]

    def understood(self) -> None:
        self._understood = True

    def forget(self) -> None:
        """Another connection is tried: nothing of the last one has a meaning for it."""
        self._first, self._connected, self._understood = b"", False, False

    def explained(self, reason: str) -> str:
        """Why the link is down, and what of it the configuration may mend."""
        if not self._connected or self._understood:
            return reason
        if not self._first:
            return f"{reason}; nothing came on this connection: look at {self._spoken}, and port"
        look = recognise(self._first)
        if look is None:
            return f"{reason}; the first octets {shown(self._first)} are no CSTA that is known: {self._spoken}"
        if (look.framing, look.encoding) == (self._config.framing, self._config.encoding):
            return reason
        return f"{reason}; {self._spoken}: the first octets {shown(self._first)} look like {look.text}"

    @property
    def _spoken(self) -> str:
        return f'[csta] framing = "{self._config.framing}", encoding = "{self._config.encoding}"'
