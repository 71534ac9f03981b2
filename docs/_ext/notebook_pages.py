"""Shows a notebook as a page.

A page that says ``This page is the notebook [01-quickstart.ipynb](...)`` becomes that notebook: its words are
translated as those of any page, its outputs are the ones kept in the file.
"""

from __future__ import annotations

import base64
import json
import os
import re
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

_LINE = re.compile(r"^This page is the notebook \[.*\]\((.+)\)\.$", re.MULTILINE)
_PAGES = {
    "01-quickstart.ipynb": "quickstart.md",
    "02-compare-runs.ipynb": "compare-runs.md",
    "03-inside-a-model.ipynb": "inside-a-model.md",
    "04-tutorial.ipynb": "from-problem-to-result.md",
    "05-error-analysis.ipynb": "error-analysis.md",
    "06-find-the-setting.ipynb": "find-the-setting.md",
}
_NOTE = """\
:::{note}
This page is the notebook `notebooks/%s`, as it was run. Open it in Jupyter to try it.
:::
"""


def _joined(text: str | list[str]) -> str:
    return text if isinstance(text, str) else "".join(text)


def _shown(output: dict[str, Any], pictures: Path, name: str, root: Path) -> str:
    """One output of a cell: a picture, a table, or text."""
    data = output.get("data", {})
    if "image/png" in data:
        path = pictures / f"{name}.png"
        part = path.with_suffix(f".{os.getpid()}.part")  # the other language is built at the same time
        part.write_bytes(base64.b64decode(_joined(data["image/png"])))
        part.replace(path)
        return f"![](/{path.relative_to(root).as_posix()})"
    if "text/html" in data:
        html = re.sub(r"\n\s*\n", "\n", _joined(data["text/html"]))
        return f'```{{raw}} html\n<div class="notebook-output">{html}</div>\n```'
    text = _joined(output.get("text", "") or data.get("text/plain", "")).rstrip()
    return f"```text\n{text}\n```" if text else ""


def _page(notebook: Path, pictures: Path, root: Path) -> str:
    pictures.mkdir(parents=True, exist_ok=True)
    parts: list[str] = []
    for place, cell in enumerate(json.loads(notebook.read_text("utf-8"))["cells"]):
        source = _joined(cell["source"])
        if cell["cell_type"] == "markdown":
            for file, page in _PAGES.items():
                source = source.replace(f"({file}", f"({page}")
            parts.append(source.replace("(../docs/", "(../"))
            if place == 0:
                parts.append(_NOTE % notebook.name)
        else:
            parts.append(f"```python\n{source}\n```")
            for number, output in enumerate(cell.get("outputs", [])):
                parts.append(_shown(output, pictures, f"{notebook.stem}-{place}-{number}", root))
    return "\n\n".join(parts)


def _read(app: Sphinx, docname: str, source: list[str]) -> None:
    if found := _LINE.search(source[0]):
        root = Path(app.srcdir)
        notebook = (root / docname).parent / found[1]
        app.env.note_dependency(str(notebook))
        source[0] = _page(notebook.resolve(), root / "_build" / "notebooks", root)


def setup(app: Sphinx) -> dict[str, bool]:
    """Called by Sphinx."""
    app.connect("source-read", _read)
    return {"parallel_read_safe": True}
