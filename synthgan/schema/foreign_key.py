"""How the rows of one table belong to those of another: :class:`ForeignKey`."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from synthgan.errors import SchemaError

_LONGEST_NAME = 100


@dataclass(frozen=True, kw_only=True)
class ForeignKey:
    """Each row of ``child`` belongs to the row of ``parent`` whose key it holds.

    Raises :class:`SchemaError` for tables that are one, and for names that no file could have.
    """

    parent: str
    """Name of the table with one row a key, such as ``customers``."""
    primary_key: str
    """Its column of keys, all of them different, such as ``id``."""
    child: str
    """Name of the table with any number of rows a key, such as ``orders``."""
    foreign_key: str
    """Its column of keys, such as ``customer_id``."""

    def __post_init__(self) -> None:
        for table in (self.parent, self.child):
            fit = 1 <= len(table) <= _LONGEST_NAME and table == table.strip()
            # tables are written to files of their names, and a model may come from a stranger
            if not fit or not table.isprintable() or set(table) & set('/\\:*?"<>|'):
                raise SchemaError(
                    f"table {table!r}: a table's name must do as that of a file: 1 to "
                    f'{_LONGEST_NAME} characters, none of them / \\ : * ? " < > |'
                )
            if table.startswith("."):
                raise SchemaError(f"table {table!r}: a table's name must not begin with a dot")
        if self.parent.casefold() == self.child.casefold():
            raise SchemaError(
                f"the key must be of two tables, but both are {self.parent!r}; a column that "
                "refers to rows of its own table is found by itself (see Column.references)"
            )

    def __str__(self) -> str:
        return f"{self.parent}.{self.primary_key}={self.child}.{self.foreign_key}"

    @property
    def tables(self) -> tuple[str, str]:
        """Parent and child."""
        return self.parent, self.child

    @classmethod
    def parse(cls, text: str, tables: Collection[str]) -> ForeignKey:
        """The key that ``customers.id=orders.customer_id`` says, of tables of these names.

        Raises :class:`SchemaError` for a text of another form, or of other tables.
        """
        found = [
            cls(parent=parent, primary_key=one, child=child, foreign_key=other)
            for place, character in enumerate(text)
            if character == "="
            for parent, one in _owned(text[:place].strip(), tables)
            for child, other in _owned(text[place + 1 :].strip(), tables)
        ]
        if len(found) != 1:
            named = " and ".join(repr(name) for name in tables)
            raise SchemaError(
                f"the key {text!r} is not understood: it must be PARENT.COLUMN=CHILD.COLUMN, such "
                f"as customers.id=orders.customer_id, and the tables are {named}"
            )
        return found[0]


def _owned(text: str, tables: Collection[str]) -> list[tuple[str, str]]:
    """Ways to read ``customers.id``."""
    return [
        (table, text[len(table) + 1 :])
        for table in tables
        if text.startswith(f"{table}.") and len(text) > len(table) + 1
    ]
