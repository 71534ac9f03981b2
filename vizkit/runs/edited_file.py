"""A JSON file beside logs that people edit, any number of them at once."""

from __future__ import annotations

import json
import os
from abc import abstractmethod
from collections.abc import Callable
from typing import TypeVar

from vizkit._atomic_writes import write_atomic
from vizkit._files import read_bounded
from vizkit._json import parse_json
from vizkit._locks import hold_directory
from vizkit.errors import DataError
from vizkit.runs.followed_file import FollowedFile

__all__ = ["EditedFile"]

_Content = TypeVar("_Content")


class EditedFile(FollowedFile[_Content]):
    """A followed file that can be changed; anybody may have written what it holds.

    Attributes:
        most_bytes: a larger file is not read.
        patience: seconds that another editor may hold the directory.
    """

    most_bytes: int
    patience: float

    @abstractmethod
    def _of_json(self, found: object) -> _Content:
        """The content that JSON tells; values of other kinds count as not given."""

    @abstractmethod
    def _as_json(self, content: _Content) -> object:
        """The JSON of a content."""

    def _load(self) -> _Content:
        try:
            return self._of_json(parse_json(read_bounded(self.path, self.most_bytes)))
        except DataError:
            raise
        except ValueError as error:
            raise DataError(
                "{path} is not JSON ({error}): correct or delete it", path=self.path, error=error
            ) from None

    def _rewrite(self, change: Callable[[_Content], _Content]) -> None:
        """Write what ``change`` makes of the content, whoever else edits at the same time.

        Raises:
            DataError: another process edits for long, or the file that is there cannot be read; it stays.
            OSError: the file cannot be written.
        """
        with hold_directory(os.path.dirname(self.path) or ".", self.patience) as held:
            if held is False:
                raise DataError("{path} is being edited by another process: try again", path=self.path)
            try:
                content = self._load()
            except FileNotFoundError:
                content = self._empty()
            text = json.dumps(self._as_json(change(content)), ensure_ascii=False, indent=1)
            write_atomic(self.path, text.encode("utf-8", "replace"))
