"""The graph given away: one table of nodes and one of statements, as Parquet or as KGX TSV.

    nodes.parquet | nodes.tsv    id, category, name, description, provided_by
    edges.parquet | edges.tsv    subject, predicate, object, … one row a statement, its source and evidence

KGX (Knowledge Graph Exchange of the NCATS Translator, https://kgx.readthedocs.io): predicates of the Biolink
Model where there is one, the source's own beside it as original_predicate; several values joined by '|'.
A source whose licence does not let the data be passed on refuses the whole; nothing is then written.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from nexome.model.errors import InputError, RefusedError
from nexome.model.knowledge import BROAD, CLOSE, EXACT, IS_A, NARROW, PART_OF, RELATED, XREF
from nexome.store.disk import space_errors
from nexome.store.knowledge import Knowledge

BIOLINK: Final[dict[str, str]] = {
    IS_A: "biolink:subclass_of",
    PART_OF: "biolink:part_of",
    "has_part": "biolink:has_part",
    EXACT: "biolink:exact_match",
    CLOSE: "biolink:close_match",
    BROAD: "biolink:broad_match",
    NARROW: "biolink:narrow_match",
    RELATED: "biolink:related_to",
    XREF: "biolink:xref",
}
CATEGORIES: Final[dict[str, str]] = {
    **dict.fromkeys(("MONDO", "DOID", "Orphanet", "OMIM", "ICD10", "ICD10CM"), "biolink:Disease"),
    "HP": "biolink:PhenotypicFeature",
    **dict.fromkeys(("HGNC", "NCBIGene", "ENSEMBL"), "biolink:Gene"),
    "UBERON": "biolink:AnatomicalEntity",
    "CL": "biolink:Cell",
    **dict.fromkeys(("CHEBI", "CHEMBL", "DRUGBANK", "RXNORM"), "biolink:ChemicalEntity"),
    **dict.fromkeys(("PMID", "PMC", "doi"), "biolink:Publication"),
    "dbSNP": "biolink:SequenceVariant",
    **dict.fromkeys(("Reactome", "KEGG"), "biolink:Pathway"),
}
NODE_SCHEMA: Final = pa.schema(
    [(name, pa.string()) for name in ("id", "category", "name", "description", "provided_by")]
)
_TEXTS: Final = ("subject", "predicate", "object", "original_predicate", "knowledge_source")
EDGE_SCHEMA: Final = pa.schema(
    [(name, pa.string()) for name in _TEXTS]
    + [("negated", pa.bool_()), ("score", pa.float32())]
    + [(name, pa.string()) for name in ("publications", "has_evidence", "qualifier")]
)


def export_parquet(root: Path, folder: Path, *, sources: Collection[str] | None = None) -> list[Path]:
    """Write nodes.parquet and edges.parquet into a new or empty folder; `sources` None: all.

    Raises RefusedError for a source that may not be passed on, NotFoundError for an unknown one,
    InputError for a folder that holds something.
    """
    return _export(root, folder, sources, ".parquet")


def export_kgx(root: Path, folder: Path, *, sources: Collection[str] | None = None) -> list[Path]:
    """Write nodes.tsv and edges.tsv of KGX into a new or empty folder. Raises as `export_parquet`."""
    return _export(root, folder, sources, ".tsv")


def _export(root: Path, folder: Path, sources: Collection[str] | None, ending: str) -> list[Path]:
    knowledge = Knowledge.open(root)
    records = {record.name: record for record in knowledge.sources()}
    names = sorted(records if sources is None else {knowledge.source(name).name for name in sources})
    for name in names:
        if not records[name].redistribution:
            raise RefusedError(
                f"its licence ({records[name].licence or 'unknown'}) does not let it be passed on",
                reason="licence",
                where=f"source {name}",
                todo="Leave it out, with --source for each of the others.",
            )
    if folder.exists() and any(folder.iterdir()):
        raise InputError("the folder holds something", where=str(folder), expected="a new or empty folder")
    with space_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        nodes, edges = folder / f"nodes{ending}", folder / f"edges{ending}"
        _write(nodes, NODE_SCHEMA, iter([_nodes(knowledge, names)]))
        _write(edges, EDGE_SCHEMA, _edges(knowledge, names))
    return [nodes, edges]


def _write(path: Path, schema: pa.Schema, tables: Iterator[pa.Table]) -> None:
    if path.suffix == ".parquet":
        with pq.ParquetWriter(path, schema, compression="zstd") as writer:
            for table in tables:
                writer.write_table(table)
        return
    # Arrow would put its head in quotes, which KGX does not know.
    options = pa_csv.WriteOptions(delimiter="\t", quoting_style="none", include_header=False)
    with path.open("wb") as sink:
        sink.write("\t".join(schema.names).encode() + b"\n")
        with pa_csv.CSVWriter(sink, schema, write_options=options) as writer:
            for table in tables:
                writer.write_table(_plain(table))


def _plain(table: pa.Table) -> pa.Table:
    """Texts without what would break a line of TSV; KGX has no quoting."""
    columns = [
        pc.replace_substring_regex(pc.fill_null(c, ""), r'[\t\r\n"]+', " ")
        if pa.types.is_string(c.type)
        else c
        for c in table.columns
    ]
    return pa.Table.from_arrays(columns, schema=table.schema)


def _nodes(knowledge: Knowledge, names: list[str]) -> pa.Table:
    """Terms that one of the sources describes, as that source calls them."""
    seen: set[str] = set()
    parts = []
    for name in names:
        terms = knowledge.table(name, "terms")
        new = [t not in seen for t in terms["id"].to_pylist()]
        terms = terms.filter(pa.array(new, pa.bool_()))
        seen.update(terms["id"].to_pylist())
        category = [CATEGORIES.get(v, "biolink:NamedThing") for v in terms["vocabulary"].to_pylist()]
        columns = [
            terms["id"],
            pa.array(category, pa.string()),
            terms["label"],
            terms["definition"],
            pa.array([name] * terms.num_rows, pa.string()),
        ]
        parts.append(pa.Table.from_arrays([_whole(c) for c in columns], schema=NODE_SCHEMA))
    return pa.concat_tables([NODE_SCHEMA.empty_table(), *parts])


def _whole(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    whole = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    return whole.cast(pa.string())


def _edges(knowledge: Knowledge, names: list[str]) -> Iterator[pa.Table]:
    for source, batch in knowledge.edges():
        if source not in names:
            continue
        own = batch.column("predicate")
        said = [
            BIOLINK.get(p, p if p.startswith("biolink:") else "biolink:related_to") for p in own.to_pylist()
        ]
        qualifier = pc.fill_null(batch.column("qualifier"), "")
        columns = {
            "subject": batch.column("subject"),
            "predicate": pa.array(said, pa.string()),
            "object": batch.column("object"),
            "original_predicate": own,
            "knowledge_source": pa.array([source] * batch.num_rows, pa.string()),
            "negated": pc.or_(pc.equal(qualifier, "not"), pc.starts_with(qualifier, "not;")),
            "score": batch.column("score"),
            "publications": batch.column("publication"),
            "has_evidence": batch.column("method"),
            "qualifier": qualifier,
        }
        yield pa.table([columns[name] for name in EDGE_SCHEMA.names], schema=EDGE_SCHEMA)
