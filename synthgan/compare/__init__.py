"""Baselines, and comparisons of models."""
