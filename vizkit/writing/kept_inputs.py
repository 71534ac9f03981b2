"""The images, texts and layers of a run's tables, in packs beside its log.

Runs that evaluate the same data need the same images. A pack of a run in the same directory that holds much
of what is needed becomes a file of both by a hard link: the disk has it once, no run depends on another, and
a copy of one is whole. What cannot be linked is written.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from itertools import islice

from vizkit._atomic_writes import sync_directory
from vizkit._files import FileReader
from vizkit.columns.frame_scan import read_bytes
from vizkit.errors import DataError
from vizkit.format.file_names import PACKS_DIRECTORY, TABLES_DIRECTORY
from vizkit.format.input_packs import PACK_ENDING, PackPlace, encode_pack, read_index
from vizkit.writing.run_directory import write_new

__all__ = ["KeptInputs"]

_MOST_RUNS = 256  # that are looked at, the latest first
_MOST_PACKS = 1000
_MOST_ENTRIES = 10_000  # of a directory
_USED = 4  # at least a fourth of a pack's bytes must be needed


class KeptInputs:
    """The packs of a run, known by the digests of their contents."""

    def __init__(self) -> None:
        self._known: dict[str, set[int]] = {}

    def known(self, directory: str) -> set[int]:
        """The digests of the contents in a directory of packs; to be changed by this class alone."""
        found = self._known.get(directory)
        if found is None:
            found = self._known[directory] = set()
            for path in [] if "://" in directory else _packs_in(directory):
                found.update(_index(path) or ())
        return found

    def lacking(self, directory: str, digests: Collection[int]) -> set[int]:
        """Those of some contents that a directory has not, after it was given packs of runs beside it."""
        known = self.known(directory)
        missing = set(digests) - known
        if missing and "://" not in directory:
            for path, places in _packs_for(missing, _packs_beside(directory)):
                needed = missing & places.keys()
                if not _is_worth_it(needed, places):
                    continue
                try:
                    _link(path, directory)
                except OSError:
                    break  # another file system, or one without links
                known.update(places)
                missing -= needed
        return missing

    def write(self, directory: str, new: Mapping[int, tuple[int, bytes]]) -> None:
        """Write contents as a pack: digest -> kind and bytes.

        Raises:
            OSError: it cannot be written.
        """
        write_new(f"{directory}/{time.time_ns()}-{min(new):016x}{PACK_ENDING}", encode_pack(new))
        self.known(directory).update(new)


def _packs_in(directory: str) -> list[str]:
    with suppress(OSError):
        return [os.path.join(directory, name) for name in os.listdir(directory) if name.endswith(PACK_ENDING)]
    return []


def _packs_beside(directory: str) -> Iterator[str]:
    """Packs of the runs beside the one with this directory."""
    run = os.path.dirname(os.path.dirname(directory))
    for other in _inner(os.path.dirname(run), run)[:_MOST_RUNS]:
        yield from _packs_in(os.path.join(other, TABLES_DIRECTORY, PACKS_DIRECTORY))


def _inner(directory: str, without: str) -> list[str]:
    """The directories in one, the latest first."""
    found: list[tuple[float, str]] = []
    with suppress(OSError), os.scandir(directory) as entries:
        for entry in islice(entries, _MOST_ENTRIES):
            with suppress(OSError):
                if entry.path != without and entry.is_dir(follow_symlinks=False):
                    found.append((-entry.stat(follow_symlinks=False).st_mtime, entry.path))
    return [path for _, path in sorted(found)]


def _packs_for(wanted: set[int], paths: Iterator[str]) -> list[tuple[str, dict[int, PackPlace]]]:
    """The packs with some of the contents that are wanted, those with most of them first."""
    found = [(path, places) for path in islice(paths, _MOST_PACKS) if (places := _index(path, own=True))]
    found = [(path, places) for path, places in found if not wanted.isdisjoint(places)]
    return sorted(found, key=lambda each: -len(wanted & each[1].keys()))


def _index(path: str, *, own: bool = False) -> dict[int, PackPlace] | None:
    """The places of a pack's contents; None if it is no pack, or, of one to link, not this user's."""
    with suppress(OSError, DataError):
        state = os.stat(path, follow_symlinks=False)
        is_own = not hasattr(os, "geteuid") or state.st_uid == os.geteuid()
        if stat.S_ISREG(state.st_mode) and (is_own or not own):
            with FileReader(path) as pack:
                return read_index(lambda start, end: read_bytes(pack, start, end), state.st_size)
    return None


def _is_worth_it(needed: set[int], places: Mapping[int, PackPlace]) -> bool:
    size = sum(place.end - place.start for place in places.values())
    return bool(needed) and _USED * sum(places[one].end - places[one].start for one in needed) >= size


def _link(path: str, directory: str) -> None:
    """Make a pack a file of a directory, too."""
    os.makedirs(directory, exist_ok=True)
    target = os.path.join(directory, os.path.basename(path))
    os.link(path, target, follow_symlinks=os.link not in os.supports_follow_symlinks)
    sync_directory(directory)
