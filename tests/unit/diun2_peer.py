"""A trunk with a D channel and a recorder at its far end, which answers what it is told to answer. No time passes."""

from collections import deque
from collections.abc import Callable, Mapping

from osrec.wire.q921.frames import Information, Side, decode
from osrec.wire.q931 import codec
from osrec.wire.q931.channel import ChannelIdentification
from osrec.wire.q931.messages import CallReference, Message, MessageType
from osrec.wire.q931.registry import Element
from osrec_emulators.diun2 import call_events as layer3
from osrec_emulators.diun2 import callcontrol_events as control
from osrec_emulators.diun2 import trunk_events as trunks
from osrec_emulators.diun2.call_faults import CallFaults
from osrec_emulators.diun2.callcontrol import CallControl
from osrec_emulators.diun2.callcontrol_events import CallId
from osrec_emulators.diun2.signalling import IsdnSettings
from osrec_emulators.diun2.trunk import IsdnTrunk
from osrec_emulators.pbx.media import Fork
from osrec_emulators.pbx.media import Side as Half

OWN = Fork("7101", "3100", Half.OWN, "01")
OTHER = Fork("7102", "3100", Half.OTHER, "01")
THIRD = Fork("7103", "3101", Half.OWN, "02")
PLACES = {"7101": 1, "7102": 2, "7103": 3, "7104": 17}


def answer(peer: "Peer", id: CallId, setup: Message) -> None:
    """Takes the channel that SETUP names."""
    peer.tell(id, layer3.Accept())
    peer.tell(id, layer3.Answer())


def on_slot(slot: int) -> "Behaviour":
    """Takes another channel."""

    def behave(peer: "Peer", id: CallId, setup: Message) -> None:
        peer.tell(id, layer3.Accept((ChannelIdentification((slot,)),)))
        peer.tell(id, layer3.Answer())

    return behave


def refuse(cause: int) -> "Behaviour":
    return lambda peer, id, setup: peer.tell(id, layer3.Clear(cause))


def ignore(peer: "Peer", id: CallId, setup: Message) -> None:
    """Leaves the call as it is."""


Behaviour = Callable[["Peer", CallId, Message], None]


class Peer:
    """The trunk and what it is wired to.

    Attributes:
        said: messages on the wire since the last `take`, those of the PBX as kinds, those of the recorder with a "<".
        setups, restarts: the PBX's SETUP and RESTART messages.
        outcomes: what the PBX was told.
        offered: the PBX's calls as the recorder knows them.
    """

    def __init__(
        self, settings: IsdnSettings | None = None, faults: CallFaults | None = None, behaviour: Behaviour = answer
    ) -> None:
        settings = settings or IsdnSettings()
        self.trunk = IsdnTrunk(settings, PLACES, faults or CallFaults())
        far = layer3.Dialect(settings.dialect.qsig, settings.dialect.side.other)
        self.control = CallControl(far, settings.call_timers, settings.link_timers)
        self.behaviour = behaviour
        self.now = 0.0
        self.said: list[str] = []
        self.setups: list[Message] = []
        self.restarts: list[Message] = []
        self.outcomes: list[trunks.Output] = []
        self.offered: list[CallId] = []
        self.ended: list[control.Ended] = []
        self.deaf = False
        self.to_lose = 0  # frames of either side that get lost next
        self.frames_sent = 0  # by the PBX
        self._wire: deque[tuple[bool, bytes]] = deque()  # whether the PBX sent it, and what
        self._settling = False
        self._give(trunks.Start())

    def ports(self, *forks: Fork, at: float | None = None) -> None:
        """These forks are there now."""
        self._at(at)
        joined: Mapping[str, Fork] = {fork.port: fork for fork in forks}
        self._give(trunks.Ports(joined))

    def until(self, now: float) -> None:
        """Let all timers of both sides run down until then."""
        while True:
            ours, theirs = self.trunk.deadline, self.control.deadline
            due = min((at for at in (ours, theirs) if at is not None and at <= now), default=None)
            if due is None:
                break
            self._at(due)
            if ours == due:
                self._give(trunks.Due())
            else:
                self._recorder(control.Due())
        self._at(now)

    def tell(self, id: CallId, event: layer3.Accept | layer3.Alert | layer3.Answer | layer3.Clear) -> None:
        """The recorder does something with a call."""
        self._recorder(control.Tell(id, event))

    def place(self, slots: tuple[int, ...], *elements: Element) -> CallId:
        """The recorder calls."""
        id = self.control.next_reference()
        self._recorder(control.Place(id, slots, elements))
        return id

    def restart(self, *slots: int) -> None:
        self._recorder(control.Restart(slots))

    def establish(self) -> None:
        """The recorder brings the link up."""
        self._recorder(control.Start())

    def say(self, kind: MessageType, id: CallId, *elements: Element) -> None:
        """The recorder says something that its machine would not."""
        message = codec.compose(kind, CallReference(id.value, not id.ours), *elements)
        for output in self.control.say(message, self.now):
            if isinstance(output, control.Transmit):
                self._wire.append((False, output.octets))
        self._settle()

    def take(self) -> list[str]:
        said, self.said = self.said, []
        return said

    def finished(self) -> list[trunks.TrunkCall]:
        return [outcome.call for outcome in self.outcomes if isinstance(outcome, trunks.Finished)]

    def hung_up(self) -> list[str]:
        return [outcome.port for outcome in self.outcomes if isinstance(outcome, trunks.HungUp)]

    def _at(self, now: float | None) -> None:
        self.now = self.now if now is None else now

    def _give(self, event: trunks.Event) -> None:
        for output in self.trunk.handle(event, self.now):
            if isinstance(output, trunks.SendFrame):
                self._wire.append((True, output.octets))
            else:
                self.outcomes.append(output)
        self._settle()

    def _recorder(self, event: control.Event) -> None:
        for output in self.control.handle(event, self.now):
            match output:
                case control.Transmit(octets):
                    self._wire.append((False, octets))
                case control.Offered(id, setup):
                    self.offered.append(id)
                    self.behaviour(self, id, setup)
                case control.Ended():
                    self.ended.append(output)
        self._settle()

    def _settle(self) -> None:
        """Carry what is on the wire, in its order, until nobody says anything any more."""
        while self._wire and not self._settling:
            from_pbx, octets = self._wire.popleft()
            side = self.trunk.settings.dialect.side
            self._note(octets, side if from_pbx else side.other, "" if from_pbx else "<")
            if self.deaf or self.to_lose:
                self.to_lose = max(0, self.to_lose - 1)
                continue
            self._settling = True
            if from_pbx:
                self._recorder(control.Arrived(octets))
            else:
                self._give(trunks.FrameArrived(octets))
            self._settling = False

    def _note(self, octets: bytes, sender: Side, mark: str) -> None:
        self.frames_sent += not mark
        frame = decode(octets, sender)
        if isinstance(frame, Information):
            message = codec.decode(frame.octets)
            self.said.append(mark + MessageType(message.kind).name)
            if message.kind == MessageType.SETUP and not mark:
                self.setups.append(message)
            if message.kind == MessageType.RESTART and not mark:
                self.restarts.append(message)
