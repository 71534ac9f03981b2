"""Arguments are checked in one way, and errors name the value."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from vizkit import _checks
from vizkit.errors import DataError


@pytest.mark.parametrize("value", [1, 7, np.int64(3), np.uint8(200)])
def test_whole_numbers_of_any_type_are_taken(value: int) -> None:
    found = _checks.whole_number("steps", value)
    assert found == value and type(found) is int
    assert _checks.is_whole_number(value) and _checks.is_number(value)


@pytest.mark.parametrize("value", [0, -1, 1.0, True, "1", None, math.nan, [1]])
def test_what_is_no_whole_number_is_refused_by_name(value: object) -> None:
    with pytest.raises(DataError, match=r"^steps must be a whole number of batches, 1 or more, got "):
        _checks.whole_number("steps", value, unit="batches")


def test_zero_is_a_whole_number_where_it_is_allowed() -> None:
    assert _checks.whole_number("steps", 0, least=0) == 0
    assert not _checks.is_whole_number(True) and not _checks.is_number(True)
    assert not _checks.is_whole_number(1.0) and _checks.is_number(1.0)


@pytest.mark.parametrize(
    ("bounds", "good", "bad", "match"),
    [
        ({}, -1.5, math.inf, "must be a number, got inf"),
        ({"least": 0}, 0, -0.1, "must be a number, 0 or more"),
        ({"above": 0, "unit": "seconds"}, 0.1, 0, "must be a number of seconds above 0"),
        ({}, np.float32(0.5), True, "must be a number, got True"),
        ({}, np.int64(5), "5", "must be a number, got '5'"),
        ({}, 5, math.nan, "must be a number, got nan"),
    ],
)
def test_finite_numbers_within_bounds(
    bounds: dict[str, object], good: object, bad: object, match: str
) -> None:
    check: Callable[..., float] = _checks.finite_number
    found = check("rate", good, **bounds)
    assert found == good and type(found) is float
    with pytest.raises(DataError, match=f"^rate {match}"):
        check("rate", bad, **bounds)


@pytest.mark.parametrize("value", [0, -0.5, 1, 2, "0.5", True, math.nan])
def test_what_is_no_fraction_is_refused(value: object) -> None:
    with pytest.raises(DataError, match=r"^share must be a number between 0 and 1, got "):
        _checks.fraction("share", value)


def test_one_is_a_fraction_where_it_is_allowed() -> None:
    assert _checks.fraction("share", 1, one=True) == 1.0
    assert _checks.fraction("share", np.float32(0.5)) == 0.5
    with pytest.raises(DataError, match=r"^share must be more than 0 and at most 1, got 1.5"):
        _checks.fraction("share", 1.5, one=True)


def test_one_of_several_values() -> None:
    assert _checks.one_of("mode", "min", ("min", "max")) == "min"
    assert _checks.one_of("mode", None, (None, "max")) is None
    with pytest.raises(DataError, match=r"^mode must be 'min', 'max' or None, got 'mean'"):
        _checks.one_of("mode", "mean", ("min", "max", None))
    with pytest.raises(DataError, match=r"^mode must be 1, got True"):
        _checks.one_of("mode", True, (1,))


def test_class_names_are_a_list_of_different_texts() -> None:
    assert _checks.checked_class_names(None) is None
    assert _checks.checked_class_names(("cat", 3, b"dog")) == ["cat", "3", "dog"]
    for value in ("cat", b"cat", 3, {"cat": 0}):
        with pytest.raises(DataError, match="class_names must be a list such as"):
            _checks.checked_class_names(value)
    with pytest.raises(DataError, match="class_names must differ"):
        _checks.checked_class_names(["a", "a"])


def test_values_are_described_in_few_words() -> None:
    assert _checks.describe(np.zeros((2, 3), np.float32)) == "ndarray of shape [2, 3] and dtype float32"
    assert _checks.describe(np.float32(0.5)) == repr(np.float32(0.5))
    assert _checks.describe("x" * 100) == "'" + "x" * 76 + "..."
