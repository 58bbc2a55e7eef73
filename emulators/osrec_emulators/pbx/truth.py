"""The PBX's own record of what happened: one JSON object for each finished conversation, for the checks alone."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from osrec_emulators.pbx.calls import Call, Party, Thread
from osrec_emulators.pbx.media import Fork

MOST_EVENTS = 500  # a line stays readable however long a conversation lasts


@dataclass(slots=True)
class _ForkSpan:
    fork: Fork
    began: float
    ended: float | None = None


@dataclass(slots=True)
class _Story:
    direction: str
    started: float
    answered: float | None = None
    calls: list[str] = field(default_factory=list)
    parties: dict[Party, None] = field(default_factory=dict)
    forks: list[_ForkSpan] = field(default_factory=list)
    events: list[tuple[float, str, str]] = field(default_factory=list)


class Truth:
    """Writes calls.jsonl through `sink`, one line a finished conversation.

    Attributes:
        finished: lines written.
    """

    def __init__(self, sink: Callable[[str], object] | None, wall: Callable[[float], datetime]) -> None:
        self.finished = 0
        self._sink = sink
        self._wall = wall
        self._stories: dict[bytes, _Story] = {}

    @property
    def running(self) -> int:
        """Conversations that have not ended."""
        return len(self._stories)

    def call_began(self, call: Call, now: float) -> None:
        story = self._stories.get(call.thread.id)
        if story is None:
            direction = "in" if call.calling.trunk else "internal"
            story = self._stories[call.thread.id] = _Story(direction, now)
        story.calls.append(call.id.hex())

    def outgoing(self, call: Call) -> None:
        """The thread's first call goes outside."""
        story = self._stories[call.thread.id]
        if story.direction == "internal" and len(story.calls) == 1:
            story.direction = "out"

    def joined(self, call: Call, party: Party) -> None:
        self._stories[call.thread.id].parties[party] = None

    def answered(self, call: Call, now: float) -> None:
        story = self._stories[call.thread.id]
        if story.answered is None:
            story.answered = now

    def event(self, call: Call, now: float, kind: str, number: str) -> None:
        events = self._stories[call.thread.id].events
        if len(events) < MOST_EVENTS:
            events.append((round(now, 3), kind, number))

    def fork_began(self, call: Call, fork: Fork, now: float) -> None:
        self._stories[call.thread.id].forks.append(_ForkSpan(fork, now))

    def fork_ended(self, call: Call, port: str, now: float) -> None:
        for span in self._stories[call.thread.id].forks:
            if span.fork.port == port and span.ended is None:
                span.ended = now

    def ended(self, thread: Thread, now: float) -> None:
        story = self._stories.pop(thread.id)
        self.finished += 1
        if self._sink is not None:
            self._sink(json.dumps(self._record(thread, story, now), ensure_ascii=False) + "\n")

    def _record(self, thread: Thread, story: _Story, now: float) -> dict[str, Any]:
        return {
            "thread": thread.id.hex(),
            "calls": story.calls,
            "stations": [party.number for party in story.parties if party.trunk is None],
            "parties": [
                {"number": party.number, "external": party.trunk is not None, "trunk": party.trunk}
                for party in story.parties
            ],
            "direction": story.direction,
            "started": round(story.started, 6),
            "answered": None if story.answered is None else round(story.answered, 6),
            "ended": round(now, 6),
            "started_at": self._iso(story.started),
            "answered_at": None if story.answered is None else self._iso(story.answered),
            "ended_at": self._iso(now),
            "forks": [self._span(span, now) for span in story.forks],
            "events": story.events,
        }

    def _span(self, span: _ForkSpan, now: float) -> dict[str, Any]:
        fork = span.fork
        ended = now if span.ended is None else span.ended
        return {
            "port": fork.port,
            "station": fork.station,
            "side": fork.side.value,
            "from": round(span.began, 6),
            "to": round(ended, 6),
        }

    def _iso(self, now: float) -> str:
        return self._wall(now).isoformat(timespec="milliseconds")
