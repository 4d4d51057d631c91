"""Do more rows of the scarce class help? Against doing nothing, weights and other resamplers.

    python benchmarks/augmentation.py TABLE... [--rows 5000] [--share 0.05] [--seeds 5] [--sdv]

Each table needs a target of two classes (NAME.json beside it). For each seed ``--rows`` training
rows are taken and their scarcer class is thinned to ``--share``. Boosted trees are trained on what
each method makes of them and scored on the holdout, in which rows are weighed so that the scarce
class has the same share: F1 of the scarce class at .5, average precision (area under the
precision-recall curve), its gain over doing nothing on the same rows, and the expected
calibration error, as it is and corrected: the odds that trees learnt from more scarce rows are
scaled back to the share that there is. "moved threshold" is doing nothing too, but predicts the
scarce class where its chance is above its share. Figures are means over seeds with Student's 95 %
interval.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from imblearn.over_sampling import SMOTENC, RandomOverSampler
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import average_precision_score, f1_score
from tables import cut

import synthgan
from synthgan.metrics.columns import Columns
from synthgan.metrics.measure import Estimate

Made = tuple[pd.DataFrame, "pd.Series[bool]"]
Method = Callable[[pd.DataFrame, "pd.Series[bool]", int], Made]


def nothing(X: pd.DataFrame, y: pd.Series[bool], seed: int) -> Made:
    """The rows as they are."""
    return X, y


def repeated(X: pd.DataFrame, y: pd.Series[bool], seed: int) -> Made:
    """Rows of the scarce class repeated."""
    return RandomOverSampler(random_state=seed).fit_resample(X, y)


def smote(X: pd.DataFrame, y: pd.Series[bool], seed: int) -> Made:
    """SMOTE-NC, which knows no holes: they are filled with medians and a level of their own."""
    is_number = {name: pd.api.types.is_numeric_dtype(X[name]) for name in X}
    whole = X.apply(
        lambda x: x.fillna(x.median()) if is_number[x.name] else x.astype(str).astype(object)
    )
    codes = [i for i, name in enumerate(X) if not is_number[name]]
    return SMOTENC(codes, random_state=seed).fit_resample(whole, y)


def ours(X: pd.DataFrame, y: pd.Series[bool], seed: int) -> Made:
    """This package."""
    return synthgan.SynthGANOverSampler(random_state=seed).fit_resample(X, y)


def ctgan(X: pd.DataFrame, y: pd.Series[bool], seed: int) -> Made:
    """SDV's CTGAN (2.0), fitted to all rows and asked for the scarce class."""
    from sdv.metadata import Metadata
    from sdv.sampling import Condition
    from sdv.single_table import CTGANSynthesizer

    tables = {"table": X.assign(target=y.map({True: "yes", False: "no"}))}
    model = CTGANSynthesizer(Metadata.detect_from_dataframes(tables))
    model.fit(tables)
    wanted = int((~y).sum() - y.sum())
    made = model.sample_from_conditions([Condition({"target": "yes"}, num_rows=wanted)])["table"]
    more = pd.concat([X, made.drop(columns="target")], ignore_index=True)
    return more, pd.concat([y, pd.Series([True] * len(made))], ignore_index=True)


METHODS: dict[str, Method] = {
    "nothing": nothing,
    "moved threshold": nothing,
    "class weights": nothing,
    "repeated": repeated,
    "SMOTE-NC": smote,
    "synthgan": ours,
}


def calibration(chance: np.ndarray, is_rare: np.ndarray, weights: np.ndarray) -> float:
    """Mean gap between chance and truth in ten bins of equal weight."""
    order = np.argsort(chance, kind="stable")
    bins = np.minimum(np.cumsum(weights[order]) * 10 // weights.sum(), 9).astype(int)
    gaps = np.bincount(bins, weights=(weights * (chance - is_rare))[order], minlength=10)
    return float(np.abs(gaps).sum() / weights.sum())


def score(columns: Columns, made: Made, held: Made, method: str, share: float) -> dict[str, float]:
    """Figures of trees trained on ``made``, with ``held`` weighed to ``share`` of scarce rows."""
    parts = [columns.matrix(columns.read(X)) for X, _ in (made, held)]
    model = HistGradientBoostingClassifier(
        categorical_features=parts[0][1],
        random_state=0,
        class_weight="balanced" if method == "class weights" else None,
    ).fit(parts[0][0], made[1])
    chance = model.predict_proba(parts[1][0])[:, 1]
    is_rare = held[1].to_numpy()
    weights = np.where(is_rare, share / is_rare.mean(), (1 - share) / (1 - is_rare.mean()))
    predicted = chance > (share if method == "moved threshold" else 0.5)
    learnt = 0.5 if method == "class weights" else float(made[1].mean())
    odds = chance / np.maximum(1 - chance, 1e-12) * share / (1 - share) * (1 - learnt) / learnt
    return {
        "F1": float(f1_score(is_rare, predicted, sample_weight=weights)),
        "average precision": float(average_precision_score(is_rare, chance, sample_weight=weights)),
        "calibration error": calibration(chance, is_rare, weights),
        "corrected": calibration(odds / (1 + odds), is_rare, weights),
    }


def thinned(frame: pd.DataFrame, target: str, rare: object, share: float, seed: int) -> Made:
    """``frame`` with fewer rows of the ``rare`` class, as features and labels."""
    is_rare = frame[target] == rare
    kept = int(share / (1 - share) * (~is_rare).sum())
    scarce = frame[is_rare].sample(min(kept, int(is_rare.sum())), random_state=seed)
    frame = pd.concat([frame[~is_rare], scarce]).sample(frac=1, random_state=seed)
    frame = frame.reset_index(drop=True)
    return frame.drop(columns=target), frame[target] == rare


def run(path: Path, chosen: argparse.Namespace) -> Iterator[dict[str, object]]:
    """All methods on one table."""
    halves = cut(path)
    target = halves.target
    assert target is not None, f"{path} has no target"
    train, holdout = (part[part[target].notna()] for part in (halves.train, halves.holdout))
    rare = train[target].value_counts().index[-1]
    held = holdout.drop(columns=target), holdout[target] == rare
    columns = Columns.of(train.drop(columns=target))
    plain: list[float] = []
    for name, method in METHODS.items():
        figures, started = [], time.perf_counter()
        for seed in range(chosen.seeds):
            rows = train.sample(min(chosen.rows, len(train)), random_state=seed)
            X, y = thinned(rows, target, rare, chosen.share, seed)
            figures.append(score(columns, method(X, y, seed), held, name, float(y.mean())))
        seconds = (time.perf_counter() - started) / chosen.seeds
        plain = plain or [each["average precision"] for each in figures]
        for each, without in zip(figures, plain, strict=True):
            each["gain"] = each["average precision"] - without
        yield {
            "table": halves.name,
            "method": name,
            "rows": len(y),
            "scarce rows": int(y.sum()),
            "seconds": seconds,
            **{key: Estimate.from_draws([each[key] for each in figures]) for key in figures[0]},
        }


def show(found: dict[str, object]) -> None:
    """One line."""
    cells = [
        f"{name} {each.value:.3f} ({each.low:.3f} to {each.high:.3f})"
        for name, each in found.items()
        if isinstance(each, Estimate)
    ]
    size = f"{found['scarce rows']} of {found['rows']} rows"
    head = f"{found['table']:<12}{found['method']:<17}{size:<20}"
    print(head + "  ".join(cells) + f"  {found['seconds']:.1f} s")
    sys.stdout.flush()


def main() -> None:
    """Prints a line for each table and method."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("tables", nargs="+", type=Path, metavar="TABLE")
    parser.add_argument("--rows", type=int, default=5_000, help="to train on (5,000)")
    parser.add_argument("--share", type=float, default=0.05, help="of the scarce class (.05)")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--sdv", action="store_true", help="SDV's CTGAN too")
    parser.add_argument("--json", type=Path, metavar="OUT", help="write all figures to this file")
    chosen = parser.parse_args()
    if chosen.sdv:
        METHODS["CTGAN"] = ctgan
    results = []
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore")
        for path in chosen.tables:
            for found in run(path, chosen):
                results.append(found)
                show(found)
    if chosen.json is not None:
        chosen.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
