"""``python -m benchmarks.reading``: all that is promised about reading, measured side by side."""

from __future__ import annotations

from benchmarks._main import main

TOPICS = ["one_run", "many_runs", "training_logs", "samples"]
PACKAGES = [
    "paddle-vizkit",
    "visualdl",
    "tensorboard",
    "tensorboard-data-server",
    "tbparse",
    "tensorboardX",
    "numpy",
    "pandas",
    "protobuf",
]

if __name__ == "__main__":
    main("benchmarks.reading", __doc__, TOPICS, PACKAGES)
