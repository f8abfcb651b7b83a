"""A root of open and private studies on shared and own features, made once, and roots of parts of it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from nexome.access.centre import Centre
from nexome.model.genome import allele_key, assembly_from_contigs, hash_text, locus_of
from nexome.model.terms import Study, Trait
from nexome.store.associations import AssociationStore, Block
from nexome.store.catalogue import Catalogue
from nexome.store.genes import import_genes
from nexome.store.root import create_root, open_root

ASSEMBLY = assembly_from_contigs("toy", "Homo sapiens", [("1", 100_000), ("2", 90_000), ("X", 50_000)])
LONG = "A/" + "CG" * 20

GENES = pa.Table.from_pylist(
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


def study_of(name: str, title: str, title_zh: str, *, access: str, traits: int = 1) -> Study:
    own = tuple(Trait(f"{name}{i}".lower(), f"{title} {i}", title_zh, n=1000.0 + i) for i in range(traits))
    return Study(name, title=title, title_zh=title_zh, access=access, traits=own)


# Each with the seed and the features of its own that it brings.
STUDIES = {
    "OPEN1": (study_of("OPEN1", "Fasting glucose", "空腹血糖", access="open"), 1, 0),
    "OPEN2": (study_of("OPEN2", "Body height", "身高", access="open"), 2, 4),
    "PRIV1": (study_of("PRIV1", "Secret glucose", "秘密血糖", access="private"), 3, 6),
    "PRIV2": (study_of("PRIV2", "Secret proteins", "秘密蛋白", access="private", traits=3), 4, 8),
    "PRIV3": (study_of("PRIV3", "Secret height", "秘密身高", access="private"), 5, 0),
}


def make_root(path: Path, names: list[str]) -> Path:
    create_root(path, assembly=ASSEMBLY)
    import_genes(path, ASSEMBLY, GENES, source="toy.bed", sha256="")
    store = AssociationStore.open(path)
    for name in names:
        study, seed, own = STUDIES[name]
        staged = store.stage(study)
        for block in rows_of(seed, own, traits=len(study.traits)):
            staged.add(block)
        staged.publish({"study": name, "sources": [{"name": f"{name}.tsv.gz"}]})
    return path


@pytest.fixture(scope="session")
def whole_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The root of all STUDIES; tests must not write studies into it."""
    return make_root(tmp_path_factory.mktemp("whole") / "root", list(STUDIES))


@pytest.fixture
def centre(whole_root: Path, tmp_path: Path) -> Iterator[Centre]:
    """The whole root, with a catalogue of this test's own."""
    root = open_root(whole_root)
    catalogue = Catalogue.open("", folder=tmp_path)
    with Centre(root, AssociationStore(root), catalogue, owner_token="nxm_owner") as opened:
        yield opened


@pytest.fixture(scope="session")
def root_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[frozenset[str]], Path]:
    """Roots that hold only some of the STUDIES, made when first asked for."""
    made: dict[frozenset[str], Path] = {}

    def get(names: frozenset[str]) -> Path:
        if names not in made:
            made[names] = make_root(
                tmp_path_factory.mktemp("part") / "root", [n for n in STUDIES if n in names]
            )
        return made[names]

    return get
