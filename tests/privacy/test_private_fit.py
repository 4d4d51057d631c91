"""fit with epsilon: all of the model is under one guarantee, and does what other models do."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from fractions import Fraction
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from sample_tables import people, quick

import synthgan
from synthgan import Formula, Inequality, Kind, RowRule, Schema
from synthgan.cli.app import main
from synthgan.encode.summary import Unlearned
from synthgan.model import file as archive
from synthgan.model import fit as fitting
from synthgan.privacy import fit as private_fit
from synthgan.privacy.accountant import recompute
from synthgan.privacy.ledger import Ledger
from synthgan.privacy.questions import Levels
from synthgan.privacy.rows import PrivateRows
from synthgan.privacy.summary import plan_budget
from synthgan.train.device import choose_device

DECLARED = {
    "age": {"low": 0.0, "high": 120.0},
    "wealth": {"low": 0.0, "high": 1e6},
    "job": {"categories": ("boss", "clerk", "smith", "other")},
    "score": {"low": -10.0, "high": 10.0},
    "since": {"low": "2000-01-01", "high": "2029-12-31"},
}


def declared(frame: pd.DataFrame) -> Schema:
    """What an owner who has not looked at the rows would declare."""
    columns = synthgan.infer_schema(frame, constraints=False)
    return Schema(
        columns=tuple(replace(column, **DECLARED.get(column.name, {})) for column in columns)
    )


def private(epsilon: float = 8.0, steps: int = 10, **settings: object) -> synthgan.Config:
    privacy = synthgan.PrivacyConfig(epsilon=epsilon, **settings)  # type: ignore[arg-type]
    return replace(quick(steps), privacy=privacy)


@cache
def model() -> synthgan.Synthesizer:
    frame = people(3000)
    return synthgan.fit(frame, declared(frame), private(steps=200))


def test_the_guarantee_is_what_was_asked_for_and_follows_from_its_events() -> None:
    guarantee = model().guarantee
    assert guarantee is not None
    assert 7.9 < guarantee.epsilon <= 8
    assert guarantee.delta == 1e-6
    assert recompute(guarantee.events, guarantee.delta) == guarantee.epsilon
    looked_at = {name for event in guarantee.events for name in event.columns}
    assert looked_at == set(people().columns)
    (told,) = [line for line in model().protections if "differential privacy" in line]
    assert "epsilon 8" in told
    assert told.endswith("for adding or removing one row")


def test_rows_are_like_the_table() -> None:
    real, rows = people(3000), model().sample(3000, seed=0)
    assert rows.dtypes.equals(real.dtypes)
    assert abs((rows["rich"] == "yes").mean() - (real["rich"] == "yes").mean()) < 0.05
    rich = rows.groupby("rich")["age"].mean()
    assert rich["yes"] > rich["no"] + 4
    assert abs(model().rows - 3000) < 200


def test_conditions_balance_and_imputation_work() -> None:
    rows = model().sample(200, where='job == "boss" and age > 50', seed=1)
    assert (rows["job"] == "boss").all()
    assert (rows["age"] > 50).all()
    assert model().sample(200, balance="rich", seed=1)["rich"].value_counts().to_list() == [100] * 2
    holes = people(50).assign(age=np.nan)
    assert model().impute(holes, seed=1)["age"].notna().all()


def test_its_card_and_its_report_tell_the_guarantee() -> None:
    real = people(3000)
    settings = synthgan.EvaluateConfig(max_rows=100)
    report = synthgan.evaluate(
        model().sample(200, seed=3),
        train=real[:200],
        holdout=real[200:400],
        model=model(),
        config=settings,
    )
    told = "epsilon 8 and delta 1e-06 for adding or removing one row"
    assert told in report.card().guarantee
    assert told in report.to_html()
    (privacy,) = (section for section in report.sections if section.key == "privacy")
    assert privacy.verdict[0].startswith("Guarantee: ")
    assert not any("No guarantee" in line for line in privacy.verdict)


def test_a_private_model_is_saved_with_its_ledger(tmp_path: Path) -> None:
    model().save(tmp_path / "m.synthgan")
    loaded = synthgan.load(tmp_path / "m.synthgan")
    assert loaded.guarantee == model().guarantee
    assert loaded.sample(50, seed=2).equals(model().sample(50, seed=2))
    told = CliRunner().invoke(main, ["info", str(tmp_path / "m.synthgan")])
    assert "epsilon" in told.stdout
    assert "discrete gaussian counts" in told.stdout
    told = CliRunner().invoke(main, ["info", "--json", str(tmp_path / "m.synthgan")])
    facts = json.loads(told.stdout)
    assert len(facts["guarantee"]["events"]) == len(model().guarantee.events)  # type: ignore[union-attr]


def test_the_seed_has_no_part_in_the_noise() -> None:
    frame = people(500)
    learned = [
        private_fit.learn_privately(
            frame,
            declared(frame),
            synthgan.PrivacyConfig(epsilon=3),
            seed=0,
            device=choose_device("cpu"),
        )
        for _ in range(2)
    ]
    assert learned[0].summary != learned[1].summary


def test_no_other_door_is_open(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*args: object, **more: object) -> object:
        raise AssertionError("read rows without paying")

    for name in ("schema_to_fit", "identifying_notes", "summarize"):
        monkeypatch.setattr(fitting, name, never)
    monkeypatch.setattr("synthgan.encode.encoder.Encoder.encode", never)
    monkeypatch.setattr("synthgan.encode.summarize.RuleTally.add", never)
    frame = people(500)
    schema = declared(frame)
    rule = RowRule(keep="age > 200 or score < 100")
    fitted = synthgan.fit(frame, replace(schema, constraints=(rule,)), private(3))
    assert len(fitted.sample(20, seed=0)) == 20


def test_declared_constraints_are_kept() -> None:
    frame = people(1500)
    frame["work"] = (frame["age"] // 2).astype(int)
    frame["rest"] = frame["age"] - frame["work"]
    wide = declared(frame)
    wide = replace(
        wide,
        columns=tuple(
            replace(c, low=0.0, high=120.0) if c.name in ("work", "rest") else c for c in wide
        ),
        constraints=(
            Formula(column="age", formula="work + rest"),
            Inequality(columns=("work", "rest")),
        ),
    )
    rows = synthgan.fit(frame, wide, private()).sample(500, seed=0)
    assert (rows["age"] == rows["work"] + rows["rest"]).all()
    assert (rows["work"] <= rows["rest"]).all()


def test_a_person_with_many_rows_is_one_unit() -> None:
    frame = people(1200)
    frame["person"] = [f"P{i // 4:04d}" for i in range(len(frame))]
    schema = declared(frame)
    assert schema["person"].repeats
    learned = replace(schema["person"], kind=Kind.CATEGORY, format=None, repeats=False)
    columns = tuple(learned if c.name == "person" else c for c in schema)
    with pytest.raises(synthgan.SchemaError, match="'person'"):
        synthgan.fit(frame, Schema(columns=columns), private(unit="person", unit_rows=2))
    person = replace(schema["person"], kind=Kind.IDENTIFIER, format="A9999")
    columns = tuple(person if c.name == "person" else c for c in schema)
    fitted = synthgan.fit(frame, Schema(columns=columns), private(unit="person", unit_rows=2))
    assert fitted.guarantee is not None
    assert fitted.guarantee.unit == "at most 2 rows a value of 'person'"
    assert f"for adding or removing {fitted.guarantee.unit}" in fitted.protections[0]
    assert all(event.sensitivity == 2 for event in fitted.guarantee.events)
    assert abs(fitted.rows - 600) < 100


def test_a_schema_told_from_the_rows_would_be_free_of_charge_and_is_refused() -> None:
    with pytest.raises(synthgan.SchemaError, match="needs a schema that is public"):
        synthgan.fit(people(300), None, private())


def test_rules_that_take_combinations_from_rows_are_left_out_and_said() -> None:
    frame = people(900)[["job", "rich", "age"]]
    rules = (synthgan.FixedCombinations(columns=("job", "rich")), RowRule(keep="age >= 18"))
    fitted = synthgan.fit(frame, replace(declared(frame), constraints=rules), private(steps=2))
    assert fitted.schema.constraints == rules[1:]
    assert f"left out: {rules[0]}; a private fit cannot" in fitted.notes[0]


def test_a_budget_that_is_too_small_says_what_it_would_take() -> None:
    frame = people(300)
    with pytest.raises(synthgan.ConfigError, match="epsilon"):
        synthgan.fit(frame, declared(frame), private(0.001))


def test_the_command_line_wants_a_declaration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    people(400).to_csv("data.csv", index=False)
    declared(people(400)).save("public.json")

    def run(*args: str) -> tuple[int, str]:
        result = CliRunner().invoke(main, ["fit", "data.csv", "--steps", "5", *args])
        return result.exit_code, result.stderr

    code, words = run("--epsilon", "5")
    assert (code, words.count("\n")) == (2, 1) or code == 2
    assert "--declare" in words
    code, words = run("--epsilon", "5", "--declare", "--schema", "public.json")
    assert code == 2
    code, words = run("--delta", "1e-5")
    assert code == 2
    assert "--epsilon" in words
    code, words = run("--epsilon", "-1", "--declare")
    assert code == 2
    assert "epsilon must be above 0" in words
    code, words = run("--epsilon", "8", "--declare")
    assert code == 0, words
    assert "taken from data.csv as public, which epsilon does not cover: names and kinds" in words
    assert "kinds of 7 columns, formats of " in words
    assert synthgan.load("model.synthgan").guarantee is not None


def test_fits_of_the_same_rows_add_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    guarantee = model().guarantee
    assert guarantee is not None
    both = synthgan.compose([guarantee, guarantee])
    assert guarantee.epsilon < both.epsilon < 2 * guarantee.epsilon
    assert both.delta == 2 * guarantee.delta
    assert synthgan.compose([guarantee], delta=1e-6).epsilon == guarantee.epsilon
    other = replace(guarantee, unit="at most 2 rows a value of 'person'")
    for bad, message in (
        (lambda: synthgan.compose([]), "at least one"),
        (lambda: synthgan.compose([guarantee, other]), "cannot be added up"),
        (lambda: synthgan.compose([guarantee], delta=0.0), "does not do"),
    ):
        with pytest.raises(synthgan.ConfigError, match=message):
            bad()
    model().save("m.synthgan")
    told = CliRunner().invoke(main, ["ledger", "add", "m.synthgan", "m.synthgan"])
    assert f"together: epsilon {both.epsilon:.6g}" in told.stdout


def test_no_cell_of_a_file_decides_how_another_one_is_read(tmp_path: Path) -> None:
    frame = people(400)
    frame["code"] = np.arange(400) % 5 + 1
    schema = declared(frame)
    code = replace(schema["code"], kind=Kind.CATEGORY, categories=(1, 2, 3, 4, 5))
    schema = Schema(columns=tuple(code if c.name == "code" else c for c in schema))
    odd = pd.DataFrame([dict.fromkeys(frame, "odd")])
    frame.to_csv(tmp_path / "plain.csv", index=False)
    pd.concat([frame.astype(str).where(frame.notna(), None), odd]).to_csv(
        tmp_path / "odd.csv", index=False
    )

    def counts(table: pd.DataFrame) -> dict[str, list[int]]:
        ledger = Ledger(plan_budget(schema, epsilon=50, delta=1e-6))
        rows = PrivateRows(table, schema, ledger, mechanism=lambda exact, variance: exact)
        asked = {
            "code": Levels(column="code", levels=(1, 2, 3, 4, 5)),
            "job": Levels(column="job", levels=("boss", "clerk", "smith", "other")),
            "rich": Levels(column="rich", levels=(False, True)),
            "member": Levels(column="member", levels=(False, True)),
        }
        return {
            name: rows.count(each, Fraction(100), name).tolist() for name, each in asked.items()
        }

    whole = counts(frame)
    assert sum(whole["code"][:5]) == 400
    assert counts(synthgan.read_table(tmp_path / "plain.csv", as_text=True)) == whole
    other = counts(synthgan.read_table(tmp_path / "odd.csv", as_text=True))
    for name, before in whole.items():
        moved = np.abs(np.array(other[name]) - np.array(before))
        assert moved.sum() == 1


def test_what_noise_has_hidden_is_said_of_what_was_released() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "code": rng.choice([f"K{i:02d}" for i in range(60)], 900, p=[0.4, *[0.6 / 59] * 59]),
            "pressure": [f"{i}/{i % 7}" for i in range(900)],
            "house": ["one"] * 900,
            "age": rng.integers(0, 100, 900),
        }
    )
    kinds = {"pressure": {"kind": Kind.CATEGORY, "format": None}, "age": {"low": 0, "high": 100}}
    schema = Schema(
        columns=tuple(
            replace(column, **kinds.get(column.name, {}))
            for column in synthgan.infer_schema(frame, constraints=False)
        )
    )
    fitted = synthgan.fit(frame, schema, private(epsilon=1, steps=2))
    said = "\n".join(fitted.notes)
    assert "0 rows are few for epsilon 1 and 4 columns" in said
    assert "'code': only 1 value could be named" in said
    assert "declare its categories" in said
    assert "'pressure': no value could be named" in said
    # what depends on luck is in test_caveats.py: noise comes from the operating system
    assert "'age'" not in said
    rows = fitted.sample(100, seed=0)
    assert rows["pressure"].isna().all()
    assert all(rows[name].nunique() == 1 for name in ("code", "house"))
    limits = synthgan.evaluate(rows, train=frame, model=fitted).card().limits
    assert set(fitted.notes) <= set(limits)


def odd_rows(frame: pd.DataFrame) -> list[pd.DataFrame]:
    """The table, with one more row, with none."""
    odd = pd.DataFrame([dict.fromkeys(frame, 1e308)])
    return [frame, pd.concat([frame.astype(object), odd], ignore_index=True), frame[:0]]


def test_no_rows_and_odd_rows_are_fitted_without_a_word(
    capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    frame = people(300)[["age", "job", "since", "rich"]]
    schema = declared(frame)
    for number, table in enumerate(odd_rows(frame)):
        path = tmp_path / f"{number}.csv"
        table.to_csv(path, index=False)
        for data in (table, path):
            assert len(synthgan.fit(data, schema, private(0.5, 2)).sample(5, seed=0)) == 5
    assert capfd.readouterr() == ("", "")


def test_a_fit_that_fails_after_it_has_asked_tells_what_it_spent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    frame = people(300)[["age", "job", "rich"]]
    schema = declared(frame)

    def stop(*args: object, **more: object) -> object:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(private_fit, "fit_mixture", stop)
        with pytest.raises(KeyboardInterrupt) as caught:
            synthgan.fit(frame, schema, private(2.0, 2))
    spent = synthgan.spent_in(caught.value)
    assert spent is not None
    assert spent.epsilon == pytest.approx(2, rel=1e-3)
    with monkeypatch.context() as patch:
        patch.setattr(fitting, "train", stop)
        with pytest.raises(KeyboardInterrupt) as caught:
            synthgan.fit(frame, schema, private(2.0, 2))
    assert synthgan.spent_in(caught.value) is not None
    with pytest.raises(synthgan.ConfigError) as refused:
        synthgan.fit(frame, schema, private(2.0, 2, rows=10))
    assert synthgan.spent_in(refused.value) is None


def test_the_command_line_keeps_what_a_failed_fit_has_spent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    frame = people(300)[["age", "job", "rich"]]
    frame.to_csv("data.csv", index=False)
    declared(frame).save("s.json")
    args = ["fit", "data.csv", "--schema", "s.json", "--epsilon", "2", "--steps", "2", "--quiet"]

    def fails(error: BaseException) -> tuple[int, str]:
        def fail(*args: object, **more: object) -> object:
            raise error

        with monkeypatch.context() as patch:
            patch.setattr(private_fit, "fit_mixture", fail)
            result = CliRunner().invoke(main, args)
        return result.exit_code, result.stderr

    code, words = fails(synthgan.TrainingError("no more"))
    assert code == 2
    assert "epsilon 2 was spent on the rows all the same; model.synthgan.ledger.json has" in words
    code, words = fails(KeyboardInterrupt())
    assert code == 130
    assert "no model was written; epsilon 2 was spent" in words
    assert "nothing was written" not in words
    kept = ["model.synthgan.ledger.json", "model.synthgan-2.ledger.json"]
    assert CliRunner().invoke(main, args).exit_code == 0
    told = CliRunner().invoke(main, ["ledger", "add", "model.synthgan", *kept])
    assert told.exit_code == 0, told.stderr
    whole = synthgan.compose(
        [synthgan.load("model.synthgan").guarantee, *map(synthgan.load_ledger, kept)]  # type: ignore[list-item]
    )
    assert f"together: epsilon {whole.epsilon:.6g}" in told.stdout
    assert CliRunner().invoke(main, ["ledger", "add", "data.csv"]).exit_code == 2
    refused = CliRunner().invoke(main, [*args, "--overwrite", "--rows", "10"])
    assert refused.exit_code == 2
    assert "too small for 3 pairs" in refused.stderr
    assert sorted(str(p) for p in Path().glob("*.json")) == sorted([*kept, "s.json"])


def test_what_is_printed_does_not_tell_how_many_rows_there_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    frame = people(700)[["age", "job", "rich"]]
    declared(frame).save("s.json")
    seen = []
    for number, table in enumerate((frame, frame[:-1], frame[:0])):
        table.to_csv("data.csv", index=False)
        args = ["fit", "data.csv", "--schema", "s.json", "--epsilon", "1", "--steps", "2"]
        with monkeypatch.context() as patch:
            patch.setattr(private_fit, "PrivateRows", answered(table))
            result = CliRunner().invoke(main, [*args, "-o", f"{number}.synthgan"])
        assert result.exit_code == 0, result.stderr
        seen.append(re.sub(r"\d+ s\b|\d\.synthgan", "_", result.stderr + result.stdout))
    assert seen[0] == seen[1] == seen[2]


def answered(table: pd.DataFrame) -> object:
    """Opens rows that are always answered as if 1,000 were evenly spread."""

    def even(counts: np.ndarray, variance: Fraction) -> np.ndarray:
        return np.full(counts.shape, 1000 // counts.size + 1, dtype=np.int64)

    def opens(frame: pd.DataFrame, schema: Schema, ledger: Ledger) -> PrivateRows:
        assert len(frame) == len(table)
        return PrivateRows(frame, schema, ledger, mechanism=even)

    return opens


def test_a_file_whose_guarantee_does_not_follow_is_refused(tmp_path: Path) -> None:
    path, fitted = tmp_path / "m.synthgan", model()
    guarantee = fitted.guarantee
    assert guarantee is not None

    def refused(**changes: object) -> str:
        card = replace(fitted._card, **changes)  # type: ignore[arg-type]
        archive.save(path, card, fitted._generator, overwrite=True)
        with pytest.raises(synthgan.ModelFileError) as caught:
            synthgan.load(path)
        return str(caught.value)

    assert "claims epsilon 1, but" in refused(guarantee=replace(guarantee, epsilon=1.0))
    few = tuple(event for event in guarantee.events if "age" not in event.columns)
    assert "column 'age' is modelled" in refused(guarantee=replace(guarantee, events=few))
    assert "'age'" in refused(guarantee=replace(guarantee, events=()))
    assert "has no guarantee" in refused(guarantee=None)
    more = replace(guarantee, unit="at most 5 rows a value of 'person'")
    assert "fewer rows" in refused(guarantee=more)
    alone = tuple(event for event in guarantee.events if len(event.columns) < 2)
    cheap = replace(guarantee, events=alone, epsilon=0.9 * guarantee.epsilon)
    assert "modelled together" in refused(guarantee=cheap)
    person = replace(guarantee, unit="at most 1 row a value of 'person'")
    assert "other units" in refused(guarantee=person)
    plain = replace(fitted._card.config, privacy=None)
    assert "did not ask" in refused(config=plain)
    known = {"person": Unlearned(missing=0.25)}
    assert "more than the ledger" in refused(summary=replace(fitted.summary, unlearned=known))
    older = refused(format=1)
    assert "earlier version" in older
    assert "fit it again" in older
    assert older.count("\n") == 0
