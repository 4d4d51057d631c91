"""The language of conditions on a row."""
