"""Events cost what theory says, budgets hold, and rows cannot be had without paying."""

from __future__ import annotations

import copy
import json
import math
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import mpmath
import numpy as np
import pandas as pd
import pytest

from synthgan.columns.column import Column, Kind
from synthgan.errors import ConfigError, ModelFileError, SchemaError, SynthganError, TableError
from synthgan.privacy.accountant import (
    COUNTS,
    GRADIENTS,
    RELEASE,
    Event,
    _epsilon_by_library,
    curve_of,
    epsilon_of,
    recompute,
    rho_of,
)
from synthgan.privacy.accountant import WHOLE_ORDERS as _WHOLE_ORDERS
from synthgan.privacy.accountant import epsilon_of_curve as _epsilon_of_curve
from synthgan.privacy.ledger import Budget, Guarantee, Ledger, UnchargedAccessError, check_claim
from synthgan.privacy.questions import Crosstab, Grid, Levels, Ranges, Total
from synthgan.privacy.rows import PrivateRows
from synthgan.privacy.spent import load_ledger, save_ledger, spending, spent_in
from synthgan.schema.schema import Schema
from synthgan.serialization import from_plain, to_plain


def counts(variance: Fraction | int, **changes: Any) -> Event:
    variance = Fraction(variance)
    fields: dict[str, Any] = {
        "name": "ages",
        "kind": COUNTS,
        "columns": ("age",),
        "variance_numerator": variance.numerator,
        "variance_denominator": variance.denominator,
        "sensitivity": 1,
    }
    return Event(**{**fields, **changes})


# Accounting


def epsilon_by_another_way(rho: float, delta: float) -> float:
    """Bun and Steinke's conversion in its sharp form, searched with 25 digits."""
    with mpmath.workdps(25):

        def log_delta(epsilon: Any) -> Any:  # the least over orders, by bisecting its slope
            low, high = mpmath.mpf("1.000001"), (epsilon + 1) / (2 * rho) + 2
            for _ in range(50):
                a = (low + high) / 2
                slope = (2 * a - 1) * rho - epsilon + mpmath.log1p(-1 / a)
                low, high = (a, high) if slope < 0 else (low, a)
            return (a - 1) * (a * rho - epsilon) + a * mpmath.log1p(-1 / a) - mpmath.log(a - 1)

        low, high = mpmath.mpf(0), mpmath.mpf(rho) + 2 * mpmath.sqrt(rho * -math.log(delta))
        for _ in range(40):
            middle = (low + high) / 2
            low, high = (low, middle) if log_delta(middle) <= math.log(delta) else (middle, high)
        return float(high)


@pytest.mark.parametrize("epsilon", [0.1, 1.0, 10.0])
@pytest.mark.parametrize("delta", [1e-5, 1e-9])
def test_accountants_agree(epsilon: float, delta: float) -> None:
    rho = rho_of(epsilon, delta)
    assert epsilon_of(rho, delta) == pytest.approx(epsilon, rel=1e-6)
    variance = Fraction(1) / (2 * Fraction(rho))
    assert recompute([counts(variance)], delta) == pytest.approx(epsilon, rel=1e-6)
    assert epsilon_by_another_way(rho, delta) == pytest.approx(epsilon, rel=1e-5)
    assert epsilon_by_another_way(rho, delta) <= epsilon_of(rho, delta) + 1e-9  # from above


def test_rho_is_what_is_known_of_it() -> None:
    found = [rho_of(epsilon, 1e-6) for epsilon in (1, 3, 10)]
    assert found == pytest.approx([0.02436, 0.18507, 1.53928], abs=1e-5)


def test_privacy_losses_of_the_very_noise_are_less() -> None:
    from dp_accounting.pld import privacy_loss_distribution

    loss = privacy_loss_distribution.from_discrete_gaussian_mechanism(
        sigma=20.0, value_discretization_interval=1e-3
    ).self_compose(20)
    exact = loss.get_epsilon_for_delta(1e-6)
    claimed = recompute([counts(400)] * 20, 1e-6)
    assert 0.85 * claimed < exact < claimed


def test_rhos_and_deltas_add_up() -> None:
    release = counts(100, kind=RELEASE, threshold=80, delta=1e-8)
    assert release.rho == counts(100).rho == Fraction(1, 200)
    together = recompute([counts(100), counts(50), release], 1e-6)
    assert together == pytest.approx(epsilon_of(0.02, 1e-6 - 1e-8), rel=1e-9)
    assert counts(100, sensitivity=5).rho == 25 * counts(100).rho
    assert recompute([], 1e-6) == 0.0
    with pytest.raises(ValueError, match="sum of the events' deltas"):
        recompute([release], 1e-8)


@pytest.mark.parametrize(
    "changes",
    [
        {"variance_numerator": 0},
        {"sensitivity": 0},
        {"threshold": 5},
        {"kind": RELEASE, "delta": 1e-6},
        {"kind": RELEASE, "threshold": 10, "delta": 1e-6},  # too low for so much noise
        {"kind": RELEASE, "threshold": 0, "delta": 0.5},
        {"kind": RELEASE, "threshold": 60, "delta": 1e-7, "sensitivity": 20},
    ],
)
def test_events_that_cannot_be_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"event|release"):
        counts(100, **changes)


# Gradients of samples


def gradients(noise: float, sampling: Fraction, steps: int, **changes: Any) -> Event:
    fields: dict[str, Any] = {
        "kind": GRADIENTS,
        "sensitivity": 1000,
        "steps": steps,
        "sampling_numerator": sampling.numerator,
        "sampling_denominator": sampling.denominator,
        "clip": 1.0,
    }
    return counts(Fraction(math.ceil((1000 * noise) ** 2)), **{**fields, **changes})


@pytest.mark.parametrize("noise", [0.8, 2.0, 20.0])
@pytest.mark.parametrize("sampling", [Fraction(1, 50), Fraction(1, 2), Fraction(1)])
def test_accountants_agree_on_samples(noise: float, sampling: Fraction) -> None:
    events = (counts(300), gradients(noise, sampling, 400))
    here = _epsilon_of_curve(curve_of(events[0]) + curve_of(events[1]), 1e-6)
    assert here == pytest.approx(_epsilon_by_library(events, 1e-6), rel=1e-6)
    assert recompute(events, 1e-6) >= here


def test_privacy_losses_of_samples_are_less() -> None:
    from dp_accounting.pld import privacy_loss_distribution

    loss = privacy_loss_distribution.from_gaussian_mechanism(
        2.0, sampling_prob=0.02, value_discretization_interval=1e-4
    ).self_compose(400)
    exact = loss.get_epsilon_for_delta(1e-6)
    claimed = recompute([gradients(2.0, Fraction(1, 50), 400)], 1e-6)
    assert 0.8 * claimed < exact < claimed


@pytest.mark.parametrize("order", [2, 3, 7])
def test_discrete_noise_has_the_moments_that_the_bound_needs(order: int) -> None:
    """Both ways between a sum and a mixture of it with one a step of 3 further, by brute force."""
    x, variance, sampling = np.arange(-150, 151), 25.0, 0.3
    here = np.exp(-(x**2) / (2 * variance))
    there = np.exp(-((x - 3) ** 2) / (2 * variance))
    here, there = here / here.sum(), there / there.sum()
    mixed = (1 - sampling) * here + sampling * there
    near = np.minimum(here, mixed) > 1e-40
    here, mixed = here[near], mixed[near]
    costs = [
        math.log(float((p**order / q ** (order - 1)).sum())) / (order - 1)
        for p, q in ((mixed, here), (here, mixed))
    ]
    chance = {"sampling_numerator": 3, "sampling_denominator": 10}
    event = counts(25, kind=GRADIENTS, clip=1.0, sensitivity=3, **chance)
    claimed = float(curve_of(event)[_WHOLE_ORDERS.index(order)])
    assert costs[0] == pytest.approx(claimed, rel=1e-9)
    assert costs[1] <= claimed


def test_sampling_takes_off_and_steps_add_up() -> None:
    once = recompute([gradients(2.0, Fraction(1, 50), 100)], 1e-6)
    assert recompute([gradients(2.0, Fraction(1, 50), 50)] * 2, 1e-6) == pytest.approx(once)
    assert recompute([gradients(2.0, Fraction(1, 49), 100)], 1e-6) > once
    assert recompute([gradients(1.9, Fraction(1, 50), 100)], 1e-6) > once
    all_rows = gradients(2.0, Fraction(1), 100)
    assert float(all_rows.rho) == pytest.approx(100 / 8, rel=1e-6)
    assert recompute([all_rows], 1e-6) == pytest.approx(epsilon_of(100 / 8, 1e-6), rel=0.02)


@pytest.mark.parametrize(
    "changes",
    [
        {"steps": 2},
        {"sampling_denominator": 2},
        {"clip": 1.0},
        {"kind": GRADIENTS},
        {"kind": GRADIENTS, "clip": 0.0},
        {"kind": GRADIENTS, "clip": 1.0, "steps": 0},
        {"kind": GRADIENTS, "clip": 1.0, "sampling_numerator": 0},
        {"kind": GRADIENTS, "clip": 1.0, "sampling_numerator": 2},
        {"kind": GRADIENTS, "clip": 1.0, "threshold": 3},
    ],
)
def test_samples_that_cannot_be_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"event|release"):
        counts(100, **changes)


@pytest.mark.parametrize("epsilon", [0.5, 8.0])
def test_gradients_use_up_what_is_left(epsilon: float) -> None:
    ledger = Ledger(Budget(epsilon=epsilon, delta=1e-6, release_delta=1e-7))
    ledger.spend(counts(1 / (2 * ledger.rho / 5)))
    sampling = Fraction(1, 20)
    noise = ledger.noise_multiplier(sampling, 200)
    with pytest.raises(UnchargedAccessError, match="left of the budget"):
        ledger.spend(gradients(noise * 0.999, sampling, 200))
    ledger.spend(gradients(noise, sampling, 200))
    guarantee = ledger.guarantee()
    # Its delta is all of the budget's, as releases took none of theirs.
    assert 0.98 * epsilon < guarantee.epsilon < epsilon
    assert recompute(guarantee.events, 0.9e-6) == pytest.approx(epsilon, rel=1e-4)
    assert from_plain(Guarantee, json.loads(json.dumps(to_plain(guarantee)))) == guarantee
    assert ledger.rho_left == 0
    with pytest.raises(UnchargedAccessError, match="left of the budget"):
        ledger.spend(counts(10**9))
    full = Ledger(Budget(epsilon=epsilon, delta=1e-6))
    full.spend(counts(1 / (2 * full.rho)))
    with pytest.raises(ConfigError, match="leaves nothing for 200 steps"):
        full.noise_multiplier(sampling, 200)


# Budget


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"epsilon": 0}, "epsilon must be above 0"),
        ({"epsilon": -1}, "epsilon must be above 0"),
        ({"epsilon": math.nan}, "epsilon must be above 0"),
        ({"epsilon": math.inf}, "epsilon must be above 0"),
        ({"delta": 0}, "delta must be above 0"),
        ({"delta": 1}, "delta must be above 0"),
        ({"delta": math.nan}, "delta must be above 0"),
        ({"release_delta": 1e-6}, "release_delta"),
        ({"rows_per_unit": 3}, "without a unit column"),
        ({"unit": "person", "rows_per_unit": 0}, "at least 1"),
    ],
)
def test_budgets_are_checked(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Budget(**{"epsilon": 1.0, "delta": 1e-6, **changes})


def test_nothing_is_spent_beyond_the_budget() -> None:
    ledger = Ledger(Budget(epsilon=1, delta=1e-6))
    half = ledger.rho / 2
    for _ in range(2):
        ledger.spend(counts(1 / (2 * half)))
    assert ledger.rho_left == 0
    with pytest.raises(UnchargedAccessError, match="left of the budget"):
        ledger.spend(counts(10**12))
    assert len(ledger.events) == 2
    assert ledger.guarantee().epsilon == pytest.approx(1, rel=1e-6)
    assert ledger.guarantee().epsilon <= 1


def test_deltas_and_units_are_held_to_the_budget() -> None:
    ledger = Ledger(Budget(epsilon=1, delta=1e-6, unit="person", rows_per_unit=3))
    with pytest.raises(UnchargedAccessError, match="more rows"):
        ledger.spend(counts(10**6))
    with pytest.raises(UnchargedAccessError, match="release_delta"):
        ledger.spend(counts(10**6, sensitivity=3, kind=RELEASE, threshold=10**4, delta=1e-9))
    ledger.spend(counts(10**6, sensitivity=3))
    assert ledger.guarantee().unit == "at most 3 rows a value of 'person'"
    assert ledger.guarantee().difference == "at most 3 rows a value of 'person'"


def test_a_guarantee_can_be_told_and_recomputed() -> None:
    ledger = Ledger(Budget(epsilon=2, delta=1e-6, release_delta=1e-7))
    ledger.spend(counts(Fraction(123457, 256)))
    ledger.spend(counts(400, kind=RELEASE, threshold=150, delta=1e-7))
    made = ledger.guarantee()
    told = json.dumps(to_plain(made))
    read = from_plain(Guarantee, json.loads(told))
    assert read == made
    assert recompute(read.events, read.delta) == read.epsilon < 2
    assert read.neighbours == "add-or-remove-one"
    with pytest.raises(ValueError, match="kind"):
        from_plain(Guarantee, json.loads(told.replace(COUNTS, "something else")))


# Claims


def claim(*events: Event, **changes: Any) -> Guarantee:
    fields = {"epsilon": recompute(events, 1e-6), "delta": 1e-6, "unit": "row", "events": events}
    return Guarantee(**{**fields, **changes})


RELEASED = counts(400, kind=RELEASE, threshold=150, delta=1e-7)
SUMMED = gradients(2.0, Fraction(1, 50), 100)


@pytest.mark.parametrize(
    "events",
    [(), (counts(400),), (counts(Fraction(7, 3)), RELEASED), (counts(400), SUMMED), (SUMMED,)],
)
def test_a_claim_that_follows_from_its_events_holds(events: tuple[Event, ...]) -> None:
    made = claim(*events)
    check_claim(made)
    check_claim(replace(made, epsilon=made.epsilon + 1))
    if events:
        with pytest.raises(ValueError, match="claims epsilon"):
            check_claim(replace(made, epsilon=made.epsilon * 0.999))
        with pytest.raises(ValueError, match="claims epsilon"):
            check_claim(replace(made, events=(*events, counts(1000))))
        with pytest.raises(ValueError, match="fewer rows"):
            check_claim(replace(made, unit="at most 10,001 rows a value of 'person'"))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"epsilon": 0.0}, "claims epsilon 0, but its ledger gives"),
        ({"delta": 1e-7}, "sum of its events"),
        ({"delta": 1.5}, "delta"),
        ({"unit": "person"}, "whose rows"),
        ({"unit": "at most 2 rows a value of 'person'"}, "fewer rows"),
        ({"events": (SUMMED,) * 100}, "more events of gradients"),
        ({"events": (counts(Fraction(1, 10**400)),)}, "claims epsilon"),
        ({"events": (replace(SUMMED, sensitivity=10**200),)}, "its ledger gives inf"),
        ({"events": (replace(SUMMED, variance_denominator=10**300),)}, "claims epsilon"),
        ({"events": (replace(SUMMED, steps=10**300), counts(1))}, "claims epsilon"),
        ({"events": (replace(SUMMED, sensitivity=10**200), counts(400))}, "its ledger gives inf"),
    ],
)
@pytest.mark.filterwarnings("error")
def test_a_claim_that_is_better_than_its_events_is_refused(
    changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        check_claim(replace(claim(counts(400), RELEASED), **changes))


# What was spent


def fail(ledger: Ledger, error: BaseException, *asked: Event) -> None:
    with spending(ledger.guarantee):
        for event in asked:
            ledger.spend(event)
        raise error


def fail_later(error: BaseException) -> None:
    try:
        raise error
    finally:
        raise RuntimeError("later")


@pytest.mark.parametrize("error", [ConfigError("x"), KeyboardInterrupt(), ValueError("x")])
def test_an_error_tells_what_was_spent_before_it(error: BaseException) -> None:
    ledger = Ledger(Budget(epsilon=1, delta=1e-6))
    with pytest.raises(type(error)) as caught:
        fail(ledger, error)
    assert spent_in(caught.value) is None  # nothing was asked
    with pytest.raises(type(error)) as caught:
        fail(ledger, error, counts(400))
    assert spent_in(caught.value) == ledger.guarantee()
    with pytest.raises(RuntimeError) as later:
        fail_later(caught.value)
    assert spent_in(later.value) == ledger.guarantee()


def test_what_was_spent_is_kept_in_a_file(tmp_path: Path) -> None:
    path, spent = tmp_path / "m.ledger.json", claim(counts(400), RELEASED)
    save_ledger(path, spent)
    assert load_ledger(path) == spent
    with pytest.raises(TableError, match="already exists"):
        save_ledger(path, spent)
    plain = json.loads(path.read_text())
    huge = {**plain["guarantee"]["events"][1], "threshold": 10**305}
    for damage in (
        {"guarantee": {**plain["guarantee"], "epsilon": 0.01}},
        {"guarantee": {**plain["guarantee"], "events": 1}},
        {"guarantee": {**plain["guarantee"], "events": [huge]}},
        {"guarantee": None},
        {"synthgan_ledger": 2},
    ):
        path.write_text(json.dumps({**plain, **damage}))
        with pytest.raises(ModelFileError, match=r"m\.ledger\.json: the ledger"):
            load_ledger(path)
    for foreign in ("", "[1]", "{}", "{", "a,b"):
        path.write_text(foreign)
        assert load_ledger(path) is None
    assert load_ledger(tmp_path / "none.json") is None


# Rows


SCHEMA = Schema(
    columns=(
        Column(name="person", kind=Kind.IDENTIFIER, dtype="int64"),
        Column(name="age", kind=Kind.INTEGER, dtype="float64", nullable=True),
        Column(name="town", kind=Kind.CATEGORY, dtype="object", categories=("Ulm", "Bonn")),
        Column(name="born", kind=Kind.DATETIME, dtype="object", format="%d/%m/%Y", resolution="D"),
    )
)
FRAME = pd.DataFrame(
    {
        "person": [1, 1, 1, 2, 3],
        "age": [17.0, 18.0, np.nan, 400.0, -5.0],
        "town": ["Ulm", "Bonn", "Bonn", None, "Rome"],
        "born": ["01/02/1990", "03/04/1990", "1990-05-06", None, "07/08/1990"],
    }
)
FREE = Fraction(1, 100)  # so little noise is none


def exact(counts: np.ndarray, variance: Fraction) -> np.ndarray:
    return counts


def open_rows(frame: pd.DataFrame = FRAME, schema: Schema = SCHEMA, **budget: Any) -> PrivateRows:
    ledger = Ledger(Budget(**{"epsilon": 1e6, "delta": 0.5, "release_delta": 0.1, **budget}))
    return PrivateRows(frame, schema, ledger, mechanism=exact)


def test_every_row_is_in_one_cell() -> None:
    rows = open_rows()
    assert rows.count(Total(), FREE, "rows").tolist() == [5]
    ages = Ranges(column="age", grid=Grid(), edges=(0, 18, 100))
    assert rows.count(ages, FREE, "ages").tolist() == [2, 2, 1]  # beyond the edges: outermost
    towns = Levels(column="town", levels=("Bonn", "Ulm"))
    assert rows.count(towns, FREE, "towns").tolist() == [2, 1, 1, 1]
    day = (pd.Timestamp("1990-02-15") - pd.Timestamp(0)).days
    born = Ranges(column="born", grid=Grid(), edges=(day - 30, day, day + 1000))
    assert rows.count(born, FREE, "dates").tolist() == [1, 2, 2]
    assert [event.name for event in rows.ledger.events] == ["rows", "ages", "towns", "dates"]


def test_noise_is_added_unless_a_test_says_otherwise() -> None:
    rows = PrivateRows(FRAME, SCHEMA, Ledger(Budget(epsilon=1, delta=1e-6)))
    assert rows.count(Total(), Fraction(10**12), "rows").tolist() != [5]


def test_codes_are_counted_in_tables() -> None:
    class Parity:
        width = 3

        def encode(self, cells: Any, chances: Any) -> Any:
            return np.where(np.isnan(cells), 2, np.nan_to_num(cells) % 2).astype(int), cells

    rows = open_rows()
    with pytest.raises(UnchargedAccessError, match="not encoded yet"):
        rows.count(Crosstab(columns=("age", "born")), FREE, "pairs")
    rows.encode({"age": Parity(), "born": Parity()})
    found = rows.count(Crosstab(columns=("age", "born")), FREE, "pairs")
    assert found.shape == (3, 3)
    assert found.sum() == 5
    Parity.width = 1
    with pytest.raises(UnchargedAccessError, match="below its width"):
        rows.encode({"age": Parity()})


def test_levels_of_few_are_not_told() -> None:
    frame = pd.concat([FRAME] * 100, ignore_index=True)
    rows = open_rows(frame)
    found = rows.release_levels("town", Fraction(900), 1e-4, "towns")
    assert found.levels == ("Bonn",)  # Rome and Ulm have 100 rows, the threshold is higher
    assert found.counts.tolist() == [200]
    assert found.missing == 100
    (event,) = rows.ledger.events
    assert event.kind == RELEASE
    assert event.delta == 1e-4
    assert event.threshold is not None
    assert event.threshold > 100
    rows = open_rows(pd.concat([FRAME] * 200, ignore_index=True))
    assert rows.release_levels("town", Fraction(900), 1e-4, "t").levels == ("Bonn", "Rome", "Ulm")


def test_a_unit_has_a_few_rows_at_most() -> None:
    rows = open_rows(unit="person", rows_per_unit=2)
    assert rows.count(Total(), FREE, "rows").tolist() == [4]
    assert rows.ledger.events[0].sensitivity == 2
    nobody = FRAME.assign(person=pd.array([None, None, None, None, 1], dtype="Int64"))
    rows = open_rows(nobody, unit="person", rows_per_unit=1)
    assert rows.count(Total(), FREE, "rows").tolist() == [1]  # rows of no unit take no part
    schema = Schema(columns=(Column(name="age", kind=Kind.INTEGER, dtype="int64"),))
    with pytest.raises(SchemaError, match="names the unit"):
        open_rows(pd.DataFrame({"age": [1]}), schema, unit="age")
    with pytest.raises(SchemaError, match="no column 'persons'"):
        open_rows(unit="persons")


def test_which_rows_of_a_unit_are_kept_is_chance() -> None:
    frame = pd.DataFrame({"person": [1] * 64, "age": np.arange(64.0), "town": "Ulm", "born": None})
    ages = Ranges(column="age", grid=Grid(), edges=tuple(range(65)))
    kept = {
        tuple(open_rows(frame, unit="person", rows_per_unit=8).count(ages, FREE, "ages").tolist())
        for _ in range(8)
    }
    assert len(kept) > 1
    assert {sum(each) for each in kept} == {8}


def test_an_odd_cell_changes_no_other_row() -> None:
    odd = FRAME.astype(object).copy()
    odd.loc[4] = [3, "many", 3.5, "25/25/1990"]
    rows = open_rows(odd)
    ages = Ranges(column="age", grid=Grid(), edges=(0, 18, 100))
    assert rows.count(ages, FREE, "ages").tolist() == [1, 2, 2]
    towns = Levels(column="town", levels=("Bonn", "Ulm"))
    assert rows.count(towns, FREE, "towns").tolist() == [2, 1, 1, 1]
    # Read as month first, all dates would do, and none would be where it was.
    swapped = FRAME.assign(born=["01/02/1990", "03/04/1990", "05/25/1990", None, "07/08/1990"])
    day = (pd.Timestamp("1990-02-01") - pd.Timestamp(0)).days
    born = Ranges(column="born", grid=Grid(), edges=(0, day, day + 1, day + 999))
    assert open_rows(swapped).count(born, FREE, "dates").tolist() == [0, 1, 2, 2]


def test_spellings_of_dates_are_declared() -> None:
    schema = Schema(
        columns=(Column(name="born", kind=Kind.DATETIME, dtype="object", resolution="D"),)
    )
    with pytest.raises(SchemaError, match=r"'born'.*must be declared"):
        open_rows(FRAME[["born"]], schema)


@pytest.mark.parametrize(
    "access",
    [
        len,
        list,
        bool,
        copy.copy,
        copy.deepcopy,
        to_plain,
        lambda rows: rows[0],
        lambda rows: rows["age"],
        lambda rows: "age" in rows,
        lambda rows: rows.age,
        lambda rows: rows.shape,
        lambda rows: rows.cells,
        lambda rows: rows.to_csv("rows.csv"),
        lambda rows: rows.__reduce__(),
        pd.DataFrame,
        vars,
    ],
)
def test_rows_have_no_other_door(access: Any) -> None:
    rows = open_rows()
    with pytest.raises((UnchargedAccessError, TypeError, ValueError)):
        access(rows)
    assert rows.ledger.events == ()


def test_a_closed_door_says_so() -> None:
    rows = open_rows()
    with pytest.raises(SynthganError, match=r"attribute 'shape' is not open.*ask count"):
        rows.shape  # noqa: B018
    assert "17" not in repr(rows)
    assert "Ulm" not in str(rows)


def test_what_is_not_covered_is_not_looked_at() -> None:
    seen = []

    def spy(counts: np.ndarray, variance: Fraction) -> np.ndarray:
        seen.append(counts)
        return counts

    rows = PrivateRows(FRAME, SCHEMA, Ledger(Budget(epsilon=1, delta=1e-6)), mechanism=spy)
    with pytest.raises(UnchargedAccessError, match="left of the budget"):
        rows.count(Total(), FREE, "rows")
    with pytest.raises(UnchargedAccessError, match="release_delta"):
        rows.release_levels("town", Fraction(10**6), 1e-7, "towns")
    with pytest.raises(UnchargedAccessError, match="not modelled"):
        rows.count(Levels(column="person", levels=()), Fraction(10**6), "people")
    with pytest.raises(UnchargedAccessError, match="a partition is"):
        rows.count(lambda cells: cells, Fraction(10**6), "all")  # type: ignore[arg-type]
    assert seen == []
    assert rows.ledger.events == ()
