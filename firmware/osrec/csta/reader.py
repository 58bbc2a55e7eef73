"""From frames to events of the link; what cannot be read is kept, and never stops anything."""

import structlog

from osrec.csta.messages import PduReceived, Undecodable
from osrec.csta.oddities import Oddities
from osrec.errors import WireError
from osrec.wire.csta.dialect import Dialect
from osrec.wire.csta.model import EventReport, Invoke, UnknownArgument

log = structlog.get_logger()


class Reader:
    """Reads what came over the link.

    Attributes:
        oddities: what could not be read, whole PDUs and arguments of theirs.
        was_report: the last frame read was an event report.
    """

    def __init__(self, spoken: Dialect) -> None:
        self.oddities = Oddities()
        self.was_report = False
        self._dialect = spoken

    def read(self, frame: bytes, at: float) -> PduReceived | Undecodable:
        """One frame that came at wall time `at`."""
        self.was_report = False
        try:
            pdu = self._dialect.decode(frame)
        except WireError as error:
            return self._odd(at, str(error), frame)
        except Exception as error:  # a fault of ours in one PDU must not stop the link
            log.exception("csta decoder fails by our own fault", octets=frame.hex())
            return self._odd(at, f"our own fault: {error!r}", frame)
        if isinstance(pdu, Invoke):
            self.was_report = isinstance(pdu.argument, EventReport)
            if isinstance(pdu.argument, UnknownArgument):
                self.oddities.add(at, pdu.argument.reason, frame)
        return PduReceived(pdu)

    def _odd(self, at: float, reason: str, frame: bytes) -> Undecodable:
        self.oddities.add(at, reason, frame)
        return Undecodable(reason, frame)
