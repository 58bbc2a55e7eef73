"""The PBX and the tracker that everything else is about, and how the tracker hears."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from uuid import UUID

from osrec.calls.tracker import Tracker
from osrec.numbers import Patterns
from osrec_emulators.pbx.calls import Call
from osrec_emulators.pbx.config import PbxConfig
from osrec_emulators.pbx.world import World
from tests.property.tracker_model.people import PATTERNS_OF_GROUPS, PATTERNS_OF_TRUNKS, PORTS
from tests.property.tracker_model.story import Story

LINGER = 2.0


@dataclass(slots=True)
class Scene:
    """Attributes:
    linkage: whether events tell which calls belong together.
    """

    world: World
    tracker: Tracker
    monitored: Sequence[str]
    linkage: bool
    story: Story
    now: float = 100.0
    watched_by: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        self.watched_by = frozenset(self.monitored)

    def watches(self, call: Call) -> bool:
        """Whether a monitored station is in the call."""
        return any(leg.device in self.watched_by for leg in call.active)

    def watched_calls(self) -> list[Call]:
        return [call for call in self.world.switch.calls.values() if self.watches(call)]


def make_scene(config: dict[str, Any], monitored: Sequence[str], story: Story) -> Scene:
    """A PBX of that configuration, and a tracker that monitors these of its stations."""
    numbers = count(1)
    checked = PbxConfig.model_validate(config)
    tracker = Tracker(
        monitored,
        Patterns(PATTERNS_OF_TRUNKS),
        PORTS,
        lambda: UUID(int=next(numbers)),
        groups=Patterns(PATTERNS_OF_GROUPS),
        linger=LINGER,
    )
    return Scene(World(checked), tracker, monitored, checked.linkage, story)
