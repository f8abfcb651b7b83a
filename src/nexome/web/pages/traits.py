"""The page of traits by category: every category with its traits, and the traits of one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final

from nexome.model.errors import NotFoundError
from nexome.web.pages.page import Ask, Link, Page, Paging, paging_of
from nexome.web.pages.studies import Sample

if TYPE_CHECKING:
    from nexome.store.associations.types import TraitRef

ROWS: Final = 100
FEW: Final = 6  # traits shown of a category where none is chosen
FEW_CATEGORIES: Final = 24
NONE: Final = "-"  # the category of traits without one, in an address


@dataclass(frozen=True, slots=True)
class TraitRow:
    """One trait: its page, its study, its sample."""

    trait: Link
    study: Link
    sample: Sample


@dataclass(frozen=True)
class TraitsPage(Page):
    """Categories as links with their counts; `category` the one shown ('' none), its `rows` by label.

    Where none is shown, `few` are the first traits of each of the first categories.
    """

    template: ClassVar[str] = "traits.html"
    categories: tuple[Link, ...]
    category: str
    rows: tuple[TraitRow, ...]
    paging: Paging | None
    few: tuple[tuple[Link, tuple[TraitRow, ...]], ...] = ()


def build_traits(ask: Ask) -> TraitsPage:
    """The page of traits by parameters category ('-': those without one) and page."""
    counts = ask.view.categories()
    wanted = ask.query.get("category", "")
    name = "" if wanted == NONE else wanted
    if wanted and name not in counts:
        raise NotFoundError(f"no category {wanted[:60]!r}", todo="See the list of categories.")
    links = [_category(ask, category, n, wanted) for category, n in counts.items()]
    title = ask.t("traits.title_of", category=_label(ask, name)) if wanted else ask.t("traits.title")
    if not wanted:
        few = zip(links, [_few(ask, category) for category in [*counts][:FEW_CATEGORIES]], strict=False)
        return TraitsPage(title, tuple(links), "", (), None, tuple(few))
    paging = paging_of(ask, total=counts[name], size=ROWS)
    refs = ask.view.traits_in(name, limit=ROWS, offset=max(0, paging.first - 1))
    return TraitsPage(title, tuple(links), _label(ask, name), tuple(_row(ask, ref) for ref in refs), paging)


def _few(ask: Ask, category: str) -> tuple[TraitRow, ...]:
    return tuple(_row(ask, ref) for ref in ask.view.traits_in(category, limit=FEW, offset=0))


def _label(ask: Ask, category: str) -> str:
    return ask.t.of("traits.category", category) or ask.t("traits.none")


def _category(ask: Ask, category: str, count: int, wanted: str) -> Link:
    address = category or NONE
    return Link(_label(ask, category), ask.href("traits", category=address), address == wanted, count)


def _row(ask: Ask, ref: TraitRef) -> TraitRow:
    study, trait = ref.study, ref.trait
    label = ask.t.field(trait, "label") or trait.id
    return TraitRow(
        Link(label, ask.href("studies", study.id, trait=trait.id)),
        Link(ask.t.field(study, "title") or study.id, ask.href("studies", study.id)),
        Sample(trait.n, trait.n_cases, trait.n_controls),
    )
