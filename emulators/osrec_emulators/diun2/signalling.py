"""How a recorder trunk with a D channel is used: in no public document, so every way can be played."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from osrec.wire.q931.numbers import NumberingPlan, TypeOfNumber
from osrec_emulators.diun2.call_events import CallTimers, Dialect
from osrec_emulators.diun2.lapd_events import LinkTimers
from osrec_emulators.pbx.media import Fork, Side

Caller = Literal["pbx", "recorder", "either"]
Calls = Literal["each", "pair"]
Slots = Literal["port", "lowest", "highest"]
Channel = Literal["number", "map", "any", "none"]
Audio = Literal["answer", "setup", "always"]
RestartScope = Literal["none", "interface", "channels"]
Matching = Literal["channel", "calling", "called"]

FIELDS = ("port", "station", "side", "call", "slot")


@dataclass(frozen=True, slots=True)
class Numbers:
    """What SETUP says of a fork. Texts may hold {port}, {station}, {side}, {call} and {slot}; empty: left out.

    Attributes:
        marks: what {side} stands for.
    """

    called: str = "{port}"
    calling: str = "{station}"
    display: str = ""
    user_user: str = ""
    marks: Mapping[Side, str] = field(default_factory=lambda: {Side.OWN: "1", Side.OTHER: "2"})
    type: int = TypeOfNumber.UNKNOWN
    plan: int = NumberingPlan.ISDN

    def fill(self, text: str, fork: Fork, slot: int) -> str:
        """A text with its fields put in."""
        said = (fork.port, fork.station, self.marks[fork.side], fork.call, str(slot))
        return text.format_map(dict(zip(FIELDS, said, strict=True)))


@dataclass(frozen=True, slots=True)
class IsdnSettings:
    """One D channel.

    Attributes:
        caller: who places the calls.
        calls: one for each fork, or one for both forks of a station, whose Channel-ID names both slots, own first.
        first: which side is called first when both forks begin at once: it has the lower call reference.
        slots: each port's own, or whichever is free, counted from below or above.
        exclusive: no other channel will do, else the named one is preferred.
        channel: how Channel-ID names it: "any": the recorder is to choose; "none": no Channel-ID.
        audio: since when a slot carries its fork: their CONNECT, our SETUP, or whatever the signalling says.
        matching: what tells which port the recorder's own call is for.
        dialling: the recorder's call asks for the fork as MakeCall does: it dials the feature code and the station.
        establishes: whether the PBX brings the link up, or waits for SABME.
        restart: what RESTART is sent for once the link is up.
        hang_up: a call that the recorder ends takes its port out of the PBX's call.
        attempts: how often a fork is called that the recorder turns down.
    """

    dialect: Dialect = field(default_factory=Dialect)
    caller: Caller = "pbx"
    calls: Calls = "each"
    first: Side = Side.OWN
    slots: Slots = "port"
    exclusive: bool = True
    channel: Channel = "number"
    numbers: Numbers = field(default_factory=Numbers)
    audio: Audio = "answer"
    matching: Matching = "channel"
    dialling: bool = False
    establishes: bool = True
    restart: RestartScope = "interface"
    hang_up: bool = True
    attempts: int = 1
    reference_length: int = 2
    call_timers: CallTimers = field(default_factory=CallTimers)
    link_timers: LinkTimers = field(default_factory=LinkTimers)
