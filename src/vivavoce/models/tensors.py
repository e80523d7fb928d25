"""The numbers inside an ONNX file, by name; what is computed with them is not read.

ONNX is protobuf (onnx.proto): a ModelProto has a GraphProto in field 7, that has TensorProtos in field 5, and a tensor
has its dimensions in field 1, its type in 2 (1 is float), its name in 8 and its numbers in 9. It is too little of
protobuf to need a library for.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

__all__ = ["tensors"]

_GRAPH, _TENSOR, _DIMENSION, _TYPE, _NAME, _NUMBERS = 7, 5, 1, 2, 8, 9
_FLOAT = 1


def tensors(file: Path) -> Mapping[str, npt.NDArray[np.float32]]:
    """Those of 32-bit floats that the file holds. Raises :class:`ValueError` where it is no such file, and
    :class:`OSError`."""
    found = {}
    try:
        for graph in _parts(memoryview(file.read_bytes()), _GRAPH):
            for tensor in _parts(graph, _TENSOR):
                fields = dict[int, int | memoryview]()
                shape = []
                for number, value in _fields(tensor):
                    if number == _DIMENSION and isinstance(value, int):
                        shape.append(value)
                    fields[number] = value
                name, numbers = fields.get(_NAME), fields.get(_NUMBERS)
                if fields.get(_TYPE) == _FLOAT and isinstance(name, memoryview) and isinstance(numbers, memoryview):
                    found[bytes(name).decode()] = np.frombuffer(numbers, "<f4").reshape(shape)
    except (IndexError, UnicodeDecodeError) as error:
        raise ValueError(f"{file.name} is no ONNX file") from error
    return found


def _parts(message: memoryview, wanted: int) -> Iterator[memoryview]:
    for number, value in _fields(message):
        if number == wanted and isinstance(value, memoryview):
            yield value


def _fields(message: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """Numbers and values, in order, by their wire types (protobuf.dev, "Encoding"); those of fixed width are passed
    over."""
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        match key & 7:
            case 0:  # a varint
                value, at = _varint(message, at)
                yield key >> 3, value
            case 2:  # a length, and so many bytes
                size, at = _varint(message, at)
                yield key >> 3, message[at : at + size]
                at += size
            case 1:  # eight bytes
                at += 8
            case 5:  # four bytes
                at += 4
            case other:
                raise ValueError(f"wire type {other} is not protobuf's")


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    """The number there, and where it ends."""
    value = shift = 0
    while True:
        byte = message[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at
