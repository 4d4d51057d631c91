"""Constraints: found where they are, refused where rows break them, kept by all that is drawn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given as examples
from hypothesis import settings
from hypothesis import strategies as st
from sample_tables import people, quick

import synthgan
from synthgan import (
    Bands,
    FixedCombinations,
    FixedIncrements,
    FixedNullCombinations,
    Formula,
    Inequality,
    MissingWhen,
    OneHot,
    RowRule,
    Schema,
    Unique,
)
from synthgan.errors import ConditionError, SchemaError
from synthgan.sample.where import Where
from synthgan.schema.check import context_of
from synthgan.schema.constraints.base import Cells, broken, mend
from synthgan.schema.constraints.kinds import Constraint
from synthgan.schema.infer import infer_columns

DEGREES = ["school", "college", "master", "doctor"]


@cache
def orders(rows: int = 1500) -> pd.DataFrame:
    """A table that keeps a rule of every kind, and no others."""
    rng = np.random.default_rng(0)
    degree = rng.integers(0, 4, rows)
    start = pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 900, rows), "D")
    end = start + pd.to_timedelta(rng.integers(0, 40, rows), "D")
    net = np.round(rng.gamma(2, 300, rows), 2)
    tax = np.round(net * rng.choice([0, 0.07, 0.2], rows) + rng.integers(0, 50, rows), 2)
    quantity, price = rng.integers(1, 40, rows), np.round(rng.gamma(3, 5, rows), 2)
    way = rng.integers(0, 3, rows)
    coupon = rng.choice(["none", "spring", "vip"], rows, p=[0.5, 0.3, 0.2]).astype(object)
    size = np.round(rng.gamma(4, 20, rows), 3)
    hole = rng.random(rows) < 0.2
    frame = pd.DataFrame(
        {
            "degree": np.array(DEGREES, dtype=object)[degree],
            "degree_no": degree + 9,
            "start": start,
            "end": end,
            "paid": end + pd.to_timedelta(rng.integers(0, 60, rows), "D"),
            "total": np.round(net + tax, 2),
            "net": net,
            "tax": tax,
            "amount": np.round(quantity * price, 2),
            "quantity": quantity,
            "price": price,
            "cash": (way == 0).astype(int),
            "card": (way == 1).astype(int),
            "cheque": (way == 2).astype(int),
            "rent": rng.integers(100, 900, rows) * 25 + 10,
            "coupon": coupon,
            "discount": np.where(coupon == "none", np.nan, np.round(rng.gamma(2, 2, rows), 2)),
            "size": size,
            "letter": np.where(size < 60, "S", np.where(size < 100, "M", "L")).astype(object),
            "lab": np.where(hole, np.nan, np.round(rng.normal(0, 1, rows), 2)),
            "dose": np.where(hole, np.nan, np.round(rng.normal(5, 1, rows), 2)),
        }
    )
    return frame


CHECKS: dict[str, Callable[[pd.DataFrame], pd.Series]] = {
    "degree": lambda f: f["degree"] == np.array(DEGREES, dtype=object)[f["degree_no"] - 9],
    "dates": lambda f: (f["start"] <= f["end"]) & (f["end"] <= f["paid"]),
    "sum": lambda f: np.isclose(f["total"], f["net"] + f["tax"], atol=1e-6),
    "product": lambda f: np.isclose(f["amount"], f["quantity"] * f["price"], atol=1e-6),
    "one hot": lambda f: f[["cash", "card", "cheque"]].sum(axis=1) == 1,
    "steps": lambda f: (f["rent"] - 10) % 25 == 0,
    "missing": lambda f: f["discount"].isna() == (f["coupon"] == "none"),
    "bands": lambda f: (
        f["letter"] == np.where(f["size"] < 60, "S", np.where(f["size"] < 100, "M", "L"))
    ),
    "holes": lambda f: f["lab"].isna() == f["dose"].isna(),
}


@cache
def model() -> synthgan.Synthesizer:
    return synthgan.fit(orders(), config=quick(40))


def broken_rules(frame: pd.DataFrame) -> list[str]:
    return [name for name, check in CHECKS.items() if not np.asarray(check(frame)).all()]


# --- discovery --------------------------------------------------------------------------


def test_rules_are_found_and_nothing_else() -> None:
    found = synthgan.infer_schema(orders()).constraints
    bands = next(each for each in found if isinstance(each, Bands))
    assert (bands.column, bands.of, bands.values) == ("letter", "size", ("S", "M", "L"))
    assert bands.cuts == pytest.approx((60, 100), abs=0.5)
    assert {*found} - {bands} == {
        FixedCombinations(columns=("degree", "degree_no")),
        Inequality(columns=("start", "end", "paid")),
        Formula(column="total", formula="net + tax"),
        Formula(column="amount", formula="quantity * price"),
        OneHot(columns=("cash", "card", "cheque")),
        FixedIncrements(column="rent", step=25.0, start=10.0),
        MissingWhen(column="discount", when='coupon == "none"'),
        FixedNullCombinations(columns=("lab", "dose")),
    }


def test_independent_columns_and_few_rows_show_no_rule() -> None:
    rng = np.random.default_rng(1)
    noise = pd.DataFrame({f"n{i}": rng.normal(0, 1, 2000).round(3) for i in range(8)})
    noise["code"] = rng.integers(0, 5, 2000).astype(str)
    noise["flag"] = rng.random(2000) < 0.5
    noise["few"] = rng.integers(0, 6, 2000)
    assert synthgan.infer_schema(noise).constraints == ()
    assert synthgan.infer_schema(orders().head(60)).constraints == ()


def test_what_is_trivially_implied_is_not_proposed() -> None:
    rng = np.random.default_rng(2)
    small, large = rng.integers(0, 50, 1000), rng.integers(100, 900, 1000)
    mostly = np.where(rng.random(1000) < 0.999, 1, 2)
    frame = pd.DataFrame(
        {"small": small, "large": large, "sum": small + large, "mostly": mostly, "again": mostly}
    )
    found = synthgan.infer_schema(frame).constraints
    assert found == (Formula(column="sum", formula="small + large"),)
    net = rng.gamma(2, 300, 1000).round(2)
    bills = pd.DataFrame({"net": net, "tax": (net * 0.2).round(2), "total": (net * 1.2).round(2)})
    assert {type(rule) for rule in synthgan.infer_schema(bills).constraints} == {Formula}


def test_a_pair_that_names_a_row_is_found() -> None:
    pairs = [(f"p{i}", day) for i in range(60) for day in range(40)]
    rows = np.random.default_rng(0).permutation(len(pairs))[:1800]
    frame = pd.DataFrame([pairs[i] for i in rows], columns=["shop", "day"])
    assert synthgan.discover_constraints(frame, infer_columns(frame)) == (
        Unique(columns=("shop", "day")),
    )


def test_pairs_that_are_unique_by_chance_are_no_rule() -> None:
    """A minute of a year and a ward: shuffled, 2 or 3 of 1,500 rows would clash."""
    rng = np.random.default_rng(0)
    minutes = rng.integers(0, 365 * 1440, 1500)
    admitted = pd.Timestamp("2023-01-01") + pd.to_timedelta(minutes, "min")
    frame = pd.DataFrame({"admitted": admitted, "ward": rng.choice(list("AB"), 1500)})
    frame = frame.drop_duplicates()
    assert synthgan.discover_constraints(frame, infer_columns(frame)) == ()


def test_ratios_multiples_and_equal_columns_are_formulas() -> None:
    rng = np.random.default_rng(3)
    a, b = rng.gamma(3, 40, 800).round(2) + 1, rng.integers(2, 30, 800)
    frame = pd.DataFrame(
        {"a": a, "b": b, "each": (a / b).round(2), "vat": (a * 0.19).round(2), "same": a}
    )
    found = synthgan.infer_schema(frame).constraints
    by_column = {each.column: each for each in found if isinstance(each, Formula)}
    made = frame.copy()
    for each in by_column.values():
        cells: Cells = {name: made[name].to_numpy(float) for name in each.expression.columns}
        assert np.allclose(each.expression.numbers(cells), frame[each.column], atol=0.0051)
    assert len(by_column) == 3


# --- rows that are drawn ----------------------------------------------------------------


def test_every_row_keeps_every_rule() -> None:
    rows = model().sample(9000, seed=1)
    assert broken_rules(rows) == []
    assert rows.dtypes.equals(orders().dtypes)


@pytest.mark.parametrize(
    "where",
    [
        {"total": (500, 800)},
        {"amount": (200, None), "quantity": (5, 10)},
        {"letter": "M"},
        {"size": (None, 50)},
        {"paid": ("2021-01-01", "2021-06-30")},
        {"cheque": 1},
        {"degree_no": 11, "coupon": ["none", "vip"]},
        "discount is missing and rent > 12000",
        "net == 120.5",
        'degree == "doctor" and lab is missing',
    ],
)
def test_conditions_and_rules_hold_together(where: Where) -> None:
    rows = model().sample(300, where=where, seed=2)
    assert broken_rules(rows) == []
    if isinstance(where, dict) and "total" in where:
        assert rows["total"].between(500, 800).all()
    if where == "net == 120.5":
        assert (rows["net"] == 120.5).all()


def test_given_rows_are_filled_by_the_rules() -> None:
    known = orders().drop(columns=["degree", "end", "letter", "card", "discount", "net"]).head(400)
    known["total"], known["tax"] = known["total"].round(2), 2.0
    rows = model().sample(given=known, seed=3, extrapolate=True)
    assert broken_rules(rows) == []
    for name in known:
        assert rows[name].equals(known[name]) or (rows[name] == known[name]).sum() == (
            known[name].notna().sum()
        )
    assert np.allclose(rows["net"], rows["total"] - 2.0)


def test_balanced_rows_keep_the_rules() -> None:
    rows = model().sample(400, balance=["degree", "letter"], seed=4)
    assert broken_rules(rows) == []
    assert rows["degree"].value_counts().to_list() == [100] * 4


def test_imputed_rows_keep_the_rules_and_rows_that_broke_them_stay() -> None:
    frame = orders().head(300).copy()
    frame.loc[:40, "degree_no"] = 12
    frame.loc[:40, "degree"] = "school"
    frame.loc[100:200, "degree"] = None
    frame.loc[150:250, "total"] = np.nan
    filled = model().impute(frame, columns=["degree", "total"], seed=5)
    assert broken_rules(filled.iloc[41:]) == []
    assert (filled["degree"].head(41) == "school").all()


def test_a_saved_model_keeps_its_rules(tmp_path: Path) -> None:
    model().save(tmp_path / "m.synthgan")
    loaded = synthgan.load(tmp_path / "m.synthgan")
    assert loaded.schema.constraints == model().schema.constraints
    assert loaded.sample(200, seed=6).equals(model().sample(200, seed=6))


def test_combinations_of_few_rows_never_come_out_and_are_not_kept() -> None:
    frame = people(800)
    frame["city"] = np.where(frame["rich"] == "yes", "Aix", "Bonn")
    frame["land"] = np.where(frame["rich"] == "yes", "FR", "DE")
    frame.loc[:2, ["city", "land"]] = ["Aix", "DE"]
    schema = infer_columns(frame)
    rule = FixedCombinations(columns=("city", "land"))
    fitted = synthgan.fit(frame, replace(schema, constraints=(rule,)), quick(20))
    rows = fitted.sample(2000, seed=0)
    assert set(zip(rows["city"], rows["land"], strict=True)) == {("Aix", "FR"), ("Bonn", "DE")}
    assert all(row != ("Aix", "DE") for row in fitted.summary.combinations[0].rows)


def test_declared_combinations_are_all_that_come_out() -> None:
    frame = people(800)
    values = (("yes", True), ("no", False), ("no", True))
    frame = frame[~((frame["rich"] == "yes") & ~frame["member"])].reset_index(drop=True)
    rule = FixedCombinations(columns=("rich", "member"), values=values)
    fitted = synthgan.fit(frame, replace(infer_columns(frame), constraints=(rule,)), quick(20))
    assert fitted.summary.combinations == ()
    rows = fitted.sample(2000, seed=0)
    assert set(zip(rows["rich"], rows["member"].tolist(), strict=True)) <= set(values)


def test_rows_are_unique_also_across_chunks() -> None:
    pairs = [(f"p{i}", day) for i in range(150) for day in range(100)]
    rows = np.random.default_rng(0).permutation(len(pairs))[:9000]
    frame = pd.DataFrame([pairs[i] for i in rows], columns=["person", "day"])
    schema = replace(infer_columns(frame), constraints=(Unique(columns=("person", "day")),))
    fitted = synthgan.fit(frame, schema, quick(20))
    drawn = fitted.sample(9000, seed=0)
    assert not drawn.duplicated().any()
    assert 0 < drawn.attrs["synthgan.acceptance"]["'person', 'day' are unique"] < 1
    with pytest.raises(ConditionError, match="repeat another row"):
        fitted.sample(200, where={"person": "p1"}, seed=0)


@cache
def visits() -> pd.DataFrame:
    """People and times that are unique together, and a number with holes."""
    rng = np.random.default_rng(0)
    time = pd.Timestamp("2023-01-01") + pd.to_timedelta(rng.integers(0, 3000, 900), "min")
    frame = pd.DataFrame({"time": time, "ward": rng.choice(list("AB"), 900)})
    frame["fever"] = rng.normal(38, 1, 900).round(1)
    frame = frame.drop_duplicates(["time", "ward"], ignore_index=True)
    frame.loc[:99, "fever"] = np.nan
    return frame


@cache
def visits_model() -> synthgan.Synthesizer:
    rule = Unique(columns=("time", "ward"))
    schema = replace(infer_columns(visits()), constraints=(rule,))
    return synthgan.fit(visits(), schema, quick(20))


def test_rows_that_are_unique_as_given_are_imputed() -> None:
    frame = visits()
    filled = visits_model().impute(frame, seed=0)
    assert filled["fever"].notna().all()
    assert filled[["time", "ward"]].equals(frame[["time", "ward"]])
    assert filled["fever"].iloc[100:].equals(frame["fever"].iloc[100:])


def test_keys_that_are_filled_in_avoid_those_that_are_given() -> None:
    frame = visits().copy()
    frame.loc[300:, "ward"] = None
    drawn = visits_model().sample(given=frame, seed=1, extrapolate=True)
    for filled in (drawn, visits_model().impute(frame, seed=1)):
        assert filled["ward"].notna().all()
        assert not filled.duplicated(["time", "ward"]).any()


def test_given_rows_that_repeat_each_other_are_refused_but_imputed() -> None:
    inside = visits().sort_values("time")[100:150]
    frame = pd.concat([inside.assign(fever=np.nan)] * 2, ignore_index=True)
    with pytest.raises(ConditionError, match=r"50 of the given rows break .* are unique"):
        visits_model().sample(given=frame, seed=0)
    filled = visits_model().impute(frame, seed=0)
    assert filled["fever"].notna().all()
    assert filled[["time", "ward"]].equals(frame[["time", "ward"]])


def test_holes_that_nothing_fits_are_filled_freely() -> None:
    frame = orders().head(40).copy()
    frame["amount"], frame["quantity"], frame["price"] = 10.01, 3, np.nan
    filled = model().impute(frame, seed=0)
    assert filled["price"].notna().all()
    assert (filled["amount"] == 10.01).all()


def test_a_rule_that_tokens_cannot_say_is_kept_and_its_rate_is_told() -> None:
    frame = people(800)
    frame = frame[frame["wealth"] < 60 * frame["age"] ** 1.5].reset_index(drop=True)
    text = 'wealth < 60 * age * age or rich == "yes"'
    frame = frame[(frame["wealth"] < 60 * frame["age"] ** 2) | (frame["rich"] == "yes")]
    rule, strict = RowRule(keep=text), RowRule(keep="wealth < 200 * age")
    frame = frame[frame["wealth"] < 200 * frame["age"]].reset_index(drop=True)
    fitted = synthgan.fit(
        frame, replace(infer_columns(frame), constraints=(rule, strict)), quick(20)
    )
    rows = fitted.sample(1000, seed=0)
    assert (rows["wealth"] < 200 * rows["age"]).all()
    assert 0.3 < rows.attrs["synthgan.acceptance"][strict.keep] < 1


def test_a_rule_on_codes_needs_no_second_draw() -> None:
    frame = people(800)
    frame = frame[(frame["rich"] == "no") | (frame["job"] != "clerk") | frame["job"].isna()]
    frame = frame.reset_index(drop=True)
    rule = RowRule(keep='rich == "no" or job != "clerk"')
    fitted = synthgan.fit(frame, replace(infer_columns(frame), constraints=(rule,)), quick(5))
    rows = fitted.sample(1000, seed=0)
    assert not ((rows["rich"] == "yes") & (rows["job"] == "clerk")).any()
    assert rows.attrs["synthgan.acceptance"] == {}


# --- mending ----------------------------------------------------------------------------

numbers = st.integers(-20, 20).map(float)
rows_of_three = st.lists(st.tuples(*[st.one_of(numbers, st.just(np.nan))] * 3), min_size=1)


@examples(rows=rows_of_three, fixed=st.integers(0, 2), strict=st.booleans())
@settings(max_examples=100)
def test_chains_are_mended_without_touching_what_is_fixed(
    rows: list[tuple[float, ...]], fixed: int, strict: bool
) -> None:
    frame = pd.DataFrame(rows, columns=["a", "b", "c"], dtype=float)
    columns = tuple(
        synthgan.Column(name=name, kind=synthgan.Kind.INTEGER, dtype="float64", nullable=True)
        for name in frame
    )
    rule = Inequality(columns=("a", "b", "c"), strict=strict)
    context = context_of(Schema(columns=columns), {})
    cells: Cells = {name: frame[name].to_numpy().copy() for name in frame}
    keep = {name: np.full(len(frame), i == fixed) for i, name in enumerate(frame)}
    mend(rule, cells, keep, context)
    assert not broken(rule, cells, context).any()
    for i, name in enumerate(frame):
        assert (np.isnan(cells[name]) == frame[name].isna()).all()
        if i == fixed:
            assert np.array_equal(cells[name], frame[name], equal_nan=True)


# --- bad input --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Inequality(columns=("a", "b", "a")), "'a' is named twice"),
        (lambda: FixedCombinations(columns=("a",)), "at least 2 columns"),
        (lambda: FixedCombinations(columns=("a", "b"), values=((1,),)), "needs a cell a column"),
        (lambda: Formula(column="a", formula="a + b"), "'a' is named twice"),
        (lambda: Formula(column="a", formula="b / 0"), "divides by zero"),
        (lambda: Formula(column="a", formula="b > 1"), "is no number"),
        (lambda: RowRule(keep="a + b"), "is no comparison"),
        (lambda: RowRule(keep="__import__('os').system('true')"), "cannot read the expression"),
        (lambda: FixedIncrements(column="a", step=0), "above 0"),
        (lambda: Bands(column="a", of="b", cuts=(2, 1), values=("x", "y", "z")), "must rise"),
        (lambda: Bands(column="a", of="b", cuts=(1,), values=("x",)), "one more than cuts"),
    ],
)
def test_malformed_constraints_are_refused(make: Callable[[], object], message: str) -> None:
    with pytest.raises(SchemaError, match=message):
        make()


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ([Inequality(columns=("age", "wage"))], "no column 'wage'"),
        ([Inequality(columns=("age", "job"))], "'job' must hold numbers or dates"),
        ([Inequality(columns=("age", "since"))], "cannot be compared"),
        ([OneHot(columns=("job", "rich"))], "'job' must hold 0 and 1"),
        (
            [
                Inequality(columns=("age", "wealth"), strict=True),
                Inequality(columns=("wealth", "age"), strict=True),
            ],
            "go in a circle",
        ),
        (
            [
                Formula(column="age", formula="wealth + 1"),
                Formula(column="wealth", formula="age - 1"),
            ],
            "go in a circle",
        ),
        (
            [Formula(column="age", formula="wealth"), Formula(column="age", formula="score")],
            "two formulas",
        ),
    ],
)
def test_schemas_refuse_constraints_that_do_not_fit(rules: list[Constraint], message: str) -> None:
    with pytest.raises(SchemaError, match=message):
        replace(infer_columns(people()), constraints=tuple(rules))


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        (Inequality(columns=("age", "wealth")), r"\d+ of 600 rows break it"),
        (Formula(column="age", formula="score * 2"), r"\d+ of 600 rows break it"),
        (Formula(column="age", formula="score / wealth"), r"divides by zero in \d+ rows"),
        (RowRule(keep='job == "boss" or age < 80'), r"\d+ of 600 rows break it"),
        (RowRule(keep='since > "2010-01-01"'), r"\d+ of 600 rows break it"),
        (RowRule(keep="since > 'yesterday'"), "holds dates"),
        (FixedCombinations(columns=("age", "since")), "shared by 5 rows"),
        (Unique(columns=("age",)), r"\d+ of 600 rows break it"),
    ],
)
def test_rules_that_the_table_breaks_are_refused_with_the_count(
    rule: Constraint, message: str
) -> None:
    frame = people()
    schema = replace(infer_columns(frame), constraints=(rule,))
    with pytest.raises(synthgan.SynthganError, match=message) as raised:
        synthgan.fit(frame, schema, quick(5))
    assert "\n" not in str(raised.value)


def test_numbers_of_many_values_cannot_be_combined() -> None:
    frame = pd.concat([people(200).assign(score=people(200)["score"] + i) for i in range(5)] * 5)
    frame = frame.reset_index(drop=True)
    rule = FixedCombinations(columns=("score", "rich"))
    with pytest.raises(SchemaError, match="too many different numbers"):
        synthgan.fit(frame, replace(infer_columns(frame), constraints=(rule,)), quick(5))


def test_given_rows_that_break_a_rule_are_refused_with_the_count() -> None:
    known = orders()[["degree", "degree_no"]].head(50).copy()
    known["degree_no"] = 12
    with pytest.raises(ConditionError, match=r"\d+ of the given rows break the constraint"):
        model().sample(given=known, seed=0)


def test_conditions_that_a_rule_forbids_are_refused() -> None:
    with pytest.raises(ConditionError, match="the constraint 'degree', 'degree_no' only in"):
        model().sample(10, where={"degree": "doctor", "degree_no": 9}, seed=0)
    with pytest.raises(ConditionError, match=r"still violate .* total == net \+ tax"):
        model().sample(10, where={"net": 100, "tax": 7, "total": 207}, seed=0)


def test_schemas_with_rules_survive_json_and_refuse_strange_ones() -> None:
    schema = synthgan.infer_schema(orders())
    assert Schema.from_json(schema.to_json()) == schema
    text = schema.to_json()
    for old, new, message in (
        ('"inequality"', '"inequalities"', "constraints.* must be one of"),
        ('"step": 25.0', '"step": "25"', "must be float"),
        ('"when"', '"where"', "unknown key 'where'"),
        ('"net + tax"', '"net + taxes"', "no column 'taxes'"),
    ):
        assert old in text
        with pytest.raises(SchemaError, match=message):
            Schema.from_json(text.replace(old, new))


def test_numbers_that_too_few_share_are_in_no_combination() -> None:
    """They have no code of their own, so a fit could not keep to it."""
    rng = np.random.default_rng(0)
    group = np.repeat(np.arange(60), 6) * 7
    frame = pd.DataFrame({"group": group, "year": 1940 + group // 7 % 50, "cost": rng.random(360)})
    frame.loc[:2, "year"] = 1900
    frame.loc[:2, "group"] = 1
    schema = synthgan.infer_schema(frame)
    model = synthgan.fit(frame, config=quick(2))
    assert model.schema.constraints == schema.constraints
    assert len(model.sample(50, seed=0)) == 50
