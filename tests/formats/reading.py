"""What the tests of this room share: reading text as a file of associations."""

import io
from dataclasses import dataclass, field

from nexome.formats.reader import ReadOptions
from nexome.formats.recognise import open_associations


@dataclass
class Read:
    """A file read to its end."""

    reader: object
    rows: list = field(default_factory=list)
    lines: list = field(default_factory=list)
    problems: list = field(default_factory=list)
    dropped: dict = field(default_factory=dict)

    def column(self, name):
        return [row[name] for row in self.rows]

    def used(self):
        return {use.source: use.term for use in self.reader.columns}


def read(source, **said):
    """Read text, bytes or a path with options; every batch must have the schema the reader promised."""
    options = ReadOptions(**said)
    if isinstance(source, str):
        source = source.encode()
    if isinstance(source, bytes):
        reader = open_associations("-", options, stdin=io.BytesIO(source))
    else:
        reader = open_associations(source, options)
    found = Read(reader)
    with reader:
        for batch in reader:
            names = [n for n in batch.table.column_names if n != "line"]
            assert batch.table.select(names).schema.equals(reader.schema)
            found.rows += batch.table.select(names).to_pylist()
            found.lines += batch.lines().tolist()
            found.problems += batch.problems
            for dropped in batch.dropped:
                found.dropped.setdefault(dropped.rule, []).extend(dropped.lines.tolist())
    return found
