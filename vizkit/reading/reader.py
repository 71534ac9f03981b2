"""Logs read back: what the rest of VizKit reads with.

`RunLogs` is one run directory, `LogRoot` all of them under a root. How they read fast is in
`vizkit.columns.scan` (frames) and `vizkit.columns.columnar` (records).
"""

from __future__ import annotations

from vizkit.reading.log_root import Changes, LogRoot, natural_key
from vizkit.reading.log_tail import Problem
from vizkit.reading.run_reader import Entries, RunLogs, Scalars

__all__ = ["Changes", "Entries", "LogRoot", "Problem", "RunLogs", "Scalars", "natural_key"]
