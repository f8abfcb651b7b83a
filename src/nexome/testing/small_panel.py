"""A small LD panel over given features: 200 made-up people of three populations, phased.

Haplotypes copy one of twelve ancestors for ten variants, then another, so that neighbours are in LD.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from nexome.store.associations import Features
from nexome.store.genotypes import GenotypeBlock, GenotypeStore, people_table

PANEL: Final = "SC-PANEL"

_POPULATIONS: Final = (("EAS", 80), ("EUR", 70), ("SAS", 50))
_ANCESTORS: Final = 12
_BLOCK: Final = 10


def make_small_panel(
    path: Path, features: Features, frequency: npt.NDArray[Any], rng: np.random.Generator
) -> None:
    """Publish the panel PANEL, open, in the root at `path`; `frequency` [V] is that of the ancestors."""
    names = [name for name, size in _POPULATIONS for _ in range(size)]
    people = people_table({"sample_id": [f"SC{i}" for i in range(len(names))], "population": names})
    size = len(features)
    ancestors = rng.random((_ANCESTORS, size)) < frequency
    source = rng.integers(0, _ANCESTORS, (-(-size // _BLOCK), 2 * len(names)))
    alleles = ancestors[source[np.arange(size) // _BLOCK], np.arange(size)[:, None]]
    calls = alleles.astype(np.int8).reshape(size, len(names), 2)
    with GenotypeStore.open(path).stage(PANEL, people, kind="ld-panel", access="open") as staged:
        staged.add(
            GenotypeBlock(
                locus=features.locus,
                allele=features.allele,
                calls=calls,
                phased=np.ones(calls.shape[:2], bool),
                rsid=features.rsid,
                spelled=features.spelled,
            )
        )
        staged.publish({"source": "small centre"})
