"""Worker processes of a sweep: fresh interpreters that take on trials until there are none."""

from __future__ import annotations

import atexit
import os
import pickle
import signal
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NoReturn

from vizkit._language import tr
from vizkit.errors import DataError, MissingDependencyError, VizKitError
from vizkit.sweeps._study import SweepStudy
from vizkit.sweeps._training import Training, run_trial
from vizkit.sweeps.space import Value

if TYPE_CHECKING:
    import optuna

__all__ = ["Job", "WorkerProcess", "look_after", "pickled", "run_workers", "take_part", "work"]

_INTERRUPTED = 130
_REFUSED = 3  # exit code of a worker that cannot go on, and whose log ends with the reason
_MARK = "vizkit-sweep: "
_LAST_WAIT = 60.0
_MOST_PAUSE = 0.2
_MOST_STARTS = 5
_THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS")


def _any(point: dict[str, Value]) -> bool:
    return True


@dataclass
class Job:
    """The work of a process for a sweep.

    Attributes:
        training: how a run is trained.
        most: how many trials the sweep has; None: no end.
        retries: how often a trial whose process was killed is tried again.
        constraint: what a point must fulfil.
        until: seconds since 1970 after which no trial is begun.
        sampler, pruner: Optuna's own, in the place of those that the plan names.
    """

    training: Training
    most: int | None = None
    retries: int = 2
    constraint: Callable[[dict[str, Value]], bool] = field(default=_any)
    until: float = float("inf")
    sampler: optuna.samplers.BaseSampler | None = None
    pruner: optuna.pruners.BasePruner | None = None


def work(
    study: SweepStudy,
    job: Job,
    *,
    on_end: Callable[[], object] = lambda: None,
    goes_on: Callable[[], bool] = lambda: True,
) -> None:
    """Train trial after trial, until as many as wanted have ended, here or elsewhere.

    Args:
        study: the sweep.
        job: what to do.
        on_end: called after each trial.
        goes_on: no trial is begun once this is False.
    """
    try:
        while time.time() < job.until and goes_on():
            claim = study.claim(job.most, job.retries, job.constraint)
            if claim is None:
                if not study.running():
                    return
                study.wait(_MOST_PAUSE)  # a trial that runs elsewhere comes back if its process dies
                continue
            run_trial(study, claim, job.training)
            on_end()
    finally:
        study.leave()


def pickled(job: Job) -> bytes:
    """A job as bytes, with the functions that it is made of.

    Raises:
        DataError: something in it cannot be pickled.
        MissingDependencyError: cloudpickle is not installed.
    """
    try:
        import cloudpickle
    except ImportError:
        raise MissingDependencyError.for_extra(
            "sweep", tr("worker processes need cloudpickle"), tr("or pass workers=1")
        ) from None
    spawned = sys.modules.get("__mp_main__")  # the script, in a spawned process: workers cannot import it
    try:
        if spawned is not None:
            cloudpickle.register_pickle_by_value(spawned)
        data: bytes = cloudpickle.dumps(job)
    except Exception as error:
        raise DataError(
            "the training cannot be sent to worker processes ({error}): make what it uses within it, or pass "
            "workers=1",
            error=error,
        ) from error
    finally:
        if spawned is not None:
            cloudpickle.unregister_pickle_by_value(spawned)
    return data


def take_part(sent: bytes, logdir: str, worker: str, goes_on: Callable[[], bool] = lambda: True) -> None:
    """Work on a job that `pickled` gave, as a worker process."""
    job: Job = pickle.loads(sent)  # noqa: S301 - of our own program
    if job.sampler is not None:
        job.sampler.reseed_rng()
    study = SweepStudy(logdir, sampler=job.sampler, pruner=job.pruner, worker=worker)
    work(study, job, goes_on=goes_on)


class WorkerProcess(ABC):
    """A worker process, started anew when it dies.

    Args:
        study: the sweep.
    """

    def __init__(self, study: SweepStudy) -> None:
        self._study = study
        self._starts = 0  # in a row, without a trial
        self._restart()

    def _restart(self) -> None:
        self.identity = uuid.uuid4().hex
        self._start()

    @abstractmethod
    def _start(self) -> None:
        """Start the process, as the worker of this identity."""

    @abstractmethod
    def _end(self) -> str | None:
        """The last words of the process; None while it runs, an empty text if all is done.

        Raises:
            KeyboardInterrupt: it was interrupted.
            VizKitError: it cannot go on.
        """

    @abstractmethod
    def interrupt(self) -> None:
        """Have it give its trial back and end."""

    @abstractmethod
    def wait(self, seconds: float) -> None:
        """Wait for its end, and kill it afterwards."""

    def looks_after(self) -> bool:
        """True while the process runs or was started again.

        Raises:
            KeyboardInterrupt: it was interrupted.
            VizKitError: it cannot go on, such as with a metric that is never recorded.
        """
        said = self._end()
        if said == "":
            return False
        if said is None:
            return True
        self._starts = 0 if self._study.has_begun(self.identity) else self._starts + 1
        if self._starts == _MOST_STARTS:
            raise VizKitError("a worker of the sweep ended at its start: {said}", said=said)
        self._restart()
        return True


def look_after(workers: Sequence[WorkerProcess], on_look: Callable[[], object]) -> None:
    """Wait until all workers are done. An error or Ctrl-C ends them, and their trials are given back.

    Args:
        workers: the processes.
        on_look: called several times a second.
    """
    try:
        while any([worker.looks_after() for worker in workers]):  # noqa: C419 - each of them
            on_look()
            time.sleep(0.05)
    except BaseException:
        for worker in workers:
            worker.interrupt()
        end = time.monotonic() + _LAST_WAIT
        for worker in workers:
            worker.wait(end - time.monotonic())
        raise


def run_workers(
    study: SweepStudy,
    sent: bytes,
    count: int,
    *,
    gpus: Sequence[int | str] | None = None,
    on_look: Callable[[], object] = lambda: None,
) -> None:
    """Have processes of this machine do a job, cores and GPUs divided among them.

    Args:
        study: the sweep.
        sent: the job, as `pickled` gives it.
        count: how many there are.
        gpus: the GPUs to divide; by default those of ``CUDA_VISIBLE_DEVICES``, or all.
        on_look: called several times a second.

    Raises:
        VizKitError: what a worker cannot go on with, such as a metric that is never recorded.
    """
    with tempfile.TemporaryDirectory(prefix="vizkit-sweep-") as directory:
        payload = os.path.join(directory, "job")
        with open(payload, "wb") as file:
            pickle.dump((os.path.abspath(study.logdir), sys.path, sent), file)
        look_after([_Process(study, payload, index, count, gpus) for index in range(count)], on_look)


class _Process(WorkerProcess):
    """A worker on this machine."""

    def __init__(
        self, study: SweepStudy, payload: str, index: int, count: int, gpus: Sequence[int | str] | None
    ) -> None:
        self._path = os.path.join(study.directory, f"worker{index}.log")
        self._command = [sys.executable, "-m", "vizkit.sweeps._workers", payload]
        self._environment = {**os.environ, **_share(index, count, gpus)}
        super().__init__(study)

    def _start(self) -> None:
        with open(self._path, "ab") as log:
            self._from = log.tell()
            self._process = subprocess.Popen(  # noqa: S603
                [*self._command, self.identity],
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is ours, and is passed on once
            )

    def _end(self) -> str | None:
        code = self._process.poll()
        if not code:
            return None if code is None else ""
        if code == _INTERRUPTED:
            raise KeyboardInterrupt
        with open(self._path, "rb") as log:
            log.seek(self._from)
            said = log.read().decode("utf-8", "replace")
        reason = [line for line in said.splitlines() if line.startswith(_MARK)]
        if code == _REFUSED and reason:
            raise VizKitError("{reason}", reason=reason[-1][len(_MARK) :])
        return tr("exit code {code}, {path}\n{said}", code=code, path=self._path, said=said[-2000:])

    def interrupt(self) -> None:
        """Have it give its trial back and end."""
        with suppress(OSError):
            self._process.send_signal(signal.SIGINT)

    def wait(self, seconds: float) -> None:
        """Wait for its end, and kill it afterwards."""
        try:
            self._process.wait(max(seconds, 0.1))
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def _share(index: int, count: int, gpus: Sequence[int | str] | None) -> dict[str, str]:
    """The environment that gives a worker its share of the machine."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    threads = str(max(1, cores // count))
    share = {name: threads for name in _THREADS if name not in os.environ}
    if gpus is None:
        visible = os.environ.get("CUDA_VISIBLE_DEVICES", "")
        gpus = [part for part in visible.split(",") if part.strip()] or _gpus()
    if gpus:
        own = list(gpus)[index % len(gpus) :: count] if len(gpus) >= count else [gpus[index % len(gpus)]]
        share["CUDA_VISIBLE_DEVICES"] = ",".join(map(str, own))
    return share


def _gpus() -> list[int]:
    """The numbers of this machine's NVIDIA GPUs."""
    try:
        import pynvml

        pynvml.nvmlInit()
        return list(range(pynvml.nvmlDeviceGetCount()))
    except Exception:
        return []


def main() -> None:
    """Work on the job of a file, as a worker process."""
    parent = os.getppid()
    with open(sys.argv[1], "rb") as file:
        logdir, path, sent = pickle.load(file)  # noqa: S301 - written by our parent, in a directory of its own
    sys.path[:] = path
    try:
        take_part(sent, logdir, sys.argv[2], lambda: os.getppid() == parent)
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED)
    except VizKitError as error:
        print(_MARK + str(error).replace("\n", " "), file=sys.stderr)
        sys.exit(_REFUSED)
    _leave()


def _leave() -> NoReturn:
    """End this process as `multiprocessing` ends those that it forks.

    What is asked for at exit is done, but the objects of Paddle are not torn down, which takes 0.3 s.
    """
    threading._shutdown()  # type: ignore[attr-defined]  # it waits for threads, and has pools end theirs
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
