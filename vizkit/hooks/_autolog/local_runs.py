"""Modules in the place of ``wandb`` and ``swanlab``: what code logs with them is recorded locally.

They are imported only where the real ones are installed, in their place: nothing is sent, no account is asked
for. What they do not know does nothing.
"""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from fnmatch import fnmatchcase
from importlib.abc import Loader
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, cast

import numpy as np

from vizkit._mappings import flat
from vizkit._protocols import ArrayLike
from vizkit._ranks import rank
from vizkit.environment.masking import mask_settings
from vizkit.errors import DataError
from vizkit.format.hparams import as_mapping, flat_hparams
from vizkit.hooks._autolog.configuration import settings_of_program
from vizkit.hooks._autolog.open_runs import OpenRuns
from vizkit.hooks._guard import Guard
from vizkit.hooks._patching import Patches
from vizkit.metrics.arrays import AnyArray
from vizkit.tracking.tracker import Tracker, tracker_without_log

__all__ = ["LocalModules", "LocalRun"]

_NAMES = ("wandb", "swanlab")


class LocalRun:
    """A run of ``wandb`` or ``swanlab``, recorded as one of VizKit from its first record on.

    Attributes:
        config: the settings; each is a hyper-parameter. If there are none, those of the program are.
        summary: a dict, which is not recorded.
        directory: of the run; empty before its first record, and if nothing is recorded.
        when_ended: called when it is finished.
    """

    def __init__(self, runs: OpenRuns, title: str, config: object, *, enabled: bool) -> None:
        self._runs = runs
        self._title = title
        self._enabled = enabled and not rank()
        self._guard = Guard(tracker_without_log("", enabled=True))
        self._next = 0
        self._has_logged = False
        self.when_ended: Callable[[], None] = lambda: None
        self._steps: list[tuple[str, str]] = []  # patterns of tags, and the metric that is their step
        self.name = self.id = self.project = title
        self.directory = ""
        self.summary: dict[str, object] = {}
        self.config = _Config(self._settings)
        self.config.update(config)

    def begin(self) -> str:
        """Make the run's directory, if it is to be recorded."""
        if self._enabled and not self.directory:
            self.directory = self._runs.new(self._title)
        return self.directory

    def _tracker(self) -> Tracker | None:
        directory = self.begin()
        return self._runs.tracker(directory) if directory else None

    def _settings(self, new: Mapping[str, object]) -> None:
        with self._guard("hyper-parameters"):
            tracker = self._tracker() if new else None
            if tracker is not None:
                tracker.log_hparams(mask_settings(flat_hparams(new)))

    def define_metric(self, name: str, step_metric: str | None = None, **_: object) -> None:
        """Take the step of the tags of a pattern from another metric."""
        if step_metric:
            self._steps.append((name, step_metric))

    def log(
        self, data: Mapping[str, object], step: int | None = None, commit: bool = True, **_: object
    ) -> None:
        """Record numbers, texts and images of a step; by default of the one after the last."""
        if step is not None:
            self._next = int(step)
        with self._guard("a log"):
            values = flat(data)
            tracker = self._tracker()
            if tracker is None:
                return
            if not self._has_logged:
                self._has_logged = True
                if not self.config and (settings := settings_of_program()):
                    tracker.log_hparams(settings)
            places: dict[int, dict[str, Any]] = {}
            for tag, value in values.items():
                at = next((values[name] for pattern, name in self._steps
                           if fnmatchcase(tag, pattern) and name in values), self._next)  # fmt: skip
                if isinstance(value, list) and value and all(isinstance(one, Picture) for one in value):
                    value = PictureList(value)
                if isinstance(value, _Recordable):
                    with self._guard(tag):
                        value.record(tracker, tag, int(cast("int", at)))
                elif isinstance(value, str):
                    tracker.log_text(tag, value, int(cast("int", at)))
                elif not isinstance(value, _Nothing):
                    places.setdefault(int(cast("int", at)), {})[tag] = value
            for place, numbers in places.items():
                tracker.log(numbers, place)
        if commit:
            self._next += 1

    def finish(self, exit_code: int | None = None, *_: object, **__: object) -> None:
        """Close the run, which has failed with an exit code other than 0."""
        self._finish(SystemExit(exit_code) if exit_code else None)

    def _finish(self, error: BaseException | None) -> None:
        self.when_ended()
        with self._guard("the log"):
            if self.directory:
                self._runs.finish(self.directory, error)

    def __enter__(self) -> LocalRun:
        return self

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        self._finish(error)

    def __getattr__(self, name: str) -> object:
        if name.startswith("__"):
            raise AttributeError(name)
        return _Nothing()


class _Config(dict[str, object]):
    """Settings, also as attributes."""

    def __init__(self, record: Callable[[Mapping[str, object]], None]) -> None:
        super().__init__()
        self.__dict__["_record"] = record

    def update(  # type: ignore[override]
        self, given: object = None, allow_val_change: object = None, **more: object
    ) -> None:
        """Take settings over: of a dict, a namespace or a dataclass; of others, such as a file, none."""
        settings = as_mapping(given)
        settings = settings if isinstance(settings, Mapping) else {}
        new = {str(name): value for name, value in {**settings, **more}.items()}
        super().update(new)
        self.__dict__["_record"](new)

    setdefaults = update

    def __setitem__(self, name: str, value: object) -> None:
        self.update({name: value})

    __setattr__ = __setitem__

    def __getattr__(self, name: str) -> object:
        if name in self:
            return self[name]
        raise AttributeError(name)


class _Recordable(ABC):
    """A value that records itself."""

    @abstractmethod
    def record(self, tracker: Tracker, tag: str, step: int) -> None:
        """Record it."""


class Picture(_Recordable):
    """An image (h, w) or (h, w, c), as arrays, tensors or of Pillow."""

    def __init__(self, data_or_path: object, *_: object, **given: object) -> None:
        self._data = data_or_path
        self._caption = given.get("caption")

    def pixels(self) -> AnyArray:
        """The image as an array."""
        if isinstance(self._data, str):
            raise DataError("an image must be an array, got a path: {path}", path=self._data)
        return np.asarray(self._data.numpy() if hasattr(self._data, "numpy") else self._data)

    def record(self, tracker: Tracker, tag: str, step: int) -> None:
        """Record it."""
        pixels = self.pixels()
        caption = None if self._caption is None else str(self._caption)
        tracker.log_image(tag, pixels, step, dataformats="HWC" if pixels.ndim == 3 else "HW", caption=caption)


class PictureList(_Recordable):
    """Images that are logged as a list: a grid of those of one shape, else each under a tag of its own."""

    def __init__(self, pictures: Sequence[Picture]) -> None:
        self._pictures = pictures

    def record(self, tracker: Tracker, tag: str, step: int) -> None:
        """Record them."""
        every = [picture.pixels() for picture in self._pictures]
        if len({pixels.shape for pixels in every}) == 1:
            tracker.log_images(tag, every, step, dataformats="HWC" if every[0].ndim == 3 else "HW")
            return
        for number, picture in enumerate(self._pictures):
            picture.record(tracker, f"{tag}/{number}", step)


class Numbers(_Recordable):
    """A histogram of numbers, or of counts and edges as of `numpy.histogram`."""

    def __init__(
        self,
        sequence: ArrayLike | None = None,
        np_histogram: tuple[ArrayLike, ArrayLike] | None = None,
        num_bins: int = 64,
        **_: object,
    ) -> None:
        self._values, self._counted, self._bins = sequence, np_histogram, num_bins

    def record(self, tracker: Tracker, tag: str, step: int) -> None:
        """Record it."""
        if self._counted is None:
            tracker.log_histogram(tag, [] if self._values is None else self._values, step, buckets=self._bins)
            return
        counts, edges = (np.asarray(each) for each in self._counted)
        middles = np.repeat((edges[1:] + edges[:-1]) / 2, counts.astype(np.int64))
        tracker.log_histogram(tag, middles, step, buckets=edges.tolist())


class Note(_Recordable):
    """A text."""

    def __init__(self, data: object = "", *_: object, **__: object) -> None:
        self._text = str(data)

    def record(self, tracker: Tracker, tag: str, step: int) -> None:
        """Record it."""
        tracker.log_text(tag, self._text, step)


class _Nothing:
    """In place of all that is not recorded."""

    def __call__(self, *_: object, **__: object) -> _Nothing:
        return self

    def __getattr__(self, name: str) -> _Nothing:
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __bool__(self) -> bool:
        return False

    def __enter__(self) -> _Nothing:
        return self

    def __exit__(self, *_: object) -> None:
        pass


class _LocalModule(ModuleType):
    """``wandb`` or ``swanlab``: one run at a time."""

    Image = Picture
    Histogram = Numbers
    Text = Note

    def __init__(self, name: str, runs: OpenRuns) -> None:
        super().__init__(name, "Records locally, by vizkit.autolog.")
        self._runs = runs
        self.run: LocalRun | None = None
        self.__version__ = "0.0.0+vizkit"

    def init(
        self, project: str | None = None, config: object = None, mode: str | None = None, **given: object
    ) -> LocalRun:
        """Begin a run, unless one is open and ``reinit`` does not ask for another one."""
        reinit = given.get("reinit")
        if self.run is not None and (reinit is True or reinit in ("finish_previous", "create_new")):
            self.run.finish()
        if self.run is None:
            named = given.get("name") or given.get("experiment_name") or project
            title = "" if named is None else str(named)
            self.run = LocalRun(self._runs, title, config, enabled=mode != "disabled")
            self.run.project = project or ""
            self.run.when_ended = lambda: setattr(self, "run", None)
        else:
            self.run.config.update(config)
        return self.run

    def log(
        self, data: Mapping[str, object], step: int | None = None, commit: bool = True, **_: object
    ) -> None:
        """Record into the open run."""
        if self.run is not None:
            self.run.log(data, step, commit)

    def finish(self, exit_code: int | None = None, *_: object, **__: object) -> None:
        """Close the open run, as `LocalRun.finish` does."""
        if self.run is not None:
            self.run.finish(exit_code)

    def get_run(self) -> LocalRun | None:
        """The open run."""
        return self.run

    def define_metric(self, name: str, step_metric: str | None = None, **_: object) -> None:
        """As of the open run."""
        if self.run is not None:
            self.run.define_metric(name, step_metric)

    def __getattr__(self, name: str) -> object:
        if name.startswith("__"):
            raise AttributeError(name)
        if name in ("config", "summary") and self.run is not None:
            return getattr(self.run, name)
        return _Nothing()


class LocalModules:
    """An importer of ``wandb`` and ``swanlab`` as modules that record locally, while it is installed.

    Args:
        runs: the open runs of autolog.
    """

    def __init__(self, runs: OpenRuns) -> None:
        self._runs = runs
        self._patches = Patches()
        self._real: dict[str, ModuleType | None] = {}
        self._looks = False

    def install(self) -> None:
        """Take the place of the modules; one with an open run of its own is left alone."""
        if self in sys.meta_path:
            return
        sys.meta_path.insert(0, self)
        for name in _NAMES:
            real = sys.modules.get(name)
            if real is not None and getattr(real, "run", None) is None and not isinstance(real, _LocalModule):
                self._real[name] = real
                local = _LocalModule(name, self._runs)
                local.__spec__ = real.__spec__
                self._patches.replace_everywhere(real, local, but="vizkit")
                sys.modules[name] = local

    def remove(self) -> None:
        """Put the modules back; runs that are open are closed."""
        if self in sys.meta_path:
            sys.meta_path.remove(self)
        self._patches.undo()
        for name in _NAMES:
            local = sys.modules.get(name)
            if isinstance(local, _LocalModule):
                local.finish()
                real = self._real.pop(name, None)
                if real is None:
                    del sys.modules[name]
                else:
                    sys.modules[name] = real

    # -- an importer -------------------------------------------------------------------------------

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Find a module that is installed, as one that records locally."""
        if name not in _NAMES or self._looks:
            return None
        self._looks = True
        try:
            finders = [each for each in sys.meta_path if each is not self and hasattr(each, "find_spec")]
            found = next((spec for each in finders if (spec := each.find_spec(name, path, target))), None)
        finally:
            self._looks = False
        return None if found is None else ModuleSpec(name, cast("Loader", self), origin=found.origin)

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """Make the module."""
        return _LocalModule(spec.name, self._runs)

    def exec_module(self, module: ModuleType) -> None:
        """Do nothing: there is no code to run."""
