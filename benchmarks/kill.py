"""kill -9 at random moments of fit and sample: nothing is half-written, no earlier file is lost.

    python benchmarks/kill.py [--kills 50] [--seed 0]

``fit --checkpoint-every`` over a model that is there and ``sample`` over a table that is there,
CSV or Parquet, take turns. Each is first run to its end, to know how long it takes and what it
leaves; then it is started anew again and again, and killed at a moment drawn from that time. After
each kill, what lies under the names that were asked for must be the file of before, or the whole
new one; then the file of before is put back. In the end each command must go on from what is left,
to the same files as if nobody had killed it, and no temporary file may be left.

Processes are forked from one that has loaded everything, so that kills hit work and not imports.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from random import Random

import numpy as np
import pandas as pd
import torch

import synthgan
from synthgan.cli.app import main as synthgan_main

STEPS, ROWS = "12", "20000"


def started(words: list[str]) -> int:
    """A process that runs the command; its number."""
    child = os.fork()
    if child:
        return child
    code = 99
    try:
        null = os.open(os.devnull, os.O_RDWR)
        os.dup2(null, 1)
        synthgan_main(words, prog_name="synthgan", standalone_mode=True)
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    finally:
        os._exit(code)


def run(words: list[str]) -> float:
    """Runs the command to its end; gives the seconds."""
    began = time.monotonic()
    _, status = os.waitpid(started(words), 0)
    if status:
        raise SystemExit(f"synthgan {' '.join(words)}: ended with status {status}")
    return time.monotonic() - began


def kill(words: list[str], after: float) -> bool:
    """Kills the command after so many seconds; whether it was still running."""
    child = started(words)
    time.sleep(after)
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def rows_of(path: Path) -> bytes:
    """What a model draws: its file also holds the seconds that training took."""
    return bytes(synthgan.load(path, device="cpu").sample(50, seed=0).to_csv().encode())


def temporary(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.tmp"))


class Fit:
    """A model is replaced by another one, with checkpoints on the way."""

    def __init__(self, folder: Path, data: Path) -> None:
        self.folder, self.model = folder / "fit", folder / "fit" / "model.synthgan"
        self.folder.mkdir()
        words = ["fit", str(data), "-o", str(self.model), "--quiet", "--overwrite"]
        words += ["--steps", STEPS, "--device", "cpu"]
        run([*words, "--seed", "1"])
        self.old = rows_of(self.model)
        self.kept = self.folder / "kept"
        shutil.copy(self.model, self.kept)
        self.words = [*words, "--seed", "2", "--checkpoint-every", "0.000001"]
        self.seconds = run(self.words)
        self.new = rows_of(self.model)
        self.put_back()

    def put_back(self) -> None:
        """Makes the old model the one that the next kill may lose."""
        shutil.copy(self.kept, self.model)

    def state(self) -> str:
        found = rows_of(self.model)
        assert found in (self.old, self.new), "the model is neither the old nor the new one"
        return "the old model" if found == self.old else "the new model"

    def finish(self) -> None:
        left = Path(f"{self.model}.checkpoint").exists()
        run([*self.words, "--resume"] if left else self.words)
        assert rows_of(self.model) == self.new, "resumed to another model"


class Sample:
    """A table is replaced by another one."""

    def __init__(self, folder: Path, model: Path, ending: str) -> None:
        self.folder = folder / f"sample{ending}"
        self.folder.mkdir()
        self.path = self.folder / f"rows{ending}"
        words = ["sample", str(model), "-o", str(self.path), "--quiet", "--overwrite"]
        words += ["-n", ROWS, "--device", "cpu"]
        run([*words, "--seed", "1"])
        self.old = digest(self.path)
        self.kept = self.folder / f"kept{ending}"
        shutil.copy(self.path, self.kept)
        self.words = [*words, "--seed", "2"]
        self.seconds = run(self.words)
        self.new = digest(self.path)
        self.put_back()

    def put_back(self) -> None:
        shutil.copy(self.kept, self.path)

    def state(self) -> str:
        found = digest(self.path)
        assert found in (self.old, self.new), "the table is neither the old nor the new one"
        return "the old table" if found == self.old else "the new table"

    def finish(self) -> None:
        run(self.words)
        assert digest(self.path) == self.new


def table(path: Path) -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"a": rng.integers(0, 9, 300), "b": rng.normal(size=300).round(2)})
    frame["c"] = np.where(frame["a"] > 4, "high", "low")
    frame.to_csv(path, index=False)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    torch.set_num_threads(1)  # a fork has no other threads
    rng = Random(args.seed)
    counts: Counter[str] = Counter()
    leftovers = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        table(folder / "data.csv")
        fit = Fit(folder, folder / "data.csv")
        model = folder / "model.synthgan"
        shutil.copy(fit.model, model)
        jobs: list[Fit | Sample] = [fit, Sample(folder, model, ".csv")]
        if args.kills >= 10:
            jobs += [Sample(folder, model, ".parquet")]
        done = 0
        while done < args.kills:
            job = jobs[done % len(jobs)]
            if kill(job.words, rng.uniform(0, job.seconds)):
                done += 1
                leftovers += bool(temporary(job.folder))
                counts[f"{type(job).__name__.lower()}: {job.state()}"] += 1
                print(f"\r{done} kills", end="", file=sys.stderr)
            else:
                assert job.state().startswith("the new"), "it ended without its file"
            job.put_back()
        for job in jobs:
            job.finish()
            assert not temporary(job.folder), f"left over: {temporary(job.folder)}"
    for what, number in sorted(counts.items()):
        print(f"{number:4}  {what}")
    print(f"{done} kills: no file was half-written or lost")
    print(f"{leftovers} left a temporary file, and the next run removed it")


if __name__ == "__main__":
    sys.exit(main())
