"""Models of other packages, which fetch them from the network when they are first used.

The packages are extras: nothing of them is needed, or imported, unless the settings name such a model.
"""

from __future__ import annotations

import importlib
import re
import threading
from abc import ABC, abstractmethod
from collections.abc import Sequence
from importlib import util
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from broadsheet.search.embedding import Floats, ModelMissing, finite, not_run


class Extra(ABC):
    """The model that a package calls `model`; its files are kept in `folder`. Fulfils `Embedder`."""

    PACKAGE: ClassVar[str]
    unrelated = -1.0

    def __init__(self, model: str, folder: Path) -> None:
        self.name = f"{self.PACKAGE}:{model}"
        self.fingerprint = re.sub(r"[^\w.-]", "-", self.name)
        self._model = model
        self._folder = folder / self.PACKAGE
        self._lock = threading.Lock()
        self._loaded: Any = None

    @property
    def dimensions(self) -> int:
        """See `Embedder.dimensions`. Models do not all say it, so one text is encoded."""
        return len(self.encode(["size"])[0])

    def missing(self) -> str:
        """See `Embedder.missing`."""
        return "" if util.find_spec(self._module) else f"The model {self.name} needs the package {self.PACKAGE}."

    @property
    def _module(self) -> str:
        return self.PACKAGE.replace("-", "_")

    def encode(self, texts: Sequence[str]) -> Floats:
        """See `Embedder.encode`. Raises ModelMissing."""
        model = self._open()
        if not texts:
            return np.empty((0, self.dimensions), np.float32)
        try:
            vectors = finite(np.array([self._vector(model, text) for text in texts], np.float32))
        except Exception as error:
            raise not_run(self.name, error) from error
        lengths: Floats = np.linalg.norm(vectors, axis=1, keepdims=True)
        return (vectors / np.maximum(lengths, 1e-12)).astype(np.float32)

    def close(self) -> None:
        """See `Embedder.close`."""
        with self._lock:
            self._loaded = None

    @abstractmethod
    def _load(self, package: Any) -> Any:
        """The model, from the package."""

    @abstractmethod
    def _vector(self, model: Any, text: str) -> Any:
        """The vector of one text, of any length."""

    def _open(self) -> Any:
        with self._lock:
            if self._loaded is None:
                try:
                    self._loaded = self._load(importlib.import_module(self._module))
                except ImportError as error:
                    raise ModelMissing(self.missing() or f"{self.PACKAGE} cannot be imported: {error}.") from error
                except Exception as error:
                    # The package, its network and its runtime raise what they like.
                    raise ModelMissing(f"The model {self.name} cannot be loaded: {error}.") from error
            return self._loaded


class FastEmbed(Extra):
    """A model of fastembed: https://qdrant.github.io/fastembed/examples/Supported_Models/."""

    PACKAGE = "fastembed"

    def _load(self, package: Any) -> Any:
        return package.TextEmbedding(self._model, cache_dir=str(self._folder), threads=1)

    def _vector(self, model: Any, text: str) -> Any:
        return next(iter(model.embed([text])))


class SentenceTransformers(Extra):
    """A model of Sentence Transformers: https://sbert.net/docs/sentence_transformer/pretrained_models.html."""

    PACKAGE = "sentence-transformers"

    def _load(self, package: Any) -> Any:
        return package.SentenceTransformer(self._model, cache_folder=str(self._folder), device="cpu")

    def _vector(self, model: Any, text: str) -> Any:
        return model.encode(text, show_progress_bar=False)
