"""Decoding what browsers send, and what they should not."""

from __future__ import annotations

import io
import struct
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from exerlitenet.app.limits import Limits
from exerlitenet.app.pictures import brightness, decode_jpeg
from exerlitenet.app.protocol import ProtocolError
from live_server import jpeg_of

LIMITS = Limits()
PICTURE = jpeg_of(np.full((48, 64, 3), (200, 100, 50), np.uint8))


def resized_in_header(width: int, height: int) -> bytes:
    """A JPEG whose header claims another size."""
    place = PICTURE.index(b"\xff\xc0") + 5
    return PICTURE[:place] + struct.pack(">HH", height, width) + PICTURE[place + 4 :]


def test_a_picture_comes_back() -> None:
    rgb = decode_jpeg(PICTURE, LIMITS)
    assert (rgb.shape, rgb.dtype) == ((48, 64, 3), np.uint8)
    assert np.abs(rgb.astype(int) - (200, 100, 50)).max() <= 3


def test_grey_becomes_rgb() -> None:
    buffer = io.BytesIO()
    Image.new("L", (32, 32), 90).save(buffer, "JPEG")
    assert decode_jpeg(buffer.getvalue(), LIMITS).shape == (32, 32, 3)


@pytest.mark.parametrize(
    ("jpeg", "code", "words"),
    [
        (PICTURE[: len(PICTURE) // 2], 1007, "could not be decoded"),
        (b"\xff\xd8\xff", 1007, "could not be decoded"),
        (resized_in_header(4000, 4000), 1009, "4000x4000"),
        (resized_in_header(65500, 65500), 1009, "pixels"),
        (resized_in_header(10_000, 10_000), 1009, "pixels"),
        (jpeg_of(np.zeros((8, 64, 3), np.uint8)), 1007, "16 pixels"),
    ],
)
def test_what_is_refused(jpeg: bytes, code: int, words: str) -> None:
    with pytest.raises(ProtocolError, match=words) as caught:
        decode_jpeg(jpeg, LIMITS)
    assert caught.value.code == code


@settings(max_examples=150)
@given(st.lists(st.tuples(st.integers(3, len(PICTURE) - 1), st.integers(0, 255)), min_size=1, max_size=12))
def test_garbled_pictures_are_pictures_or_reasons(changes: list[tuple[int, int]]) -> None:
    data = bytearray(PICTURE)
    for place, value in changes:
        data[place] = value
    with suppress(ProtocolError):
        rgb = decode_jpeg(bytes(data), LIMITS)
        assert rgb.ndim == 3
        assert rgb.shape[2] == 3
        assert rgb.shape[0] * rgb.shape[1] <= LIMITS.frame_pixels


def test_brightness_is_that_of_the_eye() -> None:
    assert brightness(np.zeros((40, 40, 3), np.uint8)) == 0
    assert brightness(np.full((40, 40, 3), 255, np.uint8)) == pytest.approx(1)
    green, blue = np.zeros((2, 40, 40, 3), np.uint8)
    green[..., 1] = blue[..., 2] = 255
    assert brightness(green) > brightness(blue)
