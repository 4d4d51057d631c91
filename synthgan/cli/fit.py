"""``synthgan fit``: learns a table and writes a model file."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

import click

import synthgan
from synthgan.cli.accounts import SavedElsewhere, keeping_account
from synthgan.cli.failures import INTERRUPTED, Stop
from synthgan.cli.fitted import say_left, say_of_model
from synthgan.cli.options import (
    MODEL,
    PATH,
    WHOLE,
    as_bytes,
    device_option,
    entity_option,
    given,
    hints,
    identifier_option,
    learn_option,
    quiet_option,
)
from synthgan.cli.output import declared_public
from synthgan.cli.tables import learn_tables, say_fitted, tables_to_fit
from synthgan.errors import TableError
from synthgan.progress import Progress, Reading, Training, say


@click.command()
@click.argument("data", nargs=-1, required=True)
@click.option(
    "--key",
    help="How two tables belong together, such as customers.id=orders.customer_id: each row of "
    "the second holds the key of one of the first. Tables are called as their files.",
)
@click.option(
    "-o",
    "--output",
    type=PATH,
    default=MODEL,
    help="Model file to write; without it, model.synthgan in the current folder.",
)
@click.option(
    "--schema",
    type=PATH,
    help="What the columns are and which rules hold, as 'synthgan schema' writes it; without it, "
    "inferred from the values.",
)
@entity_option
@learn_option
@identifier_option
@click.option("--steps", type=WHOLE, help="Training steps at most; without it, the rows decide.")
@click.option(
    "--max-minutes",
    type=float,
    help="Training time at most; what was learned until then is kept. Without it, no limit.",
)
@click.option(
    "--checkpoint-every",
    type=float,
    metavar="MINUTES",
    help="Leave a checkpoint beside the model file every so many minutes, and when stopped. It "
    "holds what has learned from rows; it is removed when the model is done.",
)
@click.option(
    "--resume",
    is_flag=True,
    help="Go on from the checkpoint of a fit that was stopped, with the same data and options; "
    "the model is the one that an uninterrupted fit would have given.",
)
@click.option("--batch-size", type=WHOLE, help="Rows a training step; without it, a good size.")
@click.option(
    "--objective",
    help="What generator and critic play for: wgan-gp, the default; or, to compare, minimax, "
    "non-saturating, wgan-clip or hinge-sn (docs/theory.md).",
)
@click.option(
    "--auxiliary",
    metavar="COLUMN",
    help="A column of categories that a classifier beside the critic tells from the other cells "
    "(AC-GAN), to compare.",
)
@click.option(
    "--detection-every",
    type=WHOLE,
    metavar="STEPS",
    help="Try every so many steps how well a classifier tells drawn rows from real ones set aside, "
    "and show it: .5 if it cannot.",
)
@click.option(
    "--epsilon",
    type=float,
    help="Fit with differential privacy: the model and all rows that it draws have this epsilon. "
    "Needs --schema, or --declare.",
)
@click.option("--delta", type=float, help="The delta beside epsilon; 1e-6 without it.")
@click.option(
    "--unit", help="Column that names whose rows they are, if one person can have several."
)
@click.option("--unit-rows", type=WHOLE, help="Rows that are kept of one such person at most.")
@click.option(
    "--public-split",
    is_flag=True,
    help="DATA is a part of a table that was split by a seed, and it is public knowledge which "
    "rows are in it: fit it all the same. The guarantee is then for the part.",
)
@click.option(
    "--rows",
    type=WHOLE,
    help="About how many rows DATA has, if that is public: an epsilon too small for them is "
    "refused before it is spent. Without it, 100,000.",
)
@click.option(
    "--dp-engine",
    type=click.Choice(("marginals", "critic")),
    help="What the privacy budget goes to: noisy counts of pairs of columns, the default, or "
    "noisy gradients of a critic (DP-SGD), which is slower and far worse.",
)
@click.option(
    "--declare",
    is_flag=True,
    help="Declare that names, kinds, dtypes and formats of the columns, as inferred from DATA, are "
    "public; it says which. All else is found within epsilon ('synthgan schema --public').",
)
@click.option(
    "--memory-limit",
    callback=as_bytes,
    help="Read DATA in chunks if a fit of it would take more memory than this, such as 3GiB; "
    "without it, half of the machine's.",
)
@device_option
@click.option(
    "--seed", type=WHOLE, help="Another seed gives another model; without it, always the same one."
)
@click.option("--overwrite", is_flag=True, help="Replace the model file if there is one.")
@quiet_option
@click.pass_obj
def fit(
    stop: Stop,
    /,
    data: tuple[str, ...],
    output: Path,
    schema: Path | None,
    seed: int | None,
    overwrite: bool,
    quiet: bool,
    **rest: Any,
) -> None:
    """Learns a table (CSV, Parquet or Feather), or two, and writes a model file.

    DATA is a file, a folder of part files, a glob in quotes, or a URL such as s3://bucket/folder.

    Ctrl-C (or SIGTERM) in training stops it: the best model until then is saved, and the exit
    code is 130. A second one, or one before training began, leaves nothing. If the model
    cannot be written where it was wanted, it is saved to the current, the home or the
    temporary folder instead, and the exit code is 2.

    Started by torchrun, several processes train on their shares of the rows and leave one file.

    \b
    Examples:
      synthgan fit data.csv
      synthgan fit data.parquet -o people.synthgan --max-minutes 10
      synthgan fit data.csv.gz --schema schema.json --overwrite
      synthgan fit data.csv --checkpoint-every 10     then, if it was stopped: --resume
      synthgan fit data.csv --schema public.json --epsilon 1
      synthgan fit parts/ --memory-limit 3GiB
      synthgan fit customers.csv orders.csv --key customers.id=orders.customer_id
    """
    key = rest.pop("key")
    if len(data) > 1 or key is not None:
        _fit_tables(
            stop, data, key, output, schema, seed=seed, overwrite=overwrite, quiet=quiet, **rest
        )
        return
    _fit_one(stop, data[0], output, schema, seed=seed, overwrite=overwrite, quiet=quiet, **rest)


def _fit_one(
    stop: Stop,
    data: str,
    output: Path,
    schema: Path | None,
    *,
    seed: int | None,
    overwrite: bool,
    quiet: bool,
    **rest: Any,
) -> None:
    """Learns one table."""
    began = time.monotonic()
    with Progress(quiet=quiet) as progress:
        progress.wait("reading", data)
        declare, privacy, told = rest.pop("declare"), _privacy(rest), hints(rest)
        checkpoint = _checkpoint(rest, output, overwrite=overwrite)
        limit = rest.pop("memory_limit")
        config = _config(rest, seed, privacy)
        _check_declared(schema, declare=declare, private=privacy is not None)
        with synthgan.join_ranks() as ranks:
            if ranks.first:
                synthgan.check_source(data)
                synthgan.check_target(output, overwrite=overwrite)
            else:
                progress.hush()
            known = _known(
                data, schema, told, privacy, declare=declare, quiet=quiet or not ranks.first
            )
            with keeping_account(output):
                model = synthgan.fit(
                    data,
                    known,
                    config,
                    memory_limit=limit,
                    on_step=Training(progress, _opening(checkpoint)),
                    checkpoint=checkpoint,
                    on_rows=Reading(progress),
                )
            stop.patient = True
            if not ranks.first:
                raise click.exceptions.Exit(INTERRUPTED if stop.count else 0)
            with keeping_account(output, model.guarantee):
                _save(model, output, overwrite=overwrite)
    if not quiet:
        source = data if schema is None else str(schema)
        public = known if isinstance(known, synthgan.Schema) else model.schema
        say_of_model(model, output, time.monotonic() - began, public, source)
    say_left(stop, output, checkpoint)


def _known(
    data: str,
    schema: Path | None,
    told: synthgan.Hints,
    privacy: synthgan.PrivacyConfig | None,
    *,
    declare: bool,
    quiet: bool,
) -> synthgan.Schema | synthgan.Hints | Path | None:
    """What is known of the columns: the schema, or what the owner says of them."""
    if declare:
        return _declare(data, told, privacy, quiet=quiet)
    if schema is None:
        return told
    if told.learn or told.identifiers:
        raise click.UsageError(
            "--learn and --identifier are for columns that are inferred: change their kind in "
            f"{schema} instead"
        )
    if told.entity is None:
        return schema
    return synthgan.Schema.load(schema, table=data).of_entity(told.entity)


def _declare(
    data: str, told: synthgan.Hints, privacy: synthgan.PrivacyConfig | None, *, quiet: bool
) -> synthgan.Schema:
    """What is public of the columns of ``data`` by --declare, said before anything is learned."""
    inferred = synthgan.infer_schema(
        synthgan.read_alone(data),
        constraints=False,
        entity=told.entity or (None if privacy is None else privacy.unit),
        learn=told.learn,
        identifiers=told.identifiers,
    )
    public = synthgan.public_part(inferred)
    if not quiet:
        for line in declared_public(public):
            say(f"declared public: {line}")
    return public


def _check_declared(schema: Path | None, *, declare: bool, private: bool) -> None:
    """Refuses a private fit in which the rows would tell what they are."""
    if declare and not private:
        raise click.UsageError("--declare goes with --epsilon: give it too")
    if private and (schema is None) != declare:
        raise click.UsageError(
            "with --epsilon, what the columns are must be known without looking at the rows: give "
            "either --schema FILE (such as 'synthgan schema' writes for a table of the same form "
            "that is no secret), or --declare"
        )


def _fit_tables(
    stop: Stop,
    data: tuple[str, ...],
    key: str | None,
    output: Path,
    schema: Path | None,
    *,
    overwrite: bool,
    quiet: bool,
    **rest: Any,
) -> None:
    """Learns a parent table and its child."""
    privacy = _privacy(rest)
    names = ("checkpoint_every", "resume", "memory_limit", "declare")
    others = {"schema": schema, **{name: rest.pop(name) for name in names}}
    seed, told = rest.pop("seed"), hints(rest)
    config = _config(rest, seed, privacy)
    tables, foreign = tables_to_fit(data, key, others)
    for path in tables.values():
        synthgan.check_source(path)
    synthgan.check_target(output, overwrite=overwrite)
    began = time.monotonic()
    if told.entity is not None:
        raise click.UsageError("--entity is for one table: of two, rows are those of the first")
    model = learn_tables(stop, tables, foreign, config, told, quiet=quiet)
    _save(model, output, overwrite=overwrite)
    if not quiet:
        say_fitted(model, output, time.monotonic() - began)
    say_left(stop, output, None)


def _config(
    options: dict[str, Any], seed: int | None, privacy: synthgan.PrivacyConfig | None
) -> synthgan.Config:
    """The settings of a fit, from the ``options`` that are about training."""
    train = synthgan.TrainConfig(**given(**options))
    return synthgan.Config(train=train, **given(seed=seed, privacy=privacy))


def _checkpoint(
    options: dict[str, Any], output: Path, *, overwrite: bool
) -> synthgan.CheckpointConfig | None:
    """Takes what is about checkpoints, beside the model file, out of ``options``."""
    minutes, resume = options.pop("checkpoint_every"), options.pop("resume")
    if minutes is None and not resume:
        return None
    path = output.with_name(f"{output.name}.checkpoint")
    settings = given(minutes=minutes)
    return synthgan.CheckpointConfig(path=path, resume=resume, overwrite=overwrite, **settings)


def _opening(checkpoint: synthgan.CheckpointConfig | None) -> str:
    """What is to be known before training: how to end it, or what it leaves."""
    if checkpoint is None:
        return (
            "training ends by itself once it gains no more, mostly well before the time that it "
            "may take; Ctrl-C ends it now, and keeps what was learned"
        )
    return (
        f"checkpoints go to {checkpoint.path}: it holds what has learned from rows, so guard it "
        "like the table; it is removed when the model is done"
    )


def _privacy(options: dict[str, Any]) -> synthgan.PrivacyConfig | None:
    """Takes what is about privacy out of ``options``."""
    names = ("epsilon", "delta", "unit", "unit_rows", "rows")
    settings = given(
        engine=options.pop("dp_engine"),
        public_split=options.pop("public_split") or None,
        **{name: options.pop(name) for name in names},
    )
    if settings and "epsilon" not in settings:
        raise click.UsageError(
            "--delta, --unit, --unit-rows, --rows, --dp-engine and --public-split go with "
            "--epsilon: give it too"
        )
    return synthgan.PrivacyConfig(**settings) if settings else None


def _save(
    model: synthgan.Synthesizer | synthgan.TablesSynthesizer, wanted: Path, *, overwrite: bool
) -> None:
    """Saves a model; if that fails, saves it elsewhere and raises TableError saying where."""
    try:
        model.save(wanted, overwrite=overwrite)
        return
    except TableError as error:
        reason = str(error)
    name = time.strftime("model-%Y%m%d-%H%M%S.synthgan")
    for folder in (Path.cwd, Path.home, lambda: Path(tempfile.gettempdir())):
        try:
            rescue = folder() / name
            model.save(rescue)
        except (TableError, OSError, RuntimeError):  # full, forbidden, or there is none
            continue
        raise SavedElsewhere(f"{reason}; the model is not lost, it was saved to {rescue}")
    raise TableError(f"{reason}; nor could the current, home or temporary folder take the model")
