"""The former place of :mod:`synthgan.integrations.ray`, for one more release."""

from synthgan.integrations.ray import fit_dataset, sample_dataset

__all__ = ["fit_dataset", "sample_dataset"]
