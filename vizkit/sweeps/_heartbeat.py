"""Signs of life of a sweep's workers: at once on this machine, by the time of a file on others."""

from __future__ import annotations

import os
import socket
import threading
import uuid
from collections.abc import Mapping
from contextlib import suppress

from vizkit._protocols import JSONObject
from vizkit.environment.processes import is_alive, process_identity

__all__ = ["Heartbeat"]

_BEAT_SECONDS = 15.0
_DEAD_AFTER = 120.0  # seconds without a beat, of a worker on another machine

_WORKING: set[str] = set()  # in this process: the others of its heartbeats have left


class Heartbeat:
    """The sign of life of one worker: a file that is written anew every 15 s from its first trial on.

    Args:
        directory: where the workers of the sweep have theirs.
        identity: a text that no other worker has; by default a random one.
    """

    def __init__(self, directory: str, identity: str | None = None) -> None:
        self._directory = directory
        self.worker: JSONObject = {
            "id": identity or uuid.uuid4().hex,
            "pid": os.getpid(),
            "process": process_identity(os.getpid()),
            "host": socket.gethostname(),
        }
        self._stop: threading.Event | None = None

    def start(self) -> None:
        """Let others know that this worker is alive; nothing happens if it has begun."""
        if self._stop is not None:
            return
        _WORKING.add(self.worker["id"])
        self._touch()
        stop = self._stop = threading.Event()

        def beat() -> None:
            while not stop.wait(_BEAT_SECONDS):
                with suppress(OSError):
                    self._touch()

        threading.Thread(target=beat, name="vizkit-sweep-beat", daemon=True).start()

    def stop(self) -> None:
        """End this worker's part: trials that it still holds are free."""
        _WORKING.discard(self.worker["id"])
        if self._stop is not None:
            self._stop.set()
            self._stop = None
            with suppress(OSError):
                os.unlink(self._path(self.worker["id"]))

    def is_dead(self, worker: Mapping[str, object]) -> bool:
        """True if a worker is gone, or has left the sweep."""
        if all(worker.get(name) == self.worker[name] for name in ("pid", "process", "host")):
            return worker["id"] not in _WORKING
        alive = is_alive(worker)
        if alive is not None:
            return not alive
        try:
            last = os.stat(self._path(worker["id"])).st_mtime
        except OSError:
            return True
        self._touch()
        # Both by the clock of the file's server.
        return os.stat(self._path(self.worker["id"])).st_mtime - last > _DEAD_AFTER

    def _path(self, identity: object) -> str:
        return os.path.join(self._directory, str(identity))

    def _touch(self) -> None:
        with open(self._path(self.worker["id"]), "wb") as file:
            file.write(b"1")
