"""Gets channel pairs and has the PBX fork stations onto them; gives them back.

A lease is of a whole pair or of nothing: a fork that the PBX grants on one port only is taken down again.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from osrec.csta.messages import Lost, Outcome
from osrec.engine.answers import outcome_text
from osrec.engine.fork import ForkStrategy
from osrec.engine.messages import Listen, Output, Request, Wipe
from osrec.engine.pool import Pair, Pool, Port
from osrec.engine.recording import Recording, State
from osrec.engine.settings import EngineConfig
from osrec.engine.sweep import Sweep
from osrec.store.records import Decision
from osrec.wire.csta.model import Argument, ConnectionId, DeviceId, Reject, ReturnError

DOUBT = 5.0  # seconds after which a port is looked for whose request got no answer: it may have been carried out late


@dataclass(frozen=True, slots=True)
class Wanted:
    """A fork that is to be asked for.

    Attributes:
        connection: the station's in the call.
        tried: pairs that were refused before: not these again.
        rather_not: pairs that a fork of this station was lost on.
    """

    recording: UUID
    conversation: UUID
    station: str
    connection: ConnectionId
    decision: Decision
    tried: tuple[Pair, ...] = ()
    rather_not: tuple[Pair, ...] = ()


class Forks:
    """The recordings that hold a pair, and what is asked of the PBX for them.

    Attributes:
        recordings: by id, from the lease of their pair to its release.
        pool: the pairs.
        link_up: whether anything can be asked now.
    """

    def __init__(self, pool: Pool, strategy: ForkStrategy, config: EngineConfig) -> None:
        self.recordings: dict[UUID, Recording] = {}
        self.pool = pool
        self.link_up = False
        self._strategy = strategy
        self._config = config
        self._of: defaultdict[UUID, dict[UUID, Recording]] = defaultdict(dict)  # by conversation
        self._by_port: dict[str, Recording] = {}
        self._priorities: Counter[int] = Counter()
        self._waiting: dict[object, Recording] = {}  # by token of the request
        self._doubts: dict[str, float] = {}  # when to look for a port
        self._last_token = 0
        self._sweep = Sweep(self._token, self._by_port.__contains__)

    # --- the link

    def connected(self) -> list[Output]:
        """First of all, where does the PBX have our ports? Those that no recording holds are taken out of there."""
        self.link_up = True
        self._doubts.clear()
        ports = [port.number for pair in self.pool.pairs for port in (pair.own, pair.other)]
        return _requests(self._sweep.begin(ports))

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
        if step.found is not None:
            self._place(step.found.port, step.found.connection, now)
        return _requests(step.requests)

    # --- leases

    def start(self, wanted: Wanted, now: float) -> tuple[Recording | None, list[Output]]:
        """Lease a pair and ask for the fork; (None, []) when no pair is free."""
        pair = self.pool.lease(wanted.recording, wanted.tried, wanted.rather_not)
        if pair is None:
            return None, []
        new = Recording(
            wanted.recording,
            wanted.conversation,
            wanted.station,
            pair,
            wanted.connection,
            wanted.decision,
            asked=now,
            provisional=wanted.decision.action == "on_demand",
            tried=(*wanted.tried, pair),
        )
        self._enter(new)
        outputs: list[Output] = [Listen(new.id, pair, self._strategy.reaches_back)]
        for ask in self._strategy.start(new.station, new.connection, pair):
            token = self._token()
            new.awaited[token] = ask.ports
            self._waiting[token] = new
            outputs.append(Request(token, ask.argument))
        return new, outputs

    def adopt(self, recording: Recording) -> None:
        """A recording of an earlier run keeps its pair; the PBX is taken to have its ports in the call."""
        self.pool.take(recording.pair, recording.id)
        for port in (recording.pair.own, recording.pair.other):
            recording.joined[port.number] = ConnectionId(recording.connection.call_id, DeviceId(port.number))
        self._enter(recording)

    def answered(self, token: object, outcome: Outcome) -> Recording | None:
        """Take an answer; the recording when it was the last one that it waited for.

        Its `refused` says whether it has both ports. None also for the answer to a request that ends a fork: either
        way the ports are free.
        """
        recording = self._waiting.pop(token, None)
        if recording is None:
            return None
        for port in recording.awaited.pop(token):
            self._port_answered(recording, port, outcome)
        return None if recording.awaited else recording

    def _port_answered(self, recording: Recording, port: Port, outcome: Outcome) -> None:
        if isinstance(outcome, ReturnError | Reject):
            joined = None
        elif isinstance(outcome, Lost):  # it may have happened all the same, or happen yet
            joined = ConnectionId(recording.connection.call_id, DeviceId(port.number))
            recording.unsure.add(port.number)
        else:
            joined = self._strategy.joined(port, recording.connection, outcome)
        if joined is not None:
            recording.joined[port.number] = joined
        if joined is None or isinstance(outcome, Lost):
            recording.refused = f"port {port.number}: {outcome_text(outcome)}"

    def give_up(self, recording: Recording) -> list[Output]:
        """No answer yet: the PBX is told to take the ports out again, which it may have joined all the same."""
        for ports in recording.awaited.values():
            for port in ports:
                recording.joined[port.number] = ConnectionId(recording.connection.call_id, DeviceId(port.number))
        return self.clear(recording)

    def clear(self, recording: Recording) -> list[Output]:
        """Take our ports out of the call where the PBX has not done so."""
        joined, recording.joined = recording.joined, {}
        if not self.link_up:
            return []  # the sweep after the next connection finds them
        arguments = self._strategy.stop(recording.station, recording.pair, joined) if joined else []
        return [Request(self._token(), argument) for argument in arguments]

    def give_back(self, recording: Recording, now: float) -> list[Output]:
        """Free the pair, with the ports out of their calls."""
        outputs = self.clear(recording)
        del self.recordings[recording.id]
        self._leave(recording)
        self._priorities[recording.decision.priority] -= 1
        self._priorities += Counter()  # drops those of which none is left
        for port in (recording.pair.own, recording.pair.other):
            del self._by_port[port.number]
        self.pool.release(recording.pair)
        self._doubts |= dict.fromkeys(sorted(recording.unsure), now + DOUBT)
        if recording.wipe_since is not None:
            outputs.append(Wipe(recording.pair, recording.wipe_since))
        return outputs

    # --- what becomes of the ports

    def port_dropped(self, port: str, since: float, now: float) -> None:
        """The call may just be ending: only when the station still talks a little later, the fork is lost."""
        recording = self._by_port.get(port)
        if recording is None or port not in recording.joined:
            return  # told late of an earlier fork: this one has not yet joined
        del recording.joined[port]
        recording.port_dropped = since if recording.port_dropped is None else recording.port_dropped
        if recording.state is State.RUNNING and recording.due is None:
            recording.due = now + self._config.port_loss

    def port_moved(self, port: str, call_id: bytes) -> None:
        recording = self._by_port.get(port)
        if recording is not None and port in recording.joined:
            recording.joined[port] = ConnectionId(call_id, DeviceId(port))

    def _place(self, port: str, connection: ConnectionId | None, now: float) -> None:
        """A snapshot says where a port is that a recording holds."""
        recording = self._by_port.get(port)
        if recording is None or recording.state is not State.RUNNING:
            return  # while the fork is asked for its answer counts, and after it the end
        if connection is None:
            idle_since = recording.idle_on(port)
            self.port_dropped(port, now if idle_since is None else idle_since, now)
            return
        recording.confirmed = True
        if port in recording.joined:
            recording.joined[port] = connection

    def look_for(self, recording: Recording) -> list[Output]:
        """Ask the PBX where a recording's ports are."""
        return self._look([recording.pair.own.number, recording.pair.other.number])

    def doubtful(self, now: float) -> list[Output]:
        """Ask the PBX for ports whose request got no answer some time ago."""
        due = [port for port, when in self._doubts.items() if when <= now]
        for port in due:
            del self._doubts[port]
        return self._look([port for port in due if port not in self._by_port])

    def _look(self, ports: list[str]) -> list[Output]:
        return _requests(self._sweep.look(ports)) if self.link_up and ports else []

    # --- the books

    def ask(self, argument: Argument) -> tuple[object, Output]:
        """A request of somebody else: its token, and the output."""
        token = self._token()
        return token, Request(token, argument)

    def of(self, conversation: UUID, *states: State) -> list[Recording]:
        """Recordings of a conversation in these states."""
        recordings = self._of.get(conversation)
        return [r for r in recordings.values() if r.state in states] if recordings else []

    def move(self, recording: Recording, conversation: UUID) -> None:
        """The recording's conversation turned out to be part of another."""
        self._leave(recording)
        recording.conversation = conversation
        self._of[conversation][recording.id] = recording

    @property
    def lowest_priority(self) -> int | None:
        """Of the recordings that hold a pair, None when there are none."""
        return min(self._priorities, default=None)

    @property
    def deadline(self) -> float | None:
        """When something is due: of a recording, or of a port in doubt."""
        dues = [r.due for r in self.recordings.values() if r.due is not None]
        return min([*dues, *self._doubts.values()], default=None)

    def _enter(self, recording: Recording) -> None:
        self.recordings[recording.id] = recording
        self._priorities[recording.decision.priority] += 1
        self._of[recording.conversation][recording.id] = recording
        for port in (recording.pair.own, recording.pair.other):
            self._by_port[port.number] = recording

    def _leave(self, recording: Recording) -> None:
        siblings = self._of[recording.conversation]
        del siblings[recording.id]
        if not siblings:
            del self._of[recording.conversation]

    def _token(self) -> int:
        self._last_token += 1
        return self._last_token


def _requests(requests: Iterable[tuple[object, Argument]]) -> list[Output]:
    return [Request(token, argument) for token, argument in requests]
