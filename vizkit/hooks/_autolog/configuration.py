"""The settings of a training, found in the program that records it: its arguments and its configuration."""

from __future__ import annotations

import argparse
import inspect
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from types import FrameType

from vizkit.environment.masking import mask_settings
from vizkit.errors import VizKitError
from vizkit.format.hparams import as_mapping, flat_hparams
from vizkit.hooks._settings import as_settings
from vizkit.reading.training_config import read_config

__all__ = ["settings_of_program"]

_NAME = re.compile(r"_*(args|arguments|cfg|conf|configs?|flags|h_?params|opts?)", re.IGNORECASE)
_MOST = 1000  # values: more are data
_PASSED = ("vizkit", "visualdl", "hydra")  # packages whose own configuration is none of the program's
_YAML = (".yml", ".yaml")


def settings_of_program() -> dict[str, object]:
    """The settings that the functions which are running have at hand, as hyper-parameters without secrets.

    They are the outermost ``argparse.Namespace``, and the outermost dict, dataclass or OmegaConf object named
    ``cfg``, ``config`` or the like, among the variables of the callers and of their ``self``, up to the
    script's. Without such a configuration, the YAML file that an argument names is read.
    """
    namespaces: list[argparse.Namespace] = []
    configs: list[object] = []
    for name, value in _variables(sys._getframe(1)):
        if isinstance(value, argparse.Namespace):
            namespaces.append(value)
        elif _NAME.fullmatch(name):
            configs.append(value)
    arguments = next(filter(None, map(_flat, reversed(namespaces))), {})
    config = next(filter(None, map(_flat, reversed(configs))), None) or _config_file(arguments)
    # The command line wins over the file, but for what was not given.
    given = {name: value for name, value in arguments.items() if value is not None or name not in config}
    return mask_settings({**config, **given})


def _variables(frame: FrameType | None) -> Iterator[tuple[str, object]]:
    """Variables of a function and its callers, the innermost first."""
    while frame is not None:
        module = str(frame.f_globals.get("__name__"))
        if module.partition(".")[0] not in _PASSED:
            found = frame.f_locals
            yield from list(found.items())
            yield from list(getattr(found.get("self"), "__dict__", {}).items())
            if frame.f_code.co_flags & inspect.CO_OPTIMIZED and type(found) is dict:
                found.clear()  # a copy that the frame keeps until it ends (Python 3.12 and before)
            elif module == "__main__":
                return
        frame = frame.f_back


def _flat(value: object) -> dict[str, object]:
    """A configuration as hyper-parameters; empty if it is none."""
    with suppress(Exception):  # objects of any kind
        if type(value).__name__ == "DictConfig":
            value = sys.modules["omegaconf"].OmegaConf.to_container(value, resolve=True)
        elif as_mapping(value) is None and not isinstance(value, type):
            (value,) = (
                part for part in vars(value).values() if isinstance(part, dict)
            )  # holds a file's content
        flat = flat_hparams(as_settings(value))
        if len(flat) <= _MOST:
            return {name: part for name, part in flat.items() if part != {}}  # a section without settings
    return {}


def _config_file(arguments: Mapping[str, object]) -> dict[str, object]:
    for value in arguments.values():
        if isinstance(value, str) and value.endswith(_YAML):
            with suppress(VizKitError):
                return read_config(Path(value))
    return {}
