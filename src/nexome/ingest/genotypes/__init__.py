"""Importing genotypes: from files of people's genotypes to a published set with its receipt."""

from nexome.ingest.genotypes.requests import (
    PEOPLE_RULES,
    POSITION_FROM,
    GenotypeOptions,
    GenotypeReport,
)
from nexome.ingest.genotypes.run import import_genotypes

__all__ = ["PEOPLE_RULES", "POSITION_FROM", "GenotypeOptions", "GenotypeReport", "import_genotypes"]
