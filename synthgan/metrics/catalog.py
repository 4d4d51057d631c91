"""All measures: their keys, which ones come first, which may have a limit."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Mapping

from synthgan.errors import ConfigError

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
