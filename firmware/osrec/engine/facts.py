"""What the rules get to see of a conversation."""

from datetime import datetime

from osrec.calls.conversation import Conversation
from osrec.engine.rules import Facts


def facts_of(conversation: Conversation, station: str, began: datetime) -> Facts:
    """One monitored station in a conversation, as far as it is known by now; `began`: when the conversation did."""
    others = [one for number, one in conversation.participants.items() if number != station]
    return Facts(
        station=station,
        direction=conversation.direction,
        numbers=tuple(one.number for one in others),
        e164=tuple(one.e164 for one in others if one.e164),
        names=tuple(one.name for one in others if one.name),
        trunks=tuple(conversation.trunks),
        accounts=tuple(conversation.accounts),
        digits=conversation.digits,
        at=began,
        conversation=conversation.id,
    )
