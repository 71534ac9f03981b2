"""The writer that takes the place of VisualDL's under `vizkit.autolog`."""

from __future__ import annotations

import functools
import inspect
import os
from collections.abc import Callable

from vizkit import _ranks
from vizkit._visualdl import import_visualdl
from vizkit._warnings import warn
from vizkit.errors import ClosedError, TagError, VizKitWarning
from vizkit.hooks._autolog.configuration import settings_of_program
from vizkit.hooks._autolog.suite_sessions import SuiteSession, SuiteWriter
from vizkit.writing.log_writer import LogWriter as VizKitLogWriter

__all__ = ["LogWriter", "stock_log_writer"]

_KINDS = {
    "add_metrics": "scalar",
    "add_image_matrix": "image",
    "add_figure": "image",
    "add_confusion_matrix": "image",
}


def stock_log_writer() -> type | None:
    """VisualDL's own writer, also while another class has its name; None until VisualDL is imported."""
    for base in VizKitLogWriter.__mro__:
        if base.__module__.partition(".")[0] == "visualdl":
            return base
    return None


class _InPlaceOfStock(type):
    """The metaclass of a writer that passes for VisualDL's, and is VisualDL's if it cannot be made."""

    _warned = False

    def __call__(cls, *args: object, **kwargs: object) -> object:
        try:
            return super().__call__(*args, **kwargs)
        except VizKitWarning:  # made an error by the user's filter
            raise
        except Exception as error:
            if cls is not LogWriter:  # a subclass, whose author may want to know
                raise
            import_visualdl()
            stock = stock_log_writer()
            if stock is None:
                raise
            writer = stock(*args, **kwargs)
            if not _InPlaceOfStock._warned:
                _InPlaceOfStock._warned = True
                warn(
                    "autolog: VisualDL's own writer is used: {type}: {error}",
                    type=type(error).__name__,
                    error=error,
                )
            return writer

    def __instancecheck__(cls, instance: object) -> bool:
        if cls is LogWriter and (stock := stock_log_writer()) and isinstance(instance, stock):
            return True
        return super().__instancecheck__(instance)

    def __subclasscheck__(cls, subclass: type) -> bool:
        if cls is LogWriter and (stock := stock_log_writer()) and issubclass(subclass, stock):
            return True
        return super().__subclasscheck__(subclass)


class LogWriter(SuiteWriter, metaclass=_InPlaceOfStock):
    """`vizkit.LogWriter`, for code that was written for VisualDL's and expects no error of VizKit's.

    A value that cannot be recorded is warned about once a tag. A tag that VisualDL could not serve is
    recorded under the nearest that it can. After ``close``, adding opens the log again, as VisualDL does.
    On ranks other than 0 nothing is recorded. From the first record on, the run has ``environment.json``,
    system metrics, and the settings of the program as hyper-parameters.

    Arguments are those of `vizkit.LogWriter`. Unknown ones are ignored with a warning, but for
    ``log_dir``, which is taken for ``logdir``.

    Attributes:
        quiet: as of `vizkit.Tracker`; of all writers.
    """

    quiet = False
    _warned_of_rank = False

    def __init__(
        self,
        logdir: str | os.PathLike[str] | None = None,
        comment: str = "",
        max_queue: int = 10,
        flush_secs: float = 120,
        filename_suffix: str = "",
        write_to_disk: bool = True,
        display_name: str = "",
        file_name: str = "",
        **unknown: object,
    ) -> None:
        if unknown:
            logdir = logdir or str(unknown.get("log_dir") or "")
            names = ", ".join(map(repr, unknown))
            if "log_dir" in unknown:
                warn(
                    "LogWriter got unknown arguments {names}; 'log_dir' is taken for logdir={logdir!r}",
                    names=names,
                    logdir=logdir,
                )
            else:
                warn("LogWriter got unknown arguments {names}, which are left out", names=names)
        again = functools.partial(
            VizKitLogWriter.__init__,
            max_queue=max_queue,
            flush_secs=flush_secs,
            filename_suffix=filename_suffix,
            write_to_disk=write_to_disk,
            display_name=display_name,
            file_name=file_name,
        )
        again(self, logdir, comment)
        self._open_again = functools.partial(again, logdir=self.logdir)
        self._suite_session: SuiteSession | None = None
        self._error: BaseException | None = None  # that leaves the ``with`` block
        self._waits = True  # for the first record, and in notebooks for the first of each cell
        if not _ranks.is_importing():
            self._leave_to_rank_0()

    def _leave_to_rank_0(self) -> None:
        rank = _ranks.rank()
        if not rank or not self._write_to_disk:
            return
        self._open_again(self, write_to_disk=False)
        if not LogWriter._warned_of_rank:
            LogWriter._warned_of_rank = True
            warn(
                "autolog: on rank {rank}, LogWriter({logdir!r}) records nothing; rank 0 does",
                rank=rank,
                logdir=self.logdir,
            )

    def _starts(self, verb: str) -> bool:
        """Start to record what a tracker does; False during the imports of a spawned process."""
        if _ranks.is_importing():
            return False
        self._waits = False
        if self._suite_session is not None:  # a notebook's next cell
            self._suite_session.goes_on()
            return True
        self._leave_to_rank_0()
        if not self._write_to_disk or "://" in self.logdir:
            return True
        try:
            self.begin()
            self._suite_session = SuiteSession(self, quiet=LogWriter.quiet)
            if self._suite_session.is_new and verb != "add_hparams" and (settings := settings_of_program()):
                VizKitLogWriter.add_hparams(self, settings, [])
        except VizKitWarning:
            raise
        except (OSError, ClosedError):
            pass  # the record itself meets it
        except Exception as error:
            self.losses.count("environment", error)
        return True

    def close(self) -> None:
        """Finish the log and the run's session."""
        super().close()
        if self._suite_session is not None:
            self._suite_session.close(self._error)
            self._suite_session = None

    def __exit__(self, *exc_info: object) -> None:
        """Close it; the run has failed if there is an error."""
        self._error = next((each for each in exc_info if isinstance(each, BaseException)), None)
        super().__exit__(*exc_info)
        self._error = None

    def _forgive(
        self,
        method: Callable[..., None],
        args: tuple[object, ...],
        kwargs: dict[str, object],
        error: Exception,
    ) -> None:
        """Repeat a call that failed in another way, or count its record as lost."""
        try:
            bound = inspect.signature(method).bind(self, *args, **kwargs)
        except TypeError:
            raise error from None  # a wrong call
        key = "main_tag" if "main_tag" in bound.arguments else "tag"
        tag = bound.arguments.get(key, method.__name__.removeprefix("add_"))
        try:
            if isinstance(error, ClosedError):
                self._open_again(self)
                self._starts(method.__name__)
            elif isinstance(error, TagError) and key in bound.arguments:
                kind = _KINDS.get(method.__name__, method.__name__.removeprefix("add_"))
                bound.arguments[key] = self._tags.rename(tag, kind, error)
            else:
                raise error
            method(*bound.args, **bound.kwargs)
        except VizKitWarning:  # made an error by the user's filter
            raise
        except Exception as last:
            self.losses.count(str(tag), last)


def _forgiving(method: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(method)
    def add(self: LogWriter, *args: object, **kwargs: object) -> None:
        if self._waits and not self._starts(method.__name__):
            return
        try:
            method(self, *args, **kwargs)
        except VizKitWarning:
            raise
        except Exception as error:
            self._forgive(method, args, kwargs, error)

    return add


for _name in dir(VizKitLogWriter):
    if _name.startswith("add_"):
        setattr(LogWriter, _name, _forgiving(getattr(VizKitLogWriter, _name)))
