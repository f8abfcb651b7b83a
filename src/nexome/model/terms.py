"""The terms of the house, each with one meaning, and the small records made of them.

study    what is published, replaced or withdrawn as one: one or many traits measured in one set
         of people, with its licence, its publication and its access
trait    one column of the association store: a phenotype, a molecule, a contrast, a cell type
feature  one row: a variant, or a named feature with a position (gene, CpG site, protein, interval)
cell     one feature × one trait: z, standard error, effect allele frequency, sometimes n and info
segment  an immutable set of cells on disk; axis: the sorted features a segment is written on

The effect allele of a stored variant is its alternate allele (`alt`), the other allele its
reference (`ref`). No input or output here.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Final, Literal, Self

from nexome.model.errors import InputError

Access = Literal["open", "private"]
EffectScale = Literal["linear", "log_odds", "log_hazard", "z_score", "unknown"]
FeatureKind = Literal["variant", "gene", "cpg", "protein", "interval", "other"]

ACCESS: Final = ("open", "private")
EFFECT_SCALES: Final = ("linear", "log_odds", "log_hazard", "z_score", "unknown")
FEATURE_KINDS: Final = ("variant", "gene", "cpg", "protein", "interval", "other")

# Identifiers become folder names and URL parts: short, and safe everywhere.
IDENTIFIER: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


def check_identifier(text: str, *, where: str = "") -> str:
    """Return `text` if it may name a study or trait; raise InputError if not.

    >>> check_identifier("GCST90002369")
    'GCST90002369'
    """
    if not IDENTIFIER.fullmatch(text) or ".." in text:
        raise InputError(
            f"the identifier {text[:120]!r}",
            where=where,
            expected="1 to 100 letters, digits, '.', '_' or '-', starting with a letter or digit",
            todo="Choose another identifier, for example with --study.",
        )
    return text


@dataclass(frozen=True, slots=True)
class Trait:
    """One column: what was measured, in whom, and, for a molecule, where it lies.

    `n`, `n_cases`, `n_controls` are people; None where unknown. `contig`, `start`, `end` (1-based,
    both ends included, home assembly) are given for molecules with a position of their own.
    """

    id: str
    label: str
    label_zh: str = ""
    ontology: tuple[str, ...] = ()
    category: str = ""
    n: float | None = None
    n_cases: float | None = None
    n_controls: float | None = None
    contig: str = ""
    start: int | None = None
    end: int | None = None


@dataclass(frozen=True, slots=True)
class Study:
    """What is known of a study beside its numbers. All text may be empty: unknown is not guessed.

    `access` is 'open' (everyone) or 'private' (the owner and who was granted it). `ancestry` is
    free text; studies of one ancestry share the frequency baseline of an axis. `effect_scale`
    says what a beta is: 'linear' per `effect_unit`, 'log_odds', 'log_hazard', 'z_score'.
    """

    id: str
    title: str = ""
    title_zh: str = ""
    access: Access = "private"
    ancestry: str = ""
    sex: str = ""
    licence: str = ""
    publication: str = ""
    source: str = ""
    effect_unit: str = ""
    effect_scale: EffectScale = "unknown"
    feature_kind: FeatureKind = "variant"
    assembly_source: str = ""
    traits: tuple[Trait, ...] = field(default=())

    def __post_init__(self) -> None:
        check_identifier(self.id)
        for name, value, allowed in (
            ("access", self.access, ACCESS),
            ("effect_scale", self.effect_scale, EFFECT_SCALES),
            ("feature_kind", self.feature_kind, FEATURE_KINDS),
        ):
            if value not in allowed:
                raise InputError(
                    f"{name} {value!r}", where=f"study {self.id}", expected="one of " + ", ".join(allowed)
                )

    def as_dict(self) -> dict[str, Any]:
        """The study as plain JSON values, traits included."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """The study back from `as_dict`; unknown names are refused."""
        known = {f.name for f in fields(cls)}
        if unknown := sorted(set(values) - known):
            raise InputError(f"unknown study fields {', '.join(unknown)}", expected=", ".join(sorted(known)))
        traits = tuple(
            Trait(**(t | {"ontology": tuple(t.get("ontology", ()))})) for t in values.get("traits", ())
        )
        return cls(**(values | {"traits": traits}))
