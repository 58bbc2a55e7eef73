"""How long a recorder may take: what its documentation says of its configuration, nothing of its code."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Times:
    """In seconds; the defaults are those of docs/osrec.toml, where each is explained under the same name.

    Attributes:
        heard: between two looks at what the lines carry ("twice a second").
        settled: from a station's monitor until its snapshot has told of its calls.
        retries: after which a fork that was refused is asked for again; the last one for ever ("1, 5, 15, 60, 60 ...").
        idle_check: idle code on a slot for so long has the PBX asked where the ports are.
        port_loss: what the PBX took out of a call was lost when the station still talks after so long.
    """

    tail: float = 0.3
    pair_rest: float = 0.1
    fork_timeout: float = 3.0
    request_timeout: float = 10.0
    late_after: float = 1.0
    audio_end: float = 10.0
    idle_check: float = 5.0
    port_loss: float = 0.5
    heard: float = 0.5
    settled: float = 1.0
    retries: tuple[float, ...] = (1.0, 5.0, 15.0, 60.0)

    @property
    def freed(self) -> float:
        """From the end of a call until its pair may go to the next one."""
        return self.tail + self.pair_rest

    @property
    def found_out(self) -> float:
        """From a loss of which nobody told until the PBX, asked for the ports, does, and `port_loss` has passed."""
        return self.idle_check + self.heard + self.port_loss

    def retry(self, refusals: int) -> float:
        """From the answer to the so-many-th refusal in a row until it is asked again."""
        return self.retries[min(refusals, len(self.retries)) - 1]
