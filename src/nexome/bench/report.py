"""A bench report as Markdown: what a person reads; the JSON holds everything."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from nexome.bench.questions import QUESTIONS


def as_markdown(report: Mapping[str, Any]) -> str:
    """The report as tables: machine, store, questions beside peers, and the other parts measured."""
    return "\n\n".join(_parts(report)) + "\n"


def _parts(report: Mapping[str, Any]) -> Iterator[str]:
    yield _about(report)
    yield _store(report)
    yield "**Warm**, p50 / p95 in ms\n\n" + _questions(report, "warm")
    yield (
        "**Cold**, p50 / p95 in ms: pages dropped (posix_fadvise) and the root opened anew before each "
        "question\n\n" + _questions(report, "cold")
    )
    if report["peers"]:
        yield _peers(report["peers"])
    if report["single_imports"]:
        yield _singles(report["single_imports"])
    if http := report["http"]:
        yield (
            f"**PheWAS over HTTP**: {http['requests_per_s']:,.0f} requests/s over {http['connections']} "
            f"connections ({http['answer_bytes']:,} bytes each); at {http['steady_rate']:.0f}/s p50 "
            f"{http['steady_p50_ms']:.1f} ms, p95 {http['steady_p95_ms']:.1f} ms; {http['errors']} errors"
        )
    if text := report["text_import"]:
        yield (
            f"**GWAS-SSF .gz of {text['rows']:,} rows**: {text['rows_per_s'] / 1e6:.2f} M rows/s "
            f"({text['wall_s']:.1f} s), peak {_gib(text['peak_memory_bytes'])}"
        )


def _about(report: Mapping[str, Any]) -> str:
    machine = report["machine"]
    return (
        f"{report['date']}, `{report['command']}`\n\n{machine['cpu']}, {machine['cores']} cores, "
        f"{_gib(machine['memory_bytes'])} memory, {machine['system']}, Python {machine['python']}, "
        + ", ".join(f"{name} {found}" for name, found in machine["versions"].items())
    )


def _store(report: Mapping[str, Any]) -> str:
    plan, store = report["plan"], report["store"]
    return (
        f"**Store** {plan['features']:,} × {plan['traits']:,} = {store['cells']:,} cells: "
        f"{store['bytes'] / 1e9:.3f} GB, {store['bytes_per_cell']:.3f} bytes a cell; written at "
        f"{store['write_cells_per_s'] / 1e6:.1f} M cells/s ({store['write_s']:.1f} s, beside "
        f"{store['generate_s']:.1f} s of making the numbers; {store['cpu_s']:.1f} s of processor for both); "
        f"peak {_gib(store['peak_memory_bytes'])} writing, {_gib(report['asking_peak_memory_bytes'])} reading"
    )


def _questions(report: Mapping[str, Any], kind: str) -> str:
    engines = [("nexome", report[kind]), *((p["name"], p[kind]) for p in report["peers"])]
    timings = {name: {t["question"]: t for t in found} for name, found in engines}
    rows = [
        (question.text, *(_timing(timings[name].get(question.name)) for name, _ in engines))
        for question in QUESTIONS
    ]
    return _table(("question", *(name for name, _ in engines)), rows)


def _timing(timing: Mapping[str, Any] | None) -> str:
    return f"{_ms(timing['p50_ms'])} / {_ms(timing['p95_ms'])}" if timing else "–"


def _ms(value: float) -> str:
    return f"{value:.2f}" if value < 10 else f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


def _peers(peers: Sequence[Mapping[str, Any]]) -> str:
    rows = [
        (
            f"{p['name']} {p['version']}",
            f"{p['bytes_per_row']:.2f}",
            f"{p['rows_per_s'] / 1e6:.2f}",
            _gib(p["peak_memory_bytes"]),
            p["differs"] or "yes",
            p["layout"],
        )
        for p in peers
    ]
    head = ("peer", "bytes a row", "M rows/s loaded", "peak memory", "same answers", "layout")
    return _table(head, rows)


def _singles(singles: Mapping[str, Any]) -> str:
    before, after = ({t["question"]: t for t in singles[when]} for when in ("before", "after"))
    rows = [(q.text, _timing(before.get(q.name)), _timing(after.get(q.name))) for q in QUESTIONS]
    compaction = singles["compaction"]
    return (
        f"**{singles['studies']:,} studies of {singles['features']:,} features, published singly** "
        f"(p50 {singles['publish_p50_s']:.2f} s each), compacted in {compaction['wall_s']:.1f} s; meanwhile "
        f"PheWAS p50 {compaction['phewas_p50_ms']:.2f} ms, p95 {compaction['phewas_p95_ms']:.2f} ms in "
        f"{compaction['reads']:,} reads, {len(compaction['read_errors'])} errors\n\n"
        + _table(("question", "before compaction", "after"), rows)
    )


def _gib(count: float) -> str:
    return f"{count / 2**30:.2f} GiB"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
