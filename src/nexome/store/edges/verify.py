"""Comparing the graph of a root with the statements it was made of: made again aside, file by file.

The same statements give the same bytes, so that nothing short of making it anew could say more. A root whose
graph was not made yet, or is of older sources, has nothing to compare.
"""

from __future__ import annotations

import filecmp
import tempfile
from collections.abc import Iterator
from pathlib import Path

from nexome.store.checksums import Damage
from nexome.store.edges.build import build_graph_from
from nexome.store.edges.layout import NAME, graph_folder
from nexome.store.knowledge import Knowledge


def find_damage_in_graph(root: Path) -> Iterator[Damage]:
    """Files of the graph that are not what the sources' statements make; nothing is written into the root."""
    knowledge = Knowledge.open(root)
    digest = knowledge.digest
    folder = graph_folder(root, digest)
    if not (folder / NAME).exists():
        return
    with tempfile.TemporaryDirectory(prefix="nexome-graph-") as aside:
        made = build_graph_from(knowledge.edges(), Path(aside) / "graph", digest=digest)
        names = {p.relative_to(made) for p in made.rglob("*") if p.is_file()}
        held = {p.relative_to(folder) for p in folder.rglob("*") if p.is_file()}
        for name in sorted(names | held):
            if name not in held:
                yield Damage(folder / name, "is not there")
            elif name not in names:
                yield Damage(folder / name, "is no part of a graph")
            elif not filecmp.cmp(made / name, folder / name, shallow=False):
                yield Damage(folder / name, "is not what the statements make: nexome rebuild")
