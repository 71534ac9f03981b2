"""The hyper-parameters that a `paddle.Model` and a call of its ``fit`` or ``evaluate`` reveal."""

from __future__ import annotations

import math
from collections.abc import Mapping

from vizkit.hooks._paddle import paddle

__all__ = ["model_hparams"]


def model_hparams(
    model: paddle.Model, arguments: Mapping[str, object]
) -> tuple[dict[str, object], list[str]]:
    """Return the hyper-parameters of a call, and the metrics of its training."""
    network = model.network
    out: dict[str, object] = {
        "network": type(network).__name__,
        "parameters": sum(math.prod(parameter.shape) for parameter in network.parameters()),
    }
    optimizer = model._optimizer
    if optimizer is not None:
        rate = optimizer._learning_rate
        scheduled = isinstance(rate, paddle.optimizer.lr.LRScheduler)
        out["optimizer"] = type(optimizer).__name__
        out["learning rate"] = float(rate.base_lr if scheduled else optimizer.get_lr())
        if scheduled:
            out["scheduler"] = type(rate).__name__
    if "train_data" not in arguments:
        return out, []
    out["batch size"] = _batch_size(arguments["train_data"], arguments.get("batch_size", 1))
    out["epochs"] = arguments.get("epochs", 1)
    mode = "train" if arguments.get("eval_data") is None else "eval"
    metrics = [f"{mode}/{name}" for name in model._metrics_name()]
    return {name: value for name, value in out.items() if value is not None}, metrics


def _batch_size(data: object, requested: object) -> object:
    if isinstance(data, paddle.io.Dataset):
        return requested[0] if isinstance(requested, (list, tuple)) else requested
    return getattr(getattr(data, "batch_sampler", None), "batch_size", None)
