"""File systems that hold logs: the local one, or a remote one through fsspec."""

from __future__ import annotations

import os
import posixpath
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import TYPE_CHECKING, NamedTuple, SupportsInt, cast

from vizkit._files import FileReader, is_shortage
from vizkit._language import reason_of, tr
from vizkit.columns.frame_scan import Readable
from vizkit.errors import DataError, MissingDependencyError
from vizkit.format.file_names import LOG_WORD, TABLES_DIRECTORY

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

__all__ = ["LogStat", "Store", "store_of"]


class LogStat(NamedTuple):
    """The state of a log file; equal states mean equal content.

    Attributes:
        path: the file.
        size: in bytes.
        changed: the time of the last change, or another version mark of the store.
        identity: differs for another file under the same path.
    """

    path: str
    size: int
    changed: object
    identity: object


class Store(ABC):
    """A file system that holds logs."""

    @abstractmethod
    def logs(self, directory: str) -> list[LogStat]:
        """The non-empty logs in a directory, in the order of their names; none if it is gone."""

    @abstractmethod
    def runs(self, root: str, unlisted: list[str] | None = None) -> dict[str, tuple[str, list[LogStat]]]:
        """Name below the root (``.`` for itself) -> path and non-empty logs of every directory with logs.

        Args:
            root: the directory.
            unlisted: gets the directories that may not be listed.

        Raises:
            DataError: the process has too many files open.
        """

    @abstractmethod
    def exists(self, path: str) -> bool:
        """True if there is such a file or directory."""

    @abstractmethod
    def is_file(self, path: str) -> bool:
        """True if there is such a file."""

    @abstractmethod
    def open(self, path: str) -> AbstractContextManager[Readable]:
        """Open a log for reading."""

    @abstractmethod
    def entries(self, directory: str) -> dict[str, int | None]:
        """The names in a directory, each with its size, None for a directory; none if it is gone.

        Links are left out, as is what is neither file nor directory.
        """


def store_of(path: str) -> Store:
    """The store of a path.

    Raises:
        MissingDependencyError: the path is remote, and the package for it is not installed.
        DataError: fsspec does not know the scheme.
    """
    return _Remote(path) if "://" in path else _LOCAL


class _Local(Store):
    """The local file system."""

    def logs(self, directory: str) -> list[LogStat]:
        try:
            return self._scan(directory)[0]
        except (FileNotFoundError, NotADirectoryError, PermissionError):
            return []

    def _scan(self, directory: str) -> tuple[list[LogStat], bool, list[str], list[str]]:
        """The non-empty logs, True if there is any log, the real directories and the linked ones."""
        logs: list[LogStat] = []
        real: list[str] = []
        links: list[str] = []
        any_log = False
        with os.scandir(directory) as entries:
            for entry in entries:
                try:
                    is_file, is_directory = entry.is_file(), entry.is_dir()
                except OSError:
                    continue  # a link to itself
                if LOG_WORD in entry.name and is_file:
                    any_log = True
                    try:
                        # On Windows the entry of an open file is as old as its opening.
                        stat = entry.stat() if os.name != "nt" else os.stat(entry.path)
                    except OSError:
                        continue  # gone already
                    if stat.st_size:
                        identity = (stat.st_dev, stat.st_ino)
                        logs.append(LogStat(entry.path, stat.st_size, stat.st_mtime_ns, identity))
                elif is_directory and entry.name != TABLES_DIRECTORY:
                    (links if entry.is_symlink() else real).append(entry.path)
        logs.sort()
        return logs, any_log, real, links

    def runs(self, root: str, unlisted: list[str] | None = None) -> dict[str, tuple[str, list[LogStat]]]:
        found: dict[str, tuple[str, list[LogStat]]] = {}
        seen = set()
        real: list[str] = [root]
        links: list[str] = []
        while real or links:
            # Links come last: a directory under the root is found there first, and no run is listed twice.
            path = real.pop() if real else links.pop(0)
            try:
                stat = os.stat(path)
                identity = (stat.st_dev, stat.st_ino) if stat.st_ino else os.path.realpath(path)
                if identity in seen:
                    continue
                seen.add(identity)
                logs, any_log, inner, inner_links = self._scan(path)
            except OSError as error:
                if is_shortage(error):
                    raise DataError(
                        "{path} cannot be listed: {strerror}; close files or raise ulimit -n",
                        path=path,
                        strerror=reason_of(error),
                    ) from error
                if unlisted is not None and isinstance(error, PermissionError):
                    unlisted.append(path)
                continue  # gone, or not readable: other runs are listed all the same
            real += inner
            links += inner_links
            if any_log:
                name = path[len(root) :].strip(os.sep).replace(os.sep, "/") or "."
                found[name] = (path, logs)
        return found

    def exists(self, path: str) -> bool:
        return os.path.exists(path)

    def is_file(self, path: str) -> bool:
        return os.path.isfile(path)

    def open(self, path: str) -> AbstractContextManager[Readable]:
        return FileReader(path)

    def entries(self, directory: str) -> dict[str, int | None]:
        found: dict[str, int | None] = {}
        with suppress(OSError), os.scandir(directory) as entries:
            for entry in entries:
                with suppress(OSError):
                    if entry.is_dir(follow_symlinks=False):
                        found[entry.name] = None
                    elif entry.is_file(follow_symlinks=False):
                        found[entry.name] = entry.stat(follow_symlinks=False).st_size
        return found


_LOCAL = _Local()


_CHANGED = ("ETag", "etag", "LastModified", "last_modified", "mtime", "updated")  # depends on the file system
_PACKAGES = {"s3": "s3fs", "s3a": "s3fs", "gs": "gcsfs", "gcs": "gcsfs", "hdfs": "pyarrow", "abfs": "adlfs"}


class _RemoteLog:
    """A remote file, as a `Readable`."""

    window = 1 << 23

    def __init__(self, files: AbstractFileSystem, path: str) -> None:
        self._files = files
        self._path = path

    def read_into(self, view: memoryview, at: int) -> int:
        """Fill ``view`` with the bytes from ``at`` on; return how many there were."""
        data: bytes = self._files.cat_file(self._path, start=at, end=at + len(view))
        view[: len(data)] = data
        return len(data)


class _Remote(Store):
    """A file system of fsspec; reads request only the bytes that are needed."""

    def __init__(self, url: str) -> None:
        try:
            import fsspec
        except ImportError as error:
            raise MissingDependencyError.for_extra(
                "remote", tr("logs in remote directories need fsspec")
            ) from error
        self._protocol = url.partition("://")[0]
        try:
            self._files = fsspec.core.url_to_fs(url)[0]
        except ImportError as error:
            package = _PACKAGES.get(self._protocol)
            if package:
                raise MissingDependencyError(
                    "logs at {protocol}:// need {package}: pip install {package}",
                    protocol=self._protocol,
                    package=package,
                ) from error
            raise MissingDependencyError(
                "logs at {protocol}:// cannot be read: {error}", protocol=self._protocol, error=error
            ) from error
        except ValueError as error:
            raise DataError(
                "{url} cannot be read: {error}; copy the logs here, and read those", url=url, error=error
            ) from error

    def _stat(self, info: Mapping[str, object]) -> LogStat:
        changed = [info.get(key) for key in _CHANGED]
        path = self._files.unstrip_protocol(info["name"])
        return LogStat(path, int(cast("SupportsInt", info["size"] or 0)), changed, None)

    def logs(self, directory: str) -> list[LogStat]:
        self._files.invalidate_cache()
        try:
            every = self._files.ls(directory, detail=True)
        except (FileNotFoundError, NotADirectoryError):
            return []
        found = [info for info in every if info["type"] == "file" and info["size"]]
        found = [info for info in found if LOG_WORD in posixpath.basename(info["name"])]
        return [self._stat(info) for info in sorted(found, key=lambda info: info["name"])]

    def runs(self, root: str, unlisted: list[str] | None = None) -> dict[str, tuple[str, list[LogStat]]]:
        self._files.invalidate_cache()
        found: dict[str, tuple[str, list[LogStat]]] = {}
        top = self._files._strip_protocol(root).rstrip("/")
        every = self._files.find(root, detail=True)
        for name, info in sorted(every.items()):
            directory, base = posixpath.split(name)
            if LOG_WORD not in base:
                continue
            run = directory[len(top) :].strip("/") or "."
            logs = found.setdefault(run, (self._files.unstrip_protocol(directory), []))[1]
            if info["size"]:
                logs.append(self._stat(info))
        return found

    def exists(self, path: str) -> bool:
        return bool(self._files.exists(path) or self._files.isdir(path))  # for fsspec of 2023 they differ

    def is_file(self, path: str) -> bool:
        return bool(self._files.isfile(path))

    @contextmanager
    def open(self, path: str) -> Iterator[Readable]:
        yield _RemoteLog(self._files, path)

    def entries(self, directory: str) -> dict[str, int | None]:
        self._files.invalidate_cache()
        try:
            every = self._files.ls(directory, detail=True)
        except (FileNotFoundError, NotADirectoryError):
            return {}
        return {
            posixpath.basename(info["name"].rstrip("/")): info["size"] if info["type"] == "file" else None
            for info in every
        }
