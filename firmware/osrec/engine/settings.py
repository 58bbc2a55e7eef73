"""How the engine behaves; the configuration file's [recording] section sets it."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class EngineConfig:
    """Times in seconds, levels in dBm0.

    Attributes:
        internal: record a conversation of several recorded stations once, or at each of them.
        tail: how long a recording goes on after the call, for audio that is still on its way.
        attempts: pairs tried when the PBX refuses a fork.
        quiet_after: a side without energy for so long since the start raises an alarm.
        energy: level above which a slot counts as having energy.
        audio_end: while its station is not monitored, a recording ends when its pair has been idle for so long.
        inquire_after: with the link up, after so long an idle pair the PBX is asked for the station's calls.
        port_loss: a port that the PBX dropped while the station still talks raises an alarm after so long.
    """

    internal: Literal["once", "each"] = "once"
    tail: float = 0.3
    attempts: int = 2
    quiet_after: float = 20.0
    energy: float = -55.0
    audio_end: float = 10.0
    inquire_after: float = 60.0
    port_loss: float = 1.0
