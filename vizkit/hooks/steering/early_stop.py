"""`EarlyStop`: ends a training that no longer improves, and keeps its best weights."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from vizkit._checks import describe
from vizkit._language import tr
from vizkit.errors import DataError
from vizkit.hooks._fit.callback_logs import Logs
from vizkit.hooks._paddle import paddle
from vizkit.hooks.steering._stall import Mode
from vizkit.hooks.steering._steering import Steering
from vizkit.metrics.arrays import to_float

if TYPE_CHECKING:
    from vizkit.tracking.tracker import Tracker

__all__ = ["EarlyStop"]


class EarlyStop(Steering):
    """A callback that stops a training when a metric no longer improves, or has reached a target.

    ::

        model.fit(data, eval_data, epochs=100, callbacks=[tracker.callback(), EarlyStop("eval/acc", 5)])

        stop = EarlyStop("eval/acc", 5, network=net)          # in your own loop
        ...
        if stop.update(accuracy, step):
            break
        stop.restore()

    An evaluation is one of ``fit``'s, or for ``train/...`` an epoch: the mean loss of its batches, other
    metrics as Paddle logs them. Every ``fit`` starts anew. Each evaluation records the scalars
    ``steering/early stop/best`` and ``.../waited`` (evaluations without improvement), and the end the text
    ``steering/early stop``.

    Args:
        monitor: ``eval/acc``, ``train/loss``, ...; ``acc`` alone is ``eval/acc``. In your own loop any name.
        patience: after how many evaluations without improvement to stop; None: only at the target.
        min_delta: an improvement must be greater than this.
        target: stop when a single evaluation is as good as this.
        mode: ``"min"`` if lower is better, ``"max"``, or ``"auto"``: by the metric's name.
        window: the mean of so many evaluations has to improve, so that noise neither sets the mark nor
            ends the training; 1 takes each as it is.
        keep_best: keep a copy of the weights of the best single evaluation, for `restore`.
        restore_best: end ``fit`` with these weights, unless it ends with an error.
        save_dir: a directory to save them in, as ``best.pdparams`` for ``model.load(f"{save_dir}/best")``.
        network: the network, in your own loop.
        tracker: the tracker that records; None: nothing is recorded.

    Raises:
        DataError: an argument out of range; neither patience nor target; a metric whose name does not
            say which way is better; when ``fit`` begins, a metric that will never be logged.
    """

    _tag = "steering/early stop"

    def __init__(
        self,
        monitor: str,
        patience: int | None = None,
        min_delta: float = 0.0,
        *,
        target: float | None = None,
        mode: Mode = "auto",
        window: int = 3,
        keep_best: bool = True,
        restore_best: bool = False,
        save_dir: str | os.PathLike[str] | None = None,
        network: paddle.nn.Layer | None = None,
        tracker: Tracker | None = None,
    ) -> None:
        super().__init__(monitor, patience, min_delta=min_delta, window=window, mode=mode, tracker=tracker)
        if patience is None and target is None:
            raise DataError("EarlyStop needs a patience, such as 5 evaluations, or a target")
        if network is not None and not isinstance(network, paddle.nn.Layer):
            raise DataError("network must be a paddle.nn.Layer, got {network}", network=describe(network))
        if restore_best and not keep_best:
            raise DataError("restore_best needs keep_best")
        self._target = None if target is None else to_float(target)
        self._keep_best = keep_best
        self._restore_best = restore_best
        self._save_dir = None if save_dir is None else os.fspath(save_dir)
        self._network: paddle.nn.Layer | None = network
        self._kept: dict[str, paddle.Tensor] = {}
        self._kept_step = 0

    def restore(self) -> int:
        """Give the network its best weights back; the optimizer's state stays as it is.

        Returns:
            Their step.

        Raises:
            DataError: none were kept.
        """
        if not self._kept or self._network is None:
            hint = "" if self._network is not None else tr("; pass network=net in your own loop")
            raise DataError("no weights of a best evaluation were kept{hint}", hint=hint)
        self._network.set_state_dict(self._kept)
        restored = tr(
            "weights of step {kept_step} restored ({monitor} {best:.4g})",
            kept_step=self._kept_step,
            monitor=self.monitor,
            best=self._stall.best,
        )
        if self.stopped:  # who looks at the last text alone learns the reason, too
            restored = tr("{stopped}; {restored}", stopped=self._stopped(), restored=restored)
        self._say(restored, max(self._last_step, self._steps.current))
        return self._kept_step

    def reset(self) -> None:
        """Forget all evaluations and the best weights, for another training."""
        super().reset()
        self._kept = {}

    def begin(self, *, fed: bool) -> None:
        """Start anew, on the network of ``fit``."""
        super().begin(fed=fed)
        self._network = self.model.network

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Restore the best weights, if asked for."""
        super().on_train_end(logs)
        if self._restore_best and self._kept:
            self.restore()

    def _decide(self, value: float, step: int, better: bool) -> str:
        if better:
            self._keep(step)
        self._record({"best": self.best, "waited": self._stall.waited}, step)
        if self._target is not None and self._stall.reached(value, self._target):
            return tr(
                "{monitor} has reached {target:g} ({value:.4g})",
                monitor=self.monitor,
                target=self._target,
                value=value,
            )
        return self._stalled() if self._stall.stalled else ""

    def _keep(self, step: int) -> None:
        if self._network is None or not (self._keep_best or self._save_dir):
            return
        with self._guard("best weights"), paddle.no_grad():
            # A list of buffers may grow in training; what is there now is what is kept.
            weights = {name: tensor.clone() for name, tensor in self._network.state_dict().items()}
            if self._keep_best:
                self._kept, self._kept_step = weights, step
            if self._save_dir and paddle.distributed.get_rank() == 0:
                path = os.path.join(self._save_dir, "best.pdparams")
                paddle.save(weights, f"{path}.new")  # makes the directory, too
                os.replace(f"{path}.new", path)  # so that there is a whole one at any time
