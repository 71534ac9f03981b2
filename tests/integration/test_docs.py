"""The code in the documentation runs, and its links lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.helpers import ROOT

PAGES = sorted([*ROOT.glob("docs/*.md"), *ROOT.glob("docs/decisions/*.md"), *ROOT.glob("*.md")])
BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)#]+)(?:#[^)]*)?\)")
WITH_CODE = ["recording.md", "hooks.md", "steering.md", "reading.md", "plots.md", "serving.md"]


@pytest.mark.parametrize("page", WITH_CODE)
def test_the_code_of_a_page_runs(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    blocks = BLOCK.findall((ROOT / "docs" / page).read_text("utf-8"))
    assert blocks
    names: dict[str, object] = {}
    for block in blocks:  # a page is read from top to bottom: later blocks use what earlier ones made
        exec(compile(block, page, "exec"), names)
    assert list(tmp_path.glob("log/*/vdlrecords*"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in LINK.findall(page.read_text("utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), target


def test_both_readmes_show_the_same_code() -> None:
    def code(name: str) -> list[str]:
        blocks = BLOCK.findall((ROOT / name).read_text("utf-8"))
        return [re.sub(r"#.*", "", block).replace(" ", "") for block in blocks]

    assert code("README.md") == code("README.zh-CN.md")
    assert len(code("README.md")) == 3


def test_the_readmes_code_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With what its reader has: a prepared model, data, a network and a loop."""
    import paddle

    monkeypatch.chdir(tmp_path)
    first, second, third = BLOCK.findall((ROOT / "README.md").read_text("utf-8"))
    net = paddle.nn.Linear(4, 2)
    model = paddle.Model(net)
    optimizer = paddle.optimizer.SGD(0.1, parameters=net.parameters())
    model.prepare(optimizer, paddle.nn.CrossEntropyLoss(), paddle.metric.Accuracy())
    data = paddle.io.TensorDataset([paddle.rand([16, 4]), paddle.randint(0, 2, [16, 1])])
    names = {"model": model, "train_data": data, "eval_data": data}
    exec(first, names)
    step = "loss = net(x).square().mean(); loss.backward(); acc = 0.5"
    loop = {"vizkit": names["vizkit"], "net": net, "optimizer": optimizer, "hparams": {}}
    loop["loader"] = [(paddle.rand([2, 4]), None)] * 3
    exec(second.replace("...", step), loop)
    assert {path.parent.name for path in tmp_path.glob("log/**/vdlrecords*")} == {"run1", "run2"}
    (tmp_path / "log" / "sample").symlink_to(ROOT / "log" / "sample")  # some runs to ask about
    exec(third, loop)
    assert len(loop["runs"]) == 11
