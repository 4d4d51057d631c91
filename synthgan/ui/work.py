"""What jobs do: read, fit, draw, judge. Each gives a line on how it ended."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pandas as pd

import synthgan
from synthgan.ui import forms
from synthgan.ui.folder import Kept
from synthgan.ui.jobs import Job


def read(kept: Kept, job: Job) -> str:
    """Tells what the columns are, and writes the schema to correct."""
    job.tell("reading the table")
    table = synthgan.read_table(kept.data)
    job.tell("looking at the columns, and for rules between them")
    schema = synthgan.infer_schema(table)
    found = synthgan.find_personal(table, schema)
    kept.note("findings", {each.column: f"{each.score:.2f}: {each.why}" for each in found})
    counts = synthgan.count_values(table, schema)
    kept.note("values", {each.column: each.distinct for each in counts})
    kept.note("rare", {c.column: f"{c.rare_share:.0%}, {c.advice}" for c in counts if c.advice})
    kept.note("size", {"rows": len(table)})
    schema.save(kept.inferred, overwrite=True)
    if not kept.schema.exists():
        schema.save(kept.schema)
    return f"{len(table):,} rows and {len(schema)} columns; look at the columns, then fit"


def fit(kept: Kept, config: synthgan.Config, *, holdout: bool, job: Job) -> str:
    """Learns the table, or all but a fifth of its rows, by the schema as it is now."""
    schema = synthgan.Schema.load(kept.schema)
    data = kept.data
    if holdout:
        job.tell("setting a fifth of the rows aside")
        data = _split(kept)
        if config.privacy is not None:
            _check_split(kept)
    job.tell("reading and encoding the table")
    table: Any = data
    if config.privacy is None:
        table = synthgan.read_table(data)
    else:  # the file is read as text
        schema = forms.declared(schema, synthgan.Schema.load(kept.inferred))
    with _keeping_account(kept):
        model = synthgan.fit(table, schema, config, on_step=job.on_step)
    number = kept.next_number("model")
    facts = {
        "holdout": holdout,
        "notes": model.notes,
        "protections": model.protections,
        "balanceable": model.balanceable,
    }
    kept.note(f"model-{number}", facts)
    model.save(kept.path / f"model-{number}.synthgan")
    stopped = "stopped; what was learned until then is in " if job.stopping else "the model is "
    return f"{stopped}model-{number}.synthgan"


@contextmanager
def _keeping_account(kept: Kept) -> Iterator[None]:
    """Keeps what a private fit has spent that fails, or is stopped, inside."""
    try:
        yield
    except BaseException as error:
        spent = synthgan.spent_in(error)
        if spent is None:
            raise
        file = kept.path / f"ledger-{kept.next_number('ledger')}.json"
        synthgan.save_ledger(file, spent)
        reason = str(error) if isinstance(error, synthgan.SynthganError) else "stopped"
        raise synthgan.TrainingError(
            f"{reason}; there is no model, but epsilon {spent.epsilon:.4g} was spent on the rows: "
            f"{file.name} has the ledger, which 'synthgan ledger add' reads"
        ) from None


def _split(kept: Kept) -> Any:
    """The file of rows to learn from; the others are beside it. The same ones each time, chosen by
    secret coins once."""
    ending = kept.ending.removesuffix(".zip")
    files = (kept.path / f"train{ending}", kept.path / f"holdout{ending}")
    if not all(each.exists() for each in files):
        synthgan.split_file(kept.data, *files, overwrite=True)
        kept.note("split", {"secret": True})
    return files[0]


def _check_split(kept: Kept) -> None:
    """Raises :class:`TableError` for rows that earlier versions set aside by a seed."""
    if not kept.noted("split").get("secret"):
        raise synthgan.TableError(
            "the rows set aside here were chosen by an earlier version, by a seed that everybody "
            "knows, which an epsilon does not cover: fit all rows, or add the table again"
        )


def draw(kept: Kept, asked: dict[str, Any], ending: str, job: Job) -> str:
    """Draws rows from the newest model into a file of their own."""
    job.tell("loading the model")
    path = kept.all("model")[0]
    model = synthgan.load(path)
    rows = asked["n"] or model.rows
    number = kept.next_number("rows")
    file = kept.path / f"rows-{number}{ending}"

    def counted() -> Iterator[pd.DataFrame]:
        done = 0
        for chunk in model.iter_samples(**{**asked, "n": rows}):
            yield chunk
            done += len(chunk)
            job.tell(f"{done:,} of {rows:,} rows", done, rows)

    kept.note(f"rows-{number}", {"model": path.name, **asked})
    drawn = synthgan.write_table(counted(), file)
    return f"{drawn:,} rows are in {file.name}"


def judge(kept: Kept, rows: str, target: str | None, job: Job) -> str:
    """Judges rows against the table that their model learned."""
    file = kept.file(rows)
    model = kept.file(str(kept.noted(rows.split(".")[0]).get("model", "")))
    if file is None or model is None:
        raise synthgan.TableError(f"{rows}: these rows, or their model, are not there any more")
    held = bool(kept.noted(model.stem).get("holdout"))
    train = _split(kept) if held else kept.data
    report = synthgan.evaluate(
        file,
        train=train,
        holdout=train.with_name(train.name.replace("train", "holdout", 1)) if held else None,
        target=target,
        model=synthgan.load(model, device="cpu"),
        on_part=lambda part, done, of: job.tell(f"judging: {part}", done, of),
    )
    number = rows.split(".")[0].split("-")[1]
    report.save(kept.path / f"report-{number}.html", overwrite=True)
    report.card().save(kept.path / f"card-{number}.md", overwrite=True)
    return f"the report is report-{number}.html, and what may be handed out card-{number}.md"
