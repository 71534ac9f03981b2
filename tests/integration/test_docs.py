"""The code in the documentation runs, and its links lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.helpers import ROOT

PAGES = sorted([*ROOT.glob("docs/**/[!_]*.md"), *ROOT.glob("*.md")])
BLOCK = re.compile(r"^(<!-- set-up -->\n)?```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)#]+)(?:#[^)]*)?\)")
GUIDES = [
    "recording.md",
    "hooks.md",
    "suites.md",
    "tasks.md",
    "samples.md",
    "steering.md",
    "sweeps.md",
    "reading.md",
    "comparing.md",
    "plots.md",
    "serving.md",
]


class Block(NamedTuple):
    page: str
    line: int
    code: str
    set_up: bool

    def run(self, names: dict[str, object]) -> None:
        exec(compile("\n" * self.line + self.code, self.page, "exec"), names)


def blocks(path: Path) -> list[Block]:
    """The Python blocks of a page; those after ``<!-- set-up -->`` are run before each of the others."""
    text = path.read_text("utf-8")
    return [
        Block(path.name, text.count("\n", 0, found.start(2)), found[2], found[1] is not None)
        for found in BLOCK.finditer(text)
    ]


def _alone() -> list[Block]:
    """All but the first of a page, which has nothing else before it when the page runs."""
    pages = [blocks(ROOT / "docs" / "guides" / page) for page in GUIDES]
    return [block for page in pages for block in [block for block in page if not block.set_up][1:]]


@pytest.mark.parametrize("block", _alone(), ids=lambda block: f"{block.page}:{block.line}")
def test_a_block_runs_alone(block: Block, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With nothing before it but what the page says it needs."""
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for other in blocks(ROOT / "docs" / "guides" / block.page):
        if other.set_up and other.line < block.line:
            other.run(names)
    block.run(names)


@pytest.mark.parametrize("page", GUIDES)
def test_the_code_of_a_page_runs(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From top to bottom, as it is read."""
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for block in blocks(ROOT / "docs" / "guides" / page):
        block.run(names)
    assert list(tmp_path.glob("log/*/vdlrecords*"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    text = re.sub(r"^```.*?^```", "", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    for target in LINK.findall(text):
        if "://" not in target:
            assert (page.parent / target).exists(), target


def _code_of(name: str) -> list[str]:
    return [block.code for block in blocks(ROOT / name)]


def test_both_readmes_show_the_same_code() -> None:
    english, chinese = (
        [re.sub(r"#.*", "", code).replace(" ", "") for code in _code_of(name)]
        for name in ("README.md", "README.zh-CN.md")
    )
    assert english == chinese
    assert len(english) == 3


def test_the_chinese_readme_leads_to_chinese_pages() -> None:
    links = re.findall(
        r"\]\((https://OWNER\.github\.io/vizkit/)?([^)]+)\)", (ROOT / "README.zh-CN.md").read_text("utf-8")
    )
    pages = [page.removesuffix(".html") for site, page in links if site]
    assert len(set(pages)) == 14
    for page in pages:
        language, _, name = page.partition("/")
        assert (ROOT / "docs" / "locale" / language / "LC_MESSAGES" / f"{name}.po").exists(), page
        assert (ROOT / "docs" / f"{name}.md").exists(), page
    assert not [
        link for site, link in links if not site and link.startswith(("docs/guides", "docs/tutorial"))
    ]


def test_the_readmes_code_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first block as it is, the second with a network and a loop of the reader."""
    import paddle

    monkeypatch.chdir(tmp_path)
    first, second, third = _code_of("README.md")
    names: dict[str, Any] = {}
    exec(first, names)
    net = paddle.nn.Linear(4, 2)
    optimizer = paddle.optimizer.SGD(0.1, parameters=net.parameters())
    step = "loss = net(x).square().mean(); loss.backward(); acc = 0.5"
    loop = {"vizkit": names["vizkit"], "net": net, "optimizer": optimizer, "hparams": {}}
    loop["loader"] = [(paddle.rand([2, 4]), None)] * 3
    exec(second.replace("...", step), loop)
    assert {path.parent.name for path in tmp_path.glob("log/**/vdlrecords*")} == {"run1", "run2"}
    (tmp_path / "log" / "sample").symlink_to(ROOT / "log" / "sample")  # some runs to ask about
    exec(third, loop)
    assert len(loop["runs"]) == 11
