"""The link's state at one moment, as JSON values; docs/control.md describes the members."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from osrec.csta.runner import LinkRunner
from osrec.wire.csta.causes import status_name

MOST_NAMED = 200  # refused devices given by name; their number is always given


def link_status(runner: LinkRunner, now: float) -> dict[str, Any]:
    """`now`: of the clock that the runner's loop has."""
    config, link, monitors = runner.config, runner.link, runner.link.monitors
    flow = runner.delays.flow(now)
    refused, missing = monitors.refused, monitors.licences.missing
    return {
        "state": runner.state.value,
        "up_since": None if runner.up_since is None else _time(runner.up_since),
        "down_reason": runner.down_reason,
        "server": runner.peer,
        "servers": [str(server) for server in config.endpoints.servers],
        "server_changes": runner.servers.changes,
        "encoding": config.encoding,
        "framing": config.framing,
        "edition": config.edition if config.encoding == "xml" else None,
        "association": {"number": link.epoch, "session": link.session_id, "requests": link.outstanding},
        "pbx_status": None if link.status is None else status_name(link.status),
        "monitors": {
            "wanted": len(monitors.devices),
            "running": monitors.running,
            "snapshots_awaited": monitors.snapshots.waiting,
            "refused": len(refused),
            "refused_why": dict(list(refused.items())[:MOST_NAMED]),
            "without_licence": len(missing),
            "without_licence_devices": list(missing[:MOST_NAMED]),
        },
        "counters": asdict(runner.counters),
        "events": asdict(monitors.counters),
        "queue": {
            "depth": runner.inlet.depth,
            "most": runner.inlet.most,
            "deepest": runner.inlet.deepest,
            "dropped": runner.inlet.dropped,
            "per_second": round(flow.per_second, 1),
            "delay_p50": flow.p50,
            "delay_p99": flow.p99,
            "delay_longest": flow.longest,
        },
        "captures": runner.listeners,
        "troubles": [{"at": _time(at), "text": text} for at, text in runner.troubles],
        "undecodable": {
            "count": runner.reader.oddities.count,
            "reasons": dict(runner.reader.oddities.reasons.most_common()),
            "last": [
                {"at": _time(odd.at), "reason": odd.reason, "hex": odd.octets.hex()}
                for odd in runner.reader.oddities.last
            ],
        },
    }


def _time(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
