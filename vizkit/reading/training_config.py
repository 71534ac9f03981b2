"""The training config that PaddleX, PaddleClas, PaddleOCR and the like leave beside their logs."""

from __future__ import annotations

import functools
import math
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vizkit._files import read_bounded
from vizkit._language import tr
from vizkit.errors import DataError, MissingDependencyError
from vizkit.format.hparams import flat_hparams

if TYPE_CHECKING:
    import yaml

__all__ = ["config_path", "hparams_of", "read_config"]

_NAMES = ("config.yaml", "config.yml", os.path.join(".hydra", "config.yaml"))
_LOG_DIRECTORIES = ("vdl", "visualdl")  # of the suites that keep logs below their output
_MOST_BYTES = 100_000
_MOST_VALUES = 10_000
_MOST_ALIASES = 500
_MOST_CHARACTERS = 300  # of a message


def config_path(directory: str | os.PathLike[str]) -> Path | None:
    """The config of the training that logged into ``directory``: there, or above its ``vdl``."""
    if "://" in os.fspath(directory):
        return None
    place = Path(os.path.abspath(directory))
    places = [place, place.parent] if place.name in _LOG_DIRECTORIES else [place]
    every = (os.fspath(where / name) for where in places for name in _NAMES)
    return next((Path(path) for path in every if os.path.lexists(path) and not os.path.isdir(path)), None)


def hparams_of(directory: str | os.PathLike[str]) -> dict[str, Any] | None:
    """The training config beside a run's logs, as of `read_config`; None without one.

    PaddleX writes it as ``config.yaml`` in its output directory, in the format of the suite that trains.
    """
    path = config_path(directory)
    return None if path is None else read_config(path)


def read_config(path: Path) -> dict[str, Any]:
    """Read a training config as hyper-parameters: ``Optimizer/lr/learning_rate``.

    Returns:
        Nested names joined with ``/``.

    Raises:
        DataError: a config that cannot be read.
        MissingDependencyError: PyYAML is missing.
    """
    try:
        import yaml
    except ImportError as error:
        raise MissingDependencyError.for_extra("paddlex", tr("{path} needs PyYAML", path=path)) from error
    try:
        data = read_bounded(path, _MOST_BYTES)
    except (DataError, OSError) as error:
        raise DataError("{path} is not read as a training config: {error}", path=path, error=error) from error
    try:
        config = yaml.load(data, _loader())  # noqa: S506 - the loader is a safe one
        if _size(config, {}) > _MOST_VALUES:
            raise DataError("it holds more than {most_values:,} values", most_values=_MOST_VALUES)
        return flat_hparams(config)
    except (ValueError, ArithmeticError, TypeError, AttributeError, RecursionError, yaml.YAMLError) as error:
        raise DataError(
            "{path} is no training config: {error}", path=path, error=str(error)[:_MOST_CHARACTERS]
        ) from error


@functools.cache
def _loader() -> type[yaml.SafeLoader]:
    """PyYAML's safe loader, reading classes that a suite tagged as plain data."""
    import yaml

    class Loader(yaml.SafeLoader):  # type: ignore[misc]
        aliases = nodes = merged = 0

        def compose_node(self, parent: yaml.Node, index: object) -> yaml.Node:
            self.aliases += self.check_event(yaml.AliasEvent)
            if self.aliases > _MOST_ALIASES:
                raise DataError("it has more than {most_aliases} aliases", most_aliases=_MOST_ALIASES)
            self.nodes += 1
            if self.nodes > _MOST_VALUES:  # PyYAML takes a second for as many
                raise DataError("it holds more than {most_values:,} values", most_values=_MOST_VALUES)
            return super().compose_node(parent, index)

        def flatten_mapping(self, node: yaml.MappingNode) -> None:
            super().flatten_mapping(node)  # a few merges of merges can stand for billions
            self.merged += len(node.value)
            if self.merged > 2 * _MOST_VALUES:
                raise DataError("it merges more than {most_values:,} values", most_values=_MOST_VALUES)

    def plain(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> object:
        if isinstance(node, yaml.MappingNode):
            return loader.construct_mapping(node, deep=True)
        if isinstance(node, yaml.SequenceNode):
            return loader.construct_sequence(node, deep=True)
        return loader.construct_scalar(node)

    Loader.add_multi_constructor("", plain)
    return Loader


def _size(value: object, known: dict[int, float]) -> float:
    """The number of values once every alias is expanded: a short text can stand for billions."""
    if not isinstance(value, (dict, list)):
        return 1
    if id(value) not in known:
        known[id(value)] = math.inf  # a value that holds itself has no end
        parts = value.values() if isinstance(value, dict) else value
        known[id(value)] = 1 + sum(_size(part, known) for part in parts)
    return known[id(value)]
