"""``python -m benchmarks.workspace``: all that is promised about the workspace's page, in Chromium."""

from __future__ import annotations

from benchmarks._main import main

TOPICS = ["cold_page", "table_page", "cursor_page", "long_page"]
PACKAGES = ["paddle-vizkit", "visualdl", "playwright", "uvicorn", "starlette", "orjson", "numpy"]

if __name__ == "__main__":
    main("benchmarks.workspace", __doc__, TOPICS, PACKAGES)
