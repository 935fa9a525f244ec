"""The frame network in ONNX Runtime says what it says in Keras."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from exerlitenet.training.posture.head_data import PostureGraph
from exerlitenet.training.posture.network import build_posture
from tiny_posture import tiny_backbone

keras = pytest.importorskip("keras", reason="training needs Keras")
pytest.importorskip("tf2onnx", reason="the graph needs tf2onnx")

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


@pytest.fixture(scope="module")
def network() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("exerlitenet.training.networks.backbone.build_backbone", tiny_backbone)
        keras.utils.set_random_seed(3)
        network = build_posture(64, None)
    rng = np.random.default_rng(0)
    for weight in network.weights:  # statistics as a trained network has them, and weights that matter
        weight.assign(
            np.linspace(0.05, 0.4, weight.shape[0])
            if "moving" in weight.path
            else rng.normal(0, 0.2, weight.shape)
        )
    return network


@pytest.fixture(scope="module")
def graph(network: Any) -> PostureGraph:
    return PostureGraph(network)


@pytest.mark.parametrize("count", [1, 3])
def test_it_is_the_network(network: Any, graph: PostureGraph, count: int) -> None:
    assert graph.size == 64
    pixels = np.random.default_rng(count).random((count, 64, 64, 3), np.float32)
    wanted = {key: np.asarray(value) for key, value in network(pixels, training=False).items()}
    joints, context = graph.see(pixels)
    assert joints.dtype == context.dtype == np.float32
    assert (joints.shape, context.shape) == ((count, 13, 6), (count, 128))
    assert np.ptp(wanted["joints"], axis=1).min() > 0
    np.testing.assert_allclose(joints, wanted["joints"], atol=1e-4)
    np.testing.assert_allclose(context, wanted["context"], atol=1e-4)


def test_it_stays_what_it_was_when_the_network_learns_on(network: Any, graph: PostureGraph) -> None:
    pixels = np.random.default_rng(0).random((1, 64, 64, 3), np.float32)
    before = graph.see(pixels)
    weights = network.get_weights()
    network.set_weights([w * 1.5 for w in weights])
    try:
        after, other = graph.see(pixels), PostureGraph(network).see(pixels)
    finally:
        network.set_weights(weights)
    for mine, wanted, changed in zip(after, before, other, strict=True):
        np.testing.assert_array_equal(mine, wanted)
        assert not np.allclose(mine, changed, atol=1e-4)


def test_several_threads_may_look_at_once(graph: PostureGraph) -> None:
    frames = list(np.random.default_rng(1).random((12, 1, 64, 64, 3), np.float32))
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(graph.see, frames))
    for (joints, context), frame in zip(together, frames, strict=True):
        wanted = graph.see(frame)
        np.testing.assert_array_equal(joints, wanted[0])
        np.testing.assert_array_equal(context, wanted[1])
