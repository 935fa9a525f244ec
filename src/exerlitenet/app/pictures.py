"""Pictures that a browser sends: checked, decoded, and measured for light."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from exerlitenet.app.limits import Limits
from exerlitenet.app.protocol import BAD_DATA, TOO_BIG, ProtocolError

SMALLEST_SIDE = 16


def decode_jpeg(jpeg: bytes, limits: Limits) -> NDArray[np.uint8]:
    """uint8 RGB [height, width, 3]. Raises ProtocolError for what is no JPEG, cut off, or of too many pixels."""
    try:
        # Only the header is read here.
        with Image.open(io.BytesIO(jpeg), formats=("JPEG",)) as image:
            width, height = image.size
            if width * height > limits.frame_pixels:
                raise ProtocolError(
                    TOO_BIG, f"a frame may have {limits.frame_pixels} pixels, this one is {width}x{height}"
                )
            if min(width, height) < SMALLEST_SIDE:
                raise ProtocolError(
                    BAD_DATA, f"a frame needs {SMALLEST_SIDE} pixels a side, got {width}x{height}"
                )
            return np.asarray(image.convert("RGB"))
    except ProtocolError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ProtocolError(
            TOO_BIG, f"a frame may have {limits.frame_pixels} pixels, this has far more"
        ) from error
    except Exception as error:
        # Whatever else hostile bytes make a decoder raise ends the connection that they came by.
        raise ProtocolError(BAD_DATA, f"a frame could not be decoded: {error}") from error


def brightness(rgb: NDArray[np.uint8]) -> float:
    """Mean luma of a picture, 0 (black) to 1, from every eighth pixel a side; rgb: uint8 [height, width, 3]."""
    red, green, blue = (float(c) for c in rgb[::8, ::8].mean(axis=(0, 1)))
    return (0.299 * red + 0.587 * green + 0.114 * blue) / 255
