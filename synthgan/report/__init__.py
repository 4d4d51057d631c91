"""Figures to words, pictures and pages."""
