"""The command line, as a user meets it: files in, files out, one line when it fails."""

from __future__ import annotations

import dataclasses
import errno
import functools
import io
import itertools
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import numpy as np
import pandas as pd
import pytest
import torch
from click.testing import CliRunner, Result

import synthgan
from synthgan import progress as progress_module
from synthgan.cli.app import main
from synthgan.progress import Progress, Training, curve

QUICK = ("--steps", "6", "--batch-size", "32", "--device", "cpu")


def run(*args: object) -> Result:
    return CliRunner().invoke(main, [str(each) for each in args])


def the_line(result: Result, *words: str, code: int = 2) -> str:
    """The one line of a failure, which has ``words`` in it."""
    assert result.exit_code == code, result.output
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert line.startswith("synthgan: ")
    for word in words:
        assert word in line
    return line


def people(rows: int = 60) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    age = rng.integers(18, 80, rows)
    return pd.DataFrame(
        {
            "id": [f"P{i:05d}" for i in range(rows)],
            "age": age,
            "income": np.where(
                age % 7 == 0, np.nan, np.round(age * 500 + rng.normal(size=rows), 2)
            ),
            "job": rng.choice(["clerk", "nurse", "chef"], rows),
            "member": rng.choice(["no", "yes"], rows),
        }
    )


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """Threads that wait for each other are slow where other jobs run beside the tests."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Result]]:
    """A folder with data.csv and the model.synthgan that a fit with defaults leaves there."""
    folder = tmp_path_factory.mktemp("fitted")
    people().to_csv(folder / "data.csv", index=False)
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield folder, run("fit", "data.csv", *QUICK)
    finally:
        os.chdir(before)


@pytest.fixture
def model(fitted: tuple[Path, Result]) -> Path:
    return fitted[0] / "model.synthgan"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current folder, with data.csv in it."""
    people().to_csv(tmp_path / "data.csv", index=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def files(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir())


# --- help and weight --------------------------------------------------------------------


def test_help_of_every_command_shows_examples() -> None:
    names = [
        *("audit", "compare", "evaluate", "fit", "impute", "info", "ledger", "sample"),
        *("schema", "split", "ui"),
    ]
    assert isinstance(main, click.Group)
    assert sorted(main.commands) == names
    for args in ([], ["--help"], *([name, "--help"] for name in names)):
        result = run(*args)
        assert result.exit_code == 0
        examples = result.stdout.partition("Examples:\n")[2].partition("\n\n")[0]
        assert 2 <= len(examples.splitlines()) <= 7
        assert all(line.startswith("    synthgan ") for line in examples.splitlines())


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys\n"
        "from click.testing import CliRunner\n"
        "from synthgan.cli import main\n"
        "for args in ([], ['fit'], ['sample'], ['schema'], ['info']):\n"
        "    assert CliRunner().invoke(main, [*args, '--help']).exit_code == 0\n"
        "heavy = {'torch', 'pandas', 'numpy', 'pyarrow', 'scipy', 'sklearn', 'rich'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("set_by_user", "wanted"),
    [
        ({}, "3000 None"),
        ({"OMP_WAIT_POLICY": "active"}, "None active"),
        ({"GOMP_SPINCOUNT": "7"}, "7 None"),
    ],
)
def test_waiting_threads_sleep_soon_unless_the_user_says_otherwise(
    here: Path, set_by_user: dict[str, str], wanted: str
) -> None:
    code = (
        "import os, sys\n"
        "from synthgan.cli import main\n"
        "class Finder:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'torch':\n"
        "            found = os.environ.get\n"
        "            print(found('GOMP_SPINCOUNT'), found('OMP_WAIT_POLICY'))\n"
        "sys.meta_path.insert(0, Finder())\n"
        "assert 'torch' not in sys.modules\n"
        "main(['info', 'no.synthgan'])\n"
    )
    names = {"GOMP_SPINCOUNT", "OMP_WAIT_POLICY"}
    plain = {name: value for name, value in os.environ.items() if name not in names}
    command = [sys.executable, "-c", code]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env=plain | set_by_user
    )
    assert done.stdout.strip() == wanted
    assert done.returncode == 2


def test_python_dash_m_answers_with_the_version() -> None:
    command = [sys.executable, "-m", "synthgan", "--version"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("synthgan ")


# --- the main job -----------------------------------------------------------------------


def test_fit_leaves_a_model_and_says_what_it_did(fitted: tuple[Path, Result]) -> None:
    folder, result = fitted
    assert result.exit_code == 0
    assert result.stdout == ""
    assert (folder / "model.synthgan").is_file()
    lines = result.stderr.splitlines()
    assert any("Ctrl-C ends it now" in line for line in lines)
    assert "warm start: at most 5 steps" in lines
    assert "adversarial: at most 1 step" in lines
    assert any(line.startswith("learned about 60 rows and 5 columns in ") for line in lines)
    assert any(line.startswith("protected: 'id': ") for line in lines)
    assert any(line.startswith("the model is in model.synthgan (") for line in lines)
    assert lines[-1] == "next: synthgan sample -n 10000"


def test_sample_writes_synthetic_csv(here: Path, model: Path) -> None:
    shutil.copy(model, here)
    result = run("sample", "-n", "50")
    assert result.exit_code == 0
    assert result.stdout == ""
    assert result.stderr == "50 synthetic rows are in synthetic.csv\n"
    rows = synthgan.read_table("synthetic.csv")
    assert len(rows) == 50
    assert list(rows.columns) == list(people().columns)


def test_fit_and_sample_are_silent_when_quiet(here: Path) -> None:
    first = run("fit", "data.csv", *QUICK, "--quiet")
    second = run("sample", "-n", "5", "--quiet")
    for result in (first, second):
        assert result.exit_code == 0
        assert result.output == ""
    assert files(here) == ["data.csv", "model.synthgan", "synthetic.csv"]


def test_fit_passes_on_what_was_given(here: Path) -> None:
    result = run("fit", "data.csv", *QUICK, "--seed", "7", "--max-minutes", "3", "-o", "x y.model")
    assert result.exit_code == 0
    assert result.stderr.splitlines()[-1] == "next: synthgan sample 'x y.model' -n 10000"
    config = synthgan.load("x y.model").config
    assert config.seed == 7
    assert config.train == synthgan.TrainConfig(steps=6, batch_size=32, max_minutes=3, device="cpu")


def test_a_long_list_of_protections_is_cut_short(here: Path) -> None:
    cells = ["frequent"] * 290 + list("abcd") * 2  # of each less than may be named
    wide = pd.DataFrame({f"c{i}": cells for i in range(11)})
    wide.to_csv("wide.csv", index=False)
    result = run("fit", "wide.csv", "--steps", "1", "--batch-size", "8", "--device", "cpu")
    lines = [line for line in result.stderr.splitlines() if line.startswith("protected: ")]
    assert len(lines) == 9
    assert lines[-1] == "protected: ... and 3 more; see synthgan info"


def test_the_same_seed_gives_the_same_rows(here: Path, model: Path) -> None:
    for name, seed in (("a.csv", 1), ("b.csv", 1), ("c.csv", 2)):
        assert run("sample", model, "-n", 40, "--seed", seed, "-o", name).exit_code == 0
    assert Path("a.csv").read_bytes() == Path("b.csv").read_bytes()
    assert Path("a.csv").read_bytes() != Path("c.csv").read_bytes()


def test_the_ending_picks_the_format(here: Path, model: Path) -> None:
    assert run("sample", model, "-n", 9, "-o", "a.parquet").exit_code == 0
    assert len(pd.read_parquet("a.parquet")) == 9


def test_sample_to_stdout_writes_rows_and_nothing_else(here: Path, model: Path) -> None:
    result = run("sample", model, "-n", 7, "-o", "-")
    assert result.exit_code == 0
    assert result.stderr == ""
    assert len(pd.read_csv(io.StringIO(result.stdout))) == 7
    assert files(here) == ["data.csv"]


def test_sample_writes_the_delimiter_that_is_asked_for(here: Path, model: Path) -> None:
    for output in ("a.csv", "parts/", "-"):
        more = ("--format", "csv") if output == "parts/" else ()
        result = run("sample", model, "-n", 3, "-o", output, "--delimiter", ";", *more)
        assert result.exit_code == 0, result.output
    (part,) = (here / "parts").glob("*.csv")
    for text in (Path("a.csv").read_text(), part.read_text(), result.stdout):
        assert text.startswith("id;age;income;job;member\n")
    the_line(run("sample", model, "-o", "a.parquet", "--delimiter", ";"), "only .csv files")


def test_where_is_obeyed(here: Path, model: Path) -> None:
    result = run("sample", model, "-n", 20, "--where", "job == 'nurse'", "-o", "a.csv")
    assert result.exit_code == 0, result.output
    assert set(synthgan.read_table("a.csv")["job"]) == {"nurse"}


# --- schema and info --------------------------------------------------------------------


def test_given_rows_are_filled_up(here: Path, model: Path) -> None:
    people()[["age", "job"]].head(7).to_csv(here / "seeds.csv", index=False)
    result = run("sample", model, "--given", "seeds.csv", "-o", "full.csv", "--extrapolate")
    assert result.exit_code == 0, result.output
    found = pd.read_csv(here / "full.csv")
    assert found["age"].tolist() == people()["age"].head(7).tolist()
    assert list(found) == list(people())
    the_line(run("sample", model, "--given", "seeds.csv", "-n", 5), "either -n", "or --given")


def test_without_a_number_as_many_rows_come_as_were_learned(here: Path, model: Path) -> None:
    result = run("sample", model, "-o", "rows.csv")
    assert result.exit_code == 0, result.output
    assert len(pd.read_csv(here / "rows.csv")) == synthgan.load(model).rows


@pytest.mark.parametrize("balance", ["member", '{"member": {"no": 0.5}}'])
def test_shares_are_met(here: Path, model: Path, balance: str) -> None:
    assert run("sample", model, "-n", 20, "--balance", balance).exit_code == 0
    assert pd.read_csv(here / "synthetic.csv")["member"].value_counts().tolist() == [10, 10]
    the_line(run("sample", model, "-n", 20, "-o", "b.csv", "--balance", "{oops"), "JSON")


def test_impute_fills_holes(here: Path, model: Path) -> None:
    people().to_csv(here / "holes.csv", index=False)
    result = run("impute", "holes.csv", model, "--seed", 1)
    assert result.exit_code == 0, result.output
    assert "missing cells of 60 rows are filled in imputed.csv" in result.stderr
    found = pd.read_csv(here / "imputed.csv")
    assert found.notna().all(axis=None)
    assert found["age"].equals(people()["age"])
    the_line(run("impute", "holes.csv", model), "imputed.csv", "--overwrite")
    one = ("impute", "holes.csv", model, "--column", "age", "-o", "one.csv")
    assert run(*one).exit_code == 0
    assert pd.read_csv(here / "one.csv")["income"].isna().any()
    assert run("impute", "holes.csv", model, "-n", 2, "-o", "two.csv", "--quiet").exit_code == 0
    two = pd.read_csv(here / "two.csv")
    assert list(two) == ["draw", *people()]
    assert two["draw"].tolist() == [0] * 60 + [1] * 60
    people().assign(draw=1).to_csv(here / "odd.csv", index=False)
    the_line(run("impute", "odd.csv", model, "-o", "o.csv"), "no column 'draw'")


def test_a_folder_is_fitted_in_chunks(here: Path) -> None:
    frame = people()
    (here / "parts").mkdir()
    for number, rows in enumerate((slice(0, 25), slice(25, 60))):
        frame.iloc[rows].to_csv(here / "parts" / f"{number}.csv", index=False)
    result = run("fit", "parts/", *QUICK, "--memory-limit", "1KiB")
    assert result.exit_code == 0, result.output
    assert "learned about 60 rows" in result.stderr
    (here / "parts" / "1.csv").write_text("id,age\n1,2\n")
    the_line(run("fit", "parts", *QUICK, "-o", "x.synthgan"), "1.csv", "'income'")
    assert "x.synthgan" not in files(here)


@pytest.mark.parametrize("size", ["3GiB", "0.5 gb", "1000"])
def test_sizes(here: Path, size: str) -> None:
    result = run("fit", "data.csv", *QUICK, "--memory-limit", size, "--quiet")
    assert (result.exit_code, result.output) == (0, "")


@pytest.mark.parametrize("size", ["much", "0", "3 parsecs", "-1GiB", "1e999"])
def test_a_size_that_is_none_is_refused(here: Path, size: str) -> None:
    the_line(run("fit", "data.csv", "--memory-limit", size), "3GiB")


def test_sample_writes_part_files_and_goes_on(here: Path, model: Path) -> None:
    draw = ("sample", model, "-n", "1_000", "--device", "cpu")
    result = run(*draw, "-o", "rows/", "--seed", "3")
    assert result.exit_code == 0, result.output
    assert "1 part file of 1,000 synthetic rows is in rows" in result.stderr
    assert files(here / "rows") == ["_synthgan.json", "part-00001-of-00001.parquet"]
    assert len(synthgan.read_table("rows")) == 1000
    assert run(*draw, "-o", "rows", "--parts", "--quiet").output == ""
    the_line(run(*draw, "-o", "rows/", "--seed", "4"), "seed differs")
    more = ("-o", "csv/", "--format", "csv.gz", "--shard", "1/3", "--seed", "3", "--quiet")
    assert run(*draw, *more).output == ""
    assert files(here / "csv") == ["_synthgan.json", "part-00001-of-00001.csv.gz"]


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("-o", "rows/", "--shard", "17/16", "--seed", "1"), ("shard 17/16 is out of range",)),
        (("-o", "rows/", "--shard", "0/16", "--seed", "1"), ("out of range", "1/16 to 16/16")),
        (("-o", "rows/", "--shard", "3 of 16"), ("3/16",)),
        (("-o", "rows/", "--shard", "3/16"), ("seed",)),
        (("-o", "rows/", "--overwrite"), ("remove the folder",)),
        (("-o", "rows/", "--format", "json"), (".json", ".parquet")),
        (("-o", "rows.csv", "--shard", "1/2"), ("--parts",)),
        (("-o", "data.csv", "--parts"), ("is a file",)),
    ],
)
def test_wrong_part_files_get_one_line(
    here: Path, model: Path, args: tuple[str, ...], words: tuple[str, ...]
) -> None:
    the_line(run("sample", model, "-n", "50", *args), *words)
    assert files(here) == ["data.csv"]


def test_interrupted_part_files_stay(
    here: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*args: object, **more: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(synthgan.Synthesizer, "sample_parts", stop)
    result = run("sample", model, "-n", "50", "-o", "rows/", "--quiet")
    the_line(result, "0 of 1 part files are in rows", "goes on", code=130)


def test_schema_can_be_edited_and_fitted(here: Path) -> None:
    result = run("schema", "data.csv")
    assert result.exit_code == 0
    columns, made_up = result.stdout.split("\n\n")
    table = {line.split()[0]: line.split()[1] for line in columns.splitlines()}
    assert table["id"] == "identifier"
    assert table["age"] == "integer"
    assert re.search(r"\bid +1\.00 +100% of the cells differ", made_up)
    assert "synthgan fit data.csv --schema schema.json" in result.stderr
    assert "--epsilon takes them as public" in result.stderr
    plain = json.loads(Path("schema.json").read_text())
    next(each for each in plain["columns"] if each["name"] == "age")["kind"] = "category"
    Path("schema.json").write_text(json.dumps(plain), encoding="utf-8-sig")  # as Notepad has it
    assert run("fit", "data.csv", "--schema", "schema.json", *QUICK).exit_code == 0
    assert synthgan.load("model.synthgan").schema["age"].kind is synthgan.Kind.CATEGORY


def test_schema_to_stdout_is_json_and_nothing_else(here: Path) -> None:
    result = run("schema", "data.csv", "-o", "-")
    assert result.exit_code == 0
    assert result.stderr == ""
    assert synthgan.Schema.from_json(result.stdout).names == tuple(people().columns)
    assert files(here) == ["data.csv"]


def test_a_schema_that_cannot_be_written_whole_leaves_the_old_file(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("schema", "data.csv").exit_code == 0
    before = Path("schema.json").read_bytes()
    people()[["age"]].to_csv("data.csv", index=False)

    def full(self: Path, data: bytes) -> int:
        with self.open("wb") as file:
            file.write(data[:10])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    the_line(run("schema", "data.csv", "--overwrite"), "schema.json", "cannot be written")
    assert Path("schema.json").read_bytes() == before
    assert files(here) == ["data.csv", "schema.json"]


def test_schema_says_which_columns_would_lose_much(here: Path) -> None:
    cells = [f"{100 + i % 40}/{60 + i % 5}" for i in range(100)]
    pd.DataFrame({"pressure": cells, "n": [i % 3 for i in range(100)]}).to_csv("p.csv", index=False)
    told = run("schema", "p.csv").stdout
    assert re.search(r"pressure +category .* 40$", told, re.MULTILINE)
    assert "'pressure': 40 values of few rows each (100.0% of rows)" in told
    assert "kind text in the schema" in told


def test_schema_of_many_columns(here: Path) -> None:
    pd.DataFrame(np.arange(1500).reshape(3, 500)).add_prefix("c").to_csv("wide.csv", index=False)
    result = run("schema", "wide.csv")
    assert result.exit_code == 0
    assert len(result.stdout.splitlines()) == 501


def test_info_tells_what_the_model_holds(model: Path) -> None:
    result = run("info", model)
    assert result.exit_code == 0
    assert result.stderr == ""
    for words in ("about 60 rows and 5 columns", "train.steps 6 (default unset)", "seed 0"):
        assert words in result.stdout
    for name in people().columns:
        assert name in result.stdout
    for line in synthgan.load(model).protections:
        assert line in result.stdout
    assert "train.critic_steps" not in result.stdout  # at its default, and not a main one
    assert not any(line.endswith(" ") for line in result.stdout.splitlines())


def test_info_tells_of_training_only_what_is_asked(model: Path) -> None:
    brief = run("info", model).stdout
    assert "(steps: warm start 5, adversarial 1)" in brief
    assert "critic slope" not in brief
    assert "critic slope" in run("info", model, "--history").stdout


def test_info_as_json(model: Path) -> None:
    facts = json.loads(run("info", model, "--json", "--history").stdout)
    loaded = synthgan.load(model)
    assert facts["rows"] == 60
    assert facts["bytes"] == model.stat().st_size
    assert [each["name"] for each in facts["columns"]] == list(people().columns)
    assert facts["settings"]["train.batch_size"] == 32
    assert set(facts["changed_settings"]) == {"train.steps", "train.batch_size", "train.device"}
    assert facts["versions"] == dict(loaded.versions)
    assert [each["step"] for each in facts["history"]] == [s.step for s in loaded.history]
    assert [each["phase"] for each in facts["losses"]] == ["warm start", "adversarial"]
    assert "history" not in json.loads(run("info", model, "--json").stdout)


def test_info_history_has_a_line_a_step(model: Path) -> None:
    lines = run("info", model, "--history").stdout.splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("phase "))
    assert len(lines) - start - 1 == len(synthgan.load(model).history)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Part:
    """A part of the settings that may be left out."""

    strength: float = 2.0
    limit: float | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class ConfigWithParts:
    """Settings of which one part is off by default and one is on."""

    seed: int = 0
    off: Part | None = None
    on: Part | None = Part()


@pytest.mark.parametrize(
    ("config", "changed", "said"),
    [
        (ConfigWithParts(), [], "settings: seed 0"),
        (
            ConfigWithParts(off=Part(strength=3)),
            ["off.strength", "off.limit"],
            "settings: seed 0, off.strength 3 (not by default), off.limit unset (not by default)",
        ),
        (ConfigWithParts(on=None), ["on"], "settings: seed 0, on unset (not by default)"),
        (
            ConfigWithParts(on=Part(limit=1)),
            ["on.limit"],
            "settings: seed 0, on.limit 1 (default unset)",
        ),
    ],
)
def test_info_of_settings_that_may_be_left_out(
    model: Path,
    monkeypatch: pytest.MonkeyPatch,
    config: ConfigWithParts,
    changed: list[str],
    said: str,
) -> None:
    loaded = synthgan.load(model)
    monkeypatch.setattr(synthgan, "Config", ConfigWithParts)
    monkeypatch.setattr(type(loaded), "config", config)
    monkeypatch.setattr(synthgan, "load", lambda *_, **__: loaded)
    assert said in run("info", model).stdout.splitlines()
    assert json.loads(run("info", model, "--json").stdout)["changed_settings"] == changed


def test_names_cannot_command_the_terminal(here: Path) -> None:
    text = "two\nlines,\x1b[31mred [bold]\n" + "some words that are text,1\n" * 99
    frame = pd.read_csv(io.StringIO(text.replace("two\nlines", '"two\nlines"')))
    frame.to_parquet("odd.parquet")
    result = run("schema", "odd.parquet")
    assert result.exit_code == 0
    assert "\x1b" not in result.stdout
    assert "\\x1b[31mred [bold]" in result.stdout
    assert len(result.stdout.splitlines()) == 3


# --- progress ---------------------------------------------------------------------------


def test_plain_progress_is_a_line_every_tenth(
    here: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fit(
        *_: object, on_step: Callable[[synthgan.Step], None], **__: object
    ) -> synthgan.Synthesizer:
        for i in range(1, 101):
            validation = 9.5 if i == 20 else None
            on_step(
                synthgan.Step(
                    phase="warm start",
                    step=10 * i,
                    of=1000,
                    seconds=2.0 * i,
                    likelihood_loss=8.25,
                    validation_loss=validation,
                )
            )
        return loaded

    loaded = synthgan.load(model)
    clock = itertools.count(step=0.5)
    monkeypatch.setattr(synthgan, "fit", fit)
    monkeypatch.setattr(time, "monotonic", lambda: next(clock))
    result = run("fit", "data.csv")
    lines = [line for line in result.stderr.splitlines() if line.startswith("warm start: ")]
    assert len(lines) == 11
    assert re.fullmatch(  # by the clock above, which goes on whenever it is looked at
        "warm start: 200 of 1,000 steps, likelihood 8.250, validation 9.500,"
        r" over in at most 1 min \d\d s",
        lines[2],
    )


def test_slow_reading_is_said(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Hasty(threading.Timer):
        started = 0

        def start(self) -> None:
            Hasty.started += 1
            if Hasty.started == 1:  # which starts another, to say it again
                self.function(*self.args)

    monkeypatch.setattr(threading, "Timer", Hasty)
    assert run("fit", "data.csv", *QUICK).stderr.startswith("reading data.csv\n")
    Hasty.started = 0
    assert run("fit", "data.csv", *QUICK, "--quiet", "--overwrite").stderr == ""


def test_a_long_wait_is_said_again_with_its_time(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    timers: list[threading.Timer] = []
    monkeypatch.setattr(threading.Timer, "start", lambda timer: timers.append(timer))
    clock = itertools.count(step=30.0)
    monkeypatch.setattr(time, "monotonic", lambda: next(clock))
    with Progress(quiet=False) as progress:
        progress.wait("reading", "data.csv")
        for number in range(2):
            timers[number].function()
        timers[0].function()  # too late: it has been said
    assert capsys.readouterr().err.splitlines() == [
        "reading data.csv (for 30 s now)",
        "reading data.csv (for 1 min 0 s now)",
    ]
    assert len(timers) == 3


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_gets_bars(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Terminal()
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "160")
    monkeypatch.setattr(sys, "stderr", screen)
    with pytest.raises(SystemExit) as done:
        main(["fit", "data.csv", *QUICK])
    assert done.value.code == 0
    text = screen.getvalue()
    assert "5 of 5 steps, likelihood " in text
    assert "1 of 1 step, critic " in text
    assert "\x1b[" in text
    assert "the model is in model.synthgan" in text


def test_an_error_on_a_terminal_takes_the_bars_away(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    screen = Terminal()
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setattr(sys, "stderr", screen)
    with pytest.raises(SystemExit):
        main(["fit", "nofile.csv"])
    text = screen.getvalue()
    assert "reading" in text  # before anything heavy is loaded
    assert "\x1b[2K" in text.rpartition("reading")[2]
    assert text.splitlines()[-1].endswith("synthgan: nofile.csv: there is no such file")


def test_the_bars_can_be_had_in_python(capsys: pytest.CaptureFixture[str]) -> None:
    config = synthgan.Config(train=synthgan.TrainConfig(steps=2, batch_size=32, device="cpu"))
    with synthgan.show_progress() as on_step:
        synthgan.fit(people(), config=config, on_step=on_step)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.splitlines()[:2] == [
        "warm start: at most 2 steps",
        "adversarial: at most 1 step",
    ]


@pytest.mark.parametrize("wanted", [True, False])
def test_what_takes_long_is_said_while_it_lasts(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], wanted: bool
) -> None:
    monkeypatch.setattr(progress_module, "_LATE", 0.02)
    monkeypatch.setattr(progress_module, "_LINE_EVERY", (0.02, 60.0))
    with Progress(quiet=not wanted) as progress:
        progress.wait("reading", "data.csv")
        time.sleep(0.2)
        progress.phase("judging", 3, "parts")
        progress.update(0, "columns")
        progress.update(1, "pairs")
        progress.update(2, "models")
        time.sleep(0.2)
        monkeypatch.setattr(progress_module, "_LINE_EVERY", (0.0, 0.05))
        progress.phase("judging", 3, "parts")
        progress.update(2, "models")
        time.sleep(0.2)
    lines = capsys.readouterr().err.splitlines()
    if not wanted:
        assert lines == []
        return
    assert lines[:3] == ["reading data.csv", *["judging: 2 of 3 parts, models"] * 2]
    assert set(lines[3:]) == {"judging: 2 of 3 parts, models (for 0 s now)"}
    time.sleep(0.1)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(("encoding", "has_curves"), [("utf-8", True), ("ascii", False)])
def test_a_terminal_that_can_shows_curves(
    monkeypatch: pytest.MonkeyPatch, encoding: str, has_curves: bool
) -> None:
    screen = io.TextIOWrapper(
        io.BytesIO(), encoding=encoding, errors="backslashreplace", write_through=True
    )
    monkeypatch.setattr(screen, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr(sys, "stderr", screen)
    with Progress(quiet=False) as progress:
        training = Training(progress)
        for step in (10, 20, 30):
            training(
                synthgan.Step(
                    phase="adversarial",
                    step=step,
                    of=30,
                    seconds=1.0,
                    critic_loss=-step / 10,
                    detection=0.9 - step / 100 if step > 10 else None,
                )
            )
    screen.seek(0)
    text = screen.buffer.getvalue().decode(encoding)
    assert "distinguished 0.60" in text
    assert ("critic █▅▁, distinguished █▁" in text) is has_curves


def test_curves_are_means_between_the_least_and_the_most() -> None:
    assert curve([5.0]) == "▁"
    assert curve([2.0, 2.0]) == "▁▁"
    assert curve([0.0, 7.0, 3.0]) == "▁█▄"
    assert curve(range(80)) == "▁▂▃▃▄▅▆▆▇█"
    assert curve([0.0, 1.0] * 10) == "▁" * 10


# --- bad input --------------------------------------------------------------------------

UNUSABLE = {
    "empty": (b"", "empty"),
    "header only": (b"a,b\n", "no rows"),
    "same name twice": (b"a,a\n1,2\n3,4\n", "'a' comes twice"),
    "no name": (b"a,\n1,2\n3,4\n", "column 2 has no name"),
    "ragged": (b"a,b\n1,2\n3,4,5\n6,7\n", "line 3"),
    "no text": (bytes(range(256)) * 9, "binary"),
    "encoding": (b"a,b\n\x81\x8d,2\n\x90,3\n", "UTF-8"),
    "infinite": (b"a,b\n" + b"0.5,inf\n1.5,2.25\n" * 9, "'b'"),
    "time zones": (
        b"at\n" + b"2020-01-01 10:00:00+01:00\n2020-01-02 10:00:00+02:00\n" * 9,
        "'at'",
    ),
}
USABLE = {
    "one column": b"a\n" + b"1\n2\n5\n" * 9,
    "constant": b"a,b\n" + b"1,k\n2,k\n" * 9,
    "all missing": b"a,b\n" + b"1,\n2,\n" * 9,
    "mixed": b"a,b\n" + b"1,x\n2,7\n" * 9,
    "beyond 2^53": b"a,b\n" + b"".join(b"%d,x\n" % (2**60 + i) for i in range(18)),
    "years": b"a,b\n" + b"1000-01-02,x\n2999-12-31,y\n1789-07-14,y\n" * 9,
    "emoji": 'na\u00efve \U0001f388,"two\nlines"\n"x\ny",\U0001f388\nz,\U0001f3a9\n'.encode() * 1
    + '"x\ny",\U0001f388\n'.encode() * 9,
    "identifiers": b"id\n" + b"".join(b"A%05d\n" % (7 * i) for i in range(40)),
}


@pytest.mark.parametrize("name", UNUSABLE)
def test_a_table_that_cannot_be_used_gets_one_line(here: Path, name: str) -> None:
    data, word = UNUSABLE[name]
    Path("bad.csv").write_bytes(data)
    the_line(run("fit", "bad.csv", *QUICK), word)
    assert files(here) == ["bad.csv", "data.csv"]


@pytest.mark.parametrize("name", USABLE)
def test_an_odd_table_is_learned_all_the_same(here: Path, name: str) -> None:
    Path("odd.csv").write_bytes(USABLE[name])
    result = run("fit", "odd.csv", "--steps", "1", "--batch-size", "8", "--device", "cpu")
    assert result.exit_code == 0, result.stderr
    assert run("sample", "-n", "5").exit_code == 0
    rows, odd = synthgan.read_table("synthetic.csv"), synthgan.read_table("odd.csv")
    assert len(rows) == 5
    assert list(rows.columns) == list(odd.columns)


@pytest.mark.parametrize(
    "data",
    [b"a,b\n1,x\n", b"a,b\n" + b"".join(b"%de306,x\n" % (i - 90) for i in range(180))],
    ids=["one row", "1e308"],
)
def test_an_extreme_table_is_learned_or_refused_in_one_line(here: Path, data: bytes) -> None:
    Path("odd.csv").write_bytes(data)
    result = run("fit", "odd.csv", "--steps", "1", "--quiet", "--device", "cpu")
    if result.exit_code:
        the_line(result)
        assert files(here) == ["data.csv", "odd.csv"]
    else:
        assert run("sample", "-n", "5").exit_code == 0


@pytest.mark.parametrize(
    ("args", "word"),
    [
        (["fit"], "DATA"),
        (["fit", "no.csv"], "no.csv"),
        (["fit", "data.xlsx"], "as CSV"),
        (["fit", "data.csv", "--steps", "0"], "steps"),
        (["fit", "data.csv", "--steps", "few"], "--steps"),
        (["fit", "data.csv", "--max-minutes", "-1"], "max_minutes"),
        (["fit", "data.csv", "--batch-size", "1"], "batch_size"),
        (["fit", "data.csv", "--seed", "-1"], "seed"),
        (["fit", "data.csv", "--device", "abacus"], "abacus"),
        (["fit", "data.csv", "--schema", "no.json"], "no.json"),
        (["fit", "data.csv", "--schema", "data.csv"], "JSON"),
        (["fit", "data.csv", "--schema", "."], "cannot be read"),
        (["fit", "data.csv", "-o", "no/model.synthgan"], "no"),
        (["fit", "data.csv", "-o", "."], "folder"),
        (["sample", "-n", "0"], "-n"),
        (["sample", "-n", "-5"], "-n"),
        (["sample", "-n", "1.5"], "-n"),
        (["sample", "-n", "many"], "'many' is no whole number, such as 1000"),
        (["sample", "-n", "1e6"], "'1e6' is no whole number"),
        (["sample", "-n", "5"], "synthgan fit"),
        (["sample", "data.csv", "-n", "5"], "no model file"),
        (["evaluate", "no://data.csv", "data.csv"], "no://data.csv"),
        (["split", "no://data.csv"], "no://data.csv"),
        (["schema", "no://data.csv"], "no://data.csv"),
        (["schema", "no.csv"], "no.csv"),
        (["schema", "data.csv", "-o", "no/schema.json"], "no"),
        (["info"], "model.synthgan"),
        (["info", "data.csv"], "is it a table? 'synthgan fit data.csv' learns one"),
        (["learn", "data.csv"], "learn"),
        (["--fast"], "--fast"),
        (["fit", "data.csv", "--fast"], "--fast"),
    ],
    ids=str,
)
def test_a_wrong_call_gets_one_line(here: Path, args: list[str], word: str) -> None:
    the_line(run(*args), word)
    assert files(here) == ["data.csv"]


def test_cuda_is_refused_where_there_is_none(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.device_count", lambda: 0)
    the_line(run("fit", "data.csv", "--device", "cuda"), "cuda", "cpu")
    assert files(here) == ["data.csv"]


@pytest.mark.parametrize(
    ("args", "word"),
    [
        (["-o", "a.xlsx"], "name a .csv"),
        (["-o", "no/a.csv"], "no"),
        (["--seed", "-1"], "seed"),
        (["--where", "agee > 30"], "'age'"),
        (["--where", "age >"], ""),
        (["--where", ""], ""),
        (["--device", "abacus"], "abacus"),
    ],
    ids=str,
)
def test_a_wrong_sample_gets_one_line(here: Path, model: Path, args: list[str], word: str) -> None:
    the_line(run("sample", model, "-n", 5, *args), word)
    assert files(here) == ["data.csv"]


@pytest.mark.parametrize("command", ["fit", "schema", "impute", "compare", "split", "evaluate"])
def test_a_table_that_is_not_there_is_said_before_a_file_that_is(here: Path, command: str) -> None:
    for name in ("model.synthgan", "schema.json", "imputed.csv", "train.csv"):
        Path(name).write_text("mine")
    for name in ("comparison.html", "report.html"):
        Path(name).write_text("mine")
    more = ["data.csv"] if command == "evaluate" else []
    the_line(run(command, "nofile.csv", *more), "nofile.csv: there is no such file")
    if command == "split":
        Path("holdout.csv").write_text("mine")
        the_line(run("split", "data.csv", "--by", "jobb"), "did you mean 'job'?")


@pytest.mark.parametrize(
    ("args", "name"),
    [
        (["fit", "data.csv", *QUICK], "model.synthgan"),
        (["sample", "MODEL", "-n", "5"], "synthetic.csv"),
        (["schema", "data.csv"], "schema.json"),
    ],
    ids=["fit", "sample", "schema"],
)
def test_an_existing_file_is_kept_unless_told_otherwise(
    here: Path, model: Path, args: list[str], name: str
) -> None:
    args = [str(model) if each == "MODEL" else each for each in args]
    Path(name).write_text("precious")
    the_line(run(*args), name, "--overwrite")
    assert Path(name).read_text() == "precious"
    assert run(*args, "--overwrite").exit_code == 0
    assert Path(name).stat().st_size > 100


# --- a model is not lost ----------------------------------------------------------------


@pytest.mark.parametrize("lost", [0, 1, 2, 3])
def test_a_model_that_cannot_be_saved_is_put_elsewhere(
    here: Path, model: Path, monkeypatch: pytest.MonkeyPatch, lost: int
) -> None:
    loaded = synthgan.load(model)
    folders = {name: here / name for name in ("current", "home", "temporary")}
    for folder in (*folders.values(), here / "wanted"):
        folder.mkdir()

    def fit(*_: object, **__: object) -> synthgan.Synthesizer:
        for folder in (here / "wanted", *list(folders.values())[:lost]):
            folder.rmdir()
        return loaded

    monkeypatch.chdir(folders["current"])
    monkeypatch.setenv("HOME", str(folders["home"]))
    monkeypatch.setenv("USERPROFILE", str(folders["home"]))
    monkeypatch.setattr(tempfile, "tempdir", str(folders["temporary"]))
    monkeypatch.setattr(synthgan, "fit", fit)
    result = run("fit", here / "data.csv", "-o", here / "wanted" / "model.synthgan")
    line = the_line(result, "wanted")
    monkeypatch.chdir(here)
    if lost == 3:
        assert "could" in line
        return
    rescue = Path(line.rpartition(" saved to ")[2])
    assert rescue.parent == list(folders.values())[lost]
    assert rescue.name.startswith("model-")
    assert synthgan.load(rescue).schema == loaded.schema


# --- several processes ------------------------------------------------------------------


def test_launched_processes_write_their_shards(
    here: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = ("sample", model, "-n", 20_000, "-o", "rows/", "--device", "cpu", "--seed", 3)
    monkeypatch.setattr(synthgan, "Parts", functools.partial(synthgan.Parts, chunks=1))
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("RANK", "1")
    the_line(run("sample", model, "-o", "x.csv"), "--parts")
    the_line(run(*command, "--shard", "1/2"), "--shard")
    result = run(*command)
    assert (result.exit_code, result.stderr) == (0, "")  # the first one speaks for all
    names = [f"part-0000{number}-of-00003.parquet" for number in (1, 2, 3)]
    assert files(here / "rows")[1:] == [names[1]]
    monkeypatch.setenv("RANK", "0")
    result = run(*command)
    assert "(shard 1 of 2)" in result.stderr
    assert files(here / "rows")[1:] == names


# --- interruption -----------------------------------------------------------------------


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Ctrl-C works, also where the tests run in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    signal.signal(signal.SIGINT, before)


def strike(number: int = signal.SIGINT) -> None:
    signal.raise_signal(number)


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_training_is_saved(
    here: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    real = synthgan.fit

    def fit(*args: Any, on_step: Callable[[synthgan.Step], None], **rest: Any) -> Any:
        def interrupted(step: synthgan.Step) -> None:
            on_step(step)
            strike(number)

        return real(*args, on_step=interrupted, **rest)

    monkeypatch.setattr(synthgan, "fit", fit)
    result = run("fit", "data.csv", "--steps", "5000", "--batch-size", "32", "--device", "cpu")
    assert result.exit_code == 130
    lines = result.stderr.splitlines()
    assert lines[-1] == "synthgan: interrupted; what was learned until then is in model.synthgan"
    assert any(line.startswith("note: training was interrupted") for line in lines)
    loaded = synthgan.load("model.synthgan")
    assert len(loaded.history) == 1
    assert len(loaded.sample(5, seed=0)) == 5


@pytest.mark.usefixtures("interruptible")
def test_a_stopped_fit_goes_on_from_its_checkpoint(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command, real = ("fit", "data.csv", *QUICK, "--steps", "24"), synthgan.fit
    assert run(*command, "-o", "whole.synthgan").exit_code == 0

    def fit(*args: Any, on_step: Callable[[synthgan.Step], None], **rest: Any) -> Any:
        def interrupted(step: synthgan.Step) -> None:
            on_step(step)
            strike(signal.SIGTERM)

        return real(*args, on_step=interrupted, **rest)

    with monkeypatch.context() as patch:
        patch.setattr(synthgan, "fit", fit)
        result = run(*command, "--checkpoint-every", 5)
    assert result.exit_code == 130
    lines = result.stderr.splitlines()
    assert lines[0].startswith("checkpoints go to model.synthgan.checkpoint")
    assert "guard it like the table" in lines[0]
    assert lines[-1].endswith("with the same command and --resume --overwrite")
    the_line(run(*command, "--checkpoint-every", 5, "-o", "model.synthgan"), "model.synthgan")
    the_line(run(*command, "--resume", "-o", "other.synthgan"), "no checkpoint to go on from")
    the_line(run(*command, "--resume", "--overwrite", "--seed", 1), "settings differ")
    result = run(*command, "--resume", "--overwrite")
    assert result.exit_code == 0, result.stderr
    assert files(here) == ["data.csv", "model.synthgan", "whole.synthgan"]
    drawn = [synthgan.load(name, device="cpu").sample(50, seed=0) for name in files(here)[1:]]
    assert drawn[0].equals(drawn[1])


@pytest.mark.usefixtures("interruptible")
def test_an_interruption_before_training_leaves_nothing(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(synthgan, "fit", lambda *_, **__: strike())
    the_line(run("fit", "data.csv"), "interrupted; nothing was written", code=130)
    assert files(here) == ["data.csv"]


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize("times", [1, 2])
def test_one_interruption_in_saving_waits_and_two_do_not(
    here: Path, model: Path, monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    loaded, real = synthgan.load(model), synthgan.Synthesizer.save

    def save(self: synthgan.Synthesizer, path: Path, *, overwrite: bool = False) -> None:
        for _ in range(times):
            strike()
        real(self, path, overwrite=overwrite)

    monkeypatch.setattr(synthgan, "fit", lambda *_, **__: loaded)
    monkeypatch.setattr(synthgan.Synthesizer, "save", save)
    line = the_line(run("fit", "data.csv", "--quiet"), "interrupted", code=130)
    if times == 1:
        assert line.endswith("is in model.synthgan")
        assert synthgan.load("model.synthgan").rows == loaded.rows
    else:
        assert line.endswith("nothing was written")
        assert files(here) == ["data.csv"]


@pytest.mark.usefixtures("interruptible")
def test_an_interrupted_sample_leaves_nothing(
    here: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = synthgan.load(model)

    def chunks(*_: object, **__: object) -> Iterator[pd.DataFrame]:
        yield loaded.sample(5, seed=0)
        strike(signal.SIGTERM)

    monkeypatch.setattr(synthgan.Synthesizer, "iter_samples", chunks)
    monkeypatch.setattr(synthgan, "load", lambda _: loaded)
    # sample() itself draws on iter_samples
    monkeypatch.setattr(synthgan.Synthesizer, "sample", lambda *_, **__: people(5))
    the_line(run("sample", "-n", 10), "interrupted; nothing was written", code=130)
    assert files(here) == ["data.csv"]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGTERM to send")
def test_a_real_process_saves_on_sigterm(here: Path) -> None:
    command = [sys.executable, "-m", "synthgan", "fit", "data.csv", "--steps", "100000"]
    calm = {**os.environ, "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=calm) as process:
        assert process.stderr is not None
        first = next(line for line in process.stderr if line.startswith("warm start: "))
        process.send_signal(signal.SIGTERM)
        rest = process.stderr.read()
    assert "at most" in first
    assert process.returncode == 130
    assert rest.splitlines()[-1].startswith("synthgan: interrupted; what was learned")
    assert "Traceback" not in rest
    assert files(here) == ["data.csv", "model.synthgan"]


# --- bugs -------------------------------------------------------------------------------


def failing(error: BaseException) -> Callable[..., None]:
    def fit(*_: object, **__: object) -> None:
        raise error

    return fit


def test_a_bug_is_one_line_without_the_message(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SYNTHGAN_DEBUG", raising=False)
    monkeypatch.setattr(synthgan, "fit", failing(KeyError("Ms Secret, 12 Cell Street")))
    line = the_line(run("fit", "data.csv"), "bug", "KeyError", "SYNTHGAN_DEBUG", code=70)
    assert "Secret" not in line


def test_a_bug_can_be_looked_into(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYNTHGAN_DEBUG", "1")
    monkeypatch.setattr(synthgan, "fit", failing(KeyError("where")))
    assert isinstance(run("fit", "data.csv").exception, KeyError)


@pytest.mark.parametrize(
    ("error", "word", "code"),
    [
        (click.ClickException("of no use"), "of no use", 2),
        (OSError(errno.ENOSPC, "No space left on device"), "No space left on device", 2),
        (click.FileError("data.csv", "it is locked"), "it is locked", 2),
        (click.BadParameter("too odd"), "too odd", 2),
        (click.Abort(), "interrupted; nothing was written", 130),
    ],
    ids=lambda each: type(each).__name__,
)
def test_what_click_raises_is_no_bug(
    here: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, word: str, code: int
) -> None:
    monkeypatch.setattr(synthgan, "fit", failing(error))
    line = the_line(run("fit", "data.csv"), word, code=code)
    assert "bug" not in line


def test_too_little_memory_is_no_bug(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(synthgan, "fit", failing(MemoryError()))
    the_line(run("fit", "data.csv"), "memory")
