"""Gets channel pairs and has the PBX fork stations onto them; gives them back.

A lease is of a whole pair or of nothing: a fork that the PBX grants on one port only is taken down again. A pair goes
to the next call only when the PBX has said that its ports are out of the last one, and a moment later: no recording
may begin with another call's audio.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from osrec.csta.messages import Lost, Outcome
from osrec.engine.answers import outcome_text
from osrec.engine.bearers import Bearers
from osrec.engine.busy import BACK_OFF, NOT_SENT, Clears, back_off, is_busy
from osrec.engine.fork import ForkStrategy
from osrec.engine.messages import Listen, Output, Request, Wipe
from osrec.engine.pool import Block, Pair, Pool, Port
from osrec.engine.recording import Recording, State
from osrec.engine.settings import EngineConfig
from osrec.engine.sweep import Step, Sweep
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
        bearers: on which slots the PBX calls the ports of lines with signalling.
        link_up: whether anything can be asked now.
    """

    def __init__(self, pool: Pool, strategy: ForkStrategy, config: EngineConfig, signalled: Iterable[str] = ()) -> None:
        self.recordings: dict[UUID, Recording] = {}
        self.pool = pool
        self.bearers = Bearers(signalled, pool.pairs)
        for line in self.bearers.signalled:
            pool.block(line, True, Block.SIGNALLING)  # until it is up
        self.link_up = False
        self._strategy = strategy
        self._config = config
        self._of: defaultdict[UUID, dict[UUID, Recording]] = defaultdict(dict)  # by conversation
        self._by_port: dict[str, Recording] = {}
        self._priorities: Counter[int] = Counter()
        self._waiting: dict[object, Recording] = {}  # by token of the request
        self._former: dict[str, ConnectionId] = {}  # that a port had before, for events that are told late
        self._doubts: dict[str, float] = {}  # when to look for a port
        self._stuck: dict[str, int] = {}  # how often the PBX was too busy to take a port out that the sweep had found
        self._swept: dict[str, float] = {}  # when a port that was found in a call has been out of it long enough
        self._last_token = 0
        self._clears = Clears(self._token)
        self._sweep = Sweep(self._token, self._holder)

    # --- the link

    def connected(self) -> list[Output]:
        """First of all, where does the PBX have our ports? Those that no recording holds are taken out of there."""
        self.link_up = True
        self._doubts.clear()
        self._stuck.clear()
        ports = [port.number for pair in self.pool.pairs for port in (pair.own, pair.other)]
        return _requests(self._sweep.begin(ports))

    def disconnected(self) -> None:
        """The link answers what is outstanding with Lost."""
        self.link_up = False
        self._sweep.stop()
        for recording in self._clears.disconnected():
            recording.unsure |= _numbers(recording.pair)

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
        if step.left is not None:
            self._swept[step.left] = now + self._config.pair_rest
        self._settle_stuck(step, now)
        return _requests(step.requests)

    def _settle_stuck(self, step: Step, now: float) -> None:
        """A port that the PBX did not take out is looked for again: no pair is leased with it before."""
        for port in step.stuck:
            self._stuck[port] = self._stuck.get(port, 0) + 1
        for port in (*step.stuck, *step.unseen):
            self._doubts[port] = now + back_off(self._stuck.get(port, len(BACK_OFF)))
        if step.settled is not None and step.settled not in self._doubts:
            self._stuck.pop(step.settled, None)

    # --- leases

    def start(self, wanted: Wanted, now: float) -> tuple[Recording | None, list[Output]]:
        """Lease a pair and ask for the fork; (None, []) when no pair is free."""
        pair = self.pool.lease(wanted.recording, (*wanted.tried, *self.unfit(now)), wanted.rather_not)
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
        self.bearers.asked(pair, now)
        outputs: list[Output] = [Listen(new.id, pair, self._strategy.reaches_back)]
        for ask in self._strategy.start(new.station, new.connection, pair):
            token = self._token()
            new.awaited[token] = ask.ports
            self._waiting[token] = new
            outputs.append(Request(token, ask.argument))
        return new, outputs

    def unfit(self, now: float) -> list[Pair]:
        """Free pairs that may still carry a call: the sweep has found their ports in one."""
        ports = self._sweep.clearing.union(port for port, until in self._swept.items() if until > now)
        ports |= self._stuck.keys()
        ports -= self._by_port.keys()
        in_call = [pair for pair in self.pool.pairs if not ports.isdisjoint((pair.own.number, pair.other.number))]
        return in_call + [pair for pair in self.bearers.occupied() if self.pool.owner(pair) is None]

    def rested(self, now: float) -> bool:
        """Whether a pair of which that was true has become fit."""
        before = len(self._swept)
        self._swept = {port: until for port, until in self._swept.items() if until > now}
        return len(self._swept) < before

    def adopt(self, recording: Recording) -> None:
        """A recording of an earlier run keeps its pair; the PBX is taken to have its ports in the call."""
        self.pool.take(recording.pair, recording.id)
        for port in (recording.pair.own, recording.pair.other):
            recording.joined[port.number] = ConnectionId(recording.connection.call_id, DeviceId(port.number))
        self._enter(recording)

    def answered(self, token: object, outcome: Outcome, now: float) -> Recording | None:
        """Take an answer; the recording when it was the last one that it waited for.

        Its `refused` says whether it has both ports. None also for the answer to a request that ends a fork: either
        way the ports are free, and what rests is due a moment later.
        """
        self._left(token, outcome, now)
        recording = self._waiting.pop(token, None)
        if recording is None:
            return None
        for port in recording.awaited.pop(token):
            self._port_answered(recording, port, outcome)
        return None if recording.awaited else recording

    def _port_answered(self, recording: Recording, port: Port, outcome: Outcome) -> None:
        if isinstance(outcome, ReturnError | Reject) or outcome == NOT_SENT:
            joined = None
        elif isinstance(outcome, Lost):  # it may have happened all the same, or happen yet
            joined = recording.presumed(port)
            recording.unsure.add(port.number)
            if not self.link_up:  # nobody refused it, and nobody will answer
                recording.unanswered.add(port.number)
        else:
            joined = self._strategy.joined(port, recording.connection, outcome)
            joined = joined and recording.moved.get(port.number, joined)  # the answer may be older than that
        if joined is not None:
            recording.joined[port.number] = joined
        if port.number not in recording.unanswered and (joined is None or isinstance(outcome, Lost)):
            recording.busy = is_busy(outcome) and (recording.busy or recording.refused is None)
            recording.refused = f"port {port.number}: {outcome_text(outcome)}"

    def _left(self, token: object, outcome: Outcome, now: float) -> None:
        """The PBX has answered a request that ends a fork, or nobody will."""
        recording = self._clears.answered(token, outcome, now)
        if recording is None or recording.leaving:
            return
        recording.left = now
        if recording.resting:
            recording.due = now + self._config.pair_rest

    def give_up(self, recording: Recording, now: float) -> list[Output]:
        """No answer yet: the PBX is told to take the ports out again, which it may have joined all the same.

        Their call may have another id by now: where it has them is asked for, too, and nobody needs them there.
        """
        for ports in recording.awaited.values():
            for port in ports:
                recording.joined[port.number] = recording.presumed(port)
        return [*self.clear(recording, now), *self.look_for(recording)]

    def clear(self, recording: Recording, now: float) -> list[Output]:
        """Take our ports out of the call where the PBX has not done so."""
        joined, recording.joined = recording.joined, {}
        self._former |= joined
        if not self.link_up:
            return []  # the sweep after the next connection finds them
        outputs: list[Output] = []
        for argument in self._strategy.stop(recording.station, recording.pair, joined) if joined else ():
            outputs.append(Request(*self._clears.ask(recording, argument, now)))
        return outputs

    def give_back(self, recording: Recording, now: float) -> list[Output]:
        """Free the pair as soon as its ports are out of their calls; until then the recording keeps it, and is due."""
        outputs = self.clear(recording, now)
        free_at = self._free_at(recording)
        if free_at > now:
            recording.state, recording.resting, recording.due = State.DRAINING, True, free_at
            return outputs
        return outputs + self._release(recording, now)

    def _free_at(self, recording: Recording) -> float:
        """When the pair carries nothing of the call any more, so far as is known."""
        if recording.left is None or not self.link_up:
            return 0.0
        if not recording.leaving:
            return recording.left + self._config.pair_rest
        return (self._clears.again(recording) or recording.left) + self._config.fork_timeout

    def _release(self, recording: Recording, now: float) -> list[Output]:
        outputs: list[Output] = []
        if self._clears.forget(recording):  # the PBX has not said that they are out
            recording.unsure |= _numbers(recording.pair)
        del self.recordings[recording.id]
        self._leave(recording)
        self._priorities[recording.decision.priority] -= 1
        self._priorities += Counter()  # drops those of which none is left
        for port in (recording.pair.own, recording.pair.other):
            del self._by_port[port.number]
        self.pool.release(recording.pair)
        self.bearers.left(recording.pair, now)
        self._doubts |= dict.fromkeys(sorted(recording.unsure), now + DOUBT)
        if recording.wipe_since is not None:
            outputs += self.wipe(recording, recording.wipe_since)
        return outputs

    def wipe(self, recording: Recording, since: float) -> list[Output]:
        """Have all that came of its call since then wiped; where no call to its ports is known nothing came."""
        pair, carrier = recording.pair, recording.carrier
        slots = self.bearers.slots(pair) if carrier is None else (carrier.own.slot, carrier.other.slot)
        return [Wipe(recording.id, pair.line, slots, since, recording.released)] if slots else []

    def rest(self, pair: Pair, until: float) -> None:
        """Nobody gets the pair before: calls to its ports may still come."""
        self._swept |= dict.fromkeys(_numbers(pair), until)

    # --- what becomes of the ports

    def port_left(self, port: str, call_id: bytes, dynamic: bytes | None, now: float) -> list[Output]:
        """The PBX tells that a port has left a call; of an earlier fork on the port this may be told late."""
        recording = self._by_port.get(port)
        joined = recording.joined.get(port) if recording is not None else None
        if recording is None or joined is None or not self._is_it(port, joined, call_id, dynamic):
            return []
        former = self._former.get(port)
        again = former is not None and former.call_id == call_id and not (dynamic and isinstance(joined.device, bytes))
        self.port_dropped(port, now, now)
        return self.look_for(recording) if again else []  # it was in this call before, and that may be meant

    def _is_it(self, port: str, joined: ConnectionId, call_id: bytes, dynamic: bytes | None) -> bool:
        """Whether this is the connection that the port has now, and not the one it had before.

        Of a call id that is neither's it is the present one: a call changes its id, and nobody may have told.
        """
        if dynamic is not None and isinstance(joined.device, bytes):
            return dynamic == joined.device
        former = self._former.get(port)
        return call_id == joined.call_id or former is None or call_id != former.call_id

    def port_dropped(self, port: str, since: float, now: float) -> None:
        """The call may just be ending: only when the station still talks a little later, the fork is lost."""
        recording = self._by_port.get(port)
        if recording is None or port not in recording.joined:
            return  # told late of an earlier fork: this one has not yet joined
        self._former[port] = recording.joined.pop(port)
        recording.left = max(now, recording.left or now)
        recording.port_dropped = since if recording.port_dropped is None else recording.port_dropped
        if recording.state is State.RUNNING and recording.due is None:
            recording.due = now + self._config.port_loss

    def call_released(self, recording: Recording, now: float) -> None:
        """The trunk's signalling says that nothing more comes to a port, whatever CSTA still has of it."""
        recording.released = now if recording.released is None else recording.released
        recording.port_dropped = now if recording.port_dropped is None else recording.port_dropped
        if recording.due is None:
            recording.due = now + self._config.port_loss

    def port_moved(self, port: str, call_id: bytes, dynamic: bytes | None) -> None:
        recording = self._by_port.get(port)
        if recording is None:
            return
        connection = ConnectionId(call_id, dynamic or DeviceId(port))
        if port in recording.joined:
            recording.joined[port] = connection
        elif recording.awaits(port):
            recording.moved[port] = connection

    def _place(self, port: str, connection: ConnectionId | None, now: float) -> None:
        """A snapshot says where a port is that a recording holds."""
        recording = self._by_port.get(port)
        if recording is None or recording.state is not State.RUNNING:
            return  # while the fork is asked for its answer counts, and after it the end
        if connection is None:
            recording.confirmed = False
            idle_since = recording.idle_on(port)
            self.port_dropped(port, now if idle_since is None else idle_since, now)
            return
        recording.confirmed = True
        if port in recording.joined or recording.port_dropped is not None:
            recording.joined[port] = connection
        both = _numbers(recording.pair) <= recording.joined.keys()
        if recording.port_dropped is not None and both and recording.released is None:
            recording.port_dropped, recording.due = None, None  # what was told was of an earlier fork
        if recording.proof is not None:
            recording.proof[port] = connection

    def doubted(self, pair: Pair) -> bool:
        """Whether the pair may carry a call of before its lease: a request of then may be carried out late."""
        return not _numbers(pair).isdisjoint((*self._doubts, *self._stuck, *self._swept))

    def look_for(self, recording: Recording) -> list[Output]:
        """Ask the PBX where a recording's ports are."""
        return self._look([recording.pair.own.number, recording.pair.other.number])

    def looks_for(self, recording: Recording) -> bool:
        """Whether the PBX has not yet said where its ports are."""
        return any(self._sweep.looks_for(port.number) for port in (recording.pair.own, recording.pair.other))

    def doubtful(self, now: float) -> list[Output]:
        """Ask the PBX again to take ports out, and for ports whose request got no answer some time ago."""
        repeated = _requests(self._clears.repeat(now))
        due = [port for port, when in self._doubts.items() if when <= now]
        for port in due:
            del self._doubts[port]
        return repeated + self._look([port for port in due if port not in self._by_port])

    def _look(self, ports: list[str]) -> list[Output]:
        return _requests(self._sweep.look(ports)) if self.link_up and ports else []

    # --- the books

    def holder(self, port: str) -> Recording | None:
        """The recording that has leased the port."""
        return self._by_port.get(port)

    def _holder(self, port: str) -> object:
        """Which recording needs the port where it is; None: it may be taken out of any call.

        One that was refused, or not answered, and only waits for its ports to be out needs neither of them.
        """
        recording = self._by_port.get(port)
        given_up = recording is not None and (recording.resting or recording.state is State.ABANDONED)
        if recording is None or (given_up and recording.refused is not None):
            return None
        return recording.id

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
        """When something is due: of a recording, or of a port in doubt, at rest or still in a call."""
        dues = [r.due for r in self.recordings.values() if r.due is not None]
        dues += [due for due in (self._clears.deadline, self.bearers.deadline) if due is not None]
        return min([*dues, *self._doubts.values(), *self._swept.values()], default=None)

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


def _numbers(pair: Pair) -> set[str]:
    return {pair.own.number, pair.other.number}


def _requests(requests: Iterable[tuple[object, Argument]]) -> list[Output]:
    return [Request(token, argument) for token, argument in requests]
