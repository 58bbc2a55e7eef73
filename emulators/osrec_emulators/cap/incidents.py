"""Faults that happen at a moment: of PBX time, or after each association."""

from collections.abc import Iterable

from osrec.wire.csta import model
from osrec_emulators.cap.exit import Exit
from osrec_emulators.cap.faults import Timed
from osrec_emulators.cap.heartbeat import Heartbeat
from osrec_emulators.cap.messages import Reading
from osrec_emulators.cap.monitors import Monitors
from osrec_emulators.cap.outlet import Inlet
from osrec_emulators.cap.stream import Stream
from osrec_emulators.cap.timetable import Timetable


class Incidents:
    """Plays what is due. It begins with the association."""

    def __init__(
        self,
        timed: Iterable[Timed],
        *,
        exit_: Exit,
        inlet: Inlet,
        stream: Stream,
        heartbeat: Heartbeat,
        monitors: Monitors,
    ) -> None:
        self._timed = tuple(timed)
        self._table: Timetable[Timed] = Timetable()
        self._exit = exit_
        self._inlet = inlet
        self._stream = stream
        self._heartbeat = heartbeat
        self._monitors = monitors

    @property
    def deadline(self) -> float | None:
        return self._table.deadline

    def start(self, now: float) -> None:
        """The client has associated."""
        entries = [(one.at if one.at is not None else now + (one.after or 0.0), one.every, one) for one in self._timed]
        self._table = Timetable(entries, begin=now)

    def play(self, now: float) -> bool:
        """Play what is due; whether the link is to be cut."""
        cut = False
        for incident in self._table.take(now):
            self._exit.played(incident.what, now, incident.detail)
            cut = cut or incident.what == "cut"
            self._play(incident, now)
            if (afterwards := incident.afterwards) is not None:
                self._table.add(now + (afterwards.after or 0.0), afterwards)
        return cut

    def shed(self, now: float) -> None:
        """Licences have been taken away: stop the monitors that have none."""
        for cross_ref in self._monitors.beyond_licences():
            self._exit.played("licence_withdrawn", now, self._monitors.devices[cross_ref])
            self._stop_monitor(cross_ref, now)

    def _play(self, incident: Timed, now: float) -> None:
        until = now + incident.seconds if incident.seconds is not None else float("inf")
        match incident.what:
            case "half_open":
                self._exit.silence(until)
                self._pause_reading(until, now)
            case "silence":
                self._exit.silence(until)
            case "pause_reading":
                self._pause_reading(until, now)
            case "lose_events":
                self._stream.losing_until = until
            case "status":
                if incident.status_value != model.Status.MESSAGES_LOST:  # of a moment, not a state
                    self._heartbeat.status = incident.status_value
                self._heartbeat.say(incident.status_value, now)
            case "monitor_stop":
                for cross_ref in self._monitors.matching(incident.devices or ""):
                    self._stop_monitor(cross_ref, now)
            case "junk":
                self._stream.junk(now)

    def _pause_reading(self, until: float, now: float) -> None:
        self._inlet.pause(until)
        self._exit.output(Reading(False), now)

    def _stop_monitor(self, cross_ref: bytes, now: float) -> None:
        """MonitorStop from our side; the client's answer is awaited by nobody."""
        self._monitors.stop(cross_ref)
        self._stream.forget(cross_ref)
        self._exit.send(model.Invoke(self._exit.invoke_id(), model.MonitorStop(cross_ref)), now)
