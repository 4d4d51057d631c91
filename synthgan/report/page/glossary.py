"""The measures in plain words, with where they come from."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class Term(NamedTuple):
    """One entry of the glossary."""

    key: str
    """Names the entry in links."""
    name: str
    text: str
    source: str = ""


READING = (
    Term(
        "interval",
        "Interval (95 %)",
        "Another draw of rows would give a slightly different figure. The interval says how "
        "different: in 95 of 100 such draws it holds the figure that endless rows would give. It "
        "leaves out what training the generator again would change.",
        "Wilson 1927; Clopper and Pearson 1934; DeLong, DeLong and Clarke-Pearson 1988 (AUC).",
    ),
    Term(
        "floor",
        "Floor: real rows",
        "The same figure with real rows in place of the synthetic ones. Real samples differ from "
        "each other too, so this, and not zero or one, is as good as should be expected.",
    ),
    Term(
        "baseline",
        "Baseline: independent columns",
        "The same figure for the simplest generator there is: each real column shuffled on its "
        "own, so that nothing holds between columns. A figure that such a table passes does not "
        "show that the synthetic table is good.",
    ),
    Term(
        "holdout",
        "Held-out rows",
        "Real rows that the generator never saw. They stand for the people whom the table is "
        "about and who are not in it.",
    ),
    Term(
        "auc",
        "AUC, ROC curve",
        "How well a score tells two kinds of rows apart: shown one row of each kind, the share of "
        "times it ranks them rightly. 0.5 is a coin's toss, 1 never errs. The ROC curve shows it "
        "at every strictness: how many rows are found for how many false alarms.",
        "Hanley and McNeil 1982.",
    ),
)
"""What a reader needs for any figure."""

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

MEASURES = (
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

_ENTRY_OF = {
    "missing": "missing",
    "precision": "coverage",
    "recall": "coverage",
    "density": "coverage",
    "beta_recall": "alpha_precision",
    "exact_copies": "copies",
    "near_copies": "copies",
    "holdout_copies": "copies",
    "copied_identifiers": "copies",
    "nndr": "dcr_share",
    "outliers_exposed": "outlier",
    "tstr_calibration": "calibration",
}
_KEYS = frozenset(term.key for term in (*READING, *MEASURES))


def entry_of(key: str) -> str:
    """Which entry explains the measure ``key``; empty if none does."""
    if key in _ENTRY_OF:
        return _ENTRY_OF[key]
    parts = key.split("_")
    starts = ("_".join(parts[:size]) for size in range(len(parts), 0, -1))
    return next((start for start in starts if start in _KEYS), "")


def terms(keys: Iterable[str]) -> tuple[Term, ...]:
    """The entries for measures ``keys``, with those that any reader needs."""
    wanted = {entry_of(key) for key in keys} | {"guarantee"}
    return (*READING, *(term for term in MEASURES if term.key in wanted))
