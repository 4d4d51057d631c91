"""Measures what a fit and a draw cost against rows, columns and categories.

    python benchmarks/scaling.py [--along rows columns categories] [--quick] [--steps 48]
                                 [--svg docs/scaling.svg] [--json OUT]

Tables are made here: numbers and categories that all hang on one hidden number. One thing grows at
a time. Training takes a fixed number of steps, so that three costs can be told apart, all in CPU
seconds: what comes before the first step (schema, summary, tokens), one step of the warm start,
one of the adversarial phase; and the draw. Each point is a process of its own, for its memory.

Beside them stand the machine's bounds: for what comes before the first step, one read of the table
and one write of its tokens at the speed of a copy; for a warm-start step, the floating-point
operations of its matrix products at the speed of one large product. Set OMP_NUM_THREADS=1. Axes
that stand in OUT are not run again.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from loglog import Line, Panel, draw_panels
from memory import forget_peak, peak_mib
from torch.utils.flop_counter import FlopCounterMode

import synthgan

_PLENTY = 6  # rows of each category at least, so that all are learned
_FEW_ROWS = 5_000
_TOKEN_BYTES = 2  # a cell, about
COUNTED_STEPS = 20  # of the run that counts operations


@dataclass(frozen=True, kw_only=True)
class Size:
    """How large a table is; ``levels`` are those of its category columns."""

    rows: int = 20_000
    columns: int = 15
    levels: int = 10


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What one table cost; times are CPU seconds."""

    size: Size
    before: float
    """All that a fit does but training."""
    warm_step: float
    adversarial_step: float
    drawn: int
    """Rows of the draw that was timed."""
    draw: float
    peak_mib: float
    """Libraries and the table included."""
    table_mib: float
    """Of the table alone."""
    least_bytes: int
    """Of the table read and its tokens written once."""
    warm_step_flops: float


@dataclass(frozen=True, kw_only=True)
class Machine:
    """What this machine can do with one thread, at best."""

    bytes_per_second: float
    flops_per_second: float

    def before(self, cost: Cost) -> float:
        """CPU seconds that the bytes before the training take at least."""
        return cost.least_bytes / self.bytes_per_second

    def warm_step(self, cost: Cost) -> float:
        """CPU seconds that the products of a warm-start step take at least."""
        return cost.warm_step_flops / self.flops_per_second


def sizes(along: str, quick: bool) -> list[Size]:
    """Tables that grow along one axis."""
    if along == "rows":
        rows = (1_000, 3_000, 10_000, 30_000, 100_000, 300_000, 1_000_000)
        return [Size(rows=n) for n in rows[: 3 if quick else None]]
    if along == "columns":
        columns = (5, 15, 50, 150, 500)
        return [Size(rows=_FEW_ROWS, columns=n) for n in columns[: 3 if quick else None]]
    levels = (10, 100, 1_000, 10_000, 100_000)[: 3 if quick else None]
    return [Size(rows=levels[-1] * _PLENTY, columns=3, levels=n) for n in levels]


def make_table(size: Size) -> pd.DataFrame:
    """Every other column a number, the others categories, all moved by one hidden number."""
    rng = np.random.default_rng(0)
    hidden = rng.standard_normal(size.rows)
    made: dict[str, object] = {}
    for i in range(size.columns):
        moved = hidden + rng.standard_normal(size.rows)
        if i % 2:
            made[f"number {i}"] = moved.round(3)
        else:
            place = moved.argsort().argsort() * size.levels // size.rows
            names = np.array([f"level {j}" for j in range(size.levels)], dtype=object)
            made[f"category {i}"] = names[place]
    return pd.DataFrame(made)


def config(size: Size, steps: int, *, adversarial: bool = True) -> synthgan.Config:
    """Defaults but for the steps, and as many categories as there are."""
    most = max(size.levels, synthgan.SummaryConfig().max_categories)
    return synthgan.Config(
        summary=synthgan.SummaryConfig(max_categories=most),
        train=synthgan.TrainConfig(steps=steps, adversarial=adversarial, device="cpu"),
    )


# --- one point ----------------------------------------------------------------------------


def measure(steps: int, size: Size) -> Cost:
    """Fits and draws one table of this size."""
    frame = make_table(size)
    marks: list[tuple[str, int, float]] = []
    forget_peak()
    started = time.process_time()
    model = synthgan.fit(
        frame,
        config=config(size, steps),
        on_step=lambda step: marks.append((step.phase, step.step, time.process_time() - started)),
    )
    warm = _slope([(step, at) for phase, step, at in marks if phase == "warm start"])
    first = marks[0]
    drawn = max(1_000, 300_000 // size.columns)
    model.sample(100, seed=1)
    began = time.process_time()
    model.sample(drawn, seed=0)
    draw = time.process_time() - began
    peak = peak_mib()
    return Cost(
        size=size,
        before=max(first[2] - first[1] * warm, 0.0),
        warm_step=warm,
        adversarial_step=_adversarial_step(marks),
        drawn=drawn,
        draw=draw,
        peak_mib=peak,
        table_mib=_bytes(frame) / 2**20,
        least_bytes=_bytes(frame) + _TOKEN_BYTES * frame.size,
        warm_step_flops=count_flops(
            frame.head(max(_FEW_ROWS, size.levels * _PLENTY)),
            config(size, COUNTED_STEPS, adversarial=False),
        ),
    )


def _slope(points: list[tuple[int, float]]) -> float:
    """Seconds a step, from the first mark to the last."""
    (first, began), (last, ended) = points[0], points[-1]
    return (ended - began) / max(last - first, 1)


def _adversarial_step(marks: list[tuple[str, int, float]]) -> float:
    """From the end of the warm start, the critic's head start included."""
    warm = [mark for mark in marks if mark[0] == "warm start"]
    last = marks[-1]
    return (last[2] - warm[-1][2]) / max(last[1], 1)


def count_flops(frame: pd.DataFrame, settings: synthgan.Config) -> float:
    """Floating-point operations of the matrix products of one warm-start step, on the CPU.

    The counter cannot follow the critic's penalty: ``settings`` must leave that phase out.
    """
    seen: list[tuple[int, float]] = []
    with FlopCounterMode(display=False) as counter:
        synthgan.fit(
            frame,
            config=settings,
            on_step=lambda step: seen.append((step.step, float(counter.get_total_flops()))),
        )
    (first, some), (last, more) = seen[0], seen[-1]
    return (more - some) / (last - first)


def _bytes(frame: pd.DataFrame) -> int:
    return int(frame.memory_usage(deep=False, index=False).sum())


def machine(size: int = 1024, mib: int = 128) -> Machine:
    """Speeds of one float32 product of ``size``, and of a copy of ``mib``; the best of many."""
    a, b, source = torch.ones(size, size), torch.ones(size, size), np.ones(mib * 2**17)
    product = min(_timed(partial(torch.mm, a, b)) for _ in range(30))
    copy = min(_timed(source.copy) for _ in range(10))
    return Machine(bytes_per_second=source.nbytes / copy, flops_per_second=2 * size**3 / product)


def _timed(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


# --- what is shown ------------------------------------------------------------------------


def axis(size: Size, along: str) -> int:
    """Where a point lies along what grows."""
    return {"rows": size.rows, "columns": size.columns, "categories": size.levels}[along]


def exponent(x: list[float], y: list[float]) -> float:
    """p of cost ~ x**p, by least squares on logarithms."""
    return float(np.polyfit(np.log(x), np.log(np.maximum(y, 1e-9)), 1)[0])


def lines(along: str, costs: list[Cost], best: Machine) -> Iterator[str]:
    """A markdown table and the exponents."""
    yield (
        f"| {along} | before training, CPU s | its bound | warm-start step, ms | its bound"
        " | adversarial step, ms | rows drawn a CPU s | peak MiB |"
    )
    yield "|---" * 8 + "|"
    for cost in costs:
        yield (
            f"| {axis(cost.size, along):,} | {cost.before:.2f} | {best.before(cost):.4f}"
            f" | {1e3 * cost.warm_step:.1f} | {1e3 * best.warm_step(cost):.1f}"
            f" | {1e3 * cost.adversarial_step:.0f} | {cost.drawn / cost.draw:,.0f}"
            f" | {cost.peak_mib:,.0f} |"
        )
    if len(costs) < 2:
        return
    x = [float(axis(cost.size, along)) for cost in costs]
    yield ""
    found = {
        "before training": [cost.before for cost in costs],
        "warm-start step": [cost.warm_step for cost in costs],
        "adversarial step": [cost.adversarial_step for cost in costs],
        "a drawn row": [cost.draw / cost.drawn for cost in costs],
    }
    told = (
        f"{name} {exponent(x, y):.2f} (last two points {exponent(x[-2:], y[-2:]):.2f})"
        for name, y in found.items()
    )
    yield f"Cost goes with {along} to the power of: " + ", ".join(told) + "."


def panel(along: str, costs: list[Cost], best: Machine) -> Panel:
    """Costs against what grows, with their bounds dashed."""
    x = [float(axis(cost.size, along)) for cost in costs]
    return Panel(
        title=f"against {along}",
        x=x,
        lines=(
            Line(label="before training, s", y=[cost.before for cost in costs], colour=0),
            Line(
                label="its bound (bytes)",
                y=[best.before(cost) for cost in costs],
                colour=0,
                dashed=True,
            ),
            Line(label="100 warm-start steps, s", y=[100 * c.warm_step for c in costs], colour=1),
            Line(
                label="their bound (matrix products)",
                y=[100 * best.warm_step(cost) for cost in costs],
                colour=1,
                dashed=True,
            ),
            Line(
                label="drawing 10,000 rows, s",
                y=[1e4 * cost.draw / cost.drawn for cost in costs],
                colour=2,
            ),
        ),
    )


def options() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    axes = ["rows", "columns", "categories"]
    parser.add_argument("--along", nargs="+", choices=axes, default=axes)
    parser.add_argument("--quick", action="store_true", help="the three smallest sizes of each")
    parser.add_argument("--steps", type=int, default=48, help="generator steps of each fit (48)")
    parser.add_argument("--svg", type=Path, metavar="OUT", help="draw the figure into this file")
    parser.add_argument("--json", type=Path, metavar="OUT", help="write all figures to this file")
    return parser.parse_args()


def load(path: Path | None) -> tuple[Machine | None, dict[str, list[Cost]]]:
    """The machine and the costs that stand in ``path``, if it is there."""
    if path is None or not path.exists():
        return None, {}
    plain = json.loads(path.read_text(encoding="utf-8"))
    best = Machine(**plain.pop("machine"))
    return best, {
        along: [Cost(**{**each, "size": Size(**each["size"])}) for each in costs]
        for along, costs in plain.items()
    }


def save(path: Path, best: Machine, found: dict[str, list[Cost]]) -> None:
    """Writes all there is."""
    costs = {along: [asdict(cost) for cost in costs] for along, costs in found.items()}
    text = json.dumps({"machine": asdict(best), **costs}, indent=1)
    path.write_text(text + "\n", encoding="utf-8")


def main() -> None:
    """Measures what is not in the JSON file yet, prints a table an axis, draws."""
    chosen = options()
    known, found = load(chosen.json)
    best = known or machine()
    print(
        f"This machine: {best.flops_per_second / 1e9:.0f} GFLOP/s in a product, "
        f"{best.bytes_per_second / 1e9:.1f} GB/s in a copy.\n"
    )
    spawn = multiprocessing.get_context("spawn")
    for along in chosen.along:
        if along not in found:
            with spawn.Pool(1, maxtasksperchild=1) as pool:
                work = partial(measure, chosen.steps)
                found[along] = list(pool.imap(work, sizes(along, chosen.quick), chunksize=1))
            if chosen.json:
                save(chosen.json, best, found)
        print("\n".join(lines(along, found[along], best)) + "\n", flush=True)
    if chosen.svg:
        panels = [panel(along, found[along], best) for along in chosen.along]
        chosen.svg.write_text(draw_panels(panels, "CPU seconds"), encoding="utf-8")


if __name__ == "__main__":
    main()
