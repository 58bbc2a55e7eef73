"""The way out of one connection: invoke ids, encoding, framing, what is counted, and what keeps silent."""

from osrec.errors import UsageError
from osrec.wire.csta import model
from osrec.wire.csta.dialect import Dialect
from osrec_emulators.cap.faults import Transport
from osrec_emulators.cap.messages import Counters, Output, Played, Send
from osrec_emulators.cap.outlet import Outlet

LONGEST_DETAIL = 1000  # characters


class Exit:
    """Everything that a session sends goes through here.

    Attributes:
        silent_until: nothing gets out before, and nobody is told; infinity: never again.
    """

    def __init__(
        self, dialect: Dialect, counters: Counters, transport: Transport, *, first_invoke_id: int, last_invoke_id: int
    ) -> None:
        self.silent_until = float("-inf")
        self._dialect = dialect
        self._framing = dialect.framing()
        self._counters = counters
        self._next = min(first_invoke_id, last_invoke_id)
        self._last = last_invoke_id
        self._outlet = Outlet(transport)
        self._outputs: list[Output] = []

    @property
    def deadline(self) -> float | None:
        return self._outlet.deadline

    def follow(self, transport: Transport) -> None:
        """From now on octets leave so."""
        self._outlet.faults = transport

    def invoke_id(self) -> int:
        chosen = self._next
        self._next = chosen + 1 if chosen < self._last else 1
        return chosen

    def encode(self, pdu: model.Pdu) -> bytes:
        """Raises UsageError when this dialect has no such PDU."""
        return self._dialect.encode(pdu)

    def send(self, pdu: model.Pdu, now: float) -> None:
        self.send_octets(self.encode(pdu), now)

    def send_octets(self, pdu: bytes, now: float, name: str = "a PDU") -> bool:
        """Send a PDU as octets, which need not be a good one; whether it went out.

        Args:
            name: what is lost when it does not fit the framing.
        """
        if now < self.silent_until:
            return False
        try:
            framed = self._framing.encode(pdu)
        except UsageError:
            self.played("too_large_to_frame", now, f"{len(pdu)} octets: {name}")
            return False
        self._counters.sent += 1
        self._outlet.put(framed, now)
        return True

    def output(self, output: Output, now: float) -> None:
        """What is no octets, after those that were sent before."""
        self._flush(now)
        self._outputs.append(output)

    def played(self, fault: str, now: float, detail: str = "") -> None:
        """Note a fault."""
        self._counters.faults[fault] = self._counters.faults.get(fault, 0) + 1
        self._outputs.append(Played(now, fault, detail[:LONGEST_DETAIL]))

    def silence(self, until: float) -> None:
        self.silent_until = max(self.silent_until, until)
        self._outlet.drop()

    def finish(self, now: float) -> None:
        """What is gathered goes out at once: the connection ends."""
        self._outlet.deadline = now if self._outlet.deadline is not None else None

    def take(self, now: float) -> list[Output]:
        self._flush(now)
        taken, self._outputs = self._outputs, []
        return taken

    def _flush(self, now: float) -> None:
        self._outputs += [Send(octets) for octets in self._outlet.writes(now)]
