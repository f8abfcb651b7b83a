"""Founder haplotypes with real linkage disequilibrium: the sequentially Markov coalescent, with groups.

A genealogy of all founders is drawn at the first base and changed at each recombination along the contig
(SMC'): a branch is cut at a uniform point and joins the tree again by the coalescent. Mutations fall on the
branches, so that frequencies, LD and its decay follow population genetics and nothing is tuned. Groups
split from one ancestral population and do not mix until the split, backwards in time.
Sources: McVean & Cardin, Phil Trans R Soc B 360:1387 (2005); Marjoram & Wall, BMC Genet 7:16 (2006).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Alleles = npt.NDArray[np.int8]


@dataclass(frozen=True, slots=True)
class Demography:
    """What the genealogies are drawn from. Rates are per base and generation, sizes are diploid people.

    `split` is generations since the groups' common population; `group_size` relative to `size`.
    """

    size: float = 10_000.0
    recombination: float = 1e-8
    mutation: float = 1.25e-8
    split: float = 1_600.0
    group_size: tuple[float, ...] = (0.6, 0.5)


def founder_haplotypes(
    random: np.random.Generator,
    length_bp: int,
    group: npt.NDArray[Any],
    *,
    least_count: int = 2,
    demography: Demography | None = None,
) -> tuple[Ints, Alleles]:
    """Positions [V], increasing, and derived alleles [V, F] (0 or 1) of F founders on one contig.

    `group` [F] numbers each founder's group from 0. Sites whose rarer allele is carried by fewer than
    `least_count` founders are left out. Time grows with length_bp × size × F.
    """
    model = demography or Demography()
    unit = 2.0 * model.size  # generations in one unit of coalescent time
    rates = np.array([unit * model.recombination, unit * model.mutation, model.split / unit])
    return _walk(random, length_bp, group.astype(np.int64), np.array(model.group_size), rates, least_count)


@numba.njit(cache=True, nogil=True)
def _walk(
    random: Any, length_bp: int, group: Ints, group_size: Floats, rates: Floats, least_count: int
) -> tuple[Ints, Alleles]:
    """Draw the tree at the first base, then walk along the contig; returns positions and alleles."""
    recombination, mutation, split = rates[0], rates[1], rates[2]
    parent, child, time, label = _first_tree(random, group, group_size, split)
    leaves = group.size
    room = 1024
    positions, alleles = np.empty(room, np.int64), np.empty((room, leaves), np.int8)
    carried = np.empty(leaves, np.int8)
    found = 0
    here = 0.0
    while here < length_bp:
        total = _branch_length(parent, time)
        until = min(here + random.exponential(1.0 / (recombination * total)), float(length_bp))
        mutations = random.poisson(mutation * total * (until - here))
        places = np.sort(here + (until - here) * random.random(mutations))
        for place in places:
            node, _ = _point_on_tree(random, parent, time, total)
            count = _carriers(node, child, carried)
            position = int(place) + 1
            if min(count, leaves - count) < least_count or (found > 0 and positions[found - 1] == position):
                continue
            if found == room:
                room *= 2
                positions, alleles = _grown(positions, alleles, room)
            positions[found] = position
            alleles[found] = carried
            found += 1
        here = until
        if here < length_bp:
            node, height = _point_on_tree(random, parent, time, total)
            _recombine(random, (parent, child, time, label), (node, height), (group_size, split))
    return positions[:found].copy(), alleles[:found].copy()


@numba.njit(cache=True, nogil=True)
def _grown(positions: Ints, alleles: Alleles, room: int) -> tuple[Ints, Alleles]:
    wider, taller = np.empty(room, np.int64), np.empty((room, alleles.shape[1]), np.int8)
    wider[: positions.size] = positions
    taller[: positions.size] = alleles
    return wider, taller


@numba.njit(cache=True, nogil=True)
def _first_tree(
    random: Any, group: Ints, group_size: Floats, split: float
) -> tuple[Ints, Ints, Floats, Ints]:
    """A coalescent tree of the leaves: parent [N], child [N, 2], time [N], group label [N]; N = 2F − 1."""
    leaves = group.size
    nodes = 2 * leaves - 1
    parent, child = np.full(nodes, -1, np.int64), np.full((nodes, 2), -1, np.int64)
    time, label = np.zeros(nodes), np.zeros(nodes, np.int64)
    label[:leaves] = group
    now, made = 0.0, leaves
    free = np.arange(leaves)
    while made < nodes:
        best, chosen = np.inf, -1
        for g in range(group_size.size if now < split else 1):
            k = (label[free] == g).sum() if now < split else free.size
            if k > 1:
                pairs = k * (k - 1) / 2.0 / (group_size[g] if now < split else 1.0)
                wait = random.exponential(1.0 / pairs)
                if wait < best:
                    best, chosen = wait, g
        if now < split and now + best >= split:
            now = split
            continue
        inside = free[label[free] == chosen] if now < split else free
        first = random.integers(0, inside.size)
        second = (first + random.integers(1, inside.size)) % inside.size
        now += best
        for side, node in enumerate((inside[first], inside[second])):
            parent[node] = made
            child[made, side] = node
        time[made], label[made] = now, label[inside[first]]
        kept = free[(free != inside[first]) & (free != inside[second])]
        free = np.append(kept, made)
        made += 1
    return parent, child, time, label


@numba.njit(cache=True, nogil=True)
def _branch_length(parent: Ints, time: Floats) -> float:
    total = 0.0
    for node in range(parent.size):
        if parent[node] >= 0:
            total += time[parent[node]] - time[node]
    return total


@numba.njit(cache=True, nogil=True)
def _point_on_tree(random: Any, parent: Ints, time: Floats, total: float) -> tuple[int, float]:
    """A uniform point of the branches: the node below it, and its time."""
    left = random.random() * total
    last = 0
    for node in range(parent.size):
        if parent[node] >= 0:
            length = time[parent[node]] - time[node]
            if left < length:
                return node, time[node] + left
            left -= length
            last = node
    return last, time[last]  # only by rounding


@numba.njit(cache=True, nogil=True)
def _carriers(node: int, child: Ints, carried: Alleles) -> int:
    """Set `carried` to 1 for the leaves below `node`, 0 for the others; returns how many."""
    carried[:] = 0
    stack = np.empty(carried.size + 1, np.int64)
    stack[0] = node
    depth, count = 1, 0
    while depth > 0:
        depth -= 1
        at = stack[depth]
        if at < carried.size:
            carried[at] = 1
            count += 1
        else:
            stack[depth] = child[at, 0]
            stack[depth + 1] = child[at, 1]
            depth += 2
    return count


@numba.njit(cache=True, nogil=True)
def _extant(parent: Ints, time: Floats, label: Ints, when: float, group: int) -> int:
    """Branches alive at time `when`; only those of `group`, unless it is −1."""
    count = 0
    for node in range(parent.size):
        if time[node] <= when and (parent[node] < 0 or time[parent[node]] > when):
            count += group < 0 or label[node] == group
    return count


@numba.njit(cache=True, nogil=True)
def _rejoin(
    random: Any, tree: tuple[Ints, Floats, Ints], start: float, cut: int, model: tuple[Floats, float]
) -> tuple[float, int]:
    """When, and on which branch, the cut lineage coalesces again: thinning, as branches only get fewer."""
    parent, time, label = tree
    group_size, split = model
    now = start
    while True:
        group = label[cut] if now < split else -1
        rate = 1.0 / (group_size[group] if group >= 0 else 1.0)
        alive = _extant(parent, time, label, now, group)
        later = now + random.exponential(1.0 / (alive * rate))
        if now < split <= later:
            now = split
            continue
        now = later
        then = _extant(parent, time, label, now, group)
        if random.random() * alive < then:
            break
    pick = random.integers(0, then)
    for node in range(parent.size):
        alive_here = time[node] <= now and (parent[node] < 0 or time[parent[node]] > now)
        if alive_here and (group < 0 or label[node] == group):
            if pick == 0:
                return now, node
            pick -= 1
    return start, cut  # never: `pick` is smaller than the branches counted


@numba.njit(cache=True, nogil=True)
def _recombine(
    random: Any,
    tree: tuple[Ints, Ints, Floats, Ints],
    point: tuple[int, float],
    model: tuple[Floats, float],
) -> None:
    """Cut the branch above `point` and let it join again, in place (SMC': it may rejoin its old branch)."""
    parent, child, time, label = tree
    cut, start = point
    when, onto = _rejoin(random, (parent, time, label), start, cut, model)
    above = parent[cut]
    sibling = child[above, 0] + child[above, 1] - cut
    if onto == cut:
        return
    if onto not in (sibling, above):
        _replace_child(parent, child, above, sibling)
        _replace_child(parent, child, onto, above)
        child[above, 0], child[above, 1] = cut, onto
        parent[onto] = above
    time[above], label[above] = when, label[cut]


@numba.njit(cache=True, nogil=True)
def _replace_child(parent: Ints, child: Ints, old: int, new: int) -> None:
    """Put `new` where `old` hangs."""
    over = parent[old]
    parent[new] = over
    if over >= 0:
        child[over, 0 if child[over, 0] == old else 1] = new
