"""What says together who somebody is, though no column of it does: birth date and postcode, or
the coordinates of a home."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from synthgan.columns.column import Column, Kind
from synthgan.columns.personal.base import plain_name
from synthgan.schema.review import owners_of
from synthgan.schema.schema import Schema

_WORTH_A_WORD = 0.1  # of people, singled out
_FEWEST_PEOPLE = 20
_DECIMALS = 4  # of coordinates: ten metres

_BIRTH = re.compile(
    r"(?:^|_)(?:dob|birth|birthday|birth_?dates?|date_?of_?birth|birth_?dt|born|geb|geburt\w*"
    r"|geb_?dat\w*|geboren|naissance|date_?naissance|dt?_?naiss|nacimiento|fecha_?nac\w*|nascita"
    r"|data_?nascita|geboorte\w*|geb_?datum|urodz\w*|data_?ur|nascimento|data_?nasc|fodelse\w*"
    r"|fodd|year_?of_?birth|yob|birth_?year|geburts_?jahr)(?:_|$)|birth_?(?:date|day|year)"
)
_PLACE = re.compile(
    r"(?:^|_)(?:zip|zip_?codes?|post_?codes?|postal_?codes?|plz|postleitzahl|code_?postal|cap|cep|cp"
    r"|codigo_?postal|kod_?pocztowy|postnummer|city|town|ort|wohnort|ville|ciudad|citta|cidade"
    r"|miasto|plaats|stad|municipality|gemeinde|commune|comune|municipio)(?:_|$)"
)
_SEX = re.compile(
    r"(?:^|_)(?:sex|gender|geschlecht|sexe|sexo|sesso|genere|genero|geslacht|plec|kon)(?:_|$)"
)
_LATITUDE = re.compile(r"(?:^|_)(?:lat|latitude|breite(?:ngrad)?|latitud|latitudine)(?:_|$)")
_LONGITUDE = re.compile(
    r"(?:^|_)(?:lon|lng|long|longitude|laenge(?:ngrad)?|langengrad|longitud|longitudine)(?:_|$)"
)


@dataclass(frozen=True, kw_only=True)
class Identifying:
    """Learned columns that identify people together. Holds no cell of them."""

    columns: tuple[str, ...]
    share: float
    """Of people (entities of the schema, else rows), those who share their cells with no other."""

    def __str__(self) -> str:
        names = ", ".join(map(repr, self.columns))
        percent = min(int(100 * self.share), 99) if self.share < 1 else 100
        return f"{names}: together single out {percent} % of people"


def find_identifying(frame: pd.DataFrame, schema: Schema) -> tuple[Identifying, ...]:
    """Birth dates with places (and sex), and exact coordinates, among the learned columns of
    ``frame``, that single out a tenth of the people at least.

    Raises :class:`SchemaError` for a table that does not follow the schema.
    """
    schema.check(frame)
    sets = list(_suspects(schema))
    if not sets:
        return ()
    owners = owners_of(frame, schema)
    _, first = np.unique(owners, return_index=True)
    if len(first) < _FEWEST_PEOPLE:
        return ()
    people = frame.iloc[first]
    found = [Identifying(columns=names, share=_singled_out(people, names)) for names in sets]
    return tuple(each for each in found if each.share >= _WORTH_A_WORD)


def identifying_notes(frame: pd.DataFrame, schema: Schema) -> tuple[str, ...]:
    """What the owner of a model of ``frame`` should know of that, a line each."""
    return tuple(f"{each}; {_WHAT_TO_DO}" for each in find_identifying(frame, schema))


_WHAT_TO_DO = (
    "what somebody who knows one knows of the others; a coarser column (year, region) in place of "
    "an exact one tells less"
)


def _suspects(schema: Schema) -> Iterator[tuple[str, ...]]:
    learned = [column for column in schema if column.kind.is_modelled]
    births = _called(_BIRTH, [c for c in learned if c.kind.is_numeric or c.kind is Kind.CATEGORY])
    places, sexes = _called(_PLACE, learned), _called(_SEX, learned)
    if births and places:
        yield (*births[:1], *places[:1], *sexes[:1])
    elif births:
        yield (*births[:1], *sexes[:1])
    exact = [c for c in learned if c.kind is Kind.NUMBER and (c.decimals or 16) >= _DECIMALS]
    yield from zip(_called(_LATITUDE, exact), _called(_LONGITUDE, exact), strict=False)


def _called(pattern: re.Pattern[str], columns: Sequence[Column]) -> list[str]:
    return [column.name for column in columns if pattern.search(plain_name(column.name))]


def _singled_out(people: pd.DataFrame, names: Sequence[str]) -> float:
    """The share of rows whose cells no other row has; rows without all cells are not."""
    held = people[list(names)].dropna()
    if held.empty:
        return 0.0
    return float((~held.duplicated(keep=False)).sum() / len(people))
