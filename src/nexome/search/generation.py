"""Writing one generation of the search index: everything that can be found, as it was at one moment.

    <root>/search/current.json              which generation is asked; swapped by one atomic rename
    <root>/search/<generation>/
      index.json      kind, version, encoder (model, revision), sequence of the manifest, counts
      records.arrow   kind, id, label, label_zh, note, weight, visibility: one row a record
      names.arrow     text, kind, language: names of record r are rows first[r] to first[r + 1]
      first.npy       int64 [R + 1]
      keys/           every name as it is compared, pinyin of Chinese ones, identifiers (search.keys)
      words/          words of names (search.lexical)
      segments/       words of Chinese names (search.segments)
      means/          the mean vector of each record's names (search.vectors)
      codes.npy int8 [N, D], scales.npy float32 [N]: vectors of names; chinese.npy uint8 [N]: 1 for Chinese
      spans, equal_spans, crowd .npy float32 [R]; <relation>_offsets, <relation>_values .npy: CSR of records:
      equal (means the same), above (parents), below (children), holders and variants (what is about a term;
      of variants the most strongly tied first)

Written beside what is asked, then named by `current.json`; older generations go when nothing names them.
"""

from __future__ import annotations

import secrets
import shutil
from array import array
from collections.abc import Iterable, Iterator, Sequence
from itertools import repeat
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
from nexome.search.segments import write_segments
from nexome.search.text import is_han, words
from nexome.search.vectors import VectorIndex, let_go
from nexome.store.disk import now_iso, publish_folder, read_stamped, write_stamped

Floats = npt.NDArray[np.float32]

KIND: Final = "nexome-search"
VERSION: Final = 1
POINTER: Final = "current.json"
RELATIONS: Final = ("equal", "above", "below", "holders", "variants")
_BLOCK: Final = 20_000  # names encoded at a time
_RECORDS: Final = 5_000  # records whose names are averaged at a time
_CROWD: Final = 2_048  # names that stand for everything
_NEAREST: Final = 5  # of them, whose mean says how crowded a place is
_LONGEST_PINYIN: Final = 24  # characters; nobody types the initials of a sentence
_RECORD_SCHEMA: Final = pa.schema(
    [(name, pa.string()) for name in ("kind", "id", "label", "label_zh", "note", "visibility")]
    + [("weight", pa.int32())]
)
_NAME_SPILL: Final = pa.schema([("text", pa.large_string()), ("kind", pa.int8()), ("language", pa.int16())])
_KEY_SPILL: Final = pa.schema([("key", pa.large_string()), ("owner", pa.int32())])


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


class _Spill:
    """Batches of one schema that wait on disk, so that what was taken in is not held."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self._path = path
        self._sink = pa.OSFile(str(path), "wb")
        self._out = pa.ipc.new_stream(self._sink, schema)
        self.schema, self.rows = schema, 0

    def add(self, columns: Sequence[Sequence[Any]]) -> None:
        arrays = [pa.array(c, f.type) for c, f in zip(columns, self.schema, strict=True)]
        self._out.write_batch(pa.record_batch(arrays, self.schema))
        self.rows += len(arrays[0])

    def take(self) -> pa.Table:
        """Everything added, each column in one piece; the file goes."""
        self._out.close()
        self._sink.close()
        with pa.OSFile(str(self._path), "rb") as source:
            table = pa.ipc.open_stream(source).read_all().combine_chunks()
        self._path.unlink()
        return table


class _Writer:
    """What grows while records come: text columns wait on disk, everything else as plain integers."""

    def __init__(self, folder: Path) -> None:
        self.records = _Spill(folder / "records.spill", _RECORD_SCHEMA)
        self.names = _Spill(folder / "names.spill", _NAME_SPILL)
        self.keys = _Spill(folder / "keys.spill", _KEY_SPILL)
        self.sizes: Any = array("q", [0])
        self.chinese: Any = bytearray()
        self.words = LexicalWriter()
        self.places: dict[tuple[str, str], int] = {}
        self.codes: dict[str, dict[str, int]] = {"kind": {}, "language": {}}
        self.variants: Any = bytearray()
        self.variants_about: list[tuple[str, float, int]] = []
        self.related: dict[str, list[tuple[int, str]]] = {"above": [], "equal": [], "about": []}

    def code(self, column: str, value: str) -> int:
        """The number that stands for a kind or language of names."""
        return self.codes[column].setdefault(value, len(self.codes[column]))


def _write(folder: Path, records: Iterable[SearchRecord], encoder: Encodes) -> dict[str, Any]:
    writer = _Writer(folder)
    for chunk in _chunks(records, _BLOCK):
        _take(writer, chunk)
    if not writer.places:
        raise InputError("nothing to index", expected="terms, studies or genes")
    first = np.cumsum(np.frombuffer(writer.sizes, np.int64))
    np.save(folder / "first.npy", first)
    weights = _write_records(folder, writer)
    keys = _write_keys(folder, writer, np.repeat(weights, np.diff(first)))
    writer.words.write(folder / "words")
    np.save(folder / "chinese.npy", np.frombuffer(writer.chinese, np.uint8))
    equal = _write_relations(folder, writer)
    texts = _write_names(folder, writer)
    chinese = np.flatnonzero(np.frombuffer(writer.chinese, np.uint8))
    write_segments(folder, texts.take(pa.array(chinese)).to_pylist(), chinese.astype(np.int32))
    of_variants = np.repeat(np.frombuffer(writer.variants, np.bool_), np.diff(first))
    _write_vectors(folder, (texts, first), encoder, equal, of_variants)
    return {"records": len(first) - 1, "names": int(first[-1]), "keys": keys}


def _take(writer: _Writer, chunk: Sequence[SearchRecord]) -> None:
    """Add some records: their columns, the keys and words of their names, and who is related."""
    start = writer.names.rows
    names: list[tuple[str, int, int]] = []
    keys: list[tuple[str, int]] = []
    rows: list[tuple[Any, ...]] = []
    for record in chunk:
        if (record.kind, record.id) in writer.places or not record.names:
            raise InputError(f"{record.kind} {record.id}", expected="each thing once, with a name")
        place = writer.places[record.kind, record.id] = len(writer.places)
        writer.sizes.append(len(record.names))
        writer.variants.append(record.kind == "variant")
        rows.append(_row(record))
        keys.append((" ".join(words(record.id)), start + len(names)))
        for name in record.names:
            tokens = words(name.text)
            writer.words.add(tokens)
            keys += ((key, start + len(names)) for key in _keys(name.text, tokens))
            writer.chinese.append(is_han(name.text))
            names.append((name.text, writer.code("kind", name.kind), writer.code("language", name.language)))
        for relation, ids in (
            ("above", record.parents),
            ("equal", record.equivalents),
            ("about", () if record.kind == "variant" else record.about),
        ):
            writer.related[relation] += ((place, other) for other in ids)
        if record.kind == "variant":
            strengths = record.strengths or repeat(0.0)
            pairs = zip(record.about, strengths, strict=False)
            writer.variants_about += ((term, strength, place) for term, strength in pairs)
    for spill, lines in ((writer.records, rows), (writer.names, names), (writer.keys, keys)):
        spill.add(list(zip(*lines, strict=True)))


def _write_records(folder: Path, writer: _Writer) -> Any:
    """records.arrow; the weights int32 [R]."""
    table = writer.records.take()
    _write_arrow(folder / "records.arrow", table)
    return table["weight"].to_numpy()


def _write_keys(folder: Path, writer: _Writer, weights: Any) -> int:
    """keys/, a key's owner being a name and an identifier's the first name of its record; how many."""
    table = writer.keys.take()
    owners = table["owner"].to_numpy()
    SortedKeys.build(folder / "keys", table["key"].chunk(0), owners, weight=weights[owners])
    return len(table)


def _write_names(folder: Path, writer: _Writer) -> Any:
    """names.arrow; the texts."""
    table = writer.names.take()
    coded = [
        pa.DictionaryArray.from_arrays(table[name].chunk(0), pa.array(list(codes), pa.string()))
        for name, codes in writer.codes.items()
    ]
    texts = table["text"].chunk(0)
    _write_arrow(folder / "names.arrow", pa.table([texts, *coded], ["text", *writer.codes]))
    return texts


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


def _write_arrow(path: Path, table: pa.Table) -> None:
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema) as out:
        out.write_table(table, max_chunksize=max(1, len(table)))


def _write_relations(folder: Path, writer: _Writer) -> Relations:
    """CSR of all relations; equivalence holds both ways. Relations to what is not here are left out."""
    size = len(writer.places)

    def pairs(relation: str) -> npt.NDArray[np.int64]:
        known = ((p, writer.places.get(("term", other), -1)) for p, other in writer.related[relation])
        kept = [(p, other) for p, other in known if other >= 0 and other != p]
        return np.array(kept, np.int64).reshape(-1, 2)

    above, same = pairs("above"), pairs("equal")
    tables = {
        "equal": np.concatenate([same, same[:, ::-1]]),
        "above": above,
        "below": above[:, ::-1],
        "holders": pairs("about")[:, ::-1],
    }
    made = {name: _csr(edges, size) for name, edges in tables.items()}
    made["variants"] = _variants_about(writer, size)
    for name, relation in made.items():
        np.save(folder / f"{name}_offsets.npy", relation.offsets)
        np.save(folder / f"{name}_values.npy", relation.values)
    return made["equal"]


def _variants_about(writer: _Writer, size: int) -> Relations:
    """CSR of terms and the variants about them, the most strongly tied first, else in the order they came."""
    known = ((writer.places.get(("term", term), -1), -s, place) for term, s, place in writer.variants_about)
    rows = np.array([row for row in known if row[0] >= 0], np.float64).reshape(-1, 3)
    rows = rows[np.lexsort((rows[:, 2], rows[:, 1], rows[:, 0]))]
    offsets = np.searchsorted(rows[:, 0], np.arange(size + 1)).astype(np.int64)
    return Relations(offsets, rows[:, 2].astype(np.int32))


def _csr(pairs: npt.NDArray[np.int64], size: int) -> Relations:
    unique = np.unique(pairs, axis=0) if len(pairs) else pairs
    offsets = np.searchsorted(unique[:, 0], np.arange(size + 1)).astype(np.int64)
    return Relations(offsets, unique[:, 1].astype(np.int32))


def _write_vectors(
    folder: Path, named: tuple[Any, Any], encoder: Encodes, equal: Relations, of_variants: Any
) -> None:
    """Vectors of names, their means by record, and how crowded the place of each mean is.

    `of_variants` bool [N]: names such as rs7903146, which say nothing of how crowded a meaning is.
    """
    texts, first = named
    records = len(first) - 1
    codes, scales = _encode_names(folder, texts, encoder)
    np.save(folder / "scales.npy", scales)
    spans, crowd = np.zeros(records, np.float32), np.zeros(records, np.float32)
    everything = _sample(codes, scales, np.flatnonzero(~of_variants))
    means = np.lib.format.open_memmap(
        folder / "unsorted.npy", mode="w+", dtype=np.float32, shape=(records, codes.shape[1])
    )
    for begin in range(0, records, _RECORDS):
        here = slice(begin, min(begin + _RECORDS, records))
        means[here] = _mean_vectors(codes, scales, first[begin : here.stop + 1], spans[here])
        crowd[here] = _crowding(means[here], everything)
        let_go(codes)
        let_go(means)
    index = _index_means(folder, means)
    np.save(folder / "equal_spans.npy", _equal_spans(index, spans, equal))
    np.save(folder / "spans.npy", spans)
    np.save(folder / "crowd.npy", crowd)


def _encode_names(folder: Path, texts: Any, encoder: Encodes) -> tuple[Any, Floats]:
    """codes.npy (mapped) and scales float32 [N] of the vectors of all names."""
    codes: Any = None
    scales = np.zeros(len(texts), np.float32)
    for begin in range(0, len(texts), _BLOCK):
        vectors = encoder.encode(texts.slice(begin, _BLOCK).to_pylist())
        if codes is None:
            shape = (len(texts), vectors.shape[1])
            codes = np.lib.format.open_memmap(folder / "codes.npy", mode="w+", dtype=np.int8, shape=shape)
        here = slice(begin, begin + len(vectors))
        scales[here] = np.abs(vectors).max(axis=1) / 127.0
        codes[here] = np.rint(vectors / np.maximum(scales[here], 1e-12)[:, None])
        let_go(codes)
    return codes, scales


def _mean_vectors(codes: Any, scales: Floats, first: Any, spans: Floats) -> Floats:
    """Unit means of the vectors of records' names, float32 [B, D]; the lengths of the sums in `spans`."""
    rows = slice(int(first[0]), int(first[-1]))
    vectors = np.asarray(codes[rows], np.float32) * scales[rows, None]
    sums = np.add.reduceat(vectors, (first[:-1] - first[0]).astype(np.int64), axis=0)
    spans[:] = np.linalg.norm(sums, axis=1)
    return np.asarray(sums / np.maximum(spans, 1e-6)[:, None], np.float32)


def _index_means(folder: Path, means: Any) -> VectorIndex:
    """The index of the mean vectors, whose cells are placed by records drawn from all of them."""
    order = np.random.default_rng(0).permutation(len(means)).astype(np.int32)

    def blocks() -> Iterator[Floats]:
        for at in range(0, len(means), _BLOCK):
            yield means[order[at : at + _BLOCK]]
            let_go(means)

    for at in range(0, len(means), _BLOCK):  # rows of a block in the order of the file
        order[at : at + _BLOCK].sort()
    index = VectorIndex.build(folder / "means", blocks(), count=len(means))
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


def _sample(codes: Any, scales: Floats, among: Any) -> Floats:
    """Vectors of some of the names, the same ones each time, that stand for everything."""
    among = among if len(among) else np.arange(len(scales))
    rows = np.sort(np.random.default_rng(0).choice(among, min(len(among), _CROWD), replace=False))
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
