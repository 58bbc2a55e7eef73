"""`python -m osrec.recorder.main FILE`: the recorder process, as the supervisor or systemd starts it."""

import asyncio
import signal
import sys
from pathlib import Path

import structlog

from osrec.config import load
from osrec.errors import ConfigError, StoreError
from osrec.log import set_up
from osrec.recorder.parent import EX_CONFIG, end_with_supervisor
from osrec.recorder.runner import run
from osrec_drivers.errors import DriverError


def main() -> int:
    set_up("recorder")
    end_with_supervisor()
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # until there are rules to reload
    log = structlog.get_logger()
    path = Path(sys.argv[1])
    try:
        config = load(path)
    except ConfigError as error:
        log.error("configuration refused", error=str(error))
        return EX_CONFIG
    try:
        asyncio.run(run(config, path))
    except (DriverError, StoreError, OSError) as error:
        log.error("recorder cannot run", error=str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
