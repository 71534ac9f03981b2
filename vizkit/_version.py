"""The version of the installed distribution, looked up when it is first asked for."""

from importlib.metadata import PackageNotFoundError, version

from vizkit.errors import DISTRIBUTION

__all__ = ["__version__"]

try:
    __version__ = version(DISTRIBUTION)
except PackageNotFoundError:  # a source tree that was not installed
    __version__ = "0+unknown"
