"""The better direction of a metric, by its name."""

from __future__ import annotations

import pytest

from vizkit.errors import DataError
from vizkit.metrics.direction import direction


@pytest.mark.parametrize(
    "name", ["train/loss", "eval/cross_entropy_loss", "RMSE", "eval/err", "ppl", "eval/ECE"]
)
def test_lower_is_better(name: str) -> None:
    assert direction(name, "auto") == "min"


@pytest.mark.parametrize(
    "name", ["eval/acc", "eval/acc_top1", "accuracy", "mIoU", "eval/auc/cat", "F1", "val bleu"]
)
def test_higher_is_better(name: str) -> None:
    assert direction(name, "auto") == "max"


@pytest.mark.parametrize("name", ["train/loss", "eval/acc", "foo"])
def test_a_given_mode_counts_whatever_the_name(name: str) -> None:
    assert direction(name, "min") == "min"
    assert direction(name, "max") == "max"


@pytest.mark.parametrize("name", ["foo", "", "learning rate", "acc/loss"])
def test_a_name_that_does_not_tell_needs_a_mode(name: str) -> None:
    with pytest.raises(DataError, match="pass mode='max' or mode='min'"):
        direction(name, "auto")


@pytest.mark.parametrize("mode", ["up", "", None, 1])
def test_other_modes_are_refused(mode: str) -> None:
    with pytest.raises(DataError, match="mode must be 'min', 'max' or 'auto'"):
        direction("eval/acc", mode)
