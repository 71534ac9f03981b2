"""The environment of a run: a snapshot of its process, kept as ``environment.json`` beside the log."""

from __future__ import annotations

from vizkit.environment.process_snapshot import DEFAULT_ALLOWED, snapshot
from vizkit.environment.session import Session, is_open
from vizkit.environment.session_file import FILE_NAME, is_run_of, read_environment

__all__ = ["DEFAULT_ALLOWED", "FILE_NAME", "Session", "is_open", "is_run_of", "read_environment", "snapshot"]
