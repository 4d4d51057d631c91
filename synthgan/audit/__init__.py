"""Attacks on private fits, by this package on itself."""
