"""A root's knowledge made small: a few phenotypes in two languages, ties of a gene and a disease, a secret.

Sources hp, hp-zh and ties are open; `mine` is private, and says one thing that its owner alone may see.
"""

from __future__ import annotations

from pathlib import Path

from nexome.access.centre import Centre
from nexome.access.indexing import build_index
from nexome.model.terms import Access
from nexome.store.disk import RootLock
from nexome.store.knowledge import NewSource, load_source
from nexome.store.root import open_root
from nexome.testing.small_search import make_small_search

_TERMS = """format-version: 1.2

[Term]
id: HP:0000707
name: Abnormality of the nervous system

[Term]
id: HP:0001250
name: Seizure
alt_id: HP:0001275
def: "A sudden event." []
synonym: "Fits" EXACT layperson []
is_a: HP:0000707

[Term]
id: HP:0002197
name: Generalized <seizure> & more
is_a: HP:0001250

[Term]
id: HP:0009999
name: obsolete Twitch
is_obsolete: true
"""
_CHINESE = (
    "subject_id\tpredicate_id\ttranslation_value\ttranslation_language\n"
    "HP:0001250\trdfs:label\t癫痫发作\tzh\nHP:0001250\tIAO:0000115\t突发事件。\tzh\n"
)
_PRIVATE = "subject\tpredicate\tobject\tobject_label\nHP:0001250\tbiolink:affects\tHP:0007359\tQuokka sign\n"
HIDDEN = "Quokka sign"


def make_small_knowledge(root_path: Path, folder: Path, *, gene: str) -> None:
    """Load the sources, written into `folder`, into a root; train its encoder; build its search index."""
    make_small_search(root_path)
    ties = (
        "subject\tsubject_label\tpredicate\tobject\tscore\tpublication\n"
        f"hgnc.symbol:{gene}\t{gene}\tbiolink:gene_associated_with_condition\tHP:0001250\t0.7\tPMID:1\n"
        "OMIM:1\ta disease\tbiolink:has_phenotype\tHP:0001250\t0.4\t\n"
    )
    for name, text in (
        ("hp.obo", _TERMS),
        ("hp-zh.tsv", _CHINESE),
        ("ties.tsv", ties),
        ("mine.tsv", _PRIVATE),
    ):
        (folder / name).write_text(text, encoding="utf-8")
        source = name.partition(".")[0]
        access: Access = "private" if source == "mine" else "open"
        new = NewSource(source, [folder / name], licence=f"licence of {source}", access=access)
        with RootLock(root_path):
            load_source(open_root(root_path), new)
    with Centre.open(root_path) as centre:
        build_index(centre)
