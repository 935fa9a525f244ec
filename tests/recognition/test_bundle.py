"""Models on disk: what is written is read again, and what is damaged or foreign is refused in one line."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bundles import CLASSES, FOLLOW_SPEC, SPEC, write_bundle
from exerlitenet.errors import InputError
from exerlitenet.recognition.bundle import CARD, Sample, load_bundle
from exerlitenet.recognition.onnx_engine import OnnxEngine


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_bundle(tmp_path / "model", provenance={"seed": 3})


def change_card(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    card = json.loads((folder / CARD).read_text())
    change(card)
    (folder / CARD).write_text(json.dumps(card))


def test_what_is_saved_is_loaded(folder: Path) -> None:
    bundle = load_bundle(folder)
    assert (bundle.name, bundle.classes, bundle.spec, bundle.phase_delay) == ("tiny", CLASSES, SPEC, 2)
    assert bundle.provenance == {"seed": 3}
    assert bundle.metrics == {"validation": {"accuracy": 1.0}}
    assert bundle.counting_thresholds.smooth_s == 0.05
    assert bundle.head.outputs == {"probabilities": "probabilities", "phase": "phase"}
    assert bundle.sample is not None
    assert bundle.sample.frames().shape == (15, 8, 8, 3)
    bundle.save()
    assert load_bundle(folder) == bundle
    assert not list(folder.glob("*.tmp"))


def test_a_model_that_follows_names_the_input_for_views(tmp_path: Path) -> None:
    folder = write_bundle(tmp_path / "model", spec=FOLLOW_SPEC)
    bundle = load_bundle(folder)
    assert bundle.spec.aspect == "follow"
    assert (bundle.encoder.input, bundle.encoder.views, bundle.head.views) == ("pixels", "views", "")
    assert bundle.encoder.outputs == {"projection": "features", "joints": "joints"}
    bundle.save()
    assert load_bundle(folder) == bundle


def test_frames_from_which_on_a_window_is_classified_are_kept(tmp_path: Path) -> None:
    folder = write_bundle(tmp_path / "model", spec=replace(SPEC, least_frames=5))
    assert load_bundle(folder).spec.first_window == 5
    change_card(folder, lambda card: card["sequence"].update(least_frames=16))
    with pytest.raises(InputError, match="least_frames must be from 0 to frames, 15, got least_frames=16"):
        load_bundle(folder)


def test_a_card_of_before_there_were_views_is_read(folder: Path) -> None:
    wanted = load_bundle(folder)
    change_card(folder, lambda card: [card[graph].pop("views") for graph in ("encoder", "head")])
    change_card(folder, lambda card: card["sequence"].pop("least_frames"))
    assert load_bundle(folder) == wanted


@pytest.mark.parametrize(
    ("follows", "change"),
    [
        (True, lambda card: card["sequence"].update(aspect="squash")),
        (True, lambda card: card["encoder"].update(views="")),
        (True, lambda card: card["encoder"].pop("views")),
        (True, lambda card: card["encoder"]["outputs"].pop("joints")),
        (False, lambda card: card["sequence"].update(aspect="follow")),
        (False, lambda card: card["encoder"].update(views="views")),
    ],
)
def test_aspect_and_views_must_agree(
    tmp_path: Path, follows: bool, change: Callable[[dict[str, Any]], object]
) -> None:
    folder = write_bundle(tmp_path / "model", spec=FOLLOW_SPEC if follows else SPEC)
    change_card(folder, change)
    with pytest.raises(
        InputError, match=r"incomplete or changed by hand .*a model that follows, and no other"
    ):
        load_bundle(folder)


def test_a_copied_folder_is_the_same_model(folder: Path, tmp_path: Path) -> None:
    copy = tmp_path / "elsewhere"
    copy.mkdir()
    for path in folder.iterdir():
        (copy / path.name).write_bytes(path.read_bytes())
    assert load_bundle(copy).encoder == load_bundle(folder).encoder


def test_a_stored_sample_is_the_pictures_that_were_given() -> None:
    frames = np.random.default_rng(1).integers(0, 256, (4, 6, 6, 3), dtype=np.uint8)
    sample = Sample.of(frames, np.array([0.25, 0.75], np.float32))
    np.testing.assert_array_equal(sample.frames(), frames)
    assert sample.probabilities == (0.25, 0.75)


def test_a_folder_without_a_card_is_no_model(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "missing"):
        with pytest.raises(InputError, match=rf"{re.escape(str(folder))} has no model\.json"):
            load_bundle(folder)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "damaged or not a model card"),
        ('{"format": "exerlitenet-bun', "damaged or not a model card"),
        ("[1, 2]", "not an ExerLiteNet model"),
        ('{"format": "keras"}', "not an ExerLiteNet model"),
        ('{"format": "exerlitenet-bundle", "version": 99}', "bundle version 99, this program reads 1"),
        ('{"format": "exerlitenet-bundle", "version": 1}', "incomplete or changed by hand"),
        ("\udcff", "damaged or not a model card"),
    ],
)
def test_a_foreign_or_cut_card(folder: Path, text: str, message: str) -> None:
    (folder / CARD).write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(InputError, match=message):
        load_bundle(folder)


@pytest.mark.parametrize(
    "change",
    [
        lambda card: card.pop("classes"),
        lambda card: card.update(sequence=3),
        lambda card: card["sequence"].update(rate="fast"),
        lambda card: card["sequence"].pop("frames"),
        lambda card: card["encoder"].pop("sha256"),
        lambda card: card["head"].update(outputs=None),
        lambda card: card["encoder"].update(file="../encoder.onnx"),
        lambda card: card["sample"].update(strip_png="no base64!"),
        lambda card: card["sample"].update(probabilities=None),
        lambda card: card["sample"].update(count=0),
        lambda card: card["sample"].update(count=7),
        lambda card: card.pop("thresholds"),
        lambda card: card.update(classes=[]),
        lambda card: card.update(classes=["squat", "squat", "none"]),
        lambda card: card.update(phase_delay=-1),
        lambda card: card.update(phase_delay=99),
        lambda card: card["sequence"].update(frames=float("inf")),
    ],
)
def test_a_card_with_a_fault_names_the_card(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    change_card(folder, change)
    with pytest.raises(InputError, match=r"model\.json is incomplete or changed by hand"):
        load_bundle(folder)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda card: card["sequence"].update(rate=-1), "rate must be from 0.1 to 240"),
        (lambda card: card["thresholds"]["segments"].update(enter=2), "leave <= enter <= 1"),
        (lambda card: card["thresholds"]["counting"].update(height=2), "unknown threshold 'height'"),
    ],
)
def test_values_that_make_no_sense(
    folder: Path, change: Callable[[dict[str, Any]], object], message: str
) -> None:
    change_card(folder, change)
    with pytest.raises(InputError, match=message):
        load_bundle(folder)


@pytest.mark.parametrize("file", ["encoder.onnx", "head.onnx"])
def test_graphs_that_are_missing_cut_or_changed(folder: Path, file: str) -> None:
    path = folder / file
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match=rf"{file} is not the file that model\.json was made with"):
        load_bundle(folder)
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(InputError, match="sha256 differs"):
        load_bundle(folder)
    path.unlink()
    with pytest.raises(InputError, match=f"lacks {file}"):
        load_bundle(folder)


def test_graphs_exchanged_with_another_models(folder: Path, tmp_path: Path) -> None:
    other = write_bundle(tmp_path / "other", phase=False)
    (folder / "head.onnx").write_bytes((other / "head.onnx").read_bytes())
    with pytest.raises(InputError, match="sha256 differs"):
        load_bundle(folder)


def test_a_sample_that_is_no_picture_is_found_when_the_model_starts(folder: Path) -> None:
    change_card(folder, lambda card: card["sample"].update(strip_png=base64.b64encode(b"no png").decode()))
    with pytest.raises(InputError, match=r"stored sample of the model .* is damaged"):
        OnnxEngine(load_bundle(folder))


def test_a_sample_that_is_cut_off_is_found_when_the_model_starts(folder: Path) -> None:
    strip = load_bundle(folder).sample.strip  # type: ignore[union-attr]
    change_card(
        folder,
        lambda card: card["sample"].update(strip_png=base64.b64encode(strip[: len(strip) // 2]).decode()),
    )
    with pytest.raises(InputError, match=r"stored sample of the model .* is damaged"):
        OnnxEngine(load_bundle(folder))
