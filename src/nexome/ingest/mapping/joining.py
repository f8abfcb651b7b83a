"""Rows of several sources put together: one row a person and visit, however many sources met the person.

Participants keep their keys, so sources of one people namespace meet; others cannot. Which value stays
where they do is said by the mapping: join, prefer or refuse.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from nexome.ingest.mapping.applying import Block, combine_column, take
from nexome.ingest.mapping.rules import SOURCE, Persons
from nexome.model.cohorts import Dictionary, Variable
from nexome.model.errors import InputError
from nexome.model.expressions import Column
from nexome.store.cohorts.columns import valid_codes


def join_blocks(
    blocks: Sequence[Block], dictionary: Dictionary, persons: Persons
) -> tuple[NDArray[np.uint64], dict[str, Column], int]:
    """Keys, columns and how many rows met another source's; `dictionary` holds the column `source`.

    Raises InputError for `refuse` where sources share a person.
    """
    keys = np.concatenate([block.keys for block in blocks])
    columns = {v.name: _stacked(blocks, v) for v in dictionary if v.role != "participant"}
    group, shared = _groups(keys, columns, dictionary)
    if not shared:
        return keys, columns, 0
    if persons == "refuse":
        raise InputError(
            f"{shared:,} rows of persons that an earlier source has",
            where="harmonise",
            expected="each person in one source",
            todo="Say persons: join or persons: prefer in the mapping.",
        )
    order = np.lexsort((np.arange(len(keys)), group))  # the first source first
    starts = np.flatnonzero(np.append([True], group[order][1:] != group[order][:-1]))
    first = order[starts]
    if persons == "prefer":
        return keys[first], {name: take(column, first) for name, column in columns.items()}, shared
    joined = {name: combine_column(take(column, order), starts, "first") for name, column in columns.items()}
    return keys[first], joined | {SOURCE: take(columns[SOURCE], first)}, shared


def _groups(
    keys: NDArray[np.uint64], columns: dict[str, Column], dictionary: Dictionary
) -> tuple[NDArray[np.int64], int]:
    """A number for each person and visit, and how many rows are not the first of theirs."""
    _, group = np.unique(keys, return_inverse=True)
    visit = dictionary.of_role("visit")
    if visit is not None and len(group):
        column = columns[visit.name]
        _, number = np.unique(np.where(column.missing, -1, column.values), return_inverse=True)
        _, group = np.unique(group * (int(number.max()) + 1) + number, return_inverse=True)
    distinct = int(group.max()) + 1 if len(group) else 0
    return group, len(group) - distinct


def _stacked(blocks: Sequence[Block], variable: Variable) -> Column:
    """A variable of all blocks, one after the other; missing in a block without it."""
    made = [_of_block(block, number, variable) for number, block in enumerate(blocks)]
    if variable.type == "text":
        return _stacked_texts(made)
    if len(made) == 1 and variable.name != SOURCE:
        return made[0]
    values = np.concatenate([column.values for column in made])
    return Column(
        values,
        np.concatenate([c.missing for c in made]),
        valid_codes(variable) if variable.type == "category" else (),
    )


def _of_block(block: Block, number: int, variable: Variable) -> Column:
    rows = len(block.keys)
    if variable.name == SOURCE:
        return Column(np.full(rows, number, dtype=np.int32), np.zeros(rows, dtype=bool))
    found = block.columns.get(variable.name)
    if found is not None:
        return found
    kind = (
        bool if variable.type == "boolean" else np.int32 if variable.type in {"category", "text"} else float
    )
    return Column(np.zeros(rows, dtype=kind), np.ones(rows, dtype=bool))


def _stacked_texts(made: Sequence[Column]) -> Column:
    texts = tuple(dict.fromkeys(text for column in made for text in column.categories))
    number = {text: place for place, text in enumerate(texts)}
    values = []
    for column in made:
        table = np.array([*(number[text] for text in column.categories), 0], dtype=np.int32)
        values.append(table[np.where(column.missing, -1, column.values)])
    return Column(np.concatenate(values), np.concatenate([c.missing for c in made]), texts)
