"""One data link connection of LAPD, point to point, as a machine: Q.921 Annex B, states 4 to 8. It does no I/O.

Network and user side differ in nothing here but the C/R bit, which whoever writes the octets sets. Where Annex B leaves
a choice (5.6.7), we ask with RR or RNR and P 1 rather than repeat the last I frame. XID is not answered: parameters
are configured at both ends.
"""

from collections.abc import Callable
from typing import Any

from osrec.isdn.link_core import State
from osrec.isdn.link_messages import (
    DataRequest,
    Deactivated,
    EstablishRequest,
    FrameReceived,
    FrameRejected,
    LinkEvent,
    LinkOutput,
    LinkTimer,
    OwnBusy,
    ReleaseRequest,
    TimerExpired,
    UnitDataRequest,
)
from osrec.isdn.link_states import LinkStates
from osrec.wire.q921.frames import (
    COMMANDS,
    RESPONSES,
    Frame,
    Information,
    Rejected,
    S,
    U,
    Unnumbered,
)


class DataLink(LinkStates):
    """One data link connection."""

    def handle(self, event: LinkEvent, now: float) -> list[LinkOutput]:
        """Advance by one event; `now` is any monotonic time, in seconds. Neither peer nor layer 3 can make it raise."""
        if isinstance(event, TimerExpired):
            for timer in [timer for timer, due in self._timers.items() if due <= now]:
                if self._timers.pop(timer, None) is not None:  # else the one before has stopped it
                    TABLE[self.state, timer](self, event, now)
        else:
            TABLE[self.state, _key(event)](self, event, now)
        self._send_waiting(now)
        outputs, self._outputs = self._outputs, []
        return outputs


Key = S | U | type[Any] | LinkTimer
Handler = Callable[[Any, Any, float], None]


def _key(event: LinkEvent) -> Key:
    """What the table is looked up by. A U format whose C/R is not that of its kind is none of table 5: 3.6.11."""
    if not isinstance(event, FrameReceived):
        return type(event)
    frame: Frame = event.frame
    if isinstance(frame, Information):
        return Information
    if isinstance(frame, Unnumbered) and frame.kind in (RESPONSES if frame.command else COMMANDS):
        return WrongRole
    return frame.kind


class WrongRole:
    """Key of the table: a command sent as a response, or the other way round."""


def _wrong_role(link: DataLink, event: FrameReceived, now: float) -> None:
    rejected = FrameRejected(Rejected.NOT_IMPLEMENTED)
    TABLE[link.state, FrameRejected](link, rejected, now)


_L = LinkStates
_EVERY: dict[Key, Handler] = {
    UnitDataRequest: _L._send_unit_data,
    U.UI: _L._unit_data,
    U.XID: _L._ignore,
    WrongRole: _wrong_role,
    Deactivated: _L._deactivated,
}
_DOWN: dict[Key, Handler] = _EVERY | {  # states 4, 5 and 6: no multiple frame operation
    FrameRejected: _L._note_rejected,
    OwnBusy: _L._ignore,
    Information: _L._ignore,
    S.RR: _L._ignore,
    S.RNR: _L._ignore,
    S.REJ: _L._ignore,
    U.FRMR: _L._ignore,
    LinkTimer.T203: _L._ignore,  # it never runs here
    LinkTimer.ACKNOWLEDGE: _L._ignore,  # nor does it
}
_UP: dict[Key, Handler] = _EVERY | {  # states 7 and 8
    EstablishRequest: _L._establish_request,
    ReleaseRequest: _L._release_request,
    DataRequest: _L._queue,
    OwnBusy: _L._busy,
    FrameRejected: _L._reject,
    LinkTimer.ACKNOWLEDGE: _L._acknowledge_now,
    Information: _L._information,
    U.SABME: _L._reset_by_peer,
    U.DISC: _L._released_by_peer,
    U.UA: _L._unexpected_ua,
    U.DM: _L._lost_by_peer,
    U.FRMR: _L._rejected_by_peer,
}
_ROWS: dict[State, dict[Key, Handler]] = {
    State.TEI_ASSIGNED: _DOWN
    | {
        EstablishRequest: _L._establish_request,
        ReleaseRequest: _L._confirm_release,
        DataRequest: _L._ignore,
        U.SABME: _L._accept_establishment,
        U.DISC: _L._refuse,
        U.UA: _L._unexpected_ua,
        U.DM: _L._invited,
        LinkTimer.T200: _L._ignore,  # it never runs here
        Deactivated: _L._ignore,
    },
    State.AWAITING_ESTABLISHMENT: _DOWN
    | {
        EstablishRequest: _L._establish_again,
        ReleaseRequest: _L._save_release,
        DataRequest: _L._queue_unless_new,
        U.SABME: _L._acknowledge,
        U.DISC: _L._refuse,
        U.UA: _L._established,
        U.DM: _L._refused,
        LinkTimer.T200: _L._repeat_sabme,
    },
    State.AWAITING_RELEASE: _DOWN
    | {
        EstablishRequest: _L._save_establishment,
        ReleaseRequest: _L._drop_establishment,
        DataRequest: _L._ignore,
        U.SABME: _L._refuse,
        U.DISC: _L._acknowledge,
        U.UA: _L._release_confirmed,
        U.DM: _L._release_confirmed,
        LinkTimer.T200: _L._repeat_disc,
    },
    State.ESTABLISHED: _UP
    | {
        S.RR: _L._receive_ready,
        S.REJ: _L._rejected,
        S.RNR: _L._receive_not_ready,
        LinkTimer.T200: _L._ask_for_acknowledgement,
        LinkTimer.T203: _L._ask_after_silence,
    },
    State.TIMER_RECOVERY: _UP
    | {
        S.RR: _L._recovering,
        S.REJ: _L._recovering,
        S.RNR: _L._recovering,
        LinkTimer.T200: _L._ask_again,
        LinkTimer.T203: _L._ignore,  # it never runs here
    },
}
# Every state with every event: a hole here is a bug that a test finds.
TABLE: dict[tuple[State, Key], Handler] = {
    (state, key): handler for state, row in _ROWS.items() for key, handler in row.items()
}
