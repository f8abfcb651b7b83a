"""Assemblies, contigs, variant keys that sort by position, and intervals.

A feature's key is a pair of unsigned 64-bit numbers:

    locus   contig rank << 32 | position         sorts by contig, then by position (1-based)
    allele  0 | len(ref):5 | len(alt):5 | bases  two bits a base (A C G T), ref first, up to 26 bases
            1 | 63 bits of BLAKE2b               longer alleles, symbols, named features: the text
                                                 ("REF/ALT" or the name) is kept beside the key

A feature without a position has contig rank 2³²−1 and position 0. Positions are 1-based and both
ends of an interval are included, as in GWAS-SSF and VCF. Any species: contigs come from the
assembly, in its order. No input or output here.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt

from nexome.model.errors import NotFoundError, QueryError

UNPLACED: Final = 0xFFFFFFFF
MAX_POSITION: Final = 0xFFFFFFFF
MAX_PACKED_BASES: Final = 26  # 52 bits hold 26 bases; 5 + 5 bits of lengths and the flag sit above
HASHED: Final = 1 << 63

_BASE_CODE: Final = {"A": 0, "C": 1, "G": 2, "T": 3}
_BASES: Final = "ACGT"
_COMPLEMENT: Final = str.maketrans("ACGTUNacgtun", "TGCAANtgcaan")
_ALIASES: Final = {"23": "X", "24": "Y", "25": "X", "26": "MT", "M": "MT", "XY": "X"}


@dataclass(frozen=True, slots=True)
class Contig:
    """One sequence: its name, length in bases (0: unknown) and GA4GH digest (`SQ.…`, may be empty)."""

    name: str
    length_bp: int = 0
    digest: str = ""


@dataclass(frozen=True)
class Assembly:
    """A named, ordered set of contigs. Two assemblies are the same when their digests are.

    `digest` is the SHA-256 (first 32 hexadecimal digits) of the contigs' names, lengths and
    sequence digests in order, so that a name alone never decides.
    """

    name: str
    species: str
    contigs: tuple[Contig, ...]

    @cached_property
    def digest(self) -> str:
        """Identity of this assembly, from its contigs alone."""
        text = json.dumps([[c.name, c.length_bp, c.digest] for c in self.contigs])
        return hashlib.sha256(text.encode()).hexdigest()[:32]

    @cached_property
    def _rank(self) -> dict[str, int]:
        return {c.name.upper(): i for i, c in enumerate(self.contigs)}

    def find_contig(self, text: str) -> int | None:
        """Rank of the contig a file or person means by `text`, or None.

        Understands 'chr7', '07', '7', PLINK's 23–26, 'M'/'MT', and the NC_0000xx.y accessions of
        human chromosomes; an exact name always wins.
        """
        name = text.strip().upper()
        for candidate in self._spellings(name):
            if (rank := self._rank.get(candidate)) is not None:
                return rank
        return None

    def _spellings(self, name: str) -> Iterable[str]:
        yield name
        bare = name.removeprefix("CHR").removeprefix("_")
        yield bare
        yield "CHR" + bare
        if match := re.fullmatch(r"NC_0*(\d+)\.\d+", bare):
            bare = "MT" if match[1] == "12920" else match[1]
            yield bare
        bare = bare.lstrip("0") or "0"
        yield bare
        yield "CHR" + bare
        if self.species == "Homo sapiens" and bare in _ALIASES:
            yield _ALIASES[bare]
            yield "CHR" + _ALIASES[bare]
            yield "CHRM" if _ALIASES[bare] == "MT" else _ALIASES[bare]

    def rank(self, text: str) -> int:
        """Rank of a contig; raises NotFoundError naming the assembly when it has none such."""
        if (found := self.find_contig(text)) is None:
            raise NotFoundError(
                f"no contig {text[:60]!r} in assembly {self.name}",
                expected=f"one of {', '.join(c.name for c in self.contigs[:30])}",
            )
        return found

    def contig_name(self, rank: int) -> str:
        """Name of the contig with that rank; '' for features without a position."""
        return "" if rank == UNPLACED else self.contigs[rank].name

    def as_dict(self) -> dict[str, Any]:
        """The assembly as plain JSON values."""
        contigs = [[c.name, c.length_bp, c.digest] for c in self.contigs]
        return {"name": self.name, "species": self.species, "digest": self.digest, "contigs": contigs}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """The assembly back from `as_dict` (its digest is computed anew)."""
        contigs = tuple(Contig(*c) for c in values["contigs"])
        return cls(values["name"], values["species"], contigs)


@dataclass(frozen=True, slots=True)
class Interval:
    """A stretch of one contig, 1-based, both ends included."""

    contig: int
    start: int
    end: int

    @property
    def locus_range(self) -> tuple[int, int]:
        """First locus inside and first locus behind, as numbers of the sorted axis."""
        return self.contig << 32 | self.start, (self.contig << 32 | self.end) + 1


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of the genome that may run over several contigs.

    From `start` of contig `first` to `end` of contig `last`, 1-based, both ends included.
    """

    first: int
    start: int
    last: int
    end: int

    @property
    def locus_range(self) -> tuple[int, int]:
        """First locus inside and first locus behind, as numbers of the sorted axis."""
        return self.first << 32 | self.start, (self.last << 32 | self.end) + 1


@dataclass(frozen=True, slots=True)
class VariantName:
    """What a person wrote for a variant: an rs number, or a position with or without alleles."""

    rsid: int | None = None
    contig: int | None = None
    position: int | None = None
    ref: str = ""
    alt: str = ""


def locus_of(contig: int, position: int) -> int:
    """The sorting number of a position: contig rank in the upper, position in the lower 32 bits."""
    return contig << 32 | position


def loci_of(contig: npt.NDArray[Any], position: npt.NDArray[Any]) -> npt.NDArray[np.uint64]:
    """`locus_of` for arrays of V contig ranks and V positions."""
    return contig.astype(np.uint64) << np.uint64(32) | position.astype(np.uint64)


def hash_text(text: str) -> int:
    """Allele key of a text that cannot be packed: the flag and 63 bits of BLAKE2b."""
    digest = hashlib.blake2b(text.encode(), digest_size=8).digest()
    return HASHED | int.from_bytes(digest, "big") >> 1


def allele_key(ref: str, alt: str) -> int:
    """Key of a pair of alleles; packed where both are A, C, G, T and short enough, else hashed.

    >>> unpack_alleles(allele_key("A", "GT"))
    ('A', 'GT')
    >>> allele_key("A", "<DEL>") >> 63
    1
    """
    ref, alt = ref.upper(), alt.upper()
    bases = ref + alt
    if not ref or not alt or len(bases) > MAX_PACKED_BASES or bases.strip(_BASES):
        return hash_text(f"{ref}/{alt}")
    packed = 0
    for base in bases:
        packed = packed << 2 | _BASE_CODE[base]
    return len(ref) << 57 | len(alt) << 52 | packed


def feature_key(kind: str, name: str) -> int:
    """Allele key of a named feature (gene, CpG site, protein …): the hash of 'kind:name'."""
    return hash_text(f"{kind}:{name}")


@lru_cache(maxsize=65_536)  # answers spell the same few pairs of alleles again and again
def unpack_alleles(key: int) -> tuple[str, str] | None:
    """(ref, alt) of a packed allele key; None when the key is a hash.

    >>> unpack_alleles(allele_key("C", "T"))
    ('C', 'T')
    """
    if key >> 63:
        return None
    n_ref, n_alt = key >> 57 & 31, key >> 52 & 31
    total = n_ref + n_alt
    bases = "".join(_BASES[key >> 2 * (total - 1 - i) & 3] for i in range(total))
    return bases[:n_ref], bases[n_ref:]


def reverse_complement(allele: str) -> str:
    """The other strand's spelling of an allele.

    >>> reverse_complement("AAC")
    'GTT'
    """
    return allele.translate(_COMPLEMENT)[::-1]


def parse_variant(text: str, assembly: Assembly) -> VariantName:
    """Understand a variant as people write it.

    'rs123', 'RS123', 'rs 123'; '7:1234', 'chr7:1234'; '7-1234-A-G', '7:1234:A:G', 'chr7_1234_A/G',
    '7:1,234 A>G'. Raises QueryError when the text is none of these, NotFoundError for an unknown
    contig. Letter case does not matter.
    """
    clean = text.strip()
    if match := re.fullmatch(r"(?i)rs\s*(\d{1,12})", clean):
        return VariantName(rsid=int(match[1]))
    pattern = r"(?i)([\w.*]+?)[:_\-\s]([\d,]+)(?:[:_\-\s]+([A-Z<>*:]+?)[:_\-/>\s]+([A-Z<>*:]+))?"
    match = re.fullmatch(pattern, clean)
    if not match or not match[2].replace(",", ""):
        raise QueryError(
            f"cannot read {text[:80]!r} as a variant",
            expected="an rs number (rs4988235), a position (2:135851076) or position and alleles "
            "(2-135851076-G-A)",
        )
    position = int(match[2].replace(",", ""))
    _check_position(position, text)
    return VariantName(
        contig=assembly.rank(match[1]),
        position=position,
        ref=(match[3] or "").upper(),
        alt=(match[4] or "").upper(),
    )


def parse_interval(text: str, assembly: Assembly) -> Interval:
    """Understand 'chr2:1000-2000', '2:1,000-2,000', '2:1kb-3.5Mb', '2:150' (one base) or '2' (all of it).

    Raises QueryError when start lies behind end or the text is none of these, NotFoundError for an
    unknown contig.
    """
    clean = text.strip().replace(",", "").replace("–", "-")
    number = r"(\d+(?:\.\d+)?(?:[km]b?)?)"
    match = re.fullmatch(rf"(?i)([\w.*]+)(?::{number}(?:(?:-|\.\.){number}?)?)?", clean)
    if not match:
        raise QueryError(
            f"cannot read {text[:80]!r} as a region",
            expected="contig:start-end, for example 2:165000000-166000000",
        )
    contig = assembly.rank(match[1])
    if match[2] is None:
        return Interval(contig, 1, assembly.contigs[contig].length_bp or MAX_POSITION)
    start = max(1, _bases(match[2], text))
    end = _bases(match[3], text) if match[3] else start
    _check_position(end, text)
    if start > end:
        raise QueryError(f"region {text[:80]!r} starts behind its end", expected="start ≤ end")
    return Interval(contig, start, end)


def _check_position(position: int, text: str) -> None:
    if position > MAX_POSITION:
        raise QueryError(f"position {position} in {text[:80]!r}", expected=f"at most {MAX_POSITION}")


def _bases(text: str, whole: str) -> int:
    number = text.lower().rstrip("b")
    scale = {"k": 1_000, "m": 1_000_000}.get(number[-1:], 1)
    try:
        return round(float(number.rstrip("km")) * scale)
    except ValueError:
        raise QueryError(f"cannot read {text!r} in {whole[:80]!r} as a number of bases") from None


def assembly_from_contigs(
    name: str, species: str, contigs: Sequence[tuple[str, int] | tuple[str, int, str]]
) -> Assembly:
    """An assembly from (name, length) or (name, length, digest) rows, in the order given."""
    return Assembly(name, species, tuple(Contig(*c) for c in contigs))
