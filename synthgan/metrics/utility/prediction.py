"""Does a model trained on the synthetic table work on real rows?

TSTR (train on synthetic, test on real) beside TRTR (train on real, test on real), the same
boosted trees with the same settings scored on the same holdout: what the synthetic table
costs is the ratio, and its interval knows that both were scored on the same rows.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import pandas as pd

from synthgan.metrics.columns import Columns
from synthgan.metrics.measure import Estimate
from synthgan.metrics.threads import one_thread
from synthgan.metrics.utility.models import Task, Trial, target_of
from synthgan.metrics.utility.scores import Score


@dataclass(frozen=True, kw_only=True)
class Utility:
    """What a target's prediction is worth; intervals are over the holdout's rows."""

    task: Task
    tstr: Estimate
    """Trained on synthetic, tested on real: AUC (mean over classes, one against the rest)
    or R2."""
    trtr: Estimate
    """Trained on real, tested on real: the same score."""
    ratio: Estimate
    """TSTR / TRTR; NaN where TRTR's interval is not above chance (R2 of 0, AUC of .5)."""


@one_thread()
def tstr(
    synthetic: pd.DataFrame,
    train: pd.DataFrame,
    holdout: pd.DataFrame,
    target: str,
    task: Task | None = None,
    *,
    seed: int = 0,
    columns: Columns | None = None,
) -> Utility:
    """Predicts ``target`` from the other columns: trained on ``synthetic``, on ``train``.

    Both models are scored on ``holdout``, which neither they nor the generator saw. Rows
    without a target are left out. Without ``task``, :func:`infer_task` decides. Raises
    :class:`TableError` for an unknown target, or one that does not vary in ``holdout``.
    """
    columns = columns or Columns.of(train)
    made, real, held = (columns.read(frame) for frame in (synthetic, train, holdout))
    for cells in (made, real, held):
        target_of(cells, target)  # raises where there is none
    trial = Trial(columns, real, held, target, task, seed=seed)
    scores = [trial.score(trial.rows(cells)).main() for cells in (made, real)]
    return Utility(
        task=trial.task,
        tstr=of_main(scores[0], trial.task),
        trtr=of_main(scores[1], trial.task),
        ratio=ratio(scores[0], scores[1], trial.task),
    )


def of_main(score: Score, task: Task) -> Estimate:
    """A main score (AUC or R2) with its interval."""
    least = -math.inf if task == "regression" else 0.0
    return Estimate.from_influence(*score, least=least, most=1.0)


def beats_chance(score: Score, task: Task) -> bool:
    """Whether the interval of a main score is above a guess: R2 above 0, AUC above .5."""
    return of_main(score, task).low > (0.0 if task == "regression" else 0.5)


def ratio(made: Score, real: Score, task: Task) -> Estimate:
    """``made / real`` of a main score; undefined where ``real`` is no better than chance."""
    if not beats_chance(real, task):
        return Estimate.undefined()
    value = made[0] / real[0]
    least = -math.inf if task == "regression" else 0.0
    return Estimate.from_influence(value, (made[1] - value * real[1]) / real[0], least=least)
