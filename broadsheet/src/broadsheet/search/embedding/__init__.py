"""Texts into vectors: what every model offers, whichever program computes it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

_LONGEST_REASON = 300  # characters


class ModelMissing(Exception):
    """The model cannot be used here. The text is a sentence for the reader; the cause is chained for the log."""


def not_run(name: str, error: Exception) -> ModelMissing:
    """What is raised when a model was loaded and then failed. What its runtime raises shares no class."""
    reason = " ".join(str(error).split()).rstrip(".")[:_LONGEST_REASON]
    return ModelMissing(f"The model {name} cannot be run: {reason or type(error).__name__}.")


def finite(vectors: Floats) -> Floats:
    """The same vectors. Raises ValueError when they hold what is no number, which would spoil all that are kept."""
    if not np.isfinite(vectors).all():
        raise ValueError("what it computes are no numbers")
    return vectors


class Embedder(Protocol):
    """A model. May be shared by threads. Making one costs nothing: it loads when it is first needed.

    `dimensions` and `encode` raise ModelMissing when it cannot.
    """

    @property
    def name(self) -> str:
        """What the settings call it, such as ``all-MiniLM-L6-v2``."""

    @property
    def fingerprint(self) -> str:
        """Changes whenever its vectors do: vectors of two fingerprints must not be compared. Fit for a file's name."""

    @property
    def dimensions(self) -> int:
        """How many numbers a vector has."""

    @property
    def unrelated(self) -> float:
        """A cosine of a query and a paper below which they have nothing to do with each other; -1 when not known."""

    def missing(self) -> str:
        """Why it cannot be used, in a sentence, as far as can be told without loading it; "" when nothing is known."""

    def encode(self, texts: Sequence[str]) -> Floats:
        """A vector of length one for each text, (texts, dimensions). What one text gets does not depend on others."""

    def close(self) -> None:
        """Give back the memory. It loads again when it is needed again."""
