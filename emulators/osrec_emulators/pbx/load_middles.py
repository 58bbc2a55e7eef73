"""What happens while people talk, for the random load: steps between answer and hang-up."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from osrec_emulators.pbx.load_config import LoadConfig
from osrec_emulators.pbx.plays import Step
from osrec_emulators.pbx.script_config import Action
from osrec_emulators.pbx.switch import Switch

RINGING = 0.3  # share of transfers while the third party's telephone still rings
SPARE_TRUNKS = 4  # so many are left for the calls that were thought up before


@dataclass(frozen=True, slots=True)
class Talk:
    """`active` is the station that does something, `other` whom it talks with."""

    active: str
    other: str
    answered: float
    seconds: float

    @property
    def end(self) -> float:
        return self.answered + self.seconds


@dataclass(frozen=True, slots=True)
class Middle:
    """`ends`: the steps bring the conversation to its end. `stations`: those that join, and park slots."""

    steps: tuple[Step, ...] = ()
    ends: bool = False
    stations: tuple[str, ...] = ()


class Middles:
    """Thinks up one thing for one conversation. `outside` gives somebody's number."""

    def __init__(self, config: LoadConfig, switch: Switch, rng: random.Random, outside: Callable[[], str]) -> None:
        self._config = config
        self._switch = switch
        self._rng = rng
        self._outside = outside

    def middle(self, happens: str | None, talk: Talk, idle: list[str], taken: set[str]) -> Middle:
        """Stations are taken out of `idle`; an empty Middle where something is missing."""
        at = talk.answered + talk.seconds * self._rng.uniform(0.2, 0.4)
        free = [slot for slot in self._switch.directory.park_slots if slot not in taken]
        match happens:
            case "hold":
                later = at + talk.seconds * self._rng.uniform(0.1, 0.3)
                return Middle((Step(at, "hold", talk.active), Step(later, "retrieve", talk.active)))
            case "transfer" if idle:
                return self._transfer(talk, idle.pop(), at)
            case "conference" if idle:
                return self._conference(talk, idle, at)
            case "alternate" if idle:
                return self._alternate(talk, idle.pop(), at)
            case "blind_transfer" if idle:
                return self._blind_transfer(talk, idle.pop(), at)
            case "transfer_out" if len(self._switch.free_trunks()) > SPARE_TRUNKS:
                return self._transfer_out(talk, at)
            case "park" if idle and free:
                return self._park(talk, idle.pop(), self._rng.choice(free), at)
            case "replace_path" if not {talk.active, talk.other} <= self._switch.directory.stations.keys():
                return Middle((Step(at, "replace_path", talk.active),))
            case "details":
                return self._details(talk, at)
            case _:
                return Middle()

    def _consult(self, talk: Talk, dialled: str, third: str, at: float) -> tuple[Step, Step]:
        answer = at + min(self._rng.uniform(*self._config.ring), talk.seconds * 0.2)
        return Step(at, "consult", talk.active, dialled), Step(answer, "answer", third)

    def _one_hangs_up(self, talk: Talk, *parties: str) -> Step:
        return Step(talk.end, "hangup", self._rng.choice(parties))

    def _transfer(self, talk: Talk, third: str, at: float) -> Middle:
        consult, answer = self._consult(talk, third, third, at)
        if self._rng.random() < RINGING:
            moment = (consult.at + answer.at) / 2
        else:
            moment = answer.at + talk.seconds * self._rng.uniform(0.05, 0.15)
        last = self._one_hangs_up(talk, talk.other, third)
        return Middle((consult, answer, Step(moment, "transfer", talk.active), last), ends=True, stations=(third,))

    def _transfer_out(self, talk: Talk, at: float) -> Middle:
        third = self._outside()
        consult, answer = self._consult(talk, self._switch.directory.access_code + third, third, at)
        moment = answer.at + talk.seconds * self._rng.uniform(0.05, 0.15)
        last = self._one_hangs_up(talk, talk.other, third)
        return Middle((consult, answer, Step(moment, "transfer", talk.active), last), ends=True)

    def _conference(self, talk: Talk, idle: list[str], at: float) -> Middle:
        """Stations are added one after the other; then they leave, down to two."""
        most = min(self._rng.randint(3, self._config.conference_parties) - 2, len(idle))
        added = [idle.pop() for _ in range(most)]
        each = talk.seconds * 0.4 / most
        steps: list[Step] = []
        for third in added:
            answer = at + min(self._rng.uniform(*self._config.ring), each * 0.5)
            joined = Step(answer + each * self._rng.uniform(0.1, 0.3), "conference", talk.active)
            steps += (Step(at, "consult", talk.active, third), Step(answer, "answer", third), joined)
            at += each
        leaving = [talk.active, *added]
        self._rng.shuffle(leaving)
        for position, who in enumerate(leaving[:-1], 1):
            steps.append(Step(talk.end - talk.seconds * 0.1 * position / len(leaving), "hangup", who))
        return Middle((*steps, Step(talk.end, "hangup", talk.other)), ends=True, stations=tuple(added))

    def _alternate(self, talk: Talk, third: str, at: float) -> Middle:
        consult, answer = self._consult(talk, third, third, at)
        gap = talk.seconds * 0.05
        times = [answer.at + gap * step for step in (1, 2, 3, 4)]
        swaps = tuple(Step(time, "alternate", talk.active) for time in times[:3])
        return Middle((consult, answer, *swaps, Step(times[3], "hangup", third)), stations=(third,))

    def _blind_transfer(self, talk: Talk, third: str, at: float) -> Middle:
        answer = at + min(self._rng.uniform(*self._config.ring), talk.seconds * 0.3)
        last = self._one_hangs_up(talk, talk.other, third)
        steps = (Step(at, "blind_transfer", talk.active, third), Step(answer, "answer", third), last)
        return Middle(steps, ends=True, stations=(third,))

    def _park(self, talk: Talk, third: str, slot: str, at: float) -> Middle:
        later = at + min(talk.seconds * 0.2, self._switch.directory.park_slots[slot] / 2)
        last = self._one_hangs_up(talk, talk.other, third)
        steps = (Step(at, "park", talk.active, slot), Step(later, "unpark", third, slot), last)
        return Middle(steps, ends=True, stations=(third, slot))

    def _details(self, talk: Talk, at: float) -> Middle:
        action = self._rng.choice(tuple(_DETAILS))
        return Middle((Step(at, action, talk.active, "", _DETAILS[action]),))


_DETAILS: Final[dict[Action, str]] = {
    "account": "4711",
    "user_data": "file 17",
    "correlator": "c-1",
    "digits": "12#",
}
