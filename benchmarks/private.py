"""Fits tables with differential privacy and judges the samples against rows set aside.

    python benchmarks/private.py TABLE... [--epsilon 1 3 10] [--seeds 2] [--undeclared]
                                 [--engine marginals|critic] [--peers mst aim dpctgan mostlyai]
                                 [--rows N] [--json OUT]

Each table is split 80/20 in a fixed way. "Declared" means that bounds, decimals and categories
stand in the schema: here they are those of the whole table (decimals: of 99 % of it), as an owner
would know them. With
``--undeclared`` the schema has kinds and formats alone, and the rest is found within the budget.
delta is 1e-6. Peers run in the same process, on the same rows, with the same judge; each must be
installed (smartnoise-synth, mostlyai-engine).
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from fidelity import Split, judge, split_table

import synthgan

DELTA = 1e-6
_MOSTLY = 0.99  # of the numbers have as many decimals as an owner would say
SHOWN = ("C2ST", "shape", "trend", "TSTR", "TRTR", "ratio", "DCR", "MIA")


def schema_of(split: Split, *, declared: bool) -> synthgan.Schema:
    """Kinds and formats of a table; with ``declared`` its bounds and categories too."""
    frame = pd.concat([split.train, split.holdout], ignore_index=True)
    schema = synthgan.infer_schema(frame, constraints=False)
    if not declared:
        return synthgan.public_part(schema)
    return replace(schema, columns=tuple(_declared(column, frame) for column in schema))


def _declared(column: synthgan.Column, frame: pd.DataFrame) -> synthgan.Column:
    present = frame[column.name].dropna()
    if column.kind is synthgan.Kind.CATEGORY:
        column = replace(column, categories=tuple(sorted(present.unique().tolist(), key=str)))
    elif column.kind in (synthgan.Kind.NUMBER, synthgan.Kind.INTEGER):
        numbers = pd.to_numeric(present)
        column = replace(column, low=float(numbers.min()), high=float(numbers.max()))
        if column.kind is synthgan.Kind.NUMBER:
            fits = (d for d in range(10) if (numbers.round(d) == numbers).mean() >= _MOSTLY)
            column = replace(column, decimals=next(fits, None))
    return column


def ours(split: Split, epsilon: float, seed: int, options: argparse.Namespace) -> pd.DataFrame:
    """Rows of this package's private fit."""
    privacy: dict[str, Any] = {"epsilon": epsilon, "delta": DELTA}
    if options.engine != "marginals":
        privacy["engine"] = options.engine
    schema = schema_of(split, declared=not options.undeclared)
    config = synthgan.Config(seed=seed, privacy=synthgan.PrivacyConfig(**privacy))
    model = synthgan.fit(split.train, schema, config)
    return model.sample(len(split.train), seed=seed)


def smartnoise(name: str) -> Callable[..., pd.DataFrame]:
    """A synthesizer of smartnoise-synth; a tenth of epsilon finds the bounds."""

    def draw(split: Split, epsilon: float, seed: int, options: argparse.Namespace) -> pd.DataFrame:
        from snsynth import Synthesizer

        made = Synthesizer.create(name, epsilon=epsilon, delta=DELTA)
        train = split.train.copy()
        made.fit(train, preprocessor_eps=0.1 * epsilon, nullable=bool(train.isna().any().any()))
        return made.sample(len(train))[list(train)].astype(train.dtypes.to_dict(), errors="ignore")

    return draw


def mostlyai(split: Split, epsilon: float, seed: int, options: argparse.Namespace) -> pd.DataFrame:
    """TabularARGN trained with DP-SGD, its values protected within the budget."""
    import tempfile

    from mostlyai import engine
    from mostlyai.engine.domain import DifferentialPrivacyConfig

    with tempfile.TemporaryDirectory() as folder:
        engine.split(tgt_data=split.train, workspace_dir=folder, model_type="TABULAR")
        half = {"max_epsilon": epsilon / 2, "delta": DELTA}
        privacy = DifferentialPrivacyConfig(**half, value_protection_epsilon=epsilon / 2)
        engine.analyze(workspace_dir=folder, differential_privacy=privacy)
        engine.encode(workspace_dir=folder)
        engine.train(workspace_dir=folder, differential_privacy=privacy, max_training_time=10)
        engine.generate(workspace_dir=folder, sample_size=len(split.train))
        return pd.read_parquet(Path(folder) / "SyntheticData")[list(split.train)]


PEERS: dict[str, Callable[..., pd.DataFrame]] = {
    "mst": smartnoise("mst"),
    "aim": smartnoise("aim"),
    "dpctgan": smartnoise("dpctgan"),
    "mostlyai": mostlyai,
}


def runs(split: Split, options: argparse.Namespace) -> Iterator[list[dict[str, Any]]]:
    """Figures of the fits of each model and epsilon."""
    models = {"synthgan": ours} | {name: PEERS[name] for name in options.peers}
    for epsilon in options.epsilon:
        for name, draw in models.items():
            group = []
            for seed in range(options.seeds if name == "synthgan" else 1):
                run = {"table": split.name, "model": name, "epsilon": epsilon, "seed": seed}
                started = time.process_time()
                try:
                    rows = draw(split, epsilon, seed, options)
                except Exception as error:
                    if name == "synthgan":
                        raise
                    print(f"{split.name} {name} epsilon {epsilon:g} failed: {error!r:.200}")
                    break
                run["cpu seconds"] = time.process_time() - started
                group.append(run | judge(split, rows))
            if group:
                yield group


def main() -> None:
    """Reads the command line, prints a line a model and epsilon."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("tables", nargs="+", type=Path, metavar="TABLE")
    parser.add_argument("--epsilon", nargs="+", type=float, default=[1.0, 3.0, 10.0])
    parser.add_argument("--seeds", type=int, default=2, help="fits a setting (2)")
    parser.add_argument("--undeclared", action="store_true", help="find bounds and levels too")
    parser.add_argument("--engine", choices=["marginals", "critic"], default="marginals")
    parser.add_argument("--peers", nargs="*", choices=list(PEERS), default=[])
    parser.add_argument("--rows", type=int, help="take so many rows of each table")
    parser.add_argument("--json", type=Path, metavar="OUT", help="write all figures to this file")
    options = parser.parse_args()
    warnings.filterwarnings("ignore")
    found: list[dict[str, Any]] = []
    print("table,model,epsilon,fits,cpu seconds," + ",".join(SHOWN))
    for path in options.tables:
        split = split_table(path, options.rows, None, None)
        for group in runs(split, options):
            print(_line(group), flush=True)
            found += group
            if options.json:
                options.json.write_text(json.dumps(found, indent=1), encoding="utf-8")


def _line(group: list[dict[str, Any]]) -> str:
    """The mean of runs that differ by their seed alone."""
    first, cost = group[0], np.mean([each["cpu seconds"] for each in group])
    head = [first["table"], first["model"], f"{first['epsilon']:g}", f"{len(group)}", f"{cost:.0f}"]
    return ",".join(head + [f"{np.mean([each[name] for each in group]):.3f}" for name in SHOWN])


if __name__ == "__main__":
    main()
