"""What the tests of knowledge formats share: a text as a file, read to plain rows."""

from collections import Counter
from dataclasses import dataclass, field

from nexome.formats.knowledge import KnowledgeOptions, open_knowledge


@dataclass
class Read:
    format: str = ""
    facts: dict = field(default_factory=dict)
    terms: list = field(default_factory=list)
    names: list = field(default_factory=list)
    edges: list = field(default_factory=list)
    problems: list = field(default_factory=list)

    @property
    def labels(self):
        return {row["id"]: row["label"] for row in self.terms}

    @property
    def said(self):
        return {(row["term"], row["text"], row["kind"], row["language"]) for row in self.names}

    @property
    def triples(self):
        return {(row["subject"], row["predicate"], row["object"]) for row in self.edges}

    @property
    def rules(self):
        return Counter(problem.rule for problem in self.problems)

    def at(self, rule):
        return [problem.line for problem in self.problems if problem.rule == rule]


def read_text(folder, text, name="source.txt", **options):
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_path(path, **options)


def read_path(path, **options):
    with open_knowledge(path, KnowledgeOptions(**options)) as reader:
        found = Read(reader.format.name)
        for batch in reader:
            found.terms += batch.terms.to_pylist()
            found.names += batch.names.to_pylist()
            found.edges += batch.edges.to_pylist()
            found.problems += batch.problems
        found.facts = dict(reader.facts)
    return found
