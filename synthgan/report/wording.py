"""Figures in words: what was found, in sentences that a person can act on.

A verdict says what was done, the figure with its interval, and the yardsticks. What is judged
"hard to tell" or "easily" is judged by the distance from the floor, not by the figure alone.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from statistics import NormalDist

from synthgan.errors import ConfigError
from synthgan.report.measure import Estimate, Findings, Goal, Measure, Replay, Verdict

HEADLINES: dict[str, tuple[str, ...]] = {
    "fidelity": ("c2st", "shape", "trend", "accuracy_3", "coverage", "broken_rules"),
    "utility": ("tstr", "tstr_auc", "tstr_r2", "tstr_linear", "augment_5"),
    "privacy": (
        "replayed", "mia", "exact_copies", "near_copies", "dcr_share", "attribute", "outlier_mia",
    ),
}  # fmt: skip
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
    "outlier_mia", "outliers_exposed", "holdout_copies", "copied_identifiers", "replayed",
})  # fmt: skip
"""Keys of all measures of a whole table."""

_UNRANKED = frozenset({
    "inception", "duplicates", "accuracy_1_most", "accuracy_2_most", "accuracy_3_most",
})  # fmt: skip
"""Neither low nor high is good: no limit can be set on them."""

_ALARMS = (
    "exact_copies", "near_copies", "copied_identifiers", "dcr_share_worst", "mia", "attribute",
    "outlier_mia",
)  # fmt: skip
"""What decides a verdict on privacy, beside ``replayed``. Each is the worst of several looks and
accounts for that; single looks ring by chance now and then."""
_REPLAYED = "replayed"
"""An alarm, too. Its interval needs no widening, and it needs no holdout."""
_COPIES = frozenset({"exact_copies", "copied_identifiers"})
"""What is looked for without a holdout, too."""

_Z, _ALARM_Z = (NormalDist().inv_cdf(1 - 0.025 / looks) for looks in (1, len(_ALARMS)))
_CLOSE, _FAR = 0.05, 0.15  # of the detector's AUC above the floor
_OVERLAP = 0.02  # share of the holdout beyond what duplicates explain
_SHOWN = 3
_MOST_NAMED = 10
_UNLIKE = 0.55  # AUC that tells held-out from training rows
_NEVER_HARD = 0.65  # AUC that is never called hard to tell
_BELOW = 0.45  # AUC that a detector reaches by no chance
_FEW = 50  # rows of a table
_SMOKE = (
    "These are smoke alarms: failing means that training rows show through, or that the holdout "
    "is no random sample; passing means nothing."
)


# --- figures ----------------------------------------------------------------------------


def number(value: float, unit: str = "") -> str:
    """A figure, to as many digits as are worth reading."""
    digits = 2 if unit in ("%", "points") else 3
    size = abs(value)
    if size >= 1e9 or 0 < size < 0.5e-6:
        text = f"{value:.3g}"
    elif size >= 100:
        text = f"{value:,.{0 if size >= 1000 else 1}f}"
    else:
        # What is not 0 does not read as 0: one row in a million may be a memorised one.
        while size and round(size, digits) == 0:
            digits += 1
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


def fidelity(
    findings: Findings, unreadable: Mapping[str, int] | None = None
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Verdict and advice of the fidelity section.

    ``unreadable``: synthetic cells that do not fit their column, by column.
    """
    whole, parts = _sorted(findings)
    verdict = [
        *_detection(whole),
        *_unreadable(unreadable or {}),
        *_worst(parts),
        *_rules(whole),
        *_blind(whole),
    ]
    return tuple(verdict), tuple(_fidelity_advice(whole, parts))


def _detection(whole: dict[str, Measure]) -> Iterator[str]:
    found = whole.get("c2st")
    if found is None or not found.is_defined:
        return
    by = (
        f"a gradient-boosted classifier does it with AUC {figure(found)}; real from real rows "
        f"{yardstick(found.floor)}, columns drawn independently {yardstick(found.baseline)}; 0.5 "
        "is a coin's toss."
    )
    if is_unlike(found):
        yield f"Whether synthetic and real rows can be told apart cannot be read: {by}"
    elif found.estimate.high < _BELOW:
        yield (
            f"Rows are repeated across the tables: telling synthetic from real rows, {by} Far "
            "below that, the same rows stand on both sides."
        )
    else:
        yield f"Synthetic and real rows are {_manner(found)}: {by}"


def _manner(found: Measure) -> str:
    """How well the detector tells synthetic rows, in words."""
    floor = max(_value(found.floor, 0.5), 0.5)
    distance = found.estimate.value - floor
    if distance >= _FAR:
        return "easily told apart"
    if found.estimate.value > _NEVER_HARD:
        return "told apart"
    bar = found.floor.high if found.floor and found.floor.high == found.floor.high else floor
    if distance >= _CLOSE and found.estimate.low > bar:
        return "told apart at times"
    if found.estimate.high - floor >= _FAR:
        return "not told apart, but too few to say more"
    return "hard to tell apart"


def is_unlike(found: Measure | None) -> bool:
    """Whether the detector tells held-out from training rows; ``found`` is ``c2st``."""
    return found is not None and found.floor is not None and found.floor.low > _UNLIKE


def _unreadable(cells: Mapping[str, int]) -> Iterator[str]:
    if cells:
        worst = sorted(cells, key=lambda name: -cells[name])[:_MOST_NAMED]
        named = ", ".join(f"{name!r} {cells[name]:,}" for name in worst)
        more = f" and {len(cells) - len(worst)} more columns" if len(cells) > len(worst) else ""
        yield (
            "Synthetic cells that cannot be read as the number or date that their column holds "
            f"count as missing: {named}{more}."
        )


_OTHERS = "in brackets: what real rows get"


def _worst(parts: dict[str, list[Measure]]) -> Iterator[str]:
    columns = parts.get("shape", [])
    worst = _above_floor(columns, len(columns))
    if worst:
        yield f"Columns with the largest shape error ({_OTHERS}): {_listed(worst)}."
    # Of very many pairs the worst alone have a line, but all were looked at.
    trends = parts.get("trend", [])
    pairs = _above_floor(trends, max(len(trends), math.comb(len(columns), 2)))
    if pairs:
        yield f"Pairs of columns with the largest trend error ({_OTHERS}): {_listed(pairs)}."


def _rules(whole: dict[str, Measure]) -> Iterator[str]:
    for key, what in (
        ("broken_rules", "of the synthetic rows break a rule that every training row keeps"),
        ("out_of_range", "of the synthetic cells lie outside of what the real rows hold"),
    ):
        found = whole.get(key)
        if found and _is_above(found):
            yield (
                f"{number(found.estimate.value, found.unit)} {what}; of real rows that were not "
                f"looked at for this, {yardstick(found.floor, found.unit)}."
            )
    modes = whole.get("modes")
    if modes and modes.is_defined and modes.estimate.high < _value(modes.floor, 1.0) - 0.05:
        yield (
            f"Some kinds of rows are nearly missing: {number(modes.estimate.value)} of the groups "
            f"in the real table are there, {yardstick(modes.floor)} in real rows."
        )


def _blind(whole: dict[str, Measure]) -> Iterator[str]:
    """Names the measures that columns drawn independently pass, and those that they win."""
    blind = [each for each in whole.values() if _is_passed(each)]
    lost = [each for each in whole.values() if each not in blind and _is_lost(each)]
    if lost:
        names = ", ".join(each.name for each in lost)
        yield f"No better than columns drawn independently of each other on: {names}."
    if blind:
        names = ", ".join(each.name for each in blind)
        yield (
            "Not telling on this table, as columns drawn independently of each other get what "
            f"real rows get: {names}."
        )


def _is_passed(each: Measure) -> bool:
    """Whether independent columns are as good as real rows, as far as can be seen."""
    if each.floor is None or each.baseline is None or each.goal is Goal.NONE:
        return False
    if each.floor.value != each.floor.value or each.baseline.value != each.baseline.value:
        return False
    spread = [_spread(bounds) for bounds in (each.floor, each.baseline)]
    return _lead(each.goal, each.floor, each.baseline) <= math.hypot(*spread)


def _is_lost(each: Measure) -> bool:
    """Whether independent columns are at least as good as the synthetic rows."""
    if each.baseline is None or each.goal is Goal.NONE or not each.is_defined:
        return False
    return _lead(each.goal, each.estimate, each.baseline) <= 0


def _lead(goal: Goal, one: Estimate, other: Estimate) -> float:
    """By how much ``one`` is better than ``other``."""
    if goal is Goal.HALF:
        return abs(other.value - 0.5) - abs(one.value - 0.5)
    return one.value - other.value if goal is Goal.HIGH else other.value - one.value


def _spread(estimate: Estimate) -> float:
    """Half of the interval, the wider one if it was cut; 0 where it is not known."""
    wider = max(estimate.high - estimate.value, estimate.value - estimate.low)
    return wider if wider == wider else 0.0


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
    if broken and _is_above(broken):
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
    if gap and gap.is_defined and gap.estimate.low > max(_value(gap.floor, 0.0), 0.0):
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


def privacy(
    findings: Findings,
    guarantee: str | None,
    *,
    unlike: bool = False,
    unjudged: Sequence[str] = (),
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Verdict and advice of the privacy section.

    ``unlike``: held-out rows are unlike the training rows. ``unjudged``: columns in which
    nothing but copies was looked for.
    """
    whole, _ = _sorted(findings)
    verdict, advice = _rung(findings, whole, unlike=unlike)
    if guarantee:
        verdict.insert(0, f"Guarantee: {guarantee}")
    verdict += _coincidences(findings.replays)
    copied = whole.get("copied_identifiers")
    rung = {each.column for each in findings.replays if each.verdict == "replayed"}
    quiet = [name for name in unjudged if name not in rung]
    if copied is not None and not is_alarm(copied) and quiet:
        verdict.append(
            "Copied no more than chance or counting explains, and not judged otherwise: columns "
            f"{_named(quiet)}."
        )
    strongest = whole.get("mia")
    if strongest and strongest.is_defined:
        verdict.append(
            f"The strongest membership attack tells training from unseen rows with AUC "
            f"{figure(strongest)}; 0.5 is a coin's toss."
        )
    if any(each.is_defined for each in whole.values()):
        verdict.append(_SMOKE)
        if not _alarms_of(whole):
            advice.append(
                "Passing proves nothing: treat the table as personal data unless a guarantee or "
                "your own assessment says otherwise."
            )
    if not guarantee:
        verdict.append("No guarantee is known: only differential privacy would give one.")
    return tuple(verdict), tuple(advice)


def _alarms_of(whole: dict[str, Measure]) -> list[Measure]:
    """The measures that ring."""
    return [whole[key] for key in (_REPLAYED, *_ALARMS) if key in whole and is_alarm(whole[key])]


def _rung(
    findings: Findings, whole: dict[str, Measure], *, unlike: bool
) -> tuple[list[str], list[str]]:
    """What rings, or that nothing does, and what to do about it."""
    found = _alarms_of(whole)
    if not found:
        return list(_quiet(findings, whole)), []
    verdict, advice = [], []
    if found[0].key == _REPLAYED:
        verdict.append(_replay(findings.replays, found.pop(0)))
        advice.append(_REPLAY_ADVICE)
    if found:
        verdict.append(_alarms(found, unlike=unlike))
        if not unlike:
            advice.append(
                "Do not hand out this table: the generator has memorised rows or parts of them. "
                "Train for fewer steps, on more rows, or with a privacy guarantee."
            )
    if not _is_attacked(whole):
        verdict.append(f"Nothing but copies was looked for{_reasons(findings)}.")
    return verdict, advice


REPLAY_VERDICTS: dict[Verdict, str] = {
    "replayed": "real values come out again",
    "chance": "no more than chance",
    "counting": "numbers in a row: they coincide by counting",
    "nothing": "none came out",
}
"""What is said of a column, by how its values were judged."""

_REPLAY_ADVICE = (
    "Do not hand out this table: it names real people. Make the columns that come out again kind "
    "identifier or text in the schema (or drop them), name whose rows they are (entity), and fit "
    "again."
)


def _replay(replays: Sequence[Replay], found: Measure) -> str:
    """Which columns' real values come out again, how many, and how many chance would make."""
    rung = sorted((e for e in replays if e.verdict == "replayed"), key=lambda e: -e.share)
    named = ", ".join(
        f"{each.column!r} in {number(each.share, '%')} of the cells ({each.came_out:,} of "
        f"{each.singling:,} values; chance makes {number(each.chance, '%')})"
        for each in rung[:_MOST_NAMED]
    )
    more = f" and {len(rung) - _MOST_NAMED} more columns" if len(rung) > _MOST_NAMED else ""
    named = named or f"{figure(found)} ({found.note})"
    return (
        "Training rows show through: real values that single somebody out come out again, "
        f"{named}{more}. This needs no holdout to be read."
    )


def _coincidences(replays: Sequence[Replay]) -> Iterator[str]:
    counted = [each.column for each in replays if each.verdict == "counting"]
    if counted:
        yield (
            "Numbers that coincide by counting, and name nobody for that: columns "
            f"{_named(counted)}."
        )


def _alarms(alarms: Sequence[Measure], *, unlike: bool) -> str:
    """Alarms that ring; ``unlike``: the holdout is no yardstick."""
    names = ", ".join(f"{each.name} {figure(each)}" for each in alarms)
    notes = [each.note for each in alarms if each.key == "copied_identifiers"]
    widened = f"intervals are widened for {len(_ALARMS)} alarms"
    names += f" ({'; '.join([*notes, widened])})"
    if unlike:
        return f"Alarms that cannot be read, as the holdout is no yardstick: {names}."
    return f"Training rows show through: {names}."


def _quiet(findings: Findings, whole: dict[str, Measure]) -> Iterator[str]:
    """What no alarm means: that none rang, or that none could."""
    if _is_attacked(whole):
        yield (
            "No alarm went off in the attacks and distances below "
            f"(intervals are widened for {len(_ALARMS)} alarms)."
        )
    elif any(each.is_defined for each in whole.values()):
        yield (
            f"Privacy was not judged{_reasons(findings)}. Only copies of training rows and of "
            "values that single somebody out were looked for, and there are no more than chance "
            "makes."
        )


def _is_attacked(whole: dict[str, Measure]) -> bool:
    """Whether more than copies was looked for."""
    return any(whole[key].is_defined for key in _ALARMS if key in whole and key not in _COPIES)


def _reasons(findings: Findings) -> str:
    why = "; ".join(dict.fromkeys(each.why for each in findings.left_out))
    return f": {why}" if why else ""


def _named(columns: Sequence[str]) -> str:
    more = f" and {len(columns) - _MOST_NAMED} more" if len(columns) > _MOST_NAMED else ""
    return ", ".join(map(repr, columns[:_MOST_NAMED])) + more


# --- what is said before all else --------------------------------------------------------


def first(fidelity: Findings, privacy: Findings, rows: Mapping[str, int]) -> tuple[str, ...]:
    """What every section begins with: why its figures may say little; ``rows`` by table."""
    return (*few(rows), *unlike(fidelity), *overlap(privacy))


def few(rows: Mapping[str, int]) -> tuple[str, ...]:
    """What to say first if a table has too few rows."""
    found = ", ".join(f"{name} {count:,}" for name, count in rows.items() if count < _FEW)
    if not found:
        return ()
    return (f"So few rows cannot be judged: {found}; {_FEW} of each table are the least.",)


def unlike(findings: Findings) -> tuple[str, ...]:
    """What to say first if held-out rows are unlike training rows; ``findings`` on fidelity."""
    found = _sorted(findings)[0].get("c2st")
    if found is None or not is_unlike(found):
        return ()
    return (
        "Held-out rows are unlike the training rows: a classifier tells real from real rows with "
        f"AUC {interval(found.floor or Estimate.undefined())}. Rows must be set aside at random "
        "(not the last or the newest ones); what is held against them below cannot be read.",
    )


def overlap(findings: Findings) -> tuple[str, ...]:
    """What to say first if many held-out rows are training rows; ``findings`` on privacy."""
    found = _sorted(findings)[0].get("holdout_copies")
    if found is None or found.floor is None or not _is_above(found):
        return ()
    more = (found.estimate.value - found.floor.value) / max(100 - found.floor.value, 1e-9)
    if more < _OVERLAP:
        return ()
    return (
        f"The holdout is not unseen: {number(found.estimate.value, '%')} of its rows stand in the "
        f"training rows, and {yardstick(found.floor, '%')} of the training rows stand there twice. "
        "What is held against it below cannot be trusted: set rows aside anew.",
    )


def is_alarm(each: Measure) -> bool:
    """Whether an attack did better than it can by chance: its interval is beyond its yardstick.

    Seven alarms have seven chances to ring for nothing: intervals are widened for that
    (Bonferroni), but for ``replayed``, whose interval allows for it. Where
    nobody knows how much chance makes, nothing rings.
    """
    if not each.is_defined or each.estimate.low != each.estimate.low:
        return False
    wider = 1.0 if each.key == _REPLAYED else _ALARM_Z / _Z
    widened = wider * (each.estimate.value - each.estimate.low)
    low = each.estimate.value - widened
    if each.goal is Goal.HALF:
        return low > 0.5
    if each.goal is Goal.LOW and each.floor is not None and each.floor.value == each.floor.value:
        bar = each.floor.high
        return low > (bar if bar == bar else each.floor.value)
    return False


# --- limits -----------------------------------------------------------------------------


def check_limits(limits: Mapping[str, float], known: Iterable[str] = ()) -> None:
    """Raises :class:`ConfigError` for a limit that no report can be held against.

    That is one on a name that no measure has (``known`` ones beside :data:`MEASURES`), on a
    measure that is neither good when low nor when high, or one that is no finite number.
    """
    names = sorted({*known, *MEASURES} - _UNRANKED)
    for key, limit in limits.items():
        if key in _UNRANKED:
            raise ConfigError(
                f"no limit can be set on {key!r}: it is to be like that of real rows, and neither "
                "low nor high values are good; leave it out"
            )
        if key not in names:
            near = difflib.get_close_matches(str(key), names, n=5, cutoff=0.5)
            hint = "did you mean " + " or ".join(map(repr, near)) if near else f"some are {names}"
            raise ConfigError(f"no measure is called {key!r}; {hint}?".replace("]?", "]"))
        if isinstance(limit, bool) or not isinstance(limit, int | float):
            raise ConfigError(f"the limit on {key!r} must be a number, got {type(limit).__name__}")
        if not math.isfinite(limit):
            raise ConfigError(f"the limit on {key!r} must be a finite number, got {limit!r}")


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


def _is_above(each: Measure) -> bool:
    """Whether an error is above that of real rows, beyond both intervals."""
    if not each.is_defined or each.floor is None:
        return each.is_defined and each.estimate.low > 0
    return each.estimate.low > max(_value(each.floor, 0.0), each.floor.high)


def _above_floor(measures: Iterable[Measure], looks: int) -> list[Measure]:
    """The few whose error is most above that of real rows, by more than the worst of so many
    ``looks`` is by chance (Bonferroni)."""
    z = NormalDist().inv_cdf(1 - 0.025 / max(looks, 1))

    def excess(each: Measure) -> float:
        return each.estimate.value - _value(each.floor, 0.0)

    beyond = [
        each
        for each in measures
        if each.is_defined
        and excess(each)
        > z / _Z * math.hypot(_spread(each.estimate), _spread(each.floor) if each.floor else 0.0)
    ]
    return sorted(beyond, key=lambda each: -excess(each))[:_SHOWN]


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
