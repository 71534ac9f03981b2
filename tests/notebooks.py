"""Runs notebooks from top to bottom; ``make notebooks`` does so in place, before they are committed."""

from __future__ import annotations

import base64
import io
import os
import re
import sys
import tempfile
from pathlib import Path

import nbformat
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from PIL import Image

from tests.helpers import ROOT

NOTEBOOKS = sorted(ROOT.glob("notebooks/*.ipynb"))
_COLORS = 64
_ANNOUNCED = re.compile(" · .*vizkit serve |: finished after |：已完成，")


def read(path: Path) -> nbformat.NotebookNode:
    """Read a notebook's file."""
    notebook: nbformat.NotebookNode = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    return notebook


def executed(path: Path) -> nbformat.NotebookNode:
    """The notebook with fresh outputs; a cell that fails raises."""
    notebook = read(path)
    written = notebook.metadata.copy()
    where = {"metadata": {"path": str(path.parent)}}
    with tempfile.TemporaryDirectory() as sockets:  # ports could be taken by another kernel meanwhile
        manager = AsyncKernelManager(kernel_name="python3", transport="ipc", ip=f"{sockets}/kernel")
        client = NotebookClient(notebook, manager, timeout=300, record_timing=False, resources=where)
        quiet = {**os.environ, "GLOG_minloglevel": "2"}  # of Paddle's own chatter
        client.execute(cleanup_kc=True, env=quiet)
    notebook.metadata = written  # without the version of this Python
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [each for each in map(_without_announcements, cell.outputs) if each]
    return notebook


def _without_announcements(output: nbformat.NotebookNode) -> nbformat.NotebookNode | None:
    """An output without the lines that say where a run is, and how it ended; None if nothing is left."""
    if output.output_type != "stream":
        return output
    kept = [line for line in output.text.splitlines(keepends=True) if not _ANNOUNCED.search(line)]
    output.text = "".join(kept)
    return output if kept else None


def _make_pictures_small(notebook: nbformat.NotebookNode) -> None:
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if "image/png" in data:
                out = io.BytesIO()
                with Image.open(io.BytesIO(base64.b64decode(data["image/png"]))) as image:
                    few = image.convert("RGB").quantize(_COLORS, dither=Image.Dither.NONE)
                few.save(out, "PNG", optimize=True)
                data["image/png"] = base64.b64encode(out.getvalue()).decode()
                data.pop("image/jpeg", None)  # the same, as Pillow shows an image twice


if __name__ == "__main__":
    for path in map(Path, sys.argv[1:] or NOTEBOOKS):
        print(path.name, flush=True)
        notebook = executed(path.resolve())
        _make_pictures_small(notebook)
        nbformat.write(notebook, path)  # type: ignore[no-untyped-call]
