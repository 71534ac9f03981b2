"""A file beside the logs of a run, read again when it changes."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from typing import Generic, TypeVar

from vizkit.errors import DataError
from vizkit.reading import Problem

__all__ = ["FollowedFile"]

_Content = TypeVar("_Content")


class FollowedFile(ABC, Generic[_Content]):
    """A file whose content is kept until the file is another one.

    Args:
        path: the file, which need not exist.

    Attributes:
        problems: the reasons why the file, or a part of it, could not be read.
        revision: grows each time that the content is read, or is no longer there.
    """

    def __init__(self, path: str) -> None:
        self.problems: list[Problem] = []
        self.revision = 0
        self.path = path
        self._content = self._empty()
        self._state: tuple[int, int, int] | None = None

    @abstractmethod
    def _empty(self) -> _Content:
        """The content where there is no such file, or it cannot be read."""

    @abstractmethod
    def _load(self) -> _Content:
        """The content of the file that is there."""

    def _may_change_alone(self) -> bool:
        """True if the content has to be read again although the file is the same."""
        return False

    def content(self) -> _Content:
        """The content as the file is now."""
        try:
            stat = os.stat(self.path)
        except (OSError, ValueError):
            self.revision += self._state is not None
            self._state, self._content, self.problems = None, self._empty(), []
            return self._content
        state = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
        if state != self._state or self._may_change_alone():
            self.revision += 1
            self._state, self._content, self.problems = state, self._empty(), []
            try:
                self._content = self._load()
            except (DataError, OSError) as error:
                self._note(error)
        return self._content

    def _note(self, error: Exception) -> None:
        self.problems.append(Problem(self.path, "unreadable", 0, 0, str(error)))
