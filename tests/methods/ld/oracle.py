"""LD said slowly and plainly, one pair and one person at a time; what the fast passes are compared with."""

import numpy as np


def r_of_pair(x, y):
    """Pearson's r of two vectors over the places where neither is NaN; None where one does not vary."""
    both = ~(np.isnan(x) | np.isnan(y))
    x, y = x[both], y[both]
    if both.sum() < 2 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return None
    return float(np.corrcoef(x, y)[0, 1])


def d_prime(together, p, q):
    """Lewontin's D′ from the frequency of the haplotype with both alternate alleles."""
    d = together - p * q
    most = min(p * (1 - q), q * (1 - p)) if d >= 0 else min(p * q, (1 - p) * (1 - q))
    return d / most


def tally(x, y):
    """Haplotypes [allele of one, of the other] of people whose phase is plain, and double heterozygotes."""
    known = np.zeros((2, 2))
    double = 0
    for a, b in zip(x, y, strict=True):
        if np.isnan(a) or np.isnan(b):
            continue
        if a == 1 and b == 1:
            double += 1
            continue
        first = [int(a >= 1), int(a == 2)]
        second = [int(b >= 1), int(b == 2)]
        for i, j in zip(first, second, strict=True):  # one of the two is homozygous: no doubt about phase
            known[i, j] += 1
    return known, double


def likelihood(known, double, together):
    """Log-likelihood per haplotype of frequencies `together` of both alternate alleles; the others follow."""
    total = known.sum() + 2 * double
    p, q = (known[1].sum() + double) / total, (known[:, 1].sum() + double) / total
    shares = {(1, 1): together, (1, 0): p - together, (0, 1): q - together, (0, 0): 1 - p - q + together}
    likely = np.zeros_like(together)
    with np.errstate(divide="ignore", invalid="ignore"):
        for place, share in shares.items():
            likely += known[place] * np.log(np.maximum(share, 0)) if known[place] else 0.0
        if double:
            crossed = shares[1, 1] * shares[0, 0] + shares[1, 0] * shares[0, 1]
            likely += double * np.log(crossed)
    return likely / total


def haplotypes_of_pair(x, y, *, steps=200_001):
    """Frequencies (both, first alone, second alone, neither) of greatest likelihood, by looking at each."""
    known, double = tally(x, y)
    total = known.sum() + 2 * double
    together = (known[1, 1] + np.linspace(0, double, steps)) / total
    best = float(together[np.nanargmax(likelihood(known, double, together))])
    p, q = (known[1].sum() + double) / total, (known[:, 1].sum() + double) / total
    return best, p - best, q - best, 1 - p - q + best
