"""Which column of a header means what: from a format's own spellings, the certain ones, and --map.

Nothing is guessed. What is not certain is collected and asked for in one FormatError that lists the
exact options to add.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from nexome.formats.columns import AMBIGUOUS, CERTAIN, FEATURE_NAMES, TERMS, Ambiguous, Spelling, key_of
from nexome.formats.reader import ColumnUse, ReadOptions
from nexome.model.errors import FormatError, InputError

BY_HAND: Final = "said by --map"
EFFECTS: Final = ("beta", "odds_ratio", "hazard_ratio", "z_score", "effect_direction")
_PLACES: Final = ("chromosome", "variant_id", "rsid", "feature_name")
_NAMES_SHOWN: Final = 60


def resolve(
    names: Sequence[str],
    options: ReadOptions,
    *,
    where: str,
    spellings: Sequence[Spelling] = (),
) -> tuple[ColumnUse, ...]:
    """How each column of a header is read; columns without a use are left out.

    With `spellings` (a known format) only those count, and --map; without, CERTAIN ones count and
    AMBIGUOUS ones are asked for. Raises FormatError when a column must be asked for, InputError
    when --map or --ignore name what is not there.
    """
    mapped = _mapped(names, options.mapping, where)
    ignored = {_find(names, name, "--ignore", where) for name in options.ignore}
    taken = {use.term for use in mapped}
    free = [n for n in names if n not in ignored and n not in {use.source for use in mapped}]
    if spellings:
        return (*mapped, *_by_spelling(free, spellings, taken))
    found = _without_spare_interval(_certain(free, taken, where))
    asked = _questions(free, found, taken | {use.term for use in found})
    if asked:
        possible = [ColumnUse(name, term, rule.why) for name, rule in asked for term in rule.terms]
        check_complete((*mapped, *found, *possible), names, where=where)  # no use asking about another table
        raise _asking(asked, taken | {use.term for use in found}, where)
    return (*mapped, *found)


def check_complete(uses: Sequence[ColumnUse], names: Sequence[str], *, where: str) -> None:
    """Raise FormatError when a table has no feature, no effect allele, or no effect."""
    terms = {use.term for use in uses}
    missing = []
    if not terms & set(_PLACES):
        missing.append(
            "a position or a name of the variant or feature (chromosome, base_pair_location, rsid …)"
        )
    if "chromosome" in terms and not terms & {"base_pair_location", "rsid", "variant_id", "feature_name"}:
        missing.append("base_pair_location")
    if "feature_name" not in terms and "effect_allele" not in terms:
        missing.append("effect_allele")
    if not terms & set(EFFECTS):
        missing.append(
            "an effect (beta, odds_ratio, hazard_ratio, z_score, or p_value with effect_direction)"
        )
    if missing:
        raise FormatError(
            f"no column is read as {'; '.join(missing)}. Columns: {_listed(names)}",
            where=where,
            expected="associations: one row a feature, with its effect",
            todo="Say which column it is: --map TERM=COLUMN, for example --map effect_allele=A1.",
        )


def _find(names: Sequence[str], wanted: str, option: str, where: str) -> str:
    if wanted in names:
        return wanted
    alike = [n for n in names if n.lower() == wanted.lower()]
    if len(alike) == 1:
        return alike[0]
    raise InputError(f"{option}: no column {wanted!r}", where=where, expected=f"one of {_listed(names)}")


def _mapped(names: Sequence[str], mapping: Mapping[str, str], where: str) -> tuple[ColumnUse, ...]:
    for term in mapping:
        if term not in TERMS:
            raise InputError(f"--map: no term {term!r}", where=where, expected="one of " + ", ".join(TERMS))
    return tuple(
        ColumnUse(_find(names, column, f"--map {term}", where), term, BY_HAND)
        for term, column in mapping.items()
    )


def _by_spelling(free: Sequence[str], spellings: Sequence[Spelling], taken: set[str]) -> list[ColumnUse]:
    """Uses by a format's own table; where two columns mean one term, the earlier name is preferred."""
    by_key = {key_of(name): name for name in reversed(free)}
    uses = []
    for spelling in spellings:
        hit = next((by_key[n] for n in spelling.names if n in by_key), None)
        if hit is not None and spelling.term not in taken:
            uses.append(ColumnUse(hit, spelling.term, spelling.rule))
            taken = taken | {spelling.term}
    return uses


def _certain(free: Sequence[str], taken: set[str], where: str) -> list[ColumnUse]:
    spellings = list(CERTAIN)
    keys = {key_of(n) for n in free}
    alleles = {n for s in CERTAIN if s.term in {"effect_allele", "other_allele"} for n in s.names}
    alleles |= set(AMBIGUOUS[0].names)
    if not keys & alleles and not taken & {"effect_allele", "other_allele"}:
        spellings.append(FEATURE_NAMES)
    uses = []
    for spelling in spellings:
        hits = [n for n in free if key_of(n) in spelling.names]
        if spelling is FEATURE_NAMES:  # a probe's gene is a note: the first name in the list is the row's
            hits.sort(key=lambda n: FEATURE_NAMES.names.index(key_of(n)))
            hits = hits[:1]
        if spelling.term in taken or not hits:
            continue
        if len(hits) > 1:
            raise FormatError(
                f"columns {', '.join(hits)} all mean {spelling.term}",
                where=where,
                expected="one of them",
                todo=f"Choose: --map {spelling.term}={hits[0]}",
            )
        uses.append(ColumnUse(hits[0], spelling.term, spelling.rule))
    return uses


def _without_spare_interval(uses: list[ColumnUse]) -> list[ColumnUse]:
    """Without the confidence interval where beta and its error stand: its scale may be another's."""
    terms = {use.term for use in uses}
    if {"beta", "standard_error"} <= terms:
        return [use for use in uses if use.term not in {"ci_lower", "ci_upper"}]
    return uses


def _questions(
    free: Sequence[str], uses: Sequence[ColumnUse], terms: set[str]
) -> list[tuple[str, Ambiguous]]:
    used = {use.source for use in uses}
    return [(n, rule) for n in free if n not in used and (rule := _question(n, terms))]


def _asking(asked: Sequence[tuple[str, Ambiguous]], terms: set[str], where: str) -> FormatError:
    by_rule: dict[Ambiguous, list[str]] = {}
    for name, rule in asked:
        by_rule.setdefault(rule, []).append(name)
    questions = [f"{', '.join(names)} ({rule.why})" for rule, names in by_rule.items()]
    answers = [_answers(names, [t for t in rule.terms if t not in terms]) for rule, names in by_rule.items()]
    return FormatError(
        f"columns whose meaning is not certain: {'; '.join(questions)}",
        where=where,
        expected="columns that mean one thing whoever wrote the file",
        todo=f"Say what they are: {'; '.join(answers)}",
    )


def _answers(names: Sequence[str], terms: Sequence[str]) -> str:
    """The options that answer one question, ready to be copied."""
    if len(names) == 2 and len(terms) == 2:
        (a, b), (x, y) = names, terms
        return f"--map {x}={a} --map {y}={b}, or --map {x}={b} --map {y}={a}"
    return ", ".join(" or ".join([*(f"--map {t}={n}" for t in terms), f"--ignore {n}"]) for n in names)


# A question is not worth asking once one of these is known: the column would add nothing.
_ANSWERED_BY: Final[dict[str, set[str]]] = {
    "beta": set(EFFECTS),
    "z_score": set(EFFECTS),
    "effect_direction": set(EFFECTS),
    "neg_log_10_p_value": {"p_value"},
    "variant_id": {"variant_id", "rsid", "feature_name"},
    "trait_id": {"trait_id", "feature_name"},
}


def _question(name: str, terms: set[str]) -> Ambiguous | None:
    """The question a column raises, unless all it could mean is known already."""
    key = key_of(name)
    for rule in AMBIGUOUS:
        if key in rule.names:
            known = set(rule.terms) <= terms or terms & _ANSWERED_BY.get(rule.terms[0], set())
            return None if known else rule
    return None


def _listed(names: Sequence[str]) -> str:
    more = f" … ({len(names)} in all)" if len(names) > _NAMES_SHOWN else ""
    return ", ".join(n[:_NAMES_SHOWN] for n in names[:_NAMES_SHOWN]) + more
