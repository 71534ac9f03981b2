"""The code of `SystemExit` is watched without being changed; tests of a session see how processes end."""

from __future__ import annotations

import copy
import pickle
import sys
from pathlib import Path
from typing import Any

import pytest

from vizkit.environment import Session
from vizkit.environment.process_end import ending_error, watch_exit_code


@pytest.mark.parametrize("arguments", [(), (None,), (3,), ("text",), (1, 2)])
def test_exceptions_are_as_python_has_them(tmp_path: Path, arguments: tuple[Any, ...]) -> None:
    Session(tmp_path).finish()
    watch_exit_code()
    expected = {0: None, 1: arguments[0] if arguments else None}.get(len(arguments), arguments)
    error = SystemExit(*arguments)
    assert error.code == expected and error.args == arguments
    assert pickle.loads(pickle.dumps(error)).args == copy.copy(error).args == arguments
    with pytest.raises(SystemExit) as raised:
        sys.exit(*arguments[:1])
    assert raised.value.code == (arguments[0] if arguments else None)
    error.code = 5
    assert error.code == 5 and ending_error() is None


def test_subclasses_are_watched_too() -> None:
    class Exit(SystemExit):
        pass

    watch_exit_code()
    assert Exit(7).code == 7
