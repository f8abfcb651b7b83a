"""The genotype store: people's genotypes as VCF Zarr, and the packed bits that LD is computed from."""

from nexome.store.genotypes.dataset import GenotypeSet
from nexome.store.genotypes.manifest import FOLDER, SetEntry
from nexome.store.genotypes.store import GenotypeStore
from nexome.store.genotypes.types import KINDS, PEOPLE, GenotypeBlock, Kind, people_table
from nexome.store.genotypes.write import StagedSet

__all__ = [
    "FOLDER",
    "KINDS",
    "PEOPLE",
    "GenotypeBlock",
    "GenotypeSet",
    "GenotypeStore",
    "Kind",
    "SetEntry",
    "StagedSet",
    "people_table",
]
