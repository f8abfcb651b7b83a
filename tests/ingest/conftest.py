import gzip
import math
from pathlib import Path

import pytest

from nexome.ingest.requests import ImportOptions, ImportRequest
from nexome.ingest.run import import_associations
from nexome.model.genome import assembly_from_contigs
from nexome.store.associations import AssociationStore, query
from nexome.store.root import create_root

HOME = assembly_from_contigs("tiny", "Homo sapiens", [("1", 1_000_000), ("2", 500_000), ("X", 400_000)])
HEAD = (
    "chromosome",
    "base_pair_location",
    "effect_allele",
    "other_allele",
    "beta",
    "standard_error",
    "effect_allele_frequency",
    "p_value",
)


class Desk:
    """A store and a folder for source files, with the import as a person would call it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        create_root(folder / "root", assembly=HOME)
        self.store = AssociationStore.open(folder / "root")

    def write(self, rows, *, name="rows.tsv", head=HEAD) -> Path:
        path = self.folder / name
        text = "\n".join("\t".join(str(cell) for cell in row) for row in [head, *rows]) + "\n"
        path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
        return path

    def run(self, path, *, study="S", trait=None, progress=None, mapping=None, **choices):
        said = {"id": study} if isinstance(study, str) else study
        request = ImportRequest(str(path), study=said, trait=trait or {}, mapping=mapping or {})
        options = ImportOptions(**{"assembly": "tiny", **choices})
        return import_associations(self.store, [request], options, progress).files[0]

    def rows(self, study="S"):
        """{(contig, position, ref, alt or name, trait): (beta, se, eaf)} of a published study, rounded."""
        snapshot = self.store.snapshot()
        found = {}
        for part in query.study_batches(snapshot, study):
            table = part.table(
                [
                    "chromosome",
                    "base_pair_location",
                    "other_allele",
                    "effect_allele",
                    "feature_name",
                    "trait_id",
                    "beta",
                    "standard_error",
                    "effect_allele_frequency",
                ]
            ).to_pydict()
            for c, p, r, a, f, t, *values in zip(*table.values(), strict=True):
                found[c, p, r, a or f, t] = tuple(
                    None if v is None or math.isnan(v) else round(v, 2) for v in values
                )
        return found

    def receipt(self, study="S"):
        return self.store.snapshot().studies[study].receipt()


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path)


@pytest.fixture(scope="session")
def new_desk():
    return Desk
