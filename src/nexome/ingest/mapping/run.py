"""Harmonising: all rules run over whole columns, the result kept once as a version of the target cohort.

    <root>/cohorts/<target>/<version>/      kind harmonised; its receipt holds the mapping, the sources, the
    lineage <root>/mappings/<target>/<version>.yaml the mapping as it was read

The same mapping over the same versions of the same sources makes nothing new: the version there is, answers.
A version appears whole or not at all.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from nexome.ingest.mapping.applying import Block, apply_source, combine_visits, to_arrow
from nexome.ingest.mapping.joining import join_blocks
from nexome.ingest.mapping.planning import PlannedSource, plan
from nexome.ingest.mapping.rules import SOURCE, Mapping
from nexome.model.cohorts import Category, Dictionary, Variable
from nexome.model.errors import InputError, NotFoundError
from nexome.model.expressions import Column
from nexome.store.cohorts import PARTICIPANT, CohortStore, CohortTable
from nexome.store.disk import write_atomic
from nexome.store.root import Root

KIND: Final = "nexome-harmonisation-receipt"
VERSION: Final = 1
RULES_VERSION: Final = 1  # grows when the same mapping gives other values
MAPPINGS: Final = "mappings"
BATCH_ROWS: Final = 1 << 18

Tell = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Harmonised:
    """What harmonising gave. `table`: the version (None: a dry run); `fresh`: whether it was made now."""

    receipt: dict[str, Any]
    table: CohortTable | None
    fresh: bool

    @property
    def lineage(self) -> dict[str, Any]:
        """Of each variable, what became of its values in each source."""
        return dict(self.receipt["lineage"])


def harmonise(root: Root, mapping: Mapping, tell: Tell | None = None, *, dry_run: bool = False) -> Harmonised:
    """Apply a mapping and keep the result as the newest version of its target.

    `tell` hears (step, done, of). Raises InputError naming the mapping's file and line for what cannot be
    done, NotFoundError for a cohort that is not there, SpaceError, BusyError.
    """
    tell = tell or _silent
    store = CohortStore(root)
    planned = plan(store, mapping)
    mapping = _of_people(mapping, planned)
    dictionary = target_dictionary(mapping)
    recipe = _recipe(mapping, planned, dictionary)
    if not dry_run and (present := _present(store, mapping, recipe)) is not None:
        return Harmonised(present.receipt(), present, fresh=False)
    blocks = []
    for number, source in enumerate(planned):
        tell(source.source.name, number, len(planned))
        block = apply_source(source)
        blocks.append(block if mapping.keeps_visits else combine_visits(block, source))
    keys, columns, shared = join_blocks(blocks, dictionary, mapping.persons)
    receipt = _receipt(mapping, planned, blocks, recipe) | {
        "rows": len(keys),
        "rows_of_shared_persons": shared,
    }
    if dry_run:
        return Harmonised(receipt, None, fresh=False)
    tell("publish", len(planned), len(planned))
    table = _publish(store, mapping, dictionary, keys, columns, receipt)
    _keep_mapping(root, mapping, table)
    return Harmonised(receipt, table, fresh=True)


def _silent(step: str, done: int, of: int) -> None:
    """Nobody listens."""


def target_dictionary(mapping: Mapping) -> Dictionary:
    """The target's variables and `source`, the category that says which source a row is from."""
    categories = tuple(Category(source.name) for source in mapping.sources)
    source = Variable(
        SOURCE, "category", label="Source", label_zh="来源", categories=categories, sensitivity="open"
    )
    variables = tuple(v for v in mapping.dictionary if v.role != "participant")
    return Dictionary((source, *variables), confirmed=mapping.dictionary.confirmed)


def _of_people(mapping: Mapping, planned: Sequence[PlannedSource]) -> Mapping:
    """The target in the people namespace of its sources, where they share one and the mapping names none."""
    shared = {p.table.entry.people_of for p in planned}
    if mapping.target.people or len(shared) > 1:
        return mapping
    return replace(mapping, target=replace(mapping.target, people=shared.pop()))


def _recipe(mapping: Mapping, planned: Sequence[PlannedSource], dictionary: Dictionary) -> str:
    """One digest for everything that decides the values: rules, dictionary, versions of the sources."""
    said = {
        "rules": RULES_VERSION,
        "target": mapping.target.as_dict(),
        "dictionary": dictionary.as_dict(),
        "persons": mapping.persons,
        "sources": [_source_said(p) for p in planned],
    }
    return hashlib.sha256(json.dumps(said, sort_keys=True, default=str).encode()).hexdigest()


def _source_said(planned: PlannedSource) -> dict[str, Any]:
    source, table = planned.source, planned.table
    return {
        "source": source.name,
        "cohort": table.id,
        "version": table.version,
        "digest": table.digest,
        "where": source.where,
        "same_persons": None
        if source.same_persons is None
        else [*source.same_persons.columns, source.same_persons.keep],
        "combine": source.combine,
        "nearest": source.nearest.isoformat() if source.nearest else None,
        "order": planned.order,
        "rules": {r.variable.name: _rule_said(r) for r in planned.rules},
        "absent": dict(source.absent),
        "because": source.because,
    }


def _rule_said(rule: Any) -> dict[str, Any]:
    conversion = rule.conversion
    said = {
        "rule": rule.rule.as_dict(),
        "unit": {
            "from": rule.unit_from,
            "to": rule.variable.unit,
            "factor": float(conversion.factor),
            "factor_exact": str(conversion.factor),
            "offset_exact": str(conversion.offset),
            "steps": list(conversion.steps),
        },
        "codes": dict(rule.codes),
        "range": [rule.minimum, rule.maximum],
    }
    source_variable = rule.bound.variable
    if (
        source_variable is not None
        and source_variable.unit
        and rule.unit_from not in {"", source_variable.unit}
    ):
        said["unit"]["dictionary_said"] = source_variable.unit
    return said


def _present(store: CohortStore, mapping: Mapping, recipe: str) -> CohortTable | None:
    """The target's newest version, if this very recipe made it. Raises InputError for an imported cohort."""
    try:
        table = store.get(mapping.target.id)
    except NotFoundError:
        return None
    if table.kind != "harmonised":
        raise InputError(
            f"the cohort {table.id}, which was imported",
            where=f"{mapping.file}, target",
            expected="an id that no source has",
        )
    return table if table.receipt().get("recipe") == recipe else None


def _receipt(
    mapping: Mapping, planned: Sequence[PlannedSource], blocks: Sequence[Block], recipe: str
) -> dict[str, Any]:
    sources = []
    lineage: dict[str, Any] = {}
    for source, block in zip(planned, blocks, strict=True):
        said = _source_said(source)
        rules = said.pop("rules")
        sources.append(said | {"rows": dict(block.rows) | {"kept": len(block.keys)}})
        for name, rule in rules.items():
            from_source = {k: said[k] for k in ("source", "cohort", "version", "digest")}
            entry = from_source | rule | block.counts[name].as_dict()
            lineage.setdefault(name, {"sources": []})["sources"].append(entry)
    return {
        "kind": KIND, "version": VERSION, "recipe": recipe, "mapping": mapping.text, "mapping_file":
        mapping.file, "mapping_sha256": hashlib.sha256(mapping.text.encode()).hexdigest(), "persons":
        mapping.persons, "sources": sources, "lineage": lineage,
    }  # fmt: skip


def _publish(
    store: CohortStore,
    mapping: Mapping,
    dictionary: Dictionary,
    keys: NDArray[np.uint64],
    columns: dict[str, Column],
    receipt: dict[str, Any],
) -> CohortTable:
    names = [PARTICIPANT, *(v.name for v in dictionary)]
    with store.stage(mapping.target, dictionary, kind="harmonised") as staged:
        for start in range(0, len(keys), BATCH_ROWS):
            rows = slice(start, start + BATCH_ROWS)
            arrays = [pa.array(keys[rows]), *(to_arrow(columns[v.name], v, rows) for v in dictionary)]
            staged.add(pa.table(arrays, names=names))
        return staged.publish(receipt)


def _keep_mapping(root: Root, mapping: Mapping, table: CohortTable) -> None:
    folder = root.path / MAPPINGS / table.id
    folder.mkdir(parents=True, exist_ok=True)
    write_atomic(folder / f"{table.version}.yaml", mapping.text.encode())
