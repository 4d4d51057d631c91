"""Inputs that somebody has damaged, and the readers that they are shown to.

:data:`READERS` holds, for each reader, honest inputs and what is done with one. :func:`damaged`
gives an input that is not honest any more. ``test_hostile.py`` tries a few and
``benchmarks/fuzz.py`` many. What broke something is kept in ``corpus/``, a folder a reader.
"""

from __future__ import annotations

import copy
import gzip
import io
import json
import lzma
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.feather as pa_feather
import pyarrow.parquet as pq
from safetensors import SafetensorError
from safetensors.torch import load, save
from sample_tables import people, quick

import synthgan
from synthgan.errors import SynthganError
from synthgan.sample.where import parse_where
from synthgan.schema.expression.expression import Expression

CORPUS = Path(__file__).parent / "corpus"


@dataclass(frozen=True, kw_only=True)
class Reader:
    """Something that takes input from outside."""

    seeds: Callable[[], tuple[bytes, ...]]
    """Honest inputs."""
    read: Callable[[bytes, Path], object]
    """Reads one, for which a folder is at hand; raises :class:`SynthganError` or nothing."""
    form: str = "bytes"
    """What structure damage can keep to: ``json``, ``text``, or ``tensors`` with a JSON text."""


def outcome(reader: Reader, data: bytes, folder: Path) -> str:
    """``taken``, or the name of the error that says why not; any other exception comes through."""
    try:
        reader.read(data, folder)
    except SynthganError as error:
        if "\n" in str(error):
            raise ValueError("an error is one line") from error
        return type(error).__name__
    return "taken"


# --- tables -----------------------------------------------------------------------------


def _table(name: str) -> Callable[[bytes, Path], object]:
    def read(data: bytes, folder: Path) -> object:
        path = folder / name
        path.write_bytes(data)
        frame = synthgan.read_table(path)
        for chunk in synthgan.iter_table(path, chunk_rows=7):
            assert list(chunk) == list(frame)
        return synthgan.infer_schema(frame.head(50))

    return read


@cache
def _with_words() -> pd.DataFrame:
    """A table with words among the numbers of one column."""
    frame = people(60)
    old = [">89"] * 6 + ["unknown"] * 6 + frame["age"].iloc[12:].astype(str).tolist()
    return frame.assign(old=pd.Series(old, dtype=object))


@cache
def _csv_seeds() -> tuple[bytes, ...]:
    text = people(12).to_csv(index=False)
    odd = 'n;t;d\n1,5;"a ""b""\nc";2020-01-01\n2.000,25;\'x\';2021-12-31 10:00\n;;\n'
    other = "when\tprice\tcode\n01:30:00\t$1,234.50\t0012\n00:10:00\t($5.00)\t>89\n"
    words = _with_words()[["old", "rich"]].head(40).to_csv(index=False)
    return (*(each.encode() for each in (text, odd, other, words)), odd.encode("utf-16"))


def _packed(pack: Callable[[bytes], bytes]) -> Callable[[], tuple[bytes, ...]]:
    return lambda: tuple(pack(seed) for seed in _csv_seeds()[:2])


def _zipped(data: bytes) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("rows.csv", data)
    return sink.getvalue()


@cache
def _odd_table() -> pa.Table:
    """Columns of the types that no CSV has."""
    return pa.table(
        {
            "levels": pa.array(["a", "b", None, "a"]).dictionary_encode(),
            "list": pa.array([[1, 2], None, [], [3]]),
            "struct": pa.array([{"x": 1}, None, {"x": 2}, {"x": 3}]),
            "binary": pa.array([b"\xff\x00", None, b"", b"x"]),
            "exact": pa.array([1, 2, None, 4]).cast(pa.decimal128(30, 3)),
            "stamp": pa.array([0, 1, None, 2**40]).cast(pa.timestamp("ms", "UTC")),
            "span": pa.array([0, 1, None, 2**40]).cast(pa.duration("s")),
            "half": pa.array(np.array([0, 1, np.nan, np.inf], np.float16)),
            "nothing": pa.nulls(4),
        }
    )


@cache
def _arrow_seeds(ending: str) -> tuple[bytes, ...]:
    found = []
    tables = (pa.Table.from_pandas(people(12)), _odd_table().select(range(3, 9)), _odd_table())
    for table in tables:
        sink = io.BytesIO()
        if ending == ".parquet":
            pq.write_table(table, sink)
        else:
            plain = "uncompressed" if len(found) else "lz4"
            pa_feather.write_feather(table, sink, compression=plain)
        found.append(sink.getvalue())
    return tuple(found)


# --- descriptions -----------------------------------------------------------------------


@cache
def _schema() -> synthgan.Schema:
    return synthgan.infer_schema(people(60), constraints=False)


@cache
def _schema_seeds() -> tuple[bytes, ...]:
    plain = json.loads(_schema().to_json())
    names = ("age", "score")
    plain["constraints"] = [
        {"rule": each.rule, **fields}
        for each, fields in (
            (synthgan.Inequality, {"columns": list(names)}),
            (synthgan.RowRule, {"expression": "age >= 18 or job == 'clerk'"}),
            (synthgan.Formula, {"column": "wealth", "expression": "age * 2 + score"}),
            (synthgan.Unique, {"columns": list(names)}),
        )
    ]
    plain["columns"] += [
        {"name": "key", "kind": "identifier", "dtype": "object", "format": "AB-9999"},
        {"name": "boss", "kind": "identifier", "dtype": "object", "references": "key"},
        {"name": "paid", "kind": "number", "dtype": "object", "format": "$#,##0.00", "low": 0},
        {"name": "old", "kind": "integer", "dtype": "str", "format": "%d", "words": [">89", "?"]},
        {"name": "mail", "kind": "text", "dtype": "object", "personal": "email"},
        {"name": "born", "kind": "datetime", "dtype": "object", "format": "%d.%m.%Y",
         "resolution": "D", "low": "1900-01-01", "high": "2020-12-31"},
        {"name": "mark", "kind": "category", "dtype": "object", "categories": ["a", "b"]},
    ]  # fmt: skip
    return _schema().to_json().encode(), json.dumps(plain).encode()


def _read_schema(data: bytes, folder: Path) -> object:
    path = folder / "schema.json"
    path.write_bytes(data)
    schema = synthgan.Schema.load(path)
    schema.save(folder / "again.json", overwrite=True)
    assert synthgan.Schema.load(folder / "again.json") == schema
    return schema


def _metadata_seeds() -> tuple[bytes, ...]:
    kinds = {
        "age": {"sdtype": "numerical", "computer_representation": "Int64"},
        "job": {"sdtype": "categorical", "order": ["clerk", "smith"]},
        "since": {"sdtype": "datetime", "datetime_format": "%Y-%m-%d"},
        "rich": {"sdtype": "id", "regex_format": "[A-Z]{2}-[0-9]{4}"},
        "member": {"sdtype": "boolean"},
        "score": {"sdtype": "email", "pii": False},
        "wealth": {"sdtype": "numerical"},
    }
    table = {"columns": kinds, "primary_key": "rich", "alternate_keys": []}
    one = {"METADATA_SPEC_VERSION": "V1", "tables": {"people": table}, "relationships": []}
    return json.dumps(one).encode(), json.dumps(table).encode()


def _read_metadata(data: bytes, folder: Path) -> object:
    path = folder / "metadata.json"
    path.write_bytes(data)
    return synthgan.Schema.load(path, table=people(12))


def _manifest_seeds() -> tuple[bytes, ...]:
    _model()  # once, and not on the time of the first input
    return (
        json.dumps(
            {"synthgan_parts": 1, "rows": 5, "part_rows": 8192, "ending": ".csv", "seed": 3,
             "model": "0" * 64, "where": None}
        ).encode(),
    )  # fmt: skip


def _read_manifest(data: bytes, folder: Path) -> object:
    rows = folder / "rows"
    rows.mkdir(exist_ok=True)
    (rows / "_synthgan.json").write_bytes(data)
    parts = synthgan.Parts(folder=rows, rows=5, ending=".csv", chunks=1)
    return _model().sample_parts(parts)


# --- models and checkpoints -------------------------------------------------------------


def tiny() -> synthgan.Config:
    config = quick(2)
    small = {"width": 8, "head_width": 4, "critic_width": 8, "noise_width": 2}
    return synthgan.Config(network=synthgan.NetworkConfig(**small), train=config.train)


@cache
def _model() -> synthgan.Synthesizer:
    return synthgan.fit(_with_words(), config=tiny())


@cache
def _model_seeds() -> tuple[bytes, ...]:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model"
        _model().save(path)
        return (path.read_bytes(),)


def _read_model(data: bytes, folder: Path) -> object:
    path = folder / "model.synthgan"
    path.write_bytes(data)
    model = synthgan.load(path, device="cpu")
    assert model.protections is not None
    return model.sample(3, seed=1)


@cache
def _checkpoint_seeds() -> tuple[bytes, ...]:
    import tempfile

    found = []

    def stop(step: synthgan.Step) -> None:
        raise KeyboardInterrupt

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "checkpoint"
        checkpoint = synthgan.CheckpointConfig(path=path)
        synthgan.fit(people(60), _schema(), tiny(), checkpoint=checkpoint, on_step=stop)
        found.append(path.read_bytes())
    return tuple(found)


def _read_checkpoint(data: bytes, folder: Path) -> object:
    path = folder / "checkpoint"
    path.write_bytes(data)
    checkpoint = synthgan.CheckpointConfig(path=path, resume=True)
    return synthgan.fit(people(60), _schema(), tiny(), checkpoint=checkpoint)


# --- texts ------------------------------------------------------------------------------


def _condition_seeds() -> tuple[bytes, ...]:
    _model()
    return tuple(
        text.encode()
        for text in (
            "job == \"clerk\" and 30 <= age < 40 and score is not missing",
            "since >= '2003-01-01' and job in ['smith', None] and not_there == 1",
            "old == '>89' and old in ['unknown', 30, None] and old != '?' and old > 40",
            "member == true and `wealth` != 0.5e3 and age not in (1, 2, -3)",
        )
    )  # fmt: skip


def _read_condition(data: bytes, folder: Path) -> object:
    levels = {"job": ["clerk", "smith", "boss"], "rich": ["no", "yes"], "member": [False, True]}
    return parse_where(data.decode("utf-8", "surrogateescape"), _model().schema, levels)


def _expression_seeds() -> tuple[bytes, ...]:
    return tuple(
        text.encode()
        for text in (
            "round(age * 2 + abs(score) / wealth, 2) - min(age, 5)",
            "age >= 18 or job == 'clerk' and not (score is missing)",
            "(`age` + 1) * -wealth <= 1e6 or job in ['a', \"b\"]",
        )
    )


def _read_expression(data: bytes, folder: Path) -> object:
    rule = Expression(data.decode("utf-8", "surrogateescape"))
    cells: dict[str, Any] = {name: np.array([1.0, np.nan, -3.5]) for name in rule.columns}
    cells["job"] = np.array(["clerk", None, "x"], dtype=object)
    return rule.truth(cells) if rule.is_truth else rule.numbers(cells)


READERS: dict[str, Reader] = {
    "csv": Reader(seeds=_csv_seeds, read=_table("t.csv"), form="text"),
    "tsv": Reader(seeds=_csv_seeds, read=_table("t.tsv"), form="text"),
    "csv.gz": Reader(seeds=_packed(gzip.compress), read=_table("t.csv.gz")),
    "csv.xz": Reader(seeds=_packed(lzma.compress), read=_table("t.csv.xz")),
    "csv.zip": Reader(seeds=_packed(_zipped), read=_table("t.csv.zip")),
    "parquet": Reader(seeds=lambda: _arrow_seeds(".parquet"), read=_table("t.parquet")),
    "feather": Reader(seeds=lambda: _arrow_seeds(".feather"), read=_table("t.feather")),
    "schema": Reader(seeds=_schema_seeds, read=_read_schema, form="json"),
    "metadata": Reader(seeds=_metadata_seeds, read=_read_metadata, form="json"),
    "manifest": Reader(seeds=_manifest_seeds, read=_read_manifest, form="json"),
    "model": Reader(seeds=_model_seeds, read=_read_model, form="tensors"),
    "checkpoint": Reader(seeds=_checkpoint_seeds, read=_read_checkpoint, form="tensors"),
    "condition": Reader(seeds=_condition_seeds, read=_read_condition, form="text"),
    "expression": Reader(seeds=_expression_seeds, read=_read_expression, form="text"),
}


# --- damage -----------------------------------------------------------------------------


def damaged(reader: Reader, rng: Random) -> bytes:
    """An honest input with one to four things wrong with it."""
    data = rng.choice(reader.seeds())
    ways = [_bytes_damaged]
    ways += {"json": [_json_damaged] * 4, "text": [_text_damaged] * 3}.get(reader.form, [])
    ways += [_tensors_damaged] * 4 if reader.form == "tensors" else []
    way = rng.choice(ways)
    for _ in range(rng.choice((1, 1, 2, 4))):
        data = way(data, rng)
    return data


def _bytes_damaged(data: bytes, rng: Random) -> bytes:
    spot = rng.randrange(len(data) + 1)
    length = rng.choice((1, 1, 2, 4, 8, 64))
    how = rng.randrange(6)
    if how == 0:  # cut short
        return data[:spot]
    if how == 1:  # a bit
        changed = bytearray(data or b"\0")
        changed[spot % len(changed)] ^= 1 << rng.randrange(8)
        return bytes(changed)
    if how == 2:  # a piece is lost
        return data[:spot] + data[spot + length :]
    if how == 3:  # a piece comes twice
        return data[: spot + length] + data[spot:]
    filling = rng.choice((b"\0", b"\xff", b"\x7f", b"\x80", rng.randbytes(1))) * length
    return data[:spot] + filling + data[spot + length * (how == 4) :]


_WORDS = (
    ",", ";", "\t", "|", '"', "'", "`", "\n", "\r", "\r\n\r\n", "\0", "\ufeff", "\u2028", "(", ")",
    "[", "]", "{", "}", "==", "<=", "=", "-", "--", "+", "*", "**", "/", "//", "%", "^", "~", "&",
    "not ", " and ", " or ", " in ", " is ", "missing", "None", "nan", "inf", "1e999", "-1e-999",
    "1" * 400, "9" * 5000, "0x1F", "1_0", "((((((((((", "not not not not ", "age", "job", "since",
    "\\", "\\'", "lambda", "round(", "min(", "é", "\U0001f600", "\u0660", "<5", ">89", "unknown",
    "2020-02-30", "9999999-01-01", "99:99:99", "1,234.50", "$", "=1+1", "@", "a" * 2000,
)  # fmt: skip


def _text_damaged(data: bytes, rng: Random) -> bytes:
    text = data.decode("utf-8", "surrogateescape")
    spot = rng.randrange(len(text) + 1)
    lost = rng.choice((0, 0, 1, 3, 20))
    word = rng.choice(_WORDS) * rng.choice((1, 1, 1, 2, 300))
    return (text[:spot] + word + text[spot + lost :]).encode("utf-8", "surrogateescape")


_JUNK: tuple[object, ...] = (
    None, True, False, 0, 1, -1, 2**31, 2**63, 2**64, -(2**63) - 1, 10**400, 0.5, -0.0, 1e308,
    1e-320, float("nan"), float("inf"), "", " ", "a", "\ud800", "\0", "a\nb", "9" * 300, "A" * 300,
    "../../etc/passwd", "(a+)+$", "[0-9]{9999}", "\\", "%", "%Y", "%d.%m.%y", "%f", "#,##0.00",
    "$0;($0)", "int64", "object", "Int8", "timestamp[ns][pyarrow]", "datetime64[ns, UTC]",
    "datetime64[ns, ../x]", "decimal128(99, 99)[pyarrow]", "category", "string", "float16", "M8[Y]",
    "Period[D]", "Sparse[int]", "interval[int64]", "complex128", "timedelta64[ns]", "U5", "V8",
    "age", "job", "since", "number", "integer", "datetime", "identifier", "text", "boolean", [],
    {}, [[]], [None], {"a": {}}, [1, "a", None], ["age", "age"], "age > ((((1", "age * age", "D",
    "ns", "de_DE", "email", "card", "2020-01-01", "9999-12-31T23:59:59.999999", "-1",
)  # fmt: skip


def _json_damaged(data: bytes, rng: Random) -> bytes:
    try:
        return json.dumps(_surgery(json.loads(data), rng)).encode()
    except (ValueError, RecursionError):  # it is JSON no more, or deep already
        return _bytes_damaged(data, rng)


def _places(plain: object) -> Iterator[tuple[Any, Any]]:
    keys = plain if isinstance(plain, dict) else range(len(plain) if isinstance(plain, list) else 0)
    for key in list(keys):
        yield plain, key
        yield from _places(plain[key])  # type: ignore[index]


def _surgery(whole: Any, rng: Random) -> Any:
    """JSON with one value lost, doubled, renamed, exchanged, or put inside of another."""
    places = list(_places(whole))
    if not places:
        return rng.choice(_JUNK)
    holder, key = rng.choice(places)
    how = rng.randrange(8)
    if how == 0:
        del holder[key]
    elif how == 1 and isinstance(holder, dict):
        holder[str(rng.choice(_JUNK))] = holder.pop(key)
    elif how == 1:
        holder.extend(copy.deepcopy(holder[:1]) * rng.choice((1, 3)))
    elif how == 2:
        other, name = rng.choice(places)
        with suppress(KeyError, IndexError, ValueError):
            holder[key] = copy.deepcopy(other[name])
    elif how == 3:
        for _ in range(rng.choice((1, 40, 900))):
            holder[key] = rng.choice(([holder[key]], {"a": holder[key]}))
    elif how == 4 and isinstance(holder[key], int | float):
        holder[key] = holder[key] * rng.choice((-1, 0, 2, 10**6, 10**18)) + rng.choice((0, 1, -1))
    elif how == 5 and isinstance(holder[key], list):
        rng.shuffle(holder[key])
    else:
        holder[key] = rng.choice(_JUNK)
    return whole


def _tensors_damaged(data: bytes, rng: Random) -> bytes:
    """A file of tensors and a text, in which one or the other was exchanged."""
    try:
        length = int.from_bytes(data[:8], "little")
        header = json.loads(data[8 : 8 + length])
        tensors = load(data)
    except (ValueError, RuntimeError, KeyError, AttributeError, SafetensorError):
        return _bytes_damaged(data, rng)
    how = rng.randrange(4)
    if how == 0:  # the header itself
        text = _json_damaged(data[8 : 8 + length], rng)
        return len(text).to_bytes(8, "little") + text + data[8 + length :]
    metadata = header.get("__metadata__")
    if how == 1:
        name = rng.choice(sorted(tensors))
        tensor = tensors[name]
        turns = (
            lambda: tensor * float("nan") if tensor.is_floating_point() else tensor * 0,
            lambda: tensor * 1e30 if tensor.is_floating_point() else tensor + 1,
            lambda: tensor.reshape(-1)[:1].clone(),
            lambda: tensor.double() if tensor.is_floating_point() else tensor.float(),
            lambda: tensor.unsqueeze(0),
        )
        tensors[name] = rng.choice(turns)().contiguous()
        if rng.random() < 0.2:
            tensors["more" if rng.random() < 0.5 else name] = tensors.pop(name)
        return bytes(save(tensors, metadata))
    try:  # the text
        if metadata:
            plain = json.loads(metadata["synthgan"])
            metadata = {"synthgan": json.dumps(_surgery(plain, rng))}
        else:
            import torch

            plain = json.loads(tensors["record"].numpy().tobytes())
            words = json.dumps(_surgery(plain, rng)).encode()
            tensors["record"] = torch.frombuffer(bytearray(words), dtype=torch.uint8)
        return bytes(save(tensors, metadata))
    except (ValueError, KeyError, RecursionError, TypeError):
        return _bytes_damaged(data, rng)


def example(name: str, seed: int) -> bytes:
    """The damaged input of that number."""
    return damaged(READERS[name], Random(f"{name} {seed}"))


__all__ = ["CORPUS", "READERS", "Reader", "damaged", "example", "outcome", "tiny"]
