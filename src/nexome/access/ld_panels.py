"""Which sets of genotypes a principal may ask for LD in, and which one and whom when none is named.

A set is chosen that holds the variant: reference panels before samples of studies, open before private,
then the one with most people. Among its people, the population nearest to a study's ancestry where one
is asked about; else everyone. What was chosen, and why, is told with every answer.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import pyarrow as pa

from nexome.access.identity import Principal
from nexome.access.policy import REASONS, decide_panel
from nexome.model.errors import NotFoundError, RefusedError
from nexome.model.fields import schema_of

if TYPE_CHECKING:
    from nexome.store.genotypes import GenotypeSet

PANEL_COLUMNS: Final = (
    "panel",
    "panel_version",
    "panel_kind",
    "access",
    "population",
    "people",
    "variant_count",
    "phased",
    "usable",
)

Why = Literal["asked", "ancestry", "everyone"]

# Superpopulations of the 1000 Genomes Project, the words that ancestries are described with, and the
# populations of 1000 Genomes and HapMap 3 in each. A word counts where it begins a word of the text.
_GROUPS: Final[Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]]] = {
    "EAS": (
        (
            "east asian",
            "chinese",
            "han",
            "japan",
            "korea",
            "vietnam",
            "taiwan",
            "east-asian",
            "东亚",
            "中国",
            "汉",
        ),
        ("CHB", "CHS", "CHD", "CDX", "JPT", "KHV"),
    ),
    "EUR": (
        (
            "europe",
            "british",
            "white",
            "caucasian",
            "finnish",
            "finland",
            "iceland",
            "nordic",
            "欧洲",
            "欧裔",
        ),
        ("GBR", "CEU", "TSI", "IBS", "FIN"),
    ),
    "AFR": (
        ("africa", "yoruba", "sub-saharan", "非洲", "非裔"),
        ("YRI", "LWK", "MKK", "GWD", "ESN", "MSL", "ASW", "ACB"),
    ),
    "SAS": (
        ("south asian", "south-asian", "india", "pakistan", "bangla", "sri lanka", "南亚", "印度"),
        ("GIH", "ITU", "PJL", "STU", "BEB"),
    ),
    "AMR": (
        ("latin", "hispanic", "mexic", "admixed american", "peru", "colombia", "puerto ric", "拉丁"),
        ("MXL", "MEX", "PUR", "CLM", "PEL"),
    ),
}


@dataclass(frozen=True, slots=True)
class PanelChoice:
    """A set of genotypes and whom of it: `population` '' is everyone. `why` says who chose the population."""

    panel: GenotypeSet
    population: str
    people: int
    why: Why

    @property
    def group(self) -> str | None:
        """The population as the genotype store names it."""
        return self.population or None


def panel_table(sets: Mapping[str, GenotypeSet], principal: Principal, *, least: int) -> pa.Table:
    """One row for each visible set, of everyone in it, and for each of its populations (PANEL_COLUMNS)."""
    rows = []
    for panel in _in_order(sets, principal):
        allowed = decide_panel(principal, panel.name, panel.access).allowed
        for population, people in [("", panel.people), *panel.populations.items()]:
            usable = allowed and (people >= least or principal.kind == "owner")
            rows.append(_row(panel, population or None, people, usable=usable))
    columns = {name: [row[name] for row in rows] for name in PANEL_COLUMNS}
    schema = schema_of(PANEL_COLUMNS)
    arrays = [
        pa.array(columns[f.name], pa.string()).dictionary_encode().cast(f.type)
        if pa.types.is_dictionary(f.type)
        else pa.array(columns[f.name], f.type)
        for f in schema
    ]
    return pa.Table.from_arrays(arrays, schema=schema)


def usable_panels(
    sets: Mapping[str, GenotypeSet], principal: Principal, *, asked: str | None
) -> list[GenotypeSet]:
    """Sets that LD may be asked in, best first; the asked one alone where one is.

    Raises NotFoundError where there is none such, RefusedError where it may be known of, but not used.
    """
    visible = _in_order(sets, principal)
    if asked is None:
        usable = [p for p in visible if decide_panel(principal, p.name, p.access).allowed]
        if usable:
            return usable
        raise NotFoundError(
            "no genotypes to compute LD from",
            todo="The owner brings some in: nexome import ld-panel FILE (or nexome import genotypes).",
        )
    for panel in visible:
        if panel.name == asked:
            decision = decide_panel(principal, panel.name, panel.access)
            if decision.allowed:
                return [panel]
            raise RefusedError(
                REASONS[decision.reason],
                reason=decision.reason,
                where=f"panel {asked}",
                todo="Ask the owner of this centre for a grant.",
            )
    raise NotFoundError(
        f"no panel {asked[:80]!r}", expected=", ".join(p.name for p in visible) or "none is here yet"
    )


def choose_population(
    panel: GenotypeSet, principal: Principal, *, asked: str | None, ancestry: str, least: int
) -> PanelChoice:
    """Whom of a panel: the asked population ('all' is everyone), else the one nearest to an ancestry.

    Raises NotFoundError for a population that is not there, RefusedError for one below `least` people.
    """
    sizes = panel.populations
    if asked is not None and asked.casefold() not in {"", "all"}:
        names = {name.casefold(): name for name in sizes}
        if (name := names.get(asked.casefold())) is None:
            raise NotFoundError(
                f"no population {asked[:80]!r}",
                where=f"panel {panel.name}",
                expected=", ".join(("all", *sizes)),
            )
        choice = PanelChoice(panel, name, sizes[name], "asked")
    elif asked is None and (name := nearest_population(ancestry, sizes, least=least)):
        choice = PanelChoice(panel, name, sizes[name], "ancestry")
    else:
        choice = PanelChoice(panel, "", panel.people, "everyone" if asked is None else "asked")
    if choice.people < least and principal.kind != "owner":
        raise RefusedError(
            f"{choice.people} people: " + REASONS["few_people"],
            reason="few_people",
            where=f"panel {panel.name}, population {choice.population or 'all'}",
            expected=f"at least {least} people",
            todo="Ask for a larger population: " + ", ".join(n for n, s in sizes.items() if s >= least),
        )
    return choice


def nearest_population(ancestry: str, sizes: Mapping[str, int], *, least: int = 0) -> str:
    """The population of a panel that an ancestry's words mean best, of `least` people or more; '' for none.

    >>> nearest_population("Han Chinese", {"EAS": 504, "EUR": 503})
    'EAS'
    >>> nearest_population("European", {"CEU": 99, "TSI": 107, "YRI": 108})
    'TSI'
    """
    text = ancestry.strip().casefold()
    if not text:
        return ""
    sizes = {name: people for name, people in sizes.items() if people >= least}
    for name in sizes:
        if name.casefold() == text:
            return name
    groups = [group for group, (words, _) in _GROUPS.items() if _speaks_of(text, group, words)]
    if len(groups) != 1:  # none, or a mixture: everyone is nearer than any of them
        return ""
    if groups[0] in sizes:
        return groups[0]
    members = [name for name in _GROUPS[groups[0]][1] if name in sizes]
    return max(members, key=lambda name: sizes[name], default="")


def _speaks_of(text: str, group: str, words: Sequence[str]) -> bool:
    if re.search(rf"\b{group.casefold()}\b", text):
        return True
    if any(word in text for word in words if not word.isascii()):
        return True
    return any(re.search(rf"\b{re.escape(word)}", text) for word in words if word.isascii())


def _in_order(sets: Mapping[str, GenotypeSet], principal: Principal) -> list[GenotypeSet]:
    """Visible sets, best first."""
    seen = [p for p in sets.values() if decide_panel(principal, p.name, p.access).reason != "unknown"]
    order: Callable[[GenotypeSet], tuple[bool, bool, int, str]] = lambda p: (  # noqa: E731
        p.kind != "ld-panel",
        p.access != "open",
        -p.people,
        p.name,
    )
    return sorted(seen, key=order)


def _row(panel: GenotypeSet, population: str | None, people: int, *, usable: bool) -> dict[str, object]:
    return {
        "panel": panel.name,
        "panel_version": panel.version,
        "panel_kind": panel.kind,
        "access": panel.access,
        "population": population,
        "people": people,
        "variant_count": panel.size,
        "phased": panel.phased,
        "usable": usable,
    }
