"""Models from strangers: whatever their numbers say, loading and drawing ends."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from rewriting import parts, rewritten

import synthgan
from synthgan import serialization as records
from synthgan.cli.app import main
from synthgan.errors import SynthganError

TRIES = 400  # of each model, spread evenly
TINY = synthgan.Config(
    network=synthgan.NetworkConfig(noise_width=2, width=4, head_width=2),
    train=synthgan.TrainConfig(steps=2, adversarial=False, batch_size=50, device="cpu"),
    summary=synthgan.SummaryConfig(bins=4),
)
NASTY = (
    0, -1, 1, 0.5, 1e-320, 1e300, -1e300, 1.7976931348623157e308, 2**31, 2**53 + 1, 2**63, -(2**63),
    10**30, 10**400, float("nan"), float("inf"), -float("inf"), True, None, "1", [], {}, 9999,
)  # fmt: skip

Description = dict[str, Any]
Place = tuple[str | int, ...]


def mixed(rows: int = 120) -> pd.DataFrame:
    """All kinds of columns, and constraints between them."""
    rng = np.random.default_rng(0)
    start = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 400, rows), "D")
    amount, kind = np.round(rng.gamma(2, 50, rows), 2), rng.choice(list("abc"), rows)
    tax = np.round(amount / 5, 2)
    return pd.DataFrame(
        {
            "key": [f"K-{i:05d}" for i in range(rows)],
            "amount": amount,
            "tax": tax,
            "gross": np.round(amount + tax, 2),
            "count": pd.Series(rng.poisson(3, rows)).where(rng.random(rows) > 0.1).astype("Int64"),
            "kind": kind,
            "group": np.where(kind == "c", "y", "x"),
            "start": start,
            "end": start + pd.to_timedelta(rng.integers(0, 400, rows), "h"),
            "day": start.strftime("%d.%m.%Y"),
            "took": pd.to_timedelta(rng.integers(0, 10_000, rows), "s"),
            "member": rng.random(rows) < 0.5,
        }
    )


def orders() -> dict[str, pd.DataFrame]:
    """Forty customers, with up to three orders each."""
    rng = np.random.default_rng(0)
    owners = np.repeat(np.arange(1, 41), rng.integers(0, 4, 40))
    at = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 4000, len(owners)), "h")
    price = np.round(rng.gamma(2, 10, len(owners)), 2)
    return {
        "customers": pd.DataFrame({"id": np.arange(1, 41), "kind": rng.choice(list("ab"), 40)}),
        "orders": pd.DataFrame({"customer_id": owners, "price": price, "at": at}),
    }


@cache
def one_table() -> synthgan.Synthesizer:
    return synthgan.fit(mixed(), config=TINY)


@cache
def two_tables() -> synthgan.TablesSynthesizer:
    return synthgan.fit_tables(orders(), "customers.id=orders.customer_id", config=TINY)


def draw_one(path: Path) -> None:
    assert len(synthgan.load(path).sample(5, seed=0)) == 5


def draw_two(path: Path) -> None:
    assert len(synthgan.load_tables(path).sample(5, seed=0)["customers"]) == 5


MODELS: dict[str, tuple[Callable[[], Any], Callable[[Path], None]]] = {
    "one table": (one_table, draw_one),
    "two tables": (two_tables, draw_two),
}


def numbers_in(plain: object, place: Place = ()) -> Iterator[Place]:
    """Where numbers, and nothing, stand in a description."""
    if isinstance(plain, dict):
        for key, value in plain.items():
            yield from numbers_in(value, (*place, key))
    elif isinstance(plain, list):
        for i, value in enumerate(plain):
            yield from numbers_in(value, (*place, i))
    elif plain is None or isinstance(plain, int | float):
        yield place


def changed(plain: Description, place: Place, value: object) -> Description:
    """A copy in which something else stands in one place."""
    other = copy.deepcopy(plain)
    inner: Any = other
    for step in place[:-1]:
        inner = inner[step]
    inner[place[-1]] = value
    return other


def outcome(path: Path, draw: Callable[[Path], None]) -> str:
    """What comes of a model file: rows, or one line of the project's own."""
    said = ""
    try:
        draw(path)
    except SynthganError as error:
        said = str(error)
    assert "\n" not in said
    assert len(said) < 1000
    return "refused" if said else "drawn"


@pytest.mark.parametrize("name", MODELS)
def test_any_number_in_a_description_is_refused_or_drawn_from(name: str, tmp_path: Path) -> None:
    """Warnings are errors, so that none is printed either."""
    fitted, draw = MODELS[name]
    fitted().save(tmp_path / "model.synthgan")
    tensors, text = parts(tmp_path / "model.synthgan")
    cases = [(place, value) for place in numbers_in(text) for value in NASTY]
    assert len(cases) > 5 * TRIES
    found = [
        outcome(rewritten(tmp_path, tensors, changed(text, *case)), draw)
        for case in cases[:: len(cases) // TRIES]
    ]
    assert found.count("drawn") > 20  # such as other settings, which mean nothing any more
    assert found.count("refused") > 200


def spread(low: float, high: float) -> Callable[[int], list[float]]:
    """So many numbers from one to the other, neither sum of which need be finite."""
    return lambda count: [low * (1 - i / count) + high * (i / count) for i in range(count)]


LARGEST = 1.7976931348623157e308
SEGMENT = {"positions": [0], "values": [1]}


@pytest.mark.parametrize(
    "values",
    [
        spread(-LARGEST, LARGEST),
        spread(LARGEST * 0.999, LARGEST),
        spread(0, 1e-322),
        spread(-9e18, 9e18),
        spread(2.0**63, 2.0**64),
        spread(1e10, 1e11),
        spread(0, 0),
    ],
)
@pytest.mark.parametrize("name", MODELS)
def test_quantiles_of_any_size_are_refused_or_drawn_from(
    values: Callable[[int], list[float]], name: str, tmp_path: Path
) -> None:
    fitted, draw = MODELS[name]
    fitted().save(tmp_path / "model.synthgan")
    tensors, text = parts(tmp_path / "model.synthgan")
    for part in (text.get("parent", text), text.get("child", text)):
        for known in part["summary"]["columns"].values():
            flat = iter(values(sum(len(each["values"]) for each in known.get("segments", ()))))
            for segment in known.get("segments", ()):
                segment["values"] = [next(flat) for _ in segment["values"]]
    outcome(rewritten(tmp_path, tensors, text), draw)


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("summary", "rows"), 10**15),
        (("notes",), ["a note"] * 200_000),
        (("notes",), ["x" * 100_000]),
        (("history",), [{}] * 300_000),
        (("summary", "columns", "amount", "segments"), [SEGMENT] * 20_000),
        (("summary", "columns", "kind", "levels"), [f"{i}" for i in range(10_000)]),
        (("schema", "constraints"), [{"rule": "unique", "columns": ["key", "kind"]}] * 30_000),
        (("schema", "columns"), [{"name": "x"}] * 100_000),
        (("summary", "gaps"), [[[[[[[[[[[]]]]]]]]]]]),
    ],
)  # fmt: skip
def test_what_would_never_end_is_refused_in_one_line(
    place: Place, value: object, tmp_path: Path
) -> None:
    one_table().save(tmp_path / "model.synthgan")
    tensors, text = parts(tmp_path / "model.synthgan")
    path = rewritten(tmp_path, tensors, changed(text, place, value))
    assert outcome(path, draw_one) == "refused"
    told = CliRunner().invoke(main, ["sample", str(path), "-o", str(tmp_path / "rows.csv")])
    assert told.exit_code == 2
    assert told.stderr.startswith("synthgan: ")
    assert told.stderr.count("\n") == 1
    assert not (tmp_path / "rows.csv").exists()


def test_children_without_end_are_refused(tmp_path: Path) -> None:
    two_tables().save(tmp_path / "model.synthgan")
    tensors, text = parts(tmp_path / "model.synthgan")
    counts = text["parent"]["summary"]["columns"]["number of orders"]
    for segment in counts["segments"]:
        segment["values"] = [value * 1e7 for value in segment["values"]]
    path = rewritten(tmp_path, tensors, text)
    with pytest.raises(SynthganError, match=r"children, more than 10,000"):
        synthgan.load_tables(path)


def test_a_deep_description_is_refused(tmp_path: Path) -> None:
    one_table().save(tmp_path / "model.synthgan")
    tensors, _ = parts(tmp_path / "model.synthgan")
    path = rewritten(tmp_path, tensors, "[" * 100_000)
    assert outcome(path, draw_one) == "refused"


def test_weights_of_another_shape_are_refused_by_name(tmp_path: Path) -> None:
    one_table().save(tmp_path / "model.synthgan")
    tensors, text = parts(tmp_path / "model.synthgan")
    first = min(tensors)
    odd = {name: tensor[..., :0] for name, tensor in tensors.items()}
    with pytest.raises(SynthganError, match=first.replace(".", r"\.")):
        synthgan.load(rewritten(tmp_path, odd, text))


def test_types_are_looked_into_once_and_not_once_a_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one_table().save(tmp_path / "model.synthgan")
    tensors, text = parts(tmp_path / "model.synthgan")
    step = text["history"][0]
    looked: list[object] = []
    plain = records.get_type_hints

    def counted(kind: Any, *args: Any, **more: Any) -> dict[str, Any]:
        looked.append(kind)
        return plain(kind, *args, **more)

    monkeypatch.setattr(records, "get_type_hints", counted)
    for steps in (10, 5_000):
        path = rewritten(tmp_path, tensors, json.dumps({**text, "history": [step] * steps}))
        synthgan.load(path)
    assert len(looked) == len(set(looked))
