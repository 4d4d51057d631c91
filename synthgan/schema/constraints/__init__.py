"""Constraints, one file a kind: declared, found, checked, repaired."""
