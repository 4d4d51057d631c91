"""What holds for all tests: threads that wait politely, and no clock."""

from __future__ import annotations

import os

# Before anything loads OpenMP: on a busy machine, threads that spin while they wait for each
# other make the suite many times slower.
os.environ.setdefault("GOMP_SPINCOUNT", "3000")
if "PYTEST_XDIST_WORKER" in os.environ:  # one process a core already
    os.environ["OMP_NUM_THREADS"] = "1"

from hypothesis import settings

from synthgan import progress

progress._LATE = 600.0  # a wait would be said wherever the machine is busy
settings.register_profile("synthgan", deadline=None)
settings.load_profile("synthgan")
