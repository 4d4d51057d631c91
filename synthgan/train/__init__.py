"""Tokens to a generator."""
