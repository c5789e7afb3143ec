"""Models: the default one as it is installed, those of other packages as far as we call them, and what is missing."""

from __future__ import annotations

import json
import os
import sys
import types
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from broadsheet.search.embedding import Embedder, ModelMissing, choice, minilm, onnx_file
from broadsheet.search.embedding.minilm import MiniLm


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where models are kept."""
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="module")
def model(models: Path) -> MiniLm:
    """The default model."""
    return MiniLm(models)


OTHER_TOKENIZER = json.dumps(
    {
        "version": "1.0",
        "pre_tokenizer": {"type": "Whitespace"},
        "model": {"type": "WordLevel", "vocab": {"lamp": 99_999, "[UNK]": 99_998}, "unk_token": "[UNK]"},
        "added_tokens": [],
    }
)


# --- The default model ------------------------------------------------------------------------------------------------


def test_vectors_have_length_one_and_tell_what_is_alike(model: MiniLm) -> None:
    """Other words for one thing are nearer than the same words for another."""
    texts = [
        "The cat sat quietly on the mat.",
        "A kitten rested silently upon the rug.",
        "Interest rates were raised by the central bank.",
    ]
    vectors = model.encode(texts)
    assert vectors.shape == (3, model.dimensions) == (3, 384)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(3), abs=1e-5)
    cosines = vectors @ vectors.T
    assert cosines[0, 1] > 0.5
    assert max(cosines[0, 2], cosines[1, 2]) < model.unrelated


def test_published_vector(model: MiniLm) -> None:
    """The 32-bit model's numbers for this sentence begin so (its page on Hugging Face); eight bits come near."""
    published = [0.0676569, 0.0634959, 0.0487131]
    assert model.encode(["This is an example sentence"])[0][:3] == pytest.approx(published, abs=0.02)


def test_vector_does_not_depend_on_others(model: MiniLm) -> None:
    """Nor on how long they are, nor on what was asked before."""
    alone = model.encode(["graph networks"])
    among = model.encode(["a much longer text about " + "meadows and lamps " * 40, "graph networks", ""])
    assert np.array_equal(alone[0], among[1])


@pytest.mark.parametrize("text", ["", "\0", "a" * 100_000, "🔥" * 50, "\ud800", "字" * 5_000], ids=repr)
def test_any_text_has_a_vector(model: MiniLm, text: str) -> None:
    assert np.isfinite(model.encode([text])).all()


def test_text_beyond_256_tokens_is_not_read(model: MiniLm) -> None:
    """The model was trained on no more."""
    begun = "lamp " * 254
    one, other = model.encode([begun + "meadow", begun + "harbour"])
    assert np.array_equal(one, other)


def test_model_is_made_once_and_loads_again(models: Path, model: MiniLm) -> None:
    """From files that are whole; nothing else is left in the folder."""
    first = model.encode(["a lamp"])
    model.close()
    model.close()
    assert [path.name for path in models.iterdir()] == [model.fingerprint]
    before = (models / model.fingerprint / "model.onnx").stat().st_mtime_ns
    assert np.array_equal(MiniLm(models).encode(["a lamp"]), first)
    assert (models / model.fingerprint / "model.onnx").stat().st_mtime_ns == before
    assert model.missing() == ""


def test_damaged_file_is_made_again(tmp_path: Path, model: MiniLm) -> None:
    """The package is still there."""
    ours = MiniLm(tmp_path)
    ours.encode(["a lamp"])
    ours.close()
    for name in ("model.onnx", "tokenizer.json"):
        (tmp_path / ours.fingerprint / name).write_bytes(b"damaged")
        assert np.array_equal(MiniLm(tmp_path).encode(["a lamp"]), model.encode(["a lamp"]))


def test_files_of_another_model_are_made_again(tmp_path: Path, model: MiniLm) -> None:
    """A tokenizer that loads, and has words that the model does not know."""
    ours = MiniLm(tmp_path)
    ours.encode(["a lamp"])
    ours.close()
    (tmp_path / ours.fingerprint / "tokenizer.json").write_text(OTHER_TOKENIZER)
    assert np.array_equal(MiniLm(tmp_path).encode(["a lamp"]), model.encode(["a lamp"]))


def test_model_that_cannot_be_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], model: MiniLm
) -> None:
    """One sentence, nothing from the runtime on the terminal; it is tried from its files again the next time."""
    ours = MiniLm(tmp_path)
    ours.encode(["a lamp"])
    ours.close()
    with monkeypatch.context() as patched:
        patched.setattr(minilm, "_compare", lambda *_arguments: None)
        good = (tmp_path / ours.fingerprint / "tokenizer.json").read_text()
        (tmp_path / ours.fingerprint / "tokenizer.json").write_text(OTHER_TOKENIZER)
        with pytest.raises(ModelMissing, match=r"^The model all-MiniLM-L6-v2 cannot be run: .*[^.]\.$"):
            ours.encode(["a lamp"])
    assert capfd.readouterr() == ("", "")
    (tmp_path / ours.fingerprint / "tokenizer.json").write_text(good)
    assert np.array_equal(ours.encode(["a lamp"]), model.encode(["a lamp"]))


def test_model_that_computes_no_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model: MiniLm) -> None:
    """Nothing of it is kept, where it would spoil the mean of all vectors."""
    session, tokenizer = model._open()
    nothing = np.full((1, model.dimensions), np.nan, np.float32)
    broken = types.SimpleNamespace(run=lambda _names, _inputs: [nothing])
    ours = MiniLm(tmp_path)
    monkeypatch.setattr(ours, "_loaded", (broken, tokenizer))
    assert session is not broken
    with pytest.raises(ModelMissing, match=r"cannot be run: what it computes are no numbers\."):
        ours.encode(["a lamp"])


def test_package_is_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One calm sentence, before and when it is used."""
    monkeypatch.setattr(minilm, "_PACKAGE", "a_package_that_is_not_there")
    sentence = "The model all-MiniLM-L6-v2 is not installed. Install the package"
    ours = MiniLm(tmp_path)
    assert ours.missing().startswith(sentence)
    with pytest.raises(ModelMissing, match=sentence):
        ours.encode(["a lamp"])
    assert list(tmp_path.iterdir()) == []


def test_package_is_not_what_was_published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its weights are never loaded."""
    published = dict(minilm._SHA256)
    monkeypatch.setattr(minilm, "_SHA256", published | {"model.safetensors": "0" * 64})
    with pytest.raises(ModelMissing, match=r"model\.safetensors of its package is not the published file\."):
        MiniLm(tmp_path).encode(["a lamp"])
    assert list(tmp_path.iterdir()) == []


def test_folder_cannot_be_written(tmp_path: Path) -> None:
    """A file stands where the folder should be."""
    (tmp_path / "models").write_text("a file")
    with pytest.raises(ModelMissing, match="cannot be loaded"):
        MiniLm(tmp_path / "models").encode(["a lamp"])


def _file(folder: Path) -> None:
    folder.write_text("a file")


def _above(folder: Path) -> None:
    folder.parent.rmdir()
    folder.parent.write_text("a file")


@pytest.mark.parametrize(
    ("stands", "sentence"),
    [
        pytest.param(_file, "the file {name} stands where a folder belongs", id="a file in its place"),
        pytest.param(_above, "the file models stands where a folder belongs", id="a file above it"),
    ],
)
def test_model_that_cannot_be_made_says_so_before_it_is_used(
    tmp_path: Path, stands: Callable[[Path], None], sentence: str
) -> None:
    """Without a place: the page of the state is public."""
    (tmp_path / "models").mkdir()
    ours = MiniLm(tmp_path / "models")
    assert ours.missing() == ""
    stands(tmp_path / "models" / ours.fingerprint)
    assert ours.missing() == f"The model {ours.name} cannot be made: {sentence.format(name=ours.fingerprint)}."
    with pytest.raises(ModelMissing):
        ours.encode(["a lamp"])


def test_folder_that_is_not_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing may be written; whoever runs the tests may be allowed everything."""
    monkeypatch.setattr("os.access", lambda _path, mode: mode == os.F_OK)
    sentence = f"The model {MiniLm.name} cannot be made: the folder {tmp_path.name} cannot be written."
    assert MiniLm(tmp_path / "models").missing() == sentence


def test_folder_without_files_and_no_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder alone is no model; with the package it is one soon."""
    ours = MiniLm(tmp_path)
    (tmp_path / ours.fingerprint).mkdir()
    assert ours.missing() == ""
    monkeypatch.setattr(minilm, "_PACKAGE", "a_package_that_is_not_there")
    assert ours.missing().startswith("The model all-MiniLM-L6-v2 is not installed.")


# --- The file format --------------------------------------------------------------------------------------------------


def test_numbers_of_the_file_format() -> None:
    """The examples of the encoding's own description: https://protobuf.dev/programming-guides/encoding/."""
    assert onnx_file._int(1, 150) == b"\x08\x96\x01"
    assert onnx_file._bytes(2, "testing") == b"\x12\x07testing"
    assert onnx_file._int(1, -2) == b"\x08" + b"\xfe" + b"\xff" * 8 + b"\x01"


def test_constant_is_kept_once() -> None:
    """A second one of the same name is the same."""
    graph = onnx_file.Graph()
    names = [graph.constant("half", np.array(value, np.float32)) for value in (0.5, 0.7)]
    model = graph.model({"x": (onnx_file.FLOAT, ("n",))}, graph("Mul", "x", *names[:1]), ("n",))
    assert model.count(np.float32(0.5).tobytes()) == 1
    assert np.float32(0.7).tobytes() not in model


# --- Other packages ---------------------------------------------------------------------------------------------------


class _Model:
    """What both packages offer, as far as we use it: a vector for a text."""

    def __init__(self, name: str, **options: Any) -> None:
        if name == "unknown":
            raise ValueError("no such model")
        self.options = options

    def embed(self, texts: Sequence[str]) -> Any:
        return (np.array([3.0, 4.0 * len(text)]) for text in texts)

    def encode(self, text: str, **_options: Any) -> Any:
        return np.array([3.0, 4.0 * len(text)])


@pytest.fixture(params=["fastembed", "sentence-transformers"])
def package(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a package that looks installed."""
    name: str = request.param
    module = types.ModuleType(name.replace("-", "_"))
    module.__spec__ = types.SimpleNamespace(name=module.__name__)  # type: ignore[assignment]  # all that is looked at
    vars(module).update(TextEmbedding=_Model, SentenceTransformer=_Model)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    return name


def test_models_of_other_packages(package: str, tmp_path: Path) -> None:
    """Their vectors are scaled to length one; the fingerprint can be a file's name."""
    made: Embedder = choice.embedder(f"{package}:BAAI/bge-small", tmp_path)
    assert (made.name, made.fingerprint) == (f"{package}:BAAI/bge-small", f"{package}-BAAI-bge-small")
    assert (made.missing(), made.dimensions, made.unrelated) == ("", 2, -1.0)
    assert made.encode(["a", "bb"]) == pytest.approx(np.array([[0.6, 0.8], [3, 8] / np.sqrt(73)]), abs=1e-6)
    assert made.encode([]).shape[0] == 0
    made.close()
    assert made.dimensions == 2


def test_model_that_another_package_does_not_know(package: str, tmp_path: Path) -> None:
    with pytest.raises(ModelMissing, match=r"unknown cannot be loaded: no such model\."):
        choice.embedder(f"{package}:unknown", tmp_path).encode(["a"])


def test_model_of_another_package_that_cannot_be_run(
    package: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the package raises, or where it gives no numbers."""

    def fails(*_arguments: object, **_options: object) -> Any:
        raise RuntimeError("it is\n  broken.")

    made = choice.embedder(f"{package}:BAAI/bge-small", tmp_path)
    for answer, reason in ((fails, "it is broken"), (lambda *_a, **_o: np.array([[np.nan, 1.0]]), "no numbers")):
        monkeypatch.setattr(_Model, "embed", answer)
        monkeypatch.setattr(_Model, "encode", answer)
        with pytest.raises(ModelMissing, match=rf"BAAI/bge-small cannot be run: .*{reason}\.$"):
            made.encode(["a"])


def test_other_package_is_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is imported to find out."""
    monkeypatch.setitem(sys.modules, "fastembed", None)
    made = choice.embedder("fastembed:BAAI/bge-small", tmp_path)
    sentence = "The model fastembed:BAAI/bge-small needs the package fastembed."
    with pytest.raises(ModelMissing, match=sentence):
        made.encode(["a"])


@pytest.mark.parametrize("name", ["", "all-MiniLM-L12-v2", "fastembed", "fastembed:", "word2vec:google"])
def test_unknown_name(name: str, tmp_path: Path) -> None:
    with pytest.raises(ModelMissing, match=r"There is no model .* Known: all-MiniLM-L6-v2, fastembed:NAME"):
        choice.embedder(name, tmp_path)


def test_default_model(tmp_path: Path) -> None:
    assert isinstance(choice.embedder(choice.DEFAULT, tmp_path), MiniLm)
