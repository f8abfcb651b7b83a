"""YAML with places: each value knows its file and line, so that what is wrong with it can be said there.

Scalars stay the texts that were written (`no` is 'no', `1.10` is '1.10'): what they mean is said by who
asks for them. Keys that stand twice, anchors and files beyond MAX_BYTES are refused.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

import yaml

from nexome.model.errors import FormatError, InputError

MAX_BYTES: Final = 4 << 20
MAX_DEPTH: Final = 12


@dataclass(frozen=True, slots=True)
class Place:
    """A value of a YAML file: its node, the file's name, and the keys that lead to it."""

    node: yaml.Node
    file: str
    path: tuple[str, ...] = ()

    @property
    def line(self) -> int:
        """The line it begins at, counted from 1."""
        return int(self.node.start_mark.line) + 1

    @property
    def where(self) -> str:
        """File, line and keys, for messages."""
        keys = ".".join(self.path)
        return f"{self.file}, line {self.line}" + (f", {keys}" if keys else "")

    def wrong(self, found: str, expected: str, todo: str = "") -> InputError:
        """The error to raise for this value."""
        return InputError(found, where=self.where, expected=expected, todo=todo)

    @property
    def is_text(self) -> bool:
        """Whether it is one value: neither a list nor a mapping."""
        return isinstance(self.node, yaml.ScalarNode)

    @property
    def is_list(self) -> bool:
        """Whether it is a list."""
        return isinstance(self.node, yaml.SequenceNode)

    def text(self) -> str:
        """One value as it was written, without blanks around it; '' where nothing stands."""
        if not isinstance(self.node, yaml.ScalarNode):
            raise self.wrong("a list or a mapping", "one value")
        plain_null = self.node.style is None and self.node.value in {"~", "null"}
        return "" if plain_null else str(self.node.value).strip()

    def number(self) -> float:
        """One number."""
        try:
            return float(self.text())
        except ValueError:
            raise self.wrong(f"{self.text()[:60]!r}", "a number") from None

    def day(self) -> date:
        """One date."""
        try:
            return date.fromisoformat(self.text())
        except ValueError:
            raise self.wrong(f"{self.text()[:60]!r}", "a date as 2010-05-01") from None

    def one_of(self, allowed: Iterable[str]) -> str:
        """One of some words."""
        words = list(allowed)
        if self.text() not in words:
            raise self.wrong(f"{self.text()[:60]!r}", "one of " + ", ".join(words), _near(self.text(), words))
        return self.text()

    def items(self) -> list[Place]:
        """The values of a list; a single value is a list of one."""
        if self.is_text:
            return [self]
        if not isinstance(self.node, yaml.SequenceNode):
            raise self.wrong("a mapping", "a list")
        return [Place(node, self.file, (*self.path, str(i))) for i, node in enumerate(self.node.value, 1)]

    def keys(self, known: Iterable[str] | None = None) -> dict[str, Place]:
        """The values of a mapping by key; `known`: the keys there may be."""
        if not isinstance(self.node, yaml.MappingNode):
            raise self.wrong("a list" if self.is_list else "one value", "a mapping, `key: value` a line")
        allowed = None if known is None else list(known)
        found: dict[str, Place] = {}
        for key_node, node in self.node.value:
            key = Place(key_node, self.file, self.path).text()
            place = Place(node, self.file, (*self.path, key))
            at_key = Place(key_node, self.file, (*self.path, key))
            if key in found:
                raise at_key.wrong(f"{key[:60]!r} for the second time", "each key once")
            if allowed is not None and key not in allowed:
                raise at_key.wrong(f"{key[:60]!r}", "one of " + ", ".join(allowed), _near(key, allowed))
            found[key] = place
        return found


def read_located(text: str, file: str) -> Place:
    """The YAML of a text. Raises FormatError with the line where it is none."""
    if len(text.encode()) > MAX_BYTES:
        raise FormatError(f"{len(text.encode()):,} bytes", where=file, expected=f"at most {MAX_BYTES:,}")
    try:
        _refuse_anchors(text, file)
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or "not YAML"
        raise FormatError(str(problem), where=f"{file}{line}", expected="YAML") from None
    if node is None:
        raise FormatError("nothing", where=file, expected="a mapping with target, variables and sources")
    return Place(node, file)


def read_located_file(path: Path) -> tuple[Place, str]:
    """The YAML of a file and its text. Raises FormatError for what is not UTF-8 text."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise InputError("no such file", where=str(path), expected="a mapping in YAML") from None
    except UnicodeDecodeError:
        raise FormatError("bytes that are not UTF-8", where=str(path), expected="a mapping in YAML") from None
    return read_located(text, path.name), text


def _refuse_anchors(text: str, file: str) -> None:
    depth = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if isinstance(event, yaml.AliasEvent) or depth > MAX_DEPTH:
            line = event.start_mark.line + 1 if event.start_mark else 1
            what = "an alias" if isinstance(event, yaml.AliasEvent) else f"more than {MAX_DEPTH} levels"
            raise FormatError(what, where=f"{file}, line {line}", expected="plain lists and mappings")


def _near(word: str, words: Iterable[str]) -> str:
    near = difflib.get_close_matches(word, list(words), n=2, cutoff=0.6)
    return f"Did you mean {' or '.join(near)}?" if near else ""
