"""Gets channel pairs and has the PBX fork stations onto them; gives them back.

A lease is of a whole pair or of nothing: a fork that the PBX grants on one port only is taken down again.
"""

from collections.abc import Iterable
from uuid import UUID

from osrec.csta.messages import Lost, Outcome
from osrec.engine.dossier import outcome_text
from osrec.engine.fork import ForkStrategy
from osrec.engine.messages import Listen, Output, Request
from osrec.engine.pool import Pair, Pool
from osrec.engine.recording import Recording, State
from osrec.engine.sweep import Sweep
from osrec.store.records import Decision
from osrec.wire.csta.model import Argument, ConnectionId, DeviceId, Reject, ReturnError


class Forks:
    """The recordings that hold a pair, and what is asked of the PBX for them.

    Attributes:
        recordings: by id, from the lease of their pair to its release.
        pool: the pairs.
        link_up: whether anything can be asked now.
    """

    def __init__(self, pool: Pool, strategy: ForkStrategy) -> None:
        self.recordings: dict[UUID, Recording] = {}
        self.pool = pool
        self.link_up = False
        self._strategy = strategy
        self._waiting: dict[object, Recording] = {}  # by token of the request
        self._last_token = 0
        self._sweep = Sweep(self._token)

    # --- the link

    def connected(self) -> list[Output]:
        """First of all, where does the PBX have our ports? Those that no recording holds are taken out of there."""
        self.link_up = True
        in_use = {port.number for r in self.recordings.values() for port in (r.pair.own, r.pair.other)}
        ports = [port.number for pair in self.pool.pairs for port in (pair.own, pair.other)]
        return _requests(self._sweep.begin(ports, in_use))

    def disconnected(self) -> None:
        """The link answers what is outstanding with Lost."""
        self.link_up = False
        self._sweep.stop()

    @property
    def ready(self) -> bool:
        """Whether forks may be asked for: the ports are known to be free."""
        return self.link_up and not self._sweep.running

    def sweep_answered(self, token: object, outcome: Outcome, now: float) -> list[Output] | None:
        """What follows the answer to a request of the sweep; None when the token is not of one."""
        step = self._sweep.answered(token, outcome)
        if step is None:
            return None
        if step.found is not None and step.found.connection is None:
            self.port_dropped(step.found.port, now)
        elif step.found is not None and step.found.connection is not None:
            self._port_is_in(step.found.port, step.found.connection)
        return _requests(step.requests)

    # --- leases

    def start(
        self,
        recording: UUID,
        conversation: UUID,
        connection: ConnectionId,
        station: str,
        decision: Decision,
        tried: tuple[Pair, ...] = (),
    ) -> list[Output]:
        """Lease a pair and ask for the fork; nothing when no pair is free. `tried`: pairs that were refused before."""
        pair = self.pool.lease(recording, avoid=tried)
        if pair is None:
            return []
        new = Recording(recording, conversation, station, pair, connection, decision, tried=(*tried, pair))
        self.recordings[recording] = new
        outputs: list[Output] = [Listen(recording, pair, self._strategy.reaches_back)]
        for port, argument in self._strategy.start(connection, pair):
            token = self._token()
            new.awaited[token] = port
            self._waiting[token] = new
            outputs.append(Request(token, argument))
        return outputs

    def adopt(self, recording: Recording) -> None:
        """A recording of an earlier run keeps its pair; the PBX is taken to have its ports in the call."""
        self.pool.take(recording.pair, recording.id)
        for port in (recording.pair.own, recording.pair.other):
            recording.joined[port.number] = ConnectionId(recording.connection.call_id, DeviceId(port.number))
        self.recordings[recording.id] = recording

    def answered(self, token: object, outcome: Outcome) -> Recording | None:
        """Take an answer; the recording when it was the last one that it waited for.

        Its `refused` says whether it has both ports. None also for the answer to a ClearConnection: either way the
        port is free.
        """
        recording = self._waiting.pop(token, None)
        if recording is None:
            return None
        port = recording.awaited.pop(token)
        joined = None if isinstance(outcome, ReturnError | Reject | Lost) else self._strategy.joined(port, outcome)
        if joined is not None:
            recording.joined[port.number] = joined
        else:
            if isinstance(outcome, Lost):  # it may have happened all the same
                recording.joined[port.number] = ConnectionId(recording.connection.call_id, DeviceId(port.number))
            recording.refused = f"port {port.number}: {outcome_text(outcome)}"
        return None if recording.awaited else recording

    def give_back(self, recording: Recording) -> list[Output]:
        """Take our ports out of the call where the PBX has not done so, and free the pair."""
        connections = list(recording.joined.values()) if self.link_up else []
        del self.recordings[recording.id]
        self.pool.release(recording.pair)
        return [Request(self._token(), self._strategy.stop(connection)) for connection in connections]

    # --- what becomes of the ports

    def port_dropped(self, port: str, now: float) -> None:
        for recording in self._on(port):
            recording.joined.pop(port, None)
            recording.port_dropped = recording.port_dropped or now

    def port_moved(self, port: str, call_id: bytes) -> None:
        self._port_is_in(port, ConnectionId(call_id, DeviceId(port)))

    def _port_is_in(self, port: str, connection: ConnectionId) -> None:
        for recording in self._on(port):
            if port in recording.joined:
                recording.joined[port] = connection

    def ask(self, argument: Argument) -> tuple[object, Output]:
        """A request of somebody else: its token, and the output."""
        token = self._token()
        return token, Request(token, argument)

    def of(self, conversation: UUID, *states: State) -> list[Recording]:
        """Recordings of a conversation in these states."""
        return [r for r in self.recordings.values() if r.conversation == conversation and r.state in states]

    def _on(self, port: str) -> Iterable[Recording]:
        return (r for r in self.recordings.values() if port in (r.pair.own.number, r.pair.other.number))

    def _token(self) -> int:
        self._last_token += 1
        return self._last_token


def _requests(requests: list[tuple[object, Argument]]) -> list[Output]:
    return [Request(token, argument) for token, argument in requests]
