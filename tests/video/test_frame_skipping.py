"""Pictures that nobody will look at are not decoded, and nothing else changes."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

import clips
from exerlitenet.video import frame_skipping
from exerlitenet.video.container import ContainerTrack
from exerlitenet.video.source import open_video

B_FRAMES = {"preset": "veryfast", "crf": "20", "bf": "3"}
# Reference frames between those that are not, and none of either.
PYRAMID = B_FRAMES | {"x264-params": "b-pyramid=normal:b-adapt=0"}
PLAIN = {"preset": "ultrafast", "crf": "20", "bf": "0"}

Facts = tuple[list[float], list[bytes], float | None, str | None]


def moving(count: int, size: tuple[int, int] = (64, 48)) -> list[clips.Rgb]:
    """A spot that goes from side to side, which B-frames predict well."""
    places = 0.4 * np.sin(np.arange(count) / 5)
    return [clips.spot(float(x), 0, size[1], size[0], 0.3) for x in places]


def facts(path: Path, rate: float | None, limit_s: float | None = None, prefetch: int = 0) -> Facts:
    with open_video(path, rate=rate, limit_s=limit_s, prefetch=prefetch) as video:
        frames = list(video)
    return [f.time_s for f in frames], [f.rgb.tobytes() for f in frames], video.duration_s, video.fault


def whole(path: Path, rate: float | None, limit_s: float | None = None) -> Facts:
    """The same with every picture decoded."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ContainerTrack, "skip_unused", lambda *_: None)
        return facts(path, rate, limit_s)


@pytest.fixture
def marked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Stamps of the packets whose pictures may be left out."""
    found: list[int] = []
    skips = frame_skipping.FrameSkipper.skips

    def noting(self: frame_skipping.FrameSkipper, packet: av.Packet[av.VideoStream]) -> bool:
        answer = skips(self, packet)
        if answer and packet.pts is not None:
            found.append(packet.pts)
        return answer

    monkeypatch.setattr(frame_skipping.FrameSkipper, "skips", noting)
    return found


@pytest.mark.parametrize("options", [B_FRAMES, PYRAMID, PLAIN], ids=["b", "pyramid", "plain"])
@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".ts"])
@pytest.mark.parametrize("fps", [30, 24, 10])
def test_nothing_changes(
    tmp_path: Path, suffix: str, options: dict[str, str], fps: float, marked: list[int]
) -> None:
    path = clips.write_clip(tmp_path / f"clip{suffix}", moving(75), fps, options=options, gop=40)
    for rate in (7.5, 3.0, 12.5, 30.0):
        for limit_s in (None, 0.9):
            wanted = whole(path, rate, limit_s)
            assert facts(path, rate, limit_s) == facts(path, rate, limit_s, prefetch=4) == wanted
            assert len(wanted[0]) > 1
    assert wanted[3] is None
    assert marked


def test_fewer_pictures_are_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = clips.write_clip(tmp_path / "clip.mp4", moving(90), 30, options=B_FRAMES, gop=45)
    given: list[object] = []
    spared = frame_skipping.FrameSkipper.before

    def noting(self: frame_skipping.FrameSkipper, pts: int | None) -> list[tuple[int, int]]:
        out = spared(self, pts)
        given.extend(out)
        return out

    monkeypatch.setattr(frame_skipping.FrameSkipper, "before", noting)
    with open_video(path, rate=7.5) as video:
        assert len(list(video)) == 23
    assert len(given) > 20
    given.clear()
    with open_video(path) as video:
        assert len(list(video)) == 90
    assert given == [], "whoever wants every picture gets it"


def test_variable_frame_rate_and_a_clock_that_restarts(tmp_path: Path, marked: list[int]) -> None:
    rng = np.random.default_rng(0)
    times = np.cumsum(rng.uniform(0.01, 0.09, 80)).tolist()
    uneven = clips.write_clip(tmp_path / "vfr.mkv", moving(80), 30, times_s=times, options=B_FRAMES)
    parts = [clips.write_clip(tmp_path / f"{k}.ts", moving(75), 25, options=B_FRAMES) for k in range(2)]
    joined = tmp_path / "joined.ts"
    joined.write_bytes(b"".join(part.read_bytes() for part in parts))
    for path in (uneven, joined):
        for rate in (7.5, 4.0):
            assert facts(path, rate) == whole(path, rate)
    assert marked


def test_other_codecs_are_decoded_whole(tmp_path: Path, marked: list[int]) -> None:
    for suffix, codec in ((".webm", "libvpx-vp9"), (".avi", "mpeg4")):
        path = clips.write_clip(tmp_path / f"clip{suffix}", moving(40), 30, codec=codec)
        assert facts(path, 7.5) == whole(path, 7.5)
    assert marked == []


@pytest.mark.parametrize("suffix", [".mp4", ".ts"])
def test_after_damage_everything_is_decoded(tmp_path: Path, suffix: str, marked: list[int]) -> None:
    path = clips.write_clip(tmp_path / f"bad{suffix}", clips.noise(90), 30, options=B_FRAMES)
    clips.garble(path, 0.45, 0.55)
    wanted = whole(path, 7.5)
    assert wanted[3] is not None
    marked.clear()
    found = facts(path, 7.5)
    assert found[3] is not None
    assert (found[0][-1], found[2]) == (wanted[0][-1], wanted[2])
    assert len(marked) < 50
