"""The demo's vocabulary: a hundred terms of our own in two languages, and what the simulation made true.

    <files>/vocabulary.obo          terms: names, everyday names, what lies above each, definitions
    <files>/vocabulary.zh.tsv       the same in Chinese, as a Babelon table
    <files>/simulation.tsv          statements: gene nearest to a cause → trait, trait → trait that shares its
                                    causes, gene → its protein; scores are shares of variance

The terms (demo_vocabulary.tsv, beside this module) are written by the project and describe real traits. The
statements hold in the simulated population alone, and every one of them says so.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Final

import numpy as np

from nexome.methods.simulate.people import Population
from nexome.methods.simulate.traits import Phenotypes

TERMS: Final = "vocabulary.obo"
CHINESE: Final = "vocabulary.zh.tsv"
STATEMENTS: Final = "simulation.tsv"

_ASSOCIATED: Final = "biolink:genetically_associated_with"
_AFFECTS: Final = "biolink:affects"
_PRODUCT: Final = "biolink:has_gene_product"
_PROTEINS: Final = "NXDEMO:0037"  # protein level in plasma
_TRAINING: Final = {"dimensions": 64, "features": 6_000, "hashed": 500, "epochs": 20}


def write_vocabulary(folder: Path, population: Population, phenotypes: Phenotypes) -> None:
    """Write the three files. The same population gives the same bytes."""
    (folder / TERMS).write_text("\n".join(_obo_lines()) + "\n", encoding="utf-8")
    _write(folder / CHINESE, _BABELON, _chinese_rows())
    _write(folder / STATEMENTS, _STATED, _statements(population, phenotypes))


def vocabulary_commands(files: Path) -> list[tuple[str, list[str]]]:
    """The commands that load it, train the encoder, build the index: name and arguments, without the root."""
    own = ["--licence", "CC0-1.0", "--version", "demo"]
    training = [word for name, value in _TRAINING.items() for word in (f"--{name}", str(value))]
    return [
        ("knowledge load", [*own, "--source", "demo-vocabulary", str(files / TERMS), str(files / CHINESE)]),
        ("knowledge load", [*own, "--source", "simulation", str(files / STATEMENTS)]),
        ("search train", training),
        ("search index", []),
    ]


def term_of_trait(trait: str) -> str:
    """The term that a simulated trait is about; '' for a protein, whose own term is made of its gene."""
    return next((row["id"] for row in _rows() if row["trait"] == trait), "")


@cache
def _rows() -> tuple[dict[str, str], ...]:
    text = (resources.files("nexome.cli") / "demo_vocabulary.tsv").read_text(encoding="utf-8")
    return tuple(csv.DictReader(text.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE))


def _obo_lines() -> Iterator[str]:
    yield from ("format-version: 1.2", "ontology: nxdemo", 'synonymtypedef: layperson "everyday name"')
    for row in _rows():
        yield from ("", "[Term]", f"id: {row['id']}", f"name: {row['label']}")
        if row["definition"]:
            yield f'def: "{row["definition"]}" []'
        yield from (f'synonym: "{text}" EXACT []' for text in _split(row["synonyms"]))
        yield from (f'synonym: "{text}" EXACT layperson []' for text in _split(row["layperson"]))
        yield from (f"is_a: {parent}" for parent in _split(row["parents"]))


_BABELON: Final = (
    *("subject_id", "predicate_id", "source_value", "translation_value"),
    *("translation_language", "translation_status"),
)


def _chinese_rows() -> Iterator[tuple[str, ...]]:
    for row in _rows():
        told = [("rdfs:label", row["label"], row["label_zh"])]
        told += [("oboInOwl:hasExactSynonym", "", text) for text in _split(row["synonyms_zh"])]
        if row["definition_zh"]:
            told.append(("IAO:0000115", row["definition"], row["definition_zh"]))
        for predicate, source, text in told:
            yield row["id"], predicate, source, text, "zh", "OFFICIAL"


_STATED: Final = ("subject", "subject_label", "predicate", "object", "object_label", "score", "method")


def _statements(population: Population, phenotypes: Phenotypes) -> Iterator[tuple[str, ...]]:
    """What the simulation made true; `method` says that it holds there alone."""
    names = {trait.id: trait for trait in phenotypes.traits}
    term = {
        name: term_of_trait(name) or f"simprotein:{trait.label.split()[0]}" for name, trait in names.items()
    }
    for cause in phenotypes.causes:
        gene = _nearest_gene(population, cause.variant)
        yield _stated(f"simgene:{gene}", gene, _ASSOCIATED, term[cause.trait], cause.share)
    for trait in phenotypes.traits:
        for other, share in trait.shared:
            yield _stated(term[other], "", _AFFECTS, term[trait.id], share)
        if trait.gene is not None:
            gene = population.genes.name[trait.gene]
            yield _stated(f"simgene:{gene}", gene, _PRODUCT, term[trait.id], None, trait.label)
            yield _stated(term[trait.id], trait.label, "is_a", _PROTEINS, None)


def _stated(
    subject: str, label: str, predicate: str, object_: str, share: float | None, object_label: str = ""
) -> tuple[str, ...]:
    score = "" if share is None else f"{share:.6g}"
    return subject, label, predicate, object_, object_label, score, "true in the simulation alone"


def _nearest_gene(population: Population, variant: int) -> str:
    genes, position = population.genes, int(population.position[variant])
    here = np.flatnonzero(np.asarray(genes.contig) == population.contig[variant])
    start, end = (np.asarray(side)[here].astype(np.int64) for side in (genes.start, genes.end))
    away = np.maximum(0, np.maximum(start - position, position - end))
    return str(genes.name[int(here[int(np.argmin(away))])])


def _split(cell: str) -> list[str]:
    return [part for part in cell.split(";") if part]


def _write(path: Path, head: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> None:
    lines = ["\t".join(row) for row in (head, *rows)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
