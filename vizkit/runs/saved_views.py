"""Views of the workspace that people saved: names of addresses, in ``views.json`` of the log directory."""

from __future__ import annotations

import os
from collections.abc import Iterator, MutableMapping
from urllib.parse import parse_qsl, quote_plus, urlencode

from vizkit.errors import ConflictError, DataError, LogNotFoundError
from vizkit.format.file_names import VIEWS_FILE
from vizkit.runs.edited_file import EditedFile
from vizkit.runs.lookup import unknown

__all__ = ["SavedViews", "Views"]

_LONGEST_NAME = 100  # characters
_LONGEST_QUERY = 20_000
_MOST_VIEWS = 200
_OF_THE_READER = {"token", "lang"}  # parts of an address that are no part of a view


class Views(MutableMapping[str, str]):
    """The saved views of a log directory: name -> query of the workspace's address.

    They lie in its ``views.json``, which any number of people may edit at once. A view is given as an address
    of the workspace (``http://127.0.0.1:8040/vizkit/?tab=table``) or as its query (``tab=table``); a token
    and a language are left out.

    Args:
        logdir: the log directory, or a log file in it.

    Raises:
        LogNotFoundError: there is no such directory or file.
    """

    def __init__(self, logdir: str | os.PathLike[str]) -> None:
        path = os.path.expanduser(logdir)
        if "://" not in path and not os.path.exists(path):
            raise LogNotFoundError("{root!r} is not there: views are saved in a directory of runs", root=path)
        self._file = SavedViews(path)

    def __getitem__(self, name: str) -> str:
        """The query of a view.

        Raises:
            UnknownNameError: there is none of this name.
            DataError: the file cannot be read.
        """
        views = self._content()
        if name not in views:
            raise unknown("view", name, views)
        return views[name]

    def __setitem__(self, name: str, address: str) -> None:
        """Save a view, in place of the one of this name.

        Raises:
            ConflictError: somebody else has just saved another one.
            DataError: the name or the address is none, there are too many views, the directory is remote, or
                the file cannot be read.
            OSError: the file cannot be written.
        """
        self._file.edit(name, _query_of(address), self._content().get(name))

    def __delitem__(self, name: str) -> None:
        """Delete a view. Errors as of the other two."""
        self._file.edit(name, None, self[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self._content())

    def __len__(self) -> int:
        return len(self._content())

    def __repr__(self) -> str:
        return f"Views({self._content()!r})"

    def _content(self) -> dict[str, str]:
        found = self._file.content()
        for problem in self._file.problems:
            raise DataError("{message}", message=problem.message)
        return found


def _query_of(address: str) -> str:
    """The query of an address, encoded as the page encodes it; of a text that is no address, itself."""
    before, mark, behind = address.partition("?")
    if "=" in before:
        query = address
    elif mark:
        query = behind.partition("#")[0]
    else:
        query = "" if "://" in address else address
    pairs = [pair for pair in parse_qsl(query, keep_blank_values=True) if pair[0] not in _OF_THE_READER]
    return urlencode(pairs, quote_via=lambda text, *_: quote_plus(text, safe="*").replace("~", "%7E"))


class SavedViews(EditedFile[dict[str, str]]):
    """Names of views, each with the query of its address.

    Args:
        logdir: the log directory, or a log file in it; a remote one has no views.
    """

    most_bytes = 8 << 20
    patience = 10.0

    def __init__(self, logdir: str) -> None:
        self._remote = "://" in logdir
        super().__init__(
            os.path.join(os.path.dirname(logdir) if os.path.isfile(logdir) else logdir, VIEWS_FILE)
        )

    def _empty(self) -> dict[str, str]:
        return {}

    def _of_json(self, found: object) -> dict[str, str]:
        views = found.get("views") if isinstance(found, dict) else None
        kept = {
            name: query
            for name, query in (views.items() if isinstance(views, dict) else ())
            if name.strip() and len(name) <= _LONGEST_NAME and name.isprintable() and _is_query(query)
        }
        return dict(list(kept.items())[:_MOST_VIEWS])

    def _as_json(self, content: dict[str, str]) -> object:
        return {"views": content}

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

        def change(views: dict[str, str]) -> dict[str, str]:
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
            return views

        self._rewrite(change)


def _is_query(query: object) -> bool:
    return (
        isinstance(query, str)
        and len(query) <= _LONGEST_QUERY
        and query.isascii()
        and query.isprintable()
        and not set(query) & set(" \"'<>\\#?")
    )
