"""A tiny root of open and private studies, on shared features and on features of their own.

    OPEN1, OPEN2          open; OPEN2 brings some features of its own
    PRIV1, PRIV3          private; PRIV1 brings features of its own, PRIV3 none
    PRIV2                 private, of three traits

Two genes lie on it. It serves the tests of access: `make_root` makes it with any of the studies, so
that what a reader may see can be compared with a root that never held the rest.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final, Literal

import numpy as np
import pyarrow as pa

from nexome.model.genome import allele_key, assembly_from_contigs, hash_text, locus_of
from nexome.model.terms import Study, Trait
from nexome.store.associations import AssociationStore, Block
from nexome.store.genes import import_genes
from nexome.store.root import create_root

ASSEMBLY: Final = assembly_from_contigs("toy", "Homo sapiens", [("1", 100_000), ("2", 90_000), ("X", 50_000)])
LONG: Final = "A/" + "CG" * 20

_GENES: Final = pa.Table.from_pylist(
    [
        {"gene_symbol": "ABC1", "gene_id": "ENSG01", "chromosome": "1", "start": 1_000, "end": 9_000},
        {"gene_symbol": "ABC2", "gene_id": "ENSG02", "chromosome": "2", "start": 2_000, "end": 50_000},
    ]
)


def rows_of(seed: int, own: int, *, traits: int = 1) -> list[Block]:
    """60 features that all studies share, `own` features of this seed alone, one with a long allele."""
    shared = np.random.default_rng(7)
    places = {
        (int(c), int(p))
        for c, p in zip(shared.integers(0, 3, 60), shared.integers(1, 49_999, 60), strict=True)
    }
    rng = np.random.default_rng(seed)
    mine = {
        (int(c), 50_000 + seed * 100 + int(p))
        for c, p in zip(rng.integers(0, 2, own), rng.integers(0, 99, own), strict=True)
    }
    keys = [(locus_of(c, p), allele_key("A", "G"), p) for c, p in places | mine]
    keys += [(locus_of(0, p), allele_key("A", "T"), 0) for c, p in sorted(places)[:5] if c == 0]
    if own:
        keys.append((locus_of(1, 60_000 + seed), hash_text(LONG), 0))
    keys.sort()
    size = len(keys)
    blocks = []
    for trait in range(traits):
        z = rng.normal(0, 3, size).astype(np.float32)
        z[rng.random(size) < 0.1] = np.nan
        blocks.append(
            Block(
                locus=np.array([k[0] for k in keys], np.uint64),
                allele=np.array([k[1] for k in keys], np.uint64),
                z=z,
                se=np.where(np.isnan(z), np.nan, rng.uniform(0.01, 0.1, size)).astype(np.float32),
                eaf=np.where(np.isnan(z), np.nan, rng.uniform(0.1, 0.9, size)).astype(np.float32),
                rsid=np.array([k[2] for k in keys], np.uint32),
                trait=np.full(size, trait, np.uint32) if traits > 1 else None,
                spelled={hash_text(LONG): LONG},
            )
        )
    return blocks


def _study(
    name: str, title: str, title_zh: str, *, access: Literal["open", "private"], traits: int = 1
) -> Study:
    own = tuple(Trait(f"{name}{i}".lower(), f"{title} {i}", title_zh, n=1000.0 + i) for i in range(traits))
    return Study(name, title=title, title_zh=title_zh, access=access, traits=own)


# Each with the seed and the features of its own that it brings.
STUDIES: Final = {
    "OPEN1": (_study("OPEN1", "Fasting glucose", "空腹血糖", access="open"), 1, 0),
    "OPEN2": (_study("OPEN2", "Body height", "身高", access="open"), 2, 4),
    "PRIV1": (_study("PRIV1", "Secret glucose", "秘密血糖", access="private"), 3, 6),
    "PRIV2": (_study("PRIV2", "Secret proteins", "秘密蛋白", access="private", traits=3), 4, 8),
    "PRIV3": (_study("PRIV3", "Secret height", "秘密身高", access="private"), 5, 0),
}


def make_root(path: Path, names: Iterable[str] = ()) -> Path:
    """Make a root of these STUDIES, in the order given; of all when none is named."""
    create_root(path, assembly=ASSEMBLY)
    import_genes(path, ASSEMBLY, _GENES, source="toy.bed", sha256="")
    store = AssociationStore.open(path)
    for name in names or STUDIES:
        study, seed, own = STUDIES[name]
        staged = store.stage(study)
        for block in rows_of(seed, own, traits=len(study.traits)):
            staged.add(block)
        staged.publish({"study": name, "sources": [{"name": f"{name}.tsv.gz"}]})
    return path
