"""Tables of events: people have several rows, and nothing that few of them have comes out.

Twenty tables, the default schema, two steps of training: what is kept of a table is the same
after two steps as after two thousand, for the network learns nothing that the encoder does not
hand it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pandas as pd
import pytest
from people_events import Events, event_tables
from sample_tables import quick
from scipy import stats

import synthgan
from synthgan.errors import DoubtError
from synthgan.metrics.columns import Columns
from synthgan.metrics.privacy.replay import replay_findings
from synthgan.report.wording.readings import is_alarm

_FEW = 5  # people; what fewer have must not come out
_STRAY = 1e-6  # chance of hits beyond what generated values have by chance
_LONG = 8  # signs; shorter texts stand in others by chance
_DENSER = 4  # times as many hits as if all values of a form were as likely

PLACES = range(20)


@dataclass(frozen=True, eq=False, kw_only=True)
class Drawn:
    """A table, the model that a default fit makes of it, its description, and a draw."""

    events: Events
    model: synthgan.Synthesizer
    made: pd.DataFrame
    told: str


@cache
def drawn(place: int, folder: Path) -> Drawn:
    events = event_tables()[place]
    model = synthgan.fit(events.frame, config=quick(2))
    path = folder / f"{place}.synthgan"
    model.save(path)
    data = path.read_bytes()
    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    (told,) = header["__metadata__"].values()
    made = model.sample(len(events.frame), seed=1)
    return Drawn(events=events, model=model, made=made, told=told)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


@pytest.fixture(params=PLACES, ids=lambda place: event_tables()[place].name)
def case(request: pytest.FixtureRequest, folder: Path) -> Drawn:
    return drawn(request.param, folder)


def few(events: Events, column: str) -> set[object]:
    """Values of ``column`` that fewer than five people have."""
    pairs = pd.DataFrame({"value": events.frame[column], "who": events.people}).drop_duplicates()
    holders = pairs.groupby("value")["who"].nunique()
    return set(holders[holders < _FEW].index)


def most_by_chance(made: int, real: int, room: float) -> int:
    """Hits that values made up in a form with ``room`` have, but for one time in a million."""
    return int(stats.poisson.isf(_STRAY, made * min(_DENSER * real / room, 1.0)))


def test_no_real_name_of_a_person_comes_out(case: Drawn) -> None:
    for column, room in case.events.keys.items():
        real = set(case.events.frame[column].astype(str))
        made = set(case.made[column].dropna().astype(str))
        assert len(made) > 1, column
        hits = len(real & made)
        assert hits <= most_by_chance(len(made), len(real), room), f"{column}: {hits}"


def test_nothing_that_few_people_have_comes_out(case: Drawn) -> None:
    for column, room in case.events.bound.items():
        real = few(case.events, column)
        made = set(case.made[column].dropna())
        hits = len(real & made)
        chance = most_by_chance(len(made), len(real), room) if room else 0
        if room:
            assert hits <= chance, f"{column}: {hits} of {len(real)}"


def test_what_two_busy_people_have_does_not_come_out_however_many_rows_they_have(
    case: Drawn,
) -> None:
    for column, value in case.events.rare.items():
        real = case.events.frame[column]
        assert (real == value).sum() > 10, column
        assert not (case.made[column] == value).any(), column


@pytest.mark.parametrize("place", PLACES, ids=lambda place: event_tables()[place].name)
def test_one_key_is_enough(place: int) -> None:
    """Each key in turn with the columns of the event alone, as log-ins and calls come: it is made
    up, or the fit stops and asks."""
    events = event_tables()[place]
    for column, room in events.keys.items():
        frame = events.frame[[column, *events.learned]]
        doubt = ""
        try:
            made = synthgan.fit(frame, config=quick(2)).sample(len(frame), seed=1)
        except DoubtError as error:
            doubt = str(error)
        if doubt:
            assert repr(column) in doubt
            continue
        real, drawn_ones = few(events, column), set(made[column].dropna())
        hits = len(real & drawn_ones)
        assert hits <= most_by_chance(len(drawn_ones), len(real), room), f"{column}: {hits}"
        for other, value in events.rare.items():
            assert not (made[other] == value).any(), f"{other} beside {column}"


def test_the_report_sees_no_replay(case: Drawn) -> None:
    """With the truth about whose rows they are: event columns are looked at, too."""
    frame = case.events.frame.assign(**{next(iter(case.events.keys)): case.events.people})
    made = case.made.drop(columns=next(iter(case.events.keys)))
    schema = case.model.schema
    found = replay_findings(made, frame, Columns.of(case.events.frame, schema), schema)
    assert [each.column for each in found.replays if each.verdict == "replayed"] == []


@pytest.mark.parametrize("place", PLACES, ids=lambda place: event_tables()[place].name)
def test_the_report_rings_if_real_people_come_out(place: int) -> None:
    """The table itself, as a generator that repeats its rows hands it out."""
    events = event_tables()[place]
    schema = synthgan.infer_schema(events.frame, constraints=False)
    found = replay_findings(events.frame, events.frame, Columns.of(events.frame, schema), schema)
    verdicts = {each.column: each.verdict for each in found.replays}
    told_apart = [*events.keys, *(name for name, room in events.bound.items() if room)]
    assert {name: verdicts[name] for name in told_apart} == dict.fromkeys(told_apart, "replayed")
    assert is_alarm(found.measures[0])
    shared = [x for x in events.learned if events.frame[x].dtype == object and x not in events.rare]
    assert not [name for name in shared if verdicts.get(name) == "replayed"]


def test_a_made_up_person_is_the_same_in_all_rows(case: Drawn) -> None:
    first, *others = case.events.keys
    real, made = case.events.frame, case.made
    people = made.groupby(first, dropna=True)
    for column in (*others, *case.events.bound):
        if not case.model.schema[column].kind.is_modelled:
            assert (people[column].nunique() <= 1).all(), column
    for column in others:
        assert (made.groupby(column)[first].nunique() <= 1).all(), column
    mean = len(real) / real[first].nunique()
    assert 0.6 * mean < len(made) / made[first].nunique() < 1.6 * mean


def test_what_the_table_is_for_is_still_learned(case: Drawn) -> None:
    for column in case.events.learned:
        real, made = case.events.frame[column], case.made[column].dropna()
        assert case.model.schema[column].kind.is_modelled, column
        assert len(made) > 0.9 * len(real), column
        if real.dtype == object or real.dtype == bool:
            shares = [x.astype(str).value_counts(normalize=True) for x in (real, made)]
            shares = [x.drop(str(case.events.rare.get(column)), errors="ignore") for x in shares]
            gap = 0.5 * shares[0].sub(shares[1], fill_value=0).abs().sum()
            assert gap < 0.35, f"{column}: {gap:.2f}"
        else:
            low, high = real.quantile([0.1, 0.9])
            assert ((made >= low) & (made <= high)).mean() > 0.4, column


def test_the_model_file_names_nobody(case: Drawn) -> None:
    about = json.loads(case.told)
    found = [x for key, part in about.items() if key != "config" for x in _leaves(part)]
    texts = {x for x in found if isinstance(x, str)}
    numbers = {float(x) for x in found if not isinstance(x, str) and math.isfinite(x)}
    whole = "\n".join(texts)
    named = {name: few(case.events, name) for name in (*case.events.keys, *case.events.bound)}
    rare = {x: {value} for x, value in case.events.rare.items() if not _is_small(value)}
    for column, values in (*named.items(), *rare.items()):
        for value in values:
            if isinstance(value, pd.Timestamp):
                kept = {value.timestamp() * unit for unit in (1, 1e3, 1e6, 1e9)}
                assert not kept & numbers, column
            elif isinstance(value, str):
                assert value not in texts, column
                assert len(value) < _LONG or value not in whole, column
            else:
                assert float(value) not in numbers, column


def _is_small(value: object) -> bool:
    """Whether a number is one that stands for many things."""
    return isinstance(value, int | float) and abs(value) < 1000


def _leaves(plain: object) -> Iterator[str | float]:
    """All texts and numbers of a JSON value."""
    if isinstance(plain, dict):
        yield from plain
        for value in plain.values():
            yield from _leaves(value)
    elif isinstance(plain, list):
        for value in plain:
            yield from _leaves(value)
    elif isinstance(plain, str | int | float):
        yield plain
