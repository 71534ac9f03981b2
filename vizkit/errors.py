"""Every error and warning that VizKit raises, as one tree.

::

    VizKitError
     +-- ConflictError (ValueError)          what is to be changed has been changed by another editor
     +-- DataError (ValueError)              a value, image, curve ... that cannot be recorded
     +-- TagError (ValueError)               a tag that VisualDL could not serve
     +-- ClosedError (RuntimeError)          a write after close
     +-- RunExistsError (FileExistsError)    the run directory already holds records
     +-- RunStartError (OSError)             the run directory cannot be written
     +-- MissingDependencyError (ImportError) an extra that is not installed
     +-- LogNotFoundError (FileNotFoundError) a log directory or file that is not there
     +-- UnknownNameError (KeyError)         a run, tag or hyper-parameter that is not there
     +-- QueryError (ValueError)             an impossible question about runs
     +-- ServeError (OSError)                a host or port that cannot be listened on
    VizKitWarning (UserWarning)              something was changed or left out, and training continues
"""

from __future__ import annotations

from vizkit._language import tr

__all__ = [
    "ClosedError",
    "ConflictError",
    "DataError",
    "LogNotFoundError",
    "MissingDependencyError",
    "QueryError",
    "RunExistsError",
    "RunStartError",
    "ServeError",
    "TagError",
    "UnknownNameError",
    "VizKitError",
    "VizKitWarning",
]

DISTRIBUTION = "paddle-vizkit"  # VizKit's name on PyPI; `vizkit` is another project there


class VizKitError(Exception):
    """The root of all errors that VizKit raises.

    Args:
        message: the English text, which is translated; see `vizkit.language`.
        values: what stands in its placeholders.
    """

    def __init__(self, message: str, /, **values: object) -> None:
        super().__init__(tr(message, **values))


class DataError(VizKitError, ValueError):
    """A value that cannot be recorded; the message names it and says what to do."""


class TagError(VizKitError, ValueError):
    """A tag that stock VisualDL could not read or serve."""


class ClosedError(VizKitError, RuntimeError):
    """A record was added after ``close``."""


class ConflictError(VizKitError, ValueError):
    """Something was to be changed that another editor has changed meanwhile; it stays as it is.

    Attributes:
        current: its present text; None if it is gone.
    """

    def __init__(self, message: str, /, *, current: str | None, **values: object) -> None:
        super().__init__(message, **values)
        self.current = current


class RunExistsError(VizKitError, FileExistsError):
    """The run directory already holds records and ``if_exists="fail"`` was asked for."""


class RunStartError(VizKitError, OSError):
    """A run cannot be begun: its directory or log cannot be made or written."""


class MissingDependencyError(VizKitError, ImportError):
    """An optional package is missing; the message holds the ``pip install`` line."""

    @classmethod
    def for_extra(cls, extra: str, need: str, hint: str = "") -> MissingDependencyError:
        """Build the error for an extra of VizKit that is not installed.

        Args:
            extra: name of the extra, or several names, separated by commas.
            need: which part of VizKit needs which package, as in ``"plots need matplotlib"``.
            hint: another way out.
        """
        return cls(f"{need}: pip install '{DISTRIBUTION}[{extra}]'" + (f" ({hint})" if hint else ""))


class LogNotFoundError(VizKitError, FileNotFoundError):
    """There is no such log directory or file."""


class UnknownNameError(VizKitError, KeyError):
    """A run, tag or hyper-parameter that is not there; the message names the closest ones."""

    __str__ = Exception.__str__  # KeyError's shows its argument quoted and escaped


class QueryError(VizKitError, ValueError):
    """A filter, comparison or statistic that is impossible with these runs; the message says why."""


class ServeError(VizKitError, OSError):
    """A host or port that cannot be listened on; the message names the process that uses it, if known."""


class VizKitWarning(UserWarning):
    """Something was changed or left out so that training can continue."""
