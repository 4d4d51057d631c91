"""What a caller gets wrong at first: one line of the right kind, and never a cell in it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sample_tables import people, quick, quick_model

import synthgan
from synthgan import ConfigError, SchemaError, SynthganError, TableError

SECRET = pd.DataFrame({"patient": ["Anna Muster"] * 12, "age": range(12)})
KEY = "a.age=b.age"

NO_TABLES: dict[str, object] = {
    "Series": SECRET["patient"],
    "Series of a row": SECRET.set_index("patient").iloc[0],
    "ndarray": SECRET.to_numpy(),
    "dict": SECRET.to_dict("list"),
    "list": SECRET.to_dict("records"),
    "int": 3,
}
TAKERS: dict[str, Callable[..., object]] = {
    "fit": synthgan.fit,
    "read": synthgan.read_table,
    "iter": synthgan.iter_table,
    "judge": lambda table: synthgan.evaluate(SECRET, train=table),
    "compare": synthgan.compare,
    "split": synthgan.split_table,
    "schema": synthgan.infer_schema,
    "baseline": lambda table: synthgan.fit_baseline(table, "copula"),
    "tables": lambda table: synthgan.fit_tables({"a": table, "b": SECRET}, KEY),
    "links": lambda table: synthgan.evaluate_tables(
        {"a": table}, real=dict.fromkeys("ab", SECRET), key=KEY
    ),
    "impute": lambda table: quick_model().impute(table),
    "given": lambda table: quick_model().sample(given=table),
}


@pytest.mark.parametrize("taker", TAKERS)
@pytest.mark.parametrize("kind", NO_TABLES)
def test_what_is_no_table_is_named_by_its_type_alone(taker: str, kind: str) -> None:
    with pytest.raises(TableError) as error:
        TAKERS[taker](NO_TABLES[kind])
    text = str(error.value)
    assert f"got {kind.split()[0]}" in text
    assert len(text) < 200
    assert "Anna" not in text


def test_a_column_is_told_how_to_become_a_table() -> None:
    with pytest.raises(TableError, match=r"got Series; df\[\['age'\]\] is a table"):
        synthgan.fit(SECRET["age"])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("call", "kind", "words"),
    [
        (lambda: synthgan.fit(SECRET, quick()), SchemaError, "config=Config"),
        (lambda: synthgan.fit(SECRET, {"age": "number"}), SchemaError, "got dict; Schema.from"),
        (lambda: synthgan.fit(SECRET, "none.json"), SchemaError, "none.json: there is no such"),
        (lambda: synthgan.fit(SECRET, config=synthgan.TrainConfig(steps=5)), ConfigError,
         "write config=Config(train=TrainConfig(...))"),
        (lambda: synthgan.fit(SECRET, config=synthgan.PrivacyConfig(epsilon=1)), ConfigError,
         "write config=Config(privacy=PrivacyConfig(...))"),
        (lambda: synthgan.fit(SECRET, config={"steps": 5}), ConfigError, "train=TrainConfig"),
        (lambda: synthgan.fit_baseline(SECRET, "copula", config=3), ConfigError, "got int"),
        (lambda: synthgan.compare(SECRET, quick()), ConfigError, "CompareConfig(fit=...)"),
        (lambda: synthgan.EvaluateConfig(schema="schema.json"), ConfigError, "Schema.load(path)"),
        (lambda: synthgan.Synthesizer(), ConfigError, "synthgan.fit(df)"),
        (lambda: synthgan.TablesSynthesizer(), ConfigError, "fit_tables"),
        (lambda: quick_model().sample(3, seed="x"), ConfigError, "seed must be a whole number"),
        (lambda: quick_model().sample(3, seed=1.5), ConfigError, "seed must be a whole number"),
    ],
)  # fmt: skip
def test_what_goes_where_is_said(
    call: Callable[[], object], kind: type[SynthganError], words: str
) -> None:
    with pytest.raises(kind) as error:
        call()
    assert words in str(error.value)


@pytest.mark.parametrize("form", [str, Path])
def test_a_schema_may_be_the_path_of_its_file(
    form: Callable[[Path], str | Path], tmp_path: Path
) -> None:
    schema = synthgan.infer_schema(people(60), constraints=False)
    schema.save(tmp_path / "schema.json")
    model = synthgan.fit(people(60), form(tmp_path / "schema.json"), quick(2))
    assert model.schema == schema
    baseline = synthgan.fit_baseline(people(60), "independent", form(tmp_path / "schema.json"))
    assert baseline.schema == schema


def test_a_named_row_index_is_not_dropped_in_silence() -> None:
    frame = people(60).set_index(["job", "member"])
    with pytest.warns(UserWarning, match=r"row index \('job', 'member'\) is not learned") as told:
        model = synthgan.fit(frame, config=quick(2))
    assert told[0].filename == __file__
    assert "job" not in model.schema.names
    synthgan.fit(people(80).iloc[20:], config=quick(2))  # an index without a name says nothing
    imputer = synthgan.SynthGANImputer(config=quick(2))
    imputer.fit(pd.DataFrame({"a": np.arange(30.0)}, index=pd.RangeIndex(30, name="id")))


def test_a_name_of_another_package_is_answered_with_ours() -> None:
    assert not hasattr(synthgan, "CTGANSynthesizer")
    with pytest.raises(AttributeError, match=r"'CTGANSynthesizer'; .*synthgan\.fit\(df\)"):
        _ = synthgan.CTGANSynthesizer
