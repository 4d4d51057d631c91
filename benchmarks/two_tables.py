"""Fits a parent and its child, and judges the links between the synthetic ones.

    python benchmarks/two_tables.py flights.parquet [--parents 2000] [--steps N] [--hma]

The table is that of the flights that left New York in 2013 (nycflights13). It is split in two:
the parent has a row for each route of a carrier and each day, the child a row for each flight, in
the order in which they were to leave; on many a day a route was not flown. So many rows of the
parent are drawn at random to learn from, and twice as many others, with their flights, to judge
by. "real" is one half of those against the other, "naive" the same with keys shuffled. With
``--hma`` SDV's HMASynthesizer (which must be installed beside) learns the same rows.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

import synthgan

KEY = "routes.route_id=flights.route_id"
_ROUTE = ["carrier", "origin", "dest"]
_OF_FLIGHTS = [
    "sched_dep_time",
    "dep_time",
    "dep_delay",
    "sched_arr_time",
    "arr_time",
    "arr_delay",
    "air_time",
]

Tables = dict[str, pd.DataFrame]


def pair(path: Path, parents: int, seed: int) -> tuple[Tables, Tables]:
    """Tables to learn from and to judge by."""
    flights = pd.read_parquet(path)
    routes = flights.groupby(_ROUTE, observed=True)["distance"].median().astype(int).reset_index()
    days = pd.DataFrame({"date": pd.date_range("2013-01-01", "2013-12-31")})
    whole = routes.merge(days, how="cross").sample(3 * parents, random_state=seed)
    whole["month"], whole["day"] = whole["date"].dt.month, whole["date"].dt.day
    whole["weekday"] = whole["date"].dt.day_name()
    whole = whole.drop(columns="date").reset_index(drop=True)
    whole.insert(0, "route_id", [f"R{number:06d}" for number in range(len(whole))])
    on = [*_ROUTE, "month", "day"]
    child = flights[[*on, *_OF_FLIGHTS]].merge(whole[["route_id", *on]], on=on)
    child = child.sort_values(["route_id", "sched_dep_time"], kind="stable")
    child = child[["route_id", *_OF_FLIGHTS]].reset_index(drop=True)
    child.insert(0, "flight_id", np.arange(1, len(child) + 1))

    def part(rows: slice) -> Tables:
        some = whole.iloc[rows].reset_index(drop=True)
        own = child[child["route_id"].isin(some["route_id"])].reset_index(drop=True)
        return {"routes": some, "flights": own}

    return part(slice(parents)), part(slice(parents, None))


def with_synthgan(train: Tables, steps: int | None, seed: int) -> tuple[Tables, float, float]:
    """Synthetic tables, and the seconds that fit and sample took."""
    config = synthgan.Config(train=synthgan.TrainConfig(steps=steps, device="cpu"), seed=seed)
    began = time.perf_counter()
    model = synthgan.fit_tables(train, KEY, config=config)
    fitted = time.perf_counter()
    made = model.sample(len(train["routes"]), seed=seed)
    return made, fitted - began, time.perf_counter() - fitted


def with_hma(train: Tables, steps: int | None, seed: int) -> tuple[Tables, float, float]:
    """The same of SDV's HMASynthesizer with its defaults, told which columns are keys."""
    from sdv.metadata import Metadata
    from sdv.multi_table import HMASynthesizer

    metadata = Metadata.detect_from_dataframes(train, infer_keys=None)
    for table, column in (("routes", "route_id"), ("flights", "flight_id"), ("flights", "")):
        name = column or "route_id"
        metadata.update_column(table_name=table, column_name=name, sdtype="id")
        if column:
            metadata.set_primary_key(table_name=table, column_name=column)
    for name in _OF_FLIGHTS:
        metadata.update_column(table_name="flights", column_name=name, sdtype="numerical")
    metadata.add_relationship("routes", "flights", "route_id", "route_id")
    began = time.perf_counter()
    model = HMASynthesizer(metadata, verbose=False)
    model.fit(train)
    fitted = time.perf_counter()
    made = model.sample(len(train["routes"]), main_table_name="routes")
    return made, fitted - began, time.perf_counter() - fitted


def main() -> None:
    """Prints one line a tool, then the yardsticks."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("table", type=Path)
    parser.add_argument("--parents", type=int, default=2000)
    parser.add_argument("--steps", type=int, help="training steps at most")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--hma", action="store_true", help="run SDV's HMASynthesizer, too")
    options = parser.parse_args()
    train, held = pair(options.table, options.parents, options.seed)
    sizes = {name: f"{len(table):,}" for name, table in train.items()}
    print(f"learned from {sizes}, {len(held['flights']):,} flights to judge by", flush=True)
    tools: dict[str, Callable[[Tables, int | None, int], tuple[Tables, float, float]]]
    tools = {"synthgan": with_synthgan}
    if options.hma:
        tools["HMA"] = with_hma
    print(f"{'':10}{'fit s':>8}{'sample s':>9}  integrity cardinality parent_trends sibling_trends")
    for name, run in tools.items():
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore")
            made, fit, sample = run(train, options.steps, options.seed)
        found = synthgan.evaluate_tables(made, real=held, key=KEY)
        figures = " ".join(f"{m.estimate.value:{len(k)}.2f}" for k, m in found.items())
        print(f"{name:10}{fit:8.0f}{sample:9.1f}  {figures:>9}", flush=True)
    for name in ("floor", "baseline"):
        figures = " ".join(f"{getattr(m, name).value:{len(k)}.2f}" for k, m in found.items())
        print(f"{'real' if name == 'floor' else 'naive':27}  {figures}")


if __name__ == "__main__":
    main()
