"""Model files of strangers: whatever they say, they are refused in one line or sample ends."""

from __future__ import annotations

import copy
import json
import math
import signal
import sys
import typing
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from random import Random
from types import FrameType
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from click.testing import CliRunner
from rewriting import parts, rewritten

import synthgan
from synthgan.cli import main
from synthgan.errors import ConfigError, ModelFileError, SchemaError, SynthganError

Text = dict[str, Any]
Edit = Callable[[Text], object]

TINY = synthgan.Config(
    network=synthgan.NetworkConfig(noise_width=2, width=4, block_width=2, head_width=2),
    train=synthgan.TrainConfig(steps=2, adversarial=False, batch_size=50, device="cpu"),
    summary=synthgan.SummaryConfig(bins=3),
)
_PATIENCE = 20  # seconds of CPU after which something will not end; what ends takes a second
_TOP = sys.float_info.max


@pytest.fixture(autouse=True)
def ends() -> Iterator[None]:
    """Stops what would go on for ever."""
    if not hasattr(signal, "SIGPROF"):  # Windows
        yield
        return

    def stop(*_: object) -> None:
        raise AssertionError("it does not end")

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, _PATIENCE)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def rich(rows: int = 120) -> pd.DataFrame:
    """Columns of all kinds, and rules between them."""
    rng = np.random.default_rng(0)
    minutes = rng.integers(0, 400, rows) * 1440 + rng.integers(0, 48, rows) * 15
    start = pd.Timestamp("2024-01-01") + pd.to_timedelta(minutes, unit="min")
    kind, amount = rng.choice(["a", "b", "c"], rows), np.round(rng.gamma(2, 50, rows), 2)
    words = rng.normal(size=rows).round(1).astype(str).astype(object)
    words[rng.random(rows) < 0.2] = "n/a"
    return pd.DataFrame(
        {
            "key": [f"K-{i:05d}" for i in range(rows)],
            "mail": [f"q{i}@example.org" for i in range(rows)],
            "number": rng.permutation(rows) + 100_000,
            "amount": amount,
            "gross": (amount * 1.2).round(2),
            "count": pd.Series(rng.poisson(3, rows)).where(rng.random(rows) > 0.1).astype("Int64"),
            "kind": kind,
            "group": pd.Series(kind).map({"a": "x", "b": "x", "c": "y"}),
            "start": start.astype("datetime64[us]"),
            "end": (start + pd.to_timedelta(rng.integers(0, 40, rows), unit="h")).astype(
                "datetime64[ns]"
            ),
            "share": [f"{x:.1f} %" for x in rng.uniform(0, 100, rows)],
            "words": words,
            "took": pd.to_timedelta(rng.integers(0, 10_000, rows), unit="s"),
        }
    )


def family(parents: int = 40) -> dict[str, pd.DataFrame]:
    rng = np.random.default_rng(0)
    counts = rng.integers(0, 4, parents)
    rows = int(counts.sum())
    days = pd.to_timedelta(rng.integers(0, 400, parents), unit="D")
    hours = pd.to_timedelta(rng.integers(0, 4000, rows), unit="h")
    customers = {
        "id": np.arange(1, parents + 1),
        "kind": rng.choice(["a", "b"], parents),
        "since": pd.Timestamp("2024-01-01") + days,
    }
    orders = {
        "customer": np.repeat(np.arange(1, parents + 1), counts),
        "price": np.round(rng.gamma(2, 10, rows), 2),
        "at": pd.Timestamp("2024-01-01") + hours,
        "note": [f"N-{i:04d}" for i in range(rows)],
    }
    return {"customers": pd.DataFrame(customers), "orders": pd.DataFrame(orders)}


Model = tuple[dict[str, torch.Tensor], Text]


@cache
def _one_table(folder: Path) -> Model:
    path = folder / "one.synthgan"
    schema = synthgan.infer_schema(rich())
    assert {"formula", "inequality", "fixed_combinations"} <= {c.rule for c in schema.constraints}
    synthgan.fit(rich(), schema, config=TINY).save(path)
    return parts(path)


@cache
def _two_tables(folder: Path) -> Model:
    path = folder / "two.synthgan"
    synthgan.fit_tables(family(), "customers.id=orders.customer", config=TINY).save(path)
    return parts(path)


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Model:
    return _one_table(tmp_path_factory.mktemp("one"))


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Model:
    return _two_tables(tmp_path_factory.mktemp("two"))


def edited(model: Model, edit: Edit) -> Text:
    text = copy.deepcopy(model[1])
    edit(text)
    return text


def put(where: str, value: object) -> Edit:
    """Sets what is at a place such as ``schema/columns/0/dtype``."""

    def edit(text: Text) -> None:
        *path, last = where.split("/")
        place: Any = text
        for key in path:
            place = place[int(key)] if isinstance(place, list) else place[key]
        place[int(last) if isinstance(place, list) else last] = value

    return edit


def taken(path: Path, n: int = 5) -> bool:
    """Whether a file is taken and gives rows; if not, the error is one line that can be read."""
    error = None
    try:
        if synthgan.tables_in(path):
            rows = synthgan.load_tables(path).sample(n, seed=0)["customers"]
        else:
            rows = synthgan.load(path).sample(n, seed=0)
        assert len(rows) == n
    except SynthganError as found:
        error = str(found)
    if error is not None:
        assert "\n" not in error
        assert len(error) < 2_000
    return error is None


# --- each number ------------------------------------------------------------------------

NASTY: list[Any] = [
    0, -1, 1, 2, 0.5, -0.5, 1e-320, 5e-324, 1e300, -1e300, _TOP, -_TOP, 2**31, 2**53 + 1, 2**63,
    -(2**63), 10**30, 10**400, math.nan, math.inf, -math.inf, True, None, "1", [], {}, 1e15, -1e15,
    9.2e18, 10_000,
]  # fmt: skip


def numbers(value: object, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Paths of all numbers, and of all that is null."""
    if isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, each in items:
            yield from numbers(each, (*path, key))
    elif value is None or isinstance(value, int | float):
        yield path


@pytest.mark.parametrize(("name", "tries"), [("one", 240), ("two", 200)])
def test_no_number_of_a_description_breaks_anything(
    name: str, tries: int, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    model: Model = request.getfixturevalue(name)
    rng = Random(0)
    places = [path for path in numbers(model[1]) if "history" not in path]
    all_of_them = [(path, value) for path in places for value in NASTY]
    found = {True: 0, False: 0}
    for path, value in rng.sample(all_of_them, tries):
        text = edited(model, put("/".join(map(str, path)), value))
        found[taken(rewritten(tmp_path, model[0], text))] += 1
    assert min(found.values()) > tries // 20, found


def spread(low: float, high: float) -> Callable[[int], list[float]]:
    """Numbers that rise from one to the other, which may be as far apart as there is room."""
    return lambda n: [low * (1 - i / (n - 1)) + high * (i / (n - 1)) for i in range(n)]


SPREADS = {
    "as wide as floats": spread(-_TOP, _TOP),
    "at the top": spread(_TOP * 0.999, _TOP),
    "at the bottom": spread(-_TOP, -_TOP * 0.999),
    "denormal": spread(0, 1e-322),
    "one value": spread(0, 0),
    "beyond int64": spread(2.0**63, 2.0**64),
    "below int64": spread(-(2.0**64), -(2.0**63)),
    "dates before Christ and after 9999": spread(-1e6, 1e7),
    "dates that no calendar has": spread(-9e18, 9e18),
    "within a thousandth": spread(-1e-3, 1e-3),
}


@pytest.mark.parametrize("name", SPREADS)
def test_no_numbers_of_columns_break_anything(name: str, one: Model, tmp_path: Path) -> None:
    """Each numeric column in turn, all of whose numbers are still in order."""
    found = 0
    for column in [*_numeric(one[1]), None]:
        text = copy.deepcopy(one[1])
        for other, known in _numeric(text).items():
            if column in (other, None):
                segments = known["segments"]
                values = iter(SPREADS[name](sum(len(s["values"]) for s in segments)))
                for segment in segments:
                    segment["values"] = [next(values) for _ in segment["values"]]
        found += taken(rewritten(tmp_path, one[0], text))
    assert found


def _numeric(text: Text) -> dict[str, Text]:
    summary = text["summary"]
    found = {name: x for name, x in summary["columns"].items() if "segments" in x}
    return found | {f"{gap['low']} to {gap['high']}": gap["numbers"] for gap in summary["gaps"]}


WORDS = [
    "", "0", "9" * 200, "%Y", "%", "0.0 %", "int8", "Int8", "uint64", "float16", "object", "bool",
    "category", "datetime64[s]", "datetime64[ns]", "datetime64[us, UTC]", "datetime64[999999999s]",
    "timedelta64[s]", "date32[day][pyarrow]", "decimal128(3, 2)[pyarrow]", "int8[pyarrow]",
    "timestamp[ns][pyarrow]", "0001-01-01", "9999-12-31", "number", "integer", "datetime",
    "identifier", "email", "iban", "de_DE", "\0", "\ud800", "a\nb", "x" * 100_000, 400, 1e308,
]  # fmt: skip


@pytest.mark.parametrize("name", ["one", "two"])
def test_no_word_of_a_schema_breaks_anything(
    name: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    model: Model = request.getfixturevalue(name)
    rng, schemas = Random(1), _schemas(model[1])
    places = [
        (number, "columns", i, key)
        for number, schema in enumerate(schemas)
        for i, column in enumerate(schema["columns"])
        for key in column
    ]
    for (number, *path), value in rng.sample([(p, w) for p in places for w in WORDS], 200):
        text = copy.deepcopy(model[1])
        put("/".join(map(str, path)), value)(_schemas(text)[number])
        taken(rewritten(tmp_path, model[0], text))


def _schemas(text: Text) -> list[Text]:
    if "key" not in text:
        return [text["schema"]]
    return [text["parent"]["schema"], text["child"]["schema"], text["child_schema"]]


# --- what is asked for is too much ------------------------------------------------------


ORDER = {"rule": "inequality", "columns": ["amount", "gross"], "strict": False}
LONG = "9" * 200


def many(where: str, count: int, item: Callable[[int], object]) -> Edit:
    return put(where, [item(i) for i in range(count)])


def rules(*found: Text) -> Edit:
    """These rules beside those that there are."""
    return lambda text: text["schema"]["constraints"].extend(found)


def _ids(count: int, format: str = "K-99999") -> Edit:
    def edit(text: Text) -> None:
        columns = text["schema"]["columns"]
        columns += [{**columns[0], "name": f"id {i}", "format": format} for i in range(count)]

    return edit


def _bins(count: int) -> Edit:
    def edit(text: Text) -> None:
        known = text["summary"]["columns"]["amount"]
        known["segments"] = [
            {"positions": [0.0, 1.0], "values": [2.0 * i, 2.0 * i + 1]} for i in range(count)
        ]
        known["weights"] = [*[1 / count] * count, 0.0]

    return edit


def _levels(count: int) -> Edit:
    def edit(text: Text) -> None:
        text["summary"]["columns"]["kind"] = {
            "levels": [str(i) for i in range(count)],
            "rare_levels": 0,
            "weights": [*[1 / count] * count, 0.0, 0.0],
        }

    return edit


TOO_MUCH: dict[str, tuple[Edit, str]] = {
    "rows": (put("summary/rows", 10**15), "rows must be 0 to"),
    "rows below 0": (put("summary/rows", -1), "rows must be 0 to"),
    "rows beyond floats": (put("summary/rows", 10**400), "beyond what a float"),
    "rows that are no number": (put("summary/rows", math.nan), "must be int"),
    "columns": (many("schema/columns", 5_001, lambda i: {}), "at most 5,000 entries"),
    "identifiers": (_ids(300, LONG), "60,0.. characters together"),
    "constraints": (rules(*[ORDER] * 5_001), "at most 5,000 entries"),
    "comparisons": (
        rules(*[{"rule": "row_rule", "keep": "amount > 0" + " and gross > 0" * 70}] * 300),
        "comparisons a row",
    ),
    "bins": (_bins(10_001), "at most 10,000 entries"),
    "levels that no weights have": (_levels(50_000), "weights do not fit"),
    "history": (many("history", 200_001, lambda i: {}), "at most 200,000 entries"),
    "notes": (many("notes", 10_001, lambda i: "x"), "at most 10,000 entries"),
    "a note": (put("notes", ["x" * 50_001]), "50,000 characters"),
    "a format": (put("schema/columns/0/format", LONG + "9"), "200 characters"),
    "a dtype": (put("schema/columns/3/dtype", "dictionary<values=" * 10_000), "not supported"),
    "a text dtype": (put("schema/columns/0/dtype", "U1000000000"), "not supported"),
    "a formula": (
        rules({"rule": "formula", "column": "gross", "formula": "(" * 5_000 + "amount"}),
        "damaged",
    ),
    "a sum": (
        rules({"rule": "formula", "column": "gross", "formula": "amount + " * 2_000 + "amount"}),
        "10,000 characters",
    ),
    "a step of nothing": (
        rules({"rule": "fixed_increments", "column": "amount", "step": 0.0}),
        "above 0",
    ),
    "a step without an end": (
        rules({"rule": "fixed_increments", "column": "amount", "step": math.inf}),
        "must be finite",
    ),
    "a circle": (
        rules(ORDER | {"strict": True}, ORDER | {"columns": ["gross", "amount"], "strict": True}),
        "go in a circle",
    ),
    "a wide network": (put("config/network/width", 16_384), "weights do not fit"),
    "a wide head": (put("config/network/head_width", 16_384), "weights do not fit"),
}


def refusal(path: Path, *words: str) -> str:
    """The one line that the command line refuses a file with."""
    out = str(path.parent / "rows.csv")
    if not words:
        words = ("-n", "3")
    done = CliRunner().invoke(main, ["sample", str(path), *words, "-o", out, "--quiet"])
    assert done.exit_code == 2, (done.output, done.exception)
    assert done.output.count("\n") == 1, done.output
    assert done.output.startswith("synthgan: ")
    assert len(done.output) < 5_000
    assert not Path(out).exists()
    return done.output


@pytest.mark.parametrize("name", TOO_MUCH)
def test_too_much_is_refused_in_one_line(name: str, one: Model, tmp_path: Path) -> None:
    edit, why = TOO_MUCH[name]
    path = rewritten(tmp_path, one[0], edited(one, edit))
    with pytest.raises(ModelFileError, match=why):
        synthgan.load(path)
    assert str(path) in refusal(path)
    done = CliRunner().invoke(main, ["info", str(path)])
    assert (done.exit_code, done.output.count("\n")) == (2, 1), done.output


def test_rows_beyond_count_are_not_drawn_unasked(one: Model, tmp_path: Path) -> None:
    for rows in (10**12, 3 * 10**6):
        path = rewritten(tmp_path, one[0], edited(one, put("summary/rows", rows)))
        assert len(synthgan.load(path).sample(3)) == 3
        with pytest.raises(ConfigError, match="say how many"):
            synthgan.load(path).sample()
        assert "say how many" in refusal(path, "--seed", "1")
        assert "say how many" in refusal(path, "--parts", "--format", "csv")


@pytest.mark.parametrize(
    "text",
    [
        '{"format": 2, "schema": ' + "[" * 200_000 + "]" * 200_000 + "}",
        '{"format": 2, "schema": ' + '{"a": ' * 100_000 + "1" + "}" * 100_000 + "}",
        '{"format": 2, "config": {"seed": ' + "9" * 6_000 + "}}",
        '{"format": 1e400}',
        "[" * 500,
        "null",
        "",
    ],
    ids=["lists", "objects", "digits", "infinite", "open", "null", "empty"],
)
def test_strange_text_is_refused(text: str, one: Model, tmp_path: Path) -> None:
    refusal(rewritten(tmp_path, one[0], text))


def _header(how: Callable[[Text, int], object], path: Path, model: Model) -> Path:
    """The file of a model with another safetensors header."""
    data = rewritten(path, *model).read_bytes()
    end = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:end])
    how(header, len(data) - end)
    words = json.dumps(header).encode()
    target = path / "header.synthgan"
    target.write_bytes(len(words).to_bytes(8, "little") + words + data[end:])
    return target


def _first(header: Text) -> Text:
    found: Text = header[min(name for name in header if name != "__metadata__")]
    return found


@pytest.mark.parametrize(
    "how",
    [
        lambda header, size: _first(header).update(shape=[2**40, 2**20]),
        lambda header, size: _first(header).update(shape=[2**63]),
        lambda header, size: _first(header).update(data_offsets=[0, 2**62]),
        lambda header, size: _first(header).update(data_offsets=[2**62, 0]),
        lambda header, size: _first(header).update(dtype="BOOL"),
        lambda header, size: header.update(
            {"../x": {"dtype": "F32", "shape": [0, 2**60], "data_offsets": [size, size]}}
        ),
    ],
    ids=["shape", "int64", "offset", "backwards", "type", "no size"],
)
def test_tensors_that_do_not_fit_are_refused(
    how: Callable[[Text, int], object], one: Model, tmp_path: Path
) -> None:
    assert "weights" in refusal(_header(how, tmp_path, one))


def test_huge_and_tiny_weights_draw_rows_or_are_refused(one: Model, tmp_path: Path) -> None:
    for value in (3.4e38, -3.4e38, 1e-45, 0.0):
        weights = {name: torch.full_like(each, value) for name, each in one[0].items()}
        taken(rewritten(tmp_path, weights, one[1]))
    weights = {name: torch.full_like(each, math.inf) for name, each in one[0].items()}
    assert "not finite" in refusal(rewritten(tmp_path, weights, one[1]))


NEVER: dict[str, Text] = {
    "unique": {"rule": "unique", "columns": ["kind"]},
    "contradiction": {"rule": "row_rule", "keep": "amount > gross and amount < gross"},
    "too small a step": {"rule": "row_rule", "keep": "amount * 1e308 * 1e308 == 1"},
}


@pytest.mark.parametrize("name", NEVER)
def test_rules_that_nothing_keeps_end(name: str, one: Model, tmp_path: Path) -> None:
    path = rewritten(tmp_path, one[0], edited(one, rules(NEVER[name])))
    assert "satisf" in refusal(path, "-n", "20")


def test_steps_at_the_ends_of_floats_leave_numbers_in_bounds(one: Model, tmp_path: Path) -> None:
    for step in (5e-324, 1e-300, 1e300, _TOP):
        rule = {"rule": "fixed_increments", "column": "amount", "step": step, "start": -step}
        path = rewritten(tmp_path, one[0], edited(one, rules(rule)))
        assert synthgan.load(path).sample(5)["amount"].between(0, 1_000).all()


# --- children ---------------------------------------------------------------------------


def children(*counts: float) -> Edit:
    """Parents have so many children, or a number between."""

    def edit(text: Text) -> None:
        segments = text["parent"]["summary"]["columns"]["number of orders"]["segments"]
        values = spread(*counts)(len(segments))
        for segment, value in zip(segments, values, strict=True):
            segment["values"] = [value] * len(segment["values"])

    return edit


@pytest.mark.parametrize(
    "counts", [(2**31 - 9, 2**31), (0, 10_001), (1e300, 1e301), (0, _TOP), (-5, 3)]
)
def test_children_beyond_bounds_are_refused(
    counts: tuple[float, float], two: Model, tmp_path: Path
) -> None:
    path = rewritten(tmp_path, two[0], edited(two, children(*counts)))
    with pytest.raises(ModelFileError, match="children"):
        synthgan.load_tables(path)
    refusal(path, "-n", "1")


def test_very_many_children_are_not_drawn_unasked(two: Model, tmp_path: Path) -> None:
    path = rewritten(tmp_path, two[0], edited(two, children(9_000, 9_999)))
    with pytest.raises(ConfigError, match="say how many of the parent"):
        synthgan.load_tables(path).sample(seed=0)
    text = edited(two, children(0, 3))
    put("parent/summary/rows", 10**12)(text)
    with pytest.raises(ConfigError, match="say how many"):
        synthgan.load_tables(rewritten(tmp_path, two[0], text)).sample(seed=0)


def test_the_columns_of_a_child_follow_from_its_parents_and_its_own(
    two: Model, tmp_path: Path
) -> None:
    for name, key, value in (
        ("number of orders", "dtype", "timedelta64[s]"),
        ("number of orders", "format", "%d"),
        ("place among orders", "dtype", "Int64"),
        ("previous orders: price", "decimals", 7),
    ):
        text = copy.deepcopy(two[1])
        for schema in _schemas(text):
            for column in schema["columns"]:
                if column["name"] == name:
                    column[key] = value
        with pytest.raises(ModelFileError):
            synthgan.load_tables(rewritten(tmp_path, two[0], text))


def test_parents_of_too_many_children_are_refused_before_a_fit() -> None:
    parents = pd.DataFrame({"id": np.arange(10), "kind": list("ab") * 5})
    child = pd.DataFrame({"of": np.repeat(np.arange(10), 10_001), "x": np.arange(100_010) % 3})
    with pytest.raises(SchemaError, match="has 10,001 children, more than 10,000"):
        synthgan.fit_tables({"p": parents, "c": child}, "p.id=c.of", config=TINY)


# --- before a fit, the same -------------------------------------------------------------


def test_formats_too_long_to_be_filled_are_refused_before_a_fit() -> None:
    columns = [
        synthgan.Column(name=f"id {i}", kind=synthgan.Kind.IDENTIFIER, dtype="object", format=LONG)
        for i in range(251)
    ]
    schema = synthgan.Schema(columns=tuple(columns))
    frame = pd.DataFrame({column.name: list("12345") for column in columns}, dtype=object)
    with pytest.raises(SchemaError, match="characters together"):
        synthgan.fit(frame, schema, config=TINY)


@pytest.mark.parametrize("format", ["A", "F-F", "timestamp"])
def test_a_format_without_digits_does_not_go_with_numbers(format: str) -> None:
    with pytest.raises(SchemaError, match="'key': format must have digits"):
        synthgan.Column(name="key", kind=synthgan.Kind.IDENTIFIER, dtype="int64", format=format)


def test_made_up_numbers_too_long_for_their_column_are_refused(one: Model, tmp_path: Path) -> None:
    place = [column["name"] for column in one[1]["schema"]["columns"]].index("number")
    for digits in (19, 200):
        text = edited(one, put(f"schema/columns/{place}/format", "9" * digits))
        with pytest.raises(SynthganError, match=r"'number': .* use a wider one"):
            synthgan.load(rewritten(tmp_path, one[0], text)).sample(5)


# --- work -------------------------------------------------------------------------------


def calls(action: Callable[[], object], of: Callable[..., object] | None = None) -> int:
    """How many functions are called, or how often one is."""
    count = 0
    code = None if of is None else of.__code__

    def look(frame: FrameType, event: str, _: object) -> None:
        nonlocal count
        count += (event == "call" and code in (None, frame.f_code)) or (
            event == "c_call" and code is None
        )

    sys.setprofile(look)
    try:
        action()
    finally:
        sys.setprofile(None)
    return count


def _history(count: int) -> Edit:
    return lambda text: put("history", text["history"][:1] * count)(text)


GROWING: dict[str, Callable[[int], Edit]] = {
    "history": _history,
    "notes": lambda count: many("notes", count, lambda i: "x"),
    "bins": _bins,
    "levels": lambda count: _levels(10 * count),
    "identifiers": _ids,
    "rules": lambda count: rules(*[ORDER] * count),
    "combinations": lambda count: many(
        "summary/combinations", 1, lambda _: {"rows": [[str(i), "x"] for i in range(count)]}
    ),
}


@pytest.mark.parametrize("name", GROWING)
def test_reading_takes_work_in_proportion_to_a_description(
    name: str, one: Model, tmp_path: Path
) -> None:
    def work(count: int) -> int:
        path = rewritten(tmp_path, one[0], edited(one, GROWING[name](count)))
        return calls(lambda: _tried(path))

    work(1)  # what is kept once for all
    few, some, more = work(100), work(200), work(400)
    assert more - some < 2.5 * (some - few) + 200


def test_types_are_looked_into_once_a_class_and_not_once_a_record(
    one: Model, tmp_path: Path
) -> None:
    _tried(rewritten(tmp_path, *one))
    path = rewritten(tmp_path, one[0], edited(one, _history(2_000)))
    assert calls(lambda: _tried(path), typing.get_type_hints) == 0


def _tried(path: Path) -> None:
    with suppress(ModelFileError):
        synthgan.load(path)
