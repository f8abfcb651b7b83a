"""Simulate a trait on the real genotypes of a set, of known cause, and write its association results.

    python simulate_trait.py ROOT SET CAUSE SHARE SEED > results.tsv

CAUSE is a variant of the set, such as 7-127254000-C-T; SHARE of the trait's variance is due to it, the rest
is chance. Every variant with a minor allele frequency of 1 % or more is tested by least squares. A set's
genotypes are read by whoever holds its root; no page and no API gives them out.
"""

import sys
from pathlib import Path

import numpy as np

from nexome.methods.scan import scan_linear
from nexome.methods.scan.linear import neg_log10_p_from_t
from nexome.model.genome import allele_key, locus_of, parse_variant, unpack_alleles
from nexome.store.associations import FeatureKey
from nexome.store.genotypes import GenotypeStore
from nexome.store.root import open_root

root, name, cause, share, seed = sys.argv[1:6]
assembly = open_root(Path(root)).assembly
genotypes = GenotypeStore.open(Path(root)).get(name)

frequency = genotypes.frequencies(slice(None))
rows = np.flatnonzero(np.minimum(frequency, 1 - frequency) >= 0.01)
features = genotypes.features(rows)
alternate = genotypes.alternate_counts(rows).astype(float)
alternate[alternate < 0] = np.nan

asked = parse_variant(cause, assembly)
(row,) = genotypes.find(
    [FeatureKey(locus_of(asked.contig, asked.position), allele_key(asked.ref, asked.alt))]
)
if row < 0:
    sys.exit(f"{cause} is not in {name}")
carried = genotypes.alternate_counts(np.array([row]))[0]
chance = np.random.default_rng(int(seed)).standard_normal(len(carried))
trait = np.sqrt(float(share)) * (carried - carried.mean()) / carried.std()
trait += np.sqrt(1 - float(share)) * chance

found = scan_linear(alternate, trait[:, None])
p = neg_log10_p_from_t(found.z, found.n - 2)
print(
    "chromosome\tbase_pair_location\teffect_allele\tother_allele\tbeta\tstandard_error\t"
    "effect_allele_frequency\tneg_log_10_p_value\trsid\tn"
)
for i in np.flatnonzero(np.isfinite(found.z[:, 0])):
    contig, position = divmod(int(features.locus[i]), 1 << 32)
    alleles = unpack_alleles(int(features.allele[i]))
    if alleles is None:  # too long to stand in the key: the results go without it
        continue
    rsid = f"rs{features.rsid[i]}" if features.rsid[i] else "NA"
    numbers = (found.beta[i, 0], found.standard_error[i, 0], found.effect_allele_frequency[i, 0], p[i, 0])
    values = "\t".join(f"{number:.6g}" for number in numbers)
    place = f"{assembly.contigs[contig].name}\t{position}\t{alleles[1]}\t{alleles[0]}"
    print(f"{place}\t{values}\t{rsid}\t{found.n[i, 0]}")
