"""The tables beside genotypes: .bim and .pvar (variants), .fam and .psam (people), sample sheets.

Columns are parted by tabs or spaces. A .bim has six columns (contig, ID, centimorgan, position, A1, A2);
A2 is read as REF and A1 as ALT, as PLINK 2 does. A sample sheet is any delimited table with a header.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from nexome.formats.genotypes.reader import Person
from nexome.formats.stream import ByteStream, open_stream
from nexome.model.errors import FormatError

_BIM: Final = ("#CHROM", "ID", "CM", "POS", "ALT", "REF")
_BIM_SHORT: Final = ("#CHROM", "ID", "POS", "ALT", "REF")
_FAM: Final = ("FID", "IID", "PAT", "MAT", "SEX", "PHENO1")
_SEXES: Final = {"1": "male", "m": "male", "male": "male", "2": "female", "f": "female", "female": "female"}
_DIGITS: Final = frozenset("01234")

# Sheet column (lower case, without '#') → attribute of Person.
_SHEET: Final[dict[str, str]] = {
    **dict.fromkeys(("sample_id", "iid", "sample", "individual_id", "s", "id"), "sample_id"),
    **dict.fromkeys(("family_id", "fid", "family"), "family_id"),
    **dict.fromkeys(("father_id", "pat", "father", "dad", "paternal_id"), "father_id"),
    **dict.fromkeys(("mother_id", "mat", "mother", "mom", "maternal_id"), "mother_id"),
    **dict.fromkeys(("sex", "gender"), "sex"),
    **dict.fromkeys(("population", "pop"), "population"),
    **dict.fromkeys(("superpopulation", "super_pop", "superpop", "super_population"), "superpopulation"),
}


@dataclass(frozen=True, slots=True)
class VariantLine:
    """One line of a .bim or .pvar; `alts` as written, parted by commas."""

    line: int
    contig: str
    position: int
    id: str
    ref: str
    alts: str


@dataclass(frozen=True, slots=True)
class VariantFacts:
    """What the first reading of a .bim or .pvar tells: how many variants, most alleles, coded 1–4 or not."""

    variants: int
    digits: bool
    header: bool
    contigs: dict[str, int]


class VariantTable:
    """A .bim or .pvar, read from the start to the end."""

    def __init__(self, path: Path) -> None:
        self.stream = open_stream(path)
        self.contigs: dict[str, int] = {}
        self.build = ""
        self.has_header = False
        with ExitStack() as stack:
            stack.callback(self.stream.close)
            self._columns = self._read_header()
            stack.pop_all()

    def close(self) -> None:
        """Close the file."""
        self.stream.close()

    def lines(self) -> Iterator[VariantLine]:
        """All variants. Raises FormatError naming the line that cannot be read."""
        places = {name: i for i, name in enumerate(self._columns)}
        least = max(places[n] for n in ("#CHROM", "ID", "POS", "ALT", "REF")) + 1
        at = [places[n] for n in ("#CHROM", "POS", "ID", "REF", "ALT")]
        while (raw := self.stream.read_line()) is not None:
            words = raw.decode(errors="replace").split()
            if not words:
                continue
            if len(words) < least or not words[at[1]].lstrip("-").isdigit():
                raise self._unreadable(len(words), least)
            contig, position, identifier, ref, alts = (words[i] for i in at)
            yield VariantLine(self.stream.line, contig, int(position), identifier, ref, alts)

    def _read_header(self) -> Sequence[str]:
        while head := self.stream.peek_lines(1):
            text = head[0].decode(errors="replace")
            if not text.startswith("#"):
                return _BIM if len(text.split()) >= len(_BIM) else _BIM_SHORT
            self.stream.read_line()
            note_meta(text, self.contigs)
            self.build = self.build or build_of(text)
            if text.startswith("#CHROM"):
                self.has_header = True
                columns = text.split()
                if missing := {"POS", "ID", "REF", "ALT"} - set(columns):
                    raise FormatError(
                        f"no column {', '.join(sorted(missing))}",
                        where=f"{self.stream.name}, line {self.stream.line}",
                        expected="#CHROM POS ID REF ALT",
                    )
                return columns
        raise FormatError("no variants", where=self.stream.name, expected="one line a variant")

    def _unreadable(self, found: int, least: int) -> FormatError:
        return FormatError(
            f"{found} columns" if found < least else "a position that is no number",
            where=f"{self.stream.name}, line {self.stream.line}",
            expected=f"at least {least} columns: {' '.join(self._columns[:least])}",
        )


def scan_variants(path: Path) -> VariantFacts:
    """Read a .bim or .pvar once through: its size, and how alleles are written."""
    table = VariantTable(path)
    try:
        count, seen = 0, set[str]()
        for row in table.lines():
            count += 1
            if len(seen) < 64:
                seen.update((row.ref, row.alts))
        digits = bool(seen - {"0"}) and seen <= _DIGITS
        return VariantFacts(count, digits, table.has_header, table.contigs)
    finally:
        table.stream.close()


def note_meta(text: str, contigs: dict[str, int]) -> None:
    """Enter the name and length of a ##contig line of a VCF header."""
    if not text.startswith("##contig=<"):
        return
    parts = dict(
        p.split("=", 1) for p in text.removeprefix("##contig=<").rstrip().rstrip(">").split(",") if "=" in p
    )
    length = parts.get("length", "0").strip()
    if "ID" in parts:
        contigs[parts["ID"]] = int(length) if length.isdigit() else 0


def build_of(text: str) -> str:
    """The build a VCF header line names: ##reference=…GRCh37…, or assembly= of a contig; '' if none."""
    if not text.startswith(("##reference=", "##contig=<", "##assembly=")):
        return ""
    low = text.lower()
    for name, signs in (
        ("GRCh38", ("grch38", "hg38", "=b38")),
        ("GRCh37", ("grch37", "hg19", "=b37", "hs37d5", "human_g1k_v37")),
        ("NCBI36", ("ncbi36", "hg18", "=b36")),
    ):
        if any(sign in low for sign in signs):
            return name
    return ""


def read_people(path: Path) -> tuple[list[Person], ByteStream]:
    """The people of a .fam or .psam, in order. Raises FormatError naming the line that cannot be read."""
    stream = open_stream(path)
    columns: Sequence[str] = _FAM
    people = []
    try:
        while (raw := stream.read_line()) is not None:
            text = raw.decode(errors="replace")
            words = text.split()
            if text.startswith(("#FID", "#IID")):
                columns = [w.lstrip("#").upper() for w in words]
                continue
            if not words or text.startswith("#"):
                continue
            if len(words) < min(len(columns), 5 if columns is _FAM else len(columns)):
                raise FormatError(
                    f"{len(words)} columns",
                    where=f"{stream.name}, line {stream.line}",
                    expected=f"{len(columns)}: {' '.join(columns)}",
                )
            people.append(_person(dict(zip(columns, words, strict=False))))
    finally:
        stream.close()
    return people, stream


def read_sheet(path: Path) -> list[Person]:
    """The people of a sample sheet (or .fam, .psam), in order.

    Raises FormatError when no column is a sample identifier, or a line has too few cells.
    """
    stream = open_stream(path)
    try:
        head = stream.peek_lines(1)
        first = head[0].decode("utf-8-sig", errors="replace") if head else ""
        delimiter = "\t" if "\t" in first else "," if "," in first else None
        names = [_SHEET.get(n.strip().lstrip("#").lower(), "") for n in first.split(delimiter)]
        if "sample_id" not in names:
            if path.name.removesuffix(".gz").endswith(".fam"):
                return read_people(path)[0]
            raise FormatError(
                "no column of sample identifiers",
                where=f"{stream.name}, line 1",
                expected="a header with sample_id (or IID) and population, superpopulation, sex …",
                todo="Add a header line, or name the identifiers' column sample_id.",
            )
        stream.read_line()
        people = []
        while (raw := stream.read_line()) is not None:
            cells = raw.decode(errors="replace").split(delimiter)
            if not "".join(cells).strip():
                continue
            if len(cells) < len(names):
                raise FormatError(
                    f"{len(cells)} cells",
                    where=f"{stream.name}, line {stream.line}",
                    expected=str(len(names)),
                )
            people.append(_listed({n: c.strip() for n, c in zip(names, cells, strict=False) if n}))
        return people
    finally:
        stream.close()


def _listed(values: dict[str, str]) -> Person:
    for parent in ("father_id", "mother_id"):
        if values.get(parent) == "0":
            values[parent] = ""
    values["sex"] = _SEXES.get(values.get("sex", "").lower(), "")
    return Person(**values)


def _person(values: dict[str, str]) -> Person:
    def known(name: str) -> str:
        value = values.get(name, "0")
        return "" if value == "0" else value

    identifier = values["IID"] + (f"_{values['SID']}" if known("SID") else "")
    sex = _SEXES.get(values.get("SEX", "").lower(), "")
    return Person(
        identifier,
        known("FID"),
        known("PAT"),
        known("MAT"),
        sex,
        _label(values, "POPULATION", "POP"),
        _label(values, "SUPERPOPULATION", "SUPERPOP"),
    )


def _label(values: dict[str, str], *names: str) -> str:
    found = next((values[n] for n in names if n in values), "")
    return "" if found.upper() in {"NA", "NONE"} else found
