"""What a study is given, and the configurations that it takes its networks from."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from exerlitenet.datasets.clips import Clip
from exerlitenet.datasets.manifest import Manifest
from exerlitenet.errors import InputError
from exerlitenet.reproduction.plan import QUICK_CLIPS, fingerprint, make_plan, quick_part
from exerlitenet.reproduction.systems import LEARNERS, SYSTEMS, system
from exerlitenet.reproduction.units import units_of
from exerlitenet.training.config import load_config


@pytest.mark.parametrize("name", ["resnet50", "vgg16", "single_frame"])
def test_the_systems_differ_in_the_network_alone(name: str) -> None:
    paper, other = load_config("paper"), load_config(name)
    assert replace(other, name="paper", model=paper.model, phases=paper.phases) == paper
    assert other.phases == paper.phases[:1]


def test_the_networks_are_those_of_the_paper() -> None:
    models = {learner.name: learner.configuration().model for learner in LEARNERS}
    resnet, vgg, single = models["resnet50"], models["vgg16"], models["single_frame"]
    assert (resnet.backbone, resnet.pooling, resnet.temporal, resnet.dense) == (
        *("ResNet50", "average", "none"),
        (128, 64),
    )
    assert replace(vgg, backbone="MobileNetV3Small") == models["paper"] == models["shuffled"]
    assert (
        replace(single, temporal="lstm", lstm=(128, 128), dropout=(0.4, 0.3), dense=(64,)) == models["paper"]
    )
    assert [learner.name for learner in LEARNERS if learner.order == "shuffled"] == ["shuffled"]


def test_frozen_and_proposed_are_trained_once() -> None:
    both = (system("frozen"), system("proposed"))
    assert make_plan(['systems=["frozen", "proposed"]']).learners == (both[0].learner,)
    assert [s.phase for s in both] == [0, 1]
    phases = both[0].learner.configuration().phases
    assert [phases[s.phase].trainable for s in both] == ["none", "last:20"]


def test_the_usual_plan() -> None:
    plan = make_plan()
    assert plan.systems == SYSTEMS
    assert plan.seeds == (0, 1, 2)
    assert plan.splits == ("sequence", "group")
    units = units_of(plan, plan.learners)
    assert len(units) == len({unit.name for unit in units}) == 5 * 2 * 3
    config = units[-1].config(plan)
    assert (config.seed, config.split.seed, config.split.protocol) == (2, 2, "group")
    assert config.split.fractions == (0.7, 0.15, 0.15)
    assert {plan.weights_of(learner) for learner in plan.learners} == {"imagenet"}


def test_settings_reach_the_configurations_they_fit(tmp_path: Path) -> None:
    file = tmp_path / "w.weights.h5"
    file.touch()
    plan = make_plan(
        [
            "seeds=[4]",
            'splits=["group"]',
            'systems=["vgg16", "frozen"]',
            "phases.1.epochs=3",
            "augment.copies=0",
        ],
        [f"VGG16={file}"],
    )
    assert [s.name for s in plan.systems] == ["vgg16", "frozen"]
    paper, vgg = (plan.config(learner) for learner in plan.learners)
    assert [phase.epochs for phase in paper.phases] == [50, 3]
    assert [phase.epochs for phase in vgg.phases] == [50]
    assert paper.augment.copies == vgg.augment.copies == 0
    assert [plan.weights_of(learner) for learner in plan.learners] == ["imagenet", str(file)]


@pytest.mark.parametrize(
    ("settings", "weights", "expected"),
    [
        (["seed=3"], [], "the study sets this itself"),
        (["split.protocol=group"], [], "the study sets this itself"),
        (["model.lstm=[3]"], [], "the study sets this itself"),
        (["seeds=3"], [], "takes a list"),
        (["seeds=[]"], [], "not empty"),
        (["seeds=[-1]"], [], "whole numbers from 0"),
        (["splits=[random]"], [], "takes a list such as"),
        (['splits=["random"]'], [], '"sequence", "group"'),
        (['systems=["lstm"]'], [], "the study's systems are"),
        (["augment.copy=1"], [], "unknown key augment.copy"),
        (["nonsense"], [], "key=value"),
        (["split.fractions=[0.8,0.2,0]"], [], "evaluated on the test part"),
        ([], ["VGG19=imagenet"], "backbone of MobileNetV3Small"),
        ([], ["VGG16"], "BACKBONE="),
        ([], ["VGG16=/no/such.weights.h5"], "found no file"),
    ],
)
def test_what_cannot_be_planned_is_said(settings: list[str], weights: list[str], expected: str) -> None:
    with pytest.raises(InputError, match=expected) as caught:
        make_plan(settings, weights)
    assert "\n" not in str(caught.value)


def manifest(groups: int = 5, each: int = 6) -> Manifest:
    clips = [
        Clip(Path(f"{g}-{k}.mp4"), ("squat", "biceps_curl")[k % 2], f"g{g}", digest=f"{g}-{k}")
        for g in range(groups)
        for k in range(each)
    ]
    return Manifest(Path(), tuple(clips), (), ("squat", "biceps_curl"))


def test_a_quick_study_takes_few_clips_of_many_groups() -> None:
    whole = manifest()
    part = quick_part(whole)
    for name in part.classes:
        mine = [clip for clip in part.clips if clip.label == name]
        assert len(mine) == QUICK_CLIPS
        assert {clip.group for clip in mine} == {f"g{g}" for g in range(5)}
    assert set(part.clips) < set(whole.clips)
    assert quick_part(part) == part
    small = manifest(groups=3, each=2)
    assert quick_part(small) == small


def test_the_fingerprint_knows_clips_labels_and_groups() -> None:
    whole = manifest()
    first = whole.clips[0]
    for change in ({"digest": "x"}, {"label": "biceps_curl"}, {"group": "x"}, {"extremes_s": (1.0,)}):
        other = replace(whole, clips=(replace(first, **change), *whole.clips[1:]))  # type: ignore[arg-type]
        assert fingerprint(other) != fingerprint(whole)
    moved = replace(whole, root=Path("elsewhere"))
    assert fingerprint(moved) == fingerprint(whole)
