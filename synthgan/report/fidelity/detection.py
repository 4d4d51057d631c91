"""Can a classifier tell synthetic rows from real ones?

C2ST, the classifier two-sample test, sees what single columns and pairs do not: .5 means that
the classifier cannot tell, 1 that it always can. It is not exactly .5 for real rows against
real rows: hold it against that floor.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import StratifiedKFold, cross_val_predict

from synthgan.errors import TableError
from synthgan.report.columns import Columns
from synthgan.report.measure import Estimate, auc


def c2st(
    real: pd.DataFrame,
    synthetic: pd.DataFrame,
    *,
    seed: int = 0,
    folds: int = 5,
    max_rows: int = 10_000,
    columns: Columns | None = None,
) -> Estimate:
    """AUC of gradient-boosted trees that tell ``synthetic`` from ``real`` rows; .5 is best.

    Classifier two-sample test: equally many rows of either table (``max_rows`` at most),
    every row scored by a classifier that did not see it, ``folds`` folds. ``real`` should
    be rows that the generator never saw. Pass ``columns`` of the training rows so that
    levels which the holdout happens to lack are known. The interval is DeLong's; it leaves
    out what another draw from the same generator would change (about .01).
    """
    columns = columns or Columns.of(real)
    rows = min(len(real), len(synthetic), max_rows)
    if rows < folds:
        raise TableError(f"C2ST needs at least {folds} rows of each table, got {rows}")
    sides = [columns.read(f.sample(rows, random_state=seed)) for f in (real, synthetic)]
    parts = [columns.matrix(side) for side in sides]
    labels = np.repeat([False, True], rows)
    scores = cross_val_predict(
        HistGradientBoostingClassifier(categorical_features=parts[0][1], random_state=seed),
        np.vstack([part[0] for part in parts]),
        labels,
        cv=StratifiedKFold(folds, shuffle=True, random_state=seed),
        method="predict_proba",
    )[:, 1]
    value, influence = auc(labels, scores)
    return Estimate.from_influence(value, influence, least=0.0, most=1.0)
