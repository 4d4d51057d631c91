"""Two tables of which one's rows belong to the other's: customers and their orders.

The *parent* is learned as any table, with one more column: how many rows of the child belong to
each row. The *child* is learned given all of that, row by row: each in the light of its parent's
row, its place among the rows of that parent, and the row before it. Rows of one parent come in
the order of the child's first column of dates, or else as the table has them.

To draw, parents come first, their number of children with them; then the first child of each,
then the second of those that have one, and so on. Keys are made up anew: those of parents all
differ, and each child holds one of them.

What the child's model knows of the parent's columns is what the parent's model may know of them,
so a parent with many children is no less protected than one with few. And a value of the child
counts once for each parent, so that one parent's habits are not told, however often they recur.

Modules, each importing only those before it: ``rows`` (rows that belong together, and what a child
is given), ``synthesizer`` (both models, fitted), ``learning`` (what they may know, and the fit),
``writing`` (a folder of tables).
"""

from synthgan.relations.learning import fit_tables
from synthgan.relations.synthesizer import TablesSynthesizer, load_tables, tables_in
from synthgan.relations.writing import write_tables

__all__ = ["TablesSynthesizer", "fit_tables", "load_tables", "tables_in", "write_tables"]
