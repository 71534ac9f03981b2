"""The ``environment.json`` of a run, read again when it changes."""

from __future__ import annotations

import os
from typing import Any

from vizkit.environment import read_environment
from vizkit.errors import DataError
from vizkit.format.file_names import ENVIRONMENT_FILE
from vizkit.reading import Problem

__all__ = ["EnvironmentFile"]


class EnvironmentFile:
    """The environment of a run.

    Args:
        directory: the run directory.

    Attributes:
        problems: the reason why the file could not be read, if so.
    """

    def __init__(self, directory: str) -> None:
        self.problems: list[Problem] = []
        self._directory = directory
        self._content: dict[str, Any] = {}
        self._state: tuple[int, int, int] | None = None

    def read(self) -> dict[str, Any]:
        """The content, as `vizkit.environment.read_environment` returns it; empty if there is none."""
        path = os.path.join(self._directory, ENVIRONMENT_FILE)
        try:
            stat = os.stat(path)
        except (OSError, ValueError):
            self._state, self._content, self.problems = None, {}, []
            return {}
        state = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
        # The process of a running run may have been killed, which changes no file.
        if state != self._state or self._content.get("status") == "running":
            self._state, self._content, self.problems = state, {}, []
            try:
                self._content = read_environment(self._directory, on_refused=self._note)
            except (DataError, OSError) as error:
                self._note(error)
        return self._content

    def _note(self, error: Exception) -> None:
        path = os.path.join(self._directory, ENVIRONMENT_FILE)
        self.problems.append(Problem(path, "unreadable", 0, 0, str(error)))
