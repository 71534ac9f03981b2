"""A network saved for inference in the run's directory."""

from __future__ import annotations

import inspect
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from vizkit._checks import describe
from vizkit.errors import DataError
from vizkit.format.file_names import GRAPH_WORD, LOG_WORD, MODEL_WORD
from vizkit.hooks._network.network_copy import copy_network, global_state_kept
from vizkit.hooks._paddle import paddle

if TYPE_CHECKING:
    from vizkit.tracking.tracker import Tracker

__all__ = ["log_model"]

_MISLEADING = (LOG_WORD, GRAPH_WORD, MODEL_WORD)  # stock VisualDL takes such files for its own


def log_model(
    tracker: Tracker,
    model: paddle.nn.Layer | paddle.Model,
    input_spec: Sequence[paddle.static.InputSpec | paddle.Tensor] | None = None,
    *,
    name: str = "inference",
) -> str:
    """Save a copy of a network, in eval mode, with ``paddle.jit.save``; the network stays as it was.

    Args:
        tracker: the tracker of the run.
        model: the network.
        input_spec: its inputs; by default those of the ``paddle.Model`` or of
            ``paddle.jit.to_static``, for any batch size.
        name: the name of the files ``<name>.json`` and ``<name>.pdiparams``.

    Returns:
        The path without suffix, as ``paddle.jit.load`` takes it.

    Raises:
        DataError: not a network, its inputs are not known, or a name that would mislead VisualDL.
    """
    network = model.network if isinstance(model, paddle.Model) else model
    if not isinstance(network, paddle.nn.Layer):
        raise DataError("expected a paddle.nn.Layer or a paddle.Model, got {model}", model=describe(model))
    if not paddle.in_dynamic_mode():
        raise DataError("a network is saved from dynamic mode: call paddle.disable_static() first")
    if "://" in tracker.logdir:
        raise DataError(
            "{logdir} is remote: paddle.jit.save writes to local directories only", logdir=tracker.logdir
        )
    if not name or os.path.basename(name) != name or any(part in name for part in _MISLEADING):
        raise DataError(
            "{name!r} cannot name the saved model: it must be a file's name, and hold none of "
            "{misleading}, which stock VisualDL takes for its own files",
            name=name,
            misleading=", ".join(_MISLEADING),
        )
    spec = _known_inputs(model, network) if input_spec is None else list(input_spec)
    if spec is None:
        raise DataError(
            "the inputs of the network are not known: pass input_spec, such as "
            "[paddle.static.InputSpec([None, 1, 28, 28], 'float32')]"
        )
    path = os.path.join(tracker.logdir, name)
    with global_state_kept():
        saved = copy_network(network)
        saved.eval()
        paddle.jit.save(saved, path, input_spec=spec)
    return path


def _known_inputs(
    model: paddle.nn.Layer | paddle.Model, network: paddle.nn.Layer
) -> list[paddle.static.InputSpec] | None:
    if isinstance(model, paddle.Model) and model._input_info is not None:
        return [_any_batch(spec) if model._is_shape_inferred else spec for spec in model._inputs]
    # Set by paddle.jit.to_static. Plain attribute access would leave traces in the network.
    known = getattr(inspect.getattr_static(network, "forward"), "_input_spec", None)
    return None if known is None else list(known)


def _any_batch(spec: paddle.static.InputSpec) -> paddle.static.InputSpec:
    return paddle.static.InputSpec([None, *spec.shape[1:]], spec.dtype, spec.name)
