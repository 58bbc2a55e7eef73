"""One D channel as a machine: LAPD and call control together, octets of frames in and out. It does no I/O."""

from collections.abc import Iterable
from dataclasses import dataclass

from osrec.isdn.control import CallControl
from osrec.isdn.link import DataLink
from osrec.isdn.link_core import State
from osrec.isdn.link_messages import (
    FAULT_TEXTS,
    DataReceived,
    DataRequest,
    Deactivated,
    Established,
    EstablishRequest,
    FrameReceived,
    FrameRejected,
    LinkError,
    LinkEvent,
    LinkFault,
    LinkOutput,
    OwnBusy,
    Released,
    Transmit,
    UnitDataReceived,
)
from osrec.isdn.link_messages import TimerExpired as LinkTimerExpired
from osrec.isdn.messages import EstablishLink, Output, OwnerOutput, Request, SendMessage, TimerExpired, Trouble
from osrec.isdn.settings import AccessConfig
from osrec.wire.q921.frames import (
    COMMANDS,
    GROUP_TEI,
    Frame,
    FrameRejectError,
    InvalidFrameError,
    U,
    Unnumbered,
    decode,
    encode,
)
from osrec.wire.q931.codec import encode as encode_message


@dataclass(frozen=True, slots=True)
class Start:
    """Establish the data link, and keep it."""


@dataclass(frozen=True, slots=True)
class OctetsReceived:
    """A frame between two flags, address to information, whose FCS was right."""

    octets: bytes


@dataclass(frozen=True, slots=True)
class SendOctets:
    """A frame to send, without FCS."""

    octets: bytes


AccessEvent = Start | OctetsReceived | Deactivated | TimerExpired | Request
AccessOutput = SendOctets | OwnerOutput


@dataclass(slots=True)
class AccessCounters:
    """Since construction."""

    frames_in: int = 0
    frames_out: int = 0
    invalid: int = 0  # 2.9: no address, or too short
    foreign: int = 0  # for another SAPI or TEI
    rejected: int = 0  # 3.6.11
    link_errors: int = 0  # MDL-ERROR indications
    troubles: int = 0


# Annex B tells layer 3 of a reset by the peer only when we have lost frames. The peer may have ended calls meanwhile,
# and we would keep them for ever: so layer 3 hears of it by the MDL-ERROR indication.
_RESET = Established(confirm=False)


class Access:
    """Layers 2 and 3 of one D channel.

    Attributes:
        link, control: the two machines, to look at.
        counters: for whoever diagnoses.
    """

    def __init__(self, config: AccessConfig | None = None) -> None:
        self._config = config or AccessConfig()
        self._side = self._config.role.side
        self.link = DataLink(self._config.link)
        self.control = CallControl(self._config)
        self.counters = AccessCounters()
        self._outputs: list[AccessOutput] = []
        self._same_side_told = False
        self._told_while_down: set[LinkFault] = set()

    def handle(self, event: AccessEvent, now: float) -> list[AccessOutput]:
        """Advance by one event; `now` is any monotonic time, in seconds.

        Raises UsageError when the owner asks for what the state of a call does not allow; no peer can make it raise.
        """
        match event:
            case Start():
                self._establish(now)
            case OctetsReceived(octets):
                self._received(octets, now)
            case Deactivated():
                self._to_link(event, now)
            case TimerExpired():
                self._expired(now)
            case _:
                self._carry_out(self.control.handle(event, now), now)
        self._regulate(now)
        self._acknowledge(now)
        outputs, self._outputs = self._outputs, []
        return outputs

    @property
    def deadline(self) -> float | None:
        """When to call handle(TimerExpired(), now); None: no timer runs."""
        dues = (self.link.deadline, self.control.deadline)
        return min((due for due in dues if due is not None), default=None)

    def _expired(self, now: float) -> None:
        if self.link.deadline is not None and self.link.deadline <= now:
            self._to_link(LinkTimerExpired(), now)
        if self.control.deadline is not None and self.control.deadline <= now:
            self._carry_out(self.control.handle(TimerExpired(), now), now)

    # --- frames in

    def _received(self, octets: bytes, now: float) -> None:
        self.counters.frames_in += 1
        try:
            frame = decode(octets, self._side.other, self._config.link.n201)
        except InvalidFrameError:
            self.counters.invalid += 1
            return
        except FrameRejectError as error:
            self.counters.rejected += 1
            if error.dlci == self._config.link.dlci:
                self._trouble(f"{error}: {octets.hex(' ')}")
                self._to_link(FrameRejected(error.reason), now)
            return
        if self._is_ours(frame):
            self._note_side(frame)
            self._to_link(FrameReceived(frame), now)
        else:
            self.counters.foreign += 1

    def _is_ours(self, frame: Frame) -> bool:
        own = self._config.link.dlci
        to_all = isinstance(frame, Unnumbered) and frame.kind is U.UI and frame.dlci.tei == GROUP_TEI
        return frame.dlci == own or (to_all and frame.dlci.sapi == own.sapi)

    def _note_side(self, frame: Frame) -> None:
        """A SABME whose C/R says response comes from a peer that takes itself for the side that we are."""
        if isinstance(frame, Unnumbered) and frame.kind in COMMANDS and not frame.command and not self._same_side_told:
            self._same_side_told = True
            role, other = self._side.value, self._side.other.value
            self._trouble(f'the far end is {role} side, too: set role = "{other}" at one of the two [Q.921 3.3.2]')

    # --- between the layers

    def _to_link(self, event: LinkEvent, now: float) -> None:
        self._from_link(self.link.handle(event, now), now)

    def _from_link(self, outputs: Iterable[LinkOutput], now: float) -> None:
        outputs = list(outputs)
        for output in outputs:
            match output:
                case Transmit(frame):
                    self.counters.frames_out += 1
                    self._outputs.append(SendOctets(encode(frame, self._side)))
                case LinkError(fault):
                    self._link_error(fault)
                    if fault is LinkFault.PEER_RESET and _RESET not in outputs:
                        self._carry_out(self.control.handle(_RESET, now), now)
                case Established() | Released() | DataReceived() | UnitDataReceived():
                    if isinstance(output, Established):
                        self._told_while_down.clear()
                    self._carry_out(self.control.handle(output, now), now)

    def _link_error(self, fault: LinkFault) -> None:
        """A link that does not come up is tried every few seconds, for days perhaps: why not is told once."""
        self.counters.link_errors += 1
        if not self.link.up:
            if fault in self._told_while_down:
                return
            self._told_while_down.add(fault)
        self._trouble(f"data link: {FAULT_TEXTS[fault]} [Q.921 table II.1, {fault.value}]")

    def _carry_out(self, outputs: Iterable[Output], now: float) -> None:
        for output in outputs:
            match output:
                case SendMessage(message):
                    self._to_link(DataRequest(encode_message(message)), now)
                case EstablishLink():
                    self._establish(now)
                case Trouble(text):
                    self._trouble(text)
                case _:
                    self._outputs.append(output)

    def _establish(self, now: float) -> None:
        if self.link.state is State.TEI_ASSIGNED:  # else the peer was faster
            self._to_link(EstablishRequest(), now)

    def _trouble(self, text: str) -> None:
        self.counters.troubles += 1
        self._outputs.append(Trouble(text))

    def _acknowledge(self, now: float) -> None:
        """What came is acknowledged now, unless an answer of ours took that along."""
        if self.link.deadline is not None and self.link.deadline <= now:
            self._to_link(LinkTimerExpired(), now)

    def _regulate(self, now: float) -> None:
        """A peer that asks and acknowledges nothing shall not fill our memory: own receiver busy, Q.921 5.6.6."""
        waiting, most = self.link.waiting, self._config.most_waiting
        busy = waiting > most or (self.link.own_busy and waiting > most // 2)
        if busy is not self.link.own_busy and self.link.up:
            self._to_link(OwnBusy(busy), now)
