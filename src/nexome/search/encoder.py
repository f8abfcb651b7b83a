"""The project's own encoder: a text becomes the mean of its features' vectors, of length one.

A folder of four files, at most 64 MB for the 180,000 features it is made with:

    encoder.json   kind, version, model, dimensions, how it was trained, revision (digest of the others)
    features.txt   one feature a line, the known ones; others share `hashed` rows by a checksum
    codes.npy      int8 [known + hashed, D]
    scales.npy     float32 [known + hashed]: vector = code · scale

Knows no word order and no negation. Made by `training`; nothing here learns.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Self

import numba
import numpy as np
import numpy.typing as npt

from nexome.model.errors import DamagedError
from nexome.search.feature_rows import KnownFeatures, feature_rows
from nexome.store.disk import read_stamped, write_stamped

Floats = npt.NDArray[np.float32]
Int32s = npt.NDArray[np.int32]
Int64s = npt.NDArray[np.int64]

KIND: Final = "nexome-encoder"
VERSION: Final = 1
MODEL: Final = "nexome-static"
_AT_ONCE: Final = 50_000  # texts whose features are held at a time


@dataclass(frozen=True)
class FeatureTable:
    """Which row of an encoder's table a feature has: `known` in their order, then `hashed` shared rows."""

    known: Sequence[str]
    hashed: int

    def __len__(self) -> int:
        return len(self.known) + self.hashed

    @cached_property
    def _places(self) -> KnownFeatures:
        return KnownFeatures.of(self.known)

    def rows(self, texts: Sequence[str]) -> tuple[Int32s, Int64s]:
        """Rows of the features of N texts, end to end int32 [F], and where each begins int64 [N + 1]."""
        return feature_rows(texts, self._places, len(self.known), self.hashed)


@dataclass(frozen=True)
class Encoder:
    """Vectors of features, as int8 codes; see the module for the files. `facts` say how it was made."""

    table: FeatureTable
    codes: npt.NDArray[np.int8]
    scales: Floats
    facts: Mapping[str, Any]

    @classmethod
    def of_vectors(cls, table: FeatureTable, vectors: Floats, facts: Mapping[str, Any]) -> Self:
        """An encoder of `vectors` float32 [rows of `table`, D], each rounded to int8 by its own scale."""
        scales = np.abs(vectors).max(axis=1) / 127.0
        codes = np.rint(vectors / np.maximum(scales, 1e-12)[:, None]).astype(np.int8)
        return cls(table, codes, scales.astype(np.float32), dict(facts))

    @property
    def model(self) -> str:
        """The name of this kind of encoder."""
        return MODEL

    @cached_property
    def revision(self) -> str:
        """Digest of everything that decides a vector: equal revisions give equal vectors."""
        digest = hashlib.sha256("\n".join(self.table.known).encode())
        digest.update(str(self.table.hashed).encode())
        digest.update(np.ascontiguousarray(self.codes).data)
        digest.update(np.ascontiguousarray(self.scales).data)
        return digest.hexdigest()[:16]

    @property
    def dimensions(self) -> int:
        """Numbers in a vector."""
        return int(self.codes.shape[1])

    def encode(self, texts: Sequence[str]) -> Floats:
        """Vectors of N texts, float32 [N, D], of length 1; zeros for a text without any feature."""
        vectors = np.empty((len(texts), self.dimensions), np.float32)
        for start in range(0, len(texts), _AT_ONCE):
            rows, offsets = self.table.rows(texts[start : start + _AT_ONCE])
            _sum_codes(self.codes, self.scales, rows, offsets, vectors[start : start + _AT_ONCE])
        return vectors

    def save(self, folder: Path) -> None:
        """Write the four files into `folder`, which is made."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "features.txt").write_text("\n".join(self.table.known), "utf-8")
        np.save(folder / "codes.npy", self.codes)
        np.save(folder / "scales.npy", self.scales)
        own = {"model": MODEL, "revision": self.revision, "hashed": self.table.hashed}
        write_stamped(
            folder / "encoder.json",
            {**self.facts, **own, "dimensions": self.dimensions},
            kind=KIND,
            version=VERSION,
        )

    @classmethod
    def load(cls, folder: Path) -> Self:
        """The encoder in `folder`. Raises NotFoundError, DamagedError or NewerVersionError."""
        facts = read_stamped(folder / "encoder.json", kind=KIND, version=VERSION)
        try:
            known = (folder / "features.txt").read_text("utf-8").split("\n")
            codes, scales = np.load(folder / "codes.npy"), np.load(folder / "scales.npy")
        except (OSError, EOFError, ValueError) as error:
            raise DamagedError(
                f"an encoder whose files cannot be read ({error})",
                where=str(folder),
                todo="Train it again: nexome search train.",
            ) from error
        encoder = cls(FeatureTable(known, int(facts["hashed"])), codes, scales, facts)
        if codes.shape[0] != len(encoder.table) or encoder.revision != facts["revision"]:
            raise DamagedError(
                "an encoder whose files are not the ones it was saved with",
                where=str(folder),
                todo="Train it again: nexome search train.",
            )
        return encoder


@numba.njit(cache=True, nogil=True)
def _sum_codes(codes: Any, scales: Any, rows: Any, offsets: Any, out: Any) -> None:
    """Sum of the features' vectors of each text, of length 1, into `out` [N, D]."""
    dimensions = codes.shape[1]
    for text in range(len(offsets) - 1):
        out[text] = 0.0
        for place in range(offsets[text], offsets[text + 1]):
            row = rows[place]
            scale = scales[row]
            for d in range(dimensions):
                out[text, d] += scale * codes[row, d]
        length = np.float32(0.0)
        for d in range(dimensions):
            length += out[text, d] * out[text, d]
        if length > 0.0:
            shrink = np.float32(1.0) / np.sqrt(length)
            for d in range(dimensions):
                out[text, d] *= shrink
