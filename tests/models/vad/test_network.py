"""Silero in numpy gives what the same file gives in ONNX Runtime; a file that is another model's is refused."""

import numpy as np
import onnxruntime
import pytest

from vivavoce.models.tensors import tensors
from vivavoce.models.vad import silero
from vivavoce.models.vad.network import HEARD, STATE, Network

FILE = silero._model_file()


def test_it_is_the_same_network_as_in_onnx_runtime() -> None:
    network, runtime = Network(tensors(FILE)), onnxruntime.InferenceSession(str(FILE))
    noise = np.random.default_rng(5)
    hidden, cell = np.zeros((2, 3, STATE), np.float32)
    states = [np.zeros((2, 1, 1, STATE), np.float32) for _ in range(3)]
    for loudness in np.geomspace(1e-5, 1.0, 40):
        samples = noise.normal(0, loudness, (3, HEARD)).astype(np.float32)
        found, hidden, cell = network(samples, hidden, cell)
        for index in range(3):
            feed = {"input": samples[index : index + 1], "h": states[index][0], "c": states[index][1]}
            probability, *states[index] = runtime.run(None, feed)
            assert found[index] == pytest.approx(probability[0], abs=1e-5)
    assert hidden == pytest.approx(np.concatenate([each[0][0] for each in states]), abs=1e-4)


def test_tensors_of_another_model() -> None:
    found = dict(tensors(FILE))
    with pytest.raises(ValueError, match="other shapes"):
        Network(found | {"decoder.conv1d.weight": np.zeros((1, 64, 1), np.float32)})
    del found["decoder.conv1d.weight"]
    with pytest.raises(ValueError, match=r"decoder\.conv1d\.weight"):
        Network(found)
