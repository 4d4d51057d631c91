"""Copies of training rows among the synthetic ones, exact and near.

Real tables repeat rows too, so a copy is suspect only beyond what rows have that the generator
never saw. None of this is a guarantee: a share beyond the holdout's means that training
rows show through, a share within it means nothing (Yao et al. 2025, "The DCR Delusion"). Only
differential privacy gives a guarantee.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pandas as pd

from synthgan._typing import Bools
from synthgan.errors import TableError
from synthgan.metrics.columns import Cells, Columns, recode
from synthgan.metrics.measure import Estimate, Findings, Goal, LeftOut, Measure
from synthgan.metrics.points import nearest
from synthgan.metrics.privacy.space import affordable, baseline_of, embedding

_TRAIN_ROWS = 40_000
_QUERIES = 5_000
_HOLDOUT_QUERIES = 3_000
_BASELINE_QUERIES = 1_000
_NEAR = 0.01
_SAME = 1e-9
_LEAST = 20  # rows of either side, for near copies
_LEAST_FLOOR = 50  # held-out rows behind a floor
_MOST_SHARED = 0.5  # of the held-out rows, beyond what rows of the same kind share by chance
_MIX = np.uint64(0x9E3779B97F4A7C15)  # odd: a product loses no bits

_UNSEEN = (
    "real rows: training rows that come twice, or those that independent columns copy, if more"
)

Fingerprints = npt.NDArray[np.uint64]
"""A hash of each row."""


def exact_copies(
    synthetic: pd.DataFrame,
    train: pd.DataFrame,
    holdout: pd.DataFrame,
    *,
    columns: Columns | None = None,
) -> Measure:
    """Percent of the synthetic rows that stand verbatim in ``train``; ``floor``: of holdout rows.

    Real tables repeat rows too, so a copy is suspect only beyond the holdout's own share.
    No copies is no guarantee: a row changed in one digit is none. Intervals are Wilson's.
    """
    columns = columns or Columns.of(train)
    made, known, held = (
        _fingerprints(columns, columns.read(frame)) for frame in (synthetic, train, holdout)
    )
    return _exact(np.isin(made, known), floor=_share(np.isin(held, known)))


def copy_findings(
    synthetic: pd.DataFrame,
    train: pd.DataFrame,
    holdout: pd.DataFrame | None,
    columns: Columns,
    *,
    seed: int = 0,
) -> Findings:
    """``exact_copies`` among all rows, and ``near_copies`` in a sample; both in percent.

    ``holdout_copies``, in percent too, is about the real rows alone: the share of the holdout that
    stands verbatim in train. The floor is the share of train that stands there at least twice,
    which is what rows of the same kind have by chance; well above it, the holdout was seen.

    An exact copy equals a training row in every compared cell. A near copy is no exact one, and
    lies closer to a training row than 99 % of the held-out rows do that are no copies either;
    where many of these are equally close, as between rows of few levels, closer than all of
    them. The floor is the holdout's own share, the baseline that of columns drawn
    independently; intervals are Wilson's. Near copies are looked for among up to 40,000
    training rows, with up to 5,000 synthetic ones; without a holdout nothing says what is near,
    and they are left out, as with fewer than 20 rows of any table. Without 50 held-out rows the
    floor of exact copies is the share of training rows that stand there at least twice. A
    baseline has 50 rows behind it, or there is none. Where columns drawn independently copy more,
    as few and coarse columns do, the floor is theirs: no row was memorised for that.
    """
    rng = np.random.default_rng(seed)
    sides = {"made": columns.read(synthetic), "known": columns.read(train)}
    if holdout is not None:
        sides["held"] = columns.read(holdout)
    sides["independent"] = sides["known"].shuffled(min(len(train), _TRAIN_ROWS), rng)
    known = _fingerprints(columns, sides["known"])
    copied = {
        name: np.isin(_fingerprints(columns, cells), known)
        for name, cells in sides.items()
        if name != "known"
    }
    enough = holdout is not None and len(holdout) >= _LEAST_FLOOR
    exact = _exact(
        copied["made"],
        floor=_share(copied["held"]) if enough else _by_chance(known, copied["independent"]),
        baseline=baseline_of(_share(copied["independent"]), len(copied["independent"])),
        note="" if enough else _UNSEEN,
    )
    if holdout is None:
        why = "no holdout was given"
        return Findings(measures=(exact,), left_out=(LeftOut(what="near copies", why=why),))
    overlap = _overlap(copied["held"], known)
    if min(map(len, sides.values())) < _LEAST:
        few = LeftOut(what="near copies", why=f"fewer than {_LEAST} rows in one of the tables")
        return Findings(measures=(exact, overlap), left_out=(few,))
    return Findings(measures=(exact, _near(columns, sides, copied, rng), overlap))


def _overlap(copied: Bools, known: Fingerprints) -> Measure:
    """Share of the holdout that stands in train; floor: of train that stands there once more."""
    return Measure(
        key="holdout_copies",
        name="Held-out rows that stand in the training rows",
        estimate=_share(copied).scaled(100),
        goal=Goal.LOW,
        unit="%",
        floor=repeats.scaled(100) if (repeats := _repeats(known)) else None,
        note=f"{len(copied):,} held-out rows; real rows: training rows that come twice",
    )


def _twice(known: Fingerprints) -> Bools:
    """Which rows stand in their own table at least twice."""
    _, groups, sizes = np.unique(known, return_inverse=True, return_counts=True)
    return np.asarray(sizes[groups] > 1)


def _by_chance(known: Fingerprints, independent: Bools) -> Estimate | None:
    """What chance makes of exact copies, where no holdout says so; None for too few rows."""
    repeats = _repeats(known)
    return max(repeats, _share(independent)) if repeats is not None else None


def _repeats(known: Fingerprints) -> Estimate | None:
    """Share of training rows that come twice; None for too few of them."""
    return _share(_twice(known)) if len(known) >= _LEAST_FLOOR else None


def refuse_holdout(
    synthetic: pd.DataFrame, train: pd.DataFrame, holdout: pd.DataFrame, columns: Columns
) -> None:
    """Raises :class:`TableError` for a holdout that is no table of unseen rows.

    That is, if most of its rows stand in ``train`` or in ``synthetic``: more than half of those
    that would not be there by chance. Chance is, for the one, the share of training rows that
    come twice; for the other, the share of training rows that stand in ``synthetic``.
    """
    made, known, held = (
        _fingerprints(columns, columns.read(frame)) for frame in (synthetic, train, holdout)
    )
    for table, shared, chance in (
        ("the training rows", np.isin(held, known), _twice(known)),
        ("the synthetic table", np.isin(held, made), np.isin(known, made)),
    ):
        share, usual = _share(shared), _share(chance).high
        if share.low - usual > _MOST_SHARED * (1 - usual):
            raise TableError(
                "the holdout must be real rows that no other table holds, but "
                f"{100 * share.value:.1f} % of its rows stand in {table}; set "
                "rows aside at random before the fit"
            )


def _exact(
    copied: Bools, *, floor: Estimate | None, baseline: Estimate | None = None, note: str = ""
) -> Measure:
    return Measure(
        key="exact_copies",
        name="Exact copies of training rows",
        estimate=_share(copied).scaled(100),
        goal=Goal.LOW,
        unit="%",
        floor=floor.scaled(100) if floor else None,
        baseline=baseline.scaled(100) if baseline else None,
        rows=len(copied),
        note=note,
    )


def _near(
    columns: Columns,
    sides: dict[str, Cells],
    copied: dict[str, Bools],
    rng: np.random.Generator,
) -> Measure:
    known = sides["known"].pick(_TRAIN_ROWS, rng)
    points_of = embedding(columns, known)
    points = points_of(known.pick(affordable(_TRAIN_ROWS, points_of.width), rng))
    distances = {}
    for name, cap in (
        ("made", _QUERIES),
        ("held", _HOLDOUT_QUERIES),
        ("independent", _BASELINE_QUERIES),
    ):
        rows = min(affordable(cap, points_of.width), len(sides[name]))
        places = rng.choice(len(sides[name]), rows, replace=False)
        found = np.full(rows, np.inf)  # exact copies are no near ones
        other = ~copied[name][places]
        if other.any():
            found[other] = nearest(points, points_of(sides[name].take(places[other])))[0]
        distances[name] = found
    usual = np.sort(distances["held"][np.isfinite(distances["held"])])
    bar = usual[math.floor(_NEAR * len(usual))] * (1 - _SAME) if len(usual) else 0.0
    made, held, independent = (_share(found < bar).scaled(100) for found in distances.values())
    enough = len(distances["held"]) >= _LEAST_FLOOR
    note = (
        f"{len(distances['made']):,} synthetic and {len(distances['held']):,} held-out rows "
        f"against {len(points):,} training rows"
    )
    if bar <= 0:
        note = "held-out rows are copies too, or as near as copies: nothing is nearer"
    return Measure(
        key="near_copies",
        name="Near copies of training rows",
        estimate=made if bar > 0 else Estimate.undefined(),
        goal=Goal.LOW,
        unit="%",
        floor=held if bar > 0 and enough else None,
        baseline=baseline_of(independent, len(distances["independent"])) if bar > 0 else None,
        rows=len(distances["made"]),
        note=note,
    )


def _share(found: Bools) -> Estimate:
    return Estimate.from_share(float(found.sum()), len(found))


def _fingerprints(columns: Columns, cells: Cells) -> Fingerprints:
    """A 64-bit hash of each row; levels that the columns do not know equal no other."""
    hashes = np.zeros(cells.rows, dtype=np.uint64)
    for name in columns.names:
        if name in cells.numbers:
            # One spelling each of a hole and of zero.
            numbers = cells.numbers[name]
            column: npt.NDArray[np.generic] = np.where(np.isnan(numbers), np.nan, numbers + 0.0)
        else:
            column = recode(cells.categories[name], columns.levels[name], -2, -1)
        hashes = hashes * _MIX + pd.util.hash_array(column)
    return hashes
