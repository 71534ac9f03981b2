"""Logs read back: log files to columns, followed as they grow.

`RunReader` reads one run directory, `LogRoot` all run directories under a root. `vizkit.columns` holds what
makes this fast.
"""

from __future__ import annotations

from vizkit.reading.entries import Entries
from vizkit.reading.log_root import Changes, LogRoot, natural_key
from vizkit.reading.log_tail import Problem
from vizkit.reading.run_reader import RunReader
from vizkit.reading.run_tables import Input, RunTables, TableFile
from vizkit.reading.scalar_columns import Recorded, Scalars

__all__ = [
    "Changes",
    "Entries",
    "Input",
    "LogRoot",
    "Problem",
    "Recorded",
    "RunReader",
    "RunTables",
    "Scalars",
    "TableFile",
    "natural_key",
]
