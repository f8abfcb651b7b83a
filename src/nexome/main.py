"""The `nexome` command: all groups, imported when called, and how errors reach a person.

An error of Nexome becomes one line on stderr and exit code 1; a wrong use of a command exits with 2
(click's own); `--debug` shows the traceback instead.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any, Final

import click

from nexome.model.errors import NexomeError

# Name → ("module:attribute" or a sub-group, what it does in one line); imported when called, not before.
Table = Mapping[str, "tuple[str | Table, str]"]

_IMPORT: Final[Table] = {
    "associations": (
        "nexome.cli.import_:associations",
        "Bring in association results, as they are.",
    ),
    "genotypes": ("nexome.cli.genotypes:genotypes", "Bring in genotypes of people."),
    "cohort": ("nexome.cli.cohort_import:cohort", "Bring in a table of participants and variables."),
    "ld-panel": ("nexome.cli.genotypes:ld_panel", "Bring in a reference panel for LD."),
    "genes": ("nexome.cli.genes:genes", "Bring in the genes of the home assembly."),
    "track": ("nexome.cli.tracks:track", "Bring in intervals or a signal: BED, bigBed, bigWig."),
    "recombination-map": ("nexome.cli.tracks:recombination_map", "Bring in a recombination map."),
    "cytobands": ("nexome.cli.tracks:cytobands", "Bring in cytogenetic bands."),
}
_QUERY: Final[Table] = {
    "phewas": ("nexome.cli.query:phewas", "One variant across all traits."),
    "region": ("nexome.cli.query:region", "All associations of a region or a gene."),
    "top": ("nexome.cli.query:top", "The strongest associations of a study."),
    "lookup": ("nexome.cli.query:lookup", "Many variants across studies."),
    "study": ("nexome.cli.query:study", "All associations of a study."),
    "gene": ("nexome.cli.query:gene", "The best association of every trait in a gene."),
    "variant": ("nexome.cli.query:variant", "What a spelling of a variant means here."),
    "search": ("nexome.cli.query:search", "Variants, genes, studies and traits by words."),
    "credible-sets": (
        "nexome.cli.interpret:credible_sets",
        "Which variants may cause the signal of a locus.",
    ),
    "coloc": ("nexome.cli.interpret:coloc", "Whether two studies share their causal variant."),
    "compare": ("nexome.cli.interpret:compare", "What two studies share, and how their effects agree."),
    "ld": ("nexome.cli.ld:ld", "A variant's LD with a region."),
    "proxies": ("nexome.cli.ld:proxies", "Variants that can stand for one."),
    "ld-matrix": ("nexome.cli.ld:matrix", "LD of all pairs of variants."),
    "ld-panels": ("nexome.cli.ld:panels", "Genotypes that LD is computed from."),
    "studies": ("nexome.cli.query:studies", "The list of studies."),
}
_SEARCH: Final[Table] = {
    "find": ("nexome.cli.search:find", "Find by meaning, and say why."),
    "normalise": ("nexome.cli.search:normalise", "Find the concept of each line of a file."),
    "annotate": ("nexome.cli.search:annotate", "Find the concepts inside a text."),
    "train": ("nexome.cli.search:train", "Train the encoder on the loaded vocabularies."),
    "index": ("nexome.cli.search:index", "Build the search index, and swap it in."),
    "heldout": ("nexome.cli.search:heldout", "Make development sets of names held out."),
    "evaluate": ("nexome.cli.search:evaluate", "Measure how often the right concept comes first."),
}
_TOKEN: Final[Table] = {
    "create": ("nexome.cli.tokens:create", "Make a token and print it, once."),
    "list": ("nexome.cli.tokens:list_tokens", "List all tokens."),
    "revoke": ("nexome.cli.tokens:revoke", "Revoke all tokens of a name."),
}
_PROJECT: Final[Table] = {
    "list": ("nexome.cli.projects:list_projects", "List projects: purposes, populations, people."),
    "resume": ("nexome.cli.projects:resume", "Let a paused project go on."),
    "close": ("nexome.cli.projects:close", "Close a project for good."),
}
_AUDIT: Final[Table] = {
    "verify": ("nexome.cli.audit:verify", "Prove the log of controlled answers and refusals."),
    "show": ("nexome.cli.audit:show", "Show its newest lines."),
    "head": ("nexome.cli.audit:head", "Tell or export the head of its chain."),
}
_LINK: Final[Table] = {
    "propose": ("nexome.cli.target_links:propose", "Propose what could measure each indicator."),
    "confirm": ("nexome.cli.target_links:confirm", "Tie an indicator to a measure, series or formula."),
    "list": ("nexome.cli.target_links:list_links", "List indicators and what measures them."),
    "remove": ("nexome.cli.target_links:remove", "Untie an indicator."),
}
_GENOTYPES: Final[Table] = {
    "list": ("nexome.cli.genotypes:list_sets", "List all sets of genotypes and LD panels."),
    "show": ("nexome.cli.genotypes:show", "Show one set, or its receipt."),
    "export": ("nexome.cli.genotypes:export", "Write a set as VCF or PLINK bed."),
    "withdraw": ("nexome.cli.genotypes:withdraw", "Take a set out of the root."),
}
_COHORT: Final[Table] = {
    "list": ("nexome.cli.cohort:list_cohorts", "List all cohorts."),
    "show": ("nexome.cli.cohort:show", "Show one cohort, or its receipt."),
    "variables": ("nexome.cli.cohort:variables", "List the variables of a cohort."),
    "access": ("nexome.cli.cohort:access", "Open a cohort to questions, or make it private."),
    "dictionary": ("nexome.cli.cohort:dictionary", "Write a cohort's data dictionary."),
    "export": ("nexome.cli.cohort:export", "Write the rows of a cohort to a file."),
    "withdraw": ("nexome.cli.cohort:withdraw", "Take a cohort out of the root."),
    "find": ("nexome.cli.cohort_count:find", "Find variables in all cohorts."),
    "matrix": ("nexome.cli.cohort_count:matrix", "Which cohort measured what."),
    "grid": ("nexome.cli.cohort_count:grid", "The bands and categories anyone may ask by."),
    "count": ("nexome.cli.cohort_count:count", "Count the people a filter holds for."),
    "mean": ("nexome.cli.cohort_count:mean", "Means of a variable, in groups."),
    "percentiles": ("nexome.cli.cohort_count:percentiles", "Percentiles of a variable, in groups."),
    "histogram": ("nexome.cli.cohort_count:histogram", "People in each band of a variable."),
    "compare": ("nexome.cli.cohort_count:compare", "One quantity in all cohorts that have it."),
    "harmonise": ("nexome.cli.cohort_mapping:harmonise", "Bring cohorts to one table by a mapping."),
    "propose": ("nexome.cli.cohort_evidence:propose", "Propose a mapping, with score and reasons."),
    "units": ("nexome.cli.cohort_evidence:units", "Say whether values fit the unit beside them."),
    "conflicts": ("nexome.cli.cohort_evidence:conflicts", "Where a table's sources do not fit together."),
    "repeats": ("nexome.cli.cohort_evidence:repeats", "Find persons who stand in a table twice."),
    "lineage": ("nexome.cli.cohort_mapping:lineage", "Where the values of a harmonised cohort come from."),
}
_TRACKS: Final[Table] = {
    "list": ("nexome.cli.tracks:list_tracks", "List all tracks."),
    "withdraw": ("nexome.cli.tracks:withdraw", "Take a track away."),
}
_REFERENCE: Final[Table] = {
    "build": ("nexome.cli.reference:build", "Build a set of a cohort."),
    "rebuild": ("nexome.cli.reference:rebuild", "Build a set again, of the people as they are now."),
    "list": ("nexome.cli.reference:list_sets", "List all sets."),
    "show": ("nexome.cli.reference:show", "Show a data sheet, or one variable's values."),
    "place": ("nexome.cli.reference:place", "Tell where a value lies among people."),
    "export": ("nexome.cli.reference:export", "Copy a set to a folder: Parquet, CSV, sheets."),
    "withdraw": ("nexome.cli.reference:withdraw", "Take a set away."),
}
_KNOWLEDGE: Final[Table] = {
    "load": ("nexome.cli.knowledge:load", "Load ontologies, tables of terms, mappings, annotations."),
    "fetch": ("nexome.cli.knowledge:fetch", "Download what a sources.yaml names."),
    "sources": ("nexome.cli.knowledge:list_sources", "List sources with licences and counts."),
    "show": ("nexome.cli.knowledge:show", "Show a term: names, definition, equivalents."),
    "export": ("nexome.cli.knowledge:export", "Write a source's tables, where its licence allows."),
    "access": ("nexome.cli.knowledge:switch_access", "Open a source to everyone, or make it private."),
    "withdraw": ("nexome.cli.knowledge:withdraw", "Take a source away."),
    "neighbours": ("nexome.cli.knowledge_graph:neighbours", "What a term is tied to."),
    "ancestors": ("nexome.cli.knowledge_graph:ancestors", "All that a term is a kind of."),
    "descendants": ("nexome.cli.knowledge_graph:descendants", "All kinds of a term."),
    "common": ("nexome.cli.knowledge_graph:common", "What several terms are all tied to."),
    "paths": ("nexome.cli.knowledge_graph:paths", "Paths along predicates, or the best explanation."),
    "graph": ("nexome.cli.knowledge_graph:graph", "Make, count, export the graph of statements."),
}
_TARGETS: Final[Table] = {
    "import": ("nexome.cli.targets:import_papers", "Bring in budget and target papers."),
    "list": ("nexome.cli.targets:list_papers", "List all papers."),
    "show": ("nexome.cli.targets:show", "Show what a paper holds."),
    "check": ("nexome.cli.targets:check", "Find the mistakes of papers."),
    "compare": ("nexome.cli.targets:compare", "Set two years side by side."),
    "export": ("nexome.cli.targets:export", "Write a paper as JSON, CSV, XLSX or Parquet."),
    "link": (_LINK, "Tie indicators to what measures them."),
    "record": ("nexome.cli.target_links:record", "Record a value of an indicator, with evidence."),
    "spend": ("nexome.cli.target_links:spend", "Record money spent by a project."),
    "withdraw": ("nexome.cli.target_links:withdraw", "Take back a recorded value or payment."),
    "reason": ("nexome.cli.target_links:reason", "Say why a value is far from its target."),
    "progress": ("nexome.cli.target_scores:progress", "Show progress, quarter by quarter."),
    "score": ("nexome.cli.target_scores:score", "Score a project, or all of a paper."),
    "report": ("nexome.cli.target_scores:report", "Write the self-assessment (自评表) of a project."),
    "template": ("nexome.cli.target_scores:template", "Write a template of the self-assessment to change."),
}
COMMANDS: Final[Table] = {
    "init": ("nexome.cli.init:init", "Make a new, empty root."),
    "import": (_IMPORT, "Bring data in: association results, genes."),
    "query": (_QUERY, "Ask questions from the command line."),
    "search": (_SEARCH, "Find by meaning in Chinese and English; train, index, evaluate."),
    "clump": ("nexome.cli.ld:clump", "One index variant for each signal of a study, by LD."),
    "serve": ("nexome.app:serve", "Serve the pages and the API of a root."),
    "status": ("nexome.cli.status:status", "Tell what a root holds and how it is."),
    "export": ("nexome.cli.studies:export", "Write a study as a GWAS-SSF or Parquet file."),
    "access": ("nexome.cli.studies:access", "Open a study to everyone, or make it private."),
    "withdraw": ("nexome.cli.withdrawing:withdraw", "Take a study, or a participant, out of the root."),
    "token": (_TOKEN, "Make, list and revoke tokens: keys that let people in."),
    "grant": ("nexome.cli.tokens:grant", "Let a token's holder see, read or download a study."),
    "project": (_PROJECT, "Projects in which named people ask about cohorts: list, close."),
    "audit": (_AUDIT, "The log of controlled answers and refusals: verify, show, head."),
    "genotypes": (_GENOTYPES, "Sets of people's genotypes: list, show, export, withdraw."),
    "cohort": (_COHORT, "Tables of participants and variables: list, show, export, withdraw."),
    "tracks": (_TRACKS, "List tracks, or take them away."),
    "reference": (_REFERENCE, "Reference values by sex and age: build, show, export, place."),
    "knowledge": (_KNOWLEDGE, "Terms and statements of ontologies: load, show, export."),
    "targets": (_TARGETS, "Read, check and answer budget and target papers."),
    "measures": ("nexome.cli.measures:measures", "Measure the centre: held, used, kept."),
    "verify": ("nexome.cli.upkeep:verify", "Compare every stored byte with its checksum."),
    "compact": ("nexome.cli.upkeep:compact", "Merge waiting columns into wide segments."),
    "rebuild": ("nexome.cli.upkeep:rebuild", "Make everything derived anew from the manifests."),
    "backup": ("nexome.cli.upkeep:backup", "Copy a root, consistently, also while it is served."),
    "restore": ("nexome.cli.upkeep:restore", "Make a root from a backup."),
    "demo": ("nexome.cli.demo:demo", "Make, scan, import and serve a simulated biobank."),
    "bench": ("nexome.cli.bench:bench", "Measure this machine on the standard synthetic store."),
}


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called or asked for help."""

    def __init__(self, *args: Any, table: Table, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._table = table

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  click's signature
        """Names in the order a newcomer needs them."""
        return list(self._table)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The command or sub-group, imported now."""
        if cmd_name not in self._table:
            return None
        target, short_help = self._table[cmd_name]
        if not isinstance(target, str):
            return LazyGroup(cmd_name, help=short_help, table=target)
        module, _, attribute = target.partition(":")
        command = getattr(import_module(module), attribute)
        if not isinstance(command, click.Command):
            raise TypeError(f"{target} is no command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, short_help) for name, (_, short_help) in self._table.items()])

    def main(self, args: Sequence[str] | None = None, *rest: Any, **extra: Any) -> Any:
        """Run, and turn what goes wrong into one line and an exit code."""
        given = list(sys.argv[1:] if args is None else args)
        argv = [word for word in given if word != "--debug"]  # it may stand anywhere
        try:
            return super().main(argv, *rest, **extra)
        except (NexomeError, OSError) as error:
            if argv != given:
                raise
            click.echo(f"nexome: {_one_line(error)}", err=True)
        except Exception as error:
            if argv != given:
                raise
            fault = " ".join(f"{type(error).__name__}: {error}".split())[:200]
            click.echo(f"nexome: a fault of Nexome itself ({fault}). Run it again with --debug.", err=True)
        sys.exit(1)


def _one_line(error: NexomeError | OSError) -> str:
    if isinstance(error, NexomeError):
        return " ".join(str(error).split())
    where = f"{error.filename}: " if error.filename else ""
    return where + (error.strerror or str(error) or type(error).__name__)


@click.group(
    cls=LazyGroup,
    table=COMMANDS,
    context_settings={"max_content_width": 100},
)
@click.version_option(package_name="nexome", prog_name="nexome")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def main(debug: bool) -> None:
    """Nexome keeps association results of whole biobanks on one machine, and answers at once.

    Everything of one centre lives in one folder, its root. A first day:

    \b
        nexome init associations
        nexome import associations --root associations --study T2D --trait "Type 2 diabetes" t2d.tsv.gz
        nexome query phewas rs7903146 --root associations
        nexome serve associations

    To look around without data of your own: nexome demo. Every command explains itself with --help.
    """


if __name__ == "__main__":
    main()
