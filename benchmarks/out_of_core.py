"""What a fit of a table larger than its memory limit costs: seconds and peak memory by rows.

    python benchmarks/out_of_core.py --data adult.parquet [--millions 1 3 10] [--limit-gib 3]
                                     [--steps 300] [--folder DIR]

Each table has 20 columns: the 15 of adult, whose rows are drawn with replacement and whose
numbers are jittered, and five made from them (amounts of full precision, dates, a code of 2,000
levels, shares with holes, whole numbers). It is written as Parquet parts of 500,000 rows and
fitted in a process of its own. Training takes so many steps whatever the rows, so that the
seconds of the phases before it say what a row costs.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
from memory import peak_mib

import synthgan

PART_ROWS = 500_000


def jittered(real: pd.DataFrame, rows: int, seed: int) -> pd.DataFrame:
    """Rows drawn from ``real``, with numbers moved a little and five columns more."""
    rng = np.random.default_rng(seed)
    frame = real.iloc[rng.integers(len(real), size=rows)].reset_index(drop=True)
    for name in frame.select_dtypes("number"):
        cells = frame[name].to_numpy(dtype=float)
        moved = np.rint(cells * rng.lognormal(0, 0.02, rows))
        frame[name] = np.where(rng.random(rows) < 0.5, cells, moved).astype(np.int64)
    numbers = frame.select_dtypes("number").to_numpy(dtype=float)
    frame["amount"] = np.exp(numbers[:, 0] / 30 + rng.normal(0, 1, rows))
    days = (numbers[:, -1] * 30 + rng.integers(0, 3000, rows)).astype("timedelta64[D]")
    frame["since"] = (np.datetime64("2001-01-01") + days).astype("datetime64[ms]")
    codes = np.minimum(rng.zipf(1.3, rows), 2000)
    frame["code"] = np.array([f"c{i}" for i in range(2001)], dtype=object)[codes]
    share = np.round(rng.beta(2, 5, rows), 4)
    frame["share"] = np.where(rng.random(rows) < 0.1, np.nan, share)
    frame["count"] = rng.poisson(numbers[:, 0])
    return frame


def write(folder: Path, real: pd.DataFrame, rows: int) -> None:
    """The table as part files."""
    folder.mkdir()
    for part, start in enumerate(range(0, rows, PART_ROWS)):
        size = min(PART_ROWS, rows - start)
        synthgan.write_table(jittered(real, size, part), folder / f"part-{part:05d}.parquet")


def measure(folder: Path, limit: int, steps: int) -> dict[str, float]:
    """Seconds of each phase of a fit, and the peak of memory in MiB."""
    began = time.monotonic()
    ends: dict[str, float] = {}

    def on_rows(doing: str, done: int, of: int) -> None:
        ends[doing] = time.monotonic() - began

    def on_step(step: synthgan.Step) -> None:
        ends.setdefault("first step", time.monotonic() - began)

    config = synthgan.Config(train=synthgan.TrainConfig(steps=steps, device="cpu"))
    synthgan.fit(folder, None, config, memory_limit=limit, on_rows=on_rows, on_step=on_step)
    total = time.monotonic() - began
    return {**ends, "total": total, "cpu": time.process_time(), "peak MiB": peak_mib()}


def main() -> None:
    """Reads the command line, prints a line a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="adult, as Parquet")
    parser.add_argument("--millions", type=float, nargs="+", default=[1, 3, 10])
    parser.add_argument("--limit-gib", type=float, default=3)
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--folder", type=Path, help="where tables are written and kept")
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    limit = int(options.limit_gib * 2**30)
    if options.measure:
        print(json.dumps(measure(options.measure, limit, options.steps)))
        return
    with tempfile.TemporaryDirectory() as scratch:
        for millions in options.millions:
            folder = (options.folder or Path(scratch)) / f"{millions:g}M"
            if not folder.exists():
                write(folder, synthgan.read_table(options.data), round(millions * 1e6))
            words = ["--data", str(options.data), "--limit-gib", str(options.limit_gib)]
            words += ["--steps", str(options.steps), "--measure", str(folder)]
            done = subprocess.run(
                [sys.executable, __file__, *words], check=True, capture_output=True, text=True
            )
            found = {name: round(value, 1) for name, value in json.loads(done.stdout).items()}
            print(f"{millions:g}M rows", found, flush=True)


if __name__ == "__main__":
    main()
