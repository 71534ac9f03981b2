"""Logs read back: what the rest of VizKit reads with.

`RunLogs` is one run directory, `LogRoot` all of them under a root. How they read fast is in
`vizkit.records.walk` (frames) and `vizkit.records.bulk` (records).
"""

from __future__ import annotations

from vizkit.records.follow import Problem
from vizkit.records.root import Changes, LogRoot, natural_key
from vizkit.records.runlogs import Entries, RunLogs, Scalars

__all__ = ["Changes", "Entries", "LogRoot", "Problem", "RunLogs", "Scalars", "natural_key"]
