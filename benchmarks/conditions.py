"""Asks models for rows such that, and judges them against real rows of that kind.

    python benchmarks/conditions.py TABLE... [--peers sdv mostlyai] [--rows N] [--json OUT]

Each table is split 80/20 in a fixed way and fitted with defaults. Conditions are chosen by the
training rows alone: for each table a common and a rare level, a common and a rare range, and
both together. "C2ST" is the AUC of boosted trees that tell the rows that were asked for from
held-out rows that satisfy the condition; "filtered" is the same for rows drawn without a
condition, of which those that satisfy it were kept: as good as unconditional quality. "time" is
the CPU time of a row that was asked for, over that of a row drawn without a condition by the same
model. "satisfied" is the share of the rows asked for that came and satisfy the condition.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from tables import cut

import synthgan
from synthgan.metrics.columns import Columns
from synthgan.metrics.fidelity.detection import c2st

_COMMON, _RARE = 0.3, 0.01
_MOST = 4_000  # rows asked for
_FEWEST = 40  # held-out rows that satisfy a condition
_DRAWS = 3
_TIMED = 10_000  # rows drawn for the time


@dataclass(frozen=True, kw_only=True)
class Condition:
    """What is asked for: as a mapping, and as a filter on a table."""

    name: str
    where: dict[str, object]

    def mask(self, frame: pd.DataFrame) -> pd.Series:
        """Which rows satisfy it."""
        found = pd.Series(True, index=frame.index)
        for name, wanted in self.where.items():
            if isinstance(wanted, tuple):
                found &= frame[name].between(*wanted)
            else:
                found &= frame[name] == wanted
        return found


def conditions(train: pd.DataFrame) -> Iterator[Condition]:
    """A common and a rare level and range, and two of both together."""
    columns = Columns.of(train)
    found: dict[str, dict[str, object]] = {}
    for label, share in (("common", _COMMON), ("rare", _RARE)):
        levels = [
            (abs(np.log(count / len(train) / share)), column.name, level)
            for column in columns.layout
            if not column.kind.is_numeric
            for level, count in train[column.name].value_counts().items()
        ]
        if levels:
            _, name, level = min(levels, key=lambda each: each[0])
            found[f"{label} level"] = {name: level}
        numbers = [c.name for c in columns.layout if c.kind.is_numeric]
        spread = {name: train[name].nunique() for name in numbers}
        if spread:
            name = max(spread, key=spread.__getitem__)
            start = 0.4 if label == "common" else 1 - share
            low, high = train[name].quantile([start, min(start + share, 1)])
            found[f"{label} range"] = {name: (low, high)}
        if levels and spread:
            found[f"{label} both"] = found[f"{label} level"] | found["common range"]
    for name, where in found.items():
        yield Condition(name=name, where=where)


Draw = Callable[[int, Condition | None, int], pd.DataFrame]
"""Draws so many rows, such that, with a seed."""


def synthgan_draw(train: pd.DataFrame) -> Draw:
    """This package, with defaults."""
    model = synthgan.fit(train)
    return lambda n, asked, seed: model.sample(n, where=asked and asked.where, seed=seed)


def sdv_draw(train: pd.DataFrame) -> Draw:
    """SDV's CTGAN (2.0), which draws and throws away; it takes levels only."""
    from sdv.metadata import Metadata
    from sdv.sampling import Condition as Wanted
    from sdv.single_table import CTGANSynthesizer

    model = CTGANSynthesizer(Metadata.detect_from_dataframes({"table": train}))
    model.fit({"table": train})

    def draw(n: int, asked: Condition | None, seed: int) -> pd.DataFrame:
        if asked is None:
            return model.sample(n)["table"]
        if any(isinstance(wanted, tuple) for wanted in asked.where.values()):
            raise NotImplementedError("ranges")
        wanted = Wanted(num_rows=n, column_values=asked.where)
        return model.sample_from_conditions([wanted])["table"]

    return draw


def mostlyai_draw(train: pd.DataFrame) -> Draw:
    """mostlyai-engine (2.7), whose seed is a table of given values.

    It takes no ranges: values of training rows that satisfy the condition stand for them.
    """
    import tempfile

    from mostlyai import engine

    folder = Path(tempfile.mkdtemp())
    engine.set_random_state(0)
    engine.split(workspace_dir=folder, tgt_data=train)
    engine.analyze(workspace_dir=folder)
    engine.encode(workspace_dir=folder)
    engine.train(workspace_dir=folder)

    def draw(n: int, asked: Condition | None, seed: int) -> pd.DataFrame:
        engine.set_random_state(seed)
        if asked is None:
            engine.generate(workspace_dir=folder, sample_size=n)
        else:
            seeds = train.loc[asked.mask(train), list(asked.where)]
            seeds = seeds.sample(n, replace=True, random_state=seed)
            engine.generate(workspace_dir=folder, seed_data=seeds.reset_index(drop=True))
        return pd.read_parquet(folder / "SyntheticData")

    return draw


MODELS = {"synthgan": synthgan_draw, "sdv": sdv_draw, "mostlyai": mostlyai_draw}


def judge(
    draw: Draw, asked: Condition, real: pd.DataFrame, pool: pd.DataFrame, columns: Columns
) -> dict[str, float]:
    """Figures of one condition; ``pool`` was drawn without."""
    rows = min(len(real), _MOST)
    drawn = [draw(rows, asked, seed) for seed in range(_DRAWS)]
    started = time.process_time()
    draw(_TIMED, asked, _DRAWS)
    seconds = (time.process_time() - started) / _TIMED
    kept = pool[asked.mask(pool)]
    far = [c2st(real, each.head(rows), columns=columns).value for each in drawn]
    figures = {
        "rows": float(len(real)),
        "satisfied, %": 100 * float(np.mean([asked.mask(each).sum() / rows for each in drawn])),
        "C2ST": float(np.mean(far)),
        "seconds a row": seconds,
    }
    if len(kept) >= _FEWEST:
        near = min(len(kept), rows)
        figures["filtered"] = c2st(
            real.sample(near, random_state=0), kept.sample(near, random_state=0), columns=columns
        ).value
    return figures


def run(path: Path, models: list[str], rows: int | None) -> Iterator[dict[str, object]]:
    """All conditions of one table, on every model."""
    halves = cut(path, rows)
    train, holdout = halves.train, halves.holdout
    columns = Columns.of(train)
    asked = [each for each in conditions(train) if each.mask(holdout).sum() >= _FEWEST]
    for model in models:
        started = time.process_time()
        try:
            draw = MODELS[model](train)
        except ModuleNotFoundError as error:
            yield {"table": path.stem, "model": model, "left out": f"no {error.name}"}
            continue
        fitted = time.process_time() - started
        pool = draw(5 * len(holdout), None, 99)
        plain_c2st = c2st(holdout, pool.head(len(holdout)), columns=columns).value
        started = time.process_time()
        plain_rows = len(draw(_TIMED, None, 98))
        plain = (time.process_time() - started) / plain_rows
        head: dict[str, object] = {"table": path.stem, "model": model}
        figures = {"rows": float(len(holdout)), "C2ST": plain_c2st, "seconds a row": plain}
        yield head | {"asked": "nothing", "time": 1.0, "fit, s": fitted} | figures
        for each in asked:
            found = head | {"asked": each.name}
            try:
                figures = judge(draw, each, holdout[each.mask(holdout)], pool, columns)
                found |= figures | {"time": figures["seconds a row"] / plain}
            except NotImplementedError as error:
                found["left out"] = f"{error} are not supported"
            except Exception as error:  # noqa: BLE001 - a peer's failure is a result
                found["left out"] = f"failed: {type(error).__name__}"
            yield found


def show(found: dict[str, object]) -> None:
    """One line."""
    line = f"{found['table']:<12}{found['model']:<10}{found.get('asked', ''):<14}"
    if "left out" in found:
        print(line + str(found["left out"]))
    else:
        names = ("rows", "satisfied, %", "C2ST", "filtered", "time", "seconds a row", "fit, s")
        digits = (0, 1, 3, 3, 2, 6, 0)
        cells = (
            f"{name} {found[name]:.{n}f}"
            for name, n in zip(names, digits, strict=True)
            if name in found
        )
        print(line + "  ".join(cells))
    sys.stdout.flush()


def main() -> None:
    """Prints a line for each table, model and condition."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("tables", nargs="+", type=Path, metavar="TABLE")
    parser.add_argument("--peers", nargs="*", choices=["sdv", "mostlyai"], default=[])
    parser.add_argument("--rows", type=int, help="take so many rows of each table")
    parser.add_argument("--json", type=Path, metavar="OUT", help="write all figures to this file")
    chosen = parser.parse_args()
    results = []
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore")
        for path in chosen.tables:
            for found in run(path, ["synthgan", *chosen.peers], chosen.rows):
                results.append(found)
                show(found)
    if chosen.json is not None:
        chosen.json.write_text(json.dumps(results, indent=1, default=str) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
