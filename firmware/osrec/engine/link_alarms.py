"""Alarms of the CSTA link and its monitors."""

from osrec.csta import messages as link
from osrec.engine.alarms import AlarmCleared, AlarmRaised, Severity
from osrec.wire.csta.causes import status_name
from osrec.wire.csta.model import Status

Change = AlarmRaised | AlarmCleared

NAMED = 20  # stations that an alarm names; of more it gives the number
_OVERLOAD = (Status.OVERLOAD_IMMINENT, Status.OVERLOAD_REACHED)


def link_alarms(event: link.Output) -> list[Change]:
    """What an output of the link raises or clears."""
    match event:
        case link.LinkUp():
            return [AlarmCleared("cti-link")]
        case link.LinkDown(reason):
            return [AlarmRaised("cti-link", Severity.CRITICAL, f"no CSTA link: {reason}")]
        case link.StatusChanged(status):
            return _status(status)
        case link.ServerChanged(server, preferred):
            if preferred:
                return [AlarmCleared("cti-server")]
            return [AlarmRaised("cti-server", Severity.WARNING, f"not on the first CAP server: linked to {server}")]
        case link.QueueChanged(full, dropped):
            if not full:
                return [AlarmCleared("cti-queue")]
            text = f"CSTA messages come quicker than they can be read: some are dropped ({dropped} so far)"
            return [AlarmRaised("cti-queue", Severity.MAJOR, text)]
        case _:
            return _monitors(event)


def _status(status: int) -> list[Change]:
    """Of the working PBX."""
    overload, partial = AlarmCleared("pbx-overload"), AlarmCleared("pbx-status")
    if status in _OVERLOAD:
        text = f"the PBX reports {status_name(status)}: monitors are started slowly"
        return [AlarmRaised("pbx-overload", Severity.WARNING, text), partial]
    if status == Status.NORMAL:
        return [overload, partial]
    text = f"the PBX reports {status_name(status)}: calls of some stations may stay unknown"
    return [overload, AlarmRaised("pbx-status", Severity.MAJOR, text)]


def _monitors(event: link.Output) -> list[Change]:
    match event:
        case link.MonitorRunning(station):
            return [AlarmCleared(f"monitor:{station}")]
        case link.MonitorRefused(station, _, licence=True):  # LicencesMissing says it for all of them
            return [AlarmCleared(f"monitor:{station}")]
        case link.MonitorRefused(station, error):
            return [AlarmRaised(f"monitor:{station}", Severity.MAJOR, f"station {station} is not monitored: {error}")]
        case link.MonitorLost(station):
            return [AlarmRaised(f"monitor:{station}", Severity.MAJOR, f"the PBX ended the monitor of {station}")]
        case link.LicencesMissing(()):
            return [AlarmCleared("licence")]
        case link.LicencesMissing(stations):
            text = f"CAP-A licences exhausted: {len(stations)} monitors refused: {named(stations)}"
            return [AlarmRaised("licence", Severity.MAJOR, text)]
        case _:
            return []


def named(stations: tuple[str, ...]) -> str:
    """The stations, or the first of them and how many more."""
    if len(stations) <= NAMED:
        return ", ".join(stations)
    return f"{', '.join(stations[:NAMED])} and {len(stations) - NAMED} more"
