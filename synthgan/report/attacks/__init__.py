"""Smoke alarms and attacks: what do the synthetic rows give away of the training rows?

Failing means that training rows show through, or that the holdout is no random sample; passing
means nothing. Only differential privacy gives a
guarantee.
"""

from synthgan.report.attacks.attributes import attribute_findings
from synthgan.report.attacks.copies import copy_findings, exact_copies, refuse_holdout
from synthgan.report.attacks.distances import dcr_share, distance_findings, membership_auc
from synthgan.report.attacks.identifiers import identifier_findings
from synthgan.report.attacks.membership import membership_findings
from synthgan.report.attacks.outliers import outlier_findings
from synthgan.report.attacks.replay import replay_findings

__all__ = [
    "attribute_findings",
    "copy_findings",
    "dcr_share",
    "distance_findings",
    "exact_copies",
    "identifier_findings",
    "membership_auc",
    "membership_findings",
    "outlier_findings",
    "refuse_holdout",
    "replay_findings",
]
