"""What the columns of a table are: :class:`Kind`, :class:`Column`, :class:`Schema`, and JSON."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import pandas as pd

from synthgan.columns.column import Column, Kind
from synthgan.columns.frame import check_frame
from synthgan.errors import SchemaError, near_text, some
from synthgan.files import write_bytes_atomically
from synthgan.schema.constraints.base import check_cycles, check_work, needs
from synthgan.schema.constraints.kinds import Constraint
from synthgan.serialization import added, at_most, from_plain, is_unicode, to_plain

_VERSION = 1

_LOCALE = re.compile(r"[a-z]{2,3}(?:_[A-Z]{2})?")


@dataclass(frozen=True, kw_only=True)
class Schema:
    """The columns of a table, in their order, and the rules between them. Names are unique."""

    columns: tuple[Column, ...] = field(metadata=at_most(5_000))
    constraints: tuple[Constraint, ...] = field(default=(), metadata=at_most(5_000))
    """Rules that every row that is drawn keeps."""
    locale: str | None = None
    """Language and country of generated names, addresses and the like, such as ``de_DE``; None
    is ``en_US``."""
    entity: str | None = field(default=None, metadata=added(None))
    """The identifier column that says whose row it is (a person, a household, a device), where
    one entity may have several rows: what is kept of the table is then counted in entities, not
    in rows. None: each row is an entity of its own."""

    def __post_init__(self) -> None:
        if len(self._by_name) < len(self.columns):
            twice = next(n for n, count in Counter(self.names).items() if count > 1)
            raise SchemaError(f"column names must be unique, but {twice!r} comes twice")
        if self.locale is not None and not _LOCALE.fullmatch(self.locale):
            raise SchemaError("locale must be a language and a country, such as de_DE")
        for column in self.columns:
            if column.references is not None:
                self._check_reference(column, column.references)
            if column.per is not None:
                self._check_per(column, "per", column.per)
            if column.within is not None:
                self._check_per(column, "within", column.within)
        if self.entity is not None:
            self._check_entity(self.entity)
        for constraint in self.constraints:
            self._check_constraint(constraint)
        check_cycles(self.constraints)
        check_work(self.constraints)

    def _check_reference(self, column: Column, key: str) -> None:
        about = f"column {column.name!r}: references {key!r}"
        if key not in self._by_name:
            raise SchemaError(f"{about}, which is no column{near_text(key, self.names)}")
        if self[key].kind is not Kind.IDENTIFIER or self[key].references is not None:
            raise SchemaError(f"{about}, which must be an identifier that references no other")

    def _check_per(self, column: Column, field: str, key: str) -> None:
        about = f"column {column.name!r}: {field} {key!r}"
        if key not in self.names:
            raise SchemaError(f"{about}, which is no column{near_text(key, self.names)}")
        known = self[key]
        follows = known.per is not None or (field == "within" and known.within is not None)
        if key == column.name or not known.repeats or follows:
            raise SchemaError(
                f"{about}, which must be another column, an identifier that repeats and has no "
                f"{field} itself"
            )

    def _check_entity(self, name: str) -> None:
        if name not in self.names:
            raise SchemaError(f"entity {name!r} is no column{near_text(name, self.names)}")
        if self[name].kind.is_modelled:
            raise SchemaError(
                f"entity {name!r} is of kind {self[name].kind.value}, but whose row it is must not "
                "be learned: make it kind identifier, with repeats, or take the entity out of the "
                "schema"
            )

    def _check_constraint(self, constraint: Constraint) -> None:
        about, wanted = f"constraint {constraint.rule} ({constraint})", needs(constraint)
        for name in constraint.columns:
            if name not in self._by_name:
                raise SchemaError(
                    f"{about}: there is no column {name!r}{near_text(name, self.names)}"
                )
            if not self[name].kind.is_modelled:
                raise SchemaError(
                    f"{about}: column {name!r} is generated ({self[name].kind.value}), not learned"
                )
            if self[name].words is not None and name in wanted.whole:
                raise SchemaError(
                    f"{about}: column {name!r} has words among its numbers, of which this rule "
                    "cannot tell; make it a category in the schema"
                )
        for name in wanted.numbers:
            if self[name].kind not in wanted.kinds:
                raise SchemaError(
                    f"{about}: column {name!r} must hold {wanted.what}, but is "
                    f"{self[name].kind.value}"
                )
        if wanted.one_scale:
            self._check_one_scale(about, constraint.columns)

    def _check_one_scale(self, about: str, names: Sequence[str]) -> None:
        scales = {(self[name].kind is Kind.DATETIME, self[name].resolution) for name in names}
        if len(scales) > 1:
            raise SchemaError(
                f"{about}: numbers, and dates of different resolution, cannot be compared; give "
                "the dates the finer resolution in the schema"
            )

    def __iter__(self) -> Iterator[Column]:
        return iter(self.columns)

    def __len__(self) -> int:
        return len(self.columns)

    def __getitem__(self, name: str) -> Column:
        """The column of that name; :class:`SchemaError` with near matches if there is none."""
        found = self._by_name.get(name)
        if found is None:
            raise SchemaError(f"there is no column {name!r}{near_text(name, self.names)}")
        return found

    @cached_property
    def _by_name(self) -> dict[str, Column]:
        return {column.name: column for column in self.columns}

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Column names, in table order."""
        return tuple(column.name for column in self.columns)

    def of_entity(self, name: str) -> Schema:
        """The schema whose entity is ``name``, an identifier that repeats then."""
        own = self[name]
        if own.kind is Kind.IDENTIFIER:
            own = replace(own, repeats=True, references=None, per=None, within=None)
        elif own.kind is Kind.TEXT and own.personal is not None:
            own = replace(own, kind=Kind.IDENTIFIER, repeats=True, per=None)
        else:
            own = Column(
                name=name,
                kind=Kind.IDENTIFIER,
                dtype=own.dtype,
                nullable=own.nullable,
                repeats=True,
            )
        kept = tuple(rule for rule in self.constraints if name not in rule.columns)
        columns = tuple(own if column.name == name else column for column in self.columns)
        return replace(self, columns=columns, constraints=kept, entity=name)

    def of_columns(
        self, columns: Sequence[Column], constraints: Sequence[Constraint] = ()
    ) -> Schema:
        """The schema with ``columns`` and ``constraints`` in place of its own. What columns say of
        others that are keys no longer is left out, and so is the entity."""
        keys = {c.name for c in columns if c.kind is Kind.IDENTIFIER and c.references is None}
        owners = {c.name for c in columns if c.repeats and c.per is None}
        kept = (
            replace(
                column,
                per=column.per if column.per in owners else None,
                within=column.within if column.within in owners else None,
                references=column.references if column.references in keys else None,
            )
            for column in columns
        )
        return replace(
            self,
            columns=tuple(kept),
            constraints=tuple(constraints),
            entity=self.entity if self.entity in owners else None,
        )

    def without(self, name: str) -> Schema:
        """The schema without a column, its rules, and what others say of it."""
        kept = [column for column in self.columns if column.name != name]
        rules = [rule for rule in self.constraints if name not in rule.columns]
        return self.of_columns(kept, rules)

    def check(self, frame: pd.DataFrame) -> None:
        """Raises :class:`SchemaError` unless ``frame`` has exactly these columns, in any order.

        Whether the cells fit is found where they are read, in :mod:`synthgan.columns.cells`.
        """
        found = checked_names(frame)
        missing = [name for name in self.names if name not in set(found)]
        extra = [name for name in found if name not in set(self.names)]
        parts = []
        if missing:
            near = near_text(missing[0], extra)
            parts.append(f"columns are missing: {some(missing)}{near}")
        if extra:
            parts.append(f"columns are not in the schema: {some(extra)}")
        if parts:
            raise SchemaError("the table does not follow the schema: " + "; ".join(parts))

    def to_json(self) -> str:
        """The schema as indented JSON, made to be edited; defaults are left out."""
        plain = to_plain(self, skip_defaults=True)
        assert isinstance(plain, dict)
        return json.dumps({"synthgan_schema": _VERSION, **plain}, indent=2, ensure_ascii=False)

    def save(self, path: str | Path, *, overwrite: bool = False) -> None:
        """Writes :meth:`to_json` to a file, in UTF-8, whole or not at all.

        Raises :class:`TableError` if the file cannot be written or is there already.
        """
        write_bytes_atomically(path, f"{self.to_json()}\n".encode(), overwrite=overwrite)

    @staticmethod
    def load(path: str | Path, *, table: pd.DataFrame | str | Path | None = None) -> Schema:
        """The schema in a file; :class:`SchemaError`, naming it, if there is none.

        SDV's metadata of one table, version V1, is taken as well. It needs the ``table`` (or
        the path of it) that it describes, as it says nothing of dtypes and decimals.
        """
        try:
            text = Path(path).read_text(encoding="utf-8-sig")
        except FileNotFoundError:
            raise SchemaError(f"{path}: there is no such file") from None
        except OSError as error:
            raise SchemaError(f"{path} cannot be read: {error.strerror}") from None
        except UnicodeDecodeError:
            raise SchemaError(f"{path} is no schema: it is not UTF-8 text") from None
        from synthgan.schema.loading import of_metadata  # builds on this module

        try:
            return of_metadata(text, table) or Schema.from_json(text)
        except SchemaError as error:
            raise SchemaError(f"{path}: {error}") from None

    @staticmethod
    def from_json(text: str) -> Schema:
        """The reverse of :meth:`to_json`; :class:`SchemaError` for anything malformed."""
        try:
            plain = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise SchemaError(f"the schema is not valid JSON: {error}") from None
        if not isinstance(plain, dict) or type(plain.get("synthgan_schema")) is not int:
            raise SchemaError('a schema is a JSON object with "synthgan_schema": 1 in it')
        version = plain.pop("synthgan_schema")
        if version != _VERSION:
            raise SchemaError(f"the schema has version {version}, this SynthGAN reads {_VERSION}")
        try:
            return from_plain(Schema, plain, "schema")
        except (ValueError, OverflowError, RecursionError) as error:
            raise SchemaError(str(error)) from None


def checked_names(frame: pd.DataFrame) -> list[str]:
    check_frame(frame, "the table")
    if frame.shape[1] == 0:
        raise SchemaError("a table with columns is needed, but this one has none")
    if isinstance(frame.columns, pd.MultiIndex):
        raise SchemaError("column names have several levels: join them into one text each")
    if not all(isinstance(name, str) for name in frame.columns):
        raise SchemaError("column names must be text: use df.columns = df.columns.astype(str)")
    if not all(map(is_unicode, frame.columns)):
        raise SchemaError("column names must be text that UTF-8 can express (no lone surrogates)")
    twice = frame.columns[frame.columns.duplicated()]
    if len(twice):
        names = list(dict.fromkeys(twice))
        verb = "comes" if len(names) == 1 else "come"
        raise SchemaError(f"column names must be unique, but {some(names)} {verb} more than once")
    return [str(name) for name in frame.columns]
