"""Other encoders: a tiny ONNX model made here, a server of embeddings run here."""

import hashlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nexome.model.errors import FormatError, InputError
from nexome.model.knowledge import Name, NamedTerm
from nexome.search.embed import OnnxEncoder, UrlEncoder, chosen_encoder
from nexome.search.generation import build_generation
from nexome.search.index import SearchIndex
from nexome.search.sources import term_records

TERMS = [
    NamedTerm("X:1", [Name("heart attack", "label", "en")]),
    NamedTerm("X:2", [Name("gout", "label", "en")]),
]
WORDS = ["[PAD]", "[UNK]", "heart", "attack", "gout"]


@pytest.fixture
def onnx_folder(tmp_path: Path) -> Path:
    """A folder whose model gives each token the row of a table, and whose tokens are words."""
    onnx = pytest.importorskip("onnx")
    tokenizers = pytest.importorskip("tokenizers")
    pytest.importorskip("onnxruntime")
    table = np.random.default_rng(0).standard_normal((len(WORDS), 8)).astype(np.float32)
    node = onnx.helper.make_node("Gather", ["table", "input_ids"], ["last_hidden_state"])
    value, kinds = onnx.helper.make_tensor_value_info, onnx.TensorProto
    graph = onnx.helper.make_graph(
        [node],
        "words",
        [value("input_ids", kinds.INT64, ["n", "t"])],
        [value("last_hidden_state", kinds.FLOAT, ["n", "t", 8])],
        [onnx.numpy_helper.from_array(table, "table")],
    )
    opset = [onnx.helper.make_opsetid("", 17)]
    onnx.save(onnx.helper.make_model(graph, opset_imports=opset, ir_version=8), str(tmp_path / "model.onnx"))
    vocabulary = {word: row for row, word in enumerate(WORDS)}
    tokenizer = tokenizers.Tokenizer(tokenizers.models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    return tmp_path


def test_an_onnx_folder_encodes_by_the_mean_of_its_tokens(onnx_folder: Path) -> None:
    encoder = OnnxEncoder(onnx_folder)
    both, heart, attack = encoder.encode(["heart attack", "heart", "attack"])
    table = np.random.default_rng(0).standard_normal((len(WORDS), 8)).astype(np.float32)
    mean = table[2:4].mean(axis=0)
    assert both == pytest.approx(mean / np.linalg.norm(mean), abs=1e-5)
    assert heart @ attack < 0.999
    assert len(encoder.revision) == 16


def test_an_index_can_be_built_with_it_and_is_its_own(onnx_folder: Path, tmp_path: Path) -> None:
    encoder = OnnxEncoder(onnx_folder)
    generation = build_generation(tmp_path / "search", term_records(TERMS), encoder)
    assert SearchIndex.open(generation, encoder).find("attack heart")[0].id == "X:1"
    (onnx_folder / "tokenizer.json").write_text((onnx_folder / "tokenizer.json").read_text() + "\n")
    with pytest.raises(InputError, match="built with the encoder"):
        SearchIndex.open(generation, OnnxEncoder(onnx_folder))


class Embeddings(BaseHTTPRequestHandler):
    """Answers as OpenAI's embeddings do, in another order, as it may."""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        rows = [{"index": i, "embedding": self.vector(t)} for i, t in enumerate(asked["input"])]
        answer: Any = {"data": rows[::-1]} if asked["model"] == "right" else {"error": "no such model"}
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    @staticmethod
    def vector(text: str) -> list[float]:
        return [float(byte) for byte in hashlib.sha256(text.encode()).digest()[:12]]

    def log_message(self, *_: object) -> None:
        """Nothing is written to the screen of the tests."""


@pytest.fixture
def url() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Embeddings)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/v1/embeddings"
    server.shutdown()
    thread.join()
    server.server_close()


def test_an_embeddings_url_is_asked_in_blocks_and_answers_are_put_in_order(url: str) -> None:
    texts = [f"text {n}" for n in range(150)]
    vectors = UrlEncoder(url, "right").encode(texts)
    expected = np.array([Embeddings.vector(text) for text in texts])
    assert vectors == pytest.approx(expected / np.linalg.norm(expected, axis=1, keepdims=True), abs=1e-5)
    assert UrlEncoder(url, "right").revision == UrlEncoder(url, "right").revision


@pytest.mark.parametrize("address", ["wrong-model", "http://127.0.0.1:9/none", "file:///etc/hostname"])
def test_a_url_that_does_not_answer_so_is_named(url: str, address: str) -> None:
    encoder = UrlEncoder(url, "wrong") if address == "wrong-model" else UrlEncoder(address, "right")
    with pytest.raises(InputError):
        encoder.encode(["gout"])


def test_what_a_root_chose_is_used_and_nonsense_is_refused(tmp_path: Path) -> None:
    def own() -> Any:
        return "own"

    assert chosen_encoder(tmp_path, own) == "own"
    path = tmp_path / "encoder.json"
    path.write_text('{"adapter": "url", "url": "http://localhost/v1", "model": "m"}')
    assert chosen_encoder(tmp_path, own) == UrlEncoder("http://localhost/v1", "m")
    for text, error in (
        ("{", FormatError),
        ('{"adapter": "onnx"}', FormatError),
        ('{"adapter": "x"}', InputError),
    ):
        path.write_text(text)
        with pytest.raises(error):
            chosen_encoder(tmp_path, own)
