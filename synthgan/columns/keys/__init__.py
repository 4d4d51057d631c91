"""Columns that name people, devices or rows, and repeat."""
