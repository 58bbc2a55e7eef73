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
        fork_timeout: without an answer for so long, the PBX is asked to fork onto another pair.
        pair_rest: how long a pair rests when its ports have left a call, before it goes to another.
        quiet_after: a side without energy for so long since the start raises an alarm.
        energy: level above which a slot counts as having energy.
        audio_end: while its station is not monitored, a recording ends when its pair has been idle for so long, and the
            PBX does not say that its ports are in a call.
        outage_end: the same while the link is down. No other call can get the pair then, and one on hold may go on.
        inquire_after: with the link up, after so long an idle pair the PBX is asked for the station's calls.
        snapshot_calls: the PBX may be asked who is in a call where no event told.
        forgotten_after: a conversation of which nothing was heard for so long is asked for.
        port_loss: a port that the PBX dropped while the station still talks means after so long that the fork is lost.
        idle_check: idle code on both slots for so long has the PBX asked where the ports are.
        idle_lost: idle code on both slots of a talking station for so long means that the fork is lost, unless the PBX
            says otherwise, asked again then; 0: never.
        losses: forks lost in a row that are asked for again at once; then slower.
        late_after: a talking station without recording for longer than this was requested late.
        preempt: whether a conversation of a higher class takes the pair of a lower one when none is free.
        line_patience: a recording on a line that has been in alarm for so long moves to another line.
        suspect_after: a slot that was silent in so many calls in a row, while they talked, is suspected.
    """

    internal: Literal["once", "each"] = "once"
    tail: float = 0.3
    attempts: int = 2
    fork_timeout: float = 3.0
    pair_rest: float = 0.1
    quiet_after: float = 20.0
    energy: float = -55.0
    audio_end: float = 10.0
    outage_end: float = 1800.0
    inquire_after: float = 60.0
    snapshot_calls: bool = True
    forgotten_after: float = 4 * 3600.0
    port_loss: float = 0.5
    idle_check: float = 5.0
    idle_lost: float = 30.0
    losses: int = 3
    late_after: float = 1.0
    preempt: bool = True
    line_patience: float = 2.0
    suspect_after: int = 3
