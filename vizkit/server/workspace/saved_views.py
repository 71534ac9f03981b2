"""Views of the workspace that people saved: names of addresses, in ``views.json`` of the log directory."""

from __future__ import annotations

import json
import os

from vizkit._files import hold_directory, read_bounded, write_atomic
from vizkit._json import parse_json
from vizkit.errors import ConflictError, DataError
from vizkit.format.file_names import VIEWS_FILE
from vizkit.runs.followed_file import FollowedFile

__all__ = ["SavedViews"]

_LONGEST_NAME = 100  # characters
_LONGEST_QUERY = 20_000
_MOST_VIEWS = 200
_MOST_BYTES = 8 << 20
_PATIENCE = 10.0  # seconds that another editor may hold the directory


class SavedViews(FollowedFile[dict[str, str]]):
    """Names of views, each with the query of its address.

    Args:
        logdir: the log directory, or a log file in it; a remote one has no views.
    """

    def __init__(self, logdir: str) -> None:
        self._remote = "://" in logdir
        super().__init__(
            os.path.join(os.path.dirname(logdir) if os.path.isfile(logdir) else logdir, VIEWS_FILE)
        )

    def _empty(self) -> dict[str, str]:
        return {}

    def _load(self) -> dict[str, str]:
        return _read(self.path)

    def edit(self, name: str, query: str | None, known: str | None, instead_of: str | None = None) -> None:
        """Save a view under a name, or delete it, whoever else edits at the same time.

        Args:
            name: its name.
            query: the query of its address; None deletes it.
            known: the query that the editor knows under the name; None: there is none.
            instead_of: a view that is deleted with it: its former name.

        Raises:
            ConflictError: there is another view of the name.
            DataError: a name or a query is too long or has characters that it cannot have, there are too many
                views, or the file that is there cannot be read.
            OSError: the file cannot be written.
        """
        if self._remote:
            raise DataError("views cannot be saved in a remote directory")
        if not name.strip() or len(name) > _LONGEST_NAME or not name.isprintable():
            raise DataError(
                "the name of a view is a line of 1 to {most} characters, got {name!r}",
                most=_LONGEST_NAME,
                name=name[:60],
            )
        if query is not None and not _is_query(query):
            raise DataError(
                "a view is the query of an address, of at most {most:,} characters, got {query!r}",
                most=_LONGEST_QUERY,
                query=query[:60],
            )
        with hold_directory(os.path.dirname(self.path) or ".", _PATIENCE) as held:
            if held is False:
                raise DataError("{path} is being edited by another process: try again", path=self.path)
            try:
                views = _read(self.path)
            except FileNotFoundError:
                views = {}
            if views.get(name) != known:
                raise ConflictError(
                    "another view of the name {name!r} has been saved meanwhile",
                    name=name,
                    current=views.get(name),
                )
            views.pop(instead_of or "", None)
            views.pop(name, None)
            if query is not None:
                views[name] = query
            if len(views) > _MOST_VIEWS:
                raise DataError("there are at most {most} views: delete some", most=_MOST_VIEWS)
            content = json.dumps({"views": views}, ensure_ascii=False, indent=1)
            write_atomic(self.path, content.encode("utf-8", "replace"))


def _read(path: str) -> dict[str, str]:
    """The views of a file, which anybody may have written; those that make no sense count as not given."""
    try:
        content = parse_json(read_bounded(path, _MOST_BYTES))
    except ValueError as error:
        if isinstance(error, DataError):
            raise
        raise DataError(
            "{path} is not JSON ({error}): correct or delete it", path=path, error=error
        ) from None
    views = content.get("views") if isinstance(content, dict) else None
    kept = {
        name: query
        for name, query in (views.items() if isinstance(views, dict) else ())
        if name.strip() and len(name) <= _LONGEST_NAME and name.isprintable() and _is_query(query)
    }
    return dict(list(kept.items())[:_MOST_VIEWS])


def _is_query(query: object) -> bool:
    return (
        isinstance(query, str)
        and len(query) <= _LONGEST_QUERY
        and query.isascii()
        and query.isprintable()
        and not set(query) & set(" \"'<>\\#?")
    )
