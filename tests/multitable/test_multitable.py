"""A parent and its child: keys, numbers of children, what is kept, and what never comes out."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from click.testing import CliRunner, Result
from rewriting import parts, rewritten
from sample_tables import people, quick, quick_model
from scipy.stats import ks_2samp

import synthgan
from synthgan.cli.app import main
from synthgan.encode.encoder import Encoder
from synthgan.encode.summarize import summarize
from synthgan.errors import ConfigError, ModelFileError, SchemaError, SynthganError, TableError
from synthgan.train.loop import train

KEY = "customers.id=orders.customer_id"
CHILDREN = {"Rome": 0, "Oslo": 3, "Lima": 1}

Tables = dict[str, pd.DataFrame]


def shop(customers: int = 150, seed: int = 0) -> Tables:
    """Customers, whose city decides on the number of their orders, which follow their start."""
    rng = np.random.default_rng(seed)
    city = rng.choice(list(CHILDREN), customers)
    days = pd.to_timedelta(rng.integers(0, 900, customers), "D")
    parents = pd.DataFrame(
        {
            "id": [f"C-{number:04d}" for number in rng.permutation(customers)],
            "city": city.astype(object),
            "since": pd.Timestamp("2020-01-01") + days,
            "age": rng.integers(18, 80, customers),
        }
    )
    own = np.repeat(np.arange(customers), [CHILDREN[each] for each in city])
    gap = pd.to_timedelta(rng.integers(1, 400, len(own)), "D")
    orders = pd.DataFrame(
        {
            "order_id": np.arange(1, len(own) + 1),
            "customer_id": parents["id"].to_numpy()[own],
            "item": rng.choice(["hat", "ski", "sun"], len(own)).astype(object),
            "when": parents["since"].to_numpy()[own] + gap,
            "gift": rng.random(len(own)) < 0.3,
            "price": rng.gamma(2, 10, len(own)).round(2),
        }
    )
    order = rng.permutation(len(orders))
    return {"customers": parents, "orders": orders.iloc[order].reset_index(drop=True)}


@cache
def shop_model() -> synthgan.TablesSynthesizer:
    return synthgan.fit_tables(shop(), KEY, config=quick(60))


@pytest.fixture(scope="module")
def model_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pair") / "shop.synthgan"
    shop_model().save(path)
    return path


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shop")
    for name, table in shop().items():
        synthgan.write_table(table, folder / f"{name}.csv")
    return folder


def counts_of(tables: Tables) -> pd.Series[int]:
    """Orders of each customer, in the order of customers."""
    found = tables["orders"]["customer_id"].value_counts()
    return tables["customers"]["id"].map(found).fillna(0).astype(int)


# What comes out


def test_tables_come_back_with_their_columns_and_dtypes() -> None:
    made, real = shop_model().sample(90, seed=1), shop()
    assert list(made) == ["customers", "orders"]
    for name, table in made.items():
        assert list(table.columns) == list(real[name].columns)
        assert table.dtypes.equals(real[name].dtypes)
        assert not table.isna().any(axis=None)
    assert len(made["customers"]) == 90
    assert set(shop_model().schemas["orders"].names) == set(real["orders"])


def test_every_child_has_a_parent_and_keys_differ() -> None:
    made = shop_model().sample(200, seed=2)
    assert made["customers"]["id"].is_unique
    assert made["orders"]["order_id"].is_unique
    assert made["orders"]["customer_id"].isin(made["customers"]["id"]).all()
    assert not made["customers"]["id"].equals(shop(200)["customers"]["id"])


def test_numbers_of_children_follow_the_parent() -> None:
    made = shop_model().sample(300, seed=3)
    counts = counts_of(made)
    assert counts.sum() == len(made["orders"])
    assert set(counts) <= set(CHILDREN.values())
    means = counts.groupby(made["customers"]["city"]).mean()
    assert means["Rome"] < means["Lima"] < means["Oslo"]


def test_dates_of_children_rise_and_come_after_their_parents() -> None:
    made = shop_model().sample(200, seed=4)
    orders = made["orders"].merge(
        made["customers"], left_on="customer_id", right_on="id", how="left"
    )
    assert (orders["when"] >= orders["since"]).all()
    assert orders.groupby("customer_id", sort=False)["when"].is_monotonic_increasing.all()


def test_a_seed_gives_the_same_tables_and_a_file_the_same_model(model_file: Path) -> None:
    model, again = shop_model(), synthgan.load_tables(model_file, device="cpu")
    one, other, fresh = model.sample(40, seed=5), again.sample(40, seed=5), again.sample(40, seed=6)
    for name, table in one.items():
        pd.testing.assert_frame_equal(table, other[name])
        assert not table.equals(fresh[name])
    assert again.schemas == model.schemas
    assert again.protections == model.protections
    assert (again.rows, again.notes, again.key) == (model.rows, model.notes, model.key)
    assert synthgan.tables_in(model_file) == ("customers", "orders")


def test_a_condition_asks_for_parents() -> None:
    made = shop_model().sample(50, where='city == "Oslo" and age >= 40', seed=7)
    assert set(made["customers"]["city"]) == {"Oslo"}
    assert made["customers"]["age"].min() >= 40
    assert len(made["orders"]) > 50


def test_parents_without_any_child_leave_an_empty_table() -> None:
    model = synthgan.fit_tables(shop(), KEY, config=quick(3))
    where = {"number of orders": 0}
    made = model.sample(5, where=where, seed=1)
    assert len(made["orders"]) == 0
    assert list(made["orders"].columns) == list(shop()["orders"].columns)
    assert made["orders"].dtypes.equals(shop()["orders"].dtypes)


def test_a_parent_too_late_for_any_child_is_no_reason_to_give_up() -> None:
    tables = shop()
    late = counts_of(tables) == 0
    tables["customers"].loc[late, "since"] += pd.Timedelta(days=9000)
    made = synthgan.fit_tables(tables, KEY, config=quick(1)).sample(200, seed=1)
    joined = made["orders"].merge(made["customers"], left_on="customer_id", right_on="id")
    assert (joined["since"] > tables["orders"]["when"].max()).any()  # an untrained model does that


@pytest.mark.parametrize("kind", ["categories", "holes", "numbers as text"])
def test_columns_of_all_kinds(kind: str) -> None:
    rng = np.random.default_rng(0)
    parent = people(80).drop(columns="since").reset_index(names="key")
    child = people(150, seed=1)
    child["owner"] = rng.choice(parent["key"], len(child)).astype(float)
    if kind == "categories":
        parent["job"], child["job"] = (
            parent["job"].astype("category"),
            child["job"].astype("category"),
        )
        child["rich"] = child["rich"].astype("string")
    elif kind == "holes":
        child["member"] = child["member"].astype("boolean").mask(rng.random(150) < 0.2)
        child["age"] = child["age"].astype("Int64").mask(rng.random(150) < 0.2)
    else:
        child["wealth"] = child["wealth"].map("${:,.2f}".format)
        child["since"] = child["since"].dt.strftime("%d.%m.%Y")
    made = synthgan.fit_tables({"a": parent, "b": child}, "a.key=b.owner", config=quick(2)).sample(
        60, seed=0
    )
    assert made["a"].dtypes.astype(str).equals(parent.dtypes.astype(str))
    wanted = child.dtypes.drop("owner")
    assert made["b"].dtypes.drop("owner").astype(str).equals(wanted.astype(str))
    assert made["b"]["owner"].isin(made["a"]["key"]).all()


# What must not come out


def test_nothing_of_a_single_parent_with_many_children_is_kept(tmp_path: Path) -> None:
    tables = shop()
    parents, orders = tables["customers"], tables["orders"]
    parents.loc[0, ["city", "age"]] = ["Tinyville", 7919]
    key = parents.loc[0, "id"]
    more = pd.concat([orders.head(1)] * 40, ignore_index=True)
    more = more.assign(customer_id=key, item="for Anna", price=6271.25)
    more["order_id"] += 10_000 + np.arange(40)
    tables["orders"] = pd.concat([orders, more], ignore_index=True)
    model = synthgan.fit_tables(tables, KEY, config=quick(1))
    model.save(tmp_path / "shop.synthgan")
    held = (tmp_path / "shop.synthgan").read_bytes()
    for word in (b"Tinyville", b"7919.0", b"for Anna", b"6271.25", key.encode()):
        assert word not in held
    assert b"Oslo" in held  # and that is where it would be
    made = model.sample(100, seed=0)
    assert "for Anna" not in set(made["orders"]["item"])
    assert made["orders"]["price"].max() < 6000


def test_words_among_numbers_of_two_tables_are_those_of_many_parents() -> None:
    tables = shop()
    parents, orders = tables["customers"], tables["orders"]
    rng = np.random.default_rng(0)
    ages = rng.integers(18, 90, len(parents)).astype(str).astype(object)
    parents["years"] = np.where(rng.random(len(parents)) < 0.2, ">89", ages)
    units = rng.integers(1, 60, len(orders)).astype(str).astype(object)
    units[rng.random(len(orders)) < 0.2] = "many"
    owner = orders["customer_id"].value_counts().index[0]
    more = pd.concat([orders[orders["customer_id"] == owner].head(1)] * 9, ignore_index=True)
    more = more.assign(order_id=orders["order_id"].max() + 1 + np.arange(9))
    tables["orders"] = pd.concat([orders, more], ignore_index=True)
    tables["orders"]["units"] = [*units, *["Anna's"] * 9]
    model = synthgan.fit_tables(tables, KEY, config=quick(20))
    assert model.schemas["customers"]["years"].words == (">89",)
    assert model.schemas["orders"]["units"].words == ("many",)
    made = model.sample(100, seed=0)
    assert ">89" in set(made["customers"]["years"])
    units = set(made["orders"]["units"])
    assert "many" in units
    assert len([unit for unit in units if unit.isdigit()]) > 10
    assert "Anna's" not in units


# What is refused, and said


def broken(tables: Tables, case: str) -> Tables:
    parents, orders = tables["customers"], tables["orders"]
    if case == "twice":
        parents.loc[5, "id"] = parents.loc[4, "id"]
    elif case == "missing":
        parents.loc[5, "id"] = None
    elif case == "strangers":
        orders["customer_id"] = "X-0000"
    elif case == "no column":
        tables["orders"] = orders.rename(columns={"customer_id": "customer"})
    elif case == "helper":
        parents["number of orders"] = 1
    return tables


@pytest.mark.parametrize(
    ("case", "error", "words"),
    [
        ("twice", TableError, "1 rows repeat one"),
        ("missing", TableError, "missing in 1 rows"),
        ("strangers", TableError, "no row of 'orders'"),
        ("no column", SchemaError, "table 'orders': there is no column 'customer_id'"),
        ("helper", SchemaError, "rename it"),
    ],
)
def test_tables_that_do_not_fit_are_refused(
    case: str, error: type[SynthganError], words: str
) -> None:
    with pytest.raises(error, match=words) as caught:
        synthgan.fit_tables(broken(shop(), case), KEY, config=quick(1))
    assert "C-0" not in str(caught.value)


@pytest.mark.parametrize(
    "key",
    ["id=customer_id", "customers.id", "orders.=customers.id", "customers.id=customers.id", ""],
)
def test_a_key_that_is_none_is_refused(key: str) -> None:
    with pytest.raises(SchemaError, match="customers"):
        synthgan.fit_tables(shop(), key, config=quick(1))


def test_names_with_dots_and_equal_signs_are_understood() -> None:
    key = synthgan.ForeignKey.parse("a.b.x=y=c.z.w", ["a.b", "c"])
    assert (key.parent, key.primary_key, key.child, key.foreign_key) == ("a.b", "x=y", "c", "z.w")
    assert synthgan.ForeignKey.parse(str(key), ["a.b", "c"]) == key


@pytest.mark.parametrize("name", ["../x", "a/b", "", ".hidden", " x", "a\nb", "C:\\x", "x" * 101])
def test_a_name_that_no_file_should_have_is_refused(name: str) -> None:
    with pytest.raises(SchemaError, match=r"file|dot"):
        synthgan.ForeignKey(parent=name, primary_key="id", child="orders", foreign_key="id")


def test_rows_without_a_parent_are_left_out_and_counted() -> None:
    tables = shop()
    tables["orders"].loc[:6, "customer_id"] = None
    tables["orders"].loc[7:9, "customer_id"] = "X-0000"
    model = synthgan.fit_tables(tables, KEY, config=quick(1))
    notes = " ".join(model.notes)
    assert "about 5 of about 210 rows of 'orders' have no key" in notes
    assert "fewer than 5 of about 210 rows of 'orders' hold a key of no row" in notes
    assert model.sample(50, seed=1)["orders"]["customer_id"].notna().all()


def test_private_fits_and_other_numbers_of_tables_are_refused() -> None:
    private = synthgan.Config(privacy=synthgan.PrivacyConfig(epsilon=1))
    with pytest.raises(ConfigError, match="differential privacy"):
        synthgan.fit_tables(shop(), KEY, config=private)
    with pytest.raises(SchemaError, match="two tables"):
        synthgan.fit_tables({"customers": people()}, KEY)


def test_schemas_say_what_columns_are() -> None:
    tables = shop()
    schema = synthgan.infer_schema(tables["orders"])
    columns = [
        synthgan.Column(name="item", kind=synthgan.Kind.TEXT, dtype="object")
        if column.name == "item"
        else column
        for column in schema
    ]
    schemas = {"orders": synthgan.Schema(columns=tuple(columns))}
    model = synthgan.fit_tables(tables, KEY, schemas=schemas, config=quick(1))
    assert not set(model.sample(50, seed=1)["orders"]["item"]) & {"hat", "ski", "sun"}
    with pytest.raises(SchemaError, match="'baskets'"):
        synthgan.fit_tables(tables, KEY, schemas={"baskets": schema}, config=quick(1))


def test_an_interruption_keeps_the_child_and_nothing_before() -> None:
    def stop_at(table: str) -> synthgan.TablesSynthesizer:
        def on_step(name: str, step: synthgan.Step) -> None:
            if name == table:
                raise KeyboardInterrupt

        return synthgan.fit_tables(shop(), KEY, config=quick(30), on_step=on_step)

    with pytest.raises(KeyboardInterrupt):
        stop_at("customers")
    assert any("orders: training was interrupted" in note for note in stop_at("orders").notes)


def test_columns_of_the_context_are_not_learned() -> None:
    frame = people(200)
    schema = synthgan.infer_schema(frame, constraints=False)
    encoder = Encoder(schema, summarize(frame, schema, synthgan.SummaryConfig()))
    tokens = encoder.encode(frame, np.random.default_rng(0))
    losses = []
    for context in (0, 3, len(encoder.layout.columns)):
        history = train(tokens, encoder.layout, quick(10), context=context).history
        losses.append(history[0].likelihood_loss)
    assert losses[0] > losses[1] > losses[2] == 0


# The model file


def forged(path: Path, folder: Path, change: object = None, extra: str = "") -> Path:
    tensors, text = parts(path)
    if callable(change):
        change(text)
    if extra:
        tensors[extra] = torch.zeros(1)
    return rewritten(folder, tensors, text)


def test_each_loader_refuses_files_of_the_other(model_file: Path, tmp_path: Path) -> None:
    quick_model().save(tmp_path / "one.synthgan")
    assert synthgan.tables_in(tmp_path / "one.synthgan") == ()
    with pytest.raises(ModelFileError, match="load_tables"):
        synthgan.load(model_file)
    with pytest.raises(ModelFileError, match="one table"):
        synthgan.load_tables(tmp_path / "one.synthgan")


@pytest.mark.parametrize(
    ("change", "extra"),
    [
        (lambda text: text["key"].update(parent="../../etc/passwd"), ""),
        (lambda text: text["key"].update(primary_key="city"), ""),
        (lambda text: text["key"].update(foreign_key="item"), ""),
        (lambda text: text["key"].update(child="baskets"), ""),
        (lambda text: text.update(order="nonsense"), ""),
        (lambda text: text.update(format=99), ""),
        (lambda text: text.update(more=1), ""),
        (lambda text: text["child_schema"]["columns"].pop(), ""),
        (lambda text: text["child"]["schema"]["columns"].pop(), ""),
        (lambda text: text["parent"]["schema"]["columns"].pop(), ""),
        (None, "uncle/out"),
        (None, "child/out2"),
    ],
)
def test_a_file_that_was_tampered_with_is_refused(
    model_file: Path, tmp_path: Path, change: object, extra: str
) -> None:
    with pytest.raises(ModelFileError):
        synthgan.load_tables(forged(model_file, tmp_path, change, extra))
    synthgan.load_tables(forged(model_file, tmp_path))  # as it was


@pytest.mark.parametrize("part", ["parent", "child"])
def test_a_file_of_two_tables_that_says_it_is_private_is_refused(
    model_file: Path, tmp_path: Path, part: str
) -> None:
    claim = {"epsilon": 0.0, "delta": 1e-6, "unit": "row", "events": []}
    asked = {"epsilon": 1.0, "delta": 1e-6}
    for change in (
        lambda text: text[part].update(guarantee=claim),
        lambda text: text[part]["config"].update(privacy=asked),
    ):
        with pytest.raises(ModelFileError, match="no fit of two tables has a guarantee"):
            synthgan.load_tables(forged(model_file, tmp_path, change))


# The command line


def run(*args: object) -> Result:
    return CliRunner().invoke(main, [str(each) for each in args])


def test_the_command_line_writes_a_folder(
    files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    tables = (files / "customers.csv", files / "orders.csv")
    fit = run("fit", *tables, "--key", KEY, "--steps", 4, "--device", "cpu")
    assert fit.exit_code == 0, fit.output
    for words in ("learning customers", "learning orders", "synthgan info"):
        assert words in fit.stderr
    done = run("sample", "-n", 30, "-o", "out/", "--format", "parquet", "--seed", 1)
    assert done.exit_code == 0, done.output
    made = {name: pd.read_parquet(f"out/{name}.parquet") for name in ("customers", "orders")}
    assert len(made["customers"]) == 30
    assert made["orders"]["customer_id"].isin(made["customers"]["id"]).all()
    assert sorted(each.name for each in Path("out").iterdir()) == [
        "customers.parquet",
        "orders.parquet",
    ]
    again = run("sample", "-n", 30, "-o", "out/", "--format", "parquet")
    assert again.exit_code == 2
    assert "--overwrite" in again.stderr
    assert run("sample", "-n", 5).exit_code == 0
    assert Path("synthetic/orders.csv").exists()
    told = run("info")
    for words in (KEY, "orders: learned from", "protected:"):
        assert words in told.stdout
    facts = json.loads(run("info", "--json").stdout)
    assert list(facts["tables"]) == ["customers", "orders"]


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("{0}", "{1}"), "no key"),
        (("{0}", "--key", KEY), "got 1"),
        (("{0}", "{1}", "--key", "customers.id"), "not understood"),
        (("{0}", "{0}", "--key", KEY), "rename"),
        (("{0}", "{1}", "--key", KEY, "--resume"), "--resume"),
        (("{0}", "{1}", "--key", KEY, "--epsilon", "1"), "differential privacy"),
        (("{0}", "{1}", "--key", "orders.customer_id=customers.id"), "other way round"),
    ],
)
def test_what_cannot_be_fitted_is_said_in_one_line(
    files: Path, tmp_path: Path, args: tuple[str, ...], words: str
) -> None:
    tables = (files / "customers.csv", files / "orders.csv")
    done = run("fit", *(each.format(*tables) for each in args), "-o", tmp_path / "x.synthgan")
    assert done.exit_code == 2
    (line,) = done.stderr.splitlines()
    assert words in line
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "args", [("-o", "x.csv"), ("-o", "-"), ("--balance", "city"), ("--format", "docx", "-o", "x/")]
)
def test_what_cannot_be_drawn_is_said_in_one_line(
    model_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, args: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    done = run("sample", model_file, "-n", 5, *args)
    assert done.exit_code == 2
    assert len(done.stderr.splitlines()) == 1
    assert not [each for each in tmp_path.rglob("*") if each.is_file()]


def test_a_failed_write_leaves_what_was_there(tmp_path: Path) -> None:
    tables = shop(20)
    synthgan.write_tables(tables, tmp_path / "out")
    bad = {**tables, "orders": pd.DataFrame({"x": [1, "a"]})}
    before = {each.name: each.read_bytes() for each in (tmp_path / "out").iterdir()}
    with pytest.raises(TableError):
        synthgan.write_tables(bad, tmp_path / "out", ending=".parquet")
    assert {each.name: each.read_bytes() for each in (tmp_path / "out").iterdir()} == before


# The judge


def test_real_links_are_judged_best_and_shuffled_ones_worse() -> None:
    real, other = shop(600), shop(600, seed=1)
    found = synthgan.evaluate_tables(other, real=real, key=KEY)
    for measure in found.values():
        assert measure.estimate.value == pytest.approx(measure.floor.value, abs=8)
    rng = np.random.default_rng(0)
    shuffled = other["orders"].assign(
        customer_id=rng.permutation(other["customers"]["id"])[
            rng.integers(0, 600, len(other["orders"]))
        ]
    )
    worse = synthgan.evaluate_tables({**other, "orders": shuffled}, real=real, key=KEY)
    for key in ("cardinality", "parent_trends", "sibling_trends"):
        assert worse[key].estimate.value < found[key].estimate.value
        assert found[key].baseline.value < found[key].floor.value
    assert found["integrity"].estimate.value == 100


def test_the_command_line_judges_links(files: Path, tmp_path: Path) -> None:
    tables = (files / "customers.csv", files / "orders.csv")
    synthgan.write_tables(shop(seed=1), tmp_path / "out", ending=".parquet")
    synthetic = tmp_path / "out"
    done = run("evaluate", *tables, synthetic, "--key", KEY)
    assert done.exit_code == 0, done.output
    assert done.stdout.count("100.00 %") >= 2  # integrity, and that of real rows
    assert "likeness of pairs" in done.stdout
    both = [synthetic / f"{name}.parquet" for name in ("customers", "orders")]
    assert run("evaluate", *tables, *both, "--key", KEY).stdout == done.stdout
    strict = run("evaluate", *tables, synthetic, "--key", KEY, "--fail-under", "cardinality=100")
    assert strict.exit_code == 1
    (line,) = strict.stderr.splitlines()
    assert "cardinality is" in line
    kind = run("evaluate", *tables, synthetic, "--key", KEY, "--fail-under", "integrity=100")
    assert kind.exit_code == 0


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("{0}", "{1}", "{2}"), "--key"),
        (("{0}",), "got 1"),
        (("{0}", "{1}", "--key", KEY), "got 2"),
        (("{0}", "{1}", "{0}", "--key", KEY), "no folder"),
        (("{0}", "{1}", "{2}", "--key", KEY), "one file of 'customers'"),
        (("{0}", "{1}", "{0}", "{1}", "--key", "customers.id"), "not understood"),
        (("{0}", "{1}", "{0}", "{1}", "--key", KEY, "--target", "city"), "--target"),
        (("{0}", "{1}", "{0}", "{1}", "--key", KEY, "-o", "x.html"), "--output"),
        (("{0}", "{1}", "{0}", "{1}", "--key", KEY, "--fail-under", "c2st=0.5"), "no figure"),
        (("{0}", "{1}", "{1}", "{0}", "--key", KEY), "no column"),
    ],
)
def test_links_that_cannot_be_judged_are_said_in_one_line(
    files: Path, tmp_path: Path, args: tuple[str, ...], words: str
) -> None:
    paths = (files / "customers.csv", files / "orders.csv", tmp_path)
    done = run("evaluate", *(each.format(*paths) for each in args), "--quiet")
    assert done.exit_code == 2
    (line,) = done.stderr.splitlines()
    assert words in line


def test_numbers_of_children_are_judged_by_kolmogorov_and_smirnov() -> None:
    real, other = shop(400), shop(300, seed=1)
    half = {**real, "orders": real["orders"].head(2)}  # hardly a customer with any
    found = synthgan.evaluate_tables(other, real=half, key=KEY)["cardinality"].estimate.value
    zeros = np.zeros(200)
    oracle = 100 * (1 - ks_2samp(counts_of(other), zeros).statistic)
    assert found == pytest.approx(oracle, abs=1)


def test_children_of_nobody_are_counted() -> None:
    real, other = shop(100), shop(100, seed=1)
    other["orders"].loc[:9, "customer_id"] = "nobody"
    found = synthgan.evaluate_tables(other, real=real, key=KEY)["integrity"].estimate
    assert found.value == pytest.approx(100 * (1 - 10 / len(other["orders"])))
    assert found.low < found.value < found.high
    with pytest.raises(TableError, match="lack 'orders'"):
        synthgan.evaluate_tables({"customers": other["customers"]}, real=real, key=KEY)
