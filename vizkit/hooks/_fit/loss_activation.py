"""The activation of a network's outputs, as its loss implies it: probabilities or logits, and of which."""

from __future__ import annotations

import functools

from vizkit.hooks._paddle import paddle
from vizkit.metrics.activation import Activation

__all__ = ["activation_of_loss"]

_LAYERS: dict[str, Activation | None] = {
    "NLLLoss": "softmax",  # of log-probabilities, it gives the probabilities
    "BCELoss": None,
    "BCEWithLogitsLoss": "sigmoid",
    "MultiLabelSoftMarginLoss": "sigmoid",
}
_FUNCTIONS: dict[str, Activation | None] = {
    "softmax_with_cross_entropy": "softmax",
    "nll_loss": "softmax",
    "binary_cross_entropy": None,
    "binary_cross_entropy_with_logits": "sigmoid",
    "multi_label_soft_margin_loss": "sigmoid",
    "sigmoid_focal_loss": "sigmoid",
    "log_loss": None,
    "dice_loss": None,
}


def activation_of_loss(loss: object) -> Activation | None:
    """The function that makes probabilities of the scores that a loss takes.

    Args:
        loss: that of ``paddle.Model.prepare``: a layer, a function, a `functools.partial`, or a list of them,
            of which the first counts.

    Returns:
        "softmax" or "sigmoid" of logits; None if the scores are probabilities; "auto" if the loss does not
        tell: another one, or a subclass with a ``forward`` of its own.
    """
    if isinstance(loss, (list, tuple)):
        return activation_of_loss(loss[0]) if loss else "auto"
    if isinstance(loss, functools.partial):
        if loss.func is paddle.nn.functional.cross_entropy:
            return "softmax" if loss.keywords.get("use_softmax", True) else None
        return activation_of_loss(loss.func)
    if loss is paddle.nn.functional.cross_entropy:
        return "softmax"
    for name, found in _FUNCTIONS.items():
        if loss is getattr(paddle.nn.functional, name, _FUNCTIONS):
            return found
    if _computes_as(loss, paddle.nn.CrossEntropyLoss):
        return "softmax" if getattr(loss, "use_softmax", True) else None
    for name, found in _LAYERS.items():
        if _computes_as(loss, getattr(paddle.nn, name, type(None))):
            return found
    return "auto"


def _computes_as(loss: object, kind: type) -> bool:
    return isinstance(loss, kind) and getattr(type(loss), "forward", None) is getattr(kind, "forward", None)
