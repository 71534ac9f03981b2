"""Errors of recording within a `Guard`: warned about once, or raised by a strict tracker."""

from __future__ import annotations

import warnings
from types import SimpleNamespace
from typing import Any

import pytest

from vizkit import DataError, VizKitWarning
from vizkit.hooks._guard import Guard
from vizkit.writing.losses import Losses


def tracker(*, strict: bool) -> Any:
    return SimpleNamespace(strict=strict, losses=Losses(lambda lost: b""))


def test_an_error_is_counted_and_warned_about_once_a_path() -> None:
    mine = tracker(strict=False)
    guard = Guard(mine)
    with pytest.warns(VizKitWarning, match="images: not recorded: no pixels") as warned:
        for _ in range(3):
            with guard("images"):
                raise DataError("no pixels")
        guard.warn("images", "again")
    assert (len(warned), mine.losses.lost) == (1, {"images": 4})


def test_without_an_error_nothing_happens() -> None:
    mine = tracker(strict=False)
    with Guard(mine)("images"):
        pass
    assert not mine.losses.lost


def test_a_strict_tracker_lets_it_raise() -> None:
    mine = tracker(strict=True)
    with pytest.raises(DataError), Guard(mine)("images"):
        raise DataError("no pixels")
    assert not mine.losses.lost


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_what_is_no_error_of_recording_passes_through(error: type[BaseException]) -> None:
    with pytest.raises(error), Guard(tracker(strict=False))("images"):
        raise error


def test_a_warning_that_the_user_made_an_error_is_raised() -> None:
    mine = tracker(strict=False)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(VizKitWarning), Guard(mine)("images"):
            warnings.warn("lost", VizKitWarning, stacklevel=1)
