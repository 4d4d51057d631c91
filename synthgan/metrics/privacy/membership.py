"""Membership inference: can an attacker tell from the synthetic table who was in the training?

Three attacks score a row: by how close a synthetic row is, by how much denser synthetic rows
lie around it than real ones do, and by what a classifier that tells synthetic from real rows
says of it. An attack that succeeds shows that training rows were memorised. One that fails
shows nothing: a stronger attacker may know the generator, or aim at one row (Yao et al. 2025,
"The DCR Delusion"). Only differential privacy gives a guarantee.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sklearn.ensemble import ExtraTreesClassifier

from synthgan._typing import Bools, Floats
from synthgan.metrics.columns import Cells
from synthgan.metrics.measure import Curve, Estimate, Findings, Goal, LeftOut, Measure, auc
from synthgan.metrics.points import nearest, neighbours
from synthgan.metrics.privacy.space import Ground, affordable, baseline_of, no_holdout
from synthgan.metrics.privacy.worst import largest_share, true_positive_rate
from synthgan.metrics.tables import Tables

_QUERIES = 2_500  # members, and as many others, a fold
_SYNTHETIC_ROWS = 40_000
_BASELINE_ROWS = 10_000
_REFERENCE_ROWS = 5_000
_LEAST = 20
_NEIGHBOURS = 5
_TREES = 50
_TREE_ROWS = 10_000  # synthetic ones

_ATTACKS = {
    "mia_distance": "Membership attack by distance",
    "mia_density": "Membership attack by density ratio",
    "mia_classifier": "Membership attack by classifier",
}
_RATES = {"tpr1": (0.01, "1 %"), "tpr01": (0.001, "0.1 %")}


def membership_findings(tables: Tables) -> Findings:
    """Three membership attacks: AUC (0 to 1, .5 is best), and true positives at few false ones.

    The holdout is cut into halves. Each serves once as the reference rows of an attacker who
    has rows like the training ones, while up to 2,500 of the other half are the non-members;
    equally many members are drawn anew each time. Scores of both rounds are pooled.

    - ``mia_distance``: distance to the closest of up to 40,000 synthetic rows (Chen et al. 2020,
      "GAN-Leaks").
    - ``mia_density``: p_synthetic(row) / p_reference(row), as DOMIAS (van Breugel et al. 2023,
      "Membership Inference Attacks against Synthetic Data through Overfitting Detection"), with
      densities by nearest neighbours: the logarithm of the distance to the closest synthetic
      row, taken from the mean logarithm of those to the five closest reference rows.
    - ``mia_classifier``: how sure extremely randomised trees, fitted to tell synthetic from
      reference rows, are that the row is synthetic. They remember single rows; boosted trees,
      which smooth, find fewer members.
    - ``..._tpr1``, ``..._tpr01``: share of members claimed when 1 % or .1 % of non-members are
      (Carlini et al. 2022); the floor is that share itself. The interval knows that the
      threshold was chosen on the non-members at hand.
    - ``mia``: the largest of the three AUCs, with an interval for the largest (Bonferroni); curve
      ``roc_mia``.

    Well above .5, or above the floor: rows were memorised. Otherwise nothing is shown.
    """
    if tables.holdout is None:
        return no_holdout("membership attacks")
    if min(len(tables.train), len(tables.holdout), len(tables.made)) < _LEAST:
        why = f"fewer than {_LEAST} rows in one of the tables"
        return Findings(left_out=(LeftOut(what="membership attacks", why=why),))
    ground = Ground.of(tables, tables.holdout)
    folds = _folds(tables, tables.holdout, affordable(_QUERIES, ground.width))
    made = tables.made.pick(affordable(_SYNTHETIC_ROWS, ground.width), tables.rng("mia"))
    found = _attack(ground, folds, made, tables.rng("mia trees"))
    independent = tables.independent.pick(
        affordable(_BASELINE_ROWS, ground.width), tables.rng("mia")
    )
    naive = _attack(ground, folds, independent, tables.rng("mia trees"))
    return _findings(found, naive, rows=len(made), naive_rows=len(independent))


@dataclass(frozen=True, eq=False, kw_only=True)
class _Fold:
    """One round: what the attacker has, and equally many members and non-members to tell."""

    reference: Cells
    members: Cells
    others: Cells


@dataclass(frozen=True, eq=False, kw_only=True)
class _Scores:
    """Of all rounds: who is a member, and each attack's scores (higher: likelier a member)."""

    member: Bools
    of: dict[str, Floats]

    def rate(self, attack: str, rate: float) -> Estimate:
        scores = self.of[attack]
        return true_positive_rate(scores[self.member], scores[~self.member], rate)


def _folds(tables: Tables, holdout: Cells, queries: int) -> list[_Fold]:
    rng = tables.rng("mia folds")
    order = rng.permutation(len(holdout))
    middle = len(order) // 2
    halves = order[:middle], order[middle : 2 * middle]
    rows = min(middle, queries, len(tables.train) // 2)
    members = rng.permutation(len(tables.train))
    return [
        _Fold(
            reference=holdout.take(halves[i][:_REFERENCE_ROWS]),
            members=tables.train.take(members[i * rows : (i + 1) * rows]),
            others=holdout.take(halves[1 - i][:rows]),
        )
        for i in (0, 1)
    ]


def _attack(ground: Ground, folds: list[_Fold], made: Cells, rng: np.random.Generator) -> _Scores:
    points_of = ground.embedding()
    points = points_of(made)
    rounds: list[dict[str, Floats]] = []
    for fold in folds:
        queries = np.vstack([points_of(fold.members), points_of(fold.others)])
        to_made, _ = nearest(points, queries)
        to_reference, _ = neighbours(points_of(fold.reference), queries, _NEIGHBOURS)
        rounds.append(
            {
                "mia_distance": -to_made,
                "mia_density": _density_ratio(to_made, to_reference),
                "mia_classifier": _tree_scores(ground, fold, made.pick(_TREE_ROWS, rng), rng),
            }
        )
    member = [np.repeat([True, False], len(fold.members)) for fold in folds]
    return _Scores(
        member=np.concatenate(member),
        of={name: np.concatenate([each[name] for each in rounds]) for name in _ATTACKS},
    )


def _density_ratio(to_made: Floats, to_reference: Floats) -> Floats:
    """Log of the ratio of densities, up to the dimension as a factor and a constant."""
    apart = to_reference[to_reference > 0]
    least = 0.01 * float(np.median(apart)) if len(apart) else 1.0
    ratio: Floats = np.log(to_reference + least).mean(axis=1) - np.log(to_made + least)
    return ratio


def _tree_scores(ground: Ground, fold: _Fold, made: Cells, rng: np.random.Generator) -> Floats:
    tables = [_features(ground, cells) for cells in (made, fold.reference)]
    forest = ExtraTreesClassifier(_TREES, random_state=int(rng.integers(2**31)))
    forest.fit(np.vstack(tables), np.repeat([1, 0], [len(table) for table in tables]))
    queries = np.vstack([_features(ground, cells) for cells in (fold.members, fold.others)])
    scores: Floats = forest.predict_proba(queries)[:, 1]
    return scores


def _features(ground: Ground, cells: Cells) -> Floats:
    """(rows, columns): numbers as ranks among real ones, -.1 for a hole; levels as codes.

    Thresholds drawn at random between the extremes would miss what lies within long tails.
    """
    table, is_code = ground.columns.matrix(cells)
    for j, name in enumerate(ground.columns.names):
        if is_code[j]:
            continue
        real = ground.real.numbers[name]
        known = np.sort(real[~np.isnan(real)])
        below, upto = (np.searchsorted(known, table[:, j], side=s) for s in ("left", "right"))
        ranks = (below + upto) / max(2 * len(known), 1)
        table[:, j] = np.where(np.isnan(table[:, j]), -0.1, ranks)
    return table


def _findings(found: _Scores, naive: _Scores, *, rows: int, naive_rows: int) -> Findings:
    areas = {name: auc(found.member, scores) for name, scores in found.of.items()}
    bases = {name: auc(naive.member, scores) for name, scores in naive.of.items()}
    count = int(found.member.sum())
    note = f"{count:,} members and {count:,} non-members"

    def area(key: str, name: str, attacks: list[str], note: str) -> Measure:
        return Measure(
            key=key,
            name=name,
            estimate=largest_share([areas[attack] for attack in attacks]),
            goal=Goal.HALF,
            floor=Estimate(0.5, 0.5, 0.5),
            baseline=baseline_of(largest_share([bases[attack] for attack in attacks]), naive_rows),
            rows=rows,
            note=note,
        )

    strongest = max(areas, key=lambda attack: areas[attack][0])
    which = f"the largest of three, {strongest}, and its interval says so; {note}"
    measures = [area("mia", "The strongest membership attack", list(_ATTACKS), which)]
    for attack, name in _ATTACKS.items():
        measures.append(area(attack, name, [attack], note))
        measures.extend(
            _rate_of(found, naive, attack, suffix, rows=(rows, naive_rows), note=note)
            for suffix in _RATES
        )
    curve = Curve.roc(
        "roc_mia", f"{_ATTACKS[strongest]} (the strongest)", found.member, found.of[strongest]
    )
    return Findings(measures=tuple(measures), curves=(curve,))


def _rate_of(
    found: _Scores, naive: _Scores, attack: str, suffix: str, *, rows: tuple[int, int], note: str
) -> Measure:
    rate, text = _RATES[suffix]
    estimate, baseline = found.rate(attack, rate), naive.rate(attack, rate)
    defined = estimate.value == estimate.value
    return Measure(
        key=f"{attack}_{suffix}",
        name=f"{_ATTACKS[attack]}: members found at {text} false alarms",
        estimate=estimate,
        goal=Goal.LOW,
        floor=Estimate(rate, rate, rate),
        baseline=baseline_of(baseline, rows[1]),
        rows=rows[0],
        note=note if defined else f"takes {round(1 / rate):,} non-members; there are fewer",
    )
