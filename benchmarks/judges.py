"""Times judges of synthetic tables side by side, on the same rows, in one run.

    python benchmarks/judges.py TABLE... [--rows N] [--steps N] [--json OUT]

Each table is split 80/20 in a fixed way; a model is fitted to the 80 % (--steps makes it a quick
one: the judges do not mind) and draws as many rows. Then each judge gets the same three tables:
SynthGAN's report, SDMetrics' quality and diagnostic reports and its distance scores, and
mostlyai-qa's report. What is not installed is left out, and said.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from memory import forget_peak, peak_mib
from tables import cut

import synthgan

Figures = dict[str, float]

_DISTANCE_ROWS = 1_500


@dataclass(frozen=True, kw_only=True)
class Case:
    """One table as every judge gets it."""

    name: str
    train: pd.DataFrame
    holdout: pd.DataFrame
    synthetic: pd.DataFrame
    target: str | None


def make_case(path: Path, rows: int | None, steps: int | None) -> Case:
    """Splits the table at ``path``, fits a model and draws from it."""
    halves = cut(path, rows)
    config = synthgan.Config(train=synthgan.TrainConfig(steps=steps))
    synthetic = synthgan.fit(halves.train, config=config).sample(len(halves.train), seed=0)
    return Case(
        name=halves.name,
        train=halves.train,
        holdout=halves.holdout,
        synthetic=synthetic,
        target=halves.target,
    )


# --- judges -----------------------------------------------------------------------------


def synthgan_report(case: Case) -> Figures:
    """Everything, page included."""
    report = synthgan.evaluate(
        case.synthetic, train=case.train, holdout=case.holdout, target=case.target
    )
    page = report.to_html()
    figures = {each.key: each.estimate.value for each in report.measures if not each.columns}
    return figures | {"measures": float(len(report.measures)), "page, MB": len(page) / 1e6}


def _metadata(case: Case) -> dict[str, object]:
    def kind(cells: pd.Series) -> str:
        if pd.api.types.is_datetime64_any_dtype(cells.dtype):
            return "datetime"
        is_number = pd.api.types.is_numeric_dtype(cells) and not pd.api.types.is_bool_dtype(cells)
        return "numerical" if is_number else "categorical"

    return {"columns": {name: {"sdtype": kind(case.train[name])} for name in case.train}}


def sdmetrics_quality(case: Case) -> Figures:
    """QualityReport: column shapes and pair trends."""
    from sdmetrics.reports.single_table import QualityReport

    report = QualityReport()
    report.generate(case.train, case.synthetic, _metadata(case), verbose=False)
    scores = report.get_properties().set_index("Property")["Score"]
    return {name: float(score) for name, score in scores.items()}


def sdmetrics_diagnostic(case: Case) -> Figures:
    """DiagnosticReport: validity and structure."""
    from sdmetrics.reports.single_table import DiagnosticReport

    report = DiagnosticReport()
    report.generate(case.train, case.synthetic, _metadata(case), verbose=False)
    scores = report.get_properties().set_index("Property")["Score"]
    return {name: float(score) for name, score in scores.items()}


def sdmetrics_distances(case: Case) -> Figures:
    """DCR baseline and overfitting protection, on 1,500 rows a table: time grows with the square
    of the rows, and all of them, the default, would take hours."""
    from sdmetrics.single_table import DCRBaselineProtection, DCROverfittingProtection

    about = {"tables": {"table": _metadata(case)}}
    train, made, held = (
        each.sample(min(_DISTANCE_ROWS, len(each)), random_state=0)
        for each in (case.train, case.synthetic, case.holdout)
    )
    baseline = DCRBaselineProtection.compute_breakdown(train, made, about, "table")
    overfit = DCROverfittingProtection.compute_breakdown(train, made, held, about, "table")
    return {"DCR baseline": baseline["score"], "DCR overfitting": overfit["score"]}


def mostlyai_qa(case: Case) -> Figures:
    """The report of mostlyai-qa."""
    from mostlyai import qa

    with tempfile.TemporaryDirectory() as folder:
        _, metrics = qa.report(
            syn_tgt_data=case.synthetic,
            trn_tgt_data=case.train,
            hol_tgt_data=case.holdout,
            report_path=Path(folder) / "report.html",
        )
    found = metrics.model_dump()
    return {
        f"{part} {name}": value
        for part, values in found.items()
        for name, value in (values or {}).items()
        if isinstance(value, float)
    }


JUDGES: dict[str, Callable[[Case], Figures]] = {
    "synthgan.evaluate": synthgan_report,
    "sdmetrics quality": sdmetrics_quality,
    "sdmetrics diagnostic": sdmetrics_diagnostic,
    "sdmetrics distances": sdmetrics_distances,
    "mostlyai-qa": mostlyai_qa,
}


# --- the run ----------------------------------------------------------------------------


def run(case: Case, name: str) -> dict[str, object]:
    """One judge on one table: its time and figures, or what stopped it."""
    forget_peak()
    wall, cpu = time.perf_counter(), time.process_time()
    result: dict[str, object] = {"table": case.name, "judge": name}
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore")
            result["figures"] = JUDGES[name](case)
    except ModuleNotFoundError as error:
        return result | {"left out": f"{error.name} is not installed"}
    except Exception as error:  # noqa: BLE001 - a peer's failure is a result
        result["failed"] = type(error).__name__
    return result | {
        "wall": time.perf_counter() - wall,
        "cpu": time.process_time() - cpu,
        "peak_mib": peak_mib(),
    }


def show(result: dict[str, object]) -> None:
    """One line a judge, its figures below."""
    head = f"{result['table']:<12}{result['judge']:<22}"
    if "left out" in result:
        print(head + f"left out: {result['left out']}")
        return
    print(
        head + f"{result['wall']:8.1f} s wall {result['cpu']:8.1f} s CPU "
        f"{result['peak_mib']:6.0f} MiB {result.get('failed', '')}"
    )
    figures = result.get("figures")
    if isinstance(figures, dict):
        print("    " + ", ".join(f"{name} {value:.3f}" for name, value in figures.items()))
    sys.stdout.flush()


def main() -> None:
    """Prints a line for each table and judge."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("tables", nargs="+", type=Path, metavar="TABLE")
    parser.add_argument("--rows", type=int, help="take so many rows of each table")
    parser.add_argument("--steps", type=int, help="fit with so many steps; without it, fully")
    parser.add_argument("--judges", nargs="+", choices=list(JUDGES), default=list(JUDGES))
    parser.add_argument("--json", type=Path, metavar="OUT", help="write all figures to this file")
    chosen = parser.parse_args()
    results = []
    for path in chosen.tables:
        case = make_case(path, chosen.rows, chosen.steps)
        for name in chosen.judges:
            results.append(run(case, name))
            show(results[-1])
    if chosen.json is not None:
        chosen.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
