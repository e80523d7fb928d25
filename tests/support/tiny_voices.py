"""Voices for the real libraries of Kokoro and Piper, of a kilobyte: a tone for each text.

Its pitch tells the voice and the phonemes, its length how many of these there are and how quickly they are spoken. What
turns texts into phonemes is eSpeak NG, in both libraries and as always.
"""

import json
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper

__all__ = ["BASE_HZ", "PHONEME_MS", "STEP_HZ", "kokoro", "piper"]

PHONEME_MS = 60
BASE_HZ, STEP_HZ = 200, 20
"""The pitch of the first voice, and how far the others lie apart."""

_value = helper.make_tensor_value_info


def kokoro(folder: Path, voices: Iterable[str]) -> None:
    """Its two files."""
    folder.mkdir(parents=True, exist_ok=True)
    styles = {name: np.full((1, 1, 256), BASE_HZ + STEP_HZ * n, np.float32) for n, name in enumerate(voices)}
    with (folder / "voices-v1.0.bin").open("wb") as file:
        np.savez(file, allow_pickle=False, **styles)
    inputs = [
        _value("tokens", TensorProto.INT64, [1, "n"]),
        _value("style", TensorProto.FLOAT, [1, 256]),
        _value("speed", TensorProto.FLOAT, [1]),
    ]
    nodes = [
        helper.make_node("ReduceMean", ["style"], ["hertz"], keepdims=0),
        helper.make_node("Reciprocal", ["speed"], ["slowness"]),
        helper.make_node("Identity", ["tokens"], ["symbols"]),
    ]
    _save(folder / "kokoro-v1.0.onnx", inputs, nodes, 24_000)


def piper(file: Path, speakers: int, rate: int = 16_000) -> None:
    """The model, and the description beside it."""
    from piper.phoneme_ids import DEFAULT_PHONEME_ID_MAP

    file.parent.mkdir(parents=True, exist_ok=True)
    settings = {
        "audio": {"sample_rate": rate}, "espeak": {"voice": "en-us"}, "phoneme_type": "espeak", "num_symbols": 256,
        "phoneme_id_map": DEFAULT_PHONEME_ID_MAP, "num_speakers": speakers, "speaker_id_map": {"p7": 7},
        "inference": {"noise_scale": 0.667, "length_scale": 1.0, "noise_w": 0.8},
    }  # fmt: skip
    file.with_name(f"{file.name}.json").write_text(json.dumps(settings))
    inputs = [
        _value("input", TensorProto.INT64, [1, "n"]),
        _value("input_lengths", TensorProto.INT64, [1]),
        _value("scales", TensorProto.FLOAT, [3]),
        _value("sid", TensorProto.INT64, [1]),
    ]
    nodes = [
        helper.make_node("Cast", ["sid"], ["speaker"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["speaker", "step"], ["higher"]),
        helper.make_node("Add", ["higher", "base"], ["hertz"]),
        helper.make_node("Gather", ["scales", "one"], ["slowness"]),
        helper.make_node("Identity", ["input"], ["symbols"]),
    ]
    _save(file, inputs, nodes, rate)


def _save(file: Path, inputs: list[onnx.ValueInfoProto], nodes: list[onnx.NodeProto], rate: int) -> None:
    """What both have in common: a tone of so many ``hertz``, as long as there are ``symbols``, times ``slowness``."""
    nodes += [
        helper.make_node("Cast", ["symbols"], ["ids"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["ids"], ["mean"], keepdims=0),
        helper.make_node("Add", ["hertz", "mean"], ["pitch"]),
        helper.make_node("Mul", ["pitch", "turn"], ["step_of_phase"]),
        helper.make_node("Size", ["symbols"], ["count"]),
        helper.make_node("Cast", ["count"], ["many"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["many", "samples"], ["plain"]),
        helper.make_node("Mul", ["plain", "slowness"], ["long"]),
        helper.make_node("ReduceSum", ["long"], ["length"], keepdims=0),
        helper.make_node("Range", ["nought", "length", "unit"], ["time"]),
        helper.make_node("Mul", ["time", "step_of_phase"], ["phase"]),
        helper.make_node("Sin", ["phase"], ["audio"]),
    ]
    numbers = {
        "base": BASE_HZ, "step": STEP_HZ, "turn": 2 * np.pi / rate, "samples": rate * PHONEME_MS / 1000,
        "nought": 0.0, "unit": 1.0,
    }  # fmt: skip
    constants = [onnx.numpy_helper.from_array(np.asarray(value, np.float32), name) for name, value in numbers.items()]
    constants.append(onnx.numpy_helper.from_array(np.asarray([1], np.int64), "one"))
    graph = helper.make_graph(nodes, "tone", inputs, [_value("audio", TensorProto.FLOAT, ["t"])], constants)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), str(file))
