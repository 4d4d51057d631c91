"""Does the privacy guarantee hold? Fits on neighbouring tables, and attempts to tell them apart.

Modules, each importing only those before it: ``replaced``, ``bounds`` (from error rates to
epsilon and mu), ``report`` (findings), ``tables`` (worst cases), ``variants`` (faults built in on
purpose), ``watch`` (fits under observation), ``replay`` (exact comparison with noisy answers
frozen), ``attacks`` (many runs), ``run`` (:func:`audit_privacy`).

It is named after what auditors of private learning do: Jagielski et al. (2020), Nasr et al.
(2021, 2023), Steinke et al. (2023).
"""

from synthgan.audit.report import Audit, Finding
from synthgan.audit.run import audit_privacy

__all__ = ["Audit", "Finding", "audit_privacy"]
