"""Verdict and advice of the utility section."""

from __future__ import annotations

from synthgan.metrics.measure import Estimate, Findings, Measure
from synthgan.report.wording.figures import figure, yardstick
from synthgan.report.wording.readings import by_key, value


def utility(findings: Findings, target: str | None) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Verdict and advice of the utility section."""
    whole, _ = by_key(findings)
    verdict, advice = [], []
    ratio, score = whole.get("tstr"), whole.get("tstr_auc") or whole.get("tstr_r2")
    if score and score.is_defined:
        name = "AUC" if score.key == "tstr_auc" else "R2"
        share = f" ({_percent(ratio.estimate)} of that)" if ratio and ratio.is_defined else ""
        if ratio and not ratio.is_defined and ratio.note:
            share = " (no share of that: it is no better than chance)"
        verdict.append(
            f"Trained on synthetic rows, boosted trees predict {target!r} in unseen real rows with "
            f"{name} {figure(score)}; trained on real rows {yardstick(score.floor)}{share}, on "
            f"columns drawn independently {yardstick(score.baseline)}."
        )
        if ratio and ratio.is_defined and ratio.estimate.high < 0.95:
            advice.append(
                "Models trained on this table lose accuracy: use it to develop and to test, and "
                "fit the last model where the real rows are."
            )
    few = whole.get("augment_5")
    if few and few.is_defined:
        verdict.append(_augmentation(few))
    gap = whole.get("subgroup_gap")
    if gap and gap.is_defined and gap.estimate.low > max(value(gap.floor, 0.0), 0.0):
        advice.append(
            "There is a group of rows whose predictions get worse: see the subgroup gaps before a "
            "model that was trained on this table is used on people."
        )
    return tuple(verdict), tuple(advice)


def _augmentation(few: Measure) -> str:
    effect = (
        "helps"
        if few.estimate.low > 0
        else "harms"
        if few.estimate.high < 0
        else "makes no difference that can be seen"
    )
    other = ""
    if few.floor is not None and few.floor.value == few.floor.value:
        other = f"; as many other real rows gain {yardstick(few.floor, few.unit)}"
    score = "R2" if " R2 " in few.name else "AUC"
    return (
        f"Added to 5 % of the real rows ({few.note}), it {effect}: {figure(few)} of {score} x 100"
        f"{other}. Who has these 5 % alone would gain less: the generator has learned from all."
    )


def _percent(estimate: Estimate) -> str:
    return f"{estimate.value:.1%}".replace("%", " %")
