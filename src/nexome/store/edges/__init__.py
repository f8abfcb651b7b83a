"""All statements of all sources as one graph: compressed adjacency both ways, evidence beside it.

`build_graph` makes it, `Graph` asks it, `paths` walks through it, `export` gives it away where the sources'
licences allow that. What the terms are called is store.knowledge.
"""

from nexome.store.edges.build import build_graph
from nexome.store.edges.export import export_kgx, export_parquet
from nexome.store.edges.graph import Graph, rebuild_graph
from nexome.store.edges.paths import Around, Hop, Path, Paths, Step, explain, find_paths, look_around
from nexome.store.edges.verify import find_damage_in_graph

__all__ = [
    "Around",
    "Graph",
    "Hop",
    "Path",
    "Paths",
    "Step",
    "build_graph",
    "explain",
    "export_kgx",
    "export_parquet",
    "find_damage_in_graph",
    "find_paths",
    "look_around",
    "rebuild_graph",
]
