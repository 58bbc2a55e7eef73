"""Runs inside the virtual machine, as root: the DAHDI line on the real kernel driver, part by part.

usage: python -m tests.dahdi.guest RESULTS BENCH_MODULE [PART ...]

Each part leaves one line of JSON in RESULTS: {"part", "ok", "facts", "failure"}.
"""

import json
import logging
import os
import sys
import traceback
from pathlib import Path

import structlog

from tests.dahdi import bench_parts, local_parts
from tests.dahdi.parts import PARTS, Facts, say
from tests.dahdi.spans import load_dahdi

NAMES = tuple(
    name for module in (local_parts, bench_parts) for name, part in PARTS.items() if part.__module__ == module.__name__
)


def main() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    results, module, *names = sys.argv[1:]
    say(f"dahdi {load_dahdi()} is loaded in Linux {os.uname().release}")
    with Path(results).open("a") as out:
        for name in names or NAMES:
            say(name.replace("_", " "))
            result: Facts = {"part": name, "ok": True, "facts": {}, "failure": None}
            try:
                result["facts"] = PARTS[name](Path(module))
                say(f"good: {result['facts']}")
            except Exception as error:  # the other parts go on
                result |= {"ok": False, "failure": "".join(traceback.format_exception(error))}
                say(f"FAILED: {error}")
            out.write(json.dumps(result) + "\n")
            out.flush()


if __name__ == "__main__":
    main()
