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

import numpy as np

from vizkit._atomic_writes import sync_directory
from vizkit._files import FileReader
from vizkit.columns.frame_scan import read_bytes
from vizkit.errors import DataError
from vizkit.format.file_names import PACKS_DIRECTORY, TABLES_DIRECTORY
from vizkit.format.input_packs import PACK_ENDING, PackIndex, encode_pack, read_arrays
from vizkit.metrics.arrays import Bools
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
                index = _index(path)
                found.update([] if index is None else index.digests.tolist())
        return found

    def lacking(self, directory: str, digests: Collection[int]) -> set[int]:
        """Those of some contents that a directory has not, after it was given packs of runs beside it."""
        known = self.known(directory)
        missing = set(digests) - known
        if missing and "://" not in directory:
            for path, pack in _packs_for(missing, _packs_beside(directory)):
                if not _is_worth_it(_in(pack, missing), pack):
                    continue
                try:
                    _link(path, directory)
                except OSError:
                    break  # another file system, or one without links
                found = pack.digests.tolist()
                known.update(found)
                missing.difference_update(found)
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


def _packs_for(wanted: set[int], paths: Iterator[str]) -> list[tuple[str, PackIndex]]:
    """The packs with some of the contents that are wanted, those with most of them first.

    Runs of a directory share packs: each is read once.
    """
    found: list[tuple[int, str, PackIndex]] = []
    seen: set[tuple[int, int]] = set()
    for path in islice(paths, _MOST_PACKS):
        pack = _index(path, own=True, seen=seen)
        count = 0 if pack is None else int(np.count_nonzero(_in(pack, wanted)))
        if pack is not None and count:
            found.append((count, path, pack))
    found.sort(key=lambda each: -each[0])
    return [(path, pack) for _, path, pack in found]


def _index(path: str, *, own: bool = False, seen: set[tuple[int, int]] | None = None) -> PackIndex | None:
    """The places of a pack's contents; None if it is no pack, or, of one to link, not this user's.

    Args:
        own: whether it is to link.
        seen: the files that are left out, by device and inode; this one is added.
    """
    with suppress(OSError, DataError):
        state = os.stat(path, follow_symlinks=False)
        is_own = not hasattr(os, "geteuid") or state.st_uid == os.geteuid()
        if not stat.S_ISREG(state.st_mode) or not (is_own or not own):
            return None
        if seen is not None:
            if (state.st_dev, state.st_ino) in seen:
                return None
            seen.add((state.st_dev, state.st_ino))
        with FileReader(path) as pack:
            return read_arrays(lambda start, end: read_bytes(pack, start, end), state.st_size)
    return None


def _in(pack: PackIndex, wanted: set[int]) -> Bools:
    """True for each content of a pack that is wanted."""
    return np.isin(pack.digests, np.fromiter(wanted, np.uint64, len(wanted)))


def _is_worth_it(needed: Bools, pack: PackIndex) -> bool:
    sizes = pack.ends - pack.starts
    return bool(needed.any()) and _USED * int(sizes[needed].sum()) >= int(sizes.sum())


def _link(path: str, directory: str) -> None:
    """Make a pack a file of a directory, too."""
    os.makedirs(directory, exist_ok=True)
    target = os.path.join(directory, os.path.basename(path))
    os.link(path, target, follow_symlinks=os.link not in os.supports_follow_symlinks)
    sync_directory(directory)
