"""Sources of knowledge kept in versions, and the terms of all of them as one.

`load_source` and `withdraw_source` write, `Knowledge` reads; `export_source` gives a source away where its
licence allows it. The graph of all statements is store.edges.
"""

from nexome.store.knowledge.knowledge import (
    Knowledge,
    SourceRecord,
    TermRecord,
    find_damage_in_knowledge,
)
from nexome.store.knowledge.manifest import KnowledgeManifest
from nexome.store.knowledge.writer import (
    NewSource,
    clean_knowledge,
    load_source,
    switch_source_access,
    withdraw_source,
)

__all__ = [
    "Knowledge",
    "KnowledgeManifest",
    "NewSource",
    "SourceRecord",
    "TermRecord",
    "clean_knowledge",
    "find_damage_in_knowledge",
    "load_source",
    "switch_source_access",
    "withdraw_source",
]
