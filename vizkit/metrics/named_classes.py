"""Labels that are names of classes, as their numbers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vizkit.errors import DataError
from vizkit.metrics.arrays import Ints

__all__ = ["class_numbers", "texts_in"]


def texts_in(labels: object) -> list[str] | None:
    """The labels if they are texts, of a list, an array or a series of pandas; else None."""
    if hasattr(labels, "tolist") and getattr(getattr(labels, "dtype", None), "kind", "") in ("O", "T", "U"):
        labels = labels.tolist()
    if isinstance(labels, (list, tuple)) and labels and all(isinstance(one, str) for one in labels):
        return [str(one) for one in labels]
    return None


def class_numbers(texts: Sequence[str], names: Sequence[str]) -> Ints:
    """The place of each text among the names of the classes.

    Raises:
        DataError: one that is none of them.
    """
    places = {name: place for place, name in enumerate(names)}
    unknown = next((one for one in texts if one not in places), None)
    if unknown is not None:
        raise DataError("the label {label!r} is none of the class names", label=unknown)
    return np.array([places[one] for one in texts], np.int64)
