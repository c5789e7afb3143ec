"""all-MiniLM-L6-v2 as an ONNX graph with 8-bit weights, made from the published 32-bit ones.

A BERT encoder of six layers (Devlin and others, 2018, arXiv:1810.04805), distilled (Wang and others, 2020,
arXiv:2002.10957); mean pooling and scaling to length one are part of the graph. It takes one text at a time, so there
is neither padding nor a mask, and what a text becomes does not depend on others.

All inputs of a matrix are quantised as they come. Where few tokens have far greater numbers than others, inside the
map to four times the width, each token has its own scale; elsewhere the text has one, which is faster. Cosine to the
32-bit model over 60 abstracts, mean and least: .9969 and .9936; with one scale for a text everywhere .9936 and .9886.
"""

from __future__ import annotations

import json
import math
import mmap
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from broadsheet.search.embedding.onnx_file import FLOAT, INT64, Graph

WIDTH = 384
_HEADS = 12
_LAYERS = 6
_EPSILON = 1e-12

# Rows of words are only looked up and use all 8 bits. Matrices are multiplied, and use 7 of them: processors without
# VNNI add up pairs of products in 16 bits, which 8 bits overflow, and one text would have two vectors on two machines.
_WORD_TOP = 127
_MATRIX_TOP = 63

# The least value of GELU is -0.16997.
_GELU_LEAST = 0.17

Weights = Callable[[str], npt.NDArray[np.float32]]


def tensors(data: bytes | mmap.mmap) -> Weights:
    """The tensors of a safetensors file (https://github.com/huggingface/safetensors) by name.

    The bytes are trusted: whoever calls has compared their hash.
    """
    view = memoryview(data)
    length = int.from_bytes(view[:8], "little")
    header = json.loads(bytes(view[8 : 8 + length]))
    body = view[8 + length :]

    def tensor(name: str) -> npt.NDArray[np.float32]:
        begin, end = header[name]["data_offsets"]
        return np.frombuffer(body[begin:end], dtype="<f4").reshape(header[name]["shape"])

    return tensor


def build(weights: Weights) -> bytes:
    """The model file: int64 tokens of shape (1, tokens) in, float32 vectors of shape (1, 384) out."""
    g = Graph()
    x = _embedded(g, weights)
    for layer in range(_LAYERS):
        x = _layer(g, weights, f"encoder.layer.{layer}", x)
    pooled = g("ReduceMean", x, axes=[1], keepdims=0)
    length = g("ReduceL2", pooled, axes=[1], keepdims=1)
    vector = g("Div", pooled, length)
    return g.model({"tokens": (INT64, ("1", "length"))}, vector, ("1", str(WIDTH)))


def _embedded(g: Graph, weights: Weights) -> str:
    """The sum of each token's word and place, normalised."""
    rows, scales = _quantised(weights("embeddings.word_embeddings.weight"), axis=1, top=_WORD_TOP)
    words = g("Gather", g.constant("words", rows), "tokens")
    words = g("Mul", g("Cast", words, to=FLOAT), g("Gather", g.constant("words.scale", scales), "tokens"))
    # The second kind of token is never used, so the first one's vector is part of the places.
    kinds = weights("embeddings.token_type_embeddings.weight")
    positions = weights("embeddings.position_embeddings.weight") + kinds[0]
    zero, one = _index(g, 0), _index(g, 1)
    places = g("Range", zero, g("Gather", g("Shape", "tokens"), one), one)
    x = g("Add", words, g("Gather", g.constant("positions", positions), places))
    return _normalised(g, weights, "embeddings.LayerNorm", x)


def _layer(g: Graph, weights: Weights, name: str, x: str) -> str:
    """One layer: attention and a map to four times the width and back, each added to its input and normalised."""
    x = _normalised(g, weights, f"{name}.attention.output.LayerNorm", g("Add", x, _attention(g, weights, name, x)))
    inner = _gelu(g, _dense_by_token(g, weights, f"{name}.intermediate.dense", x))
    outer = _dense_by_token(g, weights, f"{name}.output.dense", inner, least=_GELU_LEAST)
    return _normalised(g, weights, f"{name}.output.LayerNorm", g("Add", x, outer))


def _gelu(g: Graph, x: str) -> str:
    """x/2 (1 + erf(x/√2)): Hendrycks and Gimpel, arXiv:1606.08415."""
    error = g("Erf", g("Div", x, _scalar(g, "root", math.sqrt(2))))
    return g("Mul", g("Mul", x, _scalar(g, "half", 0.5)), g("Add", error, _scalar(g, "unit", 1.0)))


def _attention(g: Graph, weights: Weights, name: str, x: str) -> str:
    """Each token's mixture of all tokens, in twelve heads side by side."""
    parts = [f"{name}.attention.self.{part}" for part in ("query", "key", "value")]
    width = WIDTH // _HEADS
    joined = g("Reshape", _dense(g, weights, parts, x), _shape(g, [0, 0, 3, _HEADS, width]))
    # (texts, tokens, part, head, width) becomes (part, texts, head, tokens, width).
    turned = g("Transpose", joined, perm=[2, 0, 3, 1, 4])
    query, key, value = (g("Gather", turned, _index(g, part), axis=0) for part in range(3))
    products = g("MatMul", query, g("Transpose", key, perm=[0, 1, 3, 2]))
    scores = g("Softmax", g("Mul", products, _scalar(g, "rate", width**-0.5)), axis=-1)
    mixed = g("Transpose", g("MatMul", scores, value), perm=[0, 2, 1, 3])
    return _dense(g, weights, [f"{name}.attention.output.dense"], g("Reshape", mixed, _shape(g, [0, 0, WIDTH])))


def _dense(g: Graph, weights: Weights, names: list[str], x: str) -> str:
    """A linear map in 8 bits, the input with one scale; several maps of one input are joined."""
    small, scale, zero = g.node("DynamicQuantizeLinear", [x], outputs=3)
    return _mapped(g, weights, names, (small, scale, zero))


def _dense_by_token(g: Graph, weights: Weights, name: str, x: str, least: float | None = None) -> str:
    """A linear map in 8 bits, the input with a scale for each token. With `least`, none of it is below -`least`."""
    if least is None:
        # From -127 to 127, stored with 128 added.
        highest = g("Max", _over_tokens(g, "ReduceMax", x), g("Neg", _over_tokens(g, "ReduceMin", x)))
        scale = g("Mul", highest, _scalar(g, "127th", 1 / 127))
        zero = g.constant("zero128", np.array(128, np.uint8))
        small = g("QuantizeLinear", x, scale, g("Expand", zero, g("Shape", scale)), axis=1)
    else:
        # From 0 to 255, when all of them are raised.
        x = g("Add", x, _scalar(g, "least", least))
        scale = g("Mul", _over_tokens(g, "ReduceMax", x), _scalar(g, "255th", 1 / 255))
        zero = g.constant("zero0", np.array(0, np.uint8))
        small = g("QuantizeLinear", x, scale, axis=1)
    return _mapped(g, weights, [name], (small, g("Reshape", scale, _shape(g, [-1, 1])), zero), raised=least or 0.0)


def _over_tokens(g: Graph, kind: str, x: str) -> str:
    """One number for each token."""
    return g(kind, x, axes=[0, 2], keepdims=0)


def _mapped(g: Graph, weights: Weights, names: list[str], x: tuple[str, str, str], raised: float = 0.0) -> str:
    """The map of a quantised input: itself, its scale, its zero; what it was raised by is taken off again."""
    small, scale, zero = x
    matrix = np.concatenate([weights(f"{name}.weight") for name in names]).T
    rows, scales = _quantised(matrix, axis=0, top=_MATRIX_TOP)
    bias = np.concatenate([weights(f"{name}.bias") for name in names])
    bias = (bias - raised * (rows * scales).sum(axis=0)).astype(np.float32)
    name = names[0]
    zeros = g.constant(f"{name}.zero", np.zeros(rows.shape[1], np.int8))
    product = g("MatMulInteger", small, g.constant(f"{name}.weight", rows), zero, zeros)
    whole = g("Mul", g("Cast", product, to=FLOAT), g.constant(f"{name}.scale", scales.ravel()))
    return g("Add", g("Mul", whole, scale), g.constant(f"{name}.bias", bias))


def _quantised(
    matrix: npt.NDArray[np.float32], axis: int, top: int
) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.float32]]:
    """Whole numbers from -top to top, and the scales that turn them back, one for each row or column."""
    scales: npt.NDArray[Any] = np.abs(matrix).max(axis=axis, keepdims=True) / top
    scales[scales == 0] = 1
    return np.rint(matrix / scales).astype(np.int8), scales.astype(np.float32)


def _normalised(g: Graph, weights: Weights, name: str, x: str) -> str:
    scale, bias = (g.constant(f"{name}.{part}", weights(f"{name}.{part}")) for part in ("weight", "bias"))
    return g("LayerNormalization", x, scale, bias, axis=-1, epsilon=_EPSILON)


def _scalar(g: Graph, name: str, value: float) -> str:
    return g.constant(name, np.array(value, np.float32))


def _index(g: Graph, number: int) -> str:
    return g.constant(f"index{number}", np.array(number, np.int64))


def _shape(g: Graph, dims: list[int]) -> str:
    return g.constant("shape" + "_".join(map(str, dims)), np.array(dims, np.int64))
