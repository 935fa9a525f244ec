"""A network becomes a bundle that says the same, or nothing at all."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tiny_training
from exerlitenet.errors import InputError
from exerlitenet.export import export
from exerlitenet.export.export import ExportReport, Parts, export_bundle, largest_difference
from exerlitenet.export.head_graph import head_graph
from exerlitenet.export.quantise import quantise_weights
from exerlitenet.recognition.bundle import load_bundle
from exerlitenet.recognition.onnx_engine import OnnxEngine
from exerlitenet.training.cnn_lstm import network as cnn_lstm
from exerlitenet.training.config import ModelConfig
from exerlitenet.training.posture.head import frame_encoder, head_weights, sequence_head
from exerlitenet.training.posture.model import PostureNetwork, build_posture_network
from exerlitenet.video.sequence import SequenceSpec
from graphs import operators, session
from tiny_posture import tiny_backbone, tiny_config

keras = pytest.importorskip("keras", reason="training needs Keras")
pytest.importorskip("tf2onnx", reason="exporting needs tf2onnx")

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


@pytest.fixture(scope="module")
def network() -> PostureNetwork:
    config = tiny_config()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("exerlitenet.training.networks.backbone.build_backbone", tiny_backbone)
        keras.utils.set_random_seed(4)
        network = build_posture_network(config)
    for weight in network.posture.weights:  # statistics as a trained network has them
        if "moving" in weight.path:
            weight.assign(np.linspace(0.05, 0.4, weight.shape[0]))
    return network


@pytest.fixture(scope="module")
def head(network: PostureNetwork) -> Any:
    """The sequence head in Keras."""
    return sequence_head(network.head)


@pytest.fixture(scope="module")
def parts(network: PostureNetwork) -> Parts:
    config = tiny_config()
    return Parts(
        name="tiny",
        classes=config.classes,
        spec=config.sequence,
        encoder=frame_encoder(network.posture, network.head),
        head=head_weights(network.head),
        full=network.full,
        phase_delay=2,
    )


def sequences(count: int = 3) -> list[Any]:
    return list(np.random.default_rng(0).integers(0, 256, (count, 6, 64, 64, 3), dtype=np.uint8))


def exported(parts: Parts, out: Path, **options: Any) -> ExportReport:
    sample = np.random.default_rng(1).integers(0, 256, (6, 90, 120, 3), dtype=np.uint8)
    facts: Any = {"sample": sample, "metrics": {"accuracy": 0.5}, "provenance": {"name": "tiny"}} | options
    return export_bundle(parts, out, sequences(), **facts)


@pytest.fixture(scope="module")
def report(parts: Parts, tmp_path_factory: pytest.TempPathFactory) -> ExportReport:
    return exported(parts, tmp_path_factory.mktemp("bundles") / "float")


def test_both_graphs_agree_with_keras(parts: Parts, head: Any, report: ExportReport) -> None:
    engine = OnnxEngine(load_bundle(report.bundle.folder))
    pixels = np.random.default_rng(2).random((6, 64, 64, 3), np.float32)
    views = np.random.default_rng(5).uniform(0.2, 1.2, (6, 3)).astype(np.float32)
    wanted = {key: np.asarray(value) for key, value in parts.encoder([pixels, views]).items()}
    projection, joints = engine.encode_crops(pixels, views)
    np.testing.assert_allclose(projection, wanted["projection"], atol=1e-4)
    assert np.abs(projection - engine.encode(pixels)).max() > 1e-3, "where it looks matters"
    np.testing.assert_allclose(joints, wanted["joints"], atol=1e-4)
    windows = np.random.default_rng(3).normal(0, 1, (2, 6, 32)).astype(np.float32)
    classified = {key: np.asarray(value) for key, value in head(windows).items()}
    probabilities, phase = engine.classify(windows)
    np.testing.assert_allclose(probabilities, classified["probabilities"], atol=1e-5)
    assert phase is not None
    np.testing.assert_allclose(phase, classified["phase"], atol=1e-5)


def test_a_stream_continues_its_windows(head: Any, report: ExportReport) -> None:
    """Frame by frame, the exported head says what Keras says of each whole window."""
    engine = OnnxEngine(load_bundle(report.bundle.folder))
    stream = np.random.default_rng(4).normal(0, 1, (15, 32)).astype(np.float32)
    windows = engine.streaming_head(stream[0])
    assert windows is not None
    for end in range(1, len(stream)):
        probabilities, phase = windows.push(stream[end])
        whole = stream[np.clip(np.arange(end - 5, end + 1), 0, None)][None]
        classified = {key: np.asarray(value)[0] for key, value in head(whole).items()}
        np.testing.assert_allclose(probabilities, classified["probabilities"], atol=1e-5)
        assert phase is not None
        np.testing.assert_allclose(phase, classified["phase"][-1:], atol=1e-5)


def test_a_window_that_continues_wrongly_is_a_difference(
    parts: Parts, report: ExportReport, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = OnnxEngine(load_bundle(report.bundle.folder))
    step = engine.step

    def forgetful(features: Any, states: Any) -> Any:
        return step(features, states if states is None else [np.zeros_like(state) for state in states])

    assert largest_difference(engine, parts.full, sequences()) < export.LARGEST_DIFFERENCE
    monkeypatch.setattr(engine, "step", forgetful)
    assert largest_difference(engine, parts.full, sequences()) > export.LARGEST_DIFFERENCE


def test_the_encoder_is_simplified(parts: Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says what the converted one says, in fewer nodes."""
    onnx = pytest.importorskip("onnx")
    plain, simple = tmp_path / "plain.onnx", tmp_path / "simple.onnx"
    pixels = np.random.default_rng(2).random((2, 64, 64, 3), np.float32)
    views = np.random.default_rng(5).uniform(0.2, 1.2, (2, 3)).astype(np.float32)
    with monkeypatch.context() as patch:
        patch.setattr(export, "simplify_frames", lambda model: model)
        export.to_onnx(parts.encoder, plain)
    export.to_onnx(parts.encoder, simple)
    before, after = (onnx.load(str(path)) for path in (plain, simple))
    assert len(after.graph.node) < 0.8 * len(before.graph.node)
    assert {"HardSwish", "Split"} <= set(operators(after))
    names, inputs = [value.name for value in before.graph.output], {"pixels": pixels, "views": views}
    for wanted, found in zip(
        session(before).run(names, inputs), session(after).run(names, inputs), strict=True
    ):
        np.testing.assert_allclose(found, wanted, atol=1e-5)


def test_the_bundle_holds_what_it_was_given(parts: Parts, report: ExportReport) -> None:
    folder = report.bundle.folder
    assert sorted(path.name for path in folder.iterdir()) == ["encoder.onnx", "head.onnx", "model.json"]
    assert [path.name for path in folder.parent.iterdir()] == ["float"], "nothing is left beside it"
    bundle = load_bundle(folder)
    assert (bundle.name, bundle.classes, bundle.spec) == ("tiny", parts.classes, parts.spec)
    assert (bundle.spec.aspect, bundle.encoder.views, bundle.head.views) == ("follow", "views", "")
    assert set(bundle.encoder.outputs) == {"projection", "joints"}
    assert bundle.phase_delay == 2
    assert bundle.metrics == {"accuracy": 0.5}
    assert bundle.provenance == {"name": "tiny", "int8": False}
    assert bundle.sample is not None
    assert bundle.sample.frames().shape == (6, export.SAMPLE_SIDE, export.SAMPLE_SIDE, 3)


def test_the_report_says_size_and_difference(parts: Parts, report: ExportReport) -> None:
    folder = report.bundle.folder
    assert report.bytes == sum((folder / name).stat().st_size for name in ("encoder.onnx", "head.onnx"))
    assert report.bytes > 4 * parts.full.count_params() * 0.9
    assert report.sequences == 3
    assert 0 < report.difference < export.LARGEST_DIFFERENCE
    assert f"{report.bytes:,} bytes in two graphs, float32" in report.lines()[0]
    assert f"{report.difference:.1e} on 3 sequences" in report.lines()[1]


def test_a_difference_is_found(parts: Parts, report: ExportReport) -> None:
    """Against another network, the figure is the largest difference of a probability."""
    pixels = keras.Input((6, 64, 64, 3))
    flat = keras.layers.GlobalAveragePooling3D()(pixels)
    ones = keras.layers.Dense(3, activation="softmax", kernel_initializer="zeros")(flat)
    engine = OnnxEngine(report.bundle, check=False)
    said = [engine.classify(engine.encode(s.astype(np.float32) / 255)[None])[0][0] for s in sequences()]
    worst = np.abs(np.array(said) - 1 / 3).max()
    found = largest_difference(engine, keras.Model(pixels, ones), sequences())
    assert found == pytest.approx(worst, abs=1e-5)


def test_int8_says_what_it_costs(
    parts: Parts, report: ExportReport, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A tiny model has no tensor that is large enough to be worth it.
    monkeypatch.setattr(export, "quantise_weights", partial(quantise_weights, least_values=256))
    small = exported(parts, tmp_path / "int8", int8=True)
    assert small.int8
    assert small.difference > report.difference
    assert "int8 weights" in small.lines()[0]
    assert load_bundle(tmp_path / "int8").provenance["int8"] is True
    assert OnnxEngine(load_bundle(tmp_path / "int8")).encode(np.zeros((1, 64, 64, 3), np.float32)).shape == (
        1,
        32,
    )
    names = sorted(path.name for path in (tmp_path / "int8").iterdir())
    assert names == ["encoder.onnx", "head.onnx", "model.json"]


def test_graphs_that_disagree_leave_nothing_behind(
    parts: Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "LARGEST_DIFFERENCE", -1.0)
    with pytest.raises(
        InputError, match=r"must agree to -1 on probabilities, they differ by .* nothing was written"
    ):
        exported(parts, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []
    empty = tmp_path / "empty"
    empty.mkdir()
    monkeypatch.setattr(export, "to_onnx", _broken)
    with pytest.raises(RuntimeError, match="converter"):
        exported(parts, empty)
    assert list(tmp_path.iterdir()) == [empty]
    assert list(empty.iterdir()) == []


def _broken(*_: Any, **__: Any) -> None:
    raise RuntimeError("the converter failed")


def test_a_folder_that_is_not_free_is_refused(
    parts: Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "to_onnx", _broken)  # refused before anything is converted
    (tmp_path / "notes.txt").write_text("mine")
    for out in (tmp_path, tmp_path / "notes.txt"):
        with pytest.raises(InputError, match="is not an empty folder; name another"):
            exported(parts, out)
    with pytest.raises(InputError, match="does not exist; make it first"):
        exported(parts, tmp_path / "a" / "b")
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


@pytest.mark.parametrize("overrides", [{"lstm": (6, 5)}, {"lstm": (4,)}, {"lstm": (), "temporal": "none"}])
def test_heads_of_the_papers_family(monkeypatch: pytest.MonkeyPatch, overrides: dict[str, Any]) -> None:
    monkeypatch.setattr(cnn_lstm, "build_backbone", tiny_training.tiny_backbone)
    units = overrides["lstm"]
    config = ModelConfig(**overrides, dropout=(0.4,) * len(units), dense=(4,), pooling="average")
    network = cnn_lstm.build(config, SequenceSpec(frames=5, size=32), ("squat", "biceps_curl"), None)
    head, weights = cnn_lstm.sequence_head(network), cnn_lstm.head_weights(network)
    at_work = session(head_graph(weights))
    states = [value.name for value in at_work.get_overridable_initializers()]
    assert len(states) == 2 * len(units)
    windows = np.random.default_rng(0).normal(0, 1, (3, *head.input_shape[1:])).astype(np.float32)
    found = at_work.run(["probabilities"], {"projections": windows})[0]
    np.testing.assert_allclose(found, np.asarray(head(windows)), atol=1e-5)
