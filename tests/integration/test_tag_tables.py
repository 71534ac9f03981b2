"""The tables of tags in docstrings and in docs/guides/hooks.md name what is recorded, no less and no more."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import Any

import numpy as np
import paddle
import pytest

from tests.helpers import by_tag
from vizkit import Tracker, hooks

DOCS = Path(__file__).parents[2] / "docs" / "guides" / "hooks.md"
KINDS = ("weights", "gradients", "clipped gradients", "activations")


def docstring_tags(function: Any) -> list[str]:
    """The tags in the first column of the table in a docstring."""
    doc = inspect.getdoc(function) or ""
    border = next(line for line in doc.splitlines() if line.startswith("===="))
    table = doc.split(f"{border}\n")[2]  # after the head
    column = " ".join(line[: len(border.split()[0])].strip() for line in table.splitlines())
    return re.findall(r"``([^`]+)``", column)


def page_tags(head: str) -> list[str]:
    """The tags in the first column of a table in docs/guides/hooks.md, whose first line is ``head``."""
    _, _, rest = DOCS.read_text(encoding="utf-8").partition(f"{head}\n")
    rows = rest.partition("\n\n")[0].splitlines()[1:]
    assert rows
    return [tag for row in rows for tag in re.findall(r"`([^`]+)`", row.split(" | ")[0])]


def unfilled(tags: list[str], recorded: set[str]) -> tuple[set[str], set[str]]:
    """The tags of a table that nothing recorded fills, and what is recorded under none of them."""
    parts = {"<class>": ".+", "<parameter>": ".+", "<layer>": ".+", "<metric>": "[^/]+"}
    parts["<kind>"] = "|".join(KINDS)
    patterns = {tag: re.sub("<[a-z]+>", lambda found: f"({parts[found[0]]})", tag) for tag in tags}
    unused = {
        tag for tag, pattern in patterns.items() if not any(re.fullmatch(pattern, name) for name in recorded)
    }
    missing = {
        name for name in recorded if not any(re.fullmatch(pattern, name) for pattern in patterns.values())
    }
    return unused, missing


@pytest.fixture(scope="module")
def recorded_by_callback(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    run = tmp_path_factory.mktemp("fit")
    rng = np.random.default_rng(0)
    images = paddle.to_tensor(rng.normal(size=(12, 1, 8, 8)).astype("float32"))
    labels = paddle.to_tensor(rng.permutation(np.arange(12) % 3)[:, None])
    data = paddle.io.TensorDataset([images, labels])
    model = paddle.Model(paddle.nn.Sequential(paddle.nn.Flatten(), paddle.nn.Linear(64, 3)))
    optimizer = paddle.optimizer.SGD(0.01, parameters=model.parameters())
    model.prepare(optimizer, paddle.nn.CrossEntropyLoss(), paddle.metric.Accuracy())
    with Tracker(run, system=False, strict=True) as tracker:
        callback = tracker.callback(samples=[0], worst=12)
        model.fit(data, data, batch_size=4, epochs=1, verbose=0, callbacks=callback)
        model.predict(paddle.io.TensorDataset([images]), batch_size=4, verbose=0, callbacks=callback)
    return set(by_tag(run))


def test_the_table_of_the_callback(recorded_by_callback: set[str]) -> None:
    assert unfilled(docstring_tags(hooks.callback), recorded_by_callback) == (set(), set())


def test_the_page_of_the_callback() -> None:
    page = page_tags("| tag | content | when |")
    assert sorted(tag for tag in page if not tag.startswith("system/")) == sorted(
        docstring_tags(hooks.callback)
    )


def test_the_table_of_watch(tmp_path: Path) -> None:
    net = paddle.nn.Sequential(paddle.nn.Linear(4, 3), paddle.nn.ReLU(), paddle.nn.Linear(3, 2))
    clip = paddle.nn.ClipGradByGlobalNorm(1e-3)
    optimizer = paddle.optimizer.SGD(0.1, parameters=net.parameters(), grad_clip=clip)
    with Tracker(tmp_path, system=False, strict=True) as tracker:
        tracker.watch(net, optimizer=optimizer, every=1, activations=True)
        for _ in range(3):
            net(paddle.rand([2, 4])).square().mean().backward()
            optimizer.step()
            optimizer.clear_grad()
    recorded = set(by_tag(tmp_path))
    assert unfilled(docstring_tags(hooks.watch), recorded) == (set(), set())
    assert {name.partition("/")[2] for name in recorded if name.startswith("norm/")} == set(KINDS)


def test_the_page_of_watch() -> None:
    assert page_tags("| tag | content |") == docstring_tags(hooks.watch)
