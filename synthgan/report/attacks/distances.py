"""Smoke alarms for memorised rows: distances from synthetic to real rows, and exact copies.

None of this is a guarantee. A score that fails means that training rows were memorised; a
score that passes means nothing: it looks at the average row, while the outliers are at risk,
and tables that pass have been attacked with success (Yao et al. 2025, "The DCR Delusion").
Only differential privacy gives a guarantee.

Distances are Euclidean between rows of standardised numbers (a hole is the mean; clipped at
6 standard deviations) and categories as one-hot over the square root of two, so that two
different levels are 1 apart.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from synthgan.errors import TableError
from synthgan.report.columns import Cells, Columns, pick, recode
from synthgan.report.measure import Estimate, Goal, Measure, auc
from synthgan.report.points import Embedding, nearest

_QUERIES = 5_000
_SYNTHETIC_ROWS = 20_000


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
    (to_train, member), (to_holdout, other) = nearest(near, queries), nearest(far, queries)
    wins = (np.sign(to_holdout - to_train) + 1) / 2
    closest = np.where(to_train <= to_holdout, member, other + size)
    value = float(wins.mean())
    influence = np.bincount(closest, weights=(wins - value) / len(wins)).astype(np.float64)
    return Estimate.from_influence(value, influence, least=0.0, most=1.0)


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


def exact_copies(
    synthetic: pd.DataFrame,
    train: pd.DataFrame,
    holdout: pd.DataFrame,
    *,
    columns: Columns | None = None,
) -> Measure:
    """Share of synthetic rows that stand verbatim in ``train``; ``floor``: of holdout rows.

    Real tables repeat rows too, so a copy is suspect only beyond the holdout's own share.
    No copies is no guarantee: a row changed in one digit is none. Intervals are Wilson's.
    """
    columns = columns or Columns.of(train)
    known = _fingerprints(columns, columns.read(train))

    def share(frame: pd.DataFrame) -> Estimate:
        found = np.isin(_fingerprints(columns, columns.read(frame)), known)
        return Estimate.from_share(float(found.sum()), len(frame))

    return Measure(
        key="exact_copies",
        name="Exact copies of training rows",
        estimate=share(synthetic),
        goal=Goal.LOW,
        floor=share(holdout),
        rows=len(synthetic),
    )


def _fingerprints(columns: Columns, cells: Cells) -> npt.NDArray[np.uint64]:
    """A 64-bit hash of each row; levels that the columns do not know equal no other."""
    coded = {
        # Adding zero turns -0.0 into 0.0.
        name: cells.numbers[name] + 0.0
        if name in cells.numbers
        else recode(cells.categories[name], columns.levels[name], -2, -1)
        for name in columns.names
    }
    return np.asarray(pd.util.hash_pandas_object(pd.DataFrame(coded), index=False), dtype=np.uint64)


def _common_size(train: pd.DataFrame, holdout: pd.DataFrame) -> int:
    size = min(len(train), len(holdout), _QUERIES)
    if size < 1:
        raise TableError("train and holdout need at least one row each")
    return size
