"""Alarms of the CSTA link and its monitors."""

from osrec.csta import messages as link
from osrec.engine.alarms import AlarmCleared, AlarmRaised, Severity


def link_alarms(event: link.Output) -> list[AlarmRaised | AlarmCleared]:
    """What an output of the link raises or clears."""
    match event:
        case link.LinkUp():
            return [AlarmCleared("cti-link")]
        case link.LinkDown(reason):
            return [AlarmRaised("cti-link", Severity.CRITICAL, f"no CSTA link: {reason}")]
        case link.MonitorRunning(station):
            return [AlarmCleared(f"monitor:{station}"), AlarmCleared(f"licence:{station}")]
        case link.MonitorRefused(station, error, licence):
            if licence:
                text = f"station {station} is not monitored: CAP-A licences exhausted ({error})"
                return [AlarmRaised(f"licence:{station}", Severity.MAJOR, text)]
            return [AlarmRaised(f"monitor:{station}", Severity.MAJOR, f"station {station} is not monitored: {error}")]
        case link.MonitorLost(station):
            return [AlarmRaised(f"monitor:{station}", Severity.MAJOR, f"the PBX ended the monitor of {station}")]
        case _:
            return []
