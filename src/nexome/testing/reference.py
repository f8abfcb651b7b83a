"""The reference pages of docs, made from the code: fields, measures, errors, settings, commands, routes.

`python -m nexome.testing.reference docs/reference` writes them; a test fails when one is stale.
Each page is a function that returns Markdown; it takes its facts from where they live and keeps
none of its own.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields
from importlib.metadata import Distribution, distribution
from pathlib import Path
from typing import Final

import click

from nexome.model import errors
from nexome.model.fields import FIELDS
from nexome.model.measures import MEASURES
from nexome.model.settings import Settings


def fields_page() -> str:
    """Every field of an answer: type, unit, missing value and meaning in both languages."""
    rows = (
        (f"`{f.name}`", f.type, f.unit or "–", f.missing, f.meaning_en, f.meaning_zh) for f in FIELDS.values()
    )
    head = ("field", "type", "unit", "missing", "meaning", "含义")
    return _page("Fields", "Declared once in `nexome.model.fields`.", _table(head, rows))


def measures_page() -> str:
    """Every measure: unit, kind, how samples tell of a period, source, meaning in both languages."""
    rows = (
        (
            f"`{m.name}`",
            m.title_en,
            m.unit,
            m.kind,
            m.aggregation,
            m.source or "none yet",
            m.meaning_en,
            m.meaning_zh,
        )
        for m in MEASURES.values()
    )
    head = ("measure", "title", "unit", "kind", "over a period", "source", "meaning", "含义")
    text = "Declared once in `nexome.model.measures`; see [measures](../measures.md)."
    return _page("Measures", text, _table(head, rows))


def settings_page() -> str:
    """Every setting: its name in `nexome.toml` and in the environment, default and meaning."""
    rows = (
        (f"`{f.name}`", f"`NEXOME_{f.name.upper()}`", f"`{f.default!r}`", f.metadata["en"], f.metadata["zh"])
        for f in fields(Settings)
    )
    head = ("setting", "environment", "default", "meaning", "含义")
    text = "Set in `nexome.toml` of a root; the environment is stronger."
    return _page("Settings", text, _table(head, rows))


def errors_page() -> str:
    """The tree of errors and what each means."""
    tree = (errors.__doc__ or "").split("\n\n")[1]
    kinds = [e for _, e in inspect.getmembers(errors, inspect.isclass) if issubclass(e, errors.NexomeError)]
    rows = (
        (f"`{e.code}`", e.__name__, str(e.http_status), (inspect.getdoc(e) or "").splitlines()[0])
        for e in kinds
    )
    head = ("code", "error", "HTTP", "meaning")
    return _page("Errors", f"```text\n{tree}\n```", _table(head, rows))


def commands_page() -> str:
    """Every command with its help, as `--help` prints it at 90 columns."""
    from nexome.main import main  # noqa: PLC0415 - the whole program is needed by this page alone

    parts = [f"## `{path}`\n\n```text\n{text}\n```" for path, text in _helps(main, "nexome")]
    return _page("Commands", "As `nexome COMMAND --help` prints it.", "\n\n".join(parts))


def routes_page() -> str:
    """Every route of the HTTP API with its parameters and columns; openapi.json says the same to programs."""
    from nexome.web.api.routes import ROUTES  # noqa: PLC0415 - the whole API is needed by this page alone

    parts = []
    for route in ROUTES:
        head = f"## `{' / '.join(route.methods)} /api/v1{route.path.replace(':path', '')}`"
        rows = [(f"`{p.name}`", p.place, p.kind, p.en, p.zh) for p in route.parameters]
        table = _table(("parameter", "in", "kind", "meaning", "含义"), rows) if rows else "No parameters."
        columns = "Columns: " + ", ".join(f"`{name}`" for name in route.columns) if route.columns else ""
        texts = (head, f"{route.summary_en}. {route.summary_zh}。", table, columns)
        parts.append("\n\n".join(text for text in texts if text))
    text = "Answers, pages, errors and ETags: see [JSON by column](../decisions/0002-json-by-column.md)."
    return _page("Routes", text, "\n\n".join(parts))


def licences_page() -> str:
    """Licence of each distribution that an install without extras brings, from its own metadata."""
    rows = ((d.metadata["Name"], d.version, _licence_of(d)) for d in runtime_distributions())
    text = (
        "What an installation without extras brings, from each package's own metadata. The scripts of "
        "the pages are built from the npm packages listed in `web/package.json`."
    )
    return _page("Licences", text, _table(("package", "version", "licence"), rows))


PAGES: Final[dict[str, Callable[[], str]]] = {
    "fields.md": fields_page,
    "measures.md": measures_page,
    "settings.md": settings_page,
    "errors.md": errors_page,
    "commands.md": commands_page,
    "routes.md": routes_page,
    "licences.md": licences_page,
}


def runtime_distributions(root: str = "nexome") -> list[Distribution]:
    """The distributions that `root` needs without extras on this machine, by name, itself left out."""
    found: dict[str, Distribution] = {}
    waiting = [root]
    while waiting:
        dist = distribution(waiting.pop())
        for requirement in dist.requires or ():
            name, extras, marker = _requirement(requirement)
            if name in found or not marker:
                continue
            found[name] = distribution(name)
            waiting.append(name)
            waiting += [n for n in _extra_needs(found[name], extras) if n not in found]
            found |= {n: distribution(n) for n in _extra_needs(found[name], extras)}
    return [found[name] for name in sorted(found)]


def _requirement(text: str, extra: str = "") -> tuple[str, set[str], bool]:
    from packaging.requirements import Requirement  # noqa: PLC0415 - a developer's tool

    parsed = Requirement(text)
    wanted = parsed.marker is None or parsed.marker.evaluate({"extra": extra})
    return parsed.name.lower().replace("_", "-"), set(parsed.extras), wanted


def _extra_needs(dist: Distribution, extras: set[str]) -> list[str]:
    needs = []
    for extra in extras:
        for requirement in dist.requires or ():
            name, _, with_extra = _requirement(requirement, extra)
            if with_extra and not _requirement(requirement)[2]:
                needs.append(name)
    return needs


def _licence_of(dist: Distribution) -> str:
    facts = dist.metadata.json  # names in lower case with underscores; the same facts as the headers
    if expression := facts.get("license_expression"):
        return str(expression)
    stated = (c for c in facts.get("classifier", ()) if c.startswith("License ::"))
    named = [c.rsplit(" :: ", 1)[1] for c in stated if not c.endswith("OSI Approved")]
    return "; ".join(named) or str(facts.get("license") or "not stated").splitlines()[0][:80]


def _helps(command: click.Command, path: str) -> Iterator[tuple[str, str]]:
    context = click.Context(command, info_name=path, max_content_width=90, terminal_width=90)
    yield path, command.get_help(context)
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            if child := command.get_command(context, name):
                yield from _helps(child, f"{path} {name}")


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    lines = [list(head), *map(list, rows)]
    lines.insert(1, ["---"] * len(lines[0]))
    return "\n".join("| " + " | ".join(re.sub(r"\|", "\\|", c) for c in row) + " |" for row in lines)


def _page(title: str, *parts: str) -> str:
    made = "<!-- Made by `make docs`; do not edit. -->"
    return "\n\n".join((f"# {title}", made, *parts)) + "\n"


def main() -> None:
    """Write every page into the folder named on the command line."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "docs/reference")
    folder.mkdir(parents=True, exist_ok=True)
    for name, page in PAGES.items():
        (folder / name).write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
