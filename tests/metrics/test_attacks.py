"""The attacks, held against plain arithmetic, scikit-learn, scipy, known cheats and honest rows."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import product

import numpy as np
import pandas as pd
import pytest
from scipy.spatial.distance import cdist
from sklearn.metrics import auc as area_under
from sklearn.metrics import roc_curve
from threadpoolctl import threadpool_limits

from synthgan._typing import Floats
from synthgan.metrics.columns import Columns
from synthgan.metrics.measure import Estimate, Findings, Goal, Measure
from synthgan.metrics.privacy.attributes import attribute_findings
from synthgan.metrics.privacy.copies import copy_findings
from synthgan.metrics.privacy.distances import distance_findings
from synthgan.metrics.privacy.identifiers import identifier_findings
from synthgan.metrics.privacy.membership import membership_findings
from synthgan.metrics.privacy.outliers import outlier_findings
from synthgan.metrics.privacy.worst import largest, largest_share, true_positive_rate
from synthgan.metrics.tables import Tables
from synthgan.report.wording.opening import overlap
from synthgan.report.wording.readings import is_alarm

PARTS = (distance_findings, membership_findings, attribute_findings, outlier_findings)
WORDS = np.array(["red", "green", "blue", "grey"], dtype=object)


@pytest.fixture(autouse=True, scope="module")
def _one_thread() -> Iterator[None]:
    """Small problems gain nothing from threads, and wait for them on a busy machine."""
    with threadpool_limits(1):
        yield


def table(rows: int, seed: int) -> pd.DataFrame:
    """Numbers, counts and words that hang together, with a few holes."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=rows)
    level = np.clip(np.floor(x + 0.3 * rng.normal(size=rows)), -2, 1).astype(int) + 2
    return pd.DataFrame(
        {
            "x": x,
            "y": x + 0.5 * rng.normal(size=rows),
            "z": np.where(rng.random(rows) < 0.05, np.nan, rng.exponential(size=rows)),
            "count": rng.poisson(3, rows),
            "word": WORDS[level],
            "sort": rng.choice(["p", "q", "r"], rows, p=[0.7, 0.25, 0.05]),
        }
    )


TRAIN, HOLDOUT, FRESH = table(1600, 1), table(1400, 2), table(1600, 3)


def mixed(share: float, rows: pd.DataFrame) -> pd.DataFrame:
    """Fresh rows, the first ``share`` of them replaced by ``rows``."""
    count = int(share * len(FRESH))
    return pd.concat([rows.head(count), FRESH.iloc[count:]], ignore_index=True)


def jittered(rows: pd.DataFrame, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    numbers = rows.select_dtypes("number").astype("float64")
    return rows.assign(
        **(numbers + 0.01 * numbers.std().to_numpy() * rng.normal(size=numbers.shape))
    )


def with_outliers_of(train: pd.DataFrame) -> pd.DataFrame:
    """Fresh rows, and the training rows that are farthest from all others."""
    (points,) = points_of(train.fillna({"z": 0}), names=("x", "y", "z", "count"))
    gaps = cdist(points, points)
    np.fill_diagonal(gaps, np.inf)
    memorised = np.argsort(-gaps.min(axis=1))[:80]
    return pd.concat([train.iloc[memorised], FRESH.iloc[80:]], ignore_index=True)


def everything(
    made: pd.DataFrame, train: pd.DataFrame = TRAIN, holdout: pd.DataFrame | None = HOLDOUT
) -> Findings:
    tables = Tables.of(made, train, holdout)
    found = copy_findings(made, train, holdout, tables.columns)
    for part in PARTS:
        found += part(tables)
    return found


def by_key(findings: Findings) -> dict[str, Measure]:
    return {each.key: each for each in findings.measures if not each.columns}


def innocent(each: Measure) -> Estimate:
    """What the figure may be without anyone being to blame."""
    assert each.floor is not None
    return each.floor


def is_caught(each: Measure) -> bool:
    return each.estimate.low > innocent(each).high


@pytest.fixture(scope="module")
def honest() -> dict[str, Measure]:
    return by_key(everything(FRESH))


@pytest.fixture(scope="module")
def copied() -> dict[str, Measure]:
    return by_key(everything(TRAIN))


KEYS = {
    "exact_copies", "near_copies", "dcr_share", "dcr_share_worst", "nndr", "mia", "attribute",
    "outlier_mia", "outliers_exposed", "holdout_copies",
    *(f"mia_{a}{end}" for a in ("distance", "density", "classifier")
      for end in ("", "_tpr1", "_tpr01")),
}  # fmt: skip
ALWAYS_LOW = {"near_copies", "holdout_copies", *(key for key in KEYS if key.endswith("_tpr01"))}
"""Figures that copies need not move: exact ones are no near ones, one looks at real rows alone, and
1,400 unseen rows are too few to know what 0.1 % of them is."""


# --- cheats and honest rows ---


def test_fresh_rows_are_blamed_for_nothing(honest: dict[str, Measure]) -> None:
    assert set(honest) == KEYS
    for key, each in honest.items():
        assert each.is_defined, key
        assert not is_caught(each), key
        assert each.estimate.low <= each.estimate.value <= each.estimate.high, key
        assert each.goal in (Goal.LOW, Goal.HALF), key
        if key != "holdout_copies":  # about real rows alone
            assert each.baseline is not None, key
            assert each.rows > 0, key


def test_a_copy_of_the_training_rows_is_caught_by_all(copied: dict[str, Measure]) -> None:
    assert {key for key, each in copied.items() if not is_caught(each)} == ALWAYS_LOW
    assert copied["exact_copies"].estimate.value == 100
    assert copied["mia_distance"].estimate.value > 0.99
    assert copied["mia_density"].estimate.value > 0.99
    assert copied["outlier_mia"].estimate.value == 1
    for key in ("mia_distance", "mia_density"):
        assert copied[f"{key}_tpr1"].estimate.value > 0.9


def test_few_verbatim_rows_are_caught_as_copies_and_members() -> None:
    found = by_key(everything(mixed(0.05, TRAIN)))
    assert found["exact_copies"].estimate.value == pytest.approx(5)
    assert is_caught(found["exact_copies"])
    assert innocent(found["exact_copies"]).value == 0
    for attack in ("mia_distance", "mia_density"):
        rate = found[f"{attack}_tpr1"]
        assert is_caught(rate)
        assert rate.estimate.low < 0.05 + 0.95 * 0.01 < rate.estimate.high
        assert found[attack].estimate.low < 0.55


def test_few_jittered_rows_are_caught_as_near_copies() -> None:
    found = by_key(everything(mixed(0.05, jittered(TRAIN))))
    assert found["exact_copies"].estimate.value == 0
    assert is_caught(found["near_copies"])
    assert found["near_copies"].estimate.value == pytest.approx(5 + 0.95, abs=1)
    assert is_caught(found["mia_density_tpr1"])


def test_memorised_outliers_are_caught_where_averages_are_blind() -> None:
    made, train, holdout = (
        frame.drop(columns="sort") for frame in (with_outliers_of(TRAIN), TRAIN, HOLDOUT)
    )
    found = by_key(everything(made, train, holdout))
    assert is_caught(found["outlier_mia"])
    assert is_caught(found["outliers_exposed"])
    assert found["outlier_mia"].estimate.low > 0.8
    assert found["outliers_exposed"].unit == "rows"
    assert not is_caught(found["dcr_share"])


def test_memorised_parts_of_rows_are_caught_in_sets_of_columns() -> None:
    """Nine columns: three that hang together are copied, the others are noise."""

    def rows(seed: int) -> pd.DataFrame:
        rng = np.random.default_rng(seed)
        noise = rng.normal(size=(1200, 9))
        noise[:, :3] = 0.5 * noise[:, :3] + rng.normal(size=(1200, 1))
        return pd.DataFrame(noise, columns=list("abcdefghi"))

    train, holdout, fresh = rows(1), rows(2), rows(3)
    made = fresh.assign(**{name: train[name] for name in "abc"})
    found, clean = (by_key(distance_findings(Tables.of(f, train, holdout))) for f in (made, fresh))
    worst = found["dcr_share_worst"]
    assert worst.estimate.low > max(0.75, found["dcr_share"].estimate.high)
    assert clean["dcr_share_worst"].estimate.low <= 0.5
    assert "7 sets" in worst.note


def test_guessers_win_where_a_column_was_memorised() -> None:
    """Each word of a training row is kept with its numbers; elsewhere words are noise."""

    def rows(seed: int) -> pd.DataFrame:
        rng = np.random.default_rng(seed)
        return pd.DataFrame(rng.normal(size=(900, 2)), columns=["x", "y"]).assign(
            word=rng.choice(WORDS, 900)
        )

    train, holdout = rows(1), rows(2)
    known, shuffled = (
        {
            each.columns: each
            for each in attribute_findings(Tables.of(made, train, holdout)).measures
        }
        for made in (train, train.assign(word=rows(5)["word"]))
    )
    assert known[("word",)].estimate.value == pytest.approx(100)
    assert known[()].estimate.low > 0.95
    assert shuffled[("word",)].estimate.low < 0 < shuffled[("word",)].estimate.high
    assert "of 900 training" in known[("word",)].note


def test_holdout_rows_in_the_table_are_no_leak_of_training_rows() -> None:
    found = by_key(everything(HOLDOUT))
    assert found["mia_distance"].estimate.value < 0.01
    assert found["exact_copies"].estimate.value == 0
    assert not any(is_caught(each) for each in found.values())


# --- identifiers and text ---


def keys(numbers: Sequence[int] | Floats, pattern: str = "K-{:06d}") -> pd.DataFrame:
    return pd.DataFrame({"key": [pattern.format(int(each)) for each in numbers]})


@pytest.mark.parametrize("pattern", ["K-{:06d}", "{:d}", "some words {:05d} about it"])
def test_copied_keys_are_told_from_counted_ones(pattern: str) -> None:
    rng = np.random.default_rng(0)
    order = rng.permutation(1000)
    train, holdout = keys(order[:800], pattern), keys(order[800:], pattern)

    def found(made: pd.DataFrame, held: pd.DataFrame | None = holdout) -> Measure:
        (line,) = identifier_findings(made, train, held, ["key"]).measures
        return line

    assert found(train).estimate.value == 100
    assert is_alarm(found(train))
    counted = found(keys(range(800), pattern))
    assert counted.estimate.value > 70
    assert not is_alarm(counted)
    drawn = found(keys(rng.integers(100, 900, 800), pattern))
    assert drawn.estimate.value > 70
    assert not is_alarm(drawn)
    assert is_alarm(found(keys(order[:800][order[:800] > 300], pattern)))
    assert found(keys(range(5000, 5400), pattern)).estimate.value == 0


def test_copied_random_keys_ring_with_and_without_a_holdout() -> None:
    rng = np.random.default_rng(0)
    train, made, held = (keys(rng.integers(10**9, 10**10, 300), "{:x}") for _ in range(3))
    stolen = pd.concat([train.head(20), made.iloc[20:]], ignore_index=True)
    for holdout in (held, None):
        (line,) = identifier_findings(stolen, train, holdout, ["key"]).measures
        assert line.estimate.value == pytest.approx(100 * 20 / 300)
        assert is_alarm(line)
        (line,) = identifier_findings(made, train, holdout, ["key"]).measures
        assert not is_alarm(line)


def test_the_worst_of_the_columns_is_told_and_empty_ones_are_not() -> None:
    rng = np.random.default_rng(0)
    train = keys(rng.integers(10**9, 10**10, 300)).assign(note="ok", none=None)
    made = keys(rng.integers(10**9, 10**10, 300)).assign(note="ok", none=None)
    (line,) = identifier_findings(made, train, train, ["note", "key", "none"]).measures
    assert "the worst of 2" in line.note
    (line,) = identifier_findings(
        made.assign(key=train["key"]), train, made, ["note", "key"]
    ).measures
    assert "'key'" in line.note
    assert identifier_findings(made, train, None, ["none"]).measures == ()


# --- copies ---


def test_a_holdout_that_was_seen_is_told_from_one_that_repeats_by_chance() -> None:
    seen = pd.concat([HOLDOUT.iloc[300:], TRAIN.iloc[:300]])
    found = by_key(copy_findings(FRESH, TRAIN, seen, Columns.of(TRAIN)))["holdout_copies"]
    assert found.estimate.value == pytest.approx(100 * 300 / len(seen))
    assert is_caught(found)
    (warning,) = overlap(Findings(measures=(found,)))
    assert "set rows aside anew" in warning
    coarse = [table(n, seed)[["word", "sort"]] for n, seed in ((400, 1), (400, 2), (400, 3))]
    found = by_key(copy_findings(*coarse, Columns.of(coarse[1])))["holdout_copies"]
    assert found.estimate.value > 50
    assert not is_caught(found)
    assert overlap(Findings(measures=(found,))) == ()


def test_rows_of_few_coarse_columns_are_copied_by_chance_without_a_holdout() -> None:
    rng = np.random.default_rng(0)
    real = pd.DataFrame({"day": rng.integers(0, 700, 1200), "sort": rng.choice(["a", "b"], 1200)})
    drawn = pd.DataFrame({name: rng.permutation(real[name]) for name in real})
    found = by_key(copy_findings(drawn, real, None, Columns.of(real)))
    assert found["exact_copies"].estimate.value > 60
    assert not is_alarm(found["exact_copies"])
    found = by_key(copy_findings(real, real, None, Columns.of(real)))
    assert is_alarm(found["exact_copies"])


def test_no_yardstick_stands_on_few_rows() -> None:
    few = [each.head(30).assign(key=range(30)) for each in (FRESH, TRAIN, HOLDOUT)]
    found = everything(*few) + identifier_findings(*few, ["key"])
    assert {"exact_copies", "near_copies", "mia", "copied_identifiers"} <= set(by_key(found))
    for each in found.measures:
        assert each.baseline is None, each.key
        if "cop" in each.key:
            assert each.floor is None, each.key


def test_copies_are_those_that_a_join_finds() -> None:
    train, made, held = (
        table(n, seed)[["count", "word", "sort"]] for n, seed in ((60, 1), (300, 2), (200, 3))
    )
    found = by_key(copy_findings(made, train, held, Columns.of(train)))["exact_copies"]
    known = set(train.itertuples(index=False, name=None))
    for estimate, rows in ((found.estimate, made), (innocent(found), held)):
        share = np.mean([row in known for row in rows.itertuples(index=False, name=None)])
        assert estimate.value == pytest.approx(100 * share)
        assert 0.1 < share < 0.9


def test_near_copies_are_those_within_the_closest_hundredth_of_the_holdout() -> None:
    names = ["x", "y", "count"]
    made = mixed(0.1, jittered(TRAIN))
    found = by_key(
        copy_findings(made[names], TRAIN[names], HOLDOUT[names], Columns.of(TRAIN[names]))
    )
    middle, spread = TRAIN[names].mean(), TRAIN[names].std()
    points, queries, held = (
        ((f[names] - middle) / spread).to_numpy() for f in (TRAIN, made, HOLDOUT)
    )
    bar = np.sort(cdist(held, points).min(axis=1))[14]
    share = np.mean(cdist(queries, points).min(axis=1) < bar)
    assert found["near_copies"].estimate.value == pytest.approx(100 * share)
    assert innocent(found["near_copies"]).value == pytest.approx(100 * 14 / 1400)


def test_rows_of_few_levels_are_not_blamed_for_repeats() -> None:
    def rows(seed: int) -> pd.DataFrame:
        rng = np.random.default_rng(seed)
        return pd.DataFrame({name: rng.choice(["a", "b", "c"], 800) for name in "uvw"})

    found = by_key(everything(rows(3), rows(1), rows(2)))
    assert found["exact_copies"].estimate.value == 100
    assert innocent(found["exact_copies"]).value == 100
    assert not found["near_copies"].is_defined
    assert "copies too" in found["near_copies"].note
    assert not any(is_caught(each) for each in found.values() if each.is_defined)


def test_without_a_holdout_copies_are_counted_and_the_rest_is_left_out() -> None:
    found = everything(mixed(0.05, TRAIN), holdout=None)
    (exact,) = found.measures
    assert exact.estimate.value == pytest.approx(5)
    assert innocent(exact).value == 0
    assert "come twice" in exact.note
    assert len(found.left_out) == 5
    assert all("no holdout was given" in each.why for each in found.left_out)


# --- distances, secrets and outliers by brute force ---


def points_of(*frames: pd.DataFrame, names: Sequence[str] = ("x", "y", "count")) -> list[Floats]:
    """Numbers and the word as documented, in the scale of the first two frames."""
    names = list(names)
    both = pd.concat(frames[:2])
    middle, spread = both[names].mean(), both[names].std()
    return [
        np.column_stack(
            [
                ((f[names] - middle) / spread).clip(-6, 6),
                (f["word"].to_numpy()[:, None] == WORDS) * math.sqrt(0.5),
            ]
        ).astype(np.float64)
        for f in frames
    ]


SMALL = [f[["x", "y", "count", "word"]].head(700) for f in (TRAIN, HOLDOUT, FRESH)]


def test_shares_are_those_of_all_distances() -> None:
    made = pd.concat([SMALL[2].head(500), SMALL[0].head(200)], ignore_index=True)
    found = by_key(distance_findings(Tables.of(made, *SMALL[:2])))
    near, far, queries = points_of(*SMALL[:2], made)
    to_near, to_far = (np.sort(cdist(queries, side), axis=1) for side in (near, far))
    wins = np.sign(np.round(to_far[:, 0] - to_near[:, 0], 6))
    assert found["dcr_share"].estimate.value == pytest.approx((wins.mean() + 1) / 2, abs=2e-3)
    ratios = [side[:, 0] / side[:, 1] for side in (to_near, to_far)]
    wins = np.sign(np.round(ratios[1] - ratios[0], 6))
    assert found["nndr"].estimate.value == pytest.approx((wins.mean() + 1) / 2, abs=2e-3)


def test_guesses_are_those_of_the_closest_row() -> None:
    made = pd.concat([SMALL[2].head(300), SMALL[0].head(400)], ignore_index=True)
    lines = {e.columns: e for e in attribute_findings(Tables.of(made, *SMALL[:2])).measures}
    train, holdout, known = points_of(*SMALL[:2], made)
    right = {}
    for name, dropped in (("word", slice(3, 7)), ("x", slice(0, 1))):
        for side, points in (("train", train), ("held", holdout)):
            a, b = (np.delete(p, np.r_[dropped], axis=1) for p in (points, known))
            guess = made[name].to_numpy()[cdist(a, b).argmin(axis=1)]
            truth = SMALL[side == "held"][name].to_numpy()
            if name == "x":
                gap = np.abs(guess - truth)
                right[side] = np.mean(gap <= 0.05 * pd.concat(SMALL[:2])["x"].std(ddof=0))
            else:
                right[side] = np.mean(guess == truth)
        excess = (right["train"] - right["held"]) / (1 - right["held"])
        estimate = lines[(name,)].estimate
        assert estimate.value == pytest.approx(100 * excess, abs=1)
        assert estimate.low > 0.05
    assert lines[()].estimate.value == max(e.estimate.value for c, e in lines.items() if c)


def test_outliers_are_as_many_as_said_and_shared_by_both_sides() -> None:
    """Eight rows far out on either side: all are looked at, and those given away are counted."""
    corners = pd.DataFrame(product([4, 7], [-4, -7], [3, 12]), columns=["x", "y", "count"])
    sides = [
        corners.assign(word="red"),
        corners.assign(x=-corners["x"], y=-corners["y"], word="red"),
    ]
    train, holdout = (
        pd.concat([near, far], ignore_index=True)
        for near, far in zip(SMALL[:2], sides, strict=True)
    )
    findings = [
        by_key(outlier_findings(Tables.of(pd.concat([SMALL[2], given]), train, holdout)))
        for given in sides
    ]
    given, other = (each["outliers_exposed"] for each in findings)
    assert is_caught(given)
    assert given.estimate.value == pytest.approx(8, abs=2)
    assert other.estimate.value == 0
    words = given.note.replace(",", "").split()
    numbers = [int(word) for word in words if word.isdigit()]
    assert numbers[0] + numbers[1] == 40
    assert numbers[2] == 708


def test_the_strongest_attack_is_said_with_its_curve(copied: dict[str, Measure]) -> None:
    findings = membership_findings(Tables.of(TRAIN, TRAIN, HOLDOUT))
    found = by_key(findings)
    attacks = {
        key: found[key].estimate.value for key in ("mia_distance", "mia_density", "mia_classifier")
    }
    assert found["mia"].estimate.value == max(attacks.values())
    assert max(attacks, key=lambda key: attacks[key]) in found["mia"].note
    assert found["mia"].estimate.low <= max(found[key].estimate.low for key in attacks)
    (curve,) = findings.curves
    assert curve.key == "roc_mia"
    assert area_under(curve.x, curve.y) == pytest.approx(max(attacks.values()), abs=0.01)
    again = {key: each for key, each in copied.items() if key in found}
    assert again == found


def test_a_small_train_or_holdout_is_looked_at_as_far_as_it_goes() -> None:
    found = by_key(membership_findings(Tables.of(FRESH, TRAIN.head(30), HOLDOUT.head(40))))
    assert "30 members" in found["mia"].note
    assert not found["mia_distance_tpr1"].is_defined
    assert "takes 100 non-members" in found["mia_distance_tpr1"].note
    (left,) = membership_findings(Tables.of(FRESH, TRAIN, HOLDOUT.head(5))).left_out
    assert "fewer than 20" in left.why
    (left,) = outlier_findings(Tables.of(FRESH, TRAIN, HOLDOUT.head(5))).left_out
    assert "fewer than 20" in left.why


# --- rates and largest figures ---


def test_true_positives_are_read_off_the_roc_curve() -> None:
    rng = np.random.default_rng(0)
    members, others = rng.normal(size=3000) + 1, rng.normal(size=4999)
    share, hits, _ = roc_curve(
        np.repeat([1, 0], [3000, 4999]), np.concatenate([members, others]), drop_intermediate=False
    )
    for rate in (0.01, 0.1):
        found = true_positive_rate(members, others, rate)
        assert found.value == pytest.approx(np.interp(rate, share, hits), abs=0.005)
        assert found.low < found.value < found.high
    assert math.isnan(true_positive_rate(members, others[:99], 0.01).value)


def test_scores_that_all_tie_claim_as_many_members_as_others() -> None:
    tied = np.zeros(999)
    found = true_positive_rate(np.zeros(500), tied, 0.01)
    assert found.value == pytest.approx(0.01)
    half = true_positive_rate(np.repeat([1.0, 0.0], 250), tied, 0.01)
    assert half.value == pytest.approx(0.505)


@pytest.mark.parametrize("rate", [0.01, 0.001])
def test_intervals_of_rates_hold_though_the_threshold_is_chosen(rate: float) -> None:
    rng = np.random.default_rng(0)
    wrong = above = 0
    for _ in range(300):
        found = true_positive_rate(rng.random(2000), rng.random(5000), rate)
        wrong += not found.low <= rate <= found.high
        above += found.value > rate
    assert wrong <= 15
    assert 90 <= above <= 210


def test_the_largest_of_innocent_figures_is_innocent() -> None:
    rng = np.random.default_rng(0)
    caught = naive = 0
    for _ in range(300):
        parts = []
        for _ in range(7):
            hits = rng.random(400) < 0.5
            parts.append((float(hits.mean()), (hits - hits.mean()) / 400))
        caught += largest_share(parts).low > 0.5
        naive += max(largest_share([part]).low for part in parts) > 0.5
    assert caught <= 15
    assert naive > 25


def test_the_largest_of_nothing_is_nothing() -> None:
    assert math.isnan(largest([]).value)
    assert largest([Estimate.undefined(), Estimate(0.1, 0.0, 0.3)]) == (0.1, 0.0, 0.3)


# --- odd tables ---


def constant(rows: int, seed: int) -> pd.DataFrame:
    return pd.DataFrame({"a": np.ones(rows), "b": "same"})


def all_missing(rows: int, seed: int) -> pd.DataFrame:
    return table(rows, seed).assign(z=np.nan, word=None)


def wide(rows: int, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    numbers = pd.DataFrame(rng.normal(size=(rows, 100))).add_prefix("n")
    words = pd.DataFrame(rng.choice(list("abcdefgh"), (rows, 100))).add_prefix("w")
    return pd.concat([numbers, words], axis=1)


def single(rows: int, seed: int) -> pd.DataFrame:
    return table(rows, seed)[["x"]]


@pytest.mark.parametrize("kind", [constant, all_missing, wide, single])
def test_odd_tables_are_judged_without_a_word(
    kind: Callable[[int, int], pd.DataFrame],
) -> None:
    found = everything(kind(120, 3), kind(150, 1), kind(110, 2))
    check_whole(found)
    assert not any(is_caught(each) for each in by_key(found).values() if each.is_defined)


@pytest.mark.parametrize("sizes", [(1, 1, 1), (1, 50, 50), (50, 2, 3), (60, 50, 1), (50, 1, 60)])
def test_few_rows_are_judged_without_a_word(sizes: tuple[int, int, int]) -> None:
    check_whole(everything(*(table(rows, seed) for seed, rows in enumerate(sizes))))


def test_tables_that_share_no_value_are_judged() -> None:
    strange = FRESH.head(200).assign(word="never seen", sort=None, x=1e9, count=-5.5)
    found = everything(strange, TRAIN.head(200), HOLDOUT.head(200))
    check_whole(found)
    assert by_key(found)["exact_copies"].estimate.value == 0


def check_whole(found: Findings) -> None:
    for each in found.measures:
        defined = [not math.isnan(bound) for bound in each.estimate]
        assert all(defined) or (not any(defined) and each.note), each.key
        if each.is_defined:
            assert each.estimate.low <= each.estimate.value <= each.estimate.high, each.key


def test_nothing_that_is_said_carries_a_cell() -> None:
    def secret(frame: pd.DataFrame) -> pd.DataFrame:
        return frame.head(300).assign(word="hush-" + frame["word"].astype(str), x=123.25)

    said = repr(everything(secret(FRESH), secret(TRAIN), secret(HOLDOUT)))
    assert "hush" not in said
    assert "123.25" not in said


def test_levels_that_one_side_lacks_favour_no_side() -> None:
    """Each row has a level of its own: no side may seem nearer for having named it."""

    def rows(seed: int) -> pd.DataFrame:
        frame = table(400, seed)[["x", "y"]]
        return frame.assign(name=[f"{seed}-{i}" for i in range(400)])

    found = by_key(everything(rows(3), rows(1), rows(2)))
    assert not any(is_caught(each) for each in found.values())
    for key in ("dcr_share", "mia_distance", "outlier_mia"):
        assert found[key].estimate.high >= 0.5, key
