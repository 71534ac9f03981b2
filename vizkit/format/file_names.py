"""Names of a run's files. VisualDL knows its files by a word that their names contain."""

from __future__ import annotations

__all__ = [
    "CONSOLE_FILE",
    "ENVIRONMENT_FILE",
    "GRAPH_WORD",
    "LOG_WORD",
    "MODEL_WORD",
    "PACKS_DIRECTORY",
    "REMARKS_FILE",
    "TABLES_DIRECTORY",
    "TRACE_WORD",
    "VIEWS_FILE",
]

LOG_WORD = "vdlrecords"
"""In the name of every log: ``vdlrecords.<time>.log``."""

GRAPH_WORD = "vdlgraph"
"""In the name of a network's graph: ``vdlgraph.<time>.log``."""

MODEL_WORD = "pdmodel"
"""In the name of a saved static network."""

TRACE_WORD = "paddle_trace"
"""In the name of a trace of Paddle's profiler."""

ENVIRONMENT_FILE = "environment.json"
"""How a run was made; see `vizkit.environment`."""

CONSOLE_FILE = "vizkit.console.log"
"""What the process printed; see `vizkit.tracking.console`."""

REMARKS_FILE = "remarks.json"
"""What people say of a run; see `vizkit.runs.remarks`."""

VIEWS_FILE = "views.json"
"""Views that people saved, in the log directory; see `vizkit.runs.saved_views`."""

TABLES_DIRECTORY = "vizkit.tables"
"""The directory beside a log with its tables; it is never taken for a run's."""

PACKS_DIRECTORY = ".inputs"
"""The directory within, with the images and texts that tables refer to; no table's name begins so."""
