"""How figures are read: what is an alarm, what is beyond chance."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import NormalDist

from synthgan.metrics.catalog import ALARMS
from synthgan.metrics.measure import Estimate, Findings, Goal, Measure

REPLAYED = "replayed"
"""An alarm beside :data:`ALARMS`. Its interval needs no widening, and it needs no holdout."""
COPIES = frozenset({"exact_copies", "copied_identifiers"})
"""What is looked for without a holdout, too."""

Z_SCORE, _ALARM_Z = (NormalDist().inv_cdf(1 - 0.025 / looks) for looks in (1, len(ALARMS)))

SHOWN = 3
MOST_NAMED = 10
_UNLIKE = 0.55  # AUC that tells held-out from training rows


def is_unlike(found: Measure | None) -> bool:
    """Whether the detector tells held-out from training rows; ``found`` is ``c2st``."""
    return found is not None and found.floor is not None and found.floor.low > _UNLIKE


def spread_of(estimate: Estimate) -> float:
    """Half of the interval, the wider one if it was cut; 0 where it is not known."""
    wider = max(estimate.high - estimate.value, estimate.value - estimate.low)
    return wider if wider == wider else 0.0


def alarms_of(whole: dict[str, Measure]) -> list[Measure]:
    """The measures that ring."""
    return [whole[key] for key in (REPLAYED, *ALARMS) if key in whole and is_alarm(whole[key])]


def named(columns: Sequence[str]) -> str:
    more = f" and {len(columns) - MOST_NAMED} more" if len(columns) > MOST_NAMED else ""
    return ", ".join(map(repr, columns[:MOST_NAMED])) + more


def is_alarm(each: Measure) -> bool:
    """Whether an attack did better than it can by chance: its interval is beyond its yardstick.

    Seven alarms have seven chances to ring for nothing: intervals are widened for that
    (Bonferroni), but for ``replayed``, whose interval allows for it. Where
    nobody knows how much chance makes, nothing rings.
    """
    if not each.is_defined or each.estimate.low != each.estimate.low:
        return False
    wider = 1.0 if each.key == REPLAYED else _ALARM_Z / Z_SCORE
    widened = wider * (each.estimate.value - each.estimate.low)
    low = each.estimate.value - widened
    if each.goal is Goal.HALF:
        return low > 0.5
    if each.goal is Goal.LOW and each.floor is not None and each.floor.value == each.floor.value:
        bar = each.floor.high
        return low > (bar if bar == bar else each.floor.value)
    return False


def by_key(findings: Findings) -> tuple[dict[str, Measure], dict[str, list[Measure]]]:
    """Measures of the whole table by key, and those of columns and pairs."""
    whole: dict[str, Measure] = {}
    parts: dict[str, list[Measure]] = {}
    for each in findings.measures:
        if each.columns:
            parts.setdefault(each.key, []).append(each)
        else:
            whole[each.key] = each
    return whole, parts


def is_above(each: Measure) -> bool:
    """Whether an error is above that of real rows, beyond both intervals."""
    if not each.is_defined or each.floor is None:
        return each.is_defined and each.estimate.low > 0
    return each.estimate.low > max(value(each.floor, 0.0), each.floor.high)


def value(estimate: Estimate | None, otherwise: float) -> float:
    if estimate is None or estimate.value != estimate.value:
        return otherwise
    return estimate.value
