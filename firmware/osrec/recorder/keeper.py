"""`python -m osrec.recorder.keeper FILE`: the keeper process, as the supervisor or systemd starts it."""

import os
import signal
import sys
import threading
from pathlib import Path

import structlog

from osrec.config import load
from osrec.errors import ConfigError
from osrec.log import set_up
from osrec.recorder.parent import EX_CONFIG, end_with_supervisor
from osrec.recorder.parts import store_config
from osrec.store.keeper import run_keeper

NICENESS = 10  # recording goes first


def main() -> int:
    set_up("keeper")
    end_with_supervisor()
    try:
        config = load(Path(sys.argv[1]))
    except ConfigError as error:
        structlog.get_logger().error("configuration refused", error=str(error))
        return EX_CONFIG
    os.nice(NICENESS)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    run_keeper(store_config(config), stop)
    return 0


if __name__ == "__main__":
    sys.exit(main())
