"""Fits other generators and this package to the same rows, and judges all by the same judge.

    python benchmarks/peers.py TABLE... --json OUT [--peers NAME...] [--limit-minutes 25]
                               [--venvs FOLDER] [--rows N] [--again NAME...] [--show]

Each table is split 80/20 in the fixed way of the other benchmarks. Every model runs in a process
of its own (`peer_child.py`) in a virtual environment of its own, made below --venvs with the
versions written here, fits the 80 % once with its defaults, and draws as many rows once. The
judge of `fidelity.py` scores them in this process. What stands in OUT is not run again, so that a
run that broke off goes on where it was; --again names models to run anew, --show only prints.

Costs are CPU seconds, for machines that are shared; set OMP_NUM_THREADS. --limit-minutes is CPU
time as well (four times as much wall time at most). Memory is the peak of the process,
libraries included. On a machine with a GPU, models that find it use it: compare wall seconds then.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from fidelity import Split, floor_of, judge, split_table

import synthgan
from synthgan.metrics.columns import independent_columns

_TORCH = "torch==2.13.0"  # on machines without a GPU its CPU build is what gets installed
_CHILD = Path(__file__).with_name("peer_child.py")
_WALL_PER_CPU = 4

Record = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Peer:
    """A model, and what is installed for it."""

    label: str
    venv: str
    requirements: tuple[str, ...]
    """All that pip is given: pinned, the model's own package first."""
    without: tuple[str, ...] = ()
    """Packages that are asked for, but not needed, and that do not fit this PyTorch."""

    @property
    def packages(self) -> list[str]:
        """Names of what is installed on purpose."""
        return [each.partition("==")[0] for each in self.requirements]


_SDV = {"venv": "sdv", "requirements": ("sdv==2.0.0", "ctgan==0.12.1", _TORCH)}
PEERS = {
    "mostlyai": Peer(
        label="TabularARGN (mostlyai-engine)",
        venv="mostlyai",
        requirements=("mostlyai-engine==2.7.3", _TORCH),
        without=("torchvision", "torchaudio"),
    ),
    "tvae": Peer(label="TVAE (SDV)", **_SDV),
    "ctgan": Peer(label="CTGAN (SDV)", **_SDV),
    "arf": Peer(
        label="ARF (arfpy)",
        venv="arf",
        requirements=("arfpy==0.1.1", "numpy==2.2.6", "pandas==2.2.3", "scikit-learn==1.5.2"),
    ),
    "ddpm": Peer(
        label="TabDDPM (synthcity)",
        venv="synthcity",
        requirements=("schneiderkamplab-synthcity==0.2.16", _TORCH),
        without=("torchvision", "torchaudio"),
    ),
    "forest": Peer(
        label="ForestDiffusion", venv="forest", requirements=("ForestDiffusion==1.0.6",)
    ),
}
_OURS = "synthgan"
_YARDSTICKS = {"real": "real rows", "independent": "independent columns"}


# --- environments -------------------------------------------------------------------------


class NotInstallable(Exception):
    """pip said no; the message is its last line."""


def python_of(peer: Peer, venvs: Path) -> Path:
    """The Python of a peer's environment, which is made if it is not there or was for others."""
    home = venvs / peer.venv
    python, stamp = home / "bin" / "python", home / "installed.json"
    wanted = json.dumps([peer.requirements, peer.without])
    if stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
        return python
    _show(f"installing {', '.join(peer.requirements)} into {home.name}/ ...")
    subprocess.run([sys.executable, "-m", "venv", "--clear", str(home)], check=True)
    constraints = home / "constraints.txt"
    constraints.write_text(_TORCH + "\n", encoding="utf-8")
    pip = [str(python), "-m", "pip"]
    _pip([*pip, "install", "--constraint", str(constraints), *peer.requirements, "pyarrow"])
    if peer.without:
        _pip([*pip, "uninstall", "--yes", *peer.without])
    stamp.write_text(wanted, encoding="utf-8")
    return python


def _pip(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NotInstallable(_last_line(done.stderr))


def _last_line(text: str) -> str:
    told = [line.strip() for line in text.splitlines() if line.strip()]
    return told[-1][:200] if told else "nothing was said"


# --- runs -------------------------------------------------------------------------------


def run_child(command: list[str], env: dict[str, str], minutes: float) -> tuple[str | None, float]:
    """Runs a child for so many CPU minutes: what went wrong, if anything, and its CPU seconds."""
    before = _cpu_of_children()

    def limit() -> None:
        seconds = int(60 * minutes) + 1
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 5))

    with tempfile.TemporaryFile("w+", encoding="utf-8") as errors:
        child = subprocess.Popen(
            command,
            env=env,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            start_new_session=True,
            preexec_fn=limit,
        )
        try:
            code = child.wait(60 * minutes * _WALL_PER_CPU)
        except subprocess.TimeoutExpired:
            code = -signal.SIGXCPU
        finally:
            _end(child)
        spent = _cpu_of_children() - before
        errors.seek(0)
        told = errors.read()
    if code in (-signal.SIGXCPU, -signal.SIGKILL) and spent > 30 * minutes:
        return f"not finished in {minutes:g} min", spent
    return (None if code == 0 else f"failed ({code}): {_last_line(told)}"), spent


def _end(child: subprocess.Popen[bytes]) -> None:
    """Ends what is left of a child's session, its own workers as well."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()


def _cpu_of_children() -> float:
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


def run_model(name: str, split: Split, options: argparse.Namespace) -> Record:
    """One fit and one draw of one model, judged."""
    env = dict(os.environ)
    packages = ["synthgan", "torch"]
    try:
        python = Path(sys.executable)
        if name != _OURS:
            python = python_of(PEERS[name], options.venvs)
            packages = [*PEERS[name].packages, "torch"]
            env.pop("PYTHONPATH", None)
    except NotInstallable as error:
        return {"state": f"not installable: {error}"}
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        split.train.to_parquet(folder / "train.parquet")
        command = [str(python), str(_CHILD), name, str(folder / "train.parquet"), place]
        command += ["--target", split.target, "--task", split.task, "--versions", *packages]
        state, spent = run_child(command, env, options.limit_minutes)
        if state is not None:
            return {"state": state, "CPU s spent": spent}
        rows = pd.read_parquet(folder / "rows.parquet")
        told = json.loads((folder / "cost.json").read_text(encoding="utf-8"))
    figures = judge(split, rows)
    return {"state": "done", "figures": figures, **told}


def yardsticks(split: Split) -> dict[str, Record]:
    """Real rows and independent columns in the place of a sample."""
    shuffled = independent_columns(split.train, len(split.train), np.random.default_rng(0))
    independent = judge(split, shuffled)
    return {
        "real": {"state": "done", "figures": floor_of(split, independent)},
        "independent": {"state": "done", "figures": independent},
    }


def run_table(path: Path, options: argparse.Namespace, found: dict[str, Record]) -> str:
    """Runs what is not in ``found`` yet for one table; says what the table is called there."""
    split = split_table(path, options.rows, None, None)
    key = split.name if options.rows is None else f"{split.name}, {options.rows} rows"
    table = found.setdefault(
        key, {"train_rows": len(split.train), "columns": len(split.columns.names), "models": {}}
    )
    models = table["models"]
    if "real" not in models:
        models |= yardsticks(split)
        save(options.json, found)
    for name in options.peers:
        if name in models and name not in options.again:
            continue
        started = time.monotonic()
        models[name] = run_model(name, split, options)
        save(options.json, found)
        _show(f"{key}, {name}: {models[name]['state']}, {time.monotonic() - started:.0f} s in all")
    return key


def save(path: Path, found: dict[str, Record]) -> None:
    """Writes all there is, whole or not at all."""
    draft = path.with_name(path.name + ".part")
    draft.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    draft.replace(path)


# --- the table --------------------------------------------------------------------------

_HEAD = (
    "model",
    "version",
    "C2ST AUC",
    "trend error, %",
    "TSTR",
    "TSTR / TRTR",
    "DCR share",
    "MIA AUC",
    "fit CPU s",
    "fit wall s",
    "rows a CPU s",
    "peak MiB",
)


def markdown(key: str, table: Record) -> Iterator[str]:
    """One table of all models that there are figures or reasons for, best C2ST first."""
    models = table["models"]
    yield f"**{key}**, {table['train_rows']:,} training rows, {table['columns']} columns"
    yield ""
    yield "| " + " | ".join(_HEAD) + " |"
    yield "|---" * len(_HEAD) + "|"
    done = [name for name in models if "figures" in models[name]]
    done.sort(key=lambda name: (name in _YARDSTICKS, models[name]["figures"]["C2ST"]))
    for name in [*done, *(name for name in models if name not in done)]:
        cells = [_label(name), *_cells(models[name])]
        yield "| " + " | ".join(cells + ["-"] * (len(_HEAD) - len(cells))) + " |"


def _label(name: str) -> str:
    return _YARDSTICKS.get(name) or (PEERS[name].label if name in PEERS else name)


def _cells(record: Record) -> list[str]:
    if record["state"] != "done":
        return ["-", record["state"]]
    figures = record["figures"]
    told = {"C2ST": 3, "trend": 2, "TSTR": 3, "ratio": 3, "DCR": 3, "MIA": 3}
    scores = [f"{figures[k]:.{d}f}" if k in figures else "-" for k, d in told.items()]
    if "cost" not in record:
        return ["-", *scores]
    cost, version = record["cost"], record["versions"]
    own = next((each for each in version if each != "python"), "python")
    return [
        version[own],
        *scores,
        f"{cost['fit CPU s']:.0f}",
        f"{cost['fit wall s']:.0f}",
        f"{cost['rows'] / max(cost['sample CPU s'], 1e-9):,.0f}",
        f"{cost['peak MiB']:,.0f}",
    ]


def options_of() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    everyone = [_OURS, *PEERS]
    parser.add_argument("tables", nargs="+", type=Path, metavar="TABLE")
    parser.add_argument("--json", type=Path, required=True, metavar="OUT")
    parser.add_argument("--peers", nargs="+", choices=everyone, default=everyone)
    parser.add_argument("--again", nargs="+", choices=everyone, default=[])
    parser.add_argument("--limit-minutes", type=float, default=25.0, help="CPU, a model (25)")
    parser.add_argument(
        "--venvs", type=Path, default=Path(tempfile.gettempdir()) / "synthgan-peers"
    )
    parser.add_argument("--rows", type=int, help="take so many rows of each table")
    parser.add_argument("--show", action="store_true", help="run nothing, print what is in OUT")
    return parser.parse_args()


def _show(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def main() -> None:
    """Runs what is missing, prints one table of each table."""
    options = options_of()
    found: dict[str, Record] = {}
    if options.json.exists():
        found = json.loads(options.json.read_text(encoding="utf-8"))
    if options.show:
        keys = list(found)
    else:
        try:
            keys = [run_table(path, options, found) for path in options.tables]
        except synthgan.SynthganError as error:
            sys.exit(str(error))
    for key in keys:
        print("\n".join(markdown(key, found[key])) + "\n")


if __name__ == "__main__":
    main()
