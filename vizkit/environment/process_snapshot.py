"""A snapshot of the process, its machine and its code, as plain data."""

from __future__ import annotations

import contextlib
import importlib
import os
import platform
import re
import socket
import sys
from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import SupportsInt, cast

from vizkit._protocols import JSONObject
from vizkit._ranks import rank, world_size
from vizkit.environment.git import git_state
from vizkit.environment.masking import is_secret_name, mask_arguments

__all__ = ["DEFAULT_ALLOWED", "quick_snapshot", "slow_snapshot", "snapshot"]

DEFAULT_ALLOWED = (
    "PADDLE_*", "FLAGS_*", "GLOG_*", "VIZKIT_*",
    "CUDA_*", "CUDNN_*", "CUBLAS_*", "NVIDIA_VISIBLE_DEVICES", "NVIDIA_TF32_OVERRIDE", "NCCL_*", "GLOO_*",
    "ASCEND_RT_VISIBLE_DEVICES", "XPU_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES",
    "OMP_*", "MKL_*", "KMP_*", "OPENBLAS_*", "NUMEXPR_*", "MALLOC_*", "LD_LIBRARY_PATH", "LD_PRELOAD",
    "PYTHONHASHSEED", "PYTHONPATH", "PYTHONOPTIMIZE", "VIRTUAL_ENV", "CONDA_DEFAULT_ENV",
    "TZ", "LANG", "LC_ALL", "SLURM_JOB_ID", "SLURM_PROCID", "SLURM_NTASKS", "SLURM_NNODES",
    "SLURM_ARRAY_TASK_ID",
)  # fmt: skip
"""Names and patterns of the environment variables that a snapshot includes."""

_MOST_CHARACTERS = 4_000
_MOST_ARGUMENTS = 1_000
_PACKAGE = re.compile(r"(?P<name>.+?)-(?P<version>\d[^-]*?)(-py[\d.]+)?\.(dist|egg)-info")


def snapshot(*, seed: object = None, allow: Sequence[str] = DEFAULT_ALLOWED) -> JSONObject:
    """Describe how this process was started, on which machine and from which code.

    Unknown facts are absent. The snapshot has neither a user name nor secrets: environment variables are
    included by an allow-list, and never with a name such as ``*_TOKEN``; secrets in arguments and URLs are
    masked.

    Args:
        seed: the training's random seed, if known.
        allow: names of environment variables, or patterns such as ``FLAGS_*``.

    Returns:
        Data that JSON can hold; ``docs/format.md`` lists the keys.
    """
    return {**quick_snapshot(seed=seed, allow=allow), **slow_snapshot()}


def quick_snapshot(*, seed: object = None, allow: Sequence[str] = DEFAULT_ALLOWED) -> JSONObject:
    """The part of a snapshot that takes a few milliseconds."""
    out: JSONObject = {
        "pid": os.getpid(),
        "host": socket.gethostname(),
        **_program(),
        "python": platform.python_version(),
        "os": platform.platform(),
        "hardware": _hardware(),
        "packages": _packages(),
        "variables": _variables(allow),
        "rank": rank(),
        "world_size": world_size(),
    }
    if seed is not None:
        out["seed"] = _plain(seed)
    return out


def slow_snapshot() -> JSONObject:
    """The part of a snapshot that asks git and the GPU driver."""
    out: JSONObject = {}
    with contextlib.suppress(Exception):
        if state := next(filter(None, map(git_state, _code_directories())), None):
            out["git"] = state
    with contextlib.suppress(Exception):
        out |= _gpus()
    return out


def _plain(value: object) -> bool | int | float | str:
    """A seed as plain data; it may be a NumPy number."""
    if isinstance(value, (bool, int, float, str)):
        return value
    try:
        return int(cast("SupportsInt", value))
    except (TypeError, ValueError):
        return str(value)


def _variables(allow: Sequence[str]) -> dict[str, str]:
    return {
        name: _arguments([value])[0]
        for name, value in sorted(os.environ.items())
        if any(fnmatchcase(name, pattern) for pattern in allow) and not is_secret_name(name)
    }


# -- the program ---------------------------------------------------------------------------------


def _program() -> JSONObject:
    out: JSONObject = {
        "argv": _arguments(sys.argv),
        "command": _arguments(sys.orig_argv),
        "executable": sys.executable,
    }
    if current := _current():
        out["directory"] = current[0]
    if "ipykernel" in sys.modules:
        # Set by VS Code and by Jupyter's server.
        notebook = vars(sys.modules["__main__"]).get("__vsc_ipynb_file__") or os.environ.get(
            "JPY_SESSION_NAME"
        )
        return {**out, "kind": "notebook", **({"notebook": str(notebook)} if notebook else {})}
    module = getattr(getattr(sys.modules.get("__main__"), "__spec__", None), "name", None)
    script = _script()
    if script:
        out |= {"kind": "script", "script": script}
    else:
        out["kind"] = "interactive" if hasattr(sys, "ps1") else "command"
    if module:
        out["module"] = module
    return out


def _arguments(arguments: Sequence[str]) -> list[str]:
    return [argument[:_MOST_CHARACTERS] for argument in mask_arguments(map(str, arguments[:_MOST_ARGUMENTS]))]


def _script() -> str | None:
    if not sys.argv or not os.path.isfile(sys.argv[0]):
        return None
    return os.path.abspath(sys.argv[0])


def _code_directories() -> list[str]:
    """Directories that may be in the repository: that of a script that is not installed, and the current."""
    script = _script()
    if script and "ipykernel" not in sys.modules and not script.startswith(os.path.join(sys.prefix, "")):
        return [os.path.dirname(script), *_current()]
    return _current()


def _current() -> list[str]:
    """The working directory, unless it is gone."""
    with contextlib.suppress(OSError):
        return [os.getcwd()]
    return []


def _packages() -> dict[str, str]:
    """Version of every installed distribution, by normalised name.

    Both are in the names of their directories; `importlib.metadata` would read a file for each, which takes a
    hundred times as long. Copies of a package's own (setuptools puts its ``_vendor`` on the path once it is
    imported) are not installed: runs would seem to differ by what they import.
    """
    found: dict[str, str] = {}
    for path in sys.path:
        if os.path.basename(path) == "_vendor":
            continue
        with contextlib.suppress(OSError), os.scandir(path or ".") as entries:
            for entry in entries:
                if entry.name.endswith("-info") and (match := _PACKAGE.fullmatch(entry.name)):
                    name = re.sub(r"[-_.]+", "-", match["name"]).lower()
                    found.setdefault(name, match["version"])
    return dict(sorted(found.items()))


# -- the machine ---------------------------------------------------------------------------------


def _hardware() -> JSONObject:
    out: JSONObject = {"cpu": _cpu_model(), "cpus": os.cpu_count()}
    if hasattr(os, "sched_getaffinity"):
        out["usable_cpus"] = len(os.sched_getaffinity(0))
    if memory := _memory():
        out["memory"] = memory
    return out


def _cpu_model() -> str:
    if sys.platform == "linux":  # platform.processor() would start a process
        with contextlib.suppress(OSError), open("/proc/cpuinfo", encoding="utf-8", errors="replace") as lines:
            for line in lines:
                if line.startswith("model name"):
                    return line.partition(":")[2].strip()
        return platform.machine()
    return platform.processor() or platform.machine()


def _memory() -> int | None:
    """Main memory in bytes."""
    with contextlib.suppress(AttributeError, ValueError, OSError):
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    with contextlib.suppress(ImportError):
        return int(importlib.import_module("psutil").virtual_memory().total)
    return None


def _gpus() -> JSONObject:
    """Name and memory of every NVIDIA GPU, and their driver.

    Raises:
        ImportError: ``nvidia-ml-py`` is not installed.
    """
    nvml = importlib.import_module("pynvml")
    nvml.nvmlInit()
    try:
        gpus = []
        for index in range(nvml.nvmlDeviceGetCount()):
            handle = nvml.nvmlDeviceGetHandleByIndex(index)
            name = nvml.nvmlDeviceGetName(handle)
            name = name.decode() if isinstance(name, bytes) else str(name)
            gpus.append({"name": name, "memory": int(nvml.nvmlDeviceGetMemoryInfo(handle).total)})
        driver = nvml.nvmlSystemGetDriverVersion()
        return {"gpus": gpus, "gpu_driver": driver.decode() if isinstance(driver, bytes) else str(driver)}
    finally:
        nvml.nvmlShutdown()
