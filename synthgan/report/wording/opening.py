"""What is said before all else: why figures may say little."""

from __future__ import annotations

from collections.abc import Mapping

from synthgan.metrics.measure import Estimate, Findings
from synthgan.report.wording.figures import interval, number, yardstick
from synthgan.report.wording.readings import by_key, is_above, is_unlike

_OVERLAP = 0.02  # share of the holdout beyond what duplicates explain

_FEW = 50  # rows of a table


def first(fidelity: Findings, privacy: Findings, rows: Mapping[str, int]) -> tuple[str, ...]:
    """What every section begins with: why its figures may say little; ``rows`` by table."""
    return (*few(rows), *unlike(fidelity), *overlap(privacy))


def few(rows: Mapping[str, int]) -> tuple[str, ...]:
    """What to say first if a table has too few rows."""
    found = ", ".join(f"{name} {count:,}" for name, count in rows.items() if count < _FEW)
    if not found:
        return ()
    return (f"So few rows cannot be judged: {found}; {_FEW} of each table are the least.",)


def unlike(findings: Findings) -> tuple[str, ...]:
    """What to say first if held-out rows are unlike training rows; ``findings`` on fidelity."""
    found = by_key(findings)[0].get("c2st")
    if found is None or not is_unlike(found):
        return ()
    return (
        "Held-out rows are unlike the training rows: a classifier tells real from real rows with "
        f"AUC {interval(found.floor or Estimate.undefined())}. Rows must be set aside at random "
        "(not the last or the newest ones); what is held against them below cannot be read.",
    )


def overlap(findings: Findings) -> tuple[str, ...]:
    """What to say first if many held-out rows are training rows; ``findings`` on privacy."""
    found = by_key(findings)[0].get("holdout_copies")
    if found is None or found.floor is None or not is_above(found):
        return ()
    more = (found.estimate.value - found.floor.value) / max(100 - found.floor.value, 1e-9)
    if more < _OVERLAP:
        return ()
    return (
        f"The holdout is not unseen: {number(found.estimate.value, '%')} of its rows stand in the "
        f"training rows, and {yardstick(found.floor, '%')} of the training rows stand there twice. "
        "What is held against it below cannot be trusted: set rows aside anew.",
    )
