"""A study is opened and closed without being imported anew: readers see it at once, its bytes stay."""

from pathlib import Path

import pytest

from nexome.access.centre import Centre
from nexome.model.errors import InputError, NotFoundError, RefusedError
from nexome.store.associations import AssociationStore
from nexome.store.associations.manifest import load_manifest
from nexome.store.associations.verify import verify_store
from nexome.testing.mixed_root import STUDIES, make_root, rows_of

OPEN, PRIVATE = (
    next(name for name, (study, _, _) in STUDIES.items() if study.access == access)
    for access in ("open", "private")
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return make_root(tmp_path / "root")


def listed(centre: Centre, token: str | None = None) -> dict[str, str]:
    table = centre.view_for(token).studies()
    return dict(zip(table["study_id"].to_pylist(), table["access"].to_pylist(), strict=True))


def test_readers_of_another_process_follow_at_their_next_question(root: Path):
    writer = AssociationStore.open(root)
    with Centre.open(root, owner_token="nxm_owner") as centre:
        before = centre.view_for(None).stamp
        assert PRIVATE not in listed(centre)
        assert writer.switch_access(PRIVATE, "open")
        assert listed(centre)[PRIVATE] == "open"
        assert centre.view_for(None).top(PRIVATE).num_rows
        assert centre.view_for(None).stamp != before
        assert PRIVATE in {hit.id for hit in centre.view_for(None).search(PRIVATE)}
        assert writer.switch_access(PRIVATE, "private")
        assert PRIVATE not in listed(centre)
        assert PRIVATE not in {hit.id for hit in centre.view_for(None).search(PRIVATE)}
        assert listed(centre, "nxm_owner")[PRIVATE] == "private"
        with pytest.raises(NotFoundError):
            centre.view_for(None).top(PRIVATE)


def test_an_answer_begun_before_stays_what_it_was(root: Path):
    store = AssociationStore.open(root)
    before = store.snapshot()
    store.switch_access(OPEN, "private")
    assert before.studies[OPEN].study.access == "open"
    assert store.snapshot().studies[OPEN].study.access == "private"


def test_grants_still_count_after_closing(root: Path):
    with Centre.open(root) as centre:
        centre.catalogue.accounts.grant("everyone", OPEN, "see")
        centre.store.switch_access(OPEN, "private")
        assert listed(centre)[OPEN] == "private"
        with pytest.raises(RefusedError):
            centre.view_for(None).top(OPEN)


def test_nothing_but_the_manifest_and_the_log_is_written(root: Path):
    store = AssociationStore.open(root)
    folder = root / "associations"
    files = {p: p.read_bytes() for p in folder.rglob("*") if p.is_file() and p.name != "manifest.json"}
    receipt, version = store.snapshot().studies[OPEN].receipt(), store.snapshot().studies[OPEN].version
    sequence = store.snapshot().sequence
    assert store.switch_access(OPEN, "private")
    assert {p: p.read_bytes() for p in files} == files
    kept = store.snapshot().studies[OPEN]
    assert (kept.receipt(), kept.version) == (receipt, version)
    assert store.snapshot().sequence == sequence + 1
    last = list(store.root.read_events())[-1]
    assert (last.kind, dict(last.values)) == (
        "study-access",
        {"study": OPEN, "access": "private", "was": "open"},
    )
    assert not store.switch_access(OPEN, "private")
    assert store.snapshot().sequence == sequence + 1
    assert verify_store(root).ok
    assert load_manifest(root).studies[OPEN].access == "private"


def test_it_survives_compaction_and_opening_anew(root: Path):
    AssociationStore.open(root).switch_access(OPEN, "private")
    AssociationStore.open(root).compact()
    assert AssociationStore.open(root).snapshot().studies[OPEN].study.access == "private"


def test_a_new_version_begins_with_the_access_it_names(root: Path):
    store = AssociationStore.open(root)
    study = store.snapshot().studies[PRIVATE].study
    assert store.switch_access(PRIVATE, "open")
    _, seed, own = STUDIES[PRIVATE]
    staged = store.stage(study)
    for block in rows_of(seed, own):
        staged.add(block)
    staged.publish({})
    assert study.access == "private"
    assert store.snapshot().studies[PRIVATE].study.access == "private"


def test_what_cannot_be_switched_is_said(root: Path):
    store = AssociationStore.open(root)
    with pytest.raises(NotFoundError, match="no study"):
        store.switch_access("NOWHERE", "open")
    with pytest.raises(InputError, match="open, private"):
        store.switch_access(OPEN, "secret")  # type: ignore[arg-type]
