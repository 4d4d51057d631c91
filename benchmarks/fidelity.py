"""Fits tables with default settings and judges the samples against rows set aside.

    python benchmarks/fidelity.py TABLE... [--variant default|warm-start|wgan-gp|no-block]
                                  [--seeds 2] [--draws 3] [--rows N] [--json OUT]

Each table is split 80/20 in a fixed way. Every fit sees the 80 %, every draw is as large as
them, and every figure is taken against the 20 % (copies and distances against both). Below
the model's line stand the same figures for the training rows themselves ("real", the floor
that sampling noise sets) and for columns shuffled on their own ("independent").
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import cast, get_args

import numpy as np
import pandas as pd
from memory import forget_peak, peak_mib
from tables import cut

import synthgan
from synthgan.metrics.columns import Columns, independent_columns
from synthgan.metrics.fidelity.detection import c2st
from synthgan.metrics.fidelity.pairs import trend_error
from synthgan.metrics.fidelity.shape import missing_error, shape_error
from synthgan.metrics.measure import Estimate, Goal, Measure
from synthgan.metrics.privacy.copies import exact_copies
from synthgan.metrics.privacy.distances import dcr_share, membership_auc
from synthgan.metrics.utility.models import Task, infer_task
from synthgan.metrics.utility.prediction import tstr

VARIANTS = {
    "default": synthgan.Config(),
    "warm-start": synthgan.Config(train=synthgan.TrainConfig(adversarial=False)),
    "wgan-gp": synthgan.Config(train=synthgan.TrainConfig(warm_start=False)),
    # The generator without its residual block, with heads of one layer, and wider for it.
    "no-block": synthgan.Config(
        network=synthgan.NetworkConfig(width=192, block_width=0, head_width=96)
    ),
}

FIGURES = {
    # name: digits, what it says
    "C2ST": (3, "AUC of boosted trees telling synthetic from real, .5 best"),
    "shape": (2, "mean distance between column distributions, %"),
    "holes": (2, "mean difference between shares of missing cells, points"),
    "trend": (2, "mean distance between pairs of columns that are associated, %"),
    "all pairs": (2, "the same over all pairs, %"),
    "TSTR": (3, "AUC or R2 on the holdout, trained on synthetic"),
    "TRTR": (3, "the same, trained on real"),
    "ratio": (3, "TSTR / TRTR"),
    "DCR": (3, "share of synthetic rows closer to training than to holdout rows"),
    "MIA": (3, "AUC of telling training from holdout rows by distance to synthetic rows"),
    "copies": (3, "% of rows that stand verbatim among the training rows"),
}

Figures = dict[str, float]


@dataclass(frozen=True, kw_only=True)
class Split:
    """One table, cut in two, and what is predicted in it."""

    name: str
    train: pd.DataFrame
    holdout: pd.DataFrame
    columns: Columns
    target: str
    task: Task


@dataclass(frozen=True, kw_only=True)
class Fit:
    """What one fit cost, and the figures of its draws."""

    seed: int
    cpu_seconds: float
    peak_mib: float
    rows_per_second: float
    draws: tuple[Figures, ...]


def split_table(path: Path, rows: int | None, target: str | None, task: str | None) -> Split:
    """Reads ``path`` and its sidecar; the same rows go to the same side each time."""
    halves = cut(path, rows)
    target, task = target or halves.target, task or halves.task
    if target is None:
        raise synthgan.TableError(
            f"no target is known; name a --target, or put it into {halves.name}.json"
        )
    if task is not None and task not in get_args(Task):
        raise synthgan.TableError(f"task must be one of {list(get_args(Task))}, got {task!r}")
    columns = Columns.of(halves.train)
    return Split(
        name=halves.name,
        train=halves.train,
        holdout=halves.holdout,
        columns=columns,
        target=target,
        task=cast(Task, task) if task else infer_task(halves.train, target, columns=columns),
    )


def likeness(split: Split, rows: pd.DataFrame) -> Figures:
    """How like the holdout ``rows`` are."""
    columns = split.columns
    pairs = trend_error(split.holdout, rows, columns=columns)
    return {
        "C2ST": c2st(split.holdout, rows, columns=columns).value,
        "shape": float(shape_error(split.holdout, rows, columns=columns).mean()),
        "holes": float(missing_error(split.holdout, rows, columns=columns).mean()),
        "trend": float(pairs.loc[pairs["associated"], "error"].mean()),
        "all pairs": float(pairs["error"].mean()),
    }


def judge(split: Split, rows: pd.DataFrame) -> Figures:
    """Every figure for ``rows`` in the place of a sample."""
    tables = (rows, split.train, split.holdout)
    use = tstr(*tables, split.target, split.task, columns=split.columns)
    copies = exact_copies(*tables, columns=split.columns)
    return likeness(split, rows) | {
        "TSTR": use.tstr.value,
        "TRTR": use.trtr.value,
        "ratio": use.ratio.value,
        "DCR": dcr_share(*tables, columns=split.columns).value,
        "MIA": membership_auc(*tables, columns=split.columns).value,
        "copies": copies.estimate.value,
    }


def floor_of(split: Split, independent: Figures) -> Figures:
    """The figures of real rows; copies: the holdout's own. Distances have no floor but .5."""
    base = exact_copies(split.holdout, split.train, split.holdout, columns=split.columns)
    real = {"TSTR": independent["TRTR"], "TRTR": independent["TRTR"], "ratio": 1.0}
    return likeness(split, split.train) | real | {"copies": base.estimate.value}


def fit_and_judge(split: Split, variant: str, seed: int, draws: int) -> Fit:
    """One fit with ``seed``, and ``draws`` samples as large as the training rows."""
    config = replace(VARIANTS[variant], seed=seed)
    forget_peak()
    started = time.process_time()
    model = synthgan.fit(split.train, config=config)
    cpu_seconds = time.process_time() - started
    started = time.perf_counter()
    samples = [model.sample(len(split.train), seed=draw) for draw in range(draws)]
    elapsed = time.perf_counter() - started
    peak = peak_mib()
    return Fit(
        seed=seed,
        cpu_seconds=cpu_seconds,
        peak_mib=peak,
        rows_per_second=draws * len(split.train) / elapsed,
        draws=tuple(judge(split, sample) for sample in samples),
    )


def measures(fits: list[Fit], floor: Figures, independent: Figures) -> tuple[Measure, ...]:
    """Each figure's mean over all draws of all fits, beside its yardsticks."""
    drawn = [figures for fit in fits for figures in fit.draws]
    return tuple(
        Measure(
            key=name,
            name=FIGURES[name][1],
            goal=Goal.NONE,
            estimate=Estimate.from_draws([figures[name] for figures in drawn]),
            baseline=Estimate.from_draws([independent[name]]),
            floor=Estimate.from_draws([floor[name]]) if name in floor else None,
        )
        for name in FIGURES
    )


def lines(split: Split, variant: str, fits: list[Fit], found: tuple[Measure, ...]) -> Iterator[str]:
    """The model's line, the floor's and the independent columns'."""
    cost = [
        f"{np.mean([fit.cpu_seconds for fit in fits]):.0f}",
        f"{max(fit.peak_mib for fit in fits):.0f}",
        f"{np.mean([fit.rows_per_second for fit in fits]):.0f}",
    ]
    spread = float(np.std([figures["C2ST"] for fit in fits for figures in fit.draws]))
    model = [_cell(each.key, each.estimate) for each in found]
    yield _line(split.name, variant, [*cost, f"{model[0]} ±{spread:.3f}", *model[1:]])
    for label, yardstick in (("real", "floor"), ("independent", "baseline")):
        cells = [_cell(each.key, getattr(each, yardstick)) for each in found]
        yield _line("", label, ["-", "-", "-", *cells])


def _line(table: str, what: str, cells: list[str]) -> str:
    widths = [10, 10, 9, 13, *[max(len(name), 7) + 2 for name in list(FIGURES)[1:]]]
    body = "".join(cell.rjust(width) for cell, width in zip(cells, widths, strict=True))
    return f"{table:<14}{what:<12}{body}"


def _cell(name: str, estimate: Estimate | None) -> str:
    if estimate is None or math.isnan(estimate.value):
        return "-"
    return f"{estimate.value:.{FIGURES[name][0]}f}"


def _plain(value: object) -> object:
    """``value`` for JSON, which has no NaN."""
    if isinstance(value, float) and math.isnan(value):
        return None
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, Estimate):
        return _plain(value._asdict())
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value


def record(split: Split, variant: str, fits: list[Fit], found: tuple[Measure, ...]) -> object:
    """All figures of one table, for the JSON file."""
    return _plain(
        {
            "table": split.name,
            "variant": variant,
            "train_rows": len(split.train),
            "holdout_rows": len(split.holdout),
            "columns": len(split.columns.names),
            "target": split.target,
            "task": split.task,
            "fits": [asdict(fit) for fit in fits],
            "measures": [
                {
                    "name": each.key,
                    "meaning": each.name,
                    "estimate": each.estimate,
                    "baseline": each.baseline,
                    "floor": each.floor,
                }
                for each in found
            ],
        }
    )


def _count(least: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not text.isdecimal() or int(text) < least:
            raise argparse.ArgumentTypeError(f"must be a whole number from {least}, got {text!r}")
        return int(text)

    return parse


def options() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("tables", nargs="+", type=Path, metavar="TABLE")
    parser.add_argument("--variant", choices=list(VARIANTS), default="default")
    parser.add_argument("--seeds", type=_count(1), default=2, help="fits (2)")
    parser.add_argument("--draws", type=_count(1), default=3, help="samples of each fit (3)")
    parser.add_argument("--rows", type=_count(50), help="take so many rows of each table")
    parser.add_argument(
        "--target", help="column to predict, where no NAME.json stands beside TABLE"
    )
    parser.add_argument("--task", choices=get_args(Task), help="what to predict it as")
    parser.add_argument("--json", type=Path, metavar="OUT", help="write all figures to this file")
    return parser.parse_args()


def run(path: Path, chosen: argparse.Namespace) -> object:
    """Benchmarks one table: prints its lines, returns its record."""
    split = split_table(path, chosen.rows, chosen.target, chosen.task)
    shuffled = independent_columns(split.train, len(split.train), np.random.default_rng(0))
    independent = judge(split, shuffled)
    floor = floor_of(split, independent)
    fits = [
        fit_and_judge(split, chosen.variant, seed, chosen.draws) for seed in range(chosen.seeds)
    ]
    found = measures(fits, floor, independent)
    for line in lines(split, chosen.variant, fits, found):
        _show(line)
    return record(split, chosen.variant, fits, found)


def _show(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> None:
    """Prints three lines a table."""
    chosen = options()
    records = []
    _show(_line("table", "what", ["fit CPU s", "peak MiB", "rows/s", *FIGURES]))
    for path in chosen.tables:
        try:
            records.append(run(path, chosen))
        except synthgan.SynthganError as error:
            sys.exit(f"{path}: {error}")
        if chosen.json is not None:
            chosen.json.write_text(json.dumps(records, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
