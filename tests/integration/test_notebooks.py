"""The notebooks run from top to bottom, on runs and data that ship, and find what they tell of."""

from __future__ import annotations

import ast
import re
import shutil
from pathlib import Path

import nbformat
import pytest

from tests.helpers import ROOT
from tests.notebooks import NOTEBOOKS, executed, read

FINDINGS = {
    "01-quickstart": ["run quickstart: finished", r"9\d\.\d% of the digits", "9 runs in ../log/sample"],
    "02-compare-runs": ["best run: run8, accuracy 0.952", r"Adam +0.952 +0.939 +0.113", "better is open"],
    "03-inside-a-model": [r"hardest digit: \d", r"labels: \["],
    "04-tutorial": ["chosen: LeNet", "0 and 1: accuracy (1|0.9)", "result: 0.9", "agrees on 100%"],
    "04-tutorial.zh-CN": ["选定：LeNet", "0 和 1 的图：准确率 (1|0.9)", r"有 9\d.\d% 读对", "在 100% 的图上"],
    "05-error-analysis": [
        r"B is better: B mends 1\d\d",
        r"tilt +tilted +500 ",
        r"listed; (9|1\d) of the 20 wrong labels are among the first 20",
        r"of which (1[5-9]|20) are wrong labels",
    ],
    "05-error-analysis.zh-CN": [
        "B 更好：B 在 1000 个样本中改对 1",
        "倾斜 +倾斜 +500 ",
        "个错误标签中有 (9|1\\d) 个在前 20 个",
    ],
    "06-find-the-setting": [
        r"loss \d\.\d+ at first, 0\.\d+ in the end",
        "eval/acc ≥ 0.8: .* fastest",
        r"A 0\.\d+ \(n = 5\), B 0\.\d+ \(n = 5\), .*; paired by seed",
        "eval/acc: .* the best",
        "has the best mean|is better than",
        r": [89]\d\.\d% of the pictures that were put aside",
    ],
    "06-find-the-setting.zh-CN": [
        r"损失起初 \d\.\d+，最后 0\.\d+",
        "eval/acc ≥ 0.8：.*最快",
        r"A 0\.\d+ \(n = 5\)",
        "eval/acc：.*最好的",
        r"留到最后的图有 [89]\d\.\d% 读对",
    ],
}


def texts(notebook: nbformat.NotebookNode) -> str:
    """All that its cells say in plain text."""
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    return "\n".join(
        output["text"] if output.output_type == "stream" else output.get("data", {}).get("text/plain", "")
        for output in outputs
    )


def test_every_notebook_is_known() -> None:
    assert [path.stem for path in NOTEBOOKS] == sorted(FINDINGS)


# The others in Chinese do the same as those in English: see below.
EXECUTED = [path for path in NOTEBOOKS if ".zh" not in path.stem or path.stem.startswith("05")]


@pytest.mark.parametrize("path", EXECUTED, ids=lambda path: path.stem)
def test_a_notebook_runs_and_finds_what_it_tells_of(path: Path, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "log" / "sample", tmp_path / "log" / "sample")
    (tmp_path / "notebooks").mkdir()
    copy = shutil.copy(path, tmp_path / "notebooks")
    said = texts(executed(Path(copy)))
    for finding in FINDINGS[path.stem]:
        assert re.search(finding, said), finding


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_committed_as_it_ran_and_small(path: Path) -> None:
    notebook = read(path)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    for output in (output for cell in code for output in cell.outputs):
        assert output.output_type != "error" and output.get("name") != "stderr"
    for finding in FINDINGS[path.stem]:
        assert re.search(finding, texts(notebook)), finding
    assert path.stat().st_size < 300_000


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_links_of_a_notebook_lead_somewhere(path: Path) -> None:
    for cell in read(path).cells:
        for target in re.findall(r"\]\(([^)#]+)", cell.source if cell.cell_type == "markdown" else ""):
            assert (path.parent / target).exists(), target


class _NoTexts(ast.NodeTransformer):
    """Takes the words out of code: of an f-string, the values stay that are put into it, in any order."""

    def visit_Constant(self, node: ast.Constant) -> ast.Constant:
        return ast.Constant("") if isinstance(node.value, str) else node

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.List:
        values = [self.visit(part.value) for part in node.values if isinstance(part, ast.FormattedValue)]
        return ast.List(sorted(values, key=ast.unparse), ast.Load())


@pytest.mark.parametrize("name", [name for name in FINDINGS if f"{name}.zh-CN" in FINDINGS])
def test_the_chinese_notebook_does_the_same(name: str) -> None:
    """Its code is that of the English one, but for texts, comments and the language that it chooses."""

    def code(name: str) -> list[str]:
        cells = [cell for cell in read(ROOT / "notebooks" / name).cells if cell.cell_type == "code"]
        return [ast.unparse(_NoTexts().visit(ast.parse(cell.source))) for cell in cells]

    english, chinese = code(f"{name}.ipynb"), code(f"{name}.zh-CN.ipynb")
    assert "vizkit.language('')\n" in chinese[1]
    chinese[1] = chinese[1].replace("vizkit.language('')\n", "")
    assert chinese == english
