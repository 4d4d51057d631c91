"""Do more rows of the scarce class help? Against doing nothing, weights and other resamplers.

    python benchmarks/augmentation.py TABLE... [--rows 5000] [--share 0.05] [--seeds 5] [--sdv]

Each table needs a target of two classes (NAME.json beside it). The scarcer class is thinned to
``--share`` of the training rows; the holdout stays as it is. Boosted trees are trained on what
each method makes of the training rows and scored on the holdout: F1 of the scarce class at .5,
average precision (area under the precision-recall curve) and the expected calibration error.
Figures are means over seeds with Student's 95 % interval.
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
from synthgan.report import Columns, Estimate

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
    """SDV's CTGAN, fitted to all rows and asked for the scarce class."""
    from sdv.metadata import Metadata
    from sdv.sampling import Condition
    from sdv.single_table import CTGANSynthesizer

    frame = X.assign(target=y.map({True: "yes", False: "no"}))
    model = CTGANSynthesizer(Metadata.detect_from_dataframe(frame, table_name="table"))
    model.fit(frame)
    wanted = int((~y).sum() - y.sum())
    made = model.sample_from_conditions([Condition({"target": "yes"}, num_rows=wanted)])
    more = pd.concat([X, made.drop(columns="target")], ignore_index=True)
    return more, pd.concat([y, pd.Series([True] * len(made))], ignore_index=True)


METHODS: dict[str, Method] = {
    "nothing": nothing,
    "class weights": nothing,
    "repeated": repeated,
    "SMOTE-NC": smote,
    "synthgan": ours,
}


def score(columns: Columns, made: Made, held: Made, weighted: bool) -> dict[str, float]:
    """Figures of trees trained on ``made``."""
    parts = [columns.matrix(columns.read(X)) for X, _ in (made, held)]
    model = HistGradientBoostingClassifier(
        categorical_features=parts[0][1],
        random_state=0,
        class_weight="balanced" if weighted else None,
    ).fit(parts[0][0], made[1])
    chance = model.predict_proba(parts[1][0])[:, 1]
    truth = held[1].to_numpy()
    bins = np.argsort(np.argsort(chance, kind="stable")) * 10 // len(chance)
    gaps = np.bincount(bins, weights=chance - truth, minlength=10)
    return {
        "F1": float(f1_score(truth, chance > 0.5)),
        "average precision": float(average_precision_score(truth, chance)),
        "calibration error": float(np.abs(gaps).sum() / len(chance)),
    }


def thinned(frame: pd.DataFrame, target: str, share: float, seed: int) -> Made:
    """``frame`` with fewer rows of the scarcer class, as features and labels."""
    frame = frame[frame[target].notna()]
    rare = frame[target].value_counts().index[-1]
    y = frame[target] == rare
    kept = int(share / (1 - share) * (~y).sum())
    scarce = frame[y].sample(min(kept, int(y.sum())), random_state=seed)
    frame = pd.concat([frame[~y], scarce]).sample(frac=1, random_state=seed).reset_index(drop=True)
    return frame.drop(columns=target), frame[target] == rare


def run(path: Path, chosen: argparse.Namespace) -> Iterator[dict[str, object]]:
    """All methods on one table."""
    halves = cut(path, chosen.rows)
    assert halves.target is not None, f"{path} has no target"
    rare = halves.train[halves.target].value_counts().index[-1]
    known = halves.holdout[halves.holdout[halves.target].notna()]
    held = known.drop(columns=halves.target), known[halves.target] == rare
    columns = Columns.of(halves.train.drop(columns=halves.target))
    for name, method in METHODS.items():
        figures, started = [], time.perf_counter()
        for seed in range(chosen.seeds):
            X, y = thinned(halves.train, halves.target, chosen.share, seed)
            figures.append(score(columns, method(X, y, seed), held, name == "class weights"))
        yield {
            "table": halves.name,
            "method": name,
            "scarce rows": int(y.sum()),
            "seconds": (time.perf_counter() - started) / chosen.seeds,
            **{key: Estimate.from_draws([each[key] for each in figures]) for key in figures[0]},
        }


def show(found: dict[str, object]) -> None:
    """One line."""
    cells = [
        f"{name} {each.value:.3f} ({each.low:.3f} to {each.high:.3f})"
        for name, each in found.items()
        if isinstance(each, Estimate)
    ]
    head = f"{found['table']:<12}{found['method']:<15}{found['scarce rows']:>6} scarce rows  "
    print(head + "  ".join(cells) + f"  {found['seconds']:.1f} s")
    sys.stdout.flush()


def main() -> None:
    """Prints a line for each table and method."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("tables", nargs="+", type=Path, metavar="TABLE")
    parser.add_argument("--rows", type=int, default=5_000, help="take so many rows (5,000)")
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
