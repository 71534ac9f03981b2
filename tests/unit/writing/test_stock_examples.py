"""VisualDL's own documented examples, run with `vizkit.LogWriter` in place of its writer.

The code is taken from the docstrings of the installed ``visualdl``, so that it is really theirs.
"""

from __future__ import annotations

import inspect
import re
import runpy
import textwrap
import time
import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import visualdl
from PIL import Image

from tests.helpers import by_tag, log_of
from vizkit import LogWriter

Stock = visualdl.LogWriter
# What keeps examples in VisualDL's documentation from running: misprints, anywhere, and old libraries.
MENDED = {
    "form matplotlib": "from matplotlib",
    'writer.add_scalars(tag="sin_and_cos", tag_value=tval': (
        'writer.add_scalars(main_tag="sin_and_cos", tag_scalar_dict=tval'
    ),
    "np.array([I, I, I])": "np.stack([I, I, I])",  # NumPy 1.24 makes no array of a list of Pillow's images
}
EXPECTED: dict[str, dict[str, tuple[str, int]]] = {
    "add_scalar": {"train/loss": ("scalar", 100), "train/lr": ("scalar", 100)},
    "add_scalars": {"sin_and_cos": ("scalars", 200)},
    "add_image": {"lll": ("image", 1)},
    "add_figure": {"lll": ("image", 1)},
    "add_text": {"train/loss": ("text", 100)},
    "add_image_matrix": {"lll": ("image", 1)},
    "add_embeddings": {"default": ("embeddings", 2)},
    "add_audio": {"audio_test": ("audio", 1)},
    "add_histogram": {"default": ("histogram", 5)},
    "add_hparams": {
        "hparam": ("hparams", 2),
        "hparam/accuracy": ("scalar", 20),
        "hparam/loss": ("scalar", 20),
    },
    "add_pr_curve": {"default": ("pr_curve", 3)},
    "add_roc_curve": {"default": ("roc_curve", 3)},
}


def examples(method: str) -> list[str]:
    """The code under each ``Example`` of a method's docstring."""
    text = inspect.getdoc(getattr(Stock, method)) or ""
    blocks = re.split(r"^\s*Examples?(?: \d)?::?\s*$", text, flags=re.MULTILINE)[1:]
    code = [textwrap.dedent(block).strip("\n") for block in blocks]
    for wrong, right in MENDED.items():
        code = [block.replace(wrong, right) for block in code]
    return code


def run(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save("test.png")
    with wave.open("test.wav", "wb") as sound:
        sound.setparams((1, 2, 8000, 0, "NONE", ""))
        sound.writeframes((1000 * np.sin(np.arange(8000) / 10)).astype("<i2").tobytes())
    monkeypatch.setattr(visualdl, "LogWriter", LogWriter)
    names: dict[str, Any] = {"np": np, "time": time, "LogWriter": LogWriter, "audio_path": "test.wav"}
    code = examples(method)
    assert code
    with LogWriter("log/shared") as writer:
        names["writer"] = writer
        for block in code:
            Path("example.py").write_text(block)  # Paddle reads the source of what it traces
            runpy.run_path("example.py", names)


@pytest.mark.parametrize("method", sorted(EXPECTED))
def test_a_documented_example_runs(method: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    run(method, monkeypatch)
    found: dict[str, tuple[str, int]] = {}
    for log in tmp_path.rglob("*vdlrecords*"):
        for tag, records in by_tag(log.parent).items():
            kind, count = found.get(tag, (records[0].kind, 0))
            found[tag] = (kind, count + len(records))
        reader = visualdl.LogReader(file_path=str(log_of(log.parent)))  # stock reads all of it
        for kind, tags in reader.get_tags().items():
            assert all(reader.get_data(kind, tag) for tag in tags)
    assert found == EXPECTED[method]


def test_the_documented_graph_example_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    run("add_graph", monkeypatch)
    (graph,) = tmp_path.glob("log/graph_test/vdlgraph*.log")
    assert "MyNet" in graph.read_text()


def test_every_documented_method_is_tried() -> None:
    documented = {
        name
        for name, method in inspect.getmembers(Stock, inspect.isfunction)
        if name.startswith("add_") and "Example" in (inspect.getdoc(method) or "")
    }
    assert documented == {*EXPECTED, "add_graph"}
