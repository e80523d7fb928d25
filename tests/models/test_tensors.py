"""A file of tensors written by hand, byte by byte, and what is none."""

from pathlib import Path

import numpy as np
import pytest

from vivavoce.models.tensors import tensors


def field(number: int, value: bytes | int) -> bytes:
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def varint(value: int) -> bytes:
    low = b""
    while value > 127:
        low, value = low + bytes([value & 127 | 128]), value >> 7
    return low + bytes([value])


def test_floats_by_name_and_shape(tmp_path: Path) -> None:
    numbers = np.arange(600, dtype="<f4")
    tensor = field(1, 300) + field(1, 2) + field(2, 1) + field(8, b"weights") + field(9, numbers.tobytes())
    whole = field(1, 3) + field(2, 7) + field(8, b"counts") + field(9, bytes(24))
    fixed = varint(3 << 3 | 5) + bytes(4) + varint(4 << 3 | 1) + bytes(8)
    graph = field(5, tensor) + field(2, b"a graph") + field(5, whole)
    file = tmp_path / "model.onnx"
    file.write_bytes(field(1, 8) + fixed + field(7, graph))
    found = tensors(file)
    assert list(found) == ["weights"]
    assert np.array_equal(found["weights"], numbers.reshape(300, 2))


@pytest.mark.parametrize("content", [b"\xff" * 40, b"not a model at all", field(7, field(5, b"\x08"))])
def test_what_is_no_such_file(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "model.onnx"
    file.write_bytes(content)
    with pytest.raises(ValueError, match=r"model\.onnx|wire type"):
        tensors(file)
