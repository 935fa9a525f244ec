"""What the paper publishes, as data: the figures that the study sets its own beside.

Shares are per cent as printed. None stands for what the paper does not give.
"""

from __future__ import annotations

from dataclasses import dataclass

POSITIVE = "biceps_curl"


@dataclass(frozen=True)
class Accuracy:
    """Accuracy, precision, recall and F1 of a system in per cent, positive class biceps_curl."""

    accuracy: float
    precision: float
    recall: float
    f1: float
    best_epoch: int

    @property
    def figures(self) -> dict[str, str]:
        """Name -> figure as printed."""
        shares = {
            "accuracy": self.accuracy,
            "precision": self.precision,
            "recall": self.recall,
            "F1": self.f1,
        }
        return {name: f"{share:.2f} %" for name, share in shares.items()} | {
            "best epoch": str(self.best_epoch)
        }


ACCURACY = {
    "proposed": Accuracy(92.08, 96.39, 87.70, 91.83, 12),
    "frozen": Accuracy(87.08, 93.34, 80.32, 86.34, 38),
    "resnet50": Accuracy(82.31, 85.60, 78.40, 81.84, 11),
}
"""Systems without an entry have no accuracy in the paper."""

CONFUSION = {"proposed": ((107, 15), (4, 114)), "frozen": ((98, 24), (7, 111))}
"""Figures 13 and 14 as the published shares imply them. Rows: truth, columns: called; biceps_curl, squat."""

HYPERPARAMETERS = {
    "optimiser": "Adam",
    "loss": "categorical cross-entropy",
    "learning rate, frozen": "0.0001",
    "learning rate, fine-tuned": "1e-05",
    "batch": "8",
    "early stopping, patience": "5",
    "frames of a sequence": "15",
    "size of a frame": "224",
    "LSTM units": "128, 128",
    "dropout after the LSTMs": "0.4, 0.3",
    "dense units": "64",
    "dropout after dense": "0.3",
    "split": "70 / 15 / 15",
    "augmentation": "flip, brightness, contrast, Gaussian blur, motion blur",
}
"""Table 1, with the layers' figures of figure 4."""

PARAMETERS = {"total": 15_595_826, "trainable_before": 14_656_706, "trainable_after": 15_007_442}
NON_TRAINABLE = {"non_trainable_before": 939_120, "non_trainable_after": 588_384}

LAYERS = (
    ("input_layer_1", (15, 224, 224, 3), 0),
    ("time_distributed", (15, 7, 7, 576), 939_120),
    ("time_distributed_1", (15, 28_224), 0),
    ("lstm", (15, 128), 14_516_736),
    ("dropout", (15, 128), 0),
    ("lstm_1", (128,), 131_584),
    ("dropout_1", (128,), 0),
    ("dense", (64,), 8_256),
    ("dropout_2", (64,), 0),
    ("dense_1", (2,), 130),
)
"""Figure 4: name, output without the batch, parameters."""

SIZE_MB = {"proposed": 178.0, "vgg16": 553.0, "resnet50": 96.0}
GFLOPS = {"proposed": 1.8, "vgg16": 15.43, "resnet50": 3.8}

# VGG16's three dense layers for ImageNet, which no system here has: inputs and outputs.
VGG16_TOP = ((25_088, 4_096), (4_096, 4_096), (4_096, 1_000))

TABLE_4 = {
    "vgg16": ("yes", "RGB", "no"),
    "resnet50": ("no", "RGB frames", "partial"),
    "proposed": ("yes", "RGB", "yes"),
}
"""Temporal modelling, input, deployable at the edge."""

FRAMES_PER_SECOND = 15.0
SECONDS_OF_A_SEQUENCE = 2.3


@dataclass(frozen=True)
class Curve:
    """What the text and the figures say of a phase's curves. Losses are read off the figures."""

    epochs: int
    best_epoch: int
    validation_loss_at_best: float | None
    words: str


CURVES = {
    "frozen": Curve(41, 38, None, "Both losses fall from about 0.86 and are flat from epoch 32 to 38."),
    "fine-tuned": Curve(
        14,
        12,
        0.148,
        "The losses peak near epoch 4 at about 0.43 (training) and 0.35 (validation), stand at 0.179 and 0.148 in "
        "epoch 12 and end at 0.157 and 0.20.",
    ),
}
"""Figures 9 to 12."""

DATA = {"clips": 299, "frames": 24_180, "sequences": 1_612, "sequences of a class": 806}
TEST_SEQUENCES = 240
"""221 of 240 are 92.08 % and 209 are 87.08 %: 30 full batches of 8."""
