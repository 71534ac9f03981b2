"""Wrong calls of a tracker's verbs, which raise a `TypeError` whether the tracker is strict or not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from vizkit._checks import describe
from vizkit._language import tr
from vizkit.format.hparams import as_mapping
from vizkit.writing.table_columns import is_table

__all__ = ["check_hparams", "check_mapping", "check_names", "check_network", "check_table", "check_text"]


def check_text(name: str, value: object) -> None:
    """Raise a `TypeError` if an argument that must be a text is not one."""
    if not isinstance(value, str):
        raise TypeError(tr("{name} must be a text, got {value}", name=name, value=describe(value)))


def check_names(name: str, value: object) -> None:
    """Raise a `TypeError` if an optional list of names is not one."""
    if value is not None and (isinstance(value, (str, bytes)) or not isinstance(value, Iterable)):
        raise TypeError(tr("{name} must be a list of names, got {value}", name=name, value=describe(value)))


def check_mapping(name: str, value: object, hint: str = "") -> None:
    """Raise a `TypeError` if a dict of values is something else. None passes: it is a missing value."""
    if value is not None and not isinstance(value, Mapping):
        raise TypeError(
            tr(
                "{name} must be a dict such as {{'train/loss': 0.5}}, got {value}{hint}",
                name=name,
                value=describe(value),
                hint=hint,
            )
        )


def check_table(value: object) -> None:
    """Raise a `TypeError` if a table is something else. None passes: it is a missing value."""
    if value is not None and not is_table(value):
        raise TypeError(
            tr(
                "columns must be a dict of columns such as {{'label': [1, 0]}}, a list of dicts, a pandas "
                "frame or an Arrow table, got {value}",
                value=describe(value),
            )
        )


def check_hparams(hparams: object, metrics: object) -> None:
    """Raise a `TypeError` if hyper-parameters or the metrics beside them are something else."""
    if hparams is not None and as_mapping(hparams) is None:
        raise TypeError(
            tr("hparams must be a dict, a namespace or a dataclass, got {hparams}", hparams=describe(hparams))
        )
    if not isinstance(metrics, str):  # a single tag is taken as one
        check_names("metrics", metrics)


def check_network(name: str, value: object) -> None:
    """Raise a `TypeError` if a network of Paddle is something else."""
    if not (hasattr(value, "sublayers") or hasattr(value, "network")):
        raise TypeError(
            tr(
                "{name} must be a paddle.nn.Layer or paddle.Model, got {value}",
                name=name,
                value=describe(value),
            )
        )
