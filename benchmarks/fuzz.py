"""How many damaged inputs the readers survive: each must be taken or refused in one line.

    python benchmarks/fuzz.py --minutes 10 [--readers csv schema ...] [--seed 0] [--keep DIR]

Files, schemas, models, checkpoints and conditions are damaged (``tests/hostile.py``: bits, cuts,
pieces lost and doubled, JSON surgery) and read in a process of their own, which is watched: an
exception that is no SynthganError, more than --seconds (20) for one input, and a crash of the
process all count as broken. What broke something is written to --keep. The same seed tries the
same inputs.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

import hostile


class TooSlowError(BaseException):
    """One input has taken too long."""


def _on_alarm(*_: object) -> None:
    raise TooSlowError


def tried(name: str, numbers: range, until: float, seconds: float, pipe: Any) -> None:
    """Reads inputs one after another; says before each which, and after each what came of it."""
    signal.signal(signal.SIGALRM, _on_alarm)
    warnings.filterwarnings("error")
    reader = hostile.READERS[name]
    for number in numbers:
        if time.time() > until:
            break
        data = hostile.example(name, number)
        pipe.send(number)
        with tempfile.TemporaryDirectory() as folder:
            signal.setitimer(signal.ITIMER_REAL, seconds)
            try:
                result = hostile.outcome(reader, data, Path(folder))
            except BaseException as error:  # noqa: BLE001
                where = traceback.extract_tb(error.__traceback__)[-1]
                inside = [
                    f
                    for f in traceback.extract_tb(error.__traceback__)
                    if "/synthgan/" in f.filename
                ]
                last = inside[-1] if inside else where
                result = f"! {type(error).__name__} in {Path(last.filename).name}:{last.lineno}"
            finally:
                signal.setitimer(signal.ITIMER_REAL, 0)
        pipe.send(result)
    pipe.send(None)


def watched(
    name: str, first: int, until: float, seconds: float
) -> tuple[Counter[str], dict[str, int]]:
    """Counts of outcomes, and an input for each way in which something broke."""
    counts: Counter[str] = Counter()
    broken: dict[str, int] = {}
    number = first
    context = multiprocessing.get_context("fork")
    while time.time() < until:
        ours, theirs = context.Pipe(duplex=False)
        worker = context.Process(
            target=tried, args=(name, range(number, 10**9), until, seconds, theirs)
        )
        worker.start()
        theirs.close()
        under_way: int | None = None
        try:
            while True:
                if not ours.poll(3 * seconds + 60):
                    worker.kill()
                    raise EOFError
                said = ours.recv()
                if said is None:
                    break
                if isinstance(said, int):
                    under_way = number = said
                    continue
                counts[said] += 1
                if said.startswith("!"):
                    broken.setdefault(said, number)
                under_way = None
        except EOFError:
            worker.join()
            if under_way is not None:
                result = f"! ended with {worker.exitcode}"
                counts[result] += 1
                broken.setdefault(result, under_way)
        worker.join()
        number += 1
    return counts, broken


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=5, help="of all readers together")
    parser.add_argument("--readers", nargs="*", default=list(hostile.READERS))
    parser.add_argument("--seed", type=int, default=0, help="another one tries other inputs")
    parser.add_argument(
        "--seconds", type=float, default=20, help="for one input, before it counts as stuck"
    )
    parser.add_argument("--keep", type=Path, help="folder for what broke something")
    args = parser.parse_args()
    total = bad = 0
    for name in args.readers:
        hostile.READERS[name].seeds()  # once, and not in each process
        until = time.time() + 60 * args.minutes / len(args.readers)
        counts, broken = watched(name, args.seed * 10**6, until, args.seconds)
        total += counts.total()
        failed = {each: n for each, n in counts.items() if each.startswith("!")}
        bad += sum(failed.values())
        print(
            f"{name:12} {counts.total():8,} inputs  {json.dumps(dict(counts.most_common()))}",
            flush=True,
        )
        for how, number in broken.items():
            print(f"    {how}: input {number}", flush=True)
            if args.keep:
                args.keep.mkdir(parents=True, exist_ok=True)
                kept = args.keep / f"{name}-{number}"
                kept.write_bytes(hostile.example(name, number))
    print(f"{total:,} inputs tried, {bad:,} broke something")
    raise SystemExit(bool(bad))


if __name__ == "__main__":
    main()
