"""What supervisor and recorder agree on; small, since the supervisor shall load nothing else.

A process that the supervisor started ends with it, so that a restart never meets its own orphans.
"""

import ctypes
import os
import signal

PR_SET_PDEATHSIG = 1  # prctl(2)
EX_CONFIG = 78  # sysexits.h: exit code of a process that starting again will not help
HELD = "OSREC_HELD"  # environment: "LINE=FD LINE=FD", sockets that the supervisor keeps open over our restarts
SUPERVISED = "OSREC_SUPERVISOR"  # environment: the supervisor's pid


def end_with_supervisor() -> None:
    """Have the kernel send SIGTERM when the supervisor dies; does nothing for a process that has none."""
    supervisor = os.environ.get(SUPERVISED)
    if supervisor is None:
        return
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != int(supervisor):  # it died before we asked
        os.kill(os.getpid(), signal.SIGTERM)
