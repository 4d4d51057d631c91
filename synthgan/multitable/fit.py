"""``fit_tables``: two tables to two models, and what each may know."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from importlib.metadata import version

import numpy as np
import pandas as pd
import torch

from synthgan.columns.cells import read_cells
from synthgan.columns.column import Column, Kind
from synthgan.config import Config, SummaryConfig, as_config
from synthgan.encode.encoder import Encoder
from synthgan.encode.summarize import summarize
from synthgan.encode.summary import ColumnSummary, NumberSummary, Summary
from synthgan.errors import ConfigError, SchemaError
from synthgan.model.card import FORMAT, Card, TablesCard
from synthgan.multitable.pairing import (
    Known,
    Names,
    Pair,
    Table,
    check_children,
    child_columns,
    drawn_columns,
    most_children,
    naming,
)
from synthgan.multitable.synthesizer import TablesSynthesizer
from synthgan.progress import Step
from synthgan.sample.sampler import Sampler
from synthgan.schema.constraints.inequality import Inequality
from synthgan.schema.entities import Hints
from synthgan.schema.foreign_key import ForeignKey
from synthgan.schema.owners import OwnedCounts, Steps, distinct
from synthgan.schema.schema import Schema
from synthgan.train.device import choose_device
from synthgan.train.loop import Trained, train

_FEWEST_ORDERED = 100  # rows in which dates of two tables must be in order, to be no chance


def fit_tables(
    tables: Mapping[str, Table],
    key: ForeignKey | str,
    *,
    schemas: Mapping[str, Schema] | None = None,
    hints: Hints | None = None,
    config: Config | None = None,
    on_step: Callable[[str, Step], None] | None = None,
) -> TablesSynthesizer:
    """Learns a parent table and its child table.

    ``tables`` are two by name, each a DataFrame or the path of a file; ``key`` says how they
    belong together, such as ``"customers.id=orders.customer_id"``. ``schemas`` say what the
    columns of a table are; what they leave out is inferred, and ``hints`` are what the owner knows
    of columns of either table that are. ``on_step`` is called every few
    training steps with the name of the table and a :class:`Step`. ``config`` is for each of the
    two fits; they share ``max_minutes``. A KeyboardInterrupt while the child is learned keeps the
    best state until then.

    Rows of the child without a parent, as their key is missing or no parent has it, are left
    out; the notes say how many.

    Raises :class:`TableError` for keys of the parent that are missing or not unique, or a table
    that cannot be learned, :class:`SchemaError` for a key that names no columns of the tables,
    :class:`DoubtError` where columns are inferred and real values of one that may be personal would
    come out, and :class:`ConfigError` for a private fit and for an auxiliary column.
    """
    config = as_config(config)
    if config.privacy is not None:
        raise ConfigError(
            "two tables cannot be fitted with differential privacy: what one parent's rows "
            "change in both has not been worked out; fit each table on its own with epsilon, the "
            "child with its key as the unit"
        )
    if config.train.auxiliary is not None:
        raise ConfigError("auxiliary names a column of one table: leave it out for two tables")
    key = read_key(key, tables)
    schemas = dict(schemas or {})
    for name in schemas:
        if name not in key.tables:
            raise SchemaError(f"there is a schema for {name!r}, but no table of that name")
    minutes = config.train.max_minutes
    halved = replace(config.train, max_minutes=None if minutes is None else minutes / 2)
    config = replace(config, train=halved)
    choose_device(config.train.device)
    told = Known(least=config.summary.min_category_rows, hints=hints or Hints())
    pair = Pair.of(tables, key, schemas, told)
    names = Names(key)
    with naming(key.parent):
        summary = summarize(pair.parent, pair.parent_schema, config.summary)
        width = len(child_columns(names, pair.parent_schema, pair.child_schema))
        check_children(most_children(summary.columns.get(names.count)), width)
        parent, trained = learn(
            pair.parent, pair.parent_schema, summary, config, of_table(on_step, key.parent)
        )
    if trained.interrupted:
        raise KeyboardInterrupt  # without a child there is nothing to keep
    with naming(key.child):
        schema, summary, whole = child_summary(pair, names, summary, config.summary)
        joined = pair.joined(names, list(drawn_columns(schema, names)))
        child, trained_child = learn(
            joined, schema, summary, config, of_table(on_step, key.child), names
        )
    known = [c for c in pair.child_schema.constraints if c in schema.constraints]
    card = TablesCard(
        format=FORMAT,
        key=key,
        parent=parent,
        child=child,
        child_schema=replace(pair.child_schema, constraints=tuple(known)),
        unlearned=whole.unlearned,
        order=pair.order,
        notes=pair.notes,
    )
    encoders = (Encoder(parent.schema, parent.summary), Encoder(child.schema, child.summary))
    return TablesSynthesizer(card, encoders, (trained.generator, trained_child.generator))


def read_key(key: ForeignKey | str, tables: Mapping[str, Table]) -> ForeignKey:
    """The key of these tables. Raises :class:`SchemaError` if it is not of two, or of others."""
    if len(tables) != 2:
        raise SchemaError(f"two tables are needed, a parent and its child, got {len(tables)}")
    found = ForeignKey.parse(key, tables) if isinstance(key, str) else key
    for name in found.tables:
        if name not in tables:
            raise SchemaError(
                f"the key {found} is of a table {name!r}, but the tables are {list(tables)}"
            )
    return found


def child_summary(
    pair: Pair, names: Names, parent: Summary, config: SummaryConfig
) -> tuple[Schema, Summary, Summary]:
    """Schema and summary of the child's model; and the summary of the child as a table."""
    child, key = pair.child_schema, names.key.foreign_key
    rest = child.without(key)
    whole = summarize(pair.child, rest, config, owners=pair.whose)
    places = pd.DataFrame({names.place: pair.places})
    placed = summarize(places, Schema(columns=(names.place_column,)), config, owners=pair.whose)
    first = _share_of_firsts(pair, config.min_category_rows)
    columns: dict[str, ColumnSummary] = {
        names.of_parent(name): each for name, each in parent.columns.items()
    }
    columns |= placed.columns
    columns |= {names.previous(name): _with_holes(x, first) for name, x in whole.columns.items()}
    above = [c for c in pair.parent_schema if c.kind.is_modelled]
    schema = Schema(
        columns=child_columns(names, pair.parent_schema, child),
        constraints=(*child.constraints, *_date_orders(pair, names, above, config)),
        locale=child.locale,
    )
    summary = replace(whole, columns=columns | whole.columns, unlearned={})
    return schema, summary, whole


def _share_of_firsts(pair: Pair, enough: int) -> float:
    """The share of the child's rows that are their parents' first, where each parent counts once,
    rounded as all shares are."""
    counts = OwnedCounts[bool](None)
    counts.add([False, True], (pair.places == 1).astype(np.int64), pair.whose)
    weights, people = counts.weights(), counts.people()
    steps = Steps.of(people[True], enough)
    order = (True, False)
    shares = steps.shares([weights.get(x, 0.0) for x in order], [people.get(x, 0) for x in order])
    return shares[0]


def _with_holes(known: ColumnSummary, share: float) -> ColumnSummary:
    """What is known of a column of which a ``share`` of rows has no cell."""
    weights = [(1 - share) * weight for weight in known.weights]
    weights[-1] += share
    if isinstance(known, NumberSummary):
        words = tuple((1 - share) * weight for weight in known.words)
        return replace(known, weights=tuple(weights), words=words)
    return replace(known, weights=tuple(weights))


def _date_orders(
    pair: Pair, names: Names, above: list[Column], config: SummaryConfig
) -> Iterator[Inequality]:
    """Dates of the parent that no date of its children comes before: joined <= ordered."""
    own = [column for column in pair.child_schema if column.kind.is_modelled]
    enough = distinct(pair.whose) >= config.min_category_rows
    for one in above if enough and len(pair.child) >= _FEWEST_ORDERED else ():
        for other in own:
            both = {one.kind, other.kind} == {Kind.DATETIME}
            if not both or one.resolution != other.resolution:
                continue
            first = read_cells(pair.parent[one.name], one)[pair.owners]
            then = read_cells(pair.child[other.name], other)
            if not (first > then).any() and (first <= then).sum() >= _FEWEST_ORDERED:
                yield Inequality(columns=(names.of_parent(one.name), other.name))


def learn(
    frame: pd.DataFrame,
    schema: Schema,
    summary: Summary,
    config: Config,
    on_step: Callable[[Step], None] | None,
    names: Names | None = None,
) -> tuple[Card, Trained]:
    """A model of ``frame``; with ``names``, that of a child, given its context."""
    encoder = Encoder(schema, summary)
    Sampler.check(encoder)
    given = [n for n in encoder.layout.columns if names is not None and names.is_context(n)]
    if names is not None and len(given) == len(encoder.layout.columns):
        config = replace(config, train=replace(config.train, steps=1, adversarial=False))
    tokens = encoder.encode(frame, np.random.default_rng(config.seed))
    trained = train(tokens, encoder.layout, config, on_step=on_step, context=len(given))
    card = Card(
        format=FORMAT,
        version=version("synthgan"),
        torch_version=torch.__version__,
        schema=schema,
        summary=summary,
        config=config,
        history=trained.history,
        notes=trained.notes,
    )
    return card, trained


def of_table(
    on_step: Callable[[str, Step], None] | None, table: str
) -> Callable[[Step], None] | None:
    return None if on_step is None else lambda step: on_step(table, step)
