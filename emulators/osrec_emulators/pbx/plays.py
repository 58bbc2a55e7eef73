"""Plays steps on the switch: those of scripts and those that the random load thinks up."""

import heapq
import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, cast

from osrec.wire.csta.model import LocalState, NoDevice
from osrec_emulators.pbx.calls import RuleError
from osrec_emulators.pbx.script_config import Action, Condition, ScriptConfig, Shown
from osrec_emulators.pbx.switch import Switch
from osrec_emulators.pbx.topology import SwitchTopology


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that somebody does, `at` seconds after the play began; see config.StepConfig."""

    at: float
    action: Action
    party: str
    to: str = ""
    what: str = ""
    shows: Shown = "number"


@dataclass(frozen=True, slots=True)
class Play:
    """Steps in the order of time. `ended` is called once, when the last step was played or one was impossible."""

    name: str
    steps: tuple[Step, ...]
    ended: Callable[[], None] = lambda: None


@dataclass(frozen=True, slots=True)
class Note:
    """Something worth a line in the log."""

    at: float
    text: str

    def __str__(self) -> str:
        return f"{self.at:.3f} s: {self.text}"


def script_steps(script: ScriptConfig) -> tuple[Step, ...]:
    """A script's steps with their times worked out."""
    steps = []
    time = 0.0
    for step in script.steps:
        time = step.at if step.at is not None else time + (step.after or 0.0)
        steps.append(Step(time, step.action, step.party, step.to or "", step.what or "", step.shows))
    return tuple(sorted(steps, key=lambda step: step.at))


class Plays:
    """Running plays; a source of the world's events.

    Attributes:
        notes: what could not be played and why, until somebody takes them.
    """

    def __init__(self, switch: Switch, topology: SwitchTopology) -> None:
        self.notes: list[Note] = []
        self._switch = switch
        self._topology = topology
        self._due: list[tuple[float, int, Play, int]] = []
        self._order = itertools.count()

    @property
    def deadline(self) -> float | None:
        return self._due[0][0] if self._due else None

    def start(self, play: Play, at: float) -> None:
        self._schedule(play, 0, at)

    def run(self, now: float) -> None:
        """Play the step that is due first."""
        due, _, play, position = heapq.heappop(self._due)
        step = play.steps[position]
        try:
            self._perform(step)
        except RuleError as error:
            self.notes.append(Note(now, f"{play.name}: {step.action} at {step.at:g} s is impossible: {error}"))
            self._abandon(play)
            return
        if position + 1 < len(play.steps):
            self._schedule(play, position + 1, due - step.at)
        else:
            play.ended()

    def _schedule(self, play: Play, position: int, began: float) -> None:
        heapq.heappush(self._due, (began + play.steps[position].at, next(self._order), play, position))

    def _abandon(self, play: Play) -> None:
        """Whoever the play put into calls hangs up, so that nobody talks for ever."""
        for number in dict.fromkeys(step.party for step in play.steps):
            device = self._device(number)
            for call in self._switch.calls_of(device) if device is not None else ():
                if device in call.legs:  # else it ended with the one before
                    self._switch.clear(device, call)
        play.ended()

    def _perform(self, step: Step) -> None:
        switch = self._switch
        if step.action == "call" and step.party not in switch.directory.stations:
            switch.incoming(step.party, step.to, _SHOWN[step.shows])
        elif step.action in _OF_NUMBERS:
            getattr(switch, _OF_NUMBERS[step.action])(step.party)
        elif step.action != "ignore":  # whoever ignores a ringing telephone does nothing
            device = self._device(step.party)
            if device is None and step.action in _MILD:
                return
            if device is None:
                raise RuleError(f"{step.party} is no station, and nobody outside with this number is in a call")
            self._command(step, device)

    def _command(self, step: Step, device: str) -> None:
        switch = self._switch
        match step.action:
            case "answer_any":
                for call in switch.calls_of(device):
                    for leg in call.in_state(LocalState.ALERTING)[:1]:
                        switch.answer(leg.device)
            case "leave":
                if switch.engaged(device):
                    switch.clear(device)
            case "say":
                self._topology.say(device, step.what)
            case "forward":
                switch.forward(device, step.to, cast(Condition, step.what or "always"))
            case _:
                arguments = [argument for argument in (step.to, step.what) if argument]
                getattr(switch, COMMANDS.get(step.action, step.action))(device, *arguments)

    def _device(self, number: str) -> str | None:
        return number if number in self._switch.directory.stations else self._switch.trunk_of(number)


COMMANDS: Final[dict[Action, str]] = {"call": "make_call", "hangup": "clear"}  # commands with a name of their own
_MILD: Final[frozenset[Action]] = frozenset({"answer_any", "leave"})  # nothing happens where nobody is
_OF_NUMBERS: Final[dict[Action, str]] = {"busy": "mark_busy", "unreachable": "mark_unreachable", "free": "mark_free"}
_SHOWN: Final[dict[Shown, NoDevice | None]] = {
    "number": None,
    "withheld": NoDevice.RESTRICTED,
    "unknown": NoDevice.NOT_KNOWN,
}
