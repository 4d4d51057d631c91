"""Figures in words: what was found, in sentences that a person can act on.

A verdict says what was done, the figure with its interval, and the yardsticks. What is judged
"hard to tell" or "easily" is judged by the distance from the floor, not by the figure alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from synthgan.report.measure import Estimate, Findings, Goal, Measure

HEADLINES: dict[str, tuple[str, ...]] = {
    "fidelity": ("c2st", "shape", "trend", "accuracy_3", "coverage", "broken_rules"),
    "utility": ("tstr", "tstr_auc", "tstr_r2", "tstr_linear", "augment_5"),
    "privacy": ("mia", "exact_copies", "near_copies", "dcr_share", "attribute", "outlier_mia"),
}
"""The measures that a reader sees first, by section."""

MEASURES = frozenset({
    "shape", "missing", "trend", "all_pairs", "nmi", "accuracy_1", "accuracy_2", "accuracy_3",
    "c2st", "c2st_linear", "alpha_precision", "beta_recall", "precision", "recall", "density",
    "coverage", "frechet", "inception", "modes", "rare_coverage", "out_of_range", "duplicates",
    "broken_rules", "sdmetrics_shapes", "sdmetrics_trends", "tstr", "tstr_linear", "tstr_auc",
    "tstr_f1", "tstr_accuracy", "tstr_calibration", "tstr_r2", "tstr_rmse", "tstr_mae",
    "tstr_linear_auc", "tstr_linear_r2", "augment_5", "augment_20", "augment_100",
    "augment_balanced", "importance_agreement", "subgroup_gap", "exact_copies", "near_copies",
    "dcr_share", "dcr_share_worst", "nndr", "mia", "mia_distance", "mia_density",
    "mia_classifier", "mia_distance_tpr1", "mia_density_tpr1", "mia_classifier_tpr1",
    "mia_distance_tpr01", "mia_density_tpr01", "mia_classifier_tpr01", "attribute",
    "outlier_mia", "outliers_exposed",
})  # fmt: skip
"""Keys of all measures of a whole table: what limits may be set on."""

_ALARMS = (
    "exact_copies", "near_copies", "dcr_share_worst", "mia", "attribute", "outlier_mia"
)  # fmt: skip
"""What decides a verdict on privacy. Each is the worst of several looks and accounts for that;
single looks ring by chance now and then."""

_CLOSE, _FAR = 0.05, 0.15  # of the detector's AUC above the floor
_SHOWN = 3
_SMOKE = "These are smoke alarms: failing means that rows were memorised, passing means nothing."


# --- figures ----------------------------------------------------------------------------


def number(value: float, unit: str = "") -> str:
    """A figure, to as many digits as are worth reading."""
    digits = 2 if unit in ("%", "points") else 3
    if abs(value) >= 1000:
        digits = 0
    elif abs(value) >= 100:
        digits = 1
    text = f"{value:,.{digits}f}"
    return f"{text} %" if unit == "%" else f"{text} {unit}" if unit else text


def interval(estimate: Estimate, unit: str = "") -> str:
    """``0.53 (0.52 to 0.55)``; without brackets where no spread is known."""
    text = number(estimate.value, unit)
    if estimate.low != estimate.low or estimate.high != estimate.high:
        return text
    bare = "%" if unit == "%" else ""
    low, high = (number(bound, unit).removesuffix(unit).strip() for bound in estimate[1:])
    return f"{text} ({low} to {high}{' ' + bare if bare else ''})"


def figure(measure: Measure) -> str:
    """The measure's figure with its interval, or why there is none."""
    if not measure.is_defined:
        return f"not defined: {measure.note}" if measure.note else "not defined"
    return interval(measure.estimate, measure.unit)


def yardstick(estimate: Estimate | None, unit: str = "") -> str:
    """A floor or a baseline; a dash where there is none."""
    return (
        "-"
        if estimate is None or estimate.value != estimate.value
        else number(estimate.value, unit)
    )


# --- verdicts ---------------------------------------------------------------------------


def fidelity(findings: Findings) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Verdict and advice of the fidelity section."""
    whole, parts = _sorted(findings)
    verdict = [*_detection(whole), *_worst(parts), *_rules(whole), *_blind(whole)]
    return tuple(verdict), tuple(_fidelity_advice(whole, parts))


def _detection(whole: dict[str, Measure]) -> Iterator[str]:
    found = whole.get("c2st")
    if found is None or not found.is_defined:
        return
    floor = _value(found.floor, 0.5)
    distance = found.estimate.value - max(floor, 0.5)
    manner = (
        "hard to tell apart"
        if distance < _CLOSE
        else "told apart by a careful eye"
        if distance < _FAR
        else "easily told apart"
    )
    yield (
        f"Synthetic and real rows are {manner}: a gradient-boosted classifier does it with AUC "
        f"{figure(found)}; real from real rows {yardstick(found.floor)}, columns drawn "
        f"independently {yardstick(found.baseline)}; 0.5 is a coin's toss."
    )


def _worst(parts: dict[str, list[Measure]]) -> Iterator[str]:
    worst = _above_floor(parts.get("shape", ()))
    if worst:
        yield f"Furthest from the real columns: {_listed(worst)}; shape error, real rows' in turn."
    pairs = _above_floor(parts.get("trend", ()))
    if pairs:
        yield f"Furthest from the real pairs: {_listed(pairs)}; trend error, real rows' in turn."


def _rules(whole: dict[str, Measure]) -> Iterator[str]:
    for key, what in (
        ("broken_rules", "of the synthetic rows break a rule that every real row keeps"),
        ("out_of_range", "of the synthetic cells lie outside of what the real rows hold"),
    ):
        found = whole.get(key)
        if found and found.is_defined and found.estimate.low > _value(found.floor, 0.0):
            yield f"{number(found.estimate.value, found.unit)} {what}."
    modes = whole.get("modes")
    if modes and modes.is_defined and modes.estimate.high < _value(modes.floor, 1.0) - 0.05:
        yield (
            f"Some kinds of rows are nearly missing: {number(modes.estimate.value)} of the groups "
            f"in the real table are there, {yardstick(modes.floor)} in real rows."
        )


def _blind(whole: dict[str, Measure]) -> Iterator[str]:
    """Names the measures that columns drawn independently pass as well."""
    blind = [each.name for each in whole.values() if _is_blind(each)]
    if blind:
        yield (
            f"Columns drawn independently of each other do as well on: {', '.join(blind)}. These "
            "figures say nothing of what holds between columns."
        )


def _is_blind(each: Measure) -> bool:
    if each.baseline is None or not each.is_defined or each.baseline.value != each.baseline.value:
        return False
    gain = each.baseline.value - each.estimate.value
    if each.goal is Goal.HALF:
        gain = abs(each.baseline.value - 0.5) - abs(each.estimate.value - 0.5)
    elif each.goal is Goal.HIGH:
        gain = -gain
    elif each.goal is Goal.NONE:
        return False
    return gain <= 0


def _fidelity_advice(whole: dict[str, Measure], parts: dict[str, list[Measure]]) -> Iterator[str]:
    found = whole.get("c2st")
    clues = [each for each in parts.get("giveaway", ()) if each.estimate.low > 0]
    if found and found.is_defined and clues:
        distance = found.estimate.value - max(_value(found.floor, 0.5), 0.5)
        if distance >= _CLOSE:
            names = ", ".join(repr(each.columns[0]) for each in clues[:_SHOWN])
            yield (
                f"Look at {names} first: the classifier tells synthetic rows by them. Check "
                "their kind in the schema, or train longer."
            )
    broken = whole.get("broken_rules")
    if broken and broken.is_defined and broken.estimate.low > 0:
        yield "Drop the rows that break a rule if whoever uses the table relies on it."
    rare = whole.get("rare_coverage")
    if rare and rare.is_defined and rare.estimate.high < _value(rare.floor, 0.0):
        yield "Rare values are fewer than in real rows: draw more rows, or ask for them by name."


def utility(findings: Findings, target: str | None) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Verdict and advice of the utility section."""
    whole, _ = _sorted(findings)
    verdict, advice = [], []
    ratio, score = whole.get("tstr"), whole.get("tstr_auc") or whole.get("tstr_r2")
    if score and score.is_defined:
        name = "AUC" if score.key == "tstr_auc" else "R2"
        share = f" ({_percent(ratio.estimate)} of that)" if ratio and ratio.is_defined else ""
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
    if gap and gap.is_defined and gap.estimate.low > 0:
        advice.append(
            "Some groups lose more than others: see the subgroup gaps before a model that was "
            "trained on this table is used on people."
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
    return f"Added to 5 % of the real rows, it {effect} ({figure(few)}){other}."


def privacy(findings: Findings, guarantee: str | None) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Verdict and advice of the privacy section."""
    whole, _ = _sorted(findings)
    alarms = [whole[key] for key in _ALARMS if key in whole and is_alarm(whole[key])]
    verdict, advice = [], []
    if guarantee:
        verdict.append(f"Guarantee: {guarantee}")
    if alarms:
        names = ", ".join(f"{each.name} {figure(each)}" for each in alarms)
        verdict.append(f"Training rows show through: {names}.")
        advice.append(
            "Do not hand out this table: the generator has memorised rows. Train for fewer steps, "
            "on more rows, or with a privacy guarantee."
        )
    elif any(each.is_defined for each in whole.values()):
        verdict.append("No alarm went off in the attacks and distances below.")
    strongest = whole.get("mia")
    if strongest and strongest.is_defined:
        verdict.append(
            f"The strongest membership attack tells training from unseen rows with AUC "
            f"{figure(strongest)}; 0.5 is a coin's toss."
        )
    if any(each.is_defined for each in whole.values()):
        verdict.append(_SMOKE)
    if not guarantee:
        verdict.append("No guarantee is known: only differential privacy would give one.")
    return tuple(verdict), tuple(advice)


def is_alarm(each: Measure) -> bool:
    """Whether an attack did better than it can by chance: its interval is beyond its yardstick."""
    if not each.is_defined or each.estimate.low != each.estimate.low:
        return False
    if each.goal is Goal.HALF:
        return each.estimate.low > 0.5
    if each.goal is Goal.LOW:
        bar = each.floor.high if each.floor is not None else 0.0
        return each.estimate.low > (bar if bar == bar else _value(each.floor, 0.0))
    return False


# --- small things -----------------------------------------------------------------------


def _sorted(findings: Findings) -> tuple[dict[str, Measure], dict[str, list[Measure]]]:
    """Measures of the whole table by key, and those of columns and pairs."""
    whole: dict[str, Measure] = {}
    parts: dict[str, list[Measure]] = {}
    for each in findings.measures:
        if each.columns:
            parts.setdefault(each.key, []).append(each)
        else:
            whole[each.key] = each
    return whole, parts


def _above_floor(measures: Iterable[Measure]) -> list[Measure]:
    """The few whose error is most above that of real rows, beyond both intervals."""
    beyond = [
        each
        for each in measures
        if each.is_defined
        and each.estimate.low > max(_value(each.floor, 0.0), each.floor.high if each.floor else 0.0)
    ]
    return sorted(beyond, key=lambda each: _value(each.floor, 0.0) - each.estimate.value)[:_SHOWN]


def _listed(measures: Sequence[Measure]) -> str:
    return ", ".join(
        f"{' and '.join(map(repr, each.columns))} {number(each.estimate.value, each.unit)} "
        f"({yardstick(each.floor, each.unit)})"
        for each in measures
    )


def _percent(estimate: Estimate) -> str:
    return f"{estimate.value:.1%}".replace("%", " %")


def _value(estimate: Estimate | None, otherwise: float) -> float:
    if estimate is None or estimate.value != estimate.value:
        return otherwise
    return estimate.value
