"""Reading datasets: folders, CSVs, every fault collected, duplicates, defaults."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from exerlitenet.datasets.manifest import (
    Manifest,
    ordered_classes,
    read_manifest,
)
from exerlitenet.datasets.split import check_no_leak, split_by_group
from exerlitenet.errors import InputError


def write_video(path: Path, frames: int = 10, seed: int = 0) -> Path:
    """A clip of `frames` / 10 seconds whose content depends on the seed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width = stream.height = 32
        for _ in range(frames):
            picture = av.VideoFrame.from_ndarray(rng.integers(0, 255, (32, 32, 3), np.uint8), "rgb24")
            container.mux(stream.encode(picture))
        container.mux(stream.encode())
    return path


def write_csv(folder: Path, *lines: str, header: str = "file,label") -> Path:
    path = folder / "set.csv"
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return path


def faults(manifest: Manifest) -> dict[str, str]:
    return {fault.file: fault.problem for fault in manifest.faults}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two squats, a curl and a none, as class folders."""
    for seed, name in enumerate(("squat/a.mp4", "squat/b.mp4", "biceps_curl/c.mkv", "none/d.mp4")):
        write_video(tmp_path / name, seed=seed)
    return tmp_path


def test_clips_of_one_name_do_not_share_poses(folder: Path) -> None:
    write_video(folder / "biceps_curl" / "a.mp4", seed=9)
    assert not read_manifest(folder).faults
    (folder / "poses").mkdir()
    np.save(folder / "poses" / "a.npy", np.zeros((8, 33, 7), np.float16))
    np.save(folder / "poses" / "b.npy", np.zeros((8, 33, 7), np.float16))
    manifest = read_manifest(folder)
    assert set(faults(manifest)) == {"squat/a.mp4", "biceps_curl/a.mp4"}
    assert "poses/a.npy" in faults(manifest)["squat/a.mp4"]
    assert [clip.name for clip in manifest.clips if clip.poses] == ["squat/b.mp4"]


def test_class_folders(folder: Path) -> None:
    manifest = read_manifest(folder)
    assert [(c.name, c.label, c.group) for c in manifest.clips] == [
        ("biceps_curl/c.mkv", "biceps_curl", "biceps_curl/c.mkv"),
        ("none/d.mp4", "none", "none/d.mp4"),
        ("squat/a.mp4", "squat", "squat/a.mp4"),
        ("squat/b.mp4", "squat", "squat/b.mp4"),
    ]
    assert manifest.classes == ("squat", "biceps_curl", "none")
    assert manifest.faults == ()
    assert all(c.path.is_file() and len(c.digest) == 64 for c in manifest.clips)
    assert [c.seconds for c in manifest.clips] == pytest.approx([1.0] * 4, abs=0.11)


def test_class_folders_hold_folders_of_images_and_of_groups(folder: Path) -> None:
    pictures = folder / "Squat" / "pictures"
    pictures.mkdir(parents=True)
    for k in range(8):
        Image.new("RGB", (16, 16), (k, 0, 0)).save(pictures / f"{k}.png")
    write_video(folder / "biceps_curl" / "anna" / "one.mp4", seed=7)
    write_video(folder / "biceps_curl" / "anna" / "two.mp4", seed=8)
    manifest = read_manifest(folder)
    found = {c.name: c for c in manifest.clips}
    assert found["Squat/pictures"].label == "squat"
    assert found["Squat/pictures"].seconds == pytest.approx(8 / 7.5)
    assert {found[f"biceps_curl/anna/{k}.mp4"].group for k in ("one", "two")} == {"anna"}


def test_every_fault_of_a_folder_is_reported(folder: Path) -> None:
    (folder / "squat" / "notes.txt").write_text("x")
    (folder / "squat" / "broken.mp4").write_bytes(b"not a video at all")
    (folder / "squat" / "void.mp4").touch()
    (folder / "squat" / ".hidden").touch()
    (folder / "squat" / "lost").mkdir()
    (folder / "lunge").mkdir()
    write_video(folder / "squat" / "short.mp4", frames=2, seed=5)
    write_video(folder / "loose.mp4", seed=6)
    Image.new("RGB", (8, 8)).save(folder / "none" / "still.png")
    shutil.copy(folder / "squat" / "a.mp4", folder / "squat" / "copy.mp4")
    manifest = read_manifest(folder)
    found = faults(manifest)
    assert set(found) == {
        *("squat/notes.txt", "squat/broken.mp4", "squat/void.mp4", "squat/lost/", "squat/short.mp4"),
        *("lunge/", "loose.mp4", "none/", "squat/copy.mp4"),
    }
    assert "not a video" in found["squat/notes.txt"]
    assert "not a video" in found["squat/broken.mp4"]
    assert str(folder) not in found["squat/broken.mp4"]
    assert "empty file" in found["squat/void.mp4"]
    assert "too short: 0.20 s, at least 0.5 s" in found["squat/short.mp4"]
    assert "no video" in found["lunge/"]
    assert "no label" in found["loose.mp4"]
    assert "1 loose images" in found["none/"]
    assert "same content as squat/a.mp4" in found["squat/copy.mp4"]
    assert len(manifest.clips) == 4


def test_a_csv_with_all_columns(tmp_path: Path) -> None:
    write_video(tmp_path / "clips" / "a.mp4")
    (tmp_path / "poses").mkdir()
    np.save(tmp_path / "poses" / "a.npy", np.zeros((8, 33, 7), np.float16))
    table = write_csv(
        tmp_path,
        "clips/a.mp4,squat,g1,p1,squat,front,3,0.2;0.5;0.8,1.0,ignored",
        header="file,label,group,person,activity,view,repetitions,extremes_s,seconds,licence",
    )
    (clip,) = read_manifest(table).clips
    assert (clip.label, clip.group, clip.person, clip.activity, clip.view) == (
        "squat",
        "g1",
        "p1",
        "squat",
        "front",
    )
    assert (clip.repetitions, clip.extremes_s) == (3, (0.2, 0.5, 0.8))
    assert clip.poses == tmp_path / "poses" / "a.npy"
    assert clip.path == tmp_path / "clips" / "a.mp4"


def test_a_folder_with_a_manifest_is_read_by_it(folder: Path) -> None:
    write_csv(folder, "squat/a.mp4,squat").rename(folder / "manifest.csv")
    assert [c.name for c in read_manifest(folder).clips] == ["squat/a.mp4"]


def test_the_group_is_the_column_else_the_person_else_the_file(folder: Path) -> None:
    rows = ("squat/a.mp4,squat,g1,p1", "squat/b.mp4,squat,,p2", "none/d.mp4,none,,")
    manifest = read_manifest(write_csv(folder, *rows, header="file,label,group,person"))
    assert [c.group for c in manifest.clips] == ["g1", "p2", "none/d.mp4"]


def test_every_fault_of_a_csv_is_reported(folder: Path) -> None:
    table = write_csv(
        folder,
        "squat/a.mp4,squat,,,",
        "squat/b.mp4,,,,",
        "squat/missing.mp4,squat,,,",
        "../outside.mp4,squat,,,",
        "none/d.mp4,none,many,,",
        "biceps_curl/c.mkv,biceps_curl,,1;x,",
        ",squat,,,",
        "squat/e.mp4,squat,,,-3",
        "squat/f.mp4,squat,2.5,,",
        header="file,label,repetitions,extremes_s,seconds",
    )
    manifest = read_manifest(table)
    found = faults(manifest)
    assert [c.name for c in manifest.clips] == ["squat/a.mp4"]
    assert len(found) == 8
    assert "label is empty" in found["squat/b.mp4"]
    assert "missing" in found["squat/missing.mp4"]
    assert "outside" in found["../outside.mp4"]
    assert found["none/d.mp4"] == "repetitions must be a number of at least 0, got 'many'"
    assert found["biceps_curl/c.mkv"] == "extremes_s must be a number of at least 0, got 'x'"
    assert "file is empty" in found["line 8"]
    assert "'-3'" in found["squat/e.mp4"]
    assert "whole number, got 2.5" in found["squat/f.mp4"]


def test_paths_are_relative_to_the_csv_and_stay_beside_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_csv(folder / "squat", "a.mp4,squat", "../none/d.mp4,none", f"{folder}/squat/b.mp4,squat")
    monkeypatch.chdir(folder / "squat")
    manifest = read_manifest(Path("set.csv"))
    assert [c.name for c in manifest.clips] == ["a.mp4", f"{folder}/squat/b.mp4"]
    assert list(faults(manifest)) == ["../none/d.mp4"]


def test_copies_with_different_labels_are_both_left_out(folder: Path) -> None:
    shutil.copy(folder / "squat" / "a.mp4", folder / "none" / "a.mp4")
    found = faults(read_manifest(folder))
    assert found["squat/a.mp4"] == "same content as none/a.mp4, which is labelled 'none'"
    assert found["none/a.mp4"] == "same content as squat/a.mp4, which is labelled 'squat'"


def test_asking_for_classes_leaves_the_others_out_and_counts_them(folder: Path) -> None:
    manifest = read_manifest(folder, classes=["biceps_curl", "squat"])
    assert manifest.classes == ("biceps_curl", "squat")
    assert {c.label for c in manifest.clips} == {"biceps_curl", "squat"}
    assert manifest.left_out == {"none": 1}


def test_a_label_spelled_nearly_like_a_class_is_a_fault_when_classes_are_given(folder: Path) -> None:
    (folder / "biceps_curl").rename(folder / "bicep_curls")
    assert read_manifest(folder).classes == ("squat", "none", "bicep_curls")
    found = faults(read_manifest(folder, classes=["squat", "biceps_curl"]))
    assert found == {"bicep_curls/c.mkv": "unknown label 'bicep_curls'; is 'biceps_curl' meant?"}


def test_case_spaces_and_hyphens_of_a_label_do_not_matter(folder: Path) -> None:
    (folder / "biceps_curl").rename(folder / "Biceps-Curl")
    assert "biceps_curl" in read_manifest(folder).classes
    table = write_csv(folder, "squat/a.mp4,Jumping jack")
    assert read_manifest(table, classes=["jumping_jack"]).clips[0].label == "jumping_jack"


def test_without_checking_the_seconds_of_the_csv_are_trusted(folder: Path) -> None:
    rows = ("squat/a.mp4,squat,12.5", "squat/b.mp4,squat,0.2", "none/d.mp4,none,")
    manifest = read_manifest(write_csv(folder, *rows, header="file,label,seconds"), check=False)
    assert [c.seconds for c in manifest.clips] == [12.5, 0.0]
    assert "too short" in faults(manifest)["squat/b.mp4"]


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_other_delimiters_and_a_byte_order_mark(folder: Path, delimiter: str) -> None:
    lines = [delimiter.join(row) for row in (("File", " LABEL "), ("squat/a.mp4", "squat"))]
    (folder / "set.csv").write_text("\n".join(lines), encoding="utf-8-sig")
    assert read_manifest(folder / "set.csv").clips[0].label == "squat"


def test_rows_too_long_or_too_short_do_no_harm(folder: Path) -> None:
    manifest = read_manifest(write_csv(folder, "squat/a.mp4,squat,x,y,z", "squat/b.mp4"))
    assert [c.name for c in manifest.clips] == ["squat/a.mp4"]
    assert faults(manifest) == {"squat/b.mp4": "the label is empty"}


def test_what_is_no_dataset_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        read_manifest(tmp_path / "nowhere")
    with pytest.raises(InputError, match="no usable clip"):
        read_manifest(tmp_path)
    empty = tmp_path / "empty.csv"
    empty.touch()
    with pytest.raises(InputError, match="columns file and label, got nothing"):
        read_manifest(empty)
    with pytest.raises(InputError, match="got name, class"):
        read_manifest(write_csv(tmp_path, "a,b", header="name,class"))
    with pytest.raises(
        InputError, match=r"no usable clip; the first of 1 faults: a\.mp4: the file is missing"
    ):
        read_manifest(write_csv(tmp_path, "a.mp4,squat"))
    (tmp_path / "video.mp4").write_bytes(b"\x00\xff\xfe\x80")
    with pytest.raises(InputError, match="CSV in UTF-8"):
        read_manifest(tmp_path / "video.mp4")


def test_progress_counts_to_the_end(folder: Path) -> None:
    seen: list[tuple[int, int]] = []
    read_manifest(folder, on_progress=lambda done, total: seen.append((done, total)))
    assert seen == [(k, 4) for k in range(5)]


def test_classes_are_in_their_fixed_order() -> None:
    assert ordered_classes(["none", "zumba", "lunge", "squat"]) == ("squat", "none", "lunge", "zumba")


def test_facts_are_classes_groups_and_faults(folder: Path) -> None:
    (folder / "squat" / "broken.mp4").write_bytes(b"x")
    manifest = read_manifest(folder)
    facts = json.loads(json.dumps(manifest.to_json()))
    assert facts["clips"] == 4
    assert facts["classes"]["squat"]["clips"] == 2
    assert facts["largest_groups"][0]["share"] == 0.25
    assert facts["faults"][0]["file"] == "squat/broken.mp4"


def test_a_person_in_two_groups_is_named(folder: Path) -> None:
    rows = ("squat/a.mp4,squat,g1,p1", "squat/b.mp4,squat,g2,p1")
    manifest = read_manifest(write_csv(folder, *rows, header="file,label,group,person"))
    assert manifest.to_json()["people_in_several_groups"] == ["p1"]


def test_the_real_clips_have_no_fault_and_split_evenly_by_group() -> None:
    clips = os.environ.get("EXERLITENET_CLIPS")
    if not clips:
        pytest.skip("EXERLITENET_CLIPS names no folder of real clips")
    manifest = read_manifest(Path(clips), check=False)
    assert manifest.faults == ()
    assert manifest.classes == ("squat", "biceps_curl", "none")
    labels = [clip.label for clip in manifest.clips]
    split = split_by_group(labels, [clip.group for clip in manifest.clips])
    check_no_leak(split, [clip.group for clip in manifest.clips], [clip.digest for clip in manifest.clips])
    for part, wanted in zip(("train", "validation", "test"), (0.7, 0.15, 0.15), strict=True):
        for name in manifest.classes:
            assert split.counts(labels)[part][name] / labels.count(name) == pytest.approx(wanted, abs=0.03)
