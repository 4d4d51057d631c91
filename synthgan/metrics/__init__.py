"""Numbers about two tables, without words."""
