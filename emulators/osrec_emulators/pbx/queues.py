"""Queues and their agents (ACD): calls wait for an agent who is logged on, ready and idle."""

from functools import partial

from osrec.wire.csta import model
from osrec.wire.csta.model import LocalState
from osrec_emulators.pbx.agent_events import AgentState, agent_event
from osrec_emulators.pbx.calls import Call, Cause, Identifiers, Leg, Occurrence, Party, RuleError
from osrec_emulators.pbx.config import PbxConfig
from osrec_emulators.pbx.directory import Directory
from osrec_emulators.pbx.group_config import Queue
from osrec_emulators.pbx.numbering import expand_all
from osrec_emulators.pbx.routing import Routing
from osrec_emulators.pbx.transitions import Unanswered
from osrec_emulators.pbx.truth import Truth


class Queues(Routing):
    """Distributes calls to agents.

    Attributes:
        agents: states of those who may log on, by station; who waited longest comes first.
    """

    def __init__(self, config: PbxConfig, directory: Directory, identifiers: Identifiers, truth: Truth) -> None:
        super().__init__(config, directory, identifiers, truth)
        self.agents: dict[str, AgentState] = {}
        self._queues_of: dict[str, list[Queue]] = {}
        self._to_wrap_up: set[str] = set()
        self._given: set[str] = set()  # agents to whom a queue gave the call that they have
        self._busy: set[str] = set()  # of these, who have answered
        for queue in config.groups:
            if isinstance(queue, Queue):
                logged_on = expand_all(queue.members if queue.logged_on is None else queue.logged_on)
                for member in expand_all(queue.members):
                    self._queues_of.setdefault(member, []).append(queue)
                    self.agents.setdefault(member, AgentState.LOGGED_OFF)
                    if member in logged_on:
                        self.agents[member] = AgentState.READY
        self._when_idle.append(self._agent_is_idle)

    # --- what agents do

    def log_on(self, agent: str) -> None:
        self._require_agent(agent, "log on", AgentState.LOGGED_OFF)
        self._tell_agent(agent, AgentState.LOGGED_ON)
        self._make_ready(agent)

    def log_off(self, agent: str) -> None:
        self._require_agent(agent, "log off", *_LOGGED_ON)
        self._tell_agent(agent, AgentState.LOGGED_OFF)

    def ready(self, agent: str) -> None:
        self._require_agent(agent, "become ready", AgentState.NOT_READY, AgentState.WORKING_AFTER_CALL)
        self._make_ready(agent)

    def not_ready(self, agent: str) -> None:
        self._require_agent(agent, "become not ready", AgentState.READY, AgentState.WORKING_AFTER_CALL)
        self._tell_agent(agent, AgentState.NOT_READY)

    # --- what calls do

    def _enqueue(self, call: Call, queue: Queue, cause: int) -> None:
        leg = self._connect(call, queue.number, Party(queue.number), LocalState.QUEUED)
        self._be_patient(call, queue.patience)
        self._report(model.Queued, call, leg, cause)
        self._distribute(queue)

    def _distribute(self, queue: Queue) -> None:
        """Those who wait longest get those who have been ready longest."""
        for call in self.calls_of(queue.number):
            agent = self._free_agent(queue, call)
            if agent is None:
                continue
            self.agents[agent] = self.agents.pop(agent)
            self._divert(call, call.legs[queue.number], agent, Cause.DISTRIBUTED)
            missed = Unanswered(queue.ring_time, partial(self._agent_missed, queue, agent))
            self._offer(call, agent, Cause.DISTRIBUTED, then=missed)
            self._given.add(agent)
            if queue.wrap_up > 0:
                self._to_wrap_up.add(agent)

    def _answered(self, call: Call, leg: Leg, cause: int) -> None:
        super()._answered(call, leg, cause)
        if leg.device in self._given:
            self._busy.add(leg.device)
            self._report_agent(leg.device, AgentState.BUSY)

    def _free_agent(self, queue: Queue, call: Call) -> str | None:
        members = set(expand_all(queue.members))
        ready = (agent for agent, state in self.agents.items() if agent in members and state is AgentState.READY)
        return next((agent for agent in ready if self.idle(agent) and agent not in call.legs), None)

    def _agent_missed(self, queue: Queue, agent: str, call: Call) -> None:
        """The call goes back into the queue, and the agent gets no other one."""
        leg = call.legs.get(agent)
        if leg is None or leg.state is not LocalState.ALERTING:
            return
        self._to_wrap_up.discard(agent)
        self._given.discard(agent)
        self._tell_agent(agent, AgentState.NOT_READY)
        self._divert(call, leg, queue.number, Cause.CALL_NOT_ANSWERED)
        self._enqueue(call, queue, Cause.NO_AVAILABLE_AGENTS)

    def _agent_is_idle(self, agent: str) -> None:
        queues = self._queues_of.get(agent, [])
        was_busy = agent in self._busy
        self._given.discard(agent)
        self._busy.discard(agent)
        if agent in self._to_wrap_up and self.agents[agent] is AgentState.READY:
            self._to_wrap_up.discard(agent)
            self._tell_agent(agent, AgentState.WORKING_AFTER_CALL)
            wrap_up = max(queue.wrap_up for queue in queues)
            self.timers.set(agent, "wrap-up", self.now + wrap_up, partial(self._wrapped_up, agent))
        elif was_busy:
            self._report_agent(agent, self.agents[agent])
        for queue in queues:
            self._distribute(queue)

    def _wrapped_up(self, agent: str) -> None:
        if self.agents[agent] is AgentState.WORKING_AFTER_CALL:
            self._make_ready(agent)

    # --- details

    def _make_ready(self, agent: str) -> None:
        self._tell_agent(agent, AgentState.READY)
        self.agents[agent] = self.agents.pop(agent)
        for queue in self._queues_of[agent]:
            self._distribute(queue)

    def _tell_agent(self, agent: str, state: AgentState) -> None:
        self.agents[agent] = state
        self._report_agent(agent, state)

    def _report_agent(self, agent: str, state: AgentState) -> None:
        self.reporter.occurred(Occurrence(self.now, agent, agent_event(agent, state)))

    def _require_agent(self, agent: str, action: str, *states: AgentState) -> None:
        state = self.agents.get(agent)
        if state is None:
            raise RuleError(f"{agent} cannot {action}: it is no member of a queue")
        if state not in states:
            raise RuleError(f"{agent} cannot {action}: it is {state.name.lower().replace('_', ' ')}")


_LOGGED_ON = (AgentState.READY, AgentState.NOT_READY, AgentState.WORKING_AFTER_CALL)
