"""``python -m benchmarks.writing``: all that is promised about writing, measured side by side."""

from __future__ import annotations

from benchmarks._main import main

TOPICS = [
    "scalars",
    "tensors",
    "histograms",
    "images",
    "curves",
    "tasks",
    "tables",
    "hooks",
    "trainings",
    "memory",
    "killed",
]
PACKAGES = [
    "paddle-vizkit",
    "visualdl",
    "tensorboardX",
    "trackio",
    "swanlab",
    "numpy",
    "paddlepaddle",
    "opencv-python",
    "protobuf",
]

if __name__ == "__main__":
    main("benchmarks.writing", __doc__, TOPICS, PACKAGES)
