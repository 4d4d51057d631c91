"""Replay: real values that single somebody out are seen to come out again, without a holdout."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

import synthgan
from synthgan.columns.column import Column, Kind
from synthgan.metrics.columns import Columns
from synthgan.metrics.measure import Findings, Measure, Replay
from synthgan.metrics.privacy.forms import by_form, by_neighbours, by_parts, is_code, numbers_in
from synthgan.metrics.privacy.replay import replay_findings
from synthgan.report.wording.privacy import privacy
from synthgan.report.wording.readings import is_alarm
from synthgan.schema.infer import infer_columns
from synthgan.schema.schema import Schema

PEOPLE, VISITS = 150, 6


def digits(rng: np.random.Generator, width: int, count: int) -> list[str]:
    first = rng.integers(1, 10, count)
    rest = rng.integers(0, 10, (count, width - 1))
    return [f"{a}{''.join(map(str, row))}" for a, row in zip(first, rest, strict=True)]


def visits(seed: int, people: int = PEOPLE) -> pd.DataFrame:
    """Visits of people, each of whom has several; no schema says whose they are."""
    rng = np.random.default_rng(seed)
    of = np.repeat(np.arange(people), VISITS)
    rows = len(of)
    born = pd.Timestamp("1940-01-01") + pd.to_timedelta(rng.integers(0, 25_000, people), "D")
    return pd.DataFrame(
        {
            "ssn": np.array([f"{x[:3]}-{x[3:5]}-{x[5:]}" for x in digits(rng, 9, people)])[of],
            "mrn": np.array([int(x) for x in digits(rng, 8, people)])[of],
            "token": np.array([f"{x:032x}" for x in rng.integers(0, 2**62, people)])[of],
            "born": np.array(born)[of],
            "day": pd.Timestamp("2023-01-01") + pd.to_timedelta(rng.integers(0, 300, rows), "D"),
            "amount": rng.gamma(2, 20, rows).round(2),
            "product": rng.choice([f"P-{100 + 7 * i}" for i in range(30)], rows),
            "city": rng.choice([f"Town {chr(65 + i)}" for i in range(20)], rows),
            "flu": rng.random(rows) < 0.3,
        }
    )


def findings(made: pd.DataFrame, train: pd.DataFrame, schema: Schema | None = None) -> Findings:
    schema = schema or infer_columns(train)
    return replay_findings(made, train, Columns.of(train, schema), schema)


def rung(found: Findings) -> set[str]:
    return {each.column for each in found.replays if each.verdict == "replayed"}


def line(found: Findings) -> Measure:
    (measure,) = found.measures
    return measure


def of(found: Findings, column: str) -> Replay:
    return {each.column: each for each in found.replays}[column]


# --- repeated identifiers -------------------------------------------------------------------


def test_identifiers_that_repeat_ring_in_whatever_kind_of_column_they_stand() -> None:
    train = visits(0)
    found = findings(train, train)
    assert {"ssn", "mrn", "token", "born"} <= rung(found)
    assert not {"product", "city", "day", "flu"} & rung(found)
    assert is_alarm(line(found))
    assert line(found).estimate.value == 100
    assert of(found, "ssn").distinct == of(found, "ssn").came_out == PEOPLE


def test_visits_of_other_people_do_not_ring() -> None:
    for seed in range(1, 6):
        found = findings(visits(seed), visits(0))
        assert rung(found) == set()
        assert not is_alarm(line(found))


def test_a_few_real_ones_among_many_made_up_ones_ring() -> None:
    train, made = visits(0), visits(1, people=600)
    made.loc[: 5 * VISITS - 1, "ssn"] = train["ssn"].iloc[: 5 * VISITS].to_numpy()
    found = findings(made, train)
    assert rung(found) == {"ssn"}
    assert of(found, "ssn").came_out == 5


def test_the_schema_says_whose_rows_they_are() -> None:
    train = visits(0)[["token", "amount"]].assign(
        seat=np.repeat([f"{x:02d}-{x % 7}" for x in range(PEOPLE)], VISITS)
    )
    made = visits(1)[["token", "amount"]].assign(seat=train["seat"])
    schema = Schema(
        columns=(
            Column(name="token", kind=Kind.IDENTIFIER, dtype="object", repeats=True),
            Column(name="amount", kind=Kind.NUMBER, dtype="float64", decimals=2),
            Column(name="seat", kind=Kind.CATEGORY, dtype="object"),
        ),
        entity="token",
    )
    assert rung(findings(made, train, schema)) == {"seat"}  # six rows each, one person each


def test_codes_that_many_people_share_are_nobodys() -> None:
    rng = np.random.default_rng(0)
    train, made = visits(0), visits(1)
    drugs = digits(rng, 11, 20)
    train["drug"], made["drug"] = rng.choice(drugs, len(train)), rng.choice(drugs, len(made))
    schema = infer_columns(train)
    assert "drug" not in rung(findings(made, train, schema))


# --- what chance makes ----------------------------------------------------------------------


def test_numbers_in_a_row_coincide_by_counting_and_do_not_ring() -> None:
    rng = np.random.default_rng(0)
    train = pd.DataFrame({"key": [f"K-{i:06d}" for i in range(500)], "x": rng.normal(size=500)})
    found = findings(train.assign(x=rng.normal(size=500)), train)
    assert of(found, "key").verdict == "counting"
    assert of(found, "key").share == 100
    assert rung(found) == set()
    said, _ = privacy(found, None)
    assert any("coincide by counting" in each and "'key'" in each for each in said)


def test_every_seventh_number_is_told_from_counting() -> None:
    train = pd.DataFrame({"key": [f"K-{7 * i:06d}" for i in range(500)]})
    counted = pd.DataFrame({"key": [f"K-{i:06d}" for i in range(500)]})
    train["x"] = counted["x"] = 1.0
    assert rung(findings(train, train)) == {"key"}
    assert rung(findings(counted, train)) == set()


def test_letters_that_vary_do_not_hide_codes_behind_their_numbers() -> None:
    rng = np.random.default_rng(0)
    letters = list("ABCDEFGHJKLMNPRSTVWXYZ")

    def table() -> pd.DataFrame:
        plates = [f"{''.join(rng.choice(letters, 3))} {rng.integers(100, 999)}" for _ in range(120)]
        macs = [":".join(f"{x:02x}" for x in rng.integers(0, 256, 6)) for _ in range(120)]
        frame = pd.DataFrame({"plate": plates, "mac": macs, "x": rng.normal(size=120)})
        return frame.loc[frame.index.repeat(4)]

    train = table()
    assert rung(findings(train.assign(x=0.5), train)) == {"plate", "mac"}
    assert rung(findings(table(), train)) == set()


def test_names_that_are_put_together_anew_coincide_as_often_as_there_is_room() -> None:
    rng = np.random.default_rng(0)
    firsts, lasts = ([f"{a}{b}" for b in "aeioubcdfg"] for a in ("Mi", "Ro"))

    def table() -> pd.DataFrame:
        names = [f"{rng.choice(firsts)} {rng.choice(lasts)}sen" for _ in range(60)]
        return pd.DataFrame({"who": names, "x": rng.normal(size=60)})

    train = table()
    schema = Schema(
        columns=(
            Column(name="who", kind=Kind.TEXT, dtype="object", personal="name"),
            Column(name="x", kind=Kind.NUMBER, dtype="float64"),
        )
    )
    for _ in range(10):
        assert rung(findings(table(), train, schema)) == set()


@pytest.mark.parametrize("seed", range(3))
def test_rows_of_one_kind_do_not_ring_and_copies_of_them_do(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows = 2000
    frame = pd.DataFrame(
        {
            "income": 500 * rng.integers(20, 400, rows),
            "weight": rng.lognormal(12, 0.5, rows).astype(int),
            "born": pd.Timestamp("1950-01-01") + pd.to_timedelta(rng.integers(0, 9000, rows), "D"),
            "town": [f"Town {x}" for x in rng.zipf(1.5, rows)],
            "ratio": rng.random(rows).round(3),
        }
    )
    train, other = frame.head(1000), frame.tail(1000).reset_index(drop=True)
    assert rung(findings(other, train)) == set()
    assert {"weight"} <= rung(findings(train, train))


def test_two_draws_of_one_kind_seldom_ring() -> None:
    """At 99.5 % one in 200 may; of 1,080 such draws, three did."""
    rings = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        values = (20, 100, 385)[seed % 3]
        words = [f"w{chr(97 + i % 26)}{i}" for i in range(values)]
        weights = rng.dirichlet(np.full(values, 0.3))
        train, made = (
            pd.DataFrame(
                {
                    "word": rng.choice(words, 400, p=weights),
                    "number": rng.gamma(2, 50, 400).round(seed % 3),
                }
            )
            for _ in range(2)
        )
        rings += bool(rung(findings(made, train)))
    assert rings <= 1


# --- forms ----------------------------------------------------------------------------------


def test_codes_are_told_from_quantities_words_and_small_vocabularies() -> None:
    rng = np.random.default_rng(0)
    wide = digits(rng, 9, 200)
    assert is_code(wide)
    assert is_code([f"{x[:3]}-{x[3:5]}-{x[5:]}" for x in wide])
    assert is_code([f"{x:016x}" for x in rng.integers(0, 2**62, 50)])
    assert not is_code([str(x) for x in rng.integers(1, 10**7, 300)])  # widths vary
    assert not is_code([str(1000 * x) for x in range(1000, 9000, 7)])  # round
    assert not is_code([f"{x:.2f}" for x in rng.normal(1000, 10, 300)])
    assert not is_code([f"P-{x}" for x in range(100, 200)])
    assert not is_code([f"2023-{m:02d}-{d:02d}" for m in range(1, 13) for d in range(1, 28)])
    assert not is_code(["red", "green", "blue", *"abcdefghi"])


def test_chances_are_shares_of_what_there_is_room_for() -> None:
    real = [f"{a}{b}" for a in "AB" for b in range(10) if b % 2]  # 10 of 2 * 5
    assert by_form(real, ["A1"])[0] == pytest.approx(1.0)
    thinned = [f"{a:01d}{b:01d}" for a in range(10) for b in range(10) if a == b]
    assert by_form(thinned, ["12"])[0] == pytest.approx(0.1)
    assert np.isnan(by_form(thinned, ["123"])[0])
    names = [f"N{chr(97 + i)} L{chr(97 + 3 * i % 7)}" for i in range(14)]
    assert by_parts(names, ["Nx Ly"])[0] == pytest.approx(14 / (14 * 7))
    places = by_neighbours(numbers_in(f"K{3 * i}" for i in range(100)), numbers_in(["K30", "J1"]))
    assert places == pytest.approx([1 / 3, 0.0], rel=0.05)
    long = ["a1" * 4000 for _ in range(1)]
    assert np.isnan(by_form(long, long)[0])


# --- in the report --------------------------------------------------------------------------


def test_the_report_says_which_columns_and_no_value() -> None:
    train = visits(0)
    report = synthgan.evaluate(train.assign(amount=visits(1)["amount"]), train=train)
    found = report["replayed"]
    assert found.estimate.value == 100
    assert report.sections[2].headlines[0].key == "replayed"
    verdict, advice = report.sections[2].verdict, report.sections[2].advice
    assert verdict[0].startswith("Training rows show through: real values that single somebody")
    assert "'ssn' in 100.0 % of the cells (150 of 150 values" in verdict[0]
    assert not any("no more than chance" in each and "'ssn'" in each for each in verdict)
    assert "kind identifier" in advice[0]
    assert not any("Passing proves nothing" in each for each in advice)
    assert report.check({"replayed": 1.0})
    (row,) = report.replays.query("column == 'ssn'").to_dict("records")
    assert (row["distinct"], row["came_out"], row["verdict"]) == (150, 150, "replayed")
    told = json.loads(report.to_json())["sections"][2]["replays"]
    assert {"column", "distinct", "singling", "came_out", "share", "chance", "verdict"} == {
        *told[0]
    }
    page = report.to_html()
    assert "Real values that come out again" in page
    assert "real values come out again</td>" in page
    assert 'id="term-replayed"' in page
    for text in (report.to_json(), report.to_markdown(), page):
        assert not any(value in text for value in train["ssn"].unique()[:50])


def test_a_bad_holdout_makes_the_replay_no_less_readable() -> None:
    train = visits(0)
    holdout = visits(1)
    holdout["amount"] += 1000
    report = synthgan.evaluate(train, train=train, holdout=holdout)
    said = [each for each in report.sections[2].verdict if "Training rows show through" in each]
    assert "real values that single somebody out" in said[0]


def test_nothing_that_singles_out_is_zero_and_not_unmeasured() -> None:
    train = pd.DataFrame({"a": ["x", "y"] * 50, "b": [1, 2] * 50})
    found = findings(train, train)
    assert line(found).estimate.value == 0
    assert not is_alarm(line(found))
    assert found.replays == ()
    assert findings(train.assign(a=None, b=np.nan), train).replays == ()
