"""Any encoder behind one contract: texts in, vectors of length 1 out, with a name and a revision.

The own encoder (`search.encoder`) is used unless <root>/search/encoder.json names another; an index built
with one is refused by every other:

    {"adapter": "onnx", "folder": "/models/sapbert"}
        a sentence-transformers folder with model.onnx and tokenizer.json; needs onnxruntime and tokenizers
    {"adapter": "url", "url": "http://localhost:8000/v1/embeddings", "model": "bge-m3"}
        what speaks as OpenAI's embeddings do; the key, if any, from NEXOME_EMBED_KEY

Nothing is downloaded. With a URL, texts that people search for leave this machine: its owner decides that.
"""

from __future__ import annotations

import hashlib
import json
import os
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from nexome.model.errors import FormatError, InputError, NotFoundError
from nexome.search.generation import Encodes
from nexome.search.vectors import unit_vectors

Floats = npt.NDArray[np.float32]

KEY_VARIABLE: Final = "NEXOME_EMBED_KEY"
CHOICE: Final = "encoder.json"
_BATCH: Final = 64
_TIMEOUT_S: Final = 60
_PROBE: Final = ("myocardial infarction", "心肌梗死")  # whose vectors name the revision behind a URL


def chosen_encoder(search_folder: Path, own: Callable[[], Encodes]) -> Encodes:
    """The encoder that <root>/search/encoder.json names; the root's own one where there is no such file."""
    path = search_folder / CHOICE
    if not path.exists():
        return own()
    try:
        said = json.loads(path.read_text("utf-8"))
        adapter = said["adapter"]
        if adapter == "onnx":
            return OnnxEncoder(Path(said["folder"]))
        if adapter == "url":
            return UrlEncoder(said["url"], said["model"])
    except (ValueError, KeyError, TypeError) as error:
        raise FormatError(
            f"a choice of encoder that cannot be read ({error})", where=str(path), expected=_EXPECTED
        ) from error
    raise InputError(f"the adapter {adapter!r}", where=str(path), expected=_EXPECTED)


_EXPECTED: Final = '{"adapter": "onnx", "folder": …} or {"adapter": "url", "url": …, "model": …}'


@dataclass(frozen=True)
class OnnxEncoder:
    """A sentence-transformers folder with model.onnx and tokenizer.json: mean of the tokens' vectors."""

    folder: Path

    @property
    def model(self) -> str:
        """The folder's name."""
        return f"onnx:{self.folder.name}"

    @cached_property
    def revision(self) -> str:
        """Digest of the model and its tokenizer."""
        digest = hashlib.sha256()
        for path in (self._model, self.folder / "tokenizer.json"):
            if not path.exists():
                raise NotFoundError("no such file", where=str(path), expected="model.onnx and tokenizer.json")
            with path.open("rb") as stream:
                digest.update(hashlib.file_digest(stream, "sha256").digest())
        return digest.hexdigest()[:16]

    def encode(self, texts: Sequence[str]) -> Floats:
        """Vectors float32 [N, D] of length 1."""
        blocks = [self._encode(texts[at : at + _BATCH]) for at in range(0, len(texts), _BATCH)]
        return np.concatenate(blocks) if blocks else np.zeros((0, 1), np.float32)

    def _encode(self, texts: Sequence[str]) -> Floats:
        session, tokenizer = self._opened
        encoded = tokenizer.encode_batch(list(texts))
        ids = np.array([e.ids for e in encoded], np.int64)
        mask = np.array([e.attention_mask for e in encoded], np.int64)
        given = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        names = {node.name for node in session.get_inputs()}
        out = session.run(None, {name: array for name, array in given.items() if name in names})[0]
        if out.ndim == 3:
            weight = mask[:, :, None].astype(np.float32)
            out = (out * weight).sum(axis=1) / np.maximum(weight.sum(axis=1), 1.0)
        return unit_vectors(out)

    @property
    def _model(self) -> Path:
        inner = self.folder / "onnx" / "model.onnx"
        return inner if inner.exists() else self.folder / "model.onnx"

    @cached_property
    def _opened(self) -> tuple[Any, Any]:
        try:
            runtime, tokenizers = import_module("onnxruntime"), import_module("tokenizers")
        except ImportError as error:
            raise InputError(
                "an ONNX encoder, and no onnxruntime or tokenizers here", todo="pip install nexome[onnx]"
            ) from error
        tokenizer = tokenizers.Tokenizer.from_file(str(self.folder / "tokenizer.json"))
        tokenizer.enable_padding()
        tokenizer.enable_truncation(256)
        session = runtime.InferenceSession(str(self._model), providers=["CPUExecutionProvider"])
        return session, tokenizer


@dataclass(frozen=True)
class UrlEncoder:
    """An embeddings URL that speaks as OpenAI's does: POST {"model", "input"}, answer data[].embedding."""

    url: str
    name: str

    @property
    def model(self) -> str:
        """The model's name at the URL."""
        return f"url:{self.name}"

    @cached_property
    def revision(self) -> str:
        """Digest of the vectors of two fixed texts: changes when the model behind the URL does."""
        rounded = np.rint(self.encode(_PROBE) * 1_000).astype(np.int16)  # equal in spite of rounding
        return hashlib.sha256(rounded.tobytes()).hexdigest()[:16]

    def encode(self, texts: Sequence[str]) -> Floats:
        """Vectors float32 [N, D] of length 1. Raises InputError where the URL does not answer as expected."""
        blocks = [self._ask(texts[at : at + _BATCH]) for at in range(0, len(texts), _BATCH)]
        return np.concatenate(blocks) if blocks else np.zeros((0, 1), np.float32)

    def _ask(self, texts: Sequence[str]) -> Floats:
        if not self.url.startswith(("http://", "https://")):
            raise InputError(f"the address {self.url[:100]!r}", expected="http:// or https://")
        headers = {"Content-Type": "application/json"}
        if key := os.environ.get(KEY_VARIABLE):
            headers["Authorization"] = f"Bearer {key}"
        body = json.dumps({"model": self.name, "input": list(texts)}).encode()
        request = urllib.request.Request(self.url, body, headers)  # noqa: S310  checked above
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:  # noqa: S310
                rows = json.load(answer)["data"]
            rows = sorted(rows, key=lambda row: int(row["index"]))
            vectors = np.array([row["embedding"] for row in rows], np.float32)
        except (urllib.error.URLError, TimeoutError, ValueError, KeyError, TypeError) as error:
            raise InputError(
                f"no vectors ({error})",
                where=self.url,
                expected="an answer as of OpenAI's embeddings",
                todo="See that the service runs and knows the model.",
            ) from error
        if vectors.shape[:1] != (len(texts),) or vectors.ndim != 2:
            raise InputError(f"vectors {vectors.shape} for {len(texts)} texts", where=self.url)
        return unit_vectors(vectors)
