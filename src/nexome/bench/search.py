"""How quick search is: a made-up vocabulary indexed and asked, in a process of its own.

Words are made of syllables and drawn by Zipf's law, names of two to five words; a fifth of the terms have a
Chinese name. The encoder is a small one trained on the first terms, of the size of a real one in what it
costs: 256 dimensions. Questions are names with a word left out, two letters swapped, or as they are.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from nexome.bench.machine import anonymous_memory_bytes, describe_machine, folder_bytes, in_own_process
from nexome.model.knowledge import Name, NamedTerm
from nexome.search.encoder import Encoder
from nexome.search.generation import build_generation
from nexome.search.index import SearchIndex
from nexome.search.lexicon import Lexicon
from nexome.search.records import SearchRecord
from nexome.search.training import TrainingOptions, train_encoder

_WORDS: Final = 60_000
_TAUGHT: Final = 3_000  # terms that the encoder is trained on
_CHINESE: Final = "心肝脾肺肾血糖尿病症炎痛热急慢性先天高低型综合征功能不全障碍异常"
_CONSONANTS: Final = (
    "b",
    "c",
    "d",
    "f",
    "g",
    "h",
    "l",
    "m",
    "n",
    "p",
    "r",
    "s",
    "t",
    "v",
    "z",
    "th",
    "ph",
    "st",
)
_VOWELS: Final = ("a", "e", "i", "o", "u", "ia", "eo")


@dataclass(frozen=True, slots=True)
class SearchPlan:
    """What is measured: terms, names of each, questions of each kind, texts normalised."""

    terms: int = 20_000
    names: int = 10
    questions: int = 300
    texts: int = 4_000


@dataclass
class _Counted:
    """Terms made one after another, and the seconds that making them took."""

    plan: SearchPlan
    seconds: float = 0.0
    words: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        random = np.random.default_rng(1)
        made: dict[str, None] = {}
        while len(made) < _WORDS:
            syllables = random.integers(2, 5)
            pairs = zip(random.choice(_CONSONANTS, syllables), random.choice(_VOWELS, syllables), strict=True)
            made["".join(c + v for c, v in pairs)] = None
        self.words = list(made)

    def terms(self) -> Iterator[NamedTerm]:
        """The terms, the same at every call."""
        random = np.random.default_rng(2)
        for number in range(self.plan.terms):
            began = time.perf_counter()
            term = self._term(number, random)
            self.seconds += time.perf_counter() - began
            yield term

    def records(self) -> Iterator[SearchRecord]:
        """The terms as records."""
        for number, term in enumerate(self.terms()):
            yield SearchRecord("term", term.id, term.names, term.parents, weight=number % 97)

    def _term(self, number: int, random: np.random.Generator) -> NamedTerm:
        sizes = random.integers(2, 6, self.plan.names)
        drawn = np.minimum(random.zipf(1.2, int(sizes.sum())) - 1, _WORDS - 1).tolist()
        own = self.words[number % _WORDS]
        names, begin = [], 0
        for place, size in enumerate(sizes.tolist()):
            text = " ".join((own, *(self.words[w] for w in drawn[begin : begin + size])))
            names.append(Name(text, "exact" if place else "label", "en"))
            begin += size
        if number % 5 == 0:
            characters = random.integers(0, len(_CHINESE), 6).tolist()
            names.append(Name("".join(_CHINESE[c] for c in characters), "translation", "zh"))
        parent = [f"MADE:{number // 8}"] if number >= 8 else []
        return NamedTerm(f"MADE:{number}", names, parent)


def run(plan: SearchPlan, folder: Path, *, say: Callable[[str], None], command: str) -> dict[str, Any]:
    """Build and ask in a new folder below `folder`, and remove it; the report as JSON values."""
    with tempfile.TemporaryDirectory(dir=folder, prefix="nexome-bench-search-") as name:
        say(f"indexing {plan.terms:,} terms of {plan.names} names, and asking")
        work = Path(name)
        teacher = Lexicon.build(islice(_Counted(plan).terms(), _TAUGHT))
        train_encoder(teacher, TrainingOptions(epochs=1)).save(work / "encoder")
        built = in_own_process(_build, plan, work)
        asked = in_own_process(_ask, plan, work)
        size = folder_bytes(work / "search")
    return {
        "command": command,
        "machine": describe_machine(folder),
        "plan": asdict(plan),
        **built.value,
        **asked.value,
        "folder_bytes": size,
        "building_bytes": built.peak_memory_bytes,
        "asking_bytes": asked.peak_memory_bytes,
    }


def _build(plan: SearchPlan, work: Path) -> dict[str, float]:
    counted = _Counted(plan)
    encoder = Encoder.load(work / "encoder")
    encoder.encode(["warmed up"])
    began = time.perf_counter()
    folder = build_generation(work / "search", counted.records(), encoder)
    seconds = time.perf_counter() - began - counted.seconds
    names = SearchIndex.open(folder, encoder).facts["names"]
    return {"strings": names, "build_s": seconds, "strings_per_s": names / seconds}


def _ask(plan: SearchPlan, work: Path) -> dict[str, Any]:
    encoder = Encoder.load(work / "encoder")
    folder = next(path for path in (work / "search").iterdir() if (path / "index.json").exists())
    index = SearchIndex.open(folder, encoder)
    texts = _questions(index, max(plan.questions + 20, plan.texts))
    whole = _timed(texts[: plan.questions + 20], index.find)
    beginnings = [text[: 2 + n % 6] for n, text in enumerate(texts[: plan.questions + 20])]
    began_texts = _timed(beginnings, index.suggest)
    began, spent = time.perf_counter(), time.process_time()
    for _ in index.normalise(texts[: plan.texts], limit=3):
        pass
    seconds, spent = time.perf_counter() - began, time.process_time() - spent
    return {
        "find": whole,
        "suggest": began_texts,
        "normalised_per_s": plan.texts / seconds,
        "normalised_per_cpu_s": plan.texts / spent,
        "anonymous_bytes": anonymous_memory_bytes(),
    }


def _questions(index: SearchIndex, count: int) -> list[str]:
    random = np.random.default_rng(3)
    rows = random.integers(0, len(index.names), count).tolist()
    texts = []
    for number, row in enumerate(rows):
        text = str(index.names["text"][row].as_py())
        words = text.split(" ")
        if number % 3 == 1 and len(words) > 1:
            text = " ".join(words[:1] + words[2:])
        elif number % 3 == 2:
            text = text[:3] + text[4:5] + text[3:4] + text[5:]
        texts.append(text)
    return texts


def _timed(texts: list[str], ask: Callable[[str], object]) -> dict[str, float]:
    """p50 and p95 in ms; the first twenty warm up."""
    found: list[float] = []
    for text in texts:
        began = time.perf_counter()
        ask(text)
        found.append(1_000 * (time.perf_counter() - began))
    taken: npt.NDArray[np.float64] = np.array(found[20:])
    return {"p50_ms": float(np.median(taken)), "p95_ms": float(np.percentile(taken, 95))}


def as_markdown(report: dict[str, Any]) -> str:
    """The report as a table."""
    machine, plan = report["machine"], report["plan"]
    rows = [
        ("index", f"{report['strings_per_s']:,.0f} strings/s ({report['build_s']:.0f} s)"),
        ("find", f"p50 {report['find']['p50_ms']:.1f} ms, p95 {report['find']['p95_ms']:.1f} ms"),
        ("suggest", f"p50 {report['suggest']['p50_ms']:.2f} ms, p95 {report['suggest']['p95_ms']:.2f} ms"),
        ("normalise", f"{report['normalised_per_s']:,.0f} strings/s"),
        ("normalise, a second of one core", f"{report['normalised_per_cpu_s']:,.0f} strings"),
        ("on disk", f"{report['folder_bytes'] / 1e9:.2f} GB"),
        ("most memory, building", f"{report['building_bytes'] / 2**30:.2f} GiB"),
        ("most memory, asking", f"{report['asking_bytes'] / 2**30:.2f} GiB"),
        ("of it no mapped file", f"{report['anonymous_bytes'] / 2**30:.2f} GiB"),
    ]  # fmt: skip
    head = f"{plan['terms']:,} terms, {report['strings']:,} strings; {machine['cpu']}"
    table = "\n".join(f"| {name} | {value} |" for name, value in rows)
    return f"{head}\n\n| | |\n|---|---|\n{table}\n"
