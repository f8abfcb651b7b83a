"""A View answers like a root that never held what its principal may not see."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import nexome
from nexome.access.answers import (
    ASSOCIATION_COLUMNS,
    GENE_COLUMNS,
    LOCUS_COLUMNS,
    STUDY_COLUMNS,
    TOP_COLUMNS,
    TRAIT_COLUMNS,
)
from nexome.access.cells import drop_empty_rows, rows_with_cells
from nexome.access.centre import Centre
from nexome.access.identity import ANONYMOUS, GRANT_LEVELS, Principal
from nexome.access.view import View
from nexome.model.errors import NexomeError, NotFoundError, QueryError, RefusedError
from nexome.model.fields import schema_of
from nexome.model.genome import unpack_alleles
from nexome.store.associations import Planes
from nexome.testing.mixed_root import LONG, STUDIES, rows_of

PRIVATE = [name for name, (study, _, _) in STUDIES.items() if study.access == "private"]
REGIONS = ["1", "2", "X", "1:1000-9000", "2:60000-60010", "1:50200-50900", "ABC1"]
WORDS = [
    "glucose",
    "secret",
    "血糖",
    "秘密",
    "proteins 1",
    "PRIV1",
    "OPEN1",
    "priv2",
    "ABC",
    "abc1",
    "1:50200-50900",
    "he",
]


def spellings() -> list[str]:
    """Every feature of every study, as a position with alleles, and every rs number."""
    texts = set()
    for _, seed, own in STUDIES.values():
        for block in rows_of(seed, own):
            for locus, allele, rsid in zip(
                block.locus.tolist(), block.allele.tolist(), block.rsid.tolist(), strict=True
            ):
                ref, alt = unpack_alleles(allele) or LONG.split("/")
                texts.add(f"{'12X'[locus >> 32]}-{locus & 0xFFFFFFFF}-{ref}-{alt}")
                if rsid:
                    texts.add(f"rs{rsid}")
    return sorted(texts)


VARIANTS = spellings()


def outcome(question: Callable[[], object]) -> object:
    """What a question gives: plain values, or its error."""
    try:
        answer = question()
    except NexomeError as error:
        return type(error).__name__, str(error)
    return plain(answer) if isinstance(answer, pa.Table) else answer


def plain(table: pa.Table) -> list[tuple[object, ...]]:
    columns = [name for name in table.column_names if name != "published"]
    rows = zip(*(table[name].to_pylist() for name in columns), strict=True)
    return sorted(tuple(None if v != v else v for v in row) for row in rows)  # noqa: PLR0124  NaN


def shown(view: View) -> dict[str, object]:
    """Everything a view shows, in every way there is of asking."""
    ask = {f"region {r}": lambda r=r: view.region(r) for r in REGIONS}
    ask |= {f"planes {r}": lambda r=r: features_of(view.region_planes(r)) for r in REGIONS}
    ask |= {f"variant {v}": lambda v=v: view.variant(v) for v in VARIANTS[::7]}
    ask |= {f"phewas {v}": lambda v=v: view.phewas(v) for v in VARIANTS[::7]}
    ask |= {f"gene {g}": lambda g=g: view.gene(g).best for g in ("ABC1", "ABC2")}
    ask |= {f"search {w}": lambda w=w: view.search(w) for w in WORDS}
    ask |= {f"suggest {w}": lambda w=w: view.suggestions(w) for w in WORDS}
    ask |= {f"traits {w}": lambda w=w: view.traits(search=w) for w in WORDS}
    ask["lookup"] = lambda: view.lookup(VARIANTS)
    ask["lookup planes"] = lambda: features_of(view.lookup_planes(VARIANTS))
    ask["unknown"] = lambda: list(view.unknown_variants(VARIANTS))
    for name in STUDIES:
        ask[f"top {name}"] = lambda n=name: view.top(n)
        ask[f"loci {name}"] = lambda n=name: view.loci(n)
        ask[f"cells {name}"] = lambda n=name: view.study_summary(n).cells
        ask[f"inside {name}"] = lambda n=name: pa.Table.from_batches(
            view.associations(n, interval="1"), schema_of(ASSOCIATION_COLUMNS)
        )
        ask[f"phewas of {name}"] = lambda n=name: view.phewas(VARIANTS[0], studies=[n])
    return {name: outcome(question) for name, question in ask.items()}


def features_of(planes: Planes) -> object:
    """What planes tell beside numbers. Who may read all is not spared features without a cell: drop them."""
    kept = drop_empty_rows(planes)
    studies = {ref.study.id for ref in planes.traits}
    return kept.features.locus.tolist(), kept.features.rsid.tolist(), kept.features.spelled, studies


def test_planes_of_a_part_hold_nothing_to_drop(centre: Centre):
    view = View(centre, ANONYMOUS)
    for where in REGIONS:
        planes = view.region_planes(where)
        assert rows_with_cells(planes).all()
        assert set(planes.features.spelled) <= set(planes.features.allele.tolist())


grants = st.dictionaries(st.sampled_from(PRIVATE), st.sampled_from(["read", "download"]))


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(given_=grants)
def test_no_view_shows_more_than_its_actor_may_see(centre: Centre, root_of, given_):
    principal = Principal("holder", "li", frozenset(given_.items())) if given_ else ANONYMOUS
    readable = frozenset({"OPEN1", "OPEN2", *given_})
    here = View(centre, principal)
    with nexome.open(root_of(readable)) as without:
        assert plain(here.studies()) == plain(without.studies())
        assert plain(here.traits()) == plain(without.traits())
        expected, found = shown(without), shown(here)
    for question, answer in expected.items():
        assert found[question] == answer, question


def test_the_test_above_would_notice(centre: Centre, root_of):
    """The owner's view of everything differs from a root without the private studies in most answers."""
    with nexome.open(root_of(frozenset({"OPEN1", "OPEN2"}))) as without:
        expected, found = shown(without), shown(centre.owner_view())
    assert sum(found[q] != expected[q] for q in expected) > len(expected) / 2


def test_what_may_only_be_seen_shows_no_number(centre: Centre, root_of):
    view = View(centre, Principal("holder", "li", frozenset({("PRIV1", "see")})))
    assert "PRIV1" in view.studies()["study_id"].to_pylist()
    answer = view.study("PRIV1")
    assert (answer.may_read, answer.reason_read, answer.reason_receipt) == (
        False,
        "needs_read",
        "needs_receipt",
    )
    assert (answer.may_export, answer.reason_export) == (False, "needs_download")
    with nexome.open(root_of(frozenset({"OPEN1", "OPEN2"}))) as without:
        for where in REGIONS:
            assert plain(view.region(where)) == plain(without.region(where))
        assert view.unknown_variants(VARIANTS) == without.unknown_variants(VARIANTS)
    refused = {
        "needs_read": [
            lambda: view.top("PRIV1"),
            lambda: view.summary("PRIV1"),
            lambda: view.phewas(VARIANTS[0], studies=["PRIV1"]),
            lambda: view.associations("PRIV1", interval="1"),
        ],
        "needs_download": [lambda: view.associations("PRIV1")],
        "needs_receipt": [lambda: view.receipt("PRIV1")],
    }
    for reason, questions in refused.items():
        for question in questions:
            with pytest.raises(RefusedError) as caught:
                question()
            assert caught.value.reason == reason


def test_unknown_and_forbidden_look_the_same(centre: Centre):
    view = View(centre, ANONYMOUS)
    for question in (
        view.study,
        view.top,
        view.loci,
        view.summary,
        view.receipt,
        view.associations,
        view.traits,
    ):
        errors = []
        for name in ("PRIV1", "NOWHERE"):
            with pytest.raises(NotFoundError) as caught:
                question(name)
            errors.append(str(caught.value).replace(name, "…"))
        assert errors[0] == errors[1]


def test_tables_hold_the_declared_columns(centre: Centre):
    view = centre.owner_view()
    rsid = next(v for v in VARIANTS if v.startswith("rs"))
    tables = {
        ASSOCIATION_COLUMNS: [
            view.phewas(rsid),
            view.region("1"),
            view.lookup([rsid]),
            view.lookup([]),
            view.gene("ABC1").best,
        ],
        TOP_COLUMNS: [view.top("OPEN1"), view.top("OPEN1", limit=0)],
        LOCUS_COLUMNS: [view.loci("OPEN1")],
        STUDY_COLUMNS: [view.studies(), view.studies("no such words")],
        TRAIT_COLUMNS: [view.traits(), view.traits("PRIV2"), view.traits(search="no such words")],
        GENE_COLUMNS: [view.genes_in("1"), view.genes_in("X")],
    }
    for columns, each in tables.items():
        for table in each:
            assert table.schema.equals(schema_of(columns)), (table.schema, columns)
            table.validate(full=True)


def test_phewas_gives_the_numbers_that_came_in(centre: Centre):
    block = rows_of(1, 0)[0]
    row = int(np.flatnonzero(~np.isnan(block.z))[0])
    place = int(block.locus[row])
    text = f"{'12X'[place >> 32]}:{place & 0xFFFFFFFF}"
    table = centre.owner_view().phewas(text, studies=["OPEN1"])
    known = [
        r
        for r in table.to_pylist()
        if r["effect_allele"] == (unpack_alleles(int(block.allele[row])) or "")[1]
    ]
    assert len(known) == 1
    assert known[0]["standard_error"] == pytest.approx(float(block.se[row]), rel=0.011)
    assert known[0]["beta"] == pytest.approx(float(block.z[row] * block.se[row]), rel=0.02, abs=1e-4)
    assert known[0]["n"] == 1000


def test_a_variant_is_told_with_its_neighbours_and_order(centre: Centre):
    view = centre.owner_view()
    pairs = [v for v in VARIANTS if v.endswith("-A-T")]
    assert pairs, "positions with two alternate alleles"
    found = view.variant(pairs[0])
    assert (found.feature.id, found.feature.effect_allele, found.swapped) == (pairs[0], "T", False)
    assert [o.id for o in found.others] == [pairs[0][:-1] + "G"]
    chromosome, position, *_ = pairs[0].split("-")
    assert view.variant(f"{chromosome}-{position}-T-A").swapped
    both = view.phewas(f"chr{chromosome}:{position}")
    assert set(both["effect_allele"].to_pylist()) == {"G", "T"}
    assert view.phewas(found.feature).num_rows == view.phewas(pairs[0]).num_rows


def test_a_long_allele_is_found_by_its_spelling(centre: Centre):
    ref, alt = LONG.split("/")
    found = centre.owner_view().variant(f"2-60003-{ref}-{alt}")
    assert (found.feature.effect_allele, found.nearest_gene) == (alt, "ABC2")


@pytest.mark.parametrize("text", ["", "glucose!", "chr9:5", "1:", "rs"])
def test_what_is_no_variant_says_what_is(centre: Centre, text: str):
    with pytest.raises((QueryError, NotFoundError), match=r"rs4988235|one of 1, 2, X"):
        centre.owner_view().phewas(text)


def test_minimum_p_keeps_the_rest_away(centre: Centre):
    view = centre.owner_view()
    everything, strong = view.region("1"), view.region("1", min_neg_log_10_p=3)
    expected = [p for p in everything["neg_log_10_p_value"].to_pylist() if p >= 3]
    assert 0 < len(expected) < everything.num_rows
    assert sorted(strong["neg_log_10_p_value"].to_pylist()) == sorted(expected)


def test_top_hits_come_in_both_orders(centre: Centre):
    view = centre.owner_view()
    by_p = view.top("PRIV2", trait="priv21")["neg_log_10_p_value"].to_pylist()
    assert by_p == sorted(by_p, reverse=True)
    places = view.top("PRIV2", trait="priv21", order="position")
    keys = list(zip(places["chromosome"].to_pylist(), places["base_pair_location"].to_pylist(), strict=True))
    assert keys == sorted(keys)
    assert len(keys) == len(by_p) > 0
    assert view.top("PRIV2", limit=3).num_rows == 3


def test_gene_gives_the_strongest_of_each_trait(centre: Centre):
    view = centre.owner_view()
    answer = view.gene("abc1", flank_bp=500)
    inside = view.region("1:500-9500").to_pylist()
    strongest: dict[str, float] = {}
    for row in inside:
        strongest[row["trait_id"]] = max(strongest.get(row["trait_id"], 0), row["neg_log_10_p_value"])
    assert {r["trait_id"]: r["neg_log_10_p_value"] for r in answer.best.to_pylist()} == strongest


def test_a_whole_study_comes_in_batches(centre: Centre):
    view = centre.owner_view()
    batches = list(view.associations("PRIV2", batch_rows=50))
    assert max(b.num_rows for b in batches) <= 50
    whole = pa.Table.from_batches(batches)
    assert whole.num_rows == view.study("PRIV2").cells
    one = pa.Table.from_batches(view.associations("PRIV2", "priv22"))
    assert set(one["trait_id"].to_pylist()) == {"priv22"}
    with pytest.raises(NotFoundError, match="priv29"):
        view.associations("PRIV2", "priv29")


def test_summary_of_many_traits_asks_which(centre: Centre):
    view = centre.owner_view()
    assert view.summary("OPEN1").cells == view.study("OPEN1").cells
    assert view.summary("PRIV2", "priv21").ordinal == 1
    with pytest.raises(QueryError, match="3 traits"):
        view.summary("PRIV2")


def test_search_understands_every_kind(centre: Centre):
    view = centre.owner_view()

    def kinds(text: str) -> list[tuple[str, str, bool]]:
        return [(h.kind, h.id, h.certain) for h in view.search(text)]

    rsid = next(v for v in VARIANTS if v.startswith("rs") and len(view.search(v)) == 1)
    assert kinds(rsid)[0][0] == "variant"
    assert kinds("chr1:1,000-9000") == [("region", "1:1000-9000", True)]
    assert kinds("2:77") == [("region", "2:1-50077", True)]
    assert kinds("abc1")[0] == ("gene", "ABC1", True)
    assert ("gene", "ABC1", False) in kinds("AB")
    assert kinds("open2")[0] == ("study", "OPEN2", True)
    assert ("trait", "OPEN1/open10", False) in kinds("血糖")
    assert kinds("") == kinds("   ") == []
    assert view.suggestions("a") == []


def test_searching_ignores_what_hidden_studies_add_to_the_order(centre: Centre):
    hits = View(centre, ANONYMOUS).search("glucose")
    assert [(h.kind, h.id) for h in hits] == [("study", "OPEN1"), ("trait", "OPEN1/open10")]


@pytest.mark.parametrize("level", GRANT_LEVELS)
def test_a_grant_on_everything_reaches_every_study(centre: Centre, level):
    view = View(centre, Principal("holder", "li", frozenset({("*", level)})))
    assert view.studies().num_rows == len(STUDIES)
    assert view.study("PRIV2").may_read == (level != "see")
    assert view.study("PRIV2").may_export == (level == "download")


def test_private_downloads_are_in_the_audit_log_before_they_leave(centre: Centre):
    principal = Principal("holder", "li", frozenset({("PRIV1", "download")}))
    view = View(centre, principal, purpose="query")
    view.associations("PRIV1")
    view.receipt("PRIV1")
    view.associations("OPEN1")
    log = centre.catalogue.accounts.audit_log()
    assert [(r.actor, r.action, r.subject) for r in log] == [
        ("li", "read_receipt", "PRIV1"),
        ("li", "export", "PRIV1"),
    ]
    assert log[0].detail["purpose"] == "query"


def test_counts_are_of_others_than_the_owner(centre: Centre):
    centre.owner_view().region("1")
    View(centre, ANONYMOUS).region("1")
    centre.catalogue.accounts.flush_counts()
    assert [(kind, n) for (_, kind, _), n in centre.catalogue.accounts.counts().items()] == [("region", 1)]


def test_the_public_package_is_small(whole_root: Path):
    assert sorted(nexome.__all__) == ["NexomeError", "__version__", "open"]
    for name in nexome.__all__:
        assert getattr(nexome, name)
    with nexome.open(whole_root) as mine, nexome.open(whole_root, anonymous=True) as theirs:
        assert mine.studies().num_rows == 5
        assert theirs.studies().num_rows == 2
        assert (mine.scope, theirs.scope) == ("owner", "open")
        assert mine.stamp != theirs.stamp
