"""What the runs begin with: messages and frames composed here, and the PDUs of tests/vectors."""

from itertools import chain
from pathlib import Path

from osrec.wire.q921 import fields, tei
from osrec.wire.q921.frames import COMMANDS, WITH_INFORMATION, Frame, Information, S, Side, Supervisory, U, Unnumbered
from osrec.wire.q921.frames import encode as encode_frame
from osrec.wire.q931 import bearer, channel, elements, facility, numbers
from osrec.wire.q931.codec import compose, encode
from osrec.wire.q931.messages import CallReference, MessageType
from osrec.wire.q931.registry import Element

VECTORS = Path(__file__).parent.parent / "vectors"
SHOWN = numbers.Presentation()

SETUP_ELEMENTS: tuple[Element, ...] = (
    bearer.SPEECH_A_LAW,
    channel.time_slot(1),
    numbers.CallingPartyNumber("4989700", presentation=SHOWN),
    numbers.CalledPartyNumber("100"),
    elements.SendingComplete(),
)
OTHER_ELEMENTS: tuple[Element, ...] = (
    bearer.LowLayerCompatibility(rate=bearer.TransferRate.MULTIRATE, multiplier=2, negotiation=0),
    bearer.HighLayerCompatibility(bearer.HighLayer.TELEPHONY),
    channel.ChannelIdentification((1, 2, 31), map_octets=4),
    channel.ChannelIdentification((5,), interface=b"\1", exclusive=False),
    elements.CallIdentity(b"\7"),
    elements.CallState(elements.CallStateValue.ACTIVE),
    elements.Cause(16, diagnostics=b"\x04"),
    elements.ProgressIndicator(elements.ProgressDescription.IN_BAND),
    elements.NotificationIndicator(elements.Notification.USER_SUSPENDED),
    elements.DateTime(26, 11, 24, 5, 0),
    elements.Signal(elements.SignalValue.DIAL_TONE_ON),
    elements.Display("Zentrale"),
    elements.KeypadFacility("*21#"),
    elements.UserUser(b"hello"),
    elements.RestartIndicator(),
    elements.MoreData(),
    elements.CongestionLevel(15),
    elements.RepeatIndicator(),
    facility.Facility(b"\xa1\x06\x02\x01\x01\x02\x01\x15"),
    numbers.ConnectedNumber("200", presentation=SHOWN),
    numbers.RedirectingNumber("300", presentation=SHOWN, reason=numbers.RedirectionReason.BUSY),
    numbers.RedirectionNumber("400", presentation=SHOWN),
    numbers.CalledPartySubaddress(b"\x50\x31"),
    elements.Raw(0x47, b"\1\2"),
)


def message(kind: int, *said: Element, call: int = 1, answer: bool = False) -> bytes:
    return encode(compose(kind, CallReference(call, answer), *said))


def messages() -> list[bytes]:
    """Every type bare, and with each element."""
    shifted = (
        elements.Shift(5, True),
        elements.Raw(1, b"\2", 5),
        elements.Shift(6, False),
        elements.Raw(0x81, None, 6),
    )
    bare = [message(kind) for kind in MessageType]
    with_one = [message(MessageType.INFORMATION, element) for element in OTHER_ELEMENTS]
    return [
        *bare,
        *with_one,
        message(MessageType.SETUP, *SETUP_ELEMENTS),
        message(MessageType.SETUP, *SETUP_ELEMENTS, *shifted),
        encode(compose(MessageType.FACILITY, CallReference(length=0))),
    ]


def frames() -> list[bytes]:
    """Every format, as the network sends it."""
    numbered: list[Frame] = [Supervisory(kind, 1, True) for kind in S]
    unnumbered: list[Frame] = [
        Unnumbered(kind, kind in COMMANDS or kind is U.XID, True, b"\1" if kind in WITH_INFORMATION else b"")
        for kind in U
    ]
    asked = tei.TeiManagement(tei.TeiMessage.IDENTITY_REQUEST, 0x1234, (127,))
    negotiated = fields.write_xid(fields.ParameterNegotiation(((5, b"\1\4"), (7, b"\7"))))
    rejected = fields.write_frmr(fields.FrameReject(b"\1\2", 1, 2, False, True, False, False, False))
    others: list[Frame] = [
        Information(0, 0, message(MessageType.SETUP, *SETUP_ELEMENTS)),
        tei.frame(asked),
        Unnumbered(U.XID, True, True, negotiated),
        Unnumbered(U.FRMR, False, True, rejected),
    ]
    return [encode_frame(frame, Side.NETWORK) for frame in chain(numbered, unnumbered, others)]


def pdus() -> list[bytes]:
    """CSTA in ASN.1."""
    return [bytes.fromhex(file.read_text().splitlines()[1]) for file in sorted((VECTORS / "csta").glob("*.hex"))]


def documents() -> list[bytes]:
    """CSTA in XML, each behind its invoke id."""
    return [file.read_bytes().splitlines()[1] for file in sorted((VECTORS / "csta-xml").glob("*.txt"))]
