"""What one client's session is made of, with the faults that are declared for that client."""

import random
from dataclasses import dataclass

from osrec_emulators.cap.answers import Answers
from osrec_emulators.cap.config import CapConfig
from osrec_emulators.cap.desk import Desk
from osrec_emulators.cap.device_list import DeviceList
from osrec_emulators.cap.exit import Exit
from osrec_emulators.cap.faults import Faults
from osrec_emulators.cap.heartbeat import Heartbeat
from osrec_emulators.cap.incidents import Incidents
from osrec_emulators.cap.messages import Counters, Pbx
from osrec_emulators.cap.monitors import Monitors
from osrec_emulators.cap.outlet import Inlet
from osrec_emulators.cap.spoil import spoiler
from osrec_emulators.cap.stream import Stream


@dataclass(frozen=True, slots=True)
class Parts:
    """See each part's own description."""

    stream: Stream
    answers: Answers
    heartbeat: Heartbeat
    desk: Desk
    incidents: Incidents

    @property
    def deadline(self) -> float | None:
        """When the first of them has something to do."""
        times = (self.incidents.deadline, self.heartbeat.deadline, self.answers.deadline, self.stream.deadline)
        return min((time for time in times if time is not None), default=None)


def equip(
    config: CapConfig,
    faults: Faults,
    *,
    pbx: Pbx,
    monitors: Monitors,
    inlet: Inlet,
    exit_: Exit,
    counters: Counters,
    connection_number: int,
) -> Parts:
    """The same seed and the same connection give the same faults for the same traffic."""
    rng = random.Random(f"cap {faults.seed} {connection_number}")
    noise = spoiler(config.encoding, config.framing)
    stream = Stream(faults.events, noise, exit_, counters, rng, sequence=config.sequence_numbers)
    device_list = DeviceList(config.edition if config.encoding == "xml" else None)
    answers = Answers(faults.answers, faults.limits, exit_, counters, rng, device_list)
    heartbeat = Heartbeat(config, faults.status, exit_)
    desk = Desk(
        pbx, monitors, answers, heartbeat, exit_, counters, faults.answers.refuse_monitors, config.silent_filters
    )
    incidents = Incidents(faults.timed, exit_=exit_, inlet=inlet, stream=stream, heartbeat=heartbeat, monitors=monitors)
    return Parts(stream, answers, heartbeat, desk, incidents)
