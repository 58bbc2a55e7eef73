"""How the recorder of a soak is set up, and what of its own goes wrong."""

from dataclasses import dataclass, replace
from typing import Any, Literal

from osrec_emulators.check.expected import ByAccount, Expected, Sample

CONFIDENTIAL = ("0302*", "0303*", "0304*")  # nobody may record them: every tenth outside
ON_DEMAND = "3120-3159"
ASKED = tuple(map(str, range(3120, 3160)))
PROJECTS = "3160-3189"
SAMPLED = "3190-3219"
PERCENTAGE = 40
CODE = "4711"
BROKEN = frozenset({"los", "lof", "ais", "packet_loss"})  # gaps of our making
AWAY = frozenset({"not_listening", "recorder_restart"})  # the same where the recorder itself is away now and then
Strategy = Literal["single-step-conference", "join-call", "escape", "make-call"]


@dataclass(frozen=True, slots=True)
class Variant:
    """One kind of site; what `_every` names comes after so many seconds on average, 0: never.

    Attributes:
        order: which side the PBX puts on the port that joins first.
        preroll: seconds that a recording may reach back.
        kill: kill -9 of the recorder. stop: its orderly restart. reboot: restart of its machine.
        full: the journal's disk has no room. hang: it does not answer. step: the wall clock is set.
        rich: rules with every kind of condition. demand: people ask for calls to be kept, or paused.
    """

    strategy: Strategy = "single-step-conference"
    order: Literal["own-first", "other-first"] = "own-first"
    internal: Literal["once", "each"] = "once"
    preempt: bool = True
    preroll: float = 5.0
    kill_every: float = 0.0
    stop_every: float = 0.0
    reboot_every: float = 0.0
    full_every: float = 0.0
    hang_every: float = 0.0
    step_every: float = 0.0
    rich: bool = False
    demand_every: float = 0.0

    @property
    def recording(self) -> dict[str, Any]:
        """Keys of the recorder's [recording] section."""
        how = {"fork": self.strategy, "fork_order": self.order, "internal": self.internal}
        return how | {"preempt": self.preempt, "preroll": self.preroll}

    @property
    def fork(self) -> dict[str, Any]:
        """Keys of the PBX's [pbx.fork] section: it takes no other way of asking."""
        return {"strategies": [self.strategy], "order": self.order}

    @property
    def plays(self) -> list[str]:
        """Kinds of trouble of its own."""
        kinds = ("kill", "stop", "reboot", "full", "hang", "step", "demand")
        return [kind for kind in kinds if getattr(self, f"{kind}_every")]

    @property
    def rules(self) -> list[dict[str, Any]]:
        """The recorder's [[rules]]."""
        important = {"name": "important", "action": "record", "priority": 5, "stations": ["3100-3109"]}
        return [
            {"name": "confidential", "action": "never", "numbers": list(CONFIDENTIAL)},
            important,
            *(RICH if self.rich else ()),
            {"name": "all", "action": "record"} | ({"not_stations": [PROJECTS, SAMPLED]} if self.rich else {}),
        ]

    @property
    def expected(self) -> Expected:
        """What the judge must know of all that."""
        absent = self.kill_every or self.stop_every or self.reboot_every
        gaps = BROKEN | AWAY if absent else BROKEN
        plain = Expected(stations=("3*",), never=CONFIDENTIAL, each=self.internal == "each", gaps=gaps)
        if not self.rich:
            return plain
        sampled = tuple(map(str, range(3190, 3220)))
        projects = tuple(map(str, range(3160, 3190)))
        return replace(
            plain,
            on_demand=ASKED,
            samples=(Sample("sampled", sampled, PERCENTAGE),),
            accounts=(ByAccount(projects, (CODE,)),),
            gaps=gaps | {"paused"},
        )


RICH = (
    {"name": "desks", "action": "on_demand", "stations": [ON_DEMAND]},
    {"name": "projects", "action": "record", "stations": [PROJECTS], "accounts": [CODE]},
    {"name": "sampled", "action": "record", "stations": [SAMPLED], "percentage": PERCENTAGE},
)

PLAIN = Variant()
VARIANTS = {
    "plain": PLAIN,
    "escape": Variant(strategy="escape", internal="each"),
    "make-call": Variant(strategy="make-call", order="other-first", preempt=False),
    "join-call": Variant(strategy="join-call", order="other-first", internal="each", preempt=False, preroll=0.0),
    "kills": Variant(kill_every=20.0),
    "stops": Variant(stop_every=20.0),
    "reboots": Variant(reboot_every=30.0),
    "full": Variant(full_every=20.0),
    "hangs": Variant(hang_every=20.0),
    "steps": Variant(step_every=15.0),
    "rules": Variant(rich=True, demand_every=10.0),
}
