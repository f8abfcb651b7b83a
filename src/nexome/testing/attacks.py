"""Attacks on numbers computed over people, each run with and without the defences, as both classes of reader.

    python -m nexome.testing.attacks docs/disclosure.md     runs them, writes the table between its marks

An attacker knows who a target is (sex, age) and wants the target's LDL or blood group. Each attack tries
TARGETS people of a made-up town and tells how many it learned. 'Off' is a system that looks at each question
by itself (`Rules` PER_QUERY_ALONE, the checks that DataSHIELD makes); 'on' is Nexome. A refusal counts as
nothing learned. No client reaches the switch: it is an argument of the guard that no door passes on.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from nexome.access.cohort_grid import grid_of
from nexome.access.disclosure import Cells, Condition, Guard, Question, Release, Rules, rules_of
from nexome.access.disclosure.rules import PER_QUERY_ALONE
from nexome.access.disclosure.state import DisclosureState
from nexome.access.identity import ANONYMOUS, Principal
from nexome.access.policy import project_subject
from nexome.model.cohorts import Category, Cohort, Dictionary, Variable
from nexome.model.errors import RefusedError
from nexome.model.settings import Settings
from nexome.store.cohorts.manifest import FOLDER
from nexome.store.cohorts.people import KEY_BYTES, KEY_NAME
from nexome.store.ledger import open_project

PEOPLE: Final = 600
TARGETS: Final = 20
GROUPS: Final = 8
RESTARTS: Final = 5
PROJECT: Final = "P1"
START: Final = "<!-- attacks: python -m nexome.testing.attacks docs/disclosure.md -->"
END: Final = "<!-- end of attacks -->"

Mask = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
ReaderClass = Literal["controlled", "grid"]

_DICTIONARY: Final = Dictionary(
    (
        Variable("sex", "category", role="sex", categories=(Category("F"), Category("M"))),
        Variable("age", "integer", unit="a", role="age", minimum=0, maximum=120),
        Variable("group", "category", categories=tuple(Category(str(g)) for g in range(GROUPS))),
        Variable("ldl", "decimal", unit="mmol/L", label="LDL cholesterol", minimum=0.1, maximum=15),
    )
)


@dataclass(frozen=True)
class _Version:
    """A cohort version as the guard sees it."""

    cohort: Cohort = field(default_factory=lambda: Cohort("town", access="open"))
    dictionary: Dictionary = _DICTIONARY

    def column(self, name: str) -> Any:
        """No variable of this town holds consent."""
        raise KeyError(name)


class Town:
    """A made-up town, its records, and one reader's way to ask about them."""

    def __init__(self, root: Path, reader: ReaderClass, rules: Rules) -> None:
        self.root, self.reader, self.rules = root, reader, rules
        random = np.random.default_rng(20)
        self.keys = np.sort(random.integers(1, 2**63, PEOPLE).astype(np.uint64))
        self.female = random.random(PEOPLE) < 0.5
        self.age = random.integers(20, 80, PEOPLE)
        self.group = random.integers(0, GROUPS, PEOPLE)
        self.ldl = np.round(random.gamma(9, 0.36, PEOPLE), 2)
        self.targets = random.choice(PEOPLE, TARGETS, replace=False)
        self.everyone = np.ones(PEOPLE, bool)
        self.reasons: Counter[str] = Counter()
        open_project(root, PROJECT)
        self.restart()

    def restart(self) -> None:
        """Forget all that is only in memory, as a new process does."""
        self.state = DisclosureState(self.root)

    def without(self, target: int) -> Mask:
        """Everyone but one."""
        return np.arange(PEOPLE) != target

    def ask(self, kind: Any, who: Mask, values: Floats | None = None, **asked: Any) -> Release | None:
        """One question over some people; None where it is refused.

        `conditions`: the question as conditions, where it is one on the grid. `keys`: other rows.
        """
        keys = asked.pop("keys", self.keys)
        asked.setdefault("conditions", () if who.all() else None)
        question = Question(kind, "town", asked.pop("version", 1), f"{kind} of some", measured="ldl", **asked)
        cells = Cells(keys, np.where(who, 0, -1).astype(np.int32), ["asked"], values)
        try:
            return self._guard().release(question, cells, of=_Version(), grid=grid_of(_DICTIONARY))
        except RefusedError as error:
            self.reasons[error.reason] += 1
            return None

    def count(self, who: Mask, **asked: Any) -> float:
        """People, NaN where refused."""
        answer = self.ask("count", who, **asked)
        return np.nan if answer is None or answer.cells[0].count is None else float(answer.cells[0].count)

    def mean(self, who: Mask, values: Floats | None = None, **asked: Any) -> tuple[float, float]:
        """Mean and people, NaN where refused."""
        answer = self.ask("mean", who, self.ldl if values is None else values, **asked)
        if answer is None or answer.cells[0].mean is None or answer.cells[0].count is None:
            return np.nan, np.nan
        return answer.cells[0].mean, float(answer.cells[0].count)

    def total(self, who: Mask, **asked: Any) -> float:
        """Mean times people."""
        mean, people = self.mean(who, **asked)
        return mean * people

    def _guard(self) -> Guard:
        if self.reader == "grid":
            return Guard(self.root, "grid", ANONYMOUS, self.rules, "", self.state)
        named = Principal("holder", "A. Reader", frozenset({(project_subject("town", PROJECT), "read")}))
        return Guard(self.root, "controlled", named, self.rules, PROJECT, self.state)


# ---------------------------------------------------------------- what is tried


def one_hot_mean(town: Town) -> int:
    """As in dsBase #250: the mean of LDL times a vector of zeros and a single one."""
    return sum(
        _is(
            town.mean(town.everyone, np.where(np.arange(PEOPLE) == t, town.ldl, 0.0))[0] * PEOPLE, town.ldl[t]
        )
        for t in town.targets
    )


def repeated_vector(town: Town) -> int:
    """As a comment there says: the one repeated five times, so that five values differ from zero."""
    keys = np.repeat(town.keys, 5)
    learned = 0
    for t in town.targets:
        values = np.where(np.arange(PEOPLE * 5) // 5 == t, town.ldl[t], 0.0)
        mean, _ = town.mean(np.ones(len(keys), bool), values, keys=keys)
        learned += _is(mean * PEOPLE, town.ldl[t])
    return learned


def drop_one(town: Town) -> int:
    """As in dsBase #251: the mean of all, and of all but one."""
    learned = 0
    for t in town.targets:
        whole = town.total(town.everyone)
        learned += _is(whole - town.total(town.without(t)), town.ldl[t])
    return learned


def duplicate_one(town: Town) -> int:
    """As in dsBase #251: the mean of all, and of all with one row twice."""
    learned = 0
    for t in town.targets:
        rows = np.append(np.arange(PEOPLE), t)
        whole, _ = town.mean(town.everyone)
        twice, _ = town.mean(np.ones(PEOPLE + 1, bool), town.ldl[rows], keys=town.keys[rows])
        learned += _is(twice * (PEOPLE + 1) - whole * PEOPLE, town.ldl[t])
    return learned


def individual_tracker(town: Town) -> int:
    """Denning: count(A) − count(A but the target), in each blood group."""

    def difference(group: int, target: int) -> float:
        here = town.group == group
        return town.count(here) - town.count(here & town.without(target))

    return _groups_learned(town, difference)


def general_tracker(town: Town) -> int:
    """Denning: count(C or T) + count(C or not T) − count(everyone), C the target of one blood group."""
    half = town.age < 50
    everyone = town.count(town.everyone)

    def difference(group: int, target: int) -> float:
        alone = ~town.without(target) & (town.group == group)
        return town.count(alone | half) + town.count(alone | ~half) - everyone

    return _groups_learned(town, difference)


def averaging_restarts(town: Town) -> int:
    """A small cell as the rest of a larger one, on the grid, averaged over RESTARTS: exact counts learned."""
    learned = 0
    for at in range(TARGETS):
        group, low = at % GROUPS, 40.0 + 5 * (at // GROUPS)
        here = town.female & (town.group == group)
        sums = np.zeros(3)
        for _ in range(RESTARTS):
            town.restart()
            base = (Condition("sex", codes=("F",)), Condition("group", codes=(str(group),)))
            sums += (
                town.count(here, conditions=base),
                town.count(here & (town.age < low), conditions=(*base, Condition("age", high=low))),
                town.count(here & (town.age >= low + 5), conditions=(*base, Condition("age", low=low + 5))),
            )
        true = int((here & (town.age >= low) & (town.age < low + 5)).sum())
        found = (sums[0] - sums[1] - sums[2]) / RESTARTS
        learned += bool(0 < true < 5 and abs(found - true) < 0.5)
    return learned


def lowered_threshold(town: Town) -> int:
    """As in dsOMOP: the client asks for a smallest cell of 1."""

    def number(group: int, target: int) -> float:
        return town.count(~town.without(target) & (town.group == group), min_cell=1)

    return _groups_learned(town, number)


def two_doors(town: Town) -> int:
    """A count of a blood group, then how many the mean of the same but the target is of."""

    def difference(group: int, target: int) -> float:
        here = town.group == group
        return town.count(here) - town.mean(here & town.without(target))[1]

    return _groups_learned(town, difference)


def two_versions(town: Town) -> int:
    """The mean of everyone in a version without the target, and in the next one."""
    learned = 0
    for at, t in enumerate(town.targets):
        rest = town.without(t)
        before, n = town.mean(
            np.ones(PEOPLE - 1, bool), town.ldl[rest], keys=town.keys[rest], version=2 * at + 1
        )
        after, more = town.mean(town.everyone, version=2 * at + 2)
        learned += _is(after * more - before * n, town.ldl[t])
    return learned


def overlapping_percentiles(town: Town) -> int:
    """Percentiles one rank apart: values of single people, exactly as recorded."""
    ranks = np.linspace(30, PEOPLE - 30, TARGETS).astype(int)
    shares = tuple(float(rank / (PEOPLE - 1)) for rank in ranks)
    values = town.ldl + np.random.default_rng(7).random(PEOPLE) / 100  # no two alike
    answer = town.ask("percentiles", town.everyone, values, probabilities=shares)
    if answer is None:
        return 0
    found = [answer.cells[0].percentiles.get(p, np.nan) for p in shares]
    return sum(bool(abs(f - v) < 1e-6) for f, v in zip(found, np.sort(values)[ranks], strict=True))


def dominated_cell(town: Town) -> int:
    """The mean of seven people one of whom has a value a thousand times the others'."""
    learned = 0
    for t in town.targets:
        values = town.ldl.copy()
        values[t] *= 1_000
        few = np.zeros(PEOPLE, bool)
        few[np.append(np.setdiff1d(np.arange(t % 40, PEOPLE, 97)[:6], [t]), t)] = True
        mean, n = town.mean(few, values)
        learned += bool(abs(mean * n / values[t] - 1) < 0.05)
    return learned


def three_known(town: Town) -> int:
    """A sum and difference of three populations that leaves the target alone: D = A + B − C − target."""
    learned = 0
    for at, t in enumerate(town.targets):
        part = np.random.default_rng(at).integers(0, 4, PEOPLE)
        part[t] = 0
        a, b, c = (np.isin(part, parts) for parts in ((0, 1), (2, 3), (1, 2)))
        known = town.total(a) + town.total(b) - town.total(c)
        learned += _is(known - town.total(np.isin(part, (0, 3)) & town.without(t)), town.ldl[t])
    return learned


def refusals_read(town: Town) -> int:
    """The individual tracker, with one refusal among answers taken for the target's group."""

    def refused(group: int, target: int) -> float:
        here = town.group == group
        town.count(here)
        less = town.count(here & town.without(target))
        return float(np.isnan(less)) if town.reader == "controlled" else -less

    return _groups_learned(town, refused)


ATTACKS: Final[dict[str, Callable[[Town], int]]] = {
    "one-hot mean (dsBase #250)": one_hot_mean,
    "repeated vector (dsBase #250)": repeated_vector,
    "drop one (dsBase #251)": drop_one,
    "duplicate one (dsBase #251)": duplicate_one,
    "individual tracker": individual_tracker,
    "general tracker": general_tracker,
    "subtraction averaged over restarts": averaging_restarts,
    "threshold lowered by the client": lowered_threshold,
    "two doors: count, then mean": two_doors,
    "two versions of a data set": two_versions,
    "overlapping percentiles": overlapping_percentiles,
    "sum of a dominated cell": dominated_cell,
    "combination of three answers": three_known,
}


LEFT: Final[dict[str, Callable[[Town], int]]] = {
    "tracker that takes a refusal for a yes": refusals_read,
}
"""What the system bounds and does not stop; the docs say so."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How many of TARGETS an attack learned, and the reason most often given for a refusal ('' for none)."""

    learned: int
    reason: str


def run_attack(name: str, reader: ReaderClass, *, defended: bool) -> Outcome:
    """Run one attack in a fresh root."""
    with _root() as root:
        town = Town(root, reader, rules_of(Settings()) if defended else PER_QUERY_ALONE)
        learned = (ATTACKS | LEFT)[name](town)
        most = town.reasons.most_common(1)
        return Outcome(learned, most[0][0] if most else "")


def attack_table() -> str:
    """The table of the docs, in Markdown, of attacks run now."""
    readers: tuple[ReaderClass, ...] = ("controlled", "grid")
    return table_of({case: run_attack(case[0], case[1], defended=case[2]) for case in cases_of(readers)})


def cases_of(readers: tuple[ReaderClass, ...]) -> list[tuple[str, ReaderClass, bool]]:
    """What the table needs: attack, reader, defended; what is left is of the defended system alone."""
    ways = dict.fromkeys(ATTACKS, (False, True)) | dict.fromkeys(LEFT, (True,))
    return [(name, reader, on) for name in ways for reader in readers for on in ways[name]]


def table_of(outcomes: Mapping[tuple[str, ReaderClass, bool], Outcome]) -> str:
    """The table of outcomes by attack, reader and whether defended."""
    lines = [
        f"Learned of {TARGETS} targets, and the reason most often given.",
        "",
        "| attack | controlled, off | controlled, on | grid, off | grid, on |",
        "|---|---|---|---|---|",
    ]
    for name in ATTACKS | LEFT:
        readers: tuple[ReaderClass, ...] = ("controlled", "grid")
        cells = [_cell(outcomes.get((name, reader, on))) for reader in readers for on in (False, True)]
        lines.append(f"| {name}{' (bounded, not stopped)' if name in LEFT else ''} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _cell(run: Outcome | None) -> str:
    if run is None:
        return "–"
    return f"{run.learned}" + (f" · {run.reason}" if run.reason else "")


def with_table(text: str, table: str) -> str:
    """A page with the table put between its marks."""
    before, rest = text.split(START, 1)
    return f"{before}{START}\n\n{table}\n\n{END}{rest.split(END, 1)[1]}"


@contextmanager
def _root() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="nexome-attacks-"))
    try:
        (path / FOLDER).mkdir()
        (path / FOLDER / KEY_NAME).write_bytes(bytes(KEY_BYTES))  # the same noise in every run of this table
        yield path
    finally:
        shutil.rmtree(path)


def _is(found: float, true: float) -> bool:
    return bool(abs(found - true) < 0.005)


def _groups_learned(town: Town, difference: Callable[[int, int], float]) -> int:
    """Targets whose group alone has the largest difference (of group and target)."""
    learned = 0
    for target in town.targets:
        found = np.array([difference(group, int(target)) for group in range(GROUPS)])
        found = np.where(np.isnan(found), -np.inf, found)
        best = np.flatnonzero(found == found.max())
        learned += len(best) == 1 and bool(best[0] == town.group[target])
    return learned


if __name__ == "__main__":
    page = Path(sys.argv[1])
    page.write_text(with_table(page.read_text(encoding="utf-8"), attack_table()), encoding="utf-8")
