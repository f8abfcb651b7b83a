"""`nexome status`: what a root holds and how it is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from nexome.cli.options import echo_json, format_bytes, open_centre, root_argument

if TYPE_CHECKING:
    from nexome.access.centre import Centre

TELLING_CELLS: Final = 1_000_000


@click.command()
@root_argument
@click.option("--json", "as_json", is_flag=True, help="The same as JSON.")
def status(root: Path, as_json: bool) -> None:
    """Tell what a root holds: studies, associations, bytes, waiting segments, its writer, its catalogue.

    \b
    Examples:
      nexome status associations
      nexome status associations --json
    """
    with open_centre(root) as centre:
        facts = root_facts(centre)
    if as_json:
        echo_json(facts)
        return
    for name, text in _lines(facts):
        click.echo(f"{name:<14}{text}")


def root_facts(centre: Centre) -> dict[str, Any]:
    """What `status` tells, by name."""
    from nexome.store.catalogue import HEAD  # noqa: PLC0415
    from nexome.store.cohorts import FOLDER as COHORTS  # noqa: PLC0415
    from nexome.store.disk import lock_holder  # noqa: PLC0415
    from nexome.store.genotypes.manifest import FOLDER as GENOTYPES  # noqa: PLC0415
    from nexome.store.knowledge.manifest import FOLDER as KNOWLEDGE  # noqa: PLC0415
    from nexome.store.reference import FOLDER as REFERENCE  # noqa: PLC0415
    from nexome.store.track_manifest import FOLDER as TRACKS  # noqa: PLC0415

    snapshot, root = centre.store.snapshot(), centre.root
    layouts = [segment.layout for segment in snapshot.segments.values()]
    cells = sum(study.cells for study in snapshot.studies.values())
    files = [path for path in root.path.rglob("*") if path.is_file()]
    elsewhere = {GENOTYPES, TRACKS, KNOWLEDGE, COHORTS, REFERENCE}
    size = sum(p.stat().st_size for p in files if p.relative_to(root.path).parts[0] not in elsewhere)
    return {
        "root": str(root.path),
        "id": root.id,
        "created": root.created,
        "assembly": root.assembly.name,
        "assembly_digest": root.assembly.digest,
        "sequence": snapshot.sequence,
        "studies": len(snapshot.studies),
        "traits": sum(len(study.study.traits) for study in snapshot.studies.values()),
        "cells": cells,
        "bytes": size,
        "bytes_per_cell": round(size / cells, 3) if cells else None,
        "segments": {layout: layouts.count(layout) for layout in sorted(set(layouts))},
        "waiting_segments": layouts.count("column"),
        "genes": len(centre.genes) if centre.genes else 0,
        **_beside_studies(centre),
        "writer": lock_holder(root.path),
        "catalogue": {
            "revision": centre.catalogue.revision,
            "current_revision": HEAD,
            "sequence": centre.catalogue.sequence,
            "behind": centre.catalogue.sequence < snapshot.sequence,
        },
    }


def _beside_studies(centre: Centre) -> dict[str, dict[str, Any]]:
    """What a root holds beside studies, by kind and name."""
    from nexome.store.cohorts import CohortStore  # noqa: PLC0415
    from nexome.store.genotypes.manifest import load_manifest as load_genotypes  # noqa: PLC0415
    from nexome.store.knowledge import Knowledge  # noqa: PLC0415
    from nexome.store.reference import ReferenceStore  # noqa: PLC0415

    root = centre.root
    return {
        "genotypes": {
            name: {"kind": e.kind, "access": e.access, "variants": e.variants, "people": e.people}
            for name, e in load_genotypes(root.path).sets.items()
        },
        "tracks": {
            r.name: {"kind": r.kind, "access": r.access, "features": r.features}
            for r in centre.tracks.records()
        },
        "knowledge": {
            s.name: {"release": s.release, "licence": s.licence, "terms": s.terms, "edges": s.edges}
            for s in Knowledge.open(root.path).sources()
        },
        "cohorts": {
            e.id: {"kind": e.kind, "access": e.access, "people": e.people, "variables": e.variables}
            for e in CohortStore(root).cohorts()
        },
        "reference": {
            s.entry.name: {"version": s.entry.version, "access": s.entry.access, "state": s.state}
            for s in ReferenceStore.open(root.path).sets()
        },
    }


def _lines(facts: dict[str, Any]) -> list[tuple[str, str]]:
    # Of a small store the folders themselves outweigh the numbers: a size for each would mislead.
    each = f", {facts['bytes_per_cell']:.2f} bytes each" if facts["cells"] >= TELLING_CELLS else ""
    segments = ", ".join(f"{count} {layout}" for layout, count in facts["segments"].items()) or "none"
    waiting = facts["waiting_segments"]
    writer = facts["writer"]
    busy = f"process {writer.get('pid', '?')} ({writer.get('command', '?')})" if writer else "none"
    catalogue = facts["catalogue"]
    state = "follows at the next question" if catalogue["behind"] else "up to date"
    return [
        ("root", f"{facts['root']} ({facts['id']}), since {facts['created']}"),
        ("assembly", facts["assembly"]),
        ("studies", f"{facts['studies']:,} with {facts['traits']:,} traits"),
        ("associations", f"{facts['cells']:,} in {format_bytes(facts['bytes'])}{each}"),
        ("segments", segments + (f"; {waiting} waiting: nexome compact {facts['root']}" if waiting else "")),
        ("genes", f"{facts['genes']:,}" if facts["genes"] else "none: nexome import genes --help"),
        ("genotypes", _genotypes(facts["genotypes"])),
        ("tracks", ", ".join(facts["tracks"]) or "none: nexome import track --help"),
        ("knowledge", _knowledge(facts["knowledge"])),
        ("cohorts", _cohorts(facts["cohorts"])),
        ("reference", _reference(facts["reference"])),
        ("writer", busy),
        ("catalogue", f"{state} (sequence {catalogue['sequence']} of {facts['sequence']})"),
    ]


def _knowledge(sources: dict[str, dict[str, Any]]) -> str:
    if not sources:
        return "none: nexome knowledge load --help"
    statements = sum(source["edges"] for source in sources.values())
    return f"{len(sources):,} sources with {statements:,} statements: nexome knowledge sources"


def _cohorts(cohorts: dict[str, dict[str, Any]]) -> str:
    if not cohorts:
        return "none: nexome import cohort --help"
    return ", ".join(
        f"{name} ({e['people']:,} people, {e['variables']:,} variables)" for name, e in cohorts.items()
    )


def _reference(sets: dict[str, dict[str, Any]]) -> str:
    if not sets:
        return "none: nexome reference build --help"
    return ", ".join(f"{name} (version {e['version']}, {e['state']})" for name, e in sets.items())


def _genotypes(sets: dict[str, dict[str, Any]]) -> str:
    if not sets:
        return "none: nexome import genotypes --help"
    return ", ".join(
        f"{name} ({e['variants']:,} variants, {e['people']:,} people)" for name, e in sets.items()
    )
