"""Where a column says whose rows they are, what is kept is counted in people."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rewriting import parts
from sample_tables import quick

import synthgan
from synthgan.columns.column import Column, Kind
from synthgan.config import SummaryConfig
from synthgan.encode.encoder import Encoder
from synthgan.encode.rounding import Rounding
from synthgan.encode.sorted_values import Items
from synthgan.encode.summarize import Tally, summarize
from synthgan.encode.summary import CategorySummary, NumberSummary, Summary
from synthgan.errors import SchemaError, TableError
from synthgan.model.out_of_core import Count
from synthgan.schema.constraints.bands import Bands
from synthgan.schema.constraints.fixed_combinations import FixedCombinations
from synthgan.schema.constraints.inequality import Inequality
from synthgan.schema.constraints.missing_when import MissingWhen
from synthgan.schema.discover import discover_constraints, infer_schema
from synthgan.schema.infer import infer_columns
from synthgan.schema.owners import OwnedCounts, Pairs, owners_in, weigh
from synthgan.schema.schema import Schema
from synthgan.serialization import to_plain

WHO = Column(name="who", kind=Kind.IDENTIFIER, dtype="object", repeats=True)


def visits(people: int = 200, rows: int = 900, of_one: int = 400, seed: int = 0) -> pd.DataFrame:
    """Visits of many people, and a great many of one, who has a word, a level, days and numbers of
    his own."""
    rng = np.random.default_rng(seed)
    who = np.r_[rng.integers(0, people, rows), np.full(of_one, people)]
    mine = who == people
    n = len(who)
    days = np.where(mine, 6, rng.integers(0, 5, n)) + 7 * rng.integers(0, 150, n)  # his are Sundays
    hours = np.where(mine, 3, rng.integers(9, 17, n))
    at = pd.Timestamp("2022-01-03") + pd.to_timedelta(days, "D") + pd.to_timedelta(hours, "h")
    at += pd.to_timedelta(rng.integers(0, 60, n), "min")
    stay = np.where(mine, 5000, rng.integers(1, 240, n))
    frame = pd.DataFrame(
        {
            "who": pd.Series([f"P{k:05d}" for k in who], dtype=object),
            "price": np.where(mine, 10**6 + np.arange(n), np.round(rng.gamma(2, 50, n), 2)),
            "score": np.where(mine, rng.integers(0, 3, n) + 777, rng.integers(0, 9, n)),
            "ward": np.where(mine, "hermitage", rng.choice(list("abc"), n)).astype(object),
            "came": at,
            "left": at + pd.to_timedelta(stay, "min"),
            "note": pd.Series(["a word " * 9 + str(k) for k in range(n)]).mask(mine),
        }
    )
    frame["room"] = np.where(mine, "cell 0", frame["ward"] + "1").astype(object)
    return frame


def schema_of(frame: pd.DataFrame, *, entity: str | None = "who") -> Schema:
    columns = {column.name: column for column in infer_columns(frame)}
    columns["who"] = WHO
    for name in ("came", "left"):
        columns[name] = replace(columns[name], resolution="s")
    rules = (
        FixedCombinations(columns=("ward", "room")),
        Inequality(columns=("came", "left")),
    )
    return Schema(columns=tuple(columns.values()), constraints=rules, entity=entity)


def kept(frame: pd.DataFrame, **settings: int) -> Summary:
    return summarize(frame, schema_of(frame), SummaryConfig(**settings))


def ends(summary: Summary, name: str) -> tuple[float, float]:
    known = summary.columns[name]
    assert isinstance(known, NumberSummary)
    return known.segments[0].values[0], known.segments[-1].values[-1]


def test_what_one_has_a_thousand_times_is_in_no_part_of_the_summary() -> None:
    frame = visits()
    summary = kept(frame)
    assert ends(summary, "price")[1] < 1000
    assert ends(summary, "score")[1] == 8
    ward = summary.columns["ward"]
    assert isinstance(ward, CategorySummary)
    assert set(ward.levels) == set("abc")
    assert ward.weights[-2] == 0  # one person is too few to be said to be there
    assert summary.combinations[0].rows == (("a", "a1"), ("b", "b1"), ("c", "c1"))
    assert summary.almanacs["came"].weekdays[5:] == (0.0, 0.0)
    assert summary.almanacs["came"].times[0][0] == 9 * 60
    (gap,) = summary.gaps
    assert gap.numbers.segments[-1].values[-1] <= 240 * 60
    assert summary.unlearned.get("note") is None
    assert "hermitage" not in json.dumps(to_plain(summary))
    by_row = summarize(frame, schema_of(frame, entity=None), SummaryConfig())
    assert ends(by_row, "score")[1] == 779  # as it is where each row is somebody's


@pytest.mark.parametrize("of_one", [0, 3, 1200])
def test_how_many_rows_one_has_moves_no_share_by_more_than_a_person(of_one: int) -> None:
    before, after = kept(visits(of_one=5)), kept(visits(of_one=of_one))
    for name in ("ward", "price", "score"):
        one, other = (np.array(s.columns[name].weights) for s in (before, after))
        if len(one) == len(other):
            assert np.abs(one - other).max() < 0.04, name  # a step of 201 people
    repeats = [np.mean(s.unlearned["who"].sizes) for s in (before, after)]
    assert repeats == pytest.approx([4.5, 4.5], abs=0.2)


def test_a_pair_of_summaries_without_the_one_are_alike() -> None:
    """Whatever only one has, and however often: the rest is as if his cells were cut off."""
    frame = visits()
    alone = kept(frame[frame["who"] != "P00200"])
    for name in ("price", "score", "came"):
        assert ends(kept(frame), name) == pytest.approx(ends(alone, name), rel=0.05), name


def test_groups_of_numbers_are_of_enough_people(monkeypatch: pytest.MonkeyPatch) -> None:
    frame = visits(people=60, rows=3000)
    asked: list[int] = []
    mean = Rounding.mean

    def spy(self: Rounding, items: Items, start: int, stop: int) -> float:
        assert items.owners is not None
        asked.append(len(np.unique(items.owners[start:stop])))
        return mean(self, items, start, stop)

    monkeypatch.setattr(Rounding, "mean", spy)
    kept(frame, min_category_rows=7)
    assert len(asked) > 50
    assert min(asked) >= 7


def test_a_mean_counts_each_of_its_people_once() -> None:
    items = Items(np.array([1.0, 1.0, 1.0, 4.0]), np.full(4, 0.1), np.array([0, 0, 0, 1]))
    assert items.mean(0, 4) == 2.5


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 4), st.integers(2, 7))
def test_chunks_and_machines_give_the_summary_of_all(seed: int, machines: int, enough: int) -> None:
    frame = visits(people=30, rows=150, of_one=20, seed=seed)
    config, schema = SummaryConfig(min_category_rows=enough), schema_of(frame)
    whole = summarize(frame, schema, config)
    order = np.random.default_rng(seed).permutation(len(frame))
    tallies = [Tally(schema, config) for _ in range(machines)]
    for tally, rows in zip(tallies, np.array_split(order, machines), strict=True):
        for some in np.array_split(rows, 2):
            tally.add(frame.iloc[some])
    for other in tallies[1:]:
        tallies[0].merge(other)
    assert tallies[0].summary() == whole


def test_people_are_told_apart_alike_in_every_chunk() -> None:
    whole, with_holes = pd.Series([7, 8, 10**15]), pd.Series([7, None, 10**15])
    one, other = owners_in(whole), owners_in(with_holes)
    assert (one[[0, 2]] == other[[0, 2]]).all()
    assert owners_in(pd.Series([" ", None, np.nan, pd.NA], dtype=object)).tolist() == [0] * 4
    assert owners_in(pd.Series(["7 ", "7"], dtype=object)).tolist() == [int(one[0])] * 2
    assert (owners_in(whole.astype("category")) == one).all()


def test_all_who_have_no_name_are_one() -> None:
    frame = visits()
    frame["who"] = frame["who"].mask(frame["ward"] == "c")
    ward = kept(frame).columns["ward"]
    assert isinstance(ward, CategorySummary)
    assert set(ward.levels) == set("ab")


def test_a_table_of_few_people_is_too_small() -> None:
    with pytest.raises(TableError, match="the rows of 4 is too small"):
        kept(visits(people=3, of_one=50))
    with pytest.raises(SchemaError, match="no combination is shared by 190 people"):
        kept(visits(), min_category_rows=190)


def test_of_too_many_pairs_those_of_some_people_are_held() -> None:
    rng = np.random.default_rng(0)
    keys = rng.integers(0, 1000, 40_000).astype(float)
    owners = owners_in(pd.Series(rng.integers(0, 4000, 40_000)))
    whole = Pairs.of(keys, owners)
    halves = [Pairs.of(keys[k::2], owners[k::2]).thinned(3000) for k in (0, 1)]
    found = halves[0].merged(halves[1]).thinned(3000)
    assert 500 < len(found.keys) <= 3000
    wanted = whole.sampled(found.halvings)
    assert (found.keys == wanted.keys).all()
    assert (found.rows == wanted.rows).all()
    (weights,) = weigh(found)
    assert weights.sum() == pytest.approx(len(np.unique(found.owners)))


def test_the_summary_of_some_people_is_like_that_of_all(monkeypatch: pytest.MonkeyPatch) -> None:
    frame = visits(people=4000, rows=12_000)
    monkeypatch.setattr("synthgan.encode.summarize._FEWEST_PAIRS", 2000)
    schema = schema_of(frame)
    count = Count(schema, SummaryConfig(), declared=True, limit=1)
    # As many values as the least bound allows are held; here fewer are wanted.
    tally = Tally(schema, SummaryConfig(), most_values=2000)
    for rows in np.array_split(np.arange(len(frame)), 5):
        tally.add(frame.iloc[rows])
        count.add(frame.iloc[rows])
    some, _, whole = tally.summary(), count.finish(), kept(frame)
    assert ends(some, "score") == ends(whole, "score")
    one, other = (np.array(s.columns["ward"].weights) for s in (some, whole))
    assert one == pytest.approx(other, abs=0.05)


def test_counts_by_key() -> None:
    counts: OwnedCounts[str | None] = OwnedCounts(None)
    owners = np.array([1, 1, 1, 2], dtype=np.uint64)
    counts.add(["a", None], np.array([0, 0, -1, 0]), owners)
    assert counts.people() == {"a": 2, None: 1}
    assert counts.weights() == pytest.approx({"a": 1 + 2 / 3, None: 1 / 3})
    assert counts.owners_of(["a", None]) == 2


# --- rules ------------------------------------------------------------------------------


def one_of_many(rows: int = 600) -> pd.DataFrame:
    """A table in which one person has a level that nobody else has, and cells missing by it."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"who": rng.integers(0, 150, rows).astype(str).astype(object)})
    mine = frame["who"] == "7"
    mine[:60] = True
    frame.loc[mine, "who"] = "7"
    frame["state"] = np.where(mine, "widowed in May", rng.choice(["x", "y"], rows)).astype(object)
    frame["spouse"] = pd.Series(rng.integers(0, 90, rows)).mask(mine)
    frame["size"] = np.where(mine, 5000.25, np.round(rng.gamma(3, 40, rows), 2))
    frame["band"] = pd.cut(frame["size"], [-1, 50, 150, 4000, 9000], labels=list("abcd"))
    frame["band"] = frame["band"].astype(object)
    return frame


def test_no_rule_names_what_one_has() -> None:
    frame = one_of_many()
    schema = replace(infer_columns(frame), constraints=())
    columns = tuple(WHO if c.name == "who" else c for c in schema)
    by_row = discover_constraints(frame, Schema(columns=columns))
    assert any(isinstance(rule, MissingWhen) for rule in by_row)
    assert any(isinstance(rule, Bands) for rule in by_row)
    found = discover_constraints(frame, Schema(columns=columns, entity="who"))
    assert "widowed" not in str(found)
    assert not any(isinstance(rule, Bands) for rule in found)
    owners = owners_in(frame["who"])
    assert "widowed" not in str(infer_schema(frame.drop(columns="who"), owners=owners))


def test_what_few_people_show_decides_nothing() -> None:
    """A date of birth decides where somebody lives: by the many rows of each person."""
    rng = np.random.default_rng(0)
    who = rng.integers(0, 120, 3000)
    frame = pd.DataFrame({"who": who.astype(str).astype(object)})
    frame["born"] = pd.Series([f"19{k % 100:02d}-0{1 + k // 100}" for k in who], dtype=object)
    frame["town"] = pd.Series([f"town {k % 40}" for k in who], dtype=object)
    columns = tuple(WHO if c.name == "who" else c for c in infer_columns(frame))
    assert discover_constraints(frame, Schema(columns=columns))
    assert discover_constraints(frame, Schema(columns=columns, entity="who")) == ()


def test_no_band_ends_at_somebodys_cell() -> None:
    rng = np.random.default_rng(0)
    size = np.round(rng.uniform(0, 100, 500), 3)
    above = np.sort(size)[250]
    frame = pd.DataFrame({"size": size, "band": np.where(size >= above, "large", "small")})
    size[np.argsort(size)[249]] = above - 0.001
    frame["size"] = size
    found = discover_constraints(frame, infer_columns(frame))
    assert not [rule for rule in found if isinstance(rule, Bands) and above in rule.cuts]


def test_words_are_named_if_enough_people_have_them() -> None:
    rng = np.random.default_rng(0)
    who = np.r_[rng.integers(0, 200, 900), np.full(30, 999)]
    ages = pd.Series(rng.integers(18, 90, 930).astype(str), dtype=object)
    ages[rng.random(930) < 0.1] = ">89"
    ages[who == 999] = "over the moon"
    frame = pd.DataFrame({"age": ages})
    found = infer_schema(frame, owners=owners_in(pd.Series(who)))
    assert found["age"].words == (">89",)


# --- a fit ------------------------------------------------------------------------------


def test_a_fit_counts_people_and_draws_nothing_of_one() -> None:
    frame = visits()
    model = synthgan.fit(frame, schema_of(frame), quick(30))
    rows = model.sample(2000, seed=0)
    assert rows["price"].max() < 1000
    assert set(rows["ward"]) <= set("abc")
    assert any("people" in line for line in model.protections)
    assert set(Encoder(schema_of(frame), kept(frame)).levels["ward"]) == set("abc")


def test_what_too_few_have_to_be_known_is_learned_as_anything_else() -> None:
    """Not as the least number, or the most frequent level: one person may have many such rows."""
    frame = visits()
    frame["price"] = frame["price"].mask(frame["who"] == "P00200")
    frame["ward"] = frame["ward"].mask(frame["who"] == "P00200", None)
    schema = schema_of(frame)
    schema = replace(schema, constraints=schema.constraints[1:])
    encoder = Encoder(schema, summarize(frame, schema, SummaryConfig()))
    rng = np.random.default_rng(0)
    cells = encoder.decode(encoder.encode(frame, rng), rng)
    mine = (frame["who"] == "P00200").to_numpy()
    price = np.asarray(cells["price"], dtype=float)
    assert np.median(price[mine]) == pytest.approx(np.median(price[~mine]), rel=0.2)
    assert pd.Series(cells["ward"][mine]).value_counts(normalize=True).max() < 0.5


def test_a_file_too_large_for_memory_is_counted_in_people_too(tmp_path: Path) -> None:
    frame = visits()
    frame.to_parquet(tmp_path / "visits.parquet")
    model = synthgan.fit(tmp_path / "visits.parquet", schema_of(frame), quick(1), memory_limit=1)
    assert model.summary == kept(frame)


def test_what_is_counted_travels_between_processes() -> None:
    frame, config = visits(), SummaryConfig()
    halves = []
    for part in (frame.iloc[:500], frame.iloc[500:]):
        count = Count(schema_of(frame), config, declared=True, limit=2**40)
        count.add(part)
        halves.append(copy.deepcopy(count))  # as pickle does it
    halves[0].merge(halves[1])
    assert halves[0].finish()[1] == kept(frame)


# --- two tables -------------------------------------------------------------------------


def shop(orders_of_one: int) -> dict[str, pd.DataFrame]:
    """Customers with one to three orders, and one of many more, all of them odd."""
    rng = np.random.default_rng(0)
    counts = rng.integers(1, 4, 400)
    counts[77] = orders_of_one
    parents = pd.DataFrame({"id": np.arange(400), "kind": rng.choice(list("ab"), 400)})
    owner = np.repeat(parents["id"].to_numpy(), counts)
    odd = owner == 77
    n = len(owner)
    ordered = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 300 * 1440, n), "min")
    minutes = np.where(odd, 50_000, rng.integers(1, 900, n))
    orders = pd.DataFrame(
        {
            "customer_id": owner,
            "price": np.where(odd, 9e6 + np.arange(n), np.round(rng.gamma(2, 10, n), 2)),
            "what": np.where(odd, "a yacht", rng.choice(["tea", "rice"], n)).astype(object),
            "ordered": ordered,
            "sent": ordered + pd.to_timedelta(minutes, "min"),
            "paid": pd.Series(rng.choice(["yes", "no"], n)).mask(odd),
        }
    )
    return {"customers": parents, "orders": orders}


@pytest.mark.parametrize("many", [3, 777])
def test_nothing_of_one_parents_children_is_in_the_file(many: int, tmp_path: Path) -> None:
    model = synthgan.fit_tables(shop(many), "customers.id=orders.customer_id", config=quick(1))
    model.save(tmp_path / "m.synthgan")
    _, card = parts(tmp_path / "m.synthgan")
    text = json.dumps({name: card[name]["summary"] for name in ("parent", "child")})
    assert "yacht" not in text
    child = card["child"]["summary"]["columns"]
    tops = {name: c["segments"][-1]["values"][-1] for name, c in child.items() if "segments" in c}
    assert tops["place among orders"] == 3
    assert tops["customers: number of orders"] == 3
    assert max(tops["price"], tops["previous orders: price"]) < 300
    for name, column in child.items():
        if name != "place among orders":  # everybody has a first one
            # No share of rows is one customer's: of about 400 each counts for a 400th.
            assert column["weights"][-1] <= 0.02 or name.startswith("previous"), name
    places = child["place among orders"]["weights"]
    assert places[-2] == pytest.approx(0.13, abs=0.05)  # not half of the rows
    for gap in card["child"]["summary"]["gaps"]:
        assert gap["numbers"]["segments"][-1]["values"][-1] <= 900 * 60
