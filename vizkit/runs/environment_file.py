"""The ``environment.json`` of a run, read again when it changes."""

from __future__ import annotations

import os
from typing import Any

from vizkit.environment import read_environment
from vizkit.format.file_names import ENVIRONMENT_FILE
from vizkit.runs.followed_file import FollowedFile

__all__ = ["EnvironmentFile"]


class EnvironmentFile(FollowedFile[dict[str, Any]]):
    """The environment of a run, as `vizkit.environment.read_environment` returns it; empty if there is none.

    Args:
        directory: the run directory.
    """

    def __init__(self, directory: str) -> None:
        self._directory = directory
        super().__init__(os.path.join(directory, ENVIRONMENT_FILE))

    def _empty(self) -> dict[str, Any]:
        return {}

    def _load(self) -> dict[str, Any]:
        return read_environment(self._directory, on_refused=self._note)

    def _may_change_alone(self) -> bool:
        # The process of a running run may have been killed, which changes no file.
        return self._content.get("status") == "running"
