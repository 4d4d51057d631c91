"""The pages and what their buttons do."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from flask import Flask, abort, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

import synthgan
from synthgan.errors import SynthganError, TableError
from synthgan.files import OFFERED
from synthgan.progress import count
from synthgan.ui import forms, work
from synthgan.ui.folder import Folder, Kept
from synthgan.ui.guard import Door, guard
from synthgan.ui.jobs import Desk, Job


def create_app(folder: str | Path, *, token: str, port: int) -> Flask:
    """The page as a WSGI application; everything stays in ``folder``, which must be there.

    Only requests to loopback names at ``port``, with ``token`` as the first part of the path, are
    answered.
    """
    app = Flask("synthgan.ui", template_folder="pages", static_url_path=f"/{token}/static")
    app.static_folder = str(Path(__file__).parent / "pages")
    app.template_folder = app.static_folder
    app.jinja_env.autoescape = True  # Flask goes by the ending, and escapes nothing in .j2
    app.config["MAX_CONTENT_LENGTH"] = None  # tables may be large; the disk is the owner's
    guard(app, Door(token=token, port=port))
    pages = _Pages(Folder(Path(folder)), Desk())
    app.extensions["synthgan"] = pages
    base = f"/{token}/"
    one = f"{base}t/<name>/"
    for rule, view, methods in (
        (base, pages.home, ["GET"]),
        (f"{base}tables", pages.add, ["POST"]),
        (one, pages.table, ["GET"]),
        (f"{one}job", pages.job, ["GET"]),
        (f"{one}stop", pages.stop, ["POST"]),
        (f"{one}read", pages.read, ["POST"]),
        (f"{one}columns", pages.columns, ["POST"]),
        (f"{one}fit", pages.fit, ["POST"]),
        (f"{one}rows", pages.rows, ["POST"]),
        (f"{one}judge", pages.judge, ["POST"]),
        (f"{one}files/<file>", pages.download, ["GET"]),
        (f"{one}report/<file>", pages.report, ["GET"]),
    ):
        app.add_url_rule(rule, endpoint=view.__name__, view_func=view, methods=methods)
    app.register_error_handler(SynthganError, pages.on_error)
    app.register_error_handler(HTTPException, _on_refusal)
    app.register_error_handler(Exception, _on_bug)
    return app


def _on_refusal(error: HTTPException) -> ResponseReturnValue:
    """A refusal in one line; no page, as whoever is refused should learn nothing."""
    return f"{error.description}\n", error.code or 500, {"Content-Type": "text/plain"}


def _on_bug(error: Exception) -> ResponseReturnValue:
    """The name of what nobody foresaw; its message stays out, as it may quote a cell."""
    if os.environ.get("SYNTHGAN_DEBUG"):
        raise error
    return f"this is a bug: {type(error).__name__}\n", 500, {"Content-Type": "text/plain"}


class _Pages:
    """The views. What they know is in the folder; jobs under way are at the desk."""

    def __init__(self, folder: Folder, desk: Desk) -> None:
        self.folder = folder
        self.desk = desk

    def home(self, problem: str = "") -> str:
        return render_template("home.html.j2", folder=self.folder, problem=problem)

    def add(self) -> ResponseReturnValue:
        sent = request.files.get("table")
        if sent is None or not sent.filename:
            raise TableError("choose a file first")
        path = self.folder.add(sent.filename)
        try:
            sent.save(path)
        except OSError as error:
            shutil.rmtree(path.parent, ignore_errors=True)
            raise TableError(f"the file cannot be copied ({error.strerror})") from None
        return self._start(Kept(path.parent), "reading", work.read)

    def read(self, name: str) -> ResponseReturnValue:
        return self._start(self._kept(name), "reading", work.read)

    def table(self, name: str, problem: str = "") -> str:
        kept = self._kept(name)
        job = self.desk.last(name)
        facts: dict[str, Any] = {}
        if kept.schema.exists() and kept.inferred.exists():
            facts = _columns(kept)
        return render_template(
            "table.html.j2", kept=kept, job=job, problem=problem, formats=OFFERED, **facts
        )

    def job(self, name: str) -> ResponseReturnValue:
        job = self.desk.last(self._kept(name).name)
        return job.as_plain() if job else {"state": "none"}

    def stop(self, name: str) -> ResponseReturnValue:
        job = self.desk.last(self._kept(name).name)
        if job is not None:
            job.stopping = True
        return redirect(url_for("table", name=name), 303)

    def columns(self, name: str) -> ResponseReturnValue:
        kept = self._kept(name)
        now, told = (synthgan.Schema.load(each) for each in (kept.schema, kept.inferred))
        forms.corrected(now, told, request.form).save(kept.schema, overwrite=True)
        return redirect(url_for("table", name=name, _anchor="fit"), 303)

    def fit(self, name: str) -> ResponseReturnValue:
        config = forms.config(request.form)
        doing = partial(work.fit, config=config, holdout="holdout" in request.form)
        return self._start(self._kept(name), "fitting", lambda kept, job: doing(kept, job=job))

    def rows(self, name: str) -> ResponseReturnValue:
        asked, ending = forms.asked(request.form), request.form.get("format", OFFERED[0])
        if ending not in OFFERED:
            abort(400, "no such format")
        kept = self._kept(name)
        if not kept.all("model"):
            raise TableError("there is no model yet: fit first")
        return self._start(kept, "drawing", lambda kept, job: work.draw(kept, asked, ending, job))

    def judge(self, name: str) -> ResponseReturnValue:
        rows, target = request.form.get("rows", ""), request.form.get("target") or None
        kept = self._kept(name)
        if kept.file(rows) not in kept.all("rows"):
            raise TableError("there are no such rows: draw some first")
        return self._start(kept, "judging", lambda kept, job: work.judge(kept, rows, target, job))

    def download(self, name: str, file: str) -> ResponseReturnValue:
        found = self._kept(name).file(file)
        if found is None:
            abort(404, "there is no such file")
        return send_file(found.absolute(), as_attachment=True, download_name=found.name)

    def report(self, name: str, file: str) -> ResponseReturnValue:
        found = self._kept(name).file(file)
        if found is None or found.suffix != ".html":
            abort(404, "there is no such report")
        return send_file(found.absolute(), mimetype="text/html")

    def on_error(self, error: SynthganError) -> ResponseReturnValue:
        """The page that the form was on, with what is wrong at its top."""
        name = (request.view_args or {}).get("name")
        return (self.table(name, str(error)) if name else self.home(str(error))), 400

    def _kept(self, name: str) -> Kept:
        kept = self.folder.table(name)
        if kept is None:
            abort(404, "there is no such table in the folder")
        return kept

    def _start(
        self, kept: Kept, what: str, work: Callable[[Kept, Job], str]
    ) -> ResponseReturnValue:
        self.desk.start(kept.name, what, lambda job: work(kept, job))
        return redirect(url_for("table", name=kept.name), 303)


def _columns(kept: Kept) -> dict[str, Any]:
    """What the page says of columns and rules."""
    try:
        schema, inferred = (synthgan.Schema.load(each) for each in (kept.schema, kept.inferred))
    except SynthganError as error:  # edited by hand
        return {"problem": str(error)}
    if schema.names != inferred.names:
        return {"problem": f"{kept.schema} has other columns than the table"}
    found = {what: kept.noted(what) for what in ("findings", "values", "rare")}
    models = kept.all("model")
    model = kept.noted(models[0].stem) if models else {}
    levelled = [c.name for c in schema if c.kind.value in ("category", "boolean")]
    return {
        "schema": schema,
        "columns": [
            (now, forms.kind_choices(told)) for now, told in zip(schema, inferred, strict=True)
        ],
        "rules": [(rule, rule in schema.constraints) for rule in inferred.constraints],
        "personal": forms.personal_choices(),
        "about": {column.name: _about(found, column) for column in schema},
        "rows": kept.noted("size").get("rows", 0),
        "model": model,
        "levelled": model.get("balanceable", levelled),
    }


def _about(found: Mapping[str, dict[str, Any]], column: synthgan.Column) -> str:
    """What was found of a column, in words."""
    values, rare = found["values"].get(column.name), found["rare"].get(column.name)
    told = [
        "" if column.kind.is_modelled else "not learned",
        found["findings"].get(column.name, ""),
        column.written_as if column.personal is None else "",
        "" if values is None else count(values, "value"),
        "can be missing" if column.nullable else "",
    ]
    if rare and column.kind is synthgan.Kind.CATEGORY:
        told.append(f"values that few rows share would be lost ({rare})")
    return "; ".join(filter(None, told))
