"""Fits one model to one table and draws rows of it; `peers.py` calls this in the model's own venv.

    python benchmarks/peer_child.py MODEL TRAIN.parquet FOLDER [--rows N] [--target NAME] [--task T]

Writes FOLDER/rows.parquet and FOLDER/cost.json. It needs pandas, pyarrow and the model, not this
package, so that it runs beside whatever versions the model wants. What a model imports is loaded
before the clock starts. All models have their defaults, unless their function here says otherwise.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import resource
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from unittest.mock import MagicMock

import numpy as np
import pandas as pd
from memory import peak_mib

_EPOCH = pd.Timestamp("1970-01-01")
_MISSING = "(missing)"
_MOST_DECIMALS = 6


@dataclass(frozen=True, kw_only=True)
class Task:
    """What is fitted and drawn."""

    train: pd.DataFrame
    rows: int
    target: str | None
    task: str | None


@dataclass
class Clock:
    """CPU seconds (this process and those it has ended) and wall seconds of the parts of a run."""

    cost: dict[str, float] = field(default_factory=dict)
    _wall: float = 0.0
    _cpu: float = 0.0

    def start(self) -> None:
        """Counts from now on."""
        self._wall, self._cpu = time.perf_counter(), _cpu_seconds()

    def stop(self, part: str) -> None:
        """Books what was spent since the start, and starts again."""
        self.cost[f"{part} wall s"] = time.perf_counter() - self._wall
        self.cost[f"{part} CPU s"] = _cpu_seconds() - self._cpu
        self.start()


Model = Callable[[Task, Clock], pd.DataFrame]


def _cpu_seconds() -> float:
    spent = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(each.ru_utime + each.ru_stime for each in spent)


# --- models -----------------------------------------------------------------------------


def ours(task: Task, clock: Clock) -> pd.DataFrame:
    """This package."""
    import synthgan
    import synthgan.model.synthesizer

    clock.start()
    model = synthgan.fit(task.train)
    clock.stop("fit")
    rows = model.sample(task.rows, seed=0)
    clock.stop("sample")
    return rows


def sdv(name: str) -> Model:
    """A synthesizer of SDV 2; kinds come from dtypes, so that none is taken for personal data."""

    def run(task: Task, clock: Clock) -> pd.DataFrame:
        from sdv import single_table
        from sdv.metadata import Metadata

        columns = {name: {"sdtype": _kind(cells)} for name, cells in task.train.items()}
        metadata = Metadata.load_from_dict({"tables": {"table": {"columns": columns}}})
        clock.start()
        model = getattr(single_table, name)(metadata)
        model.fit({"table": task.train})
        clock.stop("fit")
        rows = model.sample(task.rows)["table"]
        clock.stop("sample")
        return rows

    return run


def mostlyai(task: Task, clock: Clock) -> pd.DataFrame:
    """TabularARGN of mostlyai-engine."""
    from mostlyai import engine

    with tempfile.TemporaryDirectory() as folder:
        clock.start()
        engine.split(tgt_data=task.train, workspace_dir=folder, model_type="TABULAR")
        engine.analyze(workspace_dir=folder)
        engine.encode(workspace_dir=folder)
        engine.train(workspace_dir=folder)
        clock.stop("fit")
        engine.generate(workspace_dir=folder, sample_size=task.rows)
        clock.stop("sample")
        return pd.read_parquet(Path(folder) / "SyntheticData")


def arf(task: Task, clock: Clock) -> pd.DataFrame:
    """Adversarial random forests of arfpy."""
    from arfpy import arf as forests

    frame = plain(task.train)
    for name in frame.columns[~frame.dtypes.map(pd.api.types.is_numeric_dtype)]:
        frame[name] = frame[name].astype("category")
    clock.start()
    model = forests.arf(x=frame, random_state=0)
    model.forde()
    clock.stop("fit")
    rows = model.forge(n=task.rows)
    clock.stop("sample")
    return plain_back(rows, task.train)


def forest(task: Task, clock: Clock) -> pd.DataFrame:
    """ForestDiffusion, one thread; the target is a column like the others."""
    from ForestDiffusion import ForestDiffusionModel

    frame = plain(task.train)
    names = list(frame)
    is_text = [not pd.api.types.is_numeric_dtype(cells) for _, cells in frame.items()]
    codes, levels = frame.copy(), {}
    for name, text in zip(names, is_text, strict=True):
        if text:
            codes[name], levels[name] = pd.factorize(frame[name])
    whole = [i for i, name in enumerate(names) if not is_text[i] and _is_whole(frame[name])]
    text_at = [i for i, text in enumerate(is_text) if text]
    clock.start()
    model = ForestDiffusionModel(
        codes.to_numpy(float), cat_indexes=text_at, int_indexes=whole, n_jobs=1
    )
    clock.stop("fit")
    made = pd.DataFrame(model.generate(batch_size=task.rows), columns=names)
    clock.stop("sample")
    for name, known in levels.items():
        made[name] = known[made[name].astype(float).round().astype(int)]
    return plain_back(made, task.train)


def ddpm(task: Task, clock: Clock) -> pd.DataFrame:
    """TabDDPM of synthcity, on the target as its class where there is one."""
    # It imports torchvision for pictures, which does not fit every build of PyTorch.
    sys.modules.setdefault("torchvision", MagicMock())
    from synthcity.plugins import Plugins
    from synthcity.plugins.core.dataloader import GenericDataLoader

    frame = plain(task.train)
    classes = task.task in ("binary", "multiclass")
    clock.start()
    with tempfile.TemporaryDirectory() as folder:
        model = Plugins().get("ddpm", is_classification=classes, workspace=Path(folder))
        model.fit(GenericDataLoader(frame, target_column=task.target))
        clock.stop("fit")
        rows = model.generate(count=task.rows).dataframe()
        clock.stop("sample")
    return plain_back(rows, task.train)


MODELS: dict[str, Model] = {
    "synthgan": ours,
    "mostlyai": mostlyai,
    "ctgan": sdv("CTGANSynthesizer"),
    "tvae": sdv("TVAESynthesizer"),
    "arf": arf,
    "ddpm": ddpm,
    "forest": forest,
}


# --- tables for models that take plain numbers and text only ------------------------------


def _kind(cells: pd.Series) -> str:
    if pd.api.types.is_datetime64_any_dtype(cells.dtype):
        return "datetime"
    if pd.api.types.is_bool_dtype(cells.dtype) or not pd.api.types.is_numeric_dtype(cells.dtype):
        return "categorical"
    return "numerical"


def _is_whole(cells: pd.Series) -> bool:
    return bool((cells == cells.round()).all())


def plain(train: pd.DataFrame) -> pd.DataFrame:
    """``train`` as floats and text without holes: dates are days, and a missing cell is a level
    of its own or, in a number column, the mean and a flag in one more column."""
    made: dict[str, pd.Series] = {}
    for name, cells in train.items():
        kind, missing = _kind(cells), cells.isna()
        if kind == "categorical":
            made[str(name)] = cells.astype(object).where(~missing, _MISSING).astype(str)
            continue
        numbers = _days(cells) if kind == "datetime" else cells.astype(float)
        made[str(name)] = numbers.fillna(numbers.mean())
        if missing.any():
            made[f"{name} {_MISSING}"] = missing.map({True: "yes", False: "no"})
    return pd.DataFrame(made)


def plain_back(rows: pd.DataFrame, train: pd.DataFrame) -> pd.DataFrame:
    """What :func:`plain` was made of; numbers get as many decimals as their column has."""
    made: dict[str, pd.Series] = {}
    for name, cells in train.items():
        kind, got = _kind(cells), rows[str(name)]
        if kind == "categorical":
            levels = {str(level): level for level in cells.dropna().unique()}
            made[str(name)] = got.astype(object).astype(str).map(levels)
            continue
        numbers = _as_fine(got.astype(float), _days(cells) if kind == "datetime" else cells)
        flag = f"{name} {_MISSING}"
        if flag in rows:
            numbers = numbers.mask(rows[flag].astype(str) == "yes")
        if kind == "datetime":
            made[str(name)] = (_EPOCH + pd.to_timedelta(numbers, unit="D")).dt.round("s")
        else:
            made[str(name)] = numbers
    return pd.DataFrame(made)


def like(rows: pd.DataFrame, train: pd.DataFrame) -> pd.DataFrame:
    """``rows`` with the columns and dtypes of ``train``, where their cells can have them.

    Levels that a model gives back as text (``"True"``) are turned into those that they stand for.
    """
    made = {}
    for name, cells in train.items():
        got = rows[name].reset_index(drop=True)
        if _kind(cells) == "categorical":
            levels = {str(level): level for level in cells.dropna().unique()}
            found = got.astype(object).map(lambda cell, known=levels: known.get(str(cell), cell))
            got = found.where(found.notna(), None)
        is_flag = pd.api.types.is_bool_dtype(cells.dtype)
        if not is_flag or got.map(lambda cell: isinstance(cell, (bool, np.bool_))).all():
            with contextlib.suppress(ValueError, TypeError):
                got = got.astype(cells.dtype)
        made[name] = got
    return pd.DataFrame(made)


def _days(cells: pd.Series) -> pd.Series:
    return (cells - _EPOCH) / pd.Timedelta(days=1)


def _as_fine(numbers: pd.Series, cells: pd.Series) -> pd.Series:
    """``numbers`` with as many decimals as ``cells`` have, if those are few."""
    present = cells.dropna().astype(float)
    fits = (d for d in range(_MOST_DECIMALS + 1) if (present.round(d) == present).all())
    decimals = next(fits, None)
    return numbers if decimals is None else numbers.round(decimals)


# --- the run ----------------------------------------------------------------------------


def versions(names: list[str]) -> dict[str, str]:
    """Versions of those of ``names`` that are installed, and of Python."""
    found = {"python": platform.python_version()}
    for name in names:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def peak_of_all() -> float:
    """Peak of resident memory in MiB: of this process, or of the largest that it has ended."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    return max(peak_mib(), children)


def gpu_of() -> str | None:
    """The card that PyTorch finds here, if any."""
    try:
        import torch
    except ModuleNotFoundError:
        return None
    return torch.cuda.get_device_name() if torch.cuda.is_available() else None


def main() -> None:
    """Fits, draws, writes both files."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("model", choices=list(MODELS))
    parser.add_argument("train", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rows", type=int, help="rows to draw (as many as TRAIN has)")
    parser.add_argument("--target")
    parser.add_argument("--task")
    parser.add_argument("--versions", nargs="*", default=[], help="packages to note versions of")
    options = parser.parse_args()
    warnings.filterwarnings("ignore")
    train = pd.read_parquet(options.train)
    rows = options.rows or len(train)
    task = Task(train=train, rows=rows, target=options.target, task=options.task)
    clock = Clock()
    made = MODELS[options.model](task, clock)
    cost = clock.cost | {"rows": len(made), "peak MiB": peak_of_all()}
    about = {
        "versions": versions(options.versions),
        "threads": os.environ.get("OMP_NUM_THREADS"),
        "gpu": gpu_of(),
    }
    like(made, train).to_parquet(options.folder / "rows.parquet")
    (options.folder / "cost.json").write_text(json.dumps({"cost": cost} | about), encoding="utf-8")


if __name__ == "__main__":
    main()
