"""Smoke alarms for memorised rows: distances from synthetic to real rows.

None of this is a guarantee. A score that fails means that training rows were memorised; a
score that passes means nothing: it looks at the average row, while the outliers are at risk,
and tables that pass have been attacked with success (Yao et al. 2025, "The DCR Delusion").
Columns drawn independently pass as well, as a rule. Only differential privacy gives a guarantee.

Distances are Euclidean between rows of standardised numbers (a hole is the mean; clipped at
6 standard deviations) and categories as one-hot over the square root of two, so that two
different levels are 1 apart.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from synthgan._typing import Floats, Ints
from synthgan.errors import TableError
from synthgan.metrics.association import associations
from synthgan.metrics.columns import Cells, Columns, pick
from synthgan.metrics.measure import Estimate, Findings, Goal, LeftOut, Measure, auc
from synthgan.metrics.points import Embedding, nearest, neighbours
from synthgan.metrics.privacy.space import Ground, affordable, baseline_of, closer, no_holdout
from synthgan.metrics.privacy.worst import largest_share
from synthgan.metrics.tables import Tables

_QUERIES = 5_000
_REAL_ROWS = 20_000
_SHARE_QUERIES = 2_500
_SYNTHETIC_ROWS = 20_000
_ASSOCIATION_ROWS = 2_000
_LEAST_COLUMNS = 4  # for subsets to be looked at
_GROUPS = 3  # of either sort
_LEAST = 20  # rows of a table

_Share = tuple[float, Floats]
"""A share, and how much each real row moves it."""


def dcr_share(
    synthetic: pd.DataFrame,
    train: pd.DataFrame,
    holdout: pd.DataFrame,
    *,
    seed: int = 0,
    columns: Columns | None = None,
) -> Estimate:
    """Share of synthetic rows that lie closer to training than to holdout rows; .5 is best.

    Distance to closest record: equally many rows of ``train`` and ``holdout`` (5,000 at
    most), up to 5,000 of ``synthetic``; ties count half. Well above .5: the generator
    repeats training rows. Near .5: nothing is shown, least of all that rows are safe. The
    interval counts synthetic rows that share their closest record as one observation: a
    few real rows are closest to very many.
    """
    columns = columns or Columns.of(train)
    embedding = Embedding(columns, columns.read(train))
    rng = np.random.default_rng(seed)
    size = _common_size(train, holdout)
    near, far = (embedding(columns.read(pick(f, size, rng))) for f in (train, holdout))
    queries = embedding(columns.read(pick(synthetic, _QUERIES, rng)))
    return largest_share([_share(nearest(near, queries), nearest(far, queries))])


def membership_auc(
    synthetic: pd.DataFrame,
    train: pd.DataFrame,
    holdout: pd.DataFrame,
    *,
    seed: int = 0,
    columns: Columns | None = None,
) -> Estimate:
    """AUC of an attacker who calls a row a member when a synthetic row is near; .5 is best.

    Equally many rows of ``train`` and ``holdout`` (5,000 at most), each scored by its
    distance to the closest of up to 20,000 synthetic rows. Well above .5: members can be
    told. Near .5: this weak attack fails on average, and a stronger one may not. The
    interval is DeLong's.
    """
    columns = columns or Columns.of(train)
    embedding = Embedding(columns, columns.read(train))
    rng = np.random.default_rng(seed)
    size = _common_size(train, holdout)
    members, others = (embedding(columns.read(pick(f, size, rng))) for f in (train, holdout))
    made = embedding(columns.read(pick(synthetic, _SYNTHETIC_ROWS, rng)))
    distances, _ = nearest(made, np.vstack([members, others]))
    value, influence = auc(np.repeat([True, False], size), -distances)
    return Estimate.from_influence(value, influence, least=0.0, most=1.0)


def distance_findings(tables: Tables) -> Findings:
    """Are synthetic rows closer to training than to held-out rows? Shares, 0 to 1; .5 is best.

    All of them take equally many training and held-out rows (20,000 at most) and up to 2,500
    synthetic ones; ties count half; the floor is .5, by symmetry. Intervals count synthetic
    rows that share their closest record as one observation.

    - ``dcr_share``: share of synthetic rows whose closest record is a training row.
    - ``dcr_share_worst``: the largest such share among all columns and, from four columns on,
      groups of associated columns (a third of all each) and three halves drawn at random. A
      copy of a part of a row shows there; also one of single cells, if no two rows share the
      value: then columns drawn independently, which repeat such cells, are above .5 too. The
      interval is that of the largest of so many (Bonferroni).
    - ``nndr``: share of synthetic rows whose ratio of the distances to the closest and to the
      second closest record is smaller among training rows: a row that was memorised is close
      to one record and to no other.

    Well above .5: training rows show through, or the holdout is no random sample. Near .5:
    nothing is shown. Left out if a table has fewer than 20 rows.
    """
    if tables.holdout is None:
        return no_holdout("distances to the closest record")
    if min(len(tables.train), len(tables.holdout), len(tables.made)) < _LEAST:
        why = f"fewer than {_LEAST} rows in one of the tables"
        return Findings(left_out=(LeftOut(what="distances to the closest record", why=why),))
    ground = Ground.of(tables, tables.holdout)
    rng = tables.rng("distances")
    groups = _groups(ground, rng)
    size = min(len(tables.train), len(tables.holdout), affordable(_REAL_ROWS, ground.width))
    near, far = tables.train.pick(size, rng), tables.holdout.pick(size, rng)
    made = tables.made.pick(affordable(_SHARE_QUERIES, ground.width), rng)
    independent = tables.independent.pick(len(made), rng)
    found, baseline = (
        _figures(ground, groups, (near, far), queries) for queries in (made, independent)
    )
    note = f"{size:,} training and {size:,} held-out rows"
    notes = {"dcr_share": note, "nndr": note, "dcr_share_worst": _looked(len(groups), note)}
    return Findings(
        measures=tuple(
            Measure(
                key=key,
                name=_NAMES[key],
                estimate=estimate,
                goal=Goal.HALF,
                floor=Estimate(0.5, 0.5, 0.5),
                baseline=baseline_of(baseline[key], len(independent)),
                rows=len(made),
                note=notes[key],
            )
            for key, estimate in found.items()
        )
    )


_NAMES = {
    "dcr_share": "Share closer to training than to held-out rows",
    "dcr_share_worst": "Share closer to training rows, worst set of columns",
    "nndr": "Share closer to one training row alone than to one held-out row",
}


def _looked(groups: int, note: str) -> str:
    if groups == 1:
        return f"too few columns to look at sets of them; {note}"
    return f"the largest of {groups} sets of columns, and its interval says so; {note}"


def _figures(
    ground: Ground,
    groups: list[tuple[str, ...]],
    sides: tuple[Cells, Cells],
    queries: Cells,
) -> dict[str, Estimate]:
    """The figures of ``queries`` against training and held-out rows; ``groups[0]`` is all."""
    shares: list[_Share] = []
    for group in groups:
        points_of = ground.embedding(group)
        near, far = (
            neighbours(points_of(side), points_of(queries), 1 if shares else 2) for side in sides
        )
        if not shares:
            ratio = _share((_ratios(near[0]), near[1][:, 0]), (_ratios(far[0]), far[1][:, 0]))
        shares.append(_share((near[0][:, 0], near[1][:, 0]), (far[0][:, 0], far[1][:, 0])))
    return {
        "dcr_share": largest_share(shares[:1]),
        "dcr_share_worst": largest_share(shares),
        "nndr": largest_share([ratio]),
    }


def _ratios(distances: Floats) -> Floats:
    """Closest over second closest; 1 where both are 0: no record stands out."""
    first, second = distances[:, 0], distances[:, -1]
    return np.where(second > 0, first / np.where(second > 0, second, 1.0), 1.0)


def _share(near: tuple[Floats, Ints], far: tuple[Floats, Ints]) -> _Share:
    """Share of the queries that are nearer to ``near``, from distances and records of both.

    Its influences are those of the closest records.
    """
    (to_near, one), (to_far, other) = near, far
    wins = closer(to_near, to_far)
    closest = np.where(to_near <= to_far, one, other + int(one.max(initial=0)) + 1)
    value = float(wins.mean())
    influence = np.bincount(closest, weights=(wins - value) / len(wins)).astype(np.float64)
    return value, influence


def _groups(ground: Ground, rng: np.random.Generator) -> list[tuple[str, ...]]:
    """All columns, and groups of some, associated ones and random ones."""
    names = ground.columns.names
    if len(names) < _LEAST_COLUMNS:
        return [names]
    sample = ground.real.pick(_ASSOCIATION_ROWS, rng)
    strength = np.abs(np.nan_to_num(associations(ground.columns, sample, names)))
    held = [*_associated(strength), *_random(len(names), rng)]
    groups = [tuple(names[i] for i in sorted(places)) for places in held]
    return list(dict.fromkeys([names, *groups]))


def _associated(strength: Floats) -> Iterator[Ints]:
    """Places of the columns of each group: the strongest pair left, and what goes with it."""
    strength = strength.copy()
    np.fill_diagonal(strength, -1.0)
    size = max(len(strength) // _GROUPS, 2)
    left = np.arange(len(strength))
    while len(left) >= size:
        within = strength[np.ix_(left, left)]
        first = int(within.max(axis=1).argmax())
        order = np.argsort(-within[first], kind="stable")[: size - 1]
        group = np.append(left[order], left[first])
        yield group
        left = np.setdiff1d(left, group)


def _random(columns: int, rng: np.random.Generator) -> Iterator[Ints]:
    for _ in range(_GROUPS):
        yield rng.choice(columns, max(columns // 2, 2), replace=False)


def _common_size(train: pd.DataFrame, holdout: pd.DataFrame) -> int:
    size = min(len(train), len(holdout), _QUERIES)
    if size < 1:
        raise TableError("train and holdout need at least one row each")
    return size
