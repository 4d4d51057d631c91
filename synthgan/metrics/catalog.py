"""All measures, one line each, and what each means in plain words: the one list of them.

Reports, limits, the glossary and the documentation are made from it.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

from synthgan.errors import ConfigError


@dataclass(frozen=True)
class Entry:
    """A measure of a whole table."""

    key: str
    section: Literal["fidelity", "utility", "privacy"]
    term: str = ""
    """Key of the explanation, if it is not the measure's own."""
    headline: int = 0
    """Its place among those that a reader sees first in the section; 0: further down."""
    is_alarm: bool = False
    """Whether it decides a verdict on privacy. It is the worst of several looks and accounts for
    that."""
    is_ranked: bool = True
    """Whether low or high is good: if not, no limit can be set on it."""


class Term(NamedTuple):
    """One entry of the glossary."""

    key: str
    """Names the entry in links."""
    name: str
    text: str
    source: str = ""


CATALOG = (
    Entry("shape", "fidelity", headline=2),
    Entry("missing", "fidelity"),
    Entry("trend", "fidelity", headline=3),
    Entry("all_pairs", "fidelity"),
    Entry("nmi", "fidelity"),
    Entry("accuracy_1", "fidelity", term="accuracy"),
    Entry("accuracy_2", "fidelity", term="accuracy"),
    Entry("accuracy_3", "fidelity", term="accuracy", headline=4),
    Entry("c2st", "fidelity", headline=1),
    Entry("c2st_linear", "fidelity", term="c2st"),
    Entry("alpha_precision", "fidelity"),
    Entry("beta_recall", "fidelity", term="alpha_precision"),
    Entry("precision", "fidelity", term="coverage"),
    Entry("recall", "fidelity", term="coverage"),
    Entry("density", "fidelity", term="coverage"),
    Entry("coverage", "fidelity", headline=5),
    Entry("frechet", "fidelity"),
    Entry("inception", "fidelity", is_ranked=False),
    Entry("modes", "fidelity"),
    Entry("rare_coverage", "fidelity"),
    Entry("out_of_range", "fidelity"),
    Entry("duplicates", "fidelity", is_ranked=False),
    Entry("broken_rules", "fidelity", headline=6),
    Entry("sdmetrics_shapes", "fidelity", term="sdmetrics"),
    Entry("sdmetrics_trends", "fidelity", term="sdmetrics"),
    Entry("tstr", "utility", headline=1),
    Entry("tstr_linear", "utility", term="tstr", headline=4),
    Entry("tstr_auc", "utility", term="tstr", headline=2),
    Entry("tstr_f1", "utility", term="tstr"),
    Entry("tstr_accuracy", "utility", term="tstr"),
    Entry("tstr_calibration", "utility", term="calibration"),
    Entry("tstr_r2", "utility", term="tstr", headline=3),
    Entry("tstr_rmse", "utility", term="tstr"),
    Entry("tstr_mae", "utility", term="tstr"),
    Entry("tstr_linear_auc", "utility", term="tstr"),
    Entry("tstr_linear_r2", "utility", term="tstr"),
    Entry("augment_5", "utility", term="augment", headline=5),
    Entry("augment_20", "utility", term="augment"),
    Entry("augment_100", "utility", term="augment"),
    Entry("augment_balanced", "utility", term="augment"),
    Entry("importance_agreement", "utility"),
    Entry("subgroup_gap", "utility"),
    Entry("exact_copies", "privacy", term="copies", headline=3, is_alarm=True),
    Entry("near_copies", "privacy", term="copies", headline=4, is_alarm=True),
    Entry("copied_identifiers", "privacy", term="copies", is_alarm=True),
    Entry("dcr_share", "privacy", headline=5),
    Entry("dcr_share_worst", "privacy", term="dcr_share", is_alarm=True),
    Entry("nndr", "privacy", term="dcr_share"),
    Entry("mia", "privacy", headline=2, is_alarm=True),
    Entry("mia_distance", "privacy", term="mia"),
    Entry("mia_density", "privacy", term="mia"),
    Entry("mia_classifier", "privacy", term="mia"),
    Entry("mia_distance_tpr1", "privacy", term="mia"),
    Entry("mia_density_tpr1", "privacy", term="mia"),
    Entry("mia_classifier_tpr1", "privacy", term="mia"),
    Entry("mia_distance_tpr01", "privacy", term="mia"),
    Entry("mia_density_tpr01", "privacy", term="mia"),
    Entry("mia_classifier_tpr01", "privacy", term="mia"),
    Entry("attribute", "privacy", headline=6, is_alarm=True),
    Entry("outlier_mia", "privacy", term="outlier", headline=7, is_alarm=True),
    Entry("outliers_exposed", "privacy", term="outlier"),
    Entry("holdout_copies", "privacy", term="copies"),
    Entry("replayed", "privacy", headline=1),
)

MEASURES = frozenset(entry.key for entry in CATALOG)
"""Keys of all measures of a whole table."""

HEADLINES = {
    section: tuple(
        entry.key
        for entry in sorted(CATALOG, key=lambda entry: entry.headline)
        if entry.headline and entry.section == section
    )
    for section in ("fidelity", "utility", "privacy")
}
"""The measures that a reader sees first, by section."""

ALARMS = tuple(entry.key for entry in CATALOG if entry.is_alarm)

_UNRANKED = {entry.key for entry in CATALOG if not entry.is_ranked}
_UNRANKED |= {f"accuracy_{size}_most" for size in (1, 2, 3)}

_ALAA = (
    'Alaa, van Breugel, Saveliev and van der Schaar 2022, "How Faithful is your Synthetic Data?", '
    "ICML."
)
_PRDC = (
    'Naeem, Oh, Uh, Choi and Yoo 2020, "Reliable Fidelity and Diversity Metrics for Generative '
    'Models", ICML; precision and recall: Kynkäänniemi et al. 2019, NeurIPS.'
)
_DCR = 'Platzer and Reutterer 2021, Frontiers in Big Data; Yao et al. 2025, "The DCR Delusion".'
_TSTR = "Esteban, Hyland and Rätsch 2017 (train on synthetic, test on real)."
_MIA = (
    'Van Breugel, Sun, Qian and van der Schaar 2023, "Membership Inference Attacks against '
    'Synthetic Data through Overfitting Detection", AISTATS (DOMIAS); Carlini et al. 2022, '
    '"Membership Inference Attacks From First Principles", IEEE S&P (true positives at few false '
    "ones)."
)

EXPLANATIONS = (
    Term(
        "shape",
        "Column shape",
        "How far the distribution of one column is from the real one: the largest gap between "
        "the two cumulative curves (numbers and dates, Kolmogorov-Smirnov) or the share of cells "
        "that would have to change their level (categories, total variation). 0 is equal.",
        "SDMetrics, Column Shapes (there as 1 minus the error).",
    ),
    Term(
        "missing",
        "Missing cells",
        "Difference between the shares of empty cells in a column, in percentage points.",
    ),
    Term(
        "trend",
        "Trend",
        "How far what holds between two columns is from what holds between the real ones: half "
        "the gap between the correlations of two numbers, else the total variation between the "
        "tables in which two columns are counted together. 0 is equal. The whole-table figure is "
        "over pairs that do hang together in the real table.",
        "SDMetrics, Column Pair Trends, with bins shared by both tables.",
    ),
    Term("all_pairs", "All pairs", "The trend error averaged over all pairs of columns."),
    Term(
        "nmi",
        "Mutual information",
        "How much one column tells of another, 0 nothing and 1 all; compared between the tables "
        "for each pair, with more weight for pairs that hold together. It sees bends and jumps "
        "that a correlation does not.",
        "Strehl and Ghosh 2002 (normalised mutual information).",
    ),
    Term(
        "accuracy",
        "Joint accuracy of 1, 2 and 3 columns",
        "Cells are put into bins, rows are counted in all combinations of one, two or three "
        "columns; the accuracy is the share of rows that both tables have in the same place. "
        "Chance alone keeps it below 100 %: see the floor.",
        "Platzer and Reutterer 2021, Frontiers in Big Data.",
    ),
    Term(
        "c2st",
        "Detector (C2ST)",
        "A classifier is trained to tell synthetic rows from real ones and scored on rows it did "
        "not see. An AUC of 0.5 means that it cannot, 1 that it always can. Boosted trees see "
        "what holds between columns; the linear one (logistic regression) hardly does.",
        'Lopez-Paz and Oquab 2017, "Revisiting Classifier Two-Sample Tests", ICLR.',
    ),
    Term(
        "giveaway",
        "Give-away columns",
        "Which columns the detector tells synthetic rows by: how much worse it gets when the "
        "column's cells are shuffled.",
        'Breiman 2001, "Random Forests" (permutation importance).',
    ),
    Term(
        "alpha_precision",
        "Alpha-precision and beta-recall",
        "Alpha-precision: do synthetic rows lie where real rows are usual? Beta-recall: do they "
        "reach all kinds of real rows? Both compare shares at every size of neighbourhood.",
        _ALAA,
    ),
    Term(
        "coverage",
        "Precision, recall, density, coverage",
        "Precision and density: synthetic rows that lie close to real ones. Recall and coverage: "
        "real rows that have a synthetic one close by.",
        _PRDC,
    ),
    Term(
        "frechet",
        "Fréchet distance",
        "Distance between two clouds of rows by their centres and spreads alone: what the FID is "
        "for images. 0 is equal. It sees no more than means and correlations.",
        "Heusel et al. 2017, NeurIPS.",
    ),
    Term(
        "inception",
        "Inception-like score",
        "How clearly and how evenly the rows fall into the kinds of rows that the real table has; "
        "to be compared with that of real rows.",
        "Salimans et al. 2016, NeurIPS.",
    ),
    Term(
        "modes",
        "Modes",
        "The real rows are put into groups; a group that synthetic rows hardly reach is a lost "
        "mode, the usual failure of adversarial networks.",
    ),
    Term(
        "rare_coverage",
        "Rare levels",
        "Share of the rare levels of categories that come up in the synthetic table at all.",
    ),
    Term(
        "out_of_range",
        "Out of range",
        "Synthetic cells outside of what the real column holds: numbers beyond its ends, levels "
        "that it does not have.",
    ),
    Term("duplicates", "Duplicates", "Synthetic rows that equal another synthetic row."),
    Term(
        "broken_rules",
        "Broken rules",
        "Synthetic rows that break what every real row keeps, such as one date that is never "
        "before another.",
    ),
    Term(
        "sdmetrics",
        "SDMetrics' scores",
        "The two scores exactly as the SDMetrics library computes them, to compare with figures "
        "published elsewhere.",
        "SDMetrics, DataCebo.",
    ),
    Term(
        "tstr",
        "Trained on synthetic, tested on real (TSTR)",
        "A model learns from the synthetic rows and is tested on held-out real ones. Its floor is "
        "the same model that learned from real rows: what is lost is the price of synthesis. For "
        "classes: AUC, F1, accuracy and calibration; for numbers: R2, RMSE and MAE.",
        _TSTR,
    ),
    Term(
        "augment",
        "Augmentation",
        "What synthetic rows add where real ones are scarce: a model learns from a share of the "
        "real rows, with and without synthetic rows beside them. Above zero they help.",
    ),
    Term(
        "importance_agreement",
        "Importance agreement",
        "Whether models trained on either table lean on the same columns, as the rank correlation "
        "of their importances. 1 is the same order.",
        "Spearman 1904.",
    ),
    Term(
        "subgroup_gap",
        "Subgroup gap",
        "Whether a model trained on the synthetic table loses more for some groups of people "
        "than for others.",
    ),
    Term(
        "calibration",
        "Calibration",
        "Whether a predicted chance of 30 % comes true in 30 of 100 cases. On the diagonal of the "
        "chart it does.",
        "Naeini, Cooper and Hauskrecht 2015, AAAI (expected calibration error).",
    ),
    Term(
        "copies",
        "Exact and near copies",
        "Synthetic rows that stand in the training rows, cell for cell or nearly so. Real tables "
        "repeat rows too: copies are suspect beyond what held-out rows have (the floor). In "
        "identifiers and free text, cells are looked for; those that counting hits do not count.",
    ),
    Term(
        "replayed",
        "Real values that come out again",
        "Synthetic cells with a real value that fewer than five people have, such as a number "
        "that names somebody, in a column of any kind. What chance makes is reckoned from the "
        "real values alone, so no holdout is needed: values that two to five people have would "
        "come out of a table of others, too; numbers close together are hit by drawing or "
        "counting; and codes by making them up, if their form has little room. Where numbers 1, "
        "2, 3, ... coincide, that is said and is no alarm.",
        'Good 1953, "The Population Frequencies of Species and the Estimation of Population '
        'Parameters", Biometrika.',
    ),
    Term(
        "dcr_share",
        "Distance to closest record (DCR share, NNDR)",
        "Share of synthetic rows that are closer to a training row than to any held-out row: 0.5 "
        "if training rows do not show through. NNDR: how much closer the closest row is than the "
        "second closest. Both are smoke alarms: they look at the average row, and columns drawn "
        "independently pass them.",
        _DCR,
    ),
    Term(
        "mia",
        "Membership attack",
        "An attacker has the synthetic table and a person's row, and tells whether that row was "
        "learned from. AUC 0.5: no better than chance on average. The share found at 1 % or 0.1 % "
        "false alarms says more of the few who are at risk.",
        _MIA,
    ),
    Term(
        "attribute",
        "Attribute attack",
        "An attacker knows all of a person's row but one cell and guesses it from the synthetic "
        "table. What counts is the gain over a control who guesses the same of people who were "
        "not learned from.",
        'Giomi, Boenisch, Wehmeyer and Tasnádi 2023, "A Unified Framework for Quantifying Privacy '
        'Risk in Synthetic Data", PoPETs.',
    ),
    Term(
        "outlier",
        "Outliers",
        "The same attacks on the most unusual training rows alone: averages hide them, and they "
        "are the most exposed. They are counted and never shown.",
        'Stadler, Oprisanu and Troncoso 2022, "Synthetic Data: Anonymisation Groundhog Day", '
        "USENIX Security.",
    ),
    Term(
        "guarantee",
        "Guarantee (differential privacy)",
        "A bound that holds against any attack: with epsilon, whatever can be concluded from the "
        "output changes by at most the factor e to the epsilon through one person's row, but for "
        "a chance of about delta. No measurement can replace it.",
        'Dwork and Roth 2014, "The Algorithmic Foundations of Differential Privacy".',
    ),
)

_TERM_OF = {entry.key: entry.term or entry.key for entry in CATALOG}
_TERMS = frozenset(term.key for term in EXPLANATIONS)


def term_of(key: str) -> str:
    """The key of the explanation of a measure, of a part of it too; empty if there is none."""
    parts = key.split("_")
    starts = ("_".join(parts[:size]) for size in range(len(parts), 0, -1))
    known = (_TERM_OF.get(start, start) for start in starts)
    return next((each for each in known if each in _TERMS), "")


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
