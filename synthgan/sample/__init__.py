"""Conditions to rows."""
