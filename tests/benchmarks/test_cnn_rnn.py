"""Keras' CNN-RNN example has the sizes that its page tells."""

from __future__ import annotations

import pytest

from benchmarks.cnn_rnn import build_cnn_rnn
from exerlitenet.training.networks.operations import count

pytest.importorskip("keras", reason="training needs Keras")

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def test_sizes_are_those_of_the_example() -> None:
    extractor, classifier = build_cnn_rnn()
    assert extractor.output_shape == (None, 2048)
    assert classifier.input_shape == (None, 20, 2048)
    assert classifier.output_shape == (None, 5)
    assert classifier.count_params() == 99_909
    # InceptionV3 without its top.
    assert extractor.count_params() == 21_802_784
    macs = {"extractor": count(extractor).macs, "classifier": count(classifier).macs}
    assert macs["extractor"] == pytest.approx(2.836e9, rel=1e-3)
    assert macs["classifier"] == 20 * (3 * 16 * (2048 + 16) + 3 * 8 * (16 + 8)) + 8 * 8 + 8 * 5
