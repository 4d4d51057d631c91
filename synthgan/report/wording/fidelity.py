"""Verdict and advice of the fidelity section."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from statistics import NormalDist

from synthgan.metrics.measure import Estimate, Findings, Goal, Measure
from synthgan.report.wording.figures import figure, number, yardstick
from synthgan.report.wording.readings import (
    MOST_NAMED,
    SHOWN,
    Z_SCORE,
    by_key,
    is_above,
    is_unlike,
    spread_of,
    value,
)

_CLOSE, _FAR = 0.05, 0.15  # of the detector's AUC above the floor

_NEVER_HARD = 0.65  # AUC that is never called hard to tell
_BELOW = 0.45  # AUC that a detector reaches by no chance


def fidelity(
    findings: Findings, unreadable: Mapping[str, int] | None = None
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Verdict and advice of the fidelity section.

    ``unreadable``: synthetic cells that do not fit their column, by column.
    """
    whole, parts = by_key(findings)
    verdict = [
        *_detection(whole),
        *_unreadable(unreadable or {}),
        *_worst(parts),
        *_rules(whole),
        *_blind(whole),
    ]
    return tuple(verdict), tuple(_fidelity_advice(whole, parts))


def _detection(whole: dict[str, Measure]) -> Iterator[str]:
    found = whole.get("c2st")
    if found is None or not found.is_defined:
        return
    by = (
        f"a gradient-boosted classifier does it with AUC {figure(found)}; real from real rows "
        f"{yardstick(found.floor)}, columns drawn independently {yardstick(found.baseline)}; 0.5 "
        "is a coin's toss."
    )
    if is_unlike(found):
        yield f"Whether synthetic and real rows can be distinguished cannot be read: {by}"
    elif found.estimate.high < _BELOW:
        yield (
            f"Rows are repeated across the tables: telling synthetic from real rows, {by} Far "
            "below that, the same rows stand on both sides."
        )
    else:
        yield f"Synthetic and real rows are {_manner(found)}: {by}"


def _manner(found: Measure) -> str:
    """How well the detector tells synthetic rows, in words."""
    floor = max(value(found.floor, 0.5), 0.5)
    distance = found.estimate.value - floor
    if distance >= _FAR:
        return "easily distinguished"
    if found.estimate.value > _NEVER_HARD:
        return "distinguished"
    bar = found.floor.high if found.floor and found.floor.high == found.floor.high else floor
    if distance >= _CLOSE and found.estimate.low > bar:
        return "distinguished at times"
    if found.estimate.high - floor >= _FAR:
        return "not distinguished, but too few to say more"
    return "hard to tell apart"


def _unreadable(cells: Mapping[str, int]) -> Iterator[str]:
    if cells:
        worst = sorted(cells, key=lambda name: -cells[name])[:MOST_NAMED]
        named = ", ".join(f"{name!r} {cells[name]:,}" for name in worst)
        more = f" and {len(cells) - len(worst)} more columns" if len(cells) > len(worst) else ""
        yield (
            "Synthetic cells that cannot be read as the number or date that their column holds "
            f"count as missing: {named}{more}."
        )


_OTHERS = "in brackets: what real rows get"


def _worst(parts: dict[str, list[Measure]]) -> Iterator[str]:
    columns = parts.get("shape", [])
    worst = _above_floor(columns, len(columns))
    if worst:
        yield f"Columns with the largest shape error ({_OTHERS}): {_listed(worst)}."
    # Of very many pairs the worst alone have a line, but all were looked at.
    trends = parts.get("trend", [])
    pairs = _above_floor(trends, max(len(trends), math.comb(len(columns), 2)))
    if pairs:
        yield f"Pairs of columns with the largest trend error ({_OTHERS}): {_listed(pairs)}."


def _rules(whole: dict[str, Measure]) -> Iterator[str]:
    for key, what in (
        ("broken_rules", "of the synthetic rows break a rule that every training row keeps"),
        ("out_of_range", "of the synthetic cells lie outside of what the real rows hold"),
    ):
        found = whole.get(key)
        if found and is_above(found):
            yield (
                f"{number(found.estimate.value, found.unit)} {what}; of real rows that were not "
                f"looked at for this, {yardstick(found.floor, found.unit)}."
            )
    modes = whole.get("modes")
    if modes and modes.is_defined and modes.estimate.high < value(modes.floor, 1.0) - 0.05:
        yield (
            f"Some kinds of rows are nearly missing: {number(modes.estimate.value)} of the groups "
            f"in the real table are there, {yardstick(modes.floor)} in real rows."
        )


def _blind(whole: dict[str, Measure]) -> Iterator[str]:
    """Names the measures that columns drawn independently pass, and those that they win."""
    blind = [each for each in whole.values() if _is_passed(each)]
    lost = [each for each in whole.values() if each not in blind and _is_lost(each)]
    if lost:
        names = ", ".join(each.name for each in lost)
        yield f"No better than columns drawn independently of each other on: {names}."
    if blind:
        names = ", ".join(each.name for each in blind)
        yield (
            "Not telling on this table, as columns drawn independently of each other get what "
            f"real rows get: {names}."
        )


def _is_passed(each: Measure) -> bool:
    """Whether independent columns are as good as real rows, as far as can be seen."""
    if each.floor is None or each.baseline is None or each.goal is Goal.NONE:
        return False
    if each.floor.value != each.floor.value or each.baseline.value != each.baseline.value:
        return False
    spread = [spread_of(bounds) for bounds in (each.floor, each.baseline)]
    return _lead(each.goal, each.floor, each.baseline) <= math.hypot(*spread)


def _is_lost(each: Measure) -> bool:
    """Whether independent columns are at least as good as the synthetic rows."""
    if each.baseline is None or each.goal is Goal.NONE or not each.is_defined:
        return False
    return _lead(each.goal, each.estimate, each.baseline) <= 0


def _lead(goal: Goal, one: Estimate, other: Estimate) -> float:
    """By how much ``one`` is better than ``other``."""
    if goal is Goal.HALF:
        return abs(other.value - 0.5) - abs(one.value - 0.5)
    return one.value - other.value if goal is Goal.HIGH else other.value - one.value


def _fidelity_advice(whole: dict[str, Measure], parts: dict[str, list[Measure]]) -> Iterator[str]:
    found = whole.get("c2st")
    clues = [each for each in parts.get("giveaway", ()) if each.estimate.low > 0]
    if found and found.is_defined and clues:
        distance = found.estimate.value - max(value(found.floor, 0.5), 0.5)
        if distance >= _CLOSE:
            names = ", ".join(repr(each.columns[0]) for each in clues[:SHOWN])
            yield (
                f"Look at {names} first: the classifier tells synthetic rows by them. Check "
                "their kind in the schema, or train longer."
            )
    broken = whole.get("broken_rules")
    if broken and is_above(broken):
        yield "Drop the rows that break a rule if whoever uses the table relies on it."
    rare = whole.get("rare_coverage")
    if rare and rare.is_defined and rare.estimate.high < value(rare.floor, 0.0):
        yield "Rare values are fewer than in real rows: draw more rows, or ask for them by name."


def _above_floor(measures: Iterable[Measure], looks: int) -> list[Measure]:
    """The few whose error is most above that of real rows, by more than the worst of so many
    ``looks`` is by chance (Bonferroni)."""
    z = NormalDist().inv_cdf(1 - 0.025 / max(looks, 1))

    def excess(each: Measure) -> float:
        return each.estimate.value - value(each.floor, 0.0)

    beyond = [
        each
        for each in measures
        if each.is_defined
        and excess(each)
        > z
        / Z_SCORE
        * math.hypot(spread_of(each.estimate), spread_of(each.floor) if each.floor else 0.0)
    ]
    return sorted(beyond, key=lambda each: -excess(each))[:SHOWN]


def _listed(measures: Sequence[Measure]) -> str:
    return ", ".join(
        f"{' and '.join(map(repr, each.columns))} {number(each.estimate.value, each.unit)} "
        f"({yardstick(each.floor, each.unit)})"
        for each in measures
    )
