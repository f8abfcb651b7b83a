"""`nexome search …`: find by meaning, normalise lists, train the encoder, build and evaluate the index."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, get_args

import click

from nexome.cli.options import open_centre, root_option
from nexome.cli.query import asked_view, question
from nexome.search.records import Kind

if TYPE_CHECKING:
    from nexome.model.knowledge import NamedTerm
    from nexome.search.evaluate import Evaluation

LEARNT: Final = (
    *(
        "HP",
        "DOID",
        "Orphanet",
        "EFO",
        "MESH",
        "MONDO",
        "ICD10",
        "ICD10CM",
        "icd11.foundation",
        "NCIT",
        "OMIM",
    ),
    *("CL", "UBERON", "PATO", "UO", "NXDEMO"),
)
"""Vocabularies an encoder learns from where none are named: diseases, phenotypes, traits, anatomy."""

_exclude = click.option(
    "--exclude",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Names and ids that stay unseen.",
)
_vocabularies = click.option(
    "--vocabulary", "vocabularies", multiple=True, metavar="PREFIX", help="Only these; may be given again."
)
_part = click.option(
    "--weight", "weights", multiple=True, metavar="PART=X", help="Another weight of a part of the score."
)


@click.command()
@click.argument("text")
@click.option(
    "--limit", type=click.IntRange(min=1, max=1_000), default=20, show_default=True, help="Most matches."
)
@click.option(
    "--kind",
    "kinds",
    multiple=True,
    type=click.Choice(get_args(Kind)),
    help="Only this kind; may be given again.",
)
@question
def find(text: str, limit: int, kinds: tuple[str, ...], **asked: Any) -> None:
    """Find by meaning, in Chinese or English, and say why each match was found.

    \b
    Examples:
      nexome search find "heart attack"
      nexome search find 心梗 --kind study --format json
    """
    import pyarrow as pa  # noqa: PLC0415

    from nexome.cli.query import write_answer  # noqa: PLC0415

    with asked_view(asked) as view:
        matches = view.find(text, limit=limit, kinds=kinds)
    columns: dict[str, list[Any]] = {
        name: [getattr(match, name) for match in matches]
        for name in (
            "kind",
            "id",
            "label",
            "label_zh",
            "name",
            "why",
            "through",
            "through_zh",
            "sureness",
            "score",
        )
    }
    write_answer(
        pa.table(columns) if matches else pa.table(dict.fromkeys(columns, pa.array([], pa.string()))), asked
    )


@click.command()
@click.argument("file", type=click.File("r", encoding="utf-8"))
@_vocabularies
@click.option(
    "--alternatives", type=click.IntRange(0, 20), default=3, show_default=True, help="Further guesses."
)
@click.option("-o", "--output", type=click.File("w", encoding="utf-8"), default="-", help="File to write.")
@root_option
def normalise(file: Any, vocabularies: tuple[str, ...], alternatives: int, output: Any, root: Path) -> None:
    """Find the concept of each line of a FILE ('-': from a pipe); writes TSV.

    A line of which none is sure enough has `abstained` 1 and no id; its guesses are among the alternatives.

    \b
    Examples:
      nexome search normalise traits.txt --vocabulary EFO -o traits.tsv
      cut -f3 phenotypes.tsv | nexome search normalise - --vocabulary HP
    """
    from nexome.search.answer_rows import write_normalised  # noqa: PLC0415

    texts = [line.rstrip("\r\n") for line in file]
    with open_centre(root) as centre:
        view = centre.owner_view()
        write_normalised(output, view.normalise(texts, vocabularies=vocabularies, limit=alternatives + 1))


@click.command()
@click.argument("file", type=click.File("r", encoding="utf-8"))
@_vocabularies
@click.option("-o", "--output", type=click.File("w", encoding="utf-8"), default="-", help="File to write.")
@root_option
def annotate(file: Any, vocabularies: tuple[str, ...], output: Any, root: Path) -> None:
    """Find the concepts inside a text, say a clinical note ('-': from a pipe); writes TSV.

    A row a mention: from which character to before which, counted from 0; the concept, how it was found and
    how sure; whether it is denied (negated 1: "no diabetes", 否认高血压) or said of a relative (family 1).

    \b
    Examples:
      nexome search annotate note.txt --vocabulary HP
      nexome search annotate header.txt -o concepts.tsv
    """
    from nexome.search.answer_rows import write_mentions  # noqa: PLC0415

    with open_centre(root) as centre:
        write_mentions(output, centre.owner_view().annotate(file.read(), vocabularies=vocabularies))


@click.command()
@_exclude
@_vocabularies
@click.option(
    "--epochs", type=click.IntRange(1), default=12, show_default=True, help="Rounds over all names."
)
@click.option(
    "--features", type=click.IntRange(100), default=164_000, show_default=True, help="Known features."
)
@click.option("--hashed", type=click.IntRange(0), default=16_000, show_default=True, help="Shared rows.")
@click.option(
    "--dimensions", type=click.IntRange(8, 1024), default=256, show_default=True, help="Of a vector."
)
@click.option("--seed", type=int, default=0, show_default=True, help="Equal seeds give equal encoders.")
@root_option
def train(root: Path, exclude: Path | None, vocabularies: tuple[str, ...], **options: int) -> None:
    """Train the encoder of a root on the names of its loaded vocabularies, and on nothing else.

    The index must be built again afterwards: nexome search index.

    \b
    Examples:
      nexome search train --root centre
      nexome search train --root centre --exclude heldout/exclude.txt
    """
    from nexome.search.lexicon import Lexicon  # noqa: PLC0415
    from nexome.search.sources import ENCODER, FOLDER  # noqa: PLC0415
    from nexome.search.training import TrainingOptions, train_encoder  # noqa: PLC0415

    unseen = _lines(exclude)
    terms = _terms(root, vocabularies or LEARNT)
    lexicon = Lexicon.build(terms, exclude_texts=unseen, exclude_terms=unseen)
    click.echo(f"{len(lexicon):,} names of {len(lexicon.terms):,} terms", err=True)
    encoder = train_encoder(
        lexicon,
        TrainingOptions(**options),
        lambda epoch, of, loss: click.echo(f"epoch {epoch} of {of}: loss {loss:.3f}", err=True),
    )
    encoder.save(root / FOLDER / ENCODER)
    click.echo(
        f"Encoder {encoder.revision}: {len(encoder.table):,} features, {encoder.dimensions} dimensions."
    )


@click.command()
@_exclude
@_vocabularies
@click.option("--if-behind", is_flag=True, help="Only where something was published since the last one.")
@root_option
def index(root: Path, exclude: Path | None, vocabularies: tuple[str, ...], *, if_behind: bool) -> None:
    """Build the search index of a root beside the one that is asked, and swap them at once.

    Once there is one, a server builds it again by itself when something is published or withdrawn, and so do
    the commands that publish while no server runs (setting follow_search).

    \b
    Examples:
      nexome search index --root centre
      nexome search index --if-behind
    """
    from nexome.access.indexing import build_index, follow  # noqa: PLC0415

    with open_centre(root) as centre:
        made = follow(centre) if if_behind else build_index(centre, vocabularies, exclude=_lines(exclude))
    if made is None:
        click.echo("The index is not behind.")
        return
    facts = made.facts
    click.echo(f"{facts['records']:,} things under {facts['names']:,} names, sequence {facts['sequence']}.")


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@_vocabularies
@click.option(
    "--among",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Identifiers to choose from.",
)
@_part
@click.option(
    "--against", multiple=True, metavar="PART=X", help="Compare with these weights, question by question."
)
@root_option
def evaluate(
    root: Path,
    file: Path,
    *,
    vocabularies: tuple[str, ...],
    among: Path | None,
    weights: tuple[str, ...],
    against: tuple[str, ...],
) -> None:
    """Measure how often the right concept comes first: a FILE of text, tab, identifiers ('|' between them).

    The choice is among the vocabularies of the right answers unless --vocabulary or --among says otherwise.
    Intervals are 95 %, from resampled questions.

    \b
    Examples:
      nexome search evaluate heldout/layperson.tsv
      nexome search evaluate heldout/exact.tsv --against mean=0
    """
    from nexome.search import evaluate as measuring  # noqa: PLC0415
    from nexome.search.sources import open_index  # noqa: PLC0415
    from nexome.store.knowledge import Knowledge  # noqa: PLC0415

    opened = open_index(root)
    resolve = Knowledge.open(root).resolve  # an answer may have another identifier by now
    questions = [
        measuring.Question(q.text, frozenset(resolve(i) or i for i in q.gold))
        for q in measuring.read_questions(file)
    ]
    chosen = [resolve(i) or i for i in _lines(among)]

    def measured(parts: Sequence[str]) -> Evaluation:
        return measuring.evaluate(
            opened, questions, vocabularies=vocabularies, among=chosen, weigh=_weights(parts)
        )

    found = measured(weights)
    _print_evaluation(found)
    if against:
        for gain in measuring.gains(found.ranks, measured((*weights, *against)).ranks):
            interval = f"{100 * gain.low:+.1f} to {100 * gain.high:+.1f}"
            click.echo(f"gain at top {gain.cut}: {100 * gain.gain:+.1f} ({interval})")


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--vocabulary", default="HP", show_default=True, metavar="PREFIX", help="Whose names are held out."
)
@click.option(
    "--share", type=click.FloatRange(0.001, 0.5), default=0.05, show_default=True, help="Of its terms."
)
@click.option("--seed", type=int, default=7, show_default=True, help="Equal seeds hold out equal names.")
@root_option
def heldout(root: Path, folder: Path, vocabulary: str, share: float, seed: int) -> None:
    """Make development sets in FOLDER: names held out by term, a file a kind, and exclude.txt of all.

    \b
    Example:
      nexome search heldout heldout --root centre
      nexome search train --root centre --exclude heldout/exclude.txt
      nexome search index --root centre --exclude heldout/exclude.txt
      nexome search evaluate heldout/exact.tsv --root centre
    """
    from nexome.search.evaluate import held_out  # noqa: PLC0415

    chosen = held_out(_terms(root, (vocabulary,)), vocabulary=vocabulary, share=share, seed=seed)
    folder.mkdir(parents=True, exist_ok=True)
    for kind, questions in chosen.items():
        lines = (f"{q.text}\t{'|'.join(sorted(q.gold))}\n" for q in questions)
        (folder / f"{kind}.tsv").write_text("".join(lines), "utf-8")
        click.echo(f"{kind}: {len(questions):,}")
    texts = (f"{q.text}\n" for questions in chosen.values() for q in questions)
    (folder / "exclude.txt").write_text("".join(texts), "utf-8")


def _terms(root: Path, vocabularies: tuple[str, ...]) -> Iterator[NamedTerm]:
    from nexome.store.knowledge import Knowledge  # noqa: PLC0415

    # Of open sources alone: an encoder could tell whoever asks what it has learnt.
    return Knowledge.open(root).open_part.lexicon_terms(vocabularies)


def _lines(path: Path | None) -> list[str]:
    return [] if path is None else [line for line in path.read_text("utf-8").splitlines() if line.strip()]


def _weights(parts: Sequence[str]) -> Any:
    from nexome.search.ranking import Weights, weights_of  # noqa: PLC0415

    known = [name for name in Weights.__dataclass_fields__ if name != "sureness"]
    values: dict[str, Any] = {}
    for part in parts:
        name, _, value = part.partition("=")
        if name not in known:
            raise click.UsageError(f"no part {name!r}; there are {', '.join(known)}.")
        try:
            values[name] = float(value)
        except ValueError:
            raise click.UsageError(f"{part!r} is no PART=X.") from None

    def weigh(*, chinese: bool) -> Weights:
        return replace(weights_of(chinese=chinese), **values)

    return weigh


def _print_evaluation(found: Evaluation) -> None:
    writer = csv.writer(sys.stdout, delimiter="\t", lineterminator="\n")
    writer.writerow(
        (
            "slice",
            "questions",
            "top_1",
            "95%",
            "top_5",
            "top_10",
            "95%",
            "mrr",
            "abstained",
            "right_when_sure",
        )
    )
    for line in found.lines:
        top = {cut: f"{100 * share:.1f}" for cut, (share, _, _) in line.top.items()}
        spread = {cut: f"{100 * low:.1f}–{100 * high:.1f}" for cut, (_, low, high) in line.top.items()}
        writer.writerow(
            (
                *(line.slice, line.questions, top[1], spread[1], top[5], top[10], spread[10]),
                *(f"{value:.3f}" for value in (line.mrr, line.abstained, line.right_when_sure)),
            )
        )
