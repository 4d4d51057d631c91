"""The peak of resident memory of one piece of work."""

from __future__ import annotations

import re
import resource
from pathlib import Path


def forget_peak() -> None:
    """Lets the peak of resident memory count from now on, where the system can."""
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    except OSError:
        return


def peak_mib() -> float:
    """Peak of resident memory in MiB (libraries and tables included)."""
    try:
        found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text("ascii"))
    except OSError:
        found = None
    if found:
        return int(found[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
