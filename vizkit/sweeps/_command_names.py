"""The names of hyper-parameters in the arguments of a command, in braces.

``{{name}}`` is the text ``{name}``. Other braces stay as they are: ``{}``, ``{"a": 1}``, ``{a,b}``.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence

from vizkit.errors import DataError
from vizkit.sweeps.space import Value

__all__ = ["check_command", "filled_command"]

_WORD = r"[^\W\d][\w .-]*"
_DOUBLED = rf"\{{\{{({_WORD})\}}\}}"
_LIKE_NAMES = re.compile(rf"{_DOUBLED}|(?<!\$)\{{({_WORD})\}}")  # ${HOME} is a shell's


def check_command(command: Sequence[str], names: Collection[str]) -> None:
    """Refuse a command with a name that the space does not have.

    Raises:
        DataError: it has one.
    """
    for part in command:
        for found in _LIKE_NAMES.finditer(part):
            name = found[2]
            if name is not None and name not in names:
                raise DataError(
                    "the command names {{{name}}}, which the space does not have, but {names}; for these "
                    "braces themselves write {{{{{name}}}}}",
                    name=name,
                    names=", ".join(names),
                )


def filled_command(command: Sequence[str], names: Collection[str], hparams: Mapping[str, Value]) -> list[str]:
    """A command with the values of a trial.

    Args:
        command: the program and its arguments.
        names: all that the space has.
        hparams: the values of those that this trial has. An argument with one that it does not have, because
            of a condition, is left out.
    """
    # At once: a value may itself have braces.
    pattern = re.compile(rf"{_DOUBLED}|\{{({'|'.join(map(re.escape, names))})\}}")

    def text_of(found: re.Match[str]) -> str:
        return f"{{{found[1]}}}" if found[1] is not None else str(hparams[found[2]])

    asked = ([found[2] for found in pattern.finditer(part)] for part in command)
    return [
        pattern.sub(text_of, part)
        for part, some in zip(command, asked, strict=True)
        if all(name is None or name in hparams for name in some)
    ]
