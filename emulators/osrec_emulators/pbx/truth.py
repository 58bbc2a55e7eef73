"""The PBX's own record of what happened: one JSON object for each finished conversation, for the checks alone."""

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

from osrec_emulators.pbx.calls import Call, Party, Thread
from osrec_emulators.pbx.media import Fork
from osrec_emulators.pbx.story import (
    MOST_EVENTS,
    Entered,
    ForkSpan,
    PlayedFault,
    RefusedFork,
    Story,
    iso_of,
    refused_row,
)


class Truth:
    """Writes calls.jsonl through `sink`, one line a finished conversation.

    Between them are lines {"is": "refused", ...}: requests for forks that named no call.

    Args:
        names: of stations, by number.

    Attributes:
        finished: conversations written.
    """

    def __init__(
        self,
        sink: Callable[[str], object] | None,
        wall: Callable[[float], datetime],
        names: Mapping[str, str] | None = None,
    ) -> None:
        self.finished = 0
        self._sink = sink
        self._iso = iso_of(wall)
        self._names = names or {}
        self._stories: dict[bytes, Story] = {}
        self._forks: dict[str, ForkSpan] = {}  # the last one of each port

    @property
    def running(self) -> int:
        """Conversations that have not ended."""
        return len(self._stories)

    # --- calls

    def call_began(self, call: Call, now: float) -> None:
        story = self._stories.get(call.thread.id)
        if story is None:
            direction = "in" if call.calling.trunk else "internal"
            story = self._stories[call.thread.id] = Story(direction, now)
        story.calls.append(call.id.hex())

    def outgoing(self, call: Call) -> None:
        """The thread's first call goes outside."""
        story = self._stories[call.thread.id]
        if story.direction == "internal" and len(story.calls) == 1:
            story.direction = "out"

    def dialled_outside(self, call: Call, number: str) -> None:
        """The network is asked for the number, whether it gets there or not."""
        self._stories[call.thread.id].dialled[number] = True

    def joined(self, call: Call, party: Party) -> None:
        self._stories[call.thread.id].parties[party] = None

    def answered(self, call: Call, now: float) -> None:
        story = self._stories[call.thread.id]
        if story.answered is None:
            story.answered = now

    def event(self, call: Call, now: float, kind: str, number: str) -> None:
        """A transition is reported: every change of who talks comes with one, when the call is as it is now."""
        story = self._stories[call.thread.id]
        story.look(call, now)
        if len(story.events) < MOST_EVENTS:
            story.events.append((round(now, 3), kind, number))

    def merged(self, new: Call, olds: Iterable[Call], now: float) -> None:
        """A transfer or conference made one call of calls that had nothing to do with each other before."""
        for old in olds:
            if old.thread is not new.thread:
                story = self._stories[old.thread.id]
                story.look(old, now)
                story.merged_into = new.thread.id
                self._move_forks(story, self._stories[new.thread.id], now)

    def _move_forks(self, old: Story, new: Story, now: float) -> None:
        """Forks that go on in the new call."""
        for span in [span for span in old.forks if span.ended is None]:
            span.ended, span.end, span.left = now, "moved", now
            moved = self._forks[span.fork.port] = ForkSpan(span.fork, now, span.dead)
            new.forks.append(moved)

    def account(self, call: Call, now: float, device: str, code: str) -> None:
        """Somebody entered an account code."""
        self._stories[call.thread.id].accounts.append(Entered(now, device, code))

    def digits(self, call: Call, now: float, device: str, digits: str) -> None:
        """Somebody sent DTMF digits into the call."""
        self._stories[call.thread.id].digits.append(Entered(now, device, digits))

    # --- forks

    def fork_began(self, call: Call, fork: Fork, now: float, *, dead: bool = False) -> None:
        span = self._forks[fork.port] = ForkSpan(fork, now, dead)
        self._stories[call.thread.id].forks.append(span)

    def fork_ended(self, port: str, now: float, reason: str = "released") -> None:
        """It carries nothing any more; while its station holds the call its port is in there still."""
        span = self._forks[port]
        if span.ended is None:
            span.ended, span.end = now, reason

    def port_left(self, port: str, now: float) -> None:
        """The port is out of its call."""
        self._forks[port].left = now

    def fork_refused(self, call: Call | None, refused: RefusedFork) -> None:
        story = self._stories.get(call.thread.id) if call is not None else None
        if story is not None:
            story.refused.append(refused)
        else:
            self._write({"is": "refused", "at_utc": self._iso(refused.at), **refused_row(refused)})

    def fault(self, call: Call, played: PlayedFault) -> None:
        """A declared fault of forks was played."""
        self._stories[call.thread.id].faults.append(played)

    # --- the end

    def ended(self, thread: Thread, now: float) -> None:
        story = self._stories.pop(thread.id)
        story.finish(now)
        self.finished += 1
        self._write(story.record(thread, now, self._names, self._iso))

    def _write(self, row: dict[str, object]) -> None:
        if self._sink is not None:
            self._sink(json.dumps(row, ensure_ascii=False) + "\n")
