"""The frame network in ONNX Runtime: looking at a clip frame after frame is several times faster there."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from exerlitenet.export.export import to_onnx

if TYPE_CHECKING:
    import keras


class PostureGraph:
    """A trained frame network (see `build_posture`) as a graph; several threads may use it at once."""

    def __init__(self, network: keras.Model) -> None:
        import onnxruntime

        self.size = int(network.input.shape[1])
        with TemporaryDirectory() as folder:
            path = Path(folder) / "posture.onnx"
            to_onnx(network, path)
            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads = 1
            options.log_severity_level = 3
            self._session: Any = onnxruntime.InferenceSession(
                path.read_bytes(), options, providers=["CPUExecutionProvider"]
            )
        self._input = self._session.get_inputs()[0].name

    def see(self, pixels: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """float32 [n, size, size, 3] in [0,1] -> joints float32 [n, 13, 6] and context float32 [n, 128]."""
        joints, context = self._session.run(["joints", "context"], {self._input: pixels})
        return np.asarray(joints, np.float32), np.asarray(context, np.float32)
