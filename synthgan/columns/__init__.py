"""What one column is, kind by kind: inferred, read, written, generated."""
