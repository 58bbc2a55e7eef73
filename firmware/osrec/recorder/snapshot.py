"""The recorder's state at one moment, as JSON values; docs/control.md describes the members."""

import math
from dataclasses import asdict
from importlib.metadata import version
from typing import Any
from uuid import UUID

from osrec.calls.conversation import Conversation
from osrec.config import Config
from osrec.csta.runner import LinkRunner
from osrec.engine.recording import Recording
from osrec.recorder.clock import Clock
from osrec.recorder.line_watch import LineWatch
from osrec.recorder.requests import described
from osrec.recorder.service import Recorder
from osrec_drivers.line import FRAME_RATE, Line


class Snapshot:
    """Takes the state of a running recorder."""

    def __init__(
        self, config: Config, recorder: Recorder, link: LinkRunner, clock: Clock, run: UUID, watch: LineWatch
    ) -> None:
        self._config = config
        self._recorder = recorder
        self._link = link
        self._clock = clock
        self._run = run
        self._watch = watch
        self._slots = {line.name: line.slot_numbers for line in config.lines}
        self._started = clock.now()

    def status(self) -> dict[str, Any]:
        recorder, engine = self._recorder, self._recorder.engine
        return {
            "unit": self._config.unit,
            "version": version("osrec"),
            "run": str(self._run),
            "at": self._clock.at().isoformat(),
            "uptime": round(self._clock.now() - self._started, 1),
            "link": {
                "peer": self._link.peer,
                "up": engine.link_up,
                "state": self._link.state.name.lower(),
                "monitors": self._link.monitors,
                "stations": len(engine.tracker.monitored),
                **asdict(self._link.counters),
            },
            "pairs": {"all": len(engine.pool.pairs), "leased": engine.pool.leased, "free": engine.pool.free},
            "rules": described(engine.rules),
            "begun": recorder.begun,
            "concluded": recorder.concluded,
            "conversations": [self._conversation(one) for one in engine.tracker.conversations.values()],
            "recordings": [self._recording(one) for one in engine.recordings.values()],
            "lines": [self._line(name, line) for name, line in recorder.lines.items()],
            "journal": asdict(recorder.journal) if recorder.journal else None,
            "keeper": self._keeper(),
            "alarms": [asdict(alarm) for alarm in recorder.alarms.standing()],
        }

    def _keeper(self) -> dict[str, float] | None:
        silent = self._recorder.keeper.silent(self._clock.now())
        return None if silent is None else {"silent": round(silent, 1)}

    def _conversation(self, conversation: Conversation) -> dict[str, Any]:
        engine = self._recorder.engine
        return {
            "id": str(conversation.id),
            "direction": conversation.direction,
            "seconds": round(self._clock.now() - conversation.began, 1),
            "answered": conversation.answered is not None,
            "parties": [asdict(party) for party in conversation.participants.values()],
            "stations": conversation.stations,
            "legs": {
                call.call_id.hex(): {device: state.name.lower() for device, state in call.legs.items()}
                for call in conversation.calls.values()
            },
            "recorded_at": [r.station for r in engine.recordings.values() if r.conversation == conversation.id],
            "reason": engine.conversation_reason(conversation.id),
            "uncovered": engine.uncovered(conversation.id),
            "paused_by": engine.paused_by(conversation.id),
        }

    def _recording(self, recording: Recording) -> dict[str, Any]:
        line = self._recorder.lines[recording.pair.line]
        levels = line.levels()
        return {
            "id": str(recording.id),
            "conversation": str(recording.conversation),
            "station": recording.station,
            "pair": str(recording.channels),
            "state": recording.state.value,
            "seconds": round(self._clock.now() - recording.since, 1) if recording.since else 0.0,
            "rule": recording.decision.rule,
            "priority": recording.decision.priority,
            "provisional": recording.provisional,
            "paused": recording.paused,
            "level_own": _level(levels[recording.channels.own.slot]),
            "level_other": _level(levels[recording.channels.other.slot]),
        }

    def _line(self, name: str, line: Line) -> dict[str, Any]:
        status = line.status()
        leased = {r.channels: r for r in self._recorder.engine.recordings.values() if r.pair.line == name}
        slots = {port.slot: r.station for pair, r in leased.items() for port in (pair.own, pair.other)}
        return {
            "name": name,
            "spec": status.spec,
            "alarms": sorted(status.alarms),
            "aligned": status.aligned,
            "crc_multiframe": status.crc_multiframe,
            "crc4": status.crc4.value,
            "sa": status.sa,
            "loop": status.loop,
            "seconds": round(status.head / FRAME_RATE, 1),
            "received": status.received,
            "expected": status.expected,
            "ppm": status.ppm,
            "counters": asdict(status.counters),
            "levels": [_level(level) for level in line.levels()],
            "slots": {str(slot): station for slot, station in sorted(slots.items())},
            "call_slots": self._slots[name],
            "signalling": self._recorder.trunks.state(name),
            **self._watch.told(name),
        }


def _level(level: float) -> float | None:
    """dBm0, None for silence: JSON has no -inf."""
    return round(level, 1) if math.isfinite(level) else None
