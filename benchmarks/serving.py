"""``python -m benchmarks.serving``: all that is promised about serving, measured side by side."""

from __future__ import annotations

from benchmarks._main import main

TOPICS = ["first_answer", "polling", "scalar_page", "windows", "sample_rows"]
PACKAGES = [
    "paddle-vizkit",
    "visualdl",
    "tensorboard",
    "tensorboard-data-server",
    "uvicorn",
    "starlette",
    "httptools",
    "orjson",
    "numpy",
]

if __name__ == "__main__":
    main("benchmarks.serving", __doc__, TOPICS, PACKAGES)
