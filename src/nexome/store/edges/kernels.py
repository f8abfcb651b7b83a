"""Compiled loops over compressed adjacency. Arrays in, arrays out; see `layout` for what they hold."""

from __future__ import annotations

from typing import Any, NamedTuple

import numba
import numpy as np


class Side(NamedTuple):
    """Adjacency in one direction: R rows with an edge or more, E edges, B blocks.

    rows uint8 [R, W]: nodes (little-endian), ascending within a block; starts [R + 1]: first edge of each
    row; others uint8 [E, W]: the node at the other end; scores uint8 [S]; blocks int64 [B, 5]: first row,
    row behind the last, first edge, edge behind the last, first score (-1: a block without scores).
    """

    rows: Any
    starts: Any
    others: Any
    scores: Any
    blocks: Any


@numba.njit(cache=True, nogil=True)
def _node(packed: Any, place: int) -> Any:
    """A node of W bytes."""
    node: Any = 0
    for byte in range(packed.shape[1]):
        node |= np.int64(packed[place, byte]) << (8 * byte)
    return node


@numba.njit(cache=True, nogil=True)
def find_row(side: Side, block: int, node: int) -> Any:
    """The row of a node in a block; -1 where it has no edge there."""
    low, high = side.blocks[block, 0], side.blocks[block, 1]
    last = high
    while low < high:
        middle = (low + high) // 2
        if _node(side.rows, middle) < node:
            low = middle + 1
        else:
            high = middle
    return low if low < last and _node(side.rows, low) == node else -1


@numba.njit(cache=True, nogil=True)
def _score(side: Side, block: int, edge: int) -> Any:
    first = side.blocks[block, 4]
    return 0 if first < 0 else np.int64(side.scores[first + edge - side.blocks[block, 2]])


@numba.njit(cache=True, nogil=True)
def degree(side: Side, chosen: Any, node: int) -> Any:
    """Edges of a node in the chosen blocks."""
    total: Any = 0
    for block in chosen:
        row = find_row(side, block, node)
        if row >= 0:
            total += np.int64(side.starts[row + 1]) - np.int64(side.starts[row])
    return total


@numba.njit(cache=True, nogil=True)
def gather(side: Side, chosen: Any, nodes: Any, fan: int) -> Any:
    """Edges of nodes, at most the `fan` strongest of each node and block.

    Gives place in `nodes`, block, edge, other node, score code, each [K], and whether any was left out.
    """
    total: Any = 0
    cut: Any = False
    for node in nodes:
        for block in chosen:
            row = find_row(side, block, node)
            if row >= 0:
                count: Any = np.int64(side.starts[row + 1]) - np.int64(side.starts[row])
                cut = cut or count > fan
                total += min(count, fan)
    places, blocks = np.empty(total, np.int32), np.empty(total, np.int32)
    edges, others, scores = np.empty(total, np.int64), np.empty(total, np.int32), np.empty(total, np.uint8)
    at = 0
    for place in range(len(nodes)):
        for block in chosen:
            row = find_row(side, block, nodes[place])
            if row < 0:
                continue
            first, last = np.int64(side.starts[row]), np.int64(side.starts[row + 1])
            for edge in range(first, min(last, first + fan)):
                places[at], blocks[at], edges[at] = place, block, edge
                others[at], scores[at] = _node(side.others, edge), _score(side, block, edge)
                at += 1
    return places, blocks, edges, others, scores, cut


@numba.njit(cache=True, nogil=True)
def climb(side: Side, chosen: Any, starts: Any, limit: int) -> Any:
    """All nodes reached from some, breadth first, with their hops; the starts are the first of them.

    A circle ends where it began. Stops after `limit` nodes beside the starts; says whether it did.
    """
    found = np.empty(max(64, 2 * len(starts)), np.int32)
    hops = np.zeros(len(found), np.int32)
    seen = {np.int32(-1)}
    count = 0
    for node in starts:
        if np.int32(node) not in seen:
            seen.add(np.int32(node))
            found[count] = node
            count += 1
    most, at = count + limit, 0
    while at < count:
        node = found[at]
        for block in chosen:
            row = find_row(side, block, node)
            if row < 0:
                continue
            for edge in range(np.int64(side.starts[row]), np.int64(side.starts[row + 1])):
                other = np.int32(_node(side.others, edge))
                if other in seen:
                    continue
                if count >= most:
                    return found[:count], hops[:count], True
                seen.add(other)
                if count == len(found):
                    found = np.append(found, np.empty(count, np.int32))
                    hops = np.append(hops, np.zeros(count, np.int32))
                found[count], hops[count] = other, hops[at] + 1
                count += 1
        at += 1
    return found[:count], hops[:count], False


@numba.njit(cache=True, nogil=True)
def find_edge(side: Side, block: int, node: int, other: int, code: int) -> Any:
    """The number of an edge, by its ends and its score code; -1 where there is none."""
    row = find_row(side, block, node)
    if row < 0:
        return -1
    low, high = np.int64(side.starts[row]), np.int64(side.starts[row + 1])
    last = high
    while low < high:
        middle = (low + high) // 2
        here = _score(side, block, middle)
        if here > code or (here == code and _node(side.others, middle) < other):
            low = middle + 1
        else:
            high = middle
    return low if low < last and _node(side.others, low) == other and _score(side, block, low) == code else -1
