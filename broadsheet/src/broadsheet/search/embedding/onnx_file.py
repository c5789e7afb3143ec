"""Writes an ONNX model file (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto3) without the onnx package.

Only the messages and fields that one encoder needs. Protocol buffers are tag, length, bytes:
https://protobuf.dev/programming-guides/encoding/
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

# TensorProto.DataType
FLOAT, INT64 = 1, 7
_TYPES = {np.dtype("float32"): FLOAT, np.dtype("uint8"): 2, np.dtype("int8"): 3, np.dtype("int64"): INT64}

_IR_VERSION = 8
_OPSET = 17
# AttributeProto.AttributeType
_ATTRIBUTE_FLOAT, _ATTRIBUTE_INT, _ATTRIBUTE_INTS = 1, 2, 7

Attribute = float | int | list[int]


class Graph:
    """Nodes and constants in the order in which they are added."""

    def __init__(self) -> None:
        self._nodes: list[bytes] = []
        self._constants: dict[str, bytes] = {}

    def constant(self, name: str, value: npt.NDArray[Any]) -> str:
        """A tensor that is part of the model; its name. A name that is there already stands for the same tensor."""
        if name not in self._constants:
            value = np.asarray(value, order="C")
            dims = b"".join(_int(1, size) for size in value.shape)
            content = _int(2, _TYPES[value.dtype]) + _bytes(8, name) + _bytes(9, value.tobytes())
            self._constants[name] = dims + content
        return name

    def node(self, kind: str, inputs: Sequence[str], outputs: int = 1, **attributes: Attribute) -> list[str]:
        """An operation of the standard set; the names of its outputs."""
        names = [f"{kind}_{len(self._nodes)}_{place}" for place in range(outputs)]
        parts = [*(_bytes(1, name) for name in inputs), *(_bytes(2, name) for name in names), _bytes(4, kind)]
        parts += [_bytes(5, _attribute(name, value)) for name, value in attributes.items()]
        self._nodes.append(b"".join(parts))
        return names

    def __call__(self, kind: str, *inputs: str, **attributes: Attribute) -> str:
        """An operation with one output; the name of that."""
        return self.node(kind, inputs, 1, **attributes)[0]

    def model(self, inputs: Mapping[str, tuple[int, Sequence[str]]], output: str, axes: Iterable[str]) -> bytes:
        """The bytes of the file. Inputs have an element type and named axes; the output is of floats."""
        graph = b"".join(
            [
                *(_bytes(1, node) for node in self._nodes),
                _bytes(2, "encoder"),
                *(_bytes(5, constant) for constant in self._constants.values()),
                *(_bytes(11, _value(name, kind, dims)) for name, (kind, dims) in inputs.items()),
                _bytes(12, _value(output, FLOAT, axes)),
            ]
        )
        return _int(1, _IR_VERSION) + _bytes(7, graph) + _bytes(8, _bytes(1, "") + _int(2, _OPSET))


def _value(name: str, kind: int, axes: Iterable[str]) -> bytes:
    shape = b"".join(_bytes(1, _int(1, int(axis)) if axis.isdigit() else _bytes(2, axis)) for axis in axes)
    return _bytes(1, name) + _bytes(2, _bytes(1, _int(1, kind) + _bytes(2, shape)))


def _attribute(name: str, value: Attribute) -> bytes:
    start = _bytes(1, name)
    if isinstance(value, list):
        return start + b"".join(_int(8, each) for each in value) + _int(20, _ATTRIBUTE_INTS)
    if isinstance(value, int):
        return start + _int(3, value) + _int(20, _ATTRIBUTE_INT)
    return start + _varint(2 << 3 | 5) + np.float32(value).tobytes() + _int(20, _ATTRIBUTE_FLOAT)


def _bytes(field: int, value: bytes | str) -> bytes:
    data = value.encode() if isinstance(value, str) else value
    return _varint(field << 3 | 2) + _varint(len(data)) + data


def _int(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value & (2**64 - 1))


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)
