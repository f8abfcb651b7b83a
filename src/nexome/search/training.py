"""Learning an encoder from names: names of one term are drawn together, names of others pushed apart.

Symmetric InfoNCE over batches of pairs of names (van den Oord et al. 2018, arXiv:1807.03748), with features
dropped at random and Adagrad (Duchi et al. 2011), on the CPU. A pair is two names of one term, or a name of
a term and one of its equivalent elsewhere; a translation is a name like others, met more often; a Chinese
name that stands alone is a pair with itself. After the first epoch, batches are made of neighbours, so that
what is hard to tell apart is told apart; a term's parents, children and equivalents are no counter-examples.
The start is random, weighed by how rare a feature is. The same lexicon, options and number of threads give
the same encoder.

Nothing but the lexicon is read: no query, no usage, no text of a person.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, NamedTuple

import numba
import numpy as np

from nexome.model.errors import InputError
from nexome.search.encoder import Encoder, FeatureTable, Floats, Int32s, Int64s
from nexome.search.lexicon import Lexicon, Relations
from nexome.search.text import features, is_han

Progress = Callable[[int, int, float], None]
"""Called after each epoch with its number from 1, of how many, and the mean loss."""

_LABEL_SHARE: Final = 0.6  # how often the other name of a pair is the label
_ANCHORS: Final = 512  # neighbourhoods that batches are made of
_BLOCKS: Final = 4  # neighbourhoods in a batch
_FAR: Final = np.float32(-1e4)  # similarity of what is no counter-example
_FIRST_SQUARES: Final = 1e-3
_LAST_RATE: Final = 0.1  # of the first


@dataclass(frozen=True, slots=True)
class TrainingOptions:
    """How an encoder is trained; the defaults were chosen on names held out (docs/search.md)."""

    dimensions: int = 256
    features: int = 164_000
    hashed: int = 16_000
    epochs: int = 12
    batch: int = 1_024
    temperature: float = 0.05
    rate: float = 0.12
    dropout: float = 0.15
    translations: int = 3
    seed: int = 0


class _Names(NamedTuple):
    """Feature rows of all names as CSR, and each name's term."""

    rows: Int32s
    offsets: Int64s
    term: Int32s


class _Weights(NamedTuple):
    """What is learnt: vectors float32 [F, D], and the sums of squared gradients of Adagrad."""

    vectors: Floats
    squares: Floats


def train_encoder(
    lexicon: Lexicon, options: TrainingOptions | None = None, progress: Progress | None = None
) -> Encoder:
    """An encoder learnt from `lexicon`. Raises InputError for one without two names of anything."""
    chosen = options or TrainingOptions()
    counts = _count_features(lexicon.texts)
    table = FeatureTable(_most_frequent(counts, chosen.features), chosen.hashed)
    rows, offsets = table.rows(lexicon.texts)
    names = _Names(rows, offsets, lexicon.term)
    random = np.random.default_rng(chosen.seed)
    weights = _start(table, counts, len(lexicon), dimensions=chosen.dimensions, random=random)
    unlike = _no_counter_examples(lexicon)
    for epoch in range(chosen.epochs):
        pairs = _pairs(lexicon, chosen, random)
        if len(pairs) < 2:
            raise InputError(
                f"a vocabulary of {len(lexicon):,} names, no two of them of one term",
                expected="terms with synonyms, translations or equivalents to learn from",
            )
        order = random.permutation(len(pairs)) if epoch == 0 else _neighbours(pairs, names, weights, random)
        batches = np.array_split(pairs[order], max(1, len(pairs) // chosen.batch))
        losses = []
        for number, batch in enumerate(batches):
            done = (epoch + number / len(batches)) / chosen.epochs
            rate = chosen.rate * (1.0 - (1.0 - _LAST_RATE) * done)
            seed = (epoch * len(batches) + number) * 4 * chosen.batch + chosen.seed
            losses.append(_learn(batch, names, weights, unlike, (chosen, rate, seed)))
        if progress:
            progress(epoch + 1, chosen.epochs, float(np.mean(losses)))
    facts = {"options": asdict(chosen), "names": len(lexicon), "lexicon": _digest(lexicon)}
    return Encoder.of_vectors(table, weights.vectors, facts)


def _count_features(texts: Sequence[str]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(set(features(text)))
    return counts


def _most_frequent(counts: Counter[str], limit: int) -> list[str]:
    """Up to `limit` features of two names or more, the most frequent first; equal ones by name."""
    shared = (feature for feature, count in counts.items() if count > 1)
    return sorted(shared, key=lambda feature: (-counts[feature], feature))[:limit]


def _start(
    table: FeatureTable, counts: Counter[str], names: int, *, dimensions: int, random: np.random.Generator
) -> _Weights:
    rarity = np.full(len(table), np.log(max(2, names) / 2), np.float32)
    rarity[: len(table.known)] = [np.log(max(2, names) / (1 + counts[feature])) for feature in table.known]
    vectors = random.standard_normal((len(table), dimensions), np.float32)
    # A feature of nearly every name starts near nothing, not at a negative weight.
    rarity = np.maximum(rarity, 0.01)
    vectors *= (rarity / rarity.mean() / np.sqrt(dimensions))[:, None]
    return _Weights(vectors, np.full_like(vectors, _FIRST_SQUARES))


def _no_counter_examples(lexicon: Lexicon) -> Relations:
    """For each term those that are not pushed away from it: parents, children, equivalents."""
    related = [set(lexicon.parents.of(t).tolist()) for t in range(len(lexicon.terms))]
    for term in range(len(lexicon.terms)):
        for parent in lexicon.parents.of(term).tolist():
            related[parent].add(term)
        related[term].update(lexicon.equivalents.of(term).tolist())
    return Relations.from_sets(related)


def _pairs(lexicon: Lexicon, options: TrainingOptions, random: np.random.Generator) -> Int64s:
    """Pairs of names meaning one thing [P, 2]: names of one term, and of terms that are equivalent."""
    first, size = lexicon.first[:-1], np.diff(lexicon.first)
    row = np.flatnonzero(np.arange(len(lexicon)) != first[lexicon.term])
    term = lexicon.term[row]
    other = first[term] + (random.random(len(row)) * size[term]).astype(np.int64)
    partner = np.where(random.random(len(row)) < _LABEL_SHARE, first[term], other)
    within = np.stack([partner, row], axis=1)[partner != row]
    linked = np.flatnonzero(np.diff(lexicon.equivalents.offsets))
    pairs = np.concatenate([within, _across(lexicon, linked, random)])
    translated = np.array([language != "en" for language in lexicon.languages], bool)
    again = pairs[translated[pairs].any(axis=1)]
    alone = _alone(lexicon)
    return np.concatenate([pairs, *[again] * max(0, options.translations - 1), np.stack([alone] * 2, axis=1)])


def _alone(lexicon: Lexicon) -> Int64s:
    """Chinese names of terms that have no other, as dictionaries list them: each is a pair with itself.

    Other features are dropped of either, so that names of a dictionary are told apart by what they share.
    """
    single = (np.diff(lexicon.first) == 1) & (np.diff(lexicon.equivalents.offsets) == 0)
    rows = lexicon.first[:-1][single].astype(np.int64)
    return rows[np.array([is_han(lexicon.texts[row]) for row in rows.tolist()], np.bool_)]


def _across(lexicon: Lexicon, linked: Int64s, random: np.random.Generator) -> Int64s:
    """A name of each linked term with a name of one of its equivalents [L, 2]."""
    first, size, equal = lexicon.first[:-1], np.diff(lexicon.first), lexicon.equivalents
    start, count = equal.offsets[linked], np.diff(equal.offsets)[linked]
    other = equal.values[start + (random.random(len(linked)) * count).astype(np.int64)]
    ends = [first[t] + (random.random(len(linked)) * size[t]).astype(np.int64) for t in (linked, other)]
    return np.stack(ends, axis=1)


def _neighbours(pairs: Int64s, names: _Names, weights: _Weights, random: np.random.Generator) -> Int64s:
    """An order of pairs in which a batch holds a few neighbourhoods of names."""
    vectors = np.empty((len(pairs), weights.vectors.shape[1]), np.float32)
    _forward(weights.vectors, names.rows, names.offsets, pairs[:, 0], (0, 0), vectors)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True) + 1e-9
    anchors = vectors[random.choice(len(vectors), min(_ANCHORS, len(vectors)), replace=False)]
    nearest = np.concatenate(
        [np.argmax(vectors[s : s + 8192] @ anchors.T, axis=1) for s in range(0, len(vectors), 8192)]
    )
    order = np.lexsort((random.random(len(pairs)), nearest))
    blocks = np.array_split(order, max(1, len(order) // (1_024 // _BLOCKS)))
    return np.concatenate([blocks[b] for b in random.permutation(len(blocks))])


def _learn(
    pairs: Int64s,
    names: _Names,
    weights: _Weights,
    unlike: Relations,
    how: tuple[TrainingOptions, float, int],
) -> float:
    """One step on a batch of B pairs; returns the mean loss."""
    options, rate, seed = how
    size, threshold = len(pairs), round(options.dropout * 65_536)
    chosen = np.concatenate([pairs[:, 0], pairs[:, 1]])
    sums = np.empty((2 * size, options.dimensions), np.float32)
    _forward(weights.vectors, names.rows, names.offsets, chosen, (seed, threshold), sums)
    length = np.linalg.norm(sums, axis=1, keepdims=True) + 1e-6
    unit = sums / length
    gradient, loss = _contrast(unit, names.term[chosen], unlike, options.temperature)
    gradient = (gradient - unit * (gradient * unit).sum(axis=1, keepdims=True)) / length
    rows, members = _used(names.rows, names.offsets, chosen, (seed, threshold))
    order = np.argsort(rows, kind="stable")
    rows, members = rows[order], members[order]
    starts = np.flatnonzero(np.concatenate([[True], rows[1:] != rows[:-1]]))
    # Adagrad is blind to a constant factor but for its first squares, which stand for a batch of 256.
    step = (gradient * (size / 256)).astype(np.float32)
    _descend(weights, rows[starts], np.append(starts, len(rows)), members, step, np.float32(rate))
    return loss


def _contrast(unit: Floats, term: Int32s, unlike: Relations, temperature: float) -> tuple[Floats, float]:
    """Gradient of the loss in the vectors [2B, D] of B pairs (first ends, then second ends), and the loss."""
    size = len(unit) // 2
    first, second = unit[:size], unit[size:]
    scores = (first @ second.T) / np.float32(temperature)
    _leave_out(scores, term[:size], term[size:], unlike.offsets, unlike.values)
    across, down = _softmax(scores), _softmax(scores.T).T
    own = np.arange(size)
    loss = -float(np.log(across[own, own] + 1e-12).mean())
    pull = (across + down) / 2
    pull[own, own] -= 1
    pull /= np.float32(temperature * size)
    return np.concatenate([pull @ second, pull.T @ first]), loss


def _softmax(scores: Floats) -> Floats:
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True), np.float32)


def _digest(lexicon: Lexicon) -> str:
    """Digest of the names, in order: which vocabulary an encoder was made from."""
    digest = hashlib.sha256()
    for text, term in zip(lexicon.texts, lexicon.term.tolist(), strict=True):
        digest.update(f"{lexicon.terms[term]}\t{text}\n".encode())
    return digest.hexdigest()[:16]


# ---------------------------------------------------------------- kernels


@numba.njit(inline="always")
def _stays(seed: int, place: int, threshold: int) -> bool:
    """Whether the feature at `place` is kept: a hash, the same in both passes."""
    x = np.uint64(place) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(seed)
    x ^= x >> np.uint64(31)
    x *= np.uint64(0xBF58476D1CE4E5B9)
    x ^= x >> np.uint64(27)
    x *= np.uint64(0x94D049BB133111EB)
    x ^= x >> np.uint64(31)
    return bool((x & np.uint64(0xFFFF)) >= np.uint64(threshold))


@numba.njit(parallel=True, cache=True)
def _forward(vectors: Any, rows: Any, offsets: Any, names: Any, drop: Any, out: Any) -> None:
    """Sum of the kept features' vectors of each of `names`, into `out` [B, D]; `drop`: (seed, threshold)."""
    seed, threshold = drop
    for i in numba.prange(len(names)):
        out[i] = np.float32(0.0)
        for place in range(offsets[names[i]], offsets[names[i] + 1]):
            if threshold == 0 or _stays(seed + i, place, threshold):
                row = rows[place]
                for d in range(vectors.shape[1]):
                    out[i, d] += vectors[row, d]


@numba.njit(cache=True)
def _used(rows: Any, offsets: Any, names: Any, drop: Any) -> Any:
    """Feature rows that `_forward` kept, and the places in `names` they belong to."""
    seed, threshold = drop
    size = 0
    for i in range(len(names)):
        size += offsets[names[i] + 1] - offsets[names[i]]
    kept, members = np.empty(size, np.int32), np.empty(size, np.int32)
    size = 0
    for i in range(len(names)):
        for place in range(offsets[names[i]], offsets[names[i] + 1]):
            if threshold == 0 or _stays(seed + i, place, threshold):
                kept[size] = rows[place]
                members[size] = i
                size += 1
    return kept[:size], members[:size]


@numba.njit(parallel=True, cache=True)
def _descend(weights: Any, rows: Any, starts: Any, members: Any, gradient: Any, rate: Any) -> None:
    """Adagrad on the vectors of `rows`; each takes the gradients of its members."""
    vectors, squares = weights
    for u in numba.prange(len(rows)):
        row = rows[u]
        whole = np.zeros(vectors.shape[1], np.float32)
        for m in range(starts[u], starts[u + 1]):
            for d in range(vectors.shape[1]):
                whole[d] += gradient[members[m], d]
        for d in range(vectors.shape[1]):
            squares[row, d] += whole[d] * whole[d]
            vectors[row, d] -= rate * whole[d] / np.sqrt(squares[row, d])


@numba.njit(parallel=True, cache=True)
def _leave_out(scores: Any, first: Any, second: Any, offsets: Any, values: Any) -> None:
    """Set what is no counter-example far apart: the same term on either side, and related terms."""
    for i in numba.prange(len(first)):
        for j in range(len(second)):
            if i == j:
                continue
            a, b = first[i], second[j]
            if a == b or first[j] == a or second[i] == b:
                scores[i, j] = _FAR
                continue
            for place in range(offsets[a], offsets[a + 1]):
                if values[place] == b:
                    scores[i, j] = _FAR
                    break
