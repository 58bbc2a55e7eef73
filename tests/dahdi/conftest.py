"""The virtual machine takes minutes: `make test-dahdi` runs it, `make test` does not."""

import os

collect_ignore_glob = [] if os.environ.get("OSREC_DAHDI") else ["test_*.py"]
