"""Every state of a call with every event, for a user (and QSIG) and a network: the SDL of Q.931 annex A as tables."""

from collections.abc import Callable
from enum import Enum
from typing import Any

from osrec.isdn import clearing, incoming, outgoing, supervision
from osrec.isdn.call import NETWORK, USER, Call, Pause, States
from osrec.isdn.messages import Alert, AnswerCall, ClearCall, Proceed
from osrec.isdn.timers import Timer
from osrec.wire.q931.elements import CallStateValue
from osrec.wire.q931.messages import MessageType


class LinkNews(Enum):
    """What the data link does to a call."""

    LOST = "lost"  # DL-RELEASE indication
    BACK = "back"  # DL-ESTABLISH after that
    RESET = "reset"  # DL-ESTABLISH indication in between: messages may be lost


Key = MessageType | Timer | Pause | LinkNews | type[Any]
Handler = Callable[[Call, Any, float], None]

REQUESTS: tuple[type[Any], ...] = (Proceed, Alert, AnswerCall, ClearCall)
KEYS: tuple[Key, ...] = (*MessageType, *Timer, *Pause, *LinkNews, *REQUESTS)

# Rows say what a state has of its own; what they leave out is said here once, for all of them.
_USUAL: dict[Key, Handler] = (
    dict.fromkeys(MessageType, supervision.unexpected)
    | dict.fromkeys((*Timer, *Pause), supervision.ignore)  # it does not run in this state
    | {
        MessageType.SETUP: supervision.ignore,  # 5.8.3.2 e): once more, for a call that there is
        MessageType.DISCONNECT: clearing.disconnected,
        MessageType.RELEASE: clearing.released,
        MessageType.RELEASE_COMPLETE: clearing.gone,
        MessageType.STATUS: supervision.status,
        MessageType.STATUS_ENQUIRY: supervision.status_asked,
        MessageType.PROGRESS: supervision.ignore,
        MessageType.NOTIFY: supervision.ignore,
        MessageType.INFORMATION: supervision.ignore,  # digits: any number reaches a recorder's port
        MessageType.FACILITY: supervision.ignore,
        MessageType.USER_INFORMATION: supervision.ignore,
        MessageType.CONGESTION_CONTROL: supervision.ignore,
        Proceed: supervision.impossible,
        Alert: supervision.impossible,
        AnswerCall: supervision.impossible,
        ClearCall: clearing.clear,
        Timer.T322: supervision.no_status,
        LinkNews.LOST: supervision.link_lost,
        LinkNews.BACK: supervision.ignore,  # no call that could see it: LOST has ended them
        LinkNews.RESET: supervision.ask,
    }
)
_BEING_CLEARED: dict[Key, Handler] = {
    ClearCall: supervision.ignore,
    Proceed: supervision.ignore,  # the owner could not know yet
    Alert: supervision.ignore,
    AnswerCall: supervision.ignore,
    Timer.T322: supervision.ignore,
    LinkNews.RESET: supervision.ignore,  # 5.8.8 b): T305 and T308 see to it
}
_LATE_ANSWERS: dict[Key, Handler] = dict.fromkeys(  # they crossed our clearing message
    (
        MessageType.SETUP_ACKNOWLEDGE,
        MessageType.CALL_PROCEEDING,
        MessageType.ALERTING,
        MessageType.CONNECT,
        MessageType.CONNECT_ACKNOWLEDGE,
    ),
    supervision.ignore,
)


def _rows(states: States) -> dict[CallStateValue, dict[Key, Handler]]:
    rows: dict[CallStateValue, dict[Key, Handler]] = {
        # a call that we set up
        states.sent: {
            MessageType.SETUP_ACKNOWLEDGE: outgoing.overlap,
            MessageType.CALL_PROCEEDING: outgoing.proceeding,
            MessageType.ALERTING: outgoing.alerting,
            MessageType.CONNECT: outgoing.connected,
            Timer.T303: outgoing.no_response,
            LinkNews.RESET: supervision.ignore,  # T303 repeats the SETUP
        },
        states.overlap: {
            MessageType.CALL_PROCEEDING: outgoing.proceeding,
            MessageType.ALERTING: outgoing.alerting,
            MessageType.CONNECT: outgoing.connected,
            Timer.T304: outgoing.no_more_digits,
            LinkNews.RESET: supervision.overlap_reset,
        },
        states.proceeding: {
            MessageType.ALERTING: outgoing.alerting,
            MessageType.CONNECT: outgoing.connected,
            MessageType.PROGRESS: outgoing.progress,
            Timer.T310: outgoing.too_late,
        },
        states.delivered: {
            MessageType.CONNECT: outgoing.connected,
            Timer.T301: outgoing.too_late,
        },
        # a call that the peer set up
        states.present: {
            Proceed: incoming.proceed,
            Alert: incoming.alert,
            AnswerCall: incoming.answer,
            ClearCall: clearing.reject,
        },
        states.gathering: {
            MessageType.INFORMATION: incoming.more_digits,
            Timer.T302: incoming.no_more_digits,
            LinkNews.RESET: supervision.overlap_reset,
        },
        states.going_on: {
            Alert: incoming.alert,
            AnswerCall: incoming.answer,
        },
        states.received: {
            AnswerCall: incoming.answer,
            Pause.ANSWER: incoming.answer,
        },
        # either
        CallStateValue.ACTIVE: {
            MessageType.CONNECT_ACKNOWLEDGE: supervision.ignore,  # a user may send it, 5.1.8
            Timer.T309: supervision.link_stays_away,
            LinkNews.LOST: supervision.wait_for_link,
            LinkNews.BACK: supervision.ask,
        },
        states.disconnecting: _BEING_CLEARED | _LATE_ANSWERS | {Timer.T305: clearing.not_released},
        CallStateValue.RELEASE_REQUEST: _BEING_CLEARED
        | _LATE_ANSWERS
        | {
            MessageType.DISCONNECT: supervision.ignore,  # it crossed our RELEASE
            MessageType.RELEASE: clearing.gone,
            Timer.T308: clearing.not_completed,
        },
    }
    if states.answered is not None:
        rows[states.answered] = {
            MessageType.CONNECT_ACKNOWLEDGE: incoming.active,
            Timer.T313: incoming.not_acknowledged,
        }
    return rows


def _table(states: States) -> dict[tuple[CallStateValue, Key], Handler]:
    return {(state, key): row.get(key, _USUAL[key]) for state, row in _rows(states).items() for key in KEYS}


TABLES = {USER: _table(USER), NETWORK: _table(NETWORK)}
