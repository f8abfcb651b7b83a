"""Writing one generation of the search index: everything that can be found, as it was at one moment.

    <root>/search/current.json              which generation is asked; swapped by one atomic rename
    <root>/search/<generation>/
      index.json      kind, version, encoder (model, revision), sequence of the manifest, counts
      records.arrow   kind, id, label, label_zh, note, weight, visibility: one row a record
      names.arrow     text, kind, language: names of record r are rows first[r] to first[r + 1]
      first.npy       int64 [R + 1]
      keys/           every name as it is compared, pinyin of Chinese ones, identifiers (search.keys)
      words/          words of names (search.lexical)
      means/          the mean vector of each record's names (search.vectors)
      codes.npy int8 [N, D], scales.npy float32 [N]: vectors of names; chinese.npy uint8 [N]: 1 for Chinese
      spans, equal_spans, crowd .npy float32 [R]; <relation>_offsets, <relation>_values .npy: CSR of records:
      equal (means the same), above (parents), below (children), holders (what is about a term)

Written beside what is asked, then named by `current.json`; older generations go when nothing names them.
"""

from __future__ import annotations

import secrets
import shutil
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pypinyin import Style, lazy_pinyin

from nexome.model.errors import InputError
from nexome.search.keys import SortedKeys
from nexome.search.lexical import LexicalWriter
from nexome.search.lexicon import Relations
from nexome.search.records import SearchRecord
from nexome.search.text import is_han, words
from nexome.search.vectors import VectorIndex
from nexome.store.disk import now_iso, publish_folder, read_stamped, write_stamped

Floats = npt.NDArray[np.float32]

KIND: Final = "nexome-search"
VERSION: Final = 1
POINTER: Final = "current.json"
RELATIONS: Final = ("equal", "above", "below", "holders")
_BLOCK: Final = 20_000  # names encoded at a time
_CROWD: Final = 2_048  # names that stand for everything
_NEAREST: Final = 5  # of them, whose mean says how crowded a place is
_LONGEST_PINYIN: Final = 24  # characters; nobody types the initials of a sentence
_RECORD_SCHEMA: Final = pa.schema(
    [(name, pa.string()) for name in ("kind", "id", "label", "label_zh", "note", "visibility")]
    + [("weight", pa.int32())]
)
_NAME_SCHEMA: Final = pa.schema(
    [
        ("text", pa.large_string()),
        ("kind", pa.dictionary(pa.int8(), pa.string())),
        ("language", pa.dictionary(pa.int8(), pa.string())),
    ]
)


class Encodes(Protocol):
    """What the index needs of an encoder; `search.embed` has others than the own one."""

    @property
    def model(self) -> str:
        """Its name."""

    @property
    def revision(self) -> str:
        """What changes when vectors change."""

    def encode(self, texts: Sequence[str]) -> Floats:
        """Vectors float32 [N, D] of length 1."""


def build_generation(
    folder: Path, records: Iterable[SearchRecord], encoder: Encodes, *, sequence: int = 0
) -> Path:
    """Write a generation below `folder` (<root>/search) and make it the one that is asked; its path.

    `sequence`: of the manifest that the records were read from.
    """
    folder.mkdir(parents=True, exist_ok=True)
    token = f"{sequence}-{secrets.token_hex(4)}"
    staged = folder / f".staging-{token}"
    try:
        staged.mkdir()
        facts = _write(staged, records, encoder)
        facts |= {
            "model": encoder.model,
            "revision": encoder.revision,
            "sequence": sequence,
            "made": now_iso(),
        }
        write_stamped(staged / "index.json", facts, kind=KIND, version=VERSION)
        publish_folder(staged, folder / token)
    finally:
        shutil.rmtree(staged, ignore_errors=True)
    before = current_generation(folder)
    write_stamped(folder / POINTER, {"generation": token}, kind=KIND, version=VERSION)
    _clean(folder, keep={token, before.name if before else token})
    return folder / token


def current_generation(folder: Path) -> Path | None:
    """The generation that is asked, or None where there is none."""
    if not (folder / POINTER).exists():
        return None
    return folder / str(read_stamped(folder / POINTER, kind=KIND, version=VERSION)["generation"])


def _clean(folder: Path, *, keep: set[str]) -> None:
    """Remove generations but the newest and the one before, which a server may still be reading."""
    for path in folder.iterdir():
        if path.name not in keep and (path / "index.json").exists():
            shutil.rmtree(path, ignore_errors=True)


@dataclass
class _Writer:
    """What grows while records come: text columns in chunks, everything else as plain integers."""

    records: list[pa.RecordBatch] = field(default_factory=list)
    names: list[pa.RecordBatch] = field(default_factory=list)
    sizes: Any = field(default_factory=lambda: array("q", [0]))
    keys: list[pa.Array] = field(default_factory=list)
    owners: Any = field(default_factory=lambda: array("i"))
    chinese: Any = field(default_factory=bytearray)
    words: LexicalWriter = field(default_factory=LexicalWriter)
    places: dict[tuple[str, str], int] = field(default_factory=dict)
    related: dict[str, list[tuple[int, str]]] = field(
        default_factory=lambda: {"above": [], "equal": [], "about": []}
    )


def _write(folder: Path, records: Iterable[SearchRecord], encoder: Encodes) -> dict[str, Any]:
    writer = _Writer()
    for chunk in _chunks(records, _BLOCK):
        _take(writer, chunk)
    if not writer.places:
        raise InputError("nothing to index", expected="terms, studies or genes")
    first = np.cumsum(np.frombuffer(writer.sizes, np.int64))
    np.save(folder / "first.npy", first)
    _write_arrow(folder / "records.arrow", writer.records)
    _write_arrow(folder / "names.arrow", writer.names)
    weights = pa.Table.from_batches(writer.records)["weight"].to_numpy()
    name_of = np.repeat(np.arange(len(first) - 1), np.diff(first))
    owners = np.frombuffer(writer.owners, np.int32)
    keys = pa.concat_arrays(writer.keys)
    # A key's owner is a name; an identifier's the first name of its record.
    SortedKeys.build(folder / "keys", keys, owners, weight=weights[name_of[owners]])
    writer.words.write(folder / "words")
    np.save(folder / "chinese.npy", np.frombuffer(writer.chinese, np.uint8))
    equal = _write_relations(folder, writer)
    _write_vectors(folder, (writer.names, first), encoder, equal)
    return {"records": len(first) - 1, "names": int(first[-1]), "keys": len(keys)}


def _take(writer: _Writer, chunk: Sequence[SearchRecord]) -> None:
    """Add some records: their columns, the keys and words of their names, and who is related."""
    texts: list[str] = []
    kinds: list[str] = []
    languages: list[str] = []
    keys: list[tuple[int, str]] = []
    start = int(sum(batch.num_rows for batch in writer.names))
    rows: list[tuple[Any, ...]] = []
    for record in chunk:
        if (record.kind, record.id) in writer.places or not record.names:
            raise InputError(f"{record.kind} {record.id}", expected="each thing once, with a name")
        place = writer.places[record.kind, record.id] = len(writer.places)
        writer.sizes.append(len(record.names))
        rows.append(_row(record))
        keys.append((start + len(texts), " ".join(words(record.id))))
        for name in record.names:
            tokens = words(name.text)
            writer.words.add(tokens)
            keys += ((start + len(texts), key) for key in _keys(name.text, tokens))
            writer.chinese.append(is_han(name.text))
            texts.append(name.text)
            kinds.append(name.kind)
            languages.append(name.language)
        for relation, ids in (
            ("above", record.parents),
            ("equal", record.equivalents),
            ("about", record.about),
        ):
            writer.related[relation] += ((place, other) for other in ids)
    writer.owners.extend(owner for owner, _ in keys)
    writer.keys.append(pa.array([key for _, key in keys], pa.large_string()))
    columns = list(zip(*rows, strict=True))
    writer.records.append(
        pa.record_batch(
            [pa.array(c, f.type) for c, f in zip(columns, _RECORD_SCHEMA, strict=True)], _RECORD_SCHEMA
        )
    )
    arrays = [pa.array(texts, pa.large_string()), *(_coded(column) for column in (kinds, languages))]
    writer.names.append(pa.record_batch(arrays, ["text", "kind", "language"]))


def _row(record: SearchRecord) -> tuple[Any, ...]:
    label = record.names[0].text
    chinese = next((name.text for name in record.names if name.language.startswith("zh")), "")
    english = (
        label if not is_han(label) else next((n.text for n in record.names if n.language == "en"), label)
    )
    return (
        record.kind,
        record.id,
        english,
        chinese,
        record.note,
        record.visibility,
        min(record.weight, 2**31 - 1),
    )


def _keys(text: str, tokens: Sequence[str]) -> Iterator[str]:
    """A name as it is compared, and as pinyin: in full and by initials."""
    key = " ".join(tokens)
    if key:
        yield key
    if is_han(text) and len(text) <= _LONGEST_PINYIN:
        yield "".join(lazy_pinyin("".join(tokens)))
        yield "".join(lazy_pinyin("".join(tokens), style=Style.FIRST_LETTER))


def _coded(values: Sequence[str]) -> Any:
    return pa.array(values, pa.string()).dictionary_encode()


def _write_arrow(path: Path, batches: Sequence[pa.RecordBatch]) -> None:
    table = pa.Table.from_batches(batches).unify_dictionaries().combine_chunks()
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema) as out:
        out.write_table(table)


def _write_relations(folder: Path, writer: _Writer) -> Relations:
    """CSR of all relations; equivalence holds both ways. Relations to what is not here are left out."""
    size = len(writer.places)

    def pairs(relation: str) -> npt.NDArray[np.int64]:
        known = ((p, writer.places.get(("term", other), -1)) for p, other in writer.related[relation])
        kept = [(p, other) for p, other in known if other >= 0 and other != p]
        return np.array(kept, np.int64).reshape(-1, 2)

    above, same, about = pairs("above"), pairs("equal"), pairs("about")
    tables = {
        "equal": np.concatenate([same, same[:, ::-1]]),
        "above": above,
        "below": above[:, ::-1],
        "holders": about[:, ::-1],
    }
    made = {name: _csr(edges, size) for name, edges in tables.items()}
    for name, relation in made.items():
        np.save(folder / f"{name}_offsets.npy", relation.offsets)
        np.save(folder / f"{name}_values.npy", relation.values)
    return made["equal"]


def _csr(pairs: npt.NDArray[np.int64], size: int) -> Relations:
    unique = np.unique(pairs, axis=0) if len(pairs) else pairs
    offsets = np.searchsorted(unique[:, 0], np.arange(size + 1)).astype(np.int64)
    return Relations(offsets, unique[:, 1].astype(np.int32))


def _write_vectors(
    folder: Path, named: tuple[list[pa.RecordBatch], Any], encoder: Encodes, equal: Relations
) -> None:
    """Vectors of names, their means by record, and how crowded the place of each mean is."""
    batches, first = named
    records = len(first) - 1
    codes: Any = None
    scales, done = np.zeros(first[-1], np.float32), 0
    for batch in batches:
        vectors = encoder.encode(batch.column(0).to_pylist())
        if codes is None:
            shape = (int(first[-1]), vectors.shape[1])
            codes = np.lib.format.open_memmap(folder / "codes.npy", mode="w+", dtype=np.int8, shape=shape)
        here = slice(done, done + len(vectors))
        scales[here] = np.abs(vectors).max(axis=1) / 127.0
        codes[here] = np.rint(vectors / np.maximum(scales[here], 1e-12)[:, None])
        done += len(vectors)
    np.save(folder / "scales.npy", scales)
    spans, crowd = np.zeros(records, np.float32), np.zeros(records, np.float32)
    everything = _sample(codes, scales)
    means = np.lib.format.open_memmap(
        folder / "unsorted.npy", mode="w+", dtype=np.float32, shape=(records, codes.shape[1])
    )
    for begin in range(0, records, _BLOCK):
        here = slice(begin, min(begin + _BLOCK, records))
        rows = slice(int(first[begin]), int(first[here.stop]))
        vectors = np.asarray(codes[rows], np.float32) * scales[rows, None]
        sums = np.add.reduceat(vectors, (first[here] - first[begin]).astype(np.int64), axis=0)
        spans[here] = np.linalg.norm(sums, axis=1)
        means[here] = sums / np.maximum(spans[here], 1e-6)[:, None]
        crowd[here] = _crowding(means[here], everything)
    index = _index_means(folder, means)
    np.save(folder / "equal_spans.npy", _equal_spans(index, spans, equal))
    np.save(folder / "spans.npy", spans)
    np.save(folder / "crowd.npy", crowd)
    del codes  # written when let go


def _index_means(folder: Path, means: Any) -> VectorIndex:
    """The index of the mean vectors, whose cells are placed by records drawn from all of them."""
    order = np.random.default_rng(0).permutation(len(means)).astype(np.int32)
    blocks = (means[np.asarray(order[at : at + _BLOCK])] for at in range(0, len(means), _BLOCK))
    index = VectorIndex.build(folder / "means", blocks, count=len(means))
    rows = order[index.rows]
    del index
    np.save(folder / "means" / "rows.npy", rows)
    (folder / "unsorted.npy").unlink()
    return VectorIndex.open(folder / "means")


def _crowding(means: Floats, everything: Floats) -> Floats:
    """How near each mean is to the nearest of what stands for everything, float32 [B]."""
    nearest = min(_NEAREST, len(everything))
    close = np.partition(means @ everything.T, -nearest, axis=1)[:, -nearest:]
    return np.asarray(close.mean(axis=1), np.float32)


def _sample(codes: Any, scales: Floats) -> Floats:
    """Vectors of some names, the same ones each time, that stand for everything."""
    rows = np.sort(np.random.default_rng(0).choice(len(scales), min(len(scales), _CROWD), replace=False))
    return np.asarray(codes[rows], np.float32) * scales[rows, None]


def _equal_spans(index: VectorIndex, spans: Floats, equal: Relations) -> Floats:
    """Length of the sum of all vectors of names of a record and of its equivalents."""
    place = np.argsort(index.rows)
    whole = spans.copy()
    for record in np.flatnonzero(np.diff(equal.offsets)).tolist():
        rows = np.concatenate([[record], equal.of(record)])
        at = place[rows]
        vectors = np.asarray(index.codes[at], np.float32) * (index.scales[at] * spans[rows])[:, None]
        whole[record] = np.linalg.norm(vectors.sum(axis=0))
    return whole


def _chunks(records: Iterable[SearchRecord], size: int) -> Iterator[list[SearchRecord]]:
    """Records in lists of about `size` names."""
    chunk: list[SearchRecord] = []
    names = 0
    for record in records:
        chunk.append(record)
        names += len(record.names)
        if names >= size:
            yield chunk
            chunk, names = [], 0
    if chunk:
        yield chunk
