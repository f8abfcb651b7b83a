"""Association scans: each variant against each trait, with covariates.

    design.py     what both scans share: the checked input, which samples count, the result
    linear.py     least squares, all traits at once
    logistic.py   maximum likelihood for traits that are 0 or 1

People are taken as unrelated: there is no random effect, and no correction for unbalanced case counts
(Firth, saddle point). Use REGENIE, SAIGE or BOLT-LMM where those matter, and import their results.
"""

from nexome.methods.scan.design import ScanResult
from nexome.methods.scan.linear import scan_linear
from nexome.methods.scan.logistic import scan_logistic

__all__ = ["ScanResult", "scan_linear", "scan_logistic"]
