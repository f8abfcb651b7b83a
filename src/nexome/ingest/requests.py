"""What a person asks for: which files become which studies, and by which choices.

An `ImportRequest` is one file with what is said of its study; `ImportOptions` are the choices that hold
for all files of one command. Both go into the receipt. Nothing is read here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from nexome.formats.reader import ReadOptions
from nexome.ingest.harmonise.alleles import Palindromic
from nexome.model.errors import InputError

OtherFrequency = Literal["refuse", "fix", "keep"]
Duplicates = Literal["first", "refuse", "drop-all"]
ZFrom = Literal["auto", "estimate", "p"]
AlleleCoding = Literal["auto", "letters", "digits"]
PositionFrom = Literal["file", "rsid"]

CHOICES: Final[Mapping[str, tuple[str, ...]]] = {
    "z_from": ("auto", "estimate", "p"),
    "eaf_other_allele": ("refuse", "fix", "keep"),
    "palindromic": ("auto", "keep", "infer", "drop"),
    "duplicates": ("first", "refuse", "drop-all"),
    "alleles": ("auto", "letters", "digits"),
    "position_from": ("file", "rsid"),
}


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """Choices of one import. Defaults ask rather than guess.

    `assembly`: the build of the file's positions, '' when file metadata or a sites table must tell.
    `chain`: UCSC chain from that build to the home assembly. `sites`: known sites of the home assembly
    (VCF or table). `fasta`: reference sequence of the home assembly. `traits`: table of the traits of a
    file of several. `z_from`: what has the say over z (see harmonise.effects). `eaf_other_allele`: what
    to do when the frequency is that of the other allele. `palindromic`, `duplicates`, `alleles`,
    `position_from`: see docs/import.md. `exact`: keep float32 planes. `replace`: a study of the same
    name gets a new version. `command`: how to repeat, for the receipt.
    """

    read: ReadOptions = field(default_factory=ReadOptions)
    assembly: str = ""
    chain: Path | None = None
    sites: Path | None = None
    fasta: Path | None = None
    traits: Path | None = None
    z_from: ZFrom = "auto"
    eaf_other_allele: OtherFrequency = "refuse"
    palindromic: Palindromic = "auto"
    duplicates: Duplicates = "first"
    alleles: AlleleCoding = "auto"
    position_from: PositionFrom = "file"
    exact: bool = False
    replace: bool = False
    command: str = ""

    def __post_init__(self) -> None:
        for name, allowed in CHOICES.items():
            if getattr(self, name) not in allowed:
                raise InputError(f"{name} {getattr(self, name)!r}", expected="one of " + ", ".join(allowed))

    def as_choices(self) -> dict[str, Any]:
        """Everything that decides what is stored, as plain JSON values (without the command)."""
        values = asdict(self)
        for name in ("command", "replace"):
            values.pop(name)
        return _plain(values)


@dataclass(frozen=True, slots=True)
class ImportRequest:
    """One file ('-' is standard input) and what is said of its study; empty values come from the file.

    `study`: fields of model.terms.Study, `trait`: of model.terms.Trait, as text or numbers. `assembly`
    and `mapping` here are stronger than those of the options (a manifest may give them per file).
    """

    path: str
    study: Mapping[str, Any] = field(default_factory=dict)
    trait: Mapping[str, Any] = field(default_factory=dict)
    assembly: str = ""
    mapping: Mapping[str, str] = field(default_factory=dict)
    format: str = ""
    line: int = 0  # of the manifest; 0: not from one


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    return str(value) if isinstance(value, Path) else value
