"""What may be said of an import of genotypes, and what it tells when it is done."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from nexome.model.terms import Access
from nexome.store.genotypes import Kind

People = Literal["same", "shared"]
PositionFrom = Literal["file", "rsid"]
PEOPLE_RULES: Final = ("same", "shared")
POSITION_FROM: Final = ("file", "rsid")


@dataclass(frozen=True, slots=True)
class GenotypeOptions:
    """What a person says of the files of one set; everything left empty is taken from them.

    `sheet`: sample sheet with populations. `assembly`: build of the positions. `chain`: UCSC chain from it to
    the home assembly. `sites`, `fasta`: what tells REF and ALT of a .bim, of the home assembly. `people`: the
    files must have the `same` people, or only those in all of them are kept (`shared`). `position_from`:
    `rsid` takes positions from `sites` by rs number. `replace`: a set of that name gets a new version.
    """

    name: str
    kind: Kind = "samples"
    access: Access = "private"
    sheet: Path | None = None
    assembly: str = ""
    chain: Path | None = None
    sites: Path | None = None
    fasta: Path | None = None
    people: People = "same"
    position_from: PositionFrom = "file"
    replace: bool = False
    command: str = ""

    def as_choices(self) -> dict[str, Any]:
        """Everything said that decides what is stored, as plain JSON values."""
        files = {n: str(getattr(self, n) or "") for n in ("sheet", "chain", "sites", "fasta")}
        said = {"kind": self.kind, "access": self.access, "assembly": self.assembly}
        return {**said, **files, "people": self.people, "position_from": self.position_from}


@dataclass(frozen=True, slots=True)
class GenotypeReport:
    """What an import did. `counts` as in the receipt: rows in, kept, dropped; by rule."""

    name: str
    version: int
    variants: int
    people: int
    populations: dict[str, int]
    phased: bool
    dosages: bool
    bytes: int
    seconds: float
    counts: dict[str, Any]
    notes: list[str] = field(default_factory=list)
