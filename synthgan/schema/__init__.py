"""What a table is: columns, constraints, keys, whose rows they are."""
