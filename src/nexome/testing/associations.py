"""Tiny association studies made from a seed: blocks to stage, and a fingerprint of what a store answers.

    tiny_study(3)            a one-trait study record
    tiny_block(3)            its rows: 300 variants on three contigs of TINY, some cells missing, some z
                             beyond the grid, one long allele
    tiny_molecules(4)        a study of several traits with positions
    contents(store)          {study: digest of every answer about it}; equal for equal stores

The numbers are random and mean nothing.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Final

import numpy as np

from nexome.model.genome import allele_key, assembly_from_contigs, hash_text, loci_of
from nexome.model.terms import Study, Trait
from nexome.store.associations.query import study_batches
from nexome.store.associations.store import AssociationStore
from nexome.store.associations.types import Block, Features
from nexome.store.root import create_root

TINY: Final = assembly_from_contigs(
    "tiny", "Homo sapiens", [("1", 2_000_000), ("2", 900_000), ("X", 400_000)]
)
LONG: Final = "A/" + "CG" * 20
COLUMNS: Final = ("z", "standard_error", "effect_allele_frequency", "n")

_PAIRS: Final = (("A", "G"), ("A", "T"), ("C", "CAT"))


def tiny_root(path: Path) -> AssociationStore:
    """A new root with the TINY assembly, and its store."""
    create_root(path, assembly=TINY)
    return AssociationStore.open(path)


def tiny_study(seed: int) -> Study:
    """Record of the one-trait study of that seed."""
    trait = Trait(f"t{seed}", f"Trait {seed}", n=1000.0 + seed)
    return Study(f"S{seed}", title=f"Study {seed}", ancestry=("", "European")[seed % 2], traits=(trait,))


def tiny_molecules(seed: int, traits: int = 5) -> Study:
    """Record of a study of several traits with positions of their own."""
    own = tuple(Trait(f"m{i}", f"Molecule {i}", contig="1", start=10 + i, end=99 + i) for i in range(traits))
    return Study(f"M{seed}", title=f"Molecules {seed}", traits=own)


def tiny_block(seed: int, *, features: int = 300, axis: int = 0, traits: int = 1) -> Block:
    """Rows of a study: features drawn from `axis` (equal for equal numbers), statistics from `seed`."""
    places = np.random.default_rng(1_000 + axis)
    rng = np.random.default_rng(seed)
    contig = np.sort(places.integers(0, 3, features))
    position = places.integers(1, 400_000, features)
    locus = np.sort(loci_of(contig, position))
    keys = np.array([allele_key(*pair) for pair in _PAIRS], np.uint64)
    allele = keys[places.integers(0, 3, features)]
    allele[features // 2] = hash_text(LONG)
    order = np.lexsort((allele, locus))
    kept = order[np.concatenate([[True], np.diff(locus[order]) > 0])]
    locus, allele = np.tile(locus[kept], traits), np.tile(allele[kept], traits)
    size = len(locus)
    z = rng.normal(0, 2, size).astype(np.float32)
    z[rng.random(size) < 0.02] *= 40
    missing = rng.random(size) < 0.1
    values = (z, rng.uniform(0.01, 0.2, size), rng.uniform(0.001, 0.999, size))
    z, se, eaf = (np.where(missing, np.float32(np.nan), v.astype(np.float32)) for v in values)
    rsid = np.tile(places.integers(1, 9_999, len(kept)), traits).astype(np.uint32)
    trait = np.repeat(np.arange(traits, dtype=np.uint32), len(kept)) if traits > 1 else None
    return Block(locus, allele, z, se, eaf, rsid=rsid, trait=trait, spelled={hash_text(LONG): LONG})


def publish_tiny(store: AssociationStore, seed: int, *, axis: int = 0) -> None:
    """Stage and publish the one-trait study of a seed."""
    staged = store.stage(tiny_study(seed))
    staged.add(tiny_block(seed, axis=axis))
    staged.publish({"source": f"seed {seed}"})


def publish_molecules(store: AssociationStore, seed: int, *, traits: int = 5) -> None:
    """Stage and publish the many-trait study of a seed."""
    staged = store.stage(tiny_molecules(seed, traits))
    staged.add(tiny_block(seed, features=60, axis=9, traits=traits))
    staged.publish({"source": f"seed {seed}"})


def make_every_layout(path: Path) -> AssociationStore:
    """A root with ten studies in dense, column and ragged segments: S20–S25, S1, S2, S3 and M4."""
    store = tiny_root(path)
    block = tiny_block(0)
    blocks = [tiny_block(seed) for seed in range(20, 26)]
    rsid = np.zeros(len(block), np.uint32) if block.rsid is None else block.rsid
    matrix = store.stage_matrix(
        [tiny_study(seed) for seed in range(20, 26)],
        Features(block.locus, block.allele, rsid, block.spelled),
    )
    matrix.add_rows(*(np.stack([getattr(b, p) for b in blocks], axis=1) for p in ("z", "se", "eaf")))
    matrix.publish({"source": "matrix"})
    publish_tiny(store, 1)
    publish_tiny(store, 2)
    publish_tiny(store, 3, axis=1)
    publish_molecules(store, 4)
    return store


def contents(store: AssociationStore) -> dict[str, str]:
    """Digest of every cell, the hits and the receipt of each study: equal stores, equal digests."""
    snapshot = store.snapshot()
    found = {}
    for name, published in snapshot.studies.items():
        digest = hashlib.sha256(repr(sorted(published.receipt().items())).encode())
        digest.update(repr(published.study).encode())
        for cells in study_batches(snapshot, name):
            for array in (cells.features.locus, cells.features.allele, *cells.columns(COLUMNS).values()):
                digest.update(np.ascontiguousarray(array).tobytes())
        digest.update(published.summary().hits().z.tobytes())
        found[name] = digest.hexdigest()
    return found


def write_archive(path: Path, work: Path) -> None:
    """Write the store of `make_every_layout` as a .zip, with digests.json of what it must answer.

    Kept of every release in tests/archive, where a test opens all of them. `work` is an empty folder.
    """
    store = make_every_layout(work / "root")
    (work / "digests.json").write_text(json.dumps(contents(store), indent=1))
    shutil.make_archive(str(path.with_suffix("")), "zip", work)
