from __future__ import annotations

import json
from pathlib import Path

import pytest

from exerlitenet.datasets.split import Split, split_by_group, split_by_sequence
from exerlitenet.errors import InputError
from exerlitenet.training.config import Config, load_config
from exerlitenet.training.run import Run, RunClip, RunSplit

CLIPS = tuple(
    RunClip(f"{n}.mp4", ("squat", "biceps_curl")[n % 2], f"g{n // 2}", f"{n:064x}") for n in range(12)
)
SEQUENCES = tuple((clip, start) for clip in range(12) for start in (0, 15))


def by_group() -> RunSplit:
    return RunSplit(split_by_group([c.label for c in CLIPS], [c.group for c in CLIPS]), CLIPS, SEQUENCES)


def by_sequence() -> RunSplit:
    return RunSplit(split_by_sequence([CLIPS[clip].label for clip, _ in SEQUENCES]), CLIPS, SEQUENCES)


@pytest.fixture
def config() -> Config:
    return load_config("paper")


def test_a_new_run_can_be_opened(tmp_path: Path, config: Config) -> None:
    out = tmp_path / "deep" / "run"
    made = Run.create(out, config)
    opened = Run.open(out)
    assert opened.config == config == made.config
    assert opened.facts == made.facts
    assert opened.facts["kind"] == "recurrent"
    assert not opened.finished
    assert opened.history == []
    assert sorted(path.name for path in out.iterdir()) == ["config.toml", "run.json"]


def test_an_empty_folder_will_do(tmp_path: Path, config: Config) -> None:
    assert Run.create(tmp_path, config).config == config


def test_resume_without_a_run_begins_one(tmp_path: Path, config: Config) -> None:
    assert Run.create(tmp_path / "run", config, resume=True).config == config


def test_resume_after_a_kill_during_creation_begins_anew(tmp_path: Path, config: Config) -> None:
    (tmp_path / "config.toml").write_text("name = 'half")
    (tmp_path / "tmp-run.json").write_text("{")
    assert Run.create(tmp_path, config, resume=True).config == config
    assert Run.open(tmp_path).config == config


def test_a_folder_in_use_is_refused(tmp_path: Path, config: Config) -> None:
    Run.create(tmp_path / "run", config)
    with pytest.raises(InputError, match=r"not empty.*--resume"):
        Run.create(tmp_path / "run", config)
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match="not empty"):
        Run.create(tmp_path, config)
    with pytest.raises(InputError, match="training run"):
        Run.create(tmp_path, config, resume=True)
    with pytest.raises(InputError, match="is a file"):
        Run.create(tmp_path / "notes.txt", config)
    with pytest.raises(InputError, match="no folder can be made there"):
        Run.create(tmp_path / "notes.txt" / "run", config)
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_what_is_no_run_is_refused(tmp_path: Path, config: Config) -> None:
    for folder in (tmp_path, tmp_path / "missing"):
        with pytest.raises(InputError, match="training run"):
            Run.open(folder)
    Run.create(tmp_path, config)
    for text, expected in (("{", "JSON"), ('{"format": 99}', "format"), ("[]", "format")):
        (tmp_path / "run.json").write_text(text)
        with pytest.raises(InputError, match=expected):
            Run.open(tmp_path)


def test_resume_with_another_configuration_names_the_key(tmp_path: Path, config: Config) -> None:
    Run.create(tmp_path, config)
    other = load_config("paper", ["phases.1.batch=16"])
    with pytest.raises(InputError, match=r"phases\.1\.batch was 8, got 16"):
        Run.create(tmp_path, other, resume=True)
    fewer = load_config("paper", ['classes=["squat", "biceps_curl", "none"]'])
    with pytest.raises(InputError, match="classes was"):
        Run.create(tmp_path, fewer, resume=True)


def test_resume_with_other_first_weights_is_refused(tmp_path: Path, config: Config) -> None:
    weights = tmp_path / "a.weights.h5"
    weights.write_bytes(b"weights")
    Run.create(tmp_path / "run", config, weights=weights)
    assert (
        Run.create(tmp_path / "run", config, weights=weights, resume=True)
        .facts["weights"]
        .startswith("sha256:")
    )
    with pytest.raises(InputError, match="weights"):
        Run.create(tmp_path / "run", config, weights="none", resume=True)
    with pytest.raises(InputError, match="no file"):
        Run.create(tmp_path / "other", config, weights=tmp_path / "missing.weights.h5")
    assert not (tmp_path / "other").exists()


def test_history_comes_back_as_numbers(tmp_path: Path, config: Config) -> None:
    run = Run.create(tmp_path, config)
    rows = [
        {"phase": "frozen", "epoch": 1, "loss": 0.1 + 0.2, "val_loss": 1e-7, "seconds": 2.5},
        {"phase": "frozen", "epoch": 2, "loss": 1 / 3, "val_loss": 2.0, "seconds": 3},
    ]
    run.write_history(rows)
    assert run.history == rows


@pytest.mark.parametrize("split", [by_group(), by_sequence()], ids=["group", "sequence"])
def test_the_split_comes_back(tmp_path: Path, config: Config, split: RunSplit) -> None:
    run = Run.create(tmp_path, config)
    with pytest.raises(InputError, match=r"split\.json is missing"):
        run.split  # noqa: B018
    run.keep_split(split, tmp_path)
    run.keep_split(split, tmp_path)
    assert run.split == split
    assert json.loads((tmp_path / "split.json").read_text())["statement"] == split.split.statement


def test_sequences_follow_their_clips_in_a_split_by_group() -> None:
    split = by_group()
    for part in split.split.parts:
        assert {split.sequences[i][0] for i in split.sequences_of(part)} == set(split.clips_of(part))
    everything = [i for part in split.split.parts for i in split.sequences_of(part)]
    assert sorted(everything) == list(range(len(SEQUENCES)))
    tested = {split.clips[i].group for i in split.clips_of("test")}
    assert tested
    assert not tested & set(split.train_groups)


def test_clips_cross_in_a_split_by_sequence_and_count_as_trained_on() -> None:
    split = by_sequence()
    assert set(split.clips_of("test")) & set(split.clips_of("train"))
    trained = {SEQUENCES[i][0] for i in split.sequences_of("train")}
    assert split.digests("train") == sorted(CLIPS[i].digest for i in trained)


def test_a_damaged_split_is_refused(tmp_path: Path) -> None:
    data = by_group().to_json()
    for damage in ({"clips": data["clips"][:3]}, {"clips": [{"name": "a"}]}, {"sequences": [[1]]}):
        with pytest.raises(InputError):
            RunSplit.from_json(data | damage)


def test_provenance_names_data_and_no_paths(tmp_path: Path, config: Config) -> None:
    run = Run.create(tmp_path / "run", config)
    run.keep_split(by_group(), tmp_path)
    run.write_history([{"phase": "frozen", "epoch": n, "loss": 1.0, "seconds": 1.25} for n in (1, 2)])
    facts = run.provenance()
    assert facts["dataset"] == [clip.digest for clip in CLIPS]
    assert facts["train_groups"] == by_group().train_groups
    assert facts["train_digests"] == by_group().digests("train")
    assert facts["config"] == config.to_dict()
    assert facts["seconds"] == 2.5
    assert {"python", "exerlitenet", "numpy"} <= set(facts["versions"])
    assert str(tmp_path) not in json.dumps(facts)


def test_a_split_without_sequences_serves_clip_wise_model_types() -> None:
    split = RunSplit(Split("group", 0, (0.7, 0.15, 0.15), by_group().split.parts), CLIPS)
    assert split.clips_of("train")
    assert split.sequences_of("train") == ()
    assert RunSplit.from_json(split.to_json()) == split


def test_finish_removes_what_only_training_needs(tmp_path: Path, config: Config) -> None:
    run = Run.create(tmp_path, config)
    run.checkpoint.write_bytes(b"x")
    run.cache.mkdir()
    (tmp_path / "tmp-best.weights.h5").write_bytes(b"x")
    run.write_metrics({"parts": {}}, "<html>")
    run.finish()
    assert run.finished
    assert run.metrics == {"parts": {}}
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "config.toml",
        "metrics.json",
        "report.html",
        "run.json",
    ]


def test_a_run_can_be_taken_back(tmp_path: Path, config: Config) -> None:
    Run.create(tmp_path / "run", config).discard()
    assert not (tmp_path / "run").exists()
    run = Run.create(tmp_path, config)
    (tmp_path / "notes.txt").write_text("mine")
    run.discard()
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]
