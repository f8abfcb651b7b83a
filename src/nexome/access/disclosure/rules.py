"""The numbers that decide what may leave: defaults at least as strict as DataSHIELD's, in one record.

Only the settings of the root set `min_cell` and `populations`; a question may raise the first and lower
nothing. The switches are for the tests of attacks, which show what each defence stops: no setting, door or
client reaches them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from nexome.model.settings import Settings


@dataclass(frozen=True, slots=True)
class Rules:
    """What Guard holds to. Shares are of 1."""

    min_cell: int = 5
    populations: int = 1_024
    refusals: int = 100
    parameters_share: float = 0.33  # DataSHIELD nfilter.glm
    categories: int = 40  # nfilter.levels.max
    categories_share: float = 0.33  # nfilter.levels.density
    percentile_people: int = 10
    tail_people: int = 5  # n·min(p, 1 − p) at least
    dominant_two: float = 0.85  # (n, k) rule: the two largest of a sum hold at most this
    dominant_rest: float = 0.10  # p% rule: the others hold at least this share of the largest
    grid_variables: int = 2  # of one grid question, beside sex and age
    consider_dominance: bool = True
    consider_ledger: bool = True
    consider_grid: bool = True
    suppress_secondary: bool = True
    perturb: bool = True
    round_numbers: bool = True
    block_percentiles: bool = True
    obey_client: bool = False


PER_QUERY_ALONE: Final = Rules(
    consider_dominance=False,
    consider_ledger=False,
    consider_grid=False,
    suppress_secondary=False,
    perturb=False,
    round_numbers=False,
    block_percentiles=False,
    obey_client=True,
)
"""What a system has that looks at each question by itself (smallest cells, categories, parameters, tails),
and takes a smallest cell from its client."""


def rules_of(settings: Settings) -> Rules:
    """The rules of a root."""
    return Rules(
        min_cell=settings.disclosure_min_cell,
        populations=settings.disclosure_populations,
        refusals=settings.disclosure_refusals,
    )
