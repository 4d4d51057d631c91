"""Conditions to filled-in rows, in chunks whose content depends on seed and number alone.

Modules, each importing only those before it: ``draw`` (rows under way), ``sampler``.
"""

from synthgan.sample.sampler import CHUNK_ROWS, Sampler

__all__ = ["CHUNK_ROWS", "Sampler"]
