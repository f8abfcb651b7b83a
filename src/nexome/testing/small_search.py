"""A root's search made small: a dozen terms in two languages, an encoder trained on them, an index."""

from __future__ import annotations

from pathlib import Path

from nexome.model.knowledge import Name, NamedTerm
from nexome.search.index import SearchIndex
from nexome.search.lexicon import Lexicon
from nexome.search.sources import ENCODER, FOLDER, index_root, records_of
from nexome.search.training import TrainingOptions, train_encoder
from nexome.store.associations import AssociationStore
from nexome.store.root import open_root
from nexome.store.tracks import Tracks

SMALL: TrainingOptions = TrainingOptions(dimensions=32, features=2_000, hashed=100, epochs=6, batch=32)


def _term(identifier: str, *names: str, zh: str, above: str = "", equal: str = "") -> NamedTerm:
    kinds = ["label", *["exact"] * (len(names) - 1)]
    english = [Name(text, kind, "en") for text, kind in zip(names, kinds, strict=True)]
    return NamedTerm(identifier, [*english, Name(zh, "translation", "zh")], above.split(), equal.split())


SMALL_TERMS: tuple[NamedTerm, ...] = (
    _term("NXDEMO:1", "body size", "body measure", zh="体格"),
    _term("NXDEMO:2", "standing height", "height", "stature", zh="身高", above="NXDEMO:1"),
    _term("NXDEMO:3", "body weight", "weight", zh="体重", above="NXDEMO:1"),
    _term("NXDEMO:4", "blood lipid", "lipid level", zh="血脂"),
    _term("NXDEMO:5", "low-density lipoprotein", "LDL cholesterol", zh="低密度脂蛋白", above="NXDEMO:4"),
    _term("NXDEMO:6", "diabetes mellitus", "diabetes", zh="糖尿病"),
    _term("NXDEMO:7", "type 2 diabetes", "adult-onset diabetes", zh="2型糖尿病", above="NXDEMO:6"),
    _term("NXDEMO:8", "myocardial infarction", "heart attack", zh="心肌梗死", equal="NXALSO:8"),
    _term("NXALSO:8", "cardiac infarction", "heart infarct", zh="心梗"),
    _term("NXDEMO:9", "anaemia", "low haemoglobin", zh="贫血"),
)  # fmt: skip


def make_small_search(root_path: Path) -> SearchIndex:
    """Train an encoder on SMALL_TERMS and build the index of a root over them and what the root holds."""
    train_encoder(Lexicon.build(SMALL_TERMS), SMALL).save(root_path / FOLDER / ENCODER)
    root = open_root(root_path)
    snapshot = AssociationStore.open(root_path).snapshot()
    records = records_of(
        SMALL_TERMS,
        studies=[published.study for published in snapshot.studies.values()],
        tracks=Tracks.open(root_path, root.assembly).records(),
    )
    return index_root(root_path, records, sequence=snapshot.sequence)
