"""What SETUP and the first answer say: information elements of a fork's call."""

from osrec.wire.q931.bearer import SPEECH_A_LAW
from osrec.wire.q931.channel import ANY_CHANNEL, ChannelIdentification
from osrec.wire.q931.elements import Display, SendingComplete, UserUser
from osrec.wire.q931.messages import Message
from osrec.wire.q931.numbers import CalledPartyNumber, CallingPartyNumber
from osrec.wire.q931.registry import Element
from osrec_emulators.diun2.signalling import IsdnSettings
from osrec_emulators.pbx.media import Fork

MAP_OCTETS = 4  # of a slot map at 2048 kbit/s


def setup_elements(settings: IsdnSettings, fork: Fork, slots: tuple[int, ...]) -> tuple[Element, ...]:
    """Everything that SETUP says of a call for this fork on these time slots."""
    numbers = settings.numbers
    called, calling, display, user = (
        numbers.fill(text, fork, slots[0])
        for text in (numbers.called, numbers.calling, numbers.display, numbers.user_user)
    )
    elements: list[Element] = [SPEECH_A_LAW, SendingComplete(), *channel_elements(settings, slots)]
    if called:
        elements.append(CalledPartyNumber(called, numbers.type, numbers.plan))
    if calling:
        elements.append(CallingPartyNumber(calling, numbers.type, numbers.plan))
    if display:
        elements.append(Display(display))
    if user:
        elements.append(UserUser(user.encode("ascii")))
    return tuple(elements)


def channel_elements(settings: IsdnSettings, slots: tuple[int, ...]) -> tuple[Element, ...]:
    """Channel-ID as this PBX writes it, Q.931 4.5.13."""
    match settings.channel:
        case "number":
            return (ChannelIdentification(slots, settings.exclusive),)
        case "map":
            return (ChannelIdentification(tuple(sorted(slots)), settings.exclusive, map_octets=MAP_OCTETS),)
        case "any":
            return (ANY_CHANNEL,)
        case "none":
            return ()


def called_in(message: Message) -> str:
    """Digits of the called party number, empty without one."""
    number = message.first(CalledPartyNumber)
    return number.digits if number else ""


def calling_in(message: Message) -> str:
    """Digits of the calling party number, empty without one."""
    number = message.first(CallingPartyNumber)
    return number.digits if number else ""
