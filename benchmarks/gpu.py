"""Takes every figure that needs a GPU, in one run on one card.

    python benchmarks/gpu.py TABLE [--rows 1000000] [--draw 1000000] [--peers ctgan mostlyai]
                             [--small] [--json OUT]

Fits TABLE (adult, for the figures in the docs) with defaults, twice, the second time with the
card warm; fits --rows rows made of it, repeated and jittered; draws --draw rows without writing
them; says where the time of a training step goes; and fits the peers that are installed beside
this package (ctgan: SDV; mostlyai: mostlyai-engine) to the same rows on the same card. Seconds are
wall time. Without a GPU it says so and stops; with --small it runs on the CPU, on few rows, to
see that it works.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import sys
import time
import warnings
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from peer_child import MODELS, Clock, Task
from scaling import COUNTED_STEPS, count_flops
from tables import Halves, cut
from torch.profiler import ProfilerActivity, profile

import synthgan

_GOALS = {
    "fit, warm, s": "at most 15",
    "fit of many rows, s": "at most 60",
    "rows drawn a second": "1,000,000 or more",
    "ctgan: times our rows a second": "50 or more",
    "mostlyai: times our rows a second": "10 or more",
}
_MODULES = {"ctgan": "sdv", "mostlyai": "mostlyai"}
_PROFILED = (20, 40)  # steps of the warm start
_SHOWN = 12  # kernels
_SMALL = 2_000
_GEMM = ("gemm", "cutlass", "cublas", "::mm", "::addmm", "::bmm", "::baddbmm", "nvjet")
_LAUNCHES = ("cudaLaunchKernel", "cuLaunchKernel", "cudaGraphLaunch", "cudaLaunchKernelExC")

Figures = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Run:
    """What is measured, and on what."""

    halves: Halves
    device: str
    small: bool
    rows: int
    draw: int

    def config(self, **train: Any) -> synthgan.Config:
        """Defaults on the device; few steps where it is but tried out."""
        few = {"steps": 60} if self.small else {}
        return synthgan.Config(train=synthgan.TrainConfig(device=self.device, **(few | train)))

    def wait(self) -> None:
        """Until the card has done what it was given."""
        if self.device == "cuda":
            torch.cuda.synchronize()


# --- fits and draws -----------------------------------------------------------------------


def fit_figures(run: Run, frame: pd.DataFrame, name: str) -> tuple[synthgan.Synthesizer, Figures]:
    """Wall seconds of a fit, in all and of its parts."""
    marks: list[tuple[str, int, float]] = []
    if run.device == "cuda":
        torch.cuda.reset_peak_memory_stats()
    began = time.perf_counter()
    model = synthgan.fit(
        frame,
        config=run.config(),
        on_step=lambda step: marks.append((step.phase, step.step, time.perf_counter() - began)),
    )
    run.wait()
    total = time.perf_counter() - began
    found: Figures = {f"{name}, s": total, f"{name}: rows a second": len(frame) / total}
    for phase in ("warm start", "adversarial"):
        seen = [(step, at) for mark, step, at in marks if mark == phase]
        if len(seen) > 1:
            (first, start), (last, end) = seen[0], seen[-1]
            found[f"{name}: {phase}, steps"] = last
            found[f"{name}: {phase}, ms a step"] = 1e3 * (end - start) / (last - first)
    found[f"{name}: until the first mark, s"] = marks[0][2]
    found[f"{name}: after the last mark, s"] = total - marks[-1][2]
    if run.device == "cuda":
        found[f"{name}: peak on the card, MiB"] = torch.cuda.max_memory_allocated() / 2**20
    return model, found


def draw_figures(run: Run, model: synthgan.Synthesizer) -> Figures:
    """Rows a second into DataFrames, thrown away; the first draw is not counted."""
    model.sample(min(run.draw, 20_000), seed=1)
    run.wait()
    began = time.perf_counter()
    drawn = sum(len(chunk) for chunk in model.iter_samples(run.draw, seed=0))
    run.wait()
    return {"rows drawn a second": drawn / (time.perf_counter() - began)}


def enlarged(frame: pd.DataFrame, rows: int) -> pd.DataFrame:
    """``frame`` repeated to ``rows`` rows, numbers of many values moved a little."""
    rng = np.random.default_rng(0)
    made = frame.iloc[np.arange(rows) % len(frame)].reset_index(drop=True)
    for name in made.select_dtypes("number"):
        if made[name].nunique() > 50:
            step = 1 if pd.api.types.is_integer_dtype(made[name]) else made[name].std() / 100
            made[name] = made[name] + step * rng.integers(-1, 2, rows)
    return made


# --- where the time goes ------------------------------------------------------------------


def profiled(run: Run) -> tuple[Figures, list[str]]:
    """Launches a warm-start step, time in products, and the kernels that take longest."""
    activities = [ProfilerActivity.CPU]
    if run.device == "cuda":
        activities.append(ProfilerActivity.CUDA)
    recorder = profile(activities=activities)
    at: dict[str, tuple[int, float]] = {}

    def on_step(step: synthgan.Step) -> None:
        run.wait()
        if "start" not in at and step.step >= _PROFILED[0]:
            at["start"] = (step.step, time.perf_counter())
            recorder.start()
        elif "start" in at and "stop" not in at and step.step >= _PROFILED[1]:
            at["stop"] = (step.step, time.perf_counter())
            recorder.stop()

    settings = run.config(steps=_PROFILED[1] + 20, adversarial=False)
    synthgan.fit(run.halves.train, config=settings, on_step=on_step)
    steps, seconds = (stop - start for start, stop in zip(at["start"], at["stop"], strict=True))
    return _read(run, recorder, steps, seconds)


def _read(run: Run, recorder: profile, steps: float, seconds: float) -> tuple[Figures, list[str]]:
    on_card = run.device == "cuda"
    events = recorder.key_averages()
    spent = {
        e.key: (e.self_device_time_total if on_card else e.self_cpu_time_total) for e in events
    }
    if on_card:  # operators and annotations have the time of their kernels: count kernels only
        kernels = [e for e in events if str(e.device_type).endswith("CUDA")]
        spent = {e.key: spent[e.key] for e in kernels if not e.is_user_annotation}
    busy = sum(spent.values()) / 1e6
    products = sum(us for key, us in spent.items() if any(part in key for part in _GEMM)) / 1e6
    launches = sum(
        e.count for e in events if e.key in _LAUNCHES or (not on_card and e.key in spent)
    )
    flops = count_flops(run.halves.train, _counting(run))
    figures = {
        "a step, profiled, ms": 1e3 * seconds / steps,
        "launches a step" if on_card else "operators a step": launches / steps,
        "busy share": busy / seconds,
        "products' share of what is busy": products / max(busy, 1e-12),
        "GFLOP a step in products": flops / 1e9,
        "TFLOP/s within products": flops * steps / max(products, 1e-12) / 1e12,
        "TFLOP/s over the step": flops * steps / seconds / 1e12,
    }
    longest = sorted(spent.items(), key=lambda each: -each[1])[:_SHOWN]
    return figures, [f"{us / 1e3 / steps:9.4f} ms a step  {key[:90]}" for key, us in longest]


def _counting(run: Run) -> synthgan.Config:
    return synthgan.Config(
        train=synthgan.TrainConfig(device="cpu", steps=COUNTED_STEPS, adversarial=False)
    )


def peaks(run: Run) -> Figures:
    """TFLOP/s of one large product, in the number formats that training could use."""
    size = 8192 if run.device == "cuda" else 1024
    found: Figures = {}
    before = torch.get_float32_matmul_precision()
    for name, dtype, precision in (
        ("float32", torch.float32, "highest"),
        ("tf32", torch.float32, "high"),
        ("bfloat16", torch.bfloat16, before),
    ):
        torch.set_float32_matmul_precision(precision)
        square = torch.ones(size, size, dtype=dtype, device=run.device)
        best = min(_timed(run, partial(torch.mm, square, square)) for _ in range(10))
        found[f"TFLOP/s of a large product, {name}"] = 2 * size**3 / best / 1e12
    torch.set_float32_matmul_precision(before)
    return found


def _timed(run: Run, work: partial[torch.Tensor]) -> float:
    run.wait()
    began = time.perf_counter()
    work()
    run.wait()
    return time.perf_counter() - began


# --- peers --------------------------------------------------------------------------------


def peer_figures(run: Run, name: str, ours: float) -> Figures:
    """Rows fitted a second by a peer, and how many times that we do."""
    if importlib.util.find_spec(_MODULES[name]) is None:
        return {f"{name}: not taken": f"{_MODULES[name]} is not installed"}
    train, clock = run.halves.train, Clock()
    task = Task(train=train, rows=len(train), target=run.halves.target, task=run.halves.task)
    try:
        MODELS[name](task, clock)
    except Exception as error:  # noqa: BLE001  a peer's failure must not cost the other figures
        return {f"{name}: failed": f"{error!r:.200}"}
    rows = len(train) / clock.cost["fit wall s"]
    return {
        f"{name}: fit, s": clock.cost["fit wall s"],
        f"{name}: rows a second": rows,
        f"{name}: rows drawn a second": len(train) / clock.cost["sample wall s"],
        f"{name}: times our rows a second": ours / rows,
    }


# --- the run ------------------------------------------------------------------------------


def measure(run: Run, peers: list[str]) -> Figures:
    """All figures, each printed when it is there."""
    found: Figures = {}

    def tell(figures: Figures) -> None:
        for name, value in figures.items():
            shown = value if isinstance(value, str) else f"{value:,.4g}"
            goal = f" ({_GOALS[name]} is the goal)" if name in _GOALS and not run.small else ""
            print(f"{name}: {shown}{goal}", flush=True)
        found.update(figures)

    tell(peaks(run))
    _, cold = fit_figures(run, run.halves.train, "fit, cold")
    tell(cold)
    model, warm = fit_figures(run, run.halves.train, "fit, warm")
    tell(warm)
    tell(draw_figures(run, model))
    tell(fit_figures(run, enlarged(run.halves.train, run.rows), "fit of many rows")[1])
    figures, longest = profiled(run)
    tell(figures)
    print("\n".join(longest), flush=True)
    found["longest"] = longest
    for name in peers:
        tell(peer_figures(run, name, warm["fit, warm: rows a second"]))
    return found


def options() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("table", type=Path, metavar="TABLE")
    parser.add_argument("--rows", type=int, default=1_000_000, help="of the large fit")
    parser.add_argument("--draw", type=int, default=1_000_000, help="rows of the draw")
    parser.add_argument("--peers", nargs="*", choices=list(_MODULES), default=list(_MODULES))
    parser.add_argument("--small", action="store_true", help="few rows and steps: a try-out")
    parser.add_argument("--json", type=Path, metavar="OUT", help="write all figures to this file")
    return parser.parse_args()


def main() -> None:
    """Says on what, measures, prints."""
    chosen = options()
    warnings.filterwarnings("ignore")
    has_gpu = torch.cuda.is_available()
    if not has_gpu and not chosen.small:
        sys.exit("No GPU that PyTorch can use here: no figure was taken. --small tries the CPU.")
    device = "cuda" if has_gpu else "cpu"
    name = torch.cuda.get_device_name() if has_gpu else "no GPU: CPU figures of a try-out"
    print(f"{name}; torch {torch.__version__}", flush=True)
    run = Run(
        halves=cut(chosen.table, _SMALL if chosen.small else None),
        device=device,
        small=chosen.small,
        rows=min(chosen.rows, 5 * _SMALL) if chosen.small else chosen.rows,
        draw=min(chosen.draw, 5 * _SMALL) if chosen.small else chosen.draw,
    )
    found = {"device": name, "torch": torch.__version__} | measure(run, chosen.peers)
    if chosen.json:
        chosen.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
