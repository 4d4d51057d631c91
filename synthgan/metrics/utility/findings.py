"""All that is measured of usefulness, with models fitted once and shared."""

from __future__ import annotations

import numpy as np

from synthgan.errors import TableError
from synthgan.metrics.columns import Cells
from synthgan.metrics.measure import Curve, Estimate, Findings, Goal, LeftOut, Measure
from synthgan.metrics.tables import Tables
from synthgan.metrics.threads import one_thread
from synthgan.metrics.utility.augmentation import Pools, augmentation_measures
from synthgan.metrics.utility.insight import importance_measure, subgroup_measures
from synthgan.metrics.utility.models import Model, Task, Trial
from synthgan.metrics.utility.prediction import beats_chance, of_main, ratio
from synthgan.metrics.utility.scores import Classes, Prediction, Score, Values

_MOST = 50_000  # rows that a model is trained on
_LEAST = 5_000
_TREE_CELLS = 2_000_000  # rows times columns
_TREE_ROWS = 500_000  # rows times classes, each of which has trees of its own
_MOST_UNSEEN = 50_000
_MOST_LINEAR = 20_000
_LEAST_LINEAR = 2_000
_LINEAR_CELLS = 100_000_000  # rows times features times classes
_WHAT = "models trained on synthetic rows"


@one_thread()
def utility_findings(tables: Tables, target: str, task: Task | None = None) -> Findings:
    """TSTR against TRTR, augmentation, what counts, and groups; ``target`` is to be predicted.

    Raises :class:`TableError` for a target that is not among the compared columns. A target
    that cannot be predicted (all missing, one class) is left out, and the reason said.
    """
    if target not in tables.columns.names:
        raise TableError(
            f"no column {target!r} to be the target; columns are {list(tables.columns.names)}"
        )
    if tables.holdout is None:
        return Findings(left_out=(LeftOut(what=_WHAT, why="no holdout was given"),))
    try:
        unseen = tables.holdout.pick(_MOST_UNSEEN, tables.rng("unseen"))
        trial = Trial(tables.columns, tables.train, unseen, target, task, seed=tables.seed)
        return _findings(trial, tables)
    except TableError as error:
        return Findings(left_out=(LeftOut(what=_WHAT, why=str(error)),))


def _findings(trial: Trial, tables: Tables) -> Findings:
    rng = tables.rng("utility")
    most = min(_TREE_CELLS // len(trial.names), _TREE_ROWS // max(len(trial.classes), 1))
    most = int(np.clip(most, _LEAST, _MOST))
    # In random order: halves and shares of a sorted table would be of other rows.
    cells = {
        name: side.take(rng.permutation(len(side))[:most])
        for name, side in (
            ("synthetic", tables.synthetic),
            ("real", tables.real),
            ("independent", tables.independent),
        )
    }
    rows = {name: trial.rows(side) for name, side in cells.items()}
    if not len(rows["synthetic"]) or len(rows["real"]) < 2:
        raise TableError(f"no synthetic row has a target {trial.target!r} that real rows have")
    models: dict[str, Model] = {name: trial.fit(each) for name, each in rows.items()}
    middle = len(rows["real"]) // 2
    halves = (
        trial.fit(rows["real"].take(slice(0, middle))),
        trial.fit(rows["real"].take(slice(middle, None))),
    )
    said = {name: model.predict(trial.unseen) for name, model in models.items()}
    fewer = _rows_of_linear(trial)
    linear = {name: _linear(trial, side, fewer) for name, side in cells.items()}
    size = len(rows["synthetic"])
    measures = [
        *_prediction(said, trial.task, size, "", "boosted trees"),
        *_prediction(linear, trial.task, min(size, fewer), "_linear", "a linear model"),
        *augmentation_measures(trial, Pools(**rows), said["real"], tables),
        importance_measure(trial, models, halves, tables),
        *subgroup_measures(trial, models, halves, tables),
    ]
    return Findings(measures=tuple(measures), curves=tuple(_reliability(said)))


def _rows_of_linear(trial: Trial) -> int:
    """Rows that the linear model is trained on, at most: fewer of many features or classes."""
    each = trial.unseen_linear.x.shape[1] * max(len(trial.classes), 1)
    return int(np.clip(_LINEAR_CELLS // each, _LEAST_LINEAR, _MOST_LINEAR))


def _linear(trial: Trial, side: Cells, most: int) -> Prediction:
    """What a linear model says that was trained on the first ``most`` rows of ``side``."""
    few = side.take(np.arange(min(len(side), most)))
    return trial.score(trial.rows(few, "linear"), "linear")


_CLASS_SCORES = (
    ("auc", "AUC", Goal.HIGH),
    ("f1", "F1, macro", Goal.HIGH),
    ("accuracy", "accuracy", Goal.HIGH),
    ("calibration", "calibration error", Goal.LOW),
)
_NUMBER_SCORES = (("r2", "R2", Goal.HIGH), ("rmse", "RMSE", Goal.LOW), ("mae", "MAE", Goal.LOW))


def _prediction(
    said: dict[str, Prediction], task: Task, rows: int, kind: str, what: str
) -> list[Measure]:
    """The ratio of main scores, then each score: trained on synthetic, real, independent."""
    main = {name: each.main() for name, each in said.items()}
    names = _NUMBER_SCORES if task == "regression" else _CLASS_SCORES
    is_known = beats_chance(main["real"], task)
    quotient = ratio(main["synthetic"], main["real"], task)
    found = [
        Measure(
            key=f"tstr{kind}",
            name=f"{names[0][1]} with {what}, over that of real rows (TSTR / TRTR)",
            estimate=quotient,
            goal=Goal.HIGH,
            floor=Estimate(1.0, 1.0, 1.0) if is_known else None,
            baseline=ratio(main["independent"], main["real"], task),
            rows=rows,
            note=""
            if is_known
            else "trained on real rows, too, the model predicts no better than chance",
        )
    ]
    for key, name, goal in names[:1] if kind else names:
        scores = {each: _score(prediction, key) for each, prediction in said.items()}
        least, most = (-np.inf, np.inf) if task == "regression" else (0.0, 1.0)
        estimates = {
            each: of_main(score, task)
            if key in ("auc", "r2")
            else Estimate.from_influence(*score, least=max(least, 0.0), most=most)
            for each, score in scores.items()
        }
        found.append(
            Measure(
                key=f"tstr{kind}_{key}",
                name=f"{name} with {what}",
                estimate=estimates["synthetic"],
                goal=goal,
                floor=estimates["real"],
                baseline=estimates["independent"],
                rows=rows,
            )
        )
    return found


def _score(prediction: Prediction, key: str) -> Score:
    if isinstance(prediction, Values):
        return {"r2": prediction.main, "rmse": prediction.rmse, "mae": prediction.mae}[key]()
    return {
        "auc": prediction.main,
        "f1": prediction.f1,
        "accuracy": prediction.accuracy,
        "calibration": prediction.calibration,
    }[key]()


def _reliability(said: dict[str, Prediction]) -> list[Curve]:
    """How often what was given a chance comes true, for two classes."""
    found = []
    for name, suffix, label in (
        ("synthetic", "", "trained on synthetic"),
        ("real", "_floor", "trained on real"),
    ):
        prediction = said[name]
        if not isinstance(prediction, Classes) or prediction.chances.shape[1] != 2:
            continue
        chance, hit = prediction.chances[:, 1], prediction.truth == 1
        bins = np.argsort(np.argsort(chance, kind="stable")) * 10 // len(chance)
        counts = np.maximum(np.bincount(bins, minlength=10), 1)
        x = np.bincount(bins, weights=chance, minlength=10) / counts
        y = np.bincount(bins, weights=hit, minlength=10) / counts
        found.append(Curve(key=f"calibration{suffix}", name=label, x=tuple(x), y=tuple(y)))
    return found
