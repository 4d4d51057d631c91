"""Hostile and unlucky: damaged input, killed processes, full disks, too little memory, strangers.

Long versions: ``benchmarks/fuzz.py`` and ``benchmarks/kill.py``; their counts are in
``docs/reliability.md``.
"""

from __future__ import annotations

import json
import os
import resource
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import hostile
import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rewriting import parts, rewritten
from sample_tables import people

import synthgan
from synthgan.cli.app import main
from synthgan.errors import ModelFileError, SchemaError, TableError

ROOT = Path(__file__).parent.parent
QUICK = [name for name in hostile.READERS if name not in ("model", "checkpoint", "manifest")]
CORPUS = sorted(path for path in hostile.CORPUS.glob("*/*") if path.is_file())


# --- damaged input ----------------------------------------------------------------------


def survives(name: str, data: bytes, folder: Path) -> str:
    return hostile.outcome(hostile.READERS[name], data, folder)


@pytest.mark.parametrize("name", QUICK)
@settings(max_examples=8, suppress_health_check=list(HealthCheck), database=None)
@given(rng=st.randoms(use_true_random=False))
def test_damaged_input_is_refused_in_one_line(
    name: str, rng: Random, tmp_path_factory: pytest.TempPathFactory
) -> None:
    survives(name, hostile.damaged(hostile.READERS[name], rng), _folder(tmp_path_factory))


@pytest.mark.parametrize("name", ["model", "checkpoint", "manifest"])
def test_damaged_models_and_checkpoints_are_refused(name: str, tmp_path: Path) -> None:
    for number in range(4):
        survives(name, hostile.example(name, number), tmp_path)


@pytest.mark.parametrize("path", CORPUS, ids=lambda p: f"{p.parent.name}/{p.name}")
def test_what_broke_a_reader_once(path: Path, tmp_path: Path) -> None:
    survives(path.parent.name, path.read_bytes(), tmp_path)


@pytest.mark.parametrize("name", list(hostile.READERS))
def test_honest_input_is_taken(name: str, tmp_path: Path) -> None:
    seeds = hostile.READERS[name].seeds()
    found = [survives(name, seed, tmp_path) for seed in seeds]
    refused = {"tsv", "parquet", "feather", "condition", "expression", "manifest", "schema"}
    assert "taken" in found or name in refused, found


def _folder(factory: pytest.TempPathFactory) -> Path:
    return factory.mktemp("hostile")


def test_lone_surrogates_are_refused_where_they_come_in() -> None:
    plain = {"name": "a\ud800", "kind": "number", "dtype": "float64"}
    with pytest.raises(SchemaError, match="surrogate"):
        synthgan.Schema.from_json(json.dumps({"synthgan_schema": 1, "columns": [plain]}))
    with pytest.raises(SchemaError, match="surrogate"):
        synthgan.infer_schema(pd.DataFrame([1, 2, 3], columns=pd.Index(["a\ud800"], dtype=object)))


@pytest.mark.parametrize("format", ["%Y" * 101, "9" * 201, "$" * 300 + "0"])
def test_endless_formats_are_refused(format: str) -> None:
    kind = {"%": "datetime", "9": "identifier", "$": "number"}[format[0]]
    plain = {"name": "a", "kind": kind, "dtype": "object", "format": format}
    with pytest.raises(SchemaError, match="200 characters"):
        synthgan.Schema.from_json(json.dumps({"synthgan_schema": 1, "columns": [plain]}))


NASTY = ("a.", "1 st ", "ring ", "- ", "a@", "@", "1.", "1,", "1:", "O'", "A-", "(", "%", '"', "\\")


@pytest.mark.parametrize("unit", NASTY)
def test_no_cell_makes_a_pattern_explode(unit: str) -> None:
    cells = [unit * (20_000 + number) + "!" for number in range(10)]
    frame = pd.DataFrame({"name": cells, "date": cells, "x": cells, "y": range(10)})
    began = time.process_time()
    synthgan.infer_schema(frame, constraints=False)
    assert time.process_time() - began < 5  # an explosion takes years


@pytest.mark.parametrize("regex", ["(a+)+$", "(\\d*)*[0-9]{9999}", "[A-Z]{99}" * 50, "(?R)"])
def test_expressions_of_metadata_are_never_run(regex: str) -> None:
    kinds: dict[str, Any] = {"x": {"sdtype": "id", "regex_format": regex}}
    frame = pd.DataFrame({"x": ["a" * 50 + "!", "b", "c"]})
    path = {"METADATA_SPEC_VERSION": "V1", "tables": {"t": {"columns": kinds}}}
    schema = synthgan.schema.sdv.schema_of_metadata(path, frame)  # type: ignore[attr-defined]
    assert regex not in schema.to_json()


# --- paths that lead elsewhere ----------------------------------------------------------


def test_names_inside_of_files_are_never_paths(tmp_path: Path) -> None:
    outside, inside = tmp_path / "outside", tmp_path / "inside"
    inside.mkdir()
    name = f"../{outside.name}"
    frame = people(60).rename(columns={"job": name, "age": "/etc/passwd"})
    path = inside / "data.csv"
    synthgan.write_table(frame, path)
    config = hostile.tiny()
    model = synthgan.fit(path, config=config)
    model.save(inside / "model.synthgan")
    synthgan.load(inside / "model.synthgan").sample(3)
    assert {each.name for each in tmp_path.iterdir()} == {"inside"}


@pytest.mark.parametrize("ending", ["/../../x.csv", "../x.parquet", ".csv/../../y.csv"])
def test_part_files_stay_in_their_folder(tmp_path: Path, ending: str) -> None:
    folder = tmp_path / "rows"
    with pytest.raises(TableError):
        synthgan.Parts(folder=folder, rows=5, ending=ending)


# --- formulas ---------------------------------------------------------------------------

FORMULAS = ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\tx", "\rx", "\n=1", "\uff1d1"]


@pytest.mark.parametrize("dtype", ["object", "category", "string[pyarrow]"])
def test_safe_csv_disarms_formulas_and_nothing_else(tmp_path: Path, dtype: str) -> None:
    frame = pd.DataFrame(
        {
            "=name": pd.Series([*FORMULAS, "a=b", "", None, "-5", "+1,234.50"], dtype=dtype),
            "n": np.linspace(-3, 3, len(FORMULAS) + 5),
            "d": pd.date_range("2020-01-01", periods=len(FORMULAS) + 5),
        }
    )
    path, plain = tmp_path / "safe.csv", tmp_path / "plain.csv"
    synthgan.write_table(frame.copy(), path, safe_csv=True)
    synthgan.write_table(frame, plain)
    safe = pd.read_csv(path, dtype=str, keep_default_na=False)
    want = pd.read_csv(plain, dtype=str, keep_default_na=False)
    assert list(safe) == ["'=name", "n", "d"]
    names = [*(f"'{each}" for each in want["=name"][: len(FORMULAS)]), "a=b", "", ""]
    assert list(safe["'=name"]) == [*names, "-5", "+1,234.50"]
    assert safe[["n", "d"]].equals(want[["n", "d"]])
    assert "=name" in frame


def test_safe_csv_is_for_csv(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="safe_csv"):
        synthgan.write_table(people(5), tmp_path / "t.parquet", safe_csv=True)


def test_safe_csv_from_the_command_line(tmp_path: Path) -> None:
    frame = people(80)
    frame["job"] = np.where(frame["age"] > 40, "=1+1", "@x")
    synthgan.fit(frame, config=hostile.tiny()).save(tmp_path / "m")
    out = [str(tmp_path / each) for each in ("a.csv", "parts/", "b.csv")]
    common = ["--quiet", "--safe-csv"]
    run("sample", str(tmp_path / "m"), "-n", "20", "-o", out[0], *common)
    run(
        "sample",
        str(tmp_path / "m"),
        "-n",
        "20",
        "-o",
        out[1],
        "--parts",
        "--format",
        "csv",
        *common,
    )
    synthgan.write_table(frame.assign(score=np.nan), tmp_path / "holes.csv")
    run("impute", str(tmp_path / "holes.csv"), str(tmp_path / "m"), "-o", out[2], *common)
    for path in (out[0], next((tmp_path / "parts").glob("*.csv")), out[2]):
        assert set(pd.read_csv(path)["job"].dropna()) <= {"'=1+1", "'@x"}, path


def run(*words: str, code: int = 0) -> str:
    result = CliRunner().invoke(main, list(words))
    assert result.exit_code == code, result.output
    return result.output


# --- killed, full, forbidden ------------------------------------------------------------


def test_kill_9_leaves_nothing_half_written() -> None:
    script = ROOT / "benchmarks" / "kill.py"
    words = [sys.executable, str(script), "--kills", "3"]
    done = subprocess.run(words, capture_output=True, text=True, env=_environment(), timeout=500)
    assert done.returncode == 0, done.stderr
    assert "3 kills: no file was half-written or lost" in done.stdout


def test_leftovers_are_swept_away_and_files_under_way_are_not(tmp_path: Path) -> None:
    left = tmp_path / ".synthgan-0123456789abcdef.tmp"
    left.write_bytes(b"half")
    other = tmp_path / ".other.tmp"
    other.write_bytes(b"not ours")

    def chunks() -> Any:
        yield people(5)
        (under_way,) = tmp_path.glob(".synthgan-*.tmp")  # of this very write
        synthgan.write_table(people(5), tmp_path / "second.csv")
        assert under_way.exists()

    synthgan.write_table(chunks(), tmp_path / "first.csv")
    assert {each.name for each in tmp_path.iterdir()} == {"first.csv", "second.csv", ".other.tmp"}


def _pipe(path: Path, folder: Path) -> None:
    os.mkfifo(path)


def _link_to_a_pipe(path: Path, folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    path.symlink_to(folder / "pipe")


def _socket(path: Path, folder: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(os.path.relpath(path))  # such an address is at most 107 bytes long


def _link_to_a_device(path: Path, folder: Path) -> None:
    path.symlink_to("/dev/full")


def _folder_of_that_name(path: Path, folder: Path) -> None:
    path.mkdir()


def _link_to_a_file(path: Path, folder: Path) -> None:
    (folder / "file").write_bytes(b"keep")
    path.symlink_to(folder / "file")


def _second_name_of_a_file(path: Path, folder: Path) -> None:
    (folder / "file").write_bytes(b"keep")
    path.hardlink_to(folder / "file")


@pytest.mark.skipif(os.name != "posix", reason="there are no such files")
@pytest.mark.parametrize(
    "make",
    [
        _pipe,
        _link_to_a_pipe,
        _socket,
        _link_to_a_device,
        _folder_of_that_name,
        _link_to_a_file,
        _second_name_of_a_file,
    ],
)
def test_what_only_looks_like_a_leftover_is_left_alone(
    make: Callable[[Path, Path], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared, elsewhere = tmp_path / "shared", tmp_path / "elsewhere"
    shared.mkdir()
    elsewhere.mkdir()
    trap = shared / ".synthgan-evil.tmp"
    make(trap, elsewhere)
    opened: list[str] = []
    real = os.open

    def spy(path: Any, *how: Any, **more: Any) -> int:
        opened.append(os.fspath(path))
        return real(path, *how, **more)

    monkeypatch.setattr(os, "open", spy)
    synthgan.write_table(people(5), shared / "rows.csv")
    assert str(trap) not in opened  # to open a pipe may take forever
    assert os.path.lexists(trap)
    assert all(each.read_bytes() == b"keep" for each in elsewhere.glob("file"))
    assert {each.name for each in shared.iterdir()} == {trap.name, "rows.csv"}


@pytest.mark.skipif(os.name != "posix", reason="there are no users")
def test_leftovers_of_others_are_theirs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    left = tmp_path / ".synthgan-0123456789abcdef.tmp"
    left.write_bytes(b"half")
    monkeypatch.setattr(os, "geteuid", lambda: left.stat().st_uid + 1)
    synthgan.write_table(people(5), tmp_path / "rows.csv")
    assert left.exists()


@pytest.mark.skipif(os.name != "posix", reason="there are no modes")
@pytest.mark.parametrize(
    ("old", "mask"),
    [(0o600, 0o022), (0o640, 0o022), (0o666, 0o077), (0o666, 0o022), (None, 0o022), (None, 0o077)],
)
def test_a_file_under_way_has_the_mode_that_it_will_have(
    old: int | None, mask: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "rows.csv"
    if old is not None:
        path.write_text("old")
        path.chmod(old)
    wanted = 0o666 & ~mask if old is None else old
    made: list[int] = []
    real = os.open

    def spy(path: Any, *how: Any, **more: Any) -> int:
        found = real(path, *how, **more)
        if "synthgan-" in str(path):
            made.append(stat.S_IMODE(os.fstat(found).st_mode))
        return found

    before = os.umask(mask)
    try:
        monkeypatch.setattr(os, "open", spy)
        synthgan.write_table(people(5), path, overwrite=True)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == wanted
    assert made
    assert not any(mode & ~wanted for mode in made)


@pytest.mark.skipif(os.name != "posix", reason="there are no modes")
def test_tables_keep_the_modes_of_those_that_they_replace(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("old")
    (tmp_path / "a.csv").chmod(0o600)
    synthgan.write_tables({"a": people(5), "b": people(5)}, tmp_path, overwrite=True)
    assert stat.S_IMODE((tmp_path / "a.csv").stat().st_mode) == 0o600


def _environment(**more: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", **more}


def limited(words: list[str], limits: dict[int, int], **env: str) -> tuple[int, str]:
    """Exit code and standard error of a command under limits of the system."""

    def set_limits() -> None:
        for what, most in limits.items():
            resource.setrlimit(what, (most, most))

    done = subprocess.run(
        [sys.executable, "-m", "synthgan", *words],
        capture_output=True,
        text=True,
        encoding="utf-8",
        errors="replace",
        env=_environment(**env),
        preexec_fn=set_limits,
        timeout=300,
    )
    return done.returncode, done.stderr


@cache
def _model_bytes() -> bytes:
    return hostile.READERS["model"].seeds()[0]


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "model.synthgan"
    path.write_bytes(_model_bytes())
    return path


def test_a_full_disk_is_said_and_the_old_file_stays(model: Path, tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("old")
    words = ["sample", str(model), "-n", "20000", "-o", str(path), "--overwrite", "--quiet"]
    code, said = limited(words, {resource.RLIMIT_FSIZE: 100_000})
    assert (code, len(said.splitlines())) == (2, 1), said
    assert "cannot be written: File too large" in said
    assert path.read_text() == "old"
    assert sorted(each.name for each in tmp_path.iterdir()) == ["model.synthgan", "rows.csv"]


def test_too_little_memory_is_said(model: Path, tmp_path: Path) -> None:
    words = ["sample", str(model), "-n", "10", "-o", str(tmp_path / "rows.csv")]
    code, said = limited(words, {resource.RLIMIT_AS: 300 * 2**20})
    assert (code, len(said.splitlines())) == (2, 1), said
    assert "out of memory" in said
    assert not (tmp_path / "rows.csv").exists()


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_only_be_read(model: Path, tmp_path: Path) -> None:
    folder = tmp_path / "locked"
    folder.mkdir(mode=0o500)
    output = run("sample", str(model), "-n", "5", "-o", str(folder / "rows.csv"), code=2)
    assert "cannot be written: Permission denied" in output


def test_terminals_that_know_ascii_only(tmp_path: Path) -> None:
    frame = people(60).rename(columns={"job": "Tätigkeit €"})
    synthgan.write_table(frame, tmp_path / "data.csv")
    words = ["schema", str(tmp_path / "data.csv"), "-o", str(tmp_path / "s.json")]
    code, said = limited(words, {}, LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")
    assert code == 0, said
    schema = synthgan.Schema.load(tmp_path / "s.json")
    assert "Tätigkeit €" in schema.names


def test_two_processes_that_write_the_same_file(model: Path, tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    words = [sys.executable, "-m", "synthgan", "sample", str(model), "-o", str(path), "--quiet"]
    both = [
        subprocess.Popen([*words, "-n", "3000", "--seed", seed, "--overwrite"], env=_environment())
        for seed in ("1", "2")
    ]
    assert [each.wait(300) for each in both] == [0, 0]
    wanted = [synthgan.load(model).sample(3000, seed=seed) for seed in (1, 2)]
    found = synthgan.read_table(path)
    assert any(found["age"].equals(each["age"].astype(found["age"].dtype)) for each in wanted)
    assert not list(tmp_path.glob("*.tmp"))


def test_a_model_file_of_a_newer_version(model: Path, tmp_path: Path) -> None:
    tensors, text = parts(model)
    text |= {"format": 3, "version": "9.9", "what nobody knows yet": [1]}
    newer = rewritten(tmp_path, tensors, text)
    with pytest.raises(ModelFileError, match="use the synthgan version that wrote it"):
        synthgan.load(newer)


def test_a_clock_that_goes_backwards(monkeypatch: pytest.MonkeyPatch) -> None:
    now = iter(range(10**9, 0, -3600))
    monkeypatch.setattr(time, "time", lambda: float(next(now)))
    model = synthgan.fit(people(60), config=hostile.tiny())
    assert all(step.seconds >= 0 for step in model.history)


# --- nobody is called -------------------------------------------------------------------


def test_nothing_is_sent_anywhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("somebody opens a connection")

    for name in ("connect", "connect_ex", "bind", "sendto"):
        monkeypatch.setattr(socket.socket, name, refuse)
    for name in ("create_connection", "getaddrinfo", "gethostbyname"):
        monkeypatch.setattr(socket, name, refuse)
    frame = people(120)
    frame["mail"] = [f"q{number}@example.org" for number in range(120)]
    model = synthgan.fit(frame, config=hostile.tiny())
    model.save(tmp_path / "m")
    rows = synthgan.load(tmp_path / "m").sample(120)
    synthgan.evaluate(frame, train=rows).to_html(tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "<script src=" not in page
    assert 'src="http' not in page
