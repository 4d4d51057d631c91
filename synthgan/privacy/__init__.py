"""Differential privacy: every line that the guarantee rests on."""
