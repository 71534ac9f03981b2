"""The verbs of `vizkit.Tracker` that need Paddle; all that tracking imports from `vizkit.hooks` is here.

Each import happens in the call: a tracker of numbers and images works without Paddle. The options of a
verb are those of the function of its name in `vizkit.hooks`, which documents them.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Literal, cast

from vizkit._after_import import AfterImport
from vizkit._checks import describe
from vizkit._language import tr
from vizkit._protocols import ArrayLike, Interpreter, ScalarLike, StepLike, TensorLike
from vizkit._ranks import rank, world_size
from vizkit.metrics.activation import Activation
from vizkit.metrics.quantiles import Quantiles
from vizkit.tracking.recording import Recording
from vizkit.tracking.wrong_calls import check_names, check_network, check_text
from vizkit.writing.log_writer import LogWriter
from vizkit.writing.run_directory import IfExists, open_run
from vizkit.writing.tasks.task import Decode, LossFacts, TaskName

if TYPE_CHECKING:
    import numpy as np
    import paddle
    from numpy.typing import NDArray

    from vizkit.data import Dataset
    from vizkit.hooks import TrackerCallback, Watch
    from vizkit.tracking.tracker import Tracker

__all__ = ["PaddleVerbs", "open_run_of_rank", "tell_failures"]


class PaddleVerbs(Recording):
    """The verbs of a tracker that record a Paddle network and its training."""

    def __init__(self, *, strict: bool, enabled: bool = False, sample_seconds: float | None = None) -> None:
        super().__init__(strict=strict, enabled=enabled, sample_seconds=sample_seconds)
        self._watches: list[Watch] = []

    @property
    def watches(self) -> tuple[Watch, ...]:
        """The handles that `watch` has returned."""
        return tuple(self._watches)

    def callback(
        self,
        *,
        weights_every: int | Literal["auto"] | None = "auto",
        images: int = 9,
        images_every: int | Literal["auto"] | None = "auto",
        samples: Sequence[int] | None = None,
        worst: int | None = None,
        curves: bool = True,
        predictions: bool | int | None = None,
        slices: Mapping[str, Sequence[object] | Mapping[int | str, object]] | None = None,
        task: TaskName | None = None,
        activation: Activation | None = "auto",
        classes: int | None = None,
        ignore_index: int | None = None,
        quantiles: Quantiles | None = None,
        decode: Decode | None = None,
        class_names: Sequence[str] | None = None,
        mean: float | Sequence[float] | None = None,
        std: float | Sequence[float] | None = None,
        graph: bool = True,
        save_model: bool = False,
        reduce: bool = False,
    ) -> TrackerCallback:
        """Return a callback for ``paddle.Model.fit`` and ``evaluate``; see `vizkit.hooks.callback`."""
        from vizkit import hooks

        return hooks.callback(
            cast("Tracker", self),
            weights_every=weights_every,
            images=images,
            images_every=images_every,
            samples=samples,
            worst=worst,
            curves=curves,
            predictions=predictions,
            slices=slices,
            task=task,
            activation=activation,
            classes=classes,
            ignore_index=ignore_index,
            quantiles=quantiles,
            decode=decode,
            class_names=class_names,
            mean=mean,
            std=std,
            graph=graph,
            save_model=save_model,
            reduce=reduce,
        )

    def watch(
        self,
        net: paddle.nn.Layer,
        *,
        optimizer: paddle.optimizer.Optimizer | Sequence[paddle.optimizer.Optimizer] | None = None,
        every: int | None = None,
        overhead: float | None = None,
        weights: bool | str | Sequence[str] = True,
        gradients: bool | str | Sequence[str] = True,
        activations: bool | str | Sequence[str] = False,
        per_layer: bool = False,
        name: str = "",
    ) -> Watch:
        """Record weights, gradients and activations of a network; see `vizkit.hooks.watch`."""
        from vizkit import hooks

        watching = hooks.watch(
            cast("Tracker", self),
            net,
            optimizer=optimizer,
            every=every,
            overhead=overhead,
            weights=weights,
            gradients=gradients,
            activations=activations,
            per_layer=per_layer,
            name=name,
        )
        self._watches.append(watching)
        return watching

    def explain(
        self,
        net: paddle.nn.Layer | paddle.Model,
        images: ArrayLike | Dataset[object],
        method: str | Interpreter = "gradcam",
        *,
        ids: Iterable[int] | None = None,
        target: int | Sequence[int] | TensorLike | None = None,
        layer: str | paddle.nn.Layer | None = None,
        tag: str | None = None,
        step: StepLike | None = None,
        dataformats: str = "NCHW",
        class_names: Sequence[str] | None = None,
        mean: float | Sequence[float] | None = None,
        std: float | Sequence[float] | None = None,
        steps: int | None = None,
        baseline: ArrayLike | None = None,
        samples: int | None = None,
        noise: float | None = None,
        interpreter_options: Mapping[str, object] | None = None,
    ) -> NDArray[np.float32] | None:
        """Record which pixels speak for a class, as heat maps over images; see `vizkit.hooks.explain`.

        Returns:
            The heat maps, shape (n, h, w); None if nothing was recorded.

        Raises:
            TypeError: ``net`` is no network, ``method`` is neither a name nor an interpreter, or a text or
                list of names is something else.
        """
        from vizkit import hooks

        check_network("net", net)
        check_text("dataformats", dataformats)
        check_names("class_names", class_names)
        if not (isinstance(method, str) or hasattr(method, "interpret")):
            raise TypeError(
                tr("method must be a name or an interpreter, got {method}", method=describe(method))
            )
        name = method if isinstance(method, str) else type(method).__name__
        found: list[NDArray[np.float32]] = []

        def add(tag: str, step: StepLike) -> None:
            heat = hooks.explain(
                cast("Tracker", self),
                net,
                images,
                method,
                ids=ids,
                target=target,
                layer=layer,
                tag=tag,
                step=step,
                dataformats=dataformats,
                class_names=class_names,
                mean=mean,
                std=std,
                steps=steps,
                baseline=baseline,
                samples=samples,
                noise=noise,
                interpreter_options=interpreter_options,
            )
            found.append(heat)

        self._record("image", tag or f"explain/{name.replace(':', '/')}", step, add)
        return found[0] if found else None

    def log_model(
        self,
        model: paddle.nn.Layer | paddle.Model,
        input_spec: Sequence[paddle.static.InputSpec | paddle.Tensor] | None = None,
        *,
        name: str = "inference",
    ) -> str | None:
        """Save a network for inference into the run's directory; see `vizkit.hooks.log_model`.

        Returns:
            The path that ``paddle.jit.load`` takes; None if nothing was saved.

        Raises:
            TypeError: ``model`` is no network, or ``name`` is no text.
        """
        from vizkit import hooks

        check_network("model", model)
        check_text("name", name)
        saved: list[str] = []

        def add(tag: str, step: StepLike) -> None:
            saved.append(hooks.log_model(cast("Tracker", self), model, input_spec, name=name))

        self._record("model", "model", 0, add)
        return saved[0] if saved else None

    def log_graph(
        self,
        model: paddle.nn.Layer | paddle.Model | paddle.static.Program,
        input_spec: Sequence[paddle.static.InputSpec | paddle.Tensor | Sequence[int]] | None = None,
    ) -> None:
        """Record the graph of a Paddle network, traced on a copy, or of a program; see `LogWriter.add_graph`.

        Raises:
            TypeError: ``model`` is neither.
        """
        if not hasattr(model, "global_block"):
            check_network("model", model)
        self._record("graph", "graph", 0, lambda tag, step: self._writer.add_graph(model, input_spec))

    def close(self, error: BaseException | None = None) -> None:
        """Finish the run; what is recorded afterwards is lost. Closing it again does nothing.

        The hooks of `watch` are removed.

        Args:
            error: the training's error, to be kept with the run: it has failed, or was interrupted. A
                ``with`` block passes it.
        """
        while self._watches:
            self._watches.pop().remove()
        super().close(error)

    def _facts_of(self, loss: object) -> LossFacts:
        """The facts that a loss tells of the scores that it takes."""
        from vizkit import hooks

        return hooks.facts_of_loss(loss)

    def _reduced(self, metrics: Mapping[str, ScalarLike], reduce: str) -> Mapping[str, ScalarLike]:
        """Return the metrics over all ranks, which all have to call this."""
        if world_size() == 1:
            return metrics  # also where there is no Paddle
        from vizkit import hooks

        try:
            return hooks.reduced(metrics, reduce, self._on_error)
        except Exception as error:
            self._refuse("log", error)
            return {}


def tell_failures() -> None:
    """Have ``fit`` and the like tell failures to the callbacks of trackers, as soon as Paddle is imported."""
    if hasattr(sys.modules.get("paddle"), "Model"):
        _watch_failures()
    elif not _waiting:
        _waiting.append(AfterImport("paddle", _watch_failures))


def _watch_failures() -> None:
    with suppress(Exception):  # the import must not suffer
        from vizkit.hooks._fit.failures import watch_failures

        watch_failures()


_waiting: list[AfterImport] = []


def open_run_of_rank(logdir: str, if_exists: IfExists, make: Callable[[str, str], LogWriter]) -> LogWriter:
    """Open the run of this rank, one of several that record: rank 0 chooses, and the others record beside it.

    All ranks have to call it.

    Args:
        make: makes the writer of a directory, given also the suffix of this rank's name.

    Raises:
        RunExistsError: as of `open_run`.
        VizKitError: there is no process group yet.
    """
    from vizkit import hooks

    opened: list[LogWriter] = []

    def choose() -> str:
        opened.append(open_run(logdir, if_exists, lambda directory: make(directory, ""), ranks=True))
        return opened[0].logdir

    directory = hooks.from_rank_0(choose)
    if opened:
        return opened[0]
    suffix = f"-rank{rank()}"
    return open_run(directory + suffix, if_exists, lambda name: make(name, suffix))
