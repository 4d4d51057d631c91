"""The local page, asked as a browser asks it, without a socket."""

from __future__ import annotations

import io
import re
import time
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from click.testing import CliRunner
from flask import Flask
from flask.testing import FlaskClient
from sample_tables import people
from werkzeug.test import TestResponse

import synthgan
from synthgan.cli.app import main
from synthgan.ui.app import _Pages, create_app
from synthgan.ui.jobs import Desk, Job
from synthgan.ui.serve import serve

TOKEN, PORT = "a-token", 8123
HOST = f"http://127.0.0.1:{PORT}"


class Browser:
    """A test client that sends what a browser sends from a page of the server itself."""

    def __init__(self, app: Flask) -> None:
        self.client: FlaskClient = app.test_client()
        pages = app.extensions["synthgan"]
        assert isinstance(pages, _Pages)
        self.desk = pages.desk

    def get(self, path: str = "") -> TestResponse:
        return self.client.get(f"/{TOKEN}/{path}", base_url=HOST, buffered=True)

    def post(self, path: str, **form: Any) -> TestResponse:
        headers = {"Origin": HOST, "Sec-Fetch-Site": "same-origin"}
        return self.client.post(f"/{TOKEN}/{path}", base_url=HOST, headers=headers, data=form)

    def done(self, path: str, **form: Any) -> str:
        """Posts, waits for the job that this starts, and gives what it says at its end."""
        answer = self.post(path, **form)
        assert answer.status_code == 303, answer.text
        self.desk.wait(120)
        (name,) = re.findall(r"/t/([a-z0-9-]+)/", answer.location)
        job = self.get(f"t/{name}/job").json
        assert job is not None
        assert job["state"] == "done", job
        return str(job["line"])


def a_table(rows: int = 150) -> tuple[io.BytesIO, str]:
    frame = people(rows).assign(key=[f"A{i:04d}" for i in range(rows)])
    return io.BytesIO(frame.to_csv(index=False).encode()), "My people.csv"


@pytest.fixture
def browser(tmp_path: Path) -> Browser:
    return Browser(create_app(tmp_path, token=TOKEN, port=PORT))


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Browser, Path]:
    """A table that was read and learned."""
    folder = tmp_path_factory.mktemp("ui")
    browser = Browser(create_app(folder, token=TOKEN, port=PORT))
    assert "150 rows and 8 columns" in browser.done("tables", table=a_table())
    said = browser.done("t/my-people/fit", steps="4", holdout="on", seed="3")
    assert said == "the model is model-1.synthgan"
    return browser, folder / "my-people"


# --- who may ask ------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/", "/wrong/", "/a-token-and-more/", "/static/style.css"])
def test_without_the_token_nothing_is_told(browser: Browser, path: str) -> None:
    answer = browser.client.get(path, base_url=HOST)
    assert answer.status_code == 404
    assert TOKEN not in answer.text


@pytest.mark.parametrize("host", ["evil.example", f"evil.example:{PORT}", "127.0.0.1:99"])
def test_other_host_names_are_refused(browser: Browser, host: str) -> None:
    answer = browser.client.get(f"/{TOKEN}/", base_url=f"http://{host}")
    assert answer.status_code == 400


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:99"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_requests_of_other_pages_are_refused(browser: Browser, headers: dict[str, str]) -> None:
    answer = browser.client.post(f"/{TOKEN}/tables", base_url=HOST, headers=headers)
    assert answer.status_code == 403


def test_the_page_fetches_nothing_from_elsewhere(browser: Browser) -> None:
    answer = browser.get()
    assert answer.status_code == 200
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'")
    assert "http" not in policy
    assert answer.headers["Cache-Control"] == "no-store"
    for name in ("style.css", "page.js"):
        found = browser.get(f"static/{name}")
        assert found.status_code == 200
        assert not re.findall(r"https?://(?!www\.w3\.org/2000/svg)", found.text)
    assert not re.findall(r"<script(?! src)|<style|\son\w+=|\sstyle=", answer.text)


# --- a table and its columns ------------------------------------------------------------


@pytest.mark.parametrize("name", ["notes.docx", "table", "../../etc/passwd", "x.csv/"])
def test_what_is_no_table_is_refused(browser: Browser, name: str, tmp_path: Path) -> None:
    answer = browser.post("tables", table=(io.BytesIO(b"a,b\n1,2\n"), name))
    assert answer.status_code == 400
    assert 'role="alert"' in answer.text
    assert list(tmp_path.iterdir()) == []


def test_tables_of_one_name_do_not_replace_each_other(browser: Browser, tmp_path: Path) -> None:
    for _ in range(2):
        browser.done("tables", table=a_table(30))
    assert {each.name for each in tmp_path.iterdir()} == {"my-people", "my-people-2"}
    assert "my-people-2" in browser.get().text


def test_a_table_that_cannot_be_read_says_so(browser: Browser) -> None:
    browser.post("tables", table=(io.BytesIO(b"PAR1 and no more"), "broken.parquet"))
    browser.desk.wait(60)
    job = browser.get("t/broken/job").json
    assert job is not None
    assert job["state"] == "failed"
    assert "Read the table again" in browser.get("t/broken/").text


def test_the_page_shows_columns_and_no_cell(fitted: tuple[Browser, Path]) -> None:
    browser, _ = fitted
    text = browser.get("t/my-people/").text
    for name in people(10).columns:
        assert f'aria-label="Kind of {name}"' in text
    assert "astronaut" not in text
    assert "A0003" not in text


def test_kinds_and_rules_are_corrected(browser: Browser, tmp_path: Path) -> None:
    table = pd.DataFrame({"a": [x * x % 83 for x in range(200)], "b": [x % 7 for x in range(200)]})
    table["c"] = table["a"] + table["b"]
    data = io.BytesIO(table.to_csv(index=False).encode())
    browser.done("tables", table=(data, "sums.csv"))
    path = tmp_path / "sums" / "schema.json"
    before = synthgan.Schema.load(path)
    assert before.constraints
    rules = {f"rule-{i}": "on" for i in range(len(before.constraints))}
    kinds = {f"kind-{i}": column.kind.value for i, column in enumerate(before)}
    browser.post("t/sums/columns", **kinds, **rules)
    assert synthgan.Schema.load(path) == before
    browser.post("t/sums/columns", **kinds | {"kind-1": "category"}, **rules)
    after = synthgan.Schema.load(path)
    assert after["b"].kind is synthgan.Kind.CATEGORY
    assert not any("b" in rule.columns for rule in after.constraints)
    browser.post("t/sums/columns", **kinds)
    assert synthgan.Schema.load(path).constraints == ()
    answer = browser.post("t/sums/columns", **kinds | {"kind-0": "datetime"})
    assert answer.status_code == 400
    assert "&#39;a&#39;" in answer.text


def test_what_stands_in_a_header_is_text_on_the_page(browser: Browser) -> None:
    data = b"<script>alert(1)</script>,b\n" + b"1,2\n3,4\n" * 10
    browser.done("tables", table=(io.BytesIO(data), "sly.csv"))
    text = browser.get("t/sly/").text
    assert "<script>alert" not in text
    assert "&lt;script&gt;" in text


def test_a_bug_quotes_nothing(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(*args: object) -> None:
        raise KeyError("a secret cell")

    monkeypatch.setattr("synthgan.ui.folder.Folder.add", wrong)
    answer = browser.post("tables", table=a_table(10))
    assert (answer.status_code, answer.text) == (500, "this is a bug: KeyError\n")


def test_the_page_says_of_each_column_what_the_command_says(browser: Browser) -> None:
    cells = [f"{100 + i % 40}/{60 + i % 5}" for i in range(100)]
    table = pd.DataFrame({"pressure": cells, "day": ["2024-01-31", "2024-02-01"] * 50})
    browser.done("tables", table=(io.BytesIO(table.to_csv(index=False).encode()), "p.csv"))
    text = browser.get("t/p/").text
    assert "%Y-%m-%d; 2 values</td>" in text
    assert "40 values; values that few rows share would be lost (100%, split cells" in text
    assert "<h2>Read</h2>" in text


# --- fit, rows, report ------------------------------------------------------------------


def test_a_fit_leaves_a_model_of_the_rows_not_set_aside(fitted: tuple[Browser, Path]) -> None:
    browser, folder = fitted
    held = len(synthgan.read_table(folder / "holdout.csv"))
    assert 0 < held < 75  # a coin a row
    assert held + len(synthgan.read_table(folder / "train.csv")) == 150
    assert abs(synthgan.load(folder / "model-1.synthgan").rows - (150 - held)) <= 5
    text = browser.get("t/my-people/").text
    assert "Draw rows from model-1.synthgan" in text
    assert "<h2>Fitted</h2>" in text
    assert "5th largest value comes out" in text
    (frequent,) = re.findall(r'name="balance">.*?</select>', text)
    assert re.findall("<option>(.*?)</option>", frequent) == ["job", "rich", "member"]


@pytest.mark.parametrize(
    ("form", "what"),
    [
        ({"steps": "many"}, "steps must be a whole number"),
        ({"minutes": "-1"}, "max_minutes"),
        ({"epsilon": "1"}, "must be public"),
    ],
)
def test_a_wrong_setting_is_said_on_the_page(
    fitted: tuple[Browser, Path], form: dict[str, str], what: str
) -> None:
    answer = fitted[0].post("t/my-people/fit", **form)
    assert answer.status_code == 400
    (problem,) = re.findall(r'role="alert">(.*?)</p>', answer.text)
    assert what in problem


def test_rows_are_drawn_on_a_condition_and_downloaded(fitted: tuple[Browser, Path]) -> None:
    browser, folder = fitted
    said = browser.done("t/my-people/rows", n="20", where="age >= 50", seed="1", format=".csv")
    assert said.startswith("20 rows are in rows-")
    name = said.split()[-1]
    answer = browser.get(f"t/my-people/files/{name}")
    assert answer.headers["Content-Disposition"].startswith("attachment")
    rows = pd.read_csv(io.BytesIO(answer.data))
    assert len(rows) == 20
    assert (rows["age"] >= 50).all()
    browser.post("t/my-people/rows", n="20", where="height > 3")
    browser.desk.wait(60)
    job = browser.get("t/my-people/job").json
    assert job is not None
    assert job["state"] == "failed"
    assert "height" in job["line"]
    assert len(list(folder.glob("rows-*"))) == 1


def test_real_rows_are_not_handed_out(fitted: tuple[Browser, Path]) -> None:
    browser, _ = fitted
    for name in ("data.csv", "train.csv", "holdout.csv", ".model-1.json", "..%2fdata.csv"):
        assert browser.get(f"t/my-people/files/{name}").status_code == 404


def test_rows_are_judged(fitted: tuple[Browser, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    browser, folder = fitted
    if not list(folder.glob("rows-*")):
        browser.done("t/my-people/rows", n="20")
    asked: list[Any] = []

    def evaluate(rows: Any, *, train: Any, **how: Any) -> Any:
        asked.extend([rows, train, how["holdout"], how["target"]])
        how["on_part"]("shapes", 1, 2)
        return real(rows, train=train, config=synthgan.EvaluateConfig(max_rows=100))

    real = synthgan.evaluate
    monkeypatch.setattr(synthgan, "evaluate", evaluate)
    name = next(folder.glob("rows-*")).name
    said = browser.done("t/my-people/judge", rows=name, target="rich")
    assert [getattr(each, "name", each) for each in asked] == [
        name, "train.csv", "holdout.csv", "rich",
    ]  # fmt: skip
    report = re.findall(r"report-\d+\.html", said)[0]
    answer = browser.get(f"t/my-people/report/{report}")
    assert answer.mimetype == "text/html"
    assert answer.headers["Content-Security-Policy"].startswith("sandbox ")
    assert (folder / report.replace("report", "card").replace("html", "md")).exists()


def test_a_private_fit_has_its_guarantee(browser: Browser, tmp_path: Path) -> None:
    table = people(150)[["age", "rich"]]
    data = io.BytesIO(table.to_csv(index=False).encode())
    browser.done("tables", table=(data, "two.csv"))
    browser.done("t/two/fit", steps="2", epsilon="1", declare="on")
    assert "What to know of model-1.synthgan" in browser.get("t/two/").text
    guarantee = synthgan.load(tmp_path / "two" / "model-1.synthgan").guarantee
    assert guarantee is not None
    assert guarantee.epsilon <= 1


def test_a_private_fit_that_fails_leaves_its_ledger(
    browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*args: object, **more: object) -> object:
        raise KeyboardInterrupt

    monkeypatch.setattr("synthgan.privacy.fit.fit_mixture", stop)
    data = io.BytesIO(people(150)[["age", "rich"]].to_csv(index=False).encode())
    browser.done("tables", table=(data, "two.csv"))
    browser.post("t/two/fit", steps="2", epsilon="1", declare="on")
    browser.desk.wait(120)
    job = browser.get("t/two/job").json
    assert job is not None
    spent = synthgan.load_ledger(tmp_path / "two" / "ledger-1.json")
    assert spent is not None
    assert 0 < spent.epsilon <= 1
    assert f"there is no model, but epsilon {spent.epsilon:.4g} was spent" in job["line"]
    assert "ledger-1.json" in browser.get("t/two/").text


# --- jobs -------------------------------------------------------------------------------


def test_one_job_at_a_time_and_it_can_be_stopped() -> None:
    desk = Desk()

    def forever(job: Job) -> str:
        while True:
            job.tell("on and on", 1, 2)

    desk.start("first", "drawing", forever)
    with pytest.raises(synthgan.TrainingError, match="first"):
        desk.start("second", "drawing", forever)
    job = desk.last("first")
    assert job is not None
    assert job.running
    job.stopping = True
    desk.wait(10)
    assert job.as_plain()["line"] == "stopped; nothing was written"
    desk.start("second", "drawing", lambda job: "over")
    desk.wait(10)


def test_a_bug_in_a_job_quotes_nothing() -> None:
    desk = Desk()

    def wrong(job: Job) -> str:
        raise KeyError("a secret cell")

    desk.start("table", "reading", wrong)
    desk.wait(10)
    job = desk.last("table")
    assert job is not None
    assert (job.state, job.line) == ("failed", "this is a bug: KeyError")


def test_losses_are_kept_as_curves() -> None:
    job = Job("fitting")
    for step in (1, 2):
        job.on_step(
            synthgan.Step(phase="warm start", step=step, of=4, seconds=1, likelihood_loss=3 / step)
        )
    assert job.as_plain()["curves"] == {"warm start: likelihood": [(1, 3.0), (2, 1.5)]}
    assert job.share == 0.5
    assert "2 of at most 4 steps, nearly over" in job.line
    job._phase = ("warm start", time.monotonic() - 100)
    job.on_step(synthgan.Step(phase="warm start", step=2, of=4, seconds=1, likelihood_loss=1.0))
    assert "at most 1 min 40 s more" in job.line


# --- the command ------------------------------------------------------------------------


def test_the_server_listens_on_loopback_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import tempfile

    import waitress.server

    monkeypatch.setattr(tempfile, "tempdir", None)
    bound: list[Any] = []

    def stopped(server: Any) -> None:
        bound.append(server.socket.getsockname())

    monkeypatch.setattr(waitress.server.TcpWSGIServer, "run", stopped)
    addresses: list[str] = []
    serve(tmp_path / "new", port=0, on_ready=addresses.append)
    ((host, port),) = bound
    assert host == "127.0.0.1"
    (address,) = addresses
    assert re.fullmatch(rf"http://127\.0\.0\.1:{port}/[\w-]{{32}}/", address)
    assert (tmp_path / "new").stat().st_mode & 0o077 == 0


def test_without_its_packages_the_command_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "synthgan.ui.serve", None)
    result = CliRunner().invoke(main, ["ui"])
    assert result.exit_code == 2
    assert "pip install 'synthgan[ui]'" in result.output
