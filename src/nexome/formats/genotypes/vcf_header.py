"""The header of a VCF or BCF with genotypes: samples, contigs, build; shared by both readers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from nexome.formats.genotypes.reader import Header, Person, check_people
from nexome.formats.genotypes.tables import build_of, note_meta
from nexome.model.errors import FormatError

_FIXED = ("CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT")


@dataclass
class VcfHeader:
    """What the lines of a header say. `strings` and `contig_names` are a BCF's dictionaries, by number."""

    contigs: dict[str, int] = field(default_factory=dict)
    build: str = ""
    samples: tuple[str, ...] = ()
    strings: dict[int, str] = field(default_factory=lambda: {0: "PASS"})
    contig_names: dict[int, str] = field(default_factory=dict)

    def read_lines(self, lines: Iterable[str], where: str) -> Header:
        """Take in the lines up to #CHROM. Raises FormatError when it lacks samples, or has one twice."""
        number = 0
        for number, text in enumerate(lines, 1):
            if text.startswith("##"):
                note_meta(text, self.contigs)
                self.build = self.build or build_of(text)
                self._note_dictionary(text)
                continue
            self._read_names(text, f"{where}, line {number}")
            people = check_people([Person(s) for s in self.samples], f"{where}, line {number}")
            return Header(people, contigs=self.contigs, build=self.build)
        raise FormatError(
            "no header line",
            where=f"{where}, line {number}",
            expected="#CHROM POS ID REF ALT … FORMAT and samples",
        )

    def _read_names(self, text: str, where: str) -> None:
        names = text.rstrip("\r\n").removeprefix("#").split("\t")
        if tuple(names[:9]) == _FIXED and len(names) > 9:
            self.samples = tuple(names[9:])
            return
        if tuple(names[:8]) == _FIXED[:8]:
            raise FormatError(
                "a VCF without samples",
                where=where,
                expected="FORMAT and at least one sample behind INFO",
                todo="Sites alone serve as --sites; genotypes need a VCF with samples.",
            )
        raise FormatError(
            "not the header line of a VCF", where=where, expected="#CHROM POS ID REF ALT … parted by tabs"
        )

    def _note_dictionary(self, text: str) -> None:
        """Numbers of a BCF's dictionaries: IDX where written, else the order of first mention."""
        kind, _, rest = text.removeprefix("##").partition("=<")
        if kind not in {"contig", "INFO", "FORMAT", "FILTER"} or "ID=" not in rest:
            return
        name = rest.split("ID=", 1)[1].split(",", 1)[0].rstrip(">\r\n")
        table = self.contig_names if kind == "contig" else self.strings
        if name in table.values():
            return
        tail = rest.rsplit("IDX=", 1)[1].rstrip(">\r\n") if "IDX=" in rest else ""
        table[int(tail) if tail.isdigit() else len(table)] = name
