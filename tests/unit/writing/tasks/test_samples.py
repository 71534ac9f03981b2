"""Inputs that cannot be shown never keep an evaluation from being recorded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vizkit import Tracker, load
from vizkit.writing.tasks.samples import axes_of_image, content_of, numbers_text
from vizkit.writing.tasks.task import LabelledBatch

RNG = np.random.default_rng(0)
BOXES = {"boxes": np.array([[0, 0, 10, 10.0], [5, 5, 20, 20]]), "labels": np.array([0, 1])}
TASKS: dict[str, Any] = {
    "classification": (RNG.integers(0, 3, 4), RNG.random((4, 3))),
    "regression": (RNG.normal(size=4), RNG.normal(size=4)),
    "segmentation": (RNG.integers(0, 3, (4, 16, 16)), RNG.random((4, 3, 16, 16))),
    "detection": ([BOXES] * 4, [{**BOXES, "scores": np.array([0.9, 0.4])}] * 4),
    "retrieval": (np.array([0, 1, 0, 1]), RNG.normal(size=(4, 3))),
    "generation": (["a"] * 4, ["b"] * 4),
    "labelling": (RNG.integers(0, 3, (4, 5)), RNG.random((4, 5, 3))),
}
INPUTS: dict[str, Any] = {
    "seven channels": RNG.random((4, 7, 16, 16)),
    "vectors": RNG.random((4, 5)),
    "numbers": RNG.random(4),
    "volumes": RNG.random((4, 1, 4, 16, 16)),
    "no pixels": np.zeros((4, 3, 0, 0)),
    "images of other sizes": [RNG.random((3, 4 + i, 8)) for i in range(4)],
    "a dict": {"image": RNG.random((4, 3, 16, 16))},
    "several": (RNG.random((4, 3, 8, 8)), RNG.random((4, 2))),
    "too few": ["a"],
    "of several kinds": ["a", np.ones((3, 4, 4)), 5, None],
}


def scalars(path: Path, task: Any, inputs: Any) -> dict[str, float]:
    labels, outputs = TASKS[task]
    with Tracker(path, strict=True, system=False) as tracker:
        evaluation = tracker.evaluation("eval", task=task)
        evaluation.add(labels, outputs, inputs)
        evaluation.record(1)
    (run,) = load(path)
    assert len(run.predictions()) == 4
    return {tag: run.summary(tag).last.value for tag in run.scalar_tags}


@pytest.mark.parametrize("task", TASKS)
def test_inputs_change_no_number(tmp_path: Path, task: str) -> None:
    expected = scalars(tmp_path / "none", task, None)
    assert expected
    for name, inputs in INPUTS.items():
        found = scalars(tmp_path / name, task, inputs)
        np.testing.assert_equal(found, expected, err_msg=name)


def test_what_is_shown_of_an_input() -> None:
    inputs: Any = [np.ones((3, 4, 5)), "text", ["two", "words"], np.arange(10), np.array([0.1234567]), {}]
    batch = LabelledBatch([], [], inputs)
    image, *others = (content_of(batch, row) for row in range(7))
    assert isinstance(image, np.ndarray) and axes_of_image(image) == "CHW"
    assert others == ["text", "two words", "0, 1, 2, 3, 4, 5, 6, 7, ...", "0.1235", None, None]
    assert numbers_text(np.array([[123456, 2]])) == "123456, 2"


@pytest.mark.parametrize(
    ("shape", "axes"),
    [((4, 5), "HW"), ((3, 9, 9), "CHW"), ((9, 9, 4), "HWC"), ((7, 9, 9), ""), ((5,), ""), ((1, 1, 9, 9), "")],
)
def test_the_axes_of_an_image(shape: tuple[int, ...], axes: str) -> None:
    assert axes_of_image(np.zeros(shape)) == axes
