"""Workers of a sweep on a Ray cluster: tasks that take on trials, from the same directory as all others."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from vizkit._language import tr
from vizkit.errors import DataError, LogNotFoundError, MissingDependencyError, VizKitError
from vizkit.sweeps._study import SweepStudy
from vizkit.sweeps._workers import WorkerProcess, look_after, take_part

if TYPE_CHECKING:
    import ray

__all__ = ["import_ray", "run_on_ray"]


def import_ray() -> None:
    """Import Ray.

    Raises:
        MissingDependencyError: it is not installed.
    """
    try:
        import ray  # noqa: F401
    except ImportError:
        raise MissingDependencyError.for_extra(
            "ray", tr("engine='ray' needs ray"), tr("or start the same program on each machine")
        ) from None


def run_on_ray(
    study: SweepStudy,
    sent: bytes,
    count: int,
    resources: Mapping[str, float],
    *,
    on_look: Callable[[], object] = lambda: None,
) -> None:
    """Have tasks of a Ray cluster do a job: that of this process, of ``RAY_ADDRESS``, or a local one.

    Args:
        study: the sweep, in a directory that all nodes see.
        sent: the job, as `pickled` gives it.
        count: how many tasks there are; those that find no room wait for it.
        resources: what each occupies: ``CPU``, ``GPU``, ``memory`` in bytes, or the cluster's own.
        on_look: called several times a second.

    Raises:
        DataError: no node of the cluster has the resources.
        VizKitError: what a worker cannot go on with, such as a directory that its node does not see.
    """
    import ray

    with _cluster():
        nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
        if not any(all(node.get(name, 0) >= least for name, least in resources.items()) for node in nodes):
            raise DataError(
                "no node of the Ray cluster has {resources}; they have {nodes}",
                resources=dict(resources),
                nodes=[{name: amount for name, amount in node.items() if ":" not in name} for node in nodes],
            )
        of_ray = {"CPU": "num_cpus", "GPU": "num_gpus", "memory": "memory"}
        options: dict[str, Any] = {of_ray[name]: n for name, n in resources.items() if name in of_ray}
        options["resources"] = {name: n for name, n in resources.items() if name not in of_ray}
        task = ray.remote(max_calls=1, max_retries=0, scheduling_strategy="SPREAD", **options)(_take_part)
        begin = partial(task.remote, ray.put(sent), os.path.abspath(study.logdir))
        look_after([_Task(study, begin) for _ in range(count)], on_look)


@contextmanager
def _cluster() -> Iterator[None]:
    """Connect to a cluster for as long as it takes, if the program has not."""
    import ray

    if ray.is_initialized():
        yield
        return
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is sent anywhere for having called us
    ray.init(log_to_driver=False)  # stdout is the result's
    try:
        yield
    finally:
        ray.shutdown()


def _take_part(sent: bytes, logdir: str, worker: str) -> str:
    """Work on a node; return why it cannot go on, or an empty text if all is done."""
    try:
        take_part(sent, logdir, worker)
    except LogNotFoundError as error:
        host = socket.gethostname()
        return tr("{error}, as {host} sees it: all nodes must see one directory", error=error, host=host)
    except VizKitError as error:
        return str(error)
    return ""


class _Task(WorkerProcess):
    """A worker on some node."""

    def __init__(self, study: SweepStudy, begin: Callable[[str], ray.ObjectRef]) -> None:
        self._begin = begin
        super().__init__(study)

    def _start(self) -> None:
        self._ref = self._begin(self.identity)

    def _end(self) -> str | None:
        import ray

        ready, _ = ray.wait([self._ref], timeout=0)
        if not ready:
            return None
        try:
            reason: str = ray.get(self._ref)
        except ray.exceptions.TaskCancelledError:
            raise KeyboardInterrupt from None
        except ray.exceptions.RayError as error:  # its process or its node has died
            return str(error)
        if reason:
            raise VizKitError("{reason}", reason=reason)
        return ""

    def interrupt(self) -> None:
        """Have it give its trial back and end."""
        import ray

        ray.cancel(self._ref)

    def wait(self, seconds: float) -> None:
        """Wait for its end, and kill it afterwards."""
        import ray

        ready, _ = ray.wait([self._ref], timeout=max(seconds, 0.1))
        if not ready:
            ray.cancel(self._ref, force=True)
