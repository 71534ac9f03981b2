"""A log behind VisualDL's file layer, such as ``bos://`` or ``hdfs://``."""

from __future__ import annotations

import errno
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO

from vizkit._visualdl import import_visualdl
from vizkit.errors import ClosedError
from vizkit.writing.record_log import RecordLog

__all__ = ["RemoteLog"]


class RemoteLog(RecordLog):
    """A log behind VisualDL's own file layer, without locks and repair."""

    def __init__(
        self, path: str, first: Callable[[], bytes] = bytes, again: Callable[[], bytes] = bytes
    ) -> None:
        self.path = path
        self._first = first
        self._again = again
        self._file: IO[bytes] | None = None
        self._head = b""  # what the file begins with, if this process has created it
        self.lock = threading.RLock()

    @property
    def is_open(self) -> bool:
        """True if the remote file is open."""
        return self._file is not None

    def append(self, data: bytes) -> None:
        """Append whole frames.

        Raises:
            ClosedError: the log is closed.
            OSError: they could not be written, whatever error the file layer gives for it.
        """
        with self.lock:
            if self.closed:
                raise ClosedError("{path}: nothing can be recorded after close()", path=self.path)
            with self._os_errors():
                if self._file is None:
                    self._file = self._opened()
                self._file.write(data)

    def _opened(self) -> IO[bytes]:
        import_visualdl()
        from visualdl.io import bfile

        parent = self.path.rpartition("/")[0]
        if not bfile.exists(parent):
            bfile.makedirs(parent)
        new = not bfile.exists(self.path)
        file: IO[bytes] = bfile.BFile(self.path, "wb")
        self._head = self._first() if new else b""
        file.write(self._head or self._again())
        return file

    def close(self) -> None:
        """Flush and close the remote file.

        Raises:
            OSError: it cannot be written, or was deleted meanwhile, which only its end tells: looking for
                it takes a request, and nothing is left to write it again.
        """
        with self.lock:
            file, self._file = self._file, None
            self.closed = True
            if file is not None:
                with self._os_errors():
                    file.close()
                    self._check()

    def _check(self) -> None:
        from visualdl.io import bfile

        if not bfile.exists(self.path) or bfile.BFile(self.path, "rb").read(len(self._head)) != self._head:
            raise FileNotFoundError(
                errno.ENOENT, "deleted while it was recorded, with its records", self.path
            )

    @contextmanager
    def _os_errors(self) -> Iterator[None]:
        try:
            yield
        except OSError:
            raise
        except Exception as error:  # of a client of the remote system
            raise OSError(errno.EIO, f"{type(error).__name__}: {error}", self.path) from error
