"""The errors of VizKit are one tree."""

from __future__ import annotations

from vizkit import VizKitError, VizKitWarning


def test_errors_are_one_tree() -> None:
    from vizkit import errors

    for name in errors.__all__:
        assert issubclass(getattr(errors, name), (VizKitError, VizKitWarning))
