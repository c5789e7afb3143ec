"""From the name that the settings give to a model."""

from __future__ import annotations

from pathlib import Path

from broadsheet.search.embedding import Embedder, ModelMissing, minilm
from broadsheet.search.embedding.extras import Extra, FastEmbed, SentenceTransformers
from broadsheet.search.embedding.minilm import MiniLm

DEFAULT = minilm.NAME
_EXTRAS: tuple[type[Extra], ...] = (FastEmbed, SentenceTransformers)


def embedder(name: str, folder: Path) -> Embedder:
    """The model of that name, whose files are or will be in `folder`; nothing is loaded. Raises ModelMissing.

    Names: ``all-MiniLM-L6-v2``; ``fastembed:`` or ``sentence-transformers:`` and a name of that package.
    """
    if name == DEFAULT:
        return MiniLm(folder)
    package, _colon, model = name.partition(":")
    for extra in _EXTRAS:
        if package == extra.PACKAGE and model:
            return extra(model, folder)
    raise ModelMissing(f"There is no model {name}. Known: {DEFAULT}, fastembed:NAME, sentence-transformers:NAME.")
