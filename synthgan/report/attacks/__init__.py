"""Smoke alarms and attacks: what do the synthetic rows give away of the training rows?"""

from synthgan.report.attacks.distances import dcr_share, exact_copies, membership_auc

__all__ = ["dcr_share", "exact_copies", "membership_auc"]
