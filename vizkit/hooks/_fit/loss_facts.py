"""Facts that a loss tells of the network's outputs: logits or probabilities, of classes or values."""

from __future__ import annotations

import functools
from dataclasses import replace

from vizkit.hooks._paddle import paddle
from vizkit.metrics.activation import Activation
from vizkit.metrics.ctc import CTC
from vizkit.writing.tasks.task import NOTHING_TOLD, LossFacts

__all__ = ["facts_of_loss"]

_LAYERS: dict[str, Activation | None] = {
    "NLLLoss": "softmax",  # of log-probabilities, it gives the probabilities
    "BCELoss": None,
    "BCEWithLogitsLoss": "sigmoid",
    "MultiLabelSoftMarginLoss": "sigmoid",
    "SoftMarginLoss": "sigmoid",
}
_FUNCTIONS: dict[str, Activation | None] = {
    "softmax_with_cross_entropy": "softmax",
    "nll_loss": "softmax",
    "binary_cross_entropy": None,
    "binary_cross_entropy_with_logits": "sigmoid",
    "multi_label_soft_margin_loss": "sigmoid",
    "soft_margin_loss": "sigmoid",
    "sigmoid_focal_loss": "sigmoid",
    "log_loss": None,
    "dice_loss": None,
}
_IGNORING = ("softmax_with_cross_entropy", "nll_loss")
_VALUES = ("MSELoss", "L1Loss", "SmoothL1Loss", "HuberLoss", "GaussianNLLLoss")
_MARGINS = ("MultiMarginLoss",)  # of class numbers, whose scores are no probabilities
_OTHERS = (  # neither classes nor values: pairs, distributions, logarithms of rates
    "CosineEmbeddingLoss",
    "HingeEmbeddingLoss",
    "HSigmoidLoss",
    "KLDivLoss",
    "MarginRankingLoss",
    "PoissonNLLLoss",
    "RNNTLoss",
    "TripletMarginLoss",
    "TripletMarginWithDistanceLoss",
)
_OTHER_FUNCTIONS = (
    "cosine_embedding_loss",
    "hinge_embedding_loss",
    "kl_div",
    "margin_ranking_loss",
    "npair_loss",
    "poisson_nll_loss",
    "triplet_margin_loss",
    "triplet_margin_with_distance_loss",
)
_IGNORED = -100  # Paddle's default label of what does not count
_UNKNOWN = LossFacts(ignore_index=_IGNORED)
_VALUE_FUNCTIONS = ("mse_loss", "l1_loss", "smooth_l1_loss", "square_error_cost")

# Losses of PaddleSeg, each by its name and package: they take logits, with the classes on axis 1.
_PADDLESEG: dict[str, Activation] = {
    **dict.fromkeys(
        (
            "BootstrappedCrossEntropyLoss",
            "CrossEntropyLoss",
            "DiceLoss",
            "DistillCrossEntropyLoss",
            "EdgeAttentionLoss",
            "LovaszSoftmaxLoss",
            "MultiClassFocalLoss",
            "OhemCrossEntropyLoss",
            "OhemEdgeAttentionLoss",
            "PixelContrastCrossEntropyLoss",
            "PixelContrastOhemCrossEntropyLoss",
            "RelaxBoundaryLoss",
            "SECrossEntropyLoss",
        ),
        "softmax",
    ),
    "BCELoss": "sigmoid",
    "FocalLoss": "sigmoid",
    "LovaszHingeLoss": "sigmoid",
    "RMILoss": "sigmoid",
}


class _Absent:
    """In place of a layer that an older Paddle lacks."""


def facts_of_loss(loss: object) -> LossFacts:
    """Return the facts that a loss tells of the outputs that it takes.

    Args:
        loss: that of ``paddle.Model.prepare``: a layer of Paddle or its suites, a function, a
            `functools.partial`, or a list of them, of which the first counts. Others tell nothing, and so do
            subclasses with a ``forward`` of their own.
    """
    if isinstance(loss, (list, tuple)):
        return facts_of_loss(loss[0]) if loss else NOTHING_TOLD
    suite = type(loss).__module__.partition(".")[0]
    if suite == "paddleseg":
        return _of_paddleseg(loss)
    if suite == "ppdet":  # its losses tell no more: some take classes, some boxes
        return LossFacts(task="detection")
    if suite == "ppocr" and type(loss).__name__ == "CTCLoss":  # its networks give probabilities in evaluation
        return LossFacts(None, "generation", ctc=CTC(0, time_axis=1))
    functional = paddle.nn.functional
    if isinstance(loss, functools.partial):
        given = loss.keywords
        if loss.func is functional.cross_entropy:
            activation: Activation | None = "softmax" if given.get("use_softmax", True) else None
            return LossFacts(
                activation, "classes", _ignored(given.get("ignore_index", _IGNORED)), given.get("axis", -1)
            )
        if loss.func is functional.ctc_loss:
            return LossFacts("softmax", "generation", ctc=CTC(int(given.get("blank", 0)), time_axis=0))
        facts = facts_of_loss(loss.func)
        if facts.ignore_index is not None:
            facts = replace(facts, ignore_index=_ignored(given.get("ignore_index", facts.ignore_index)))
        return facts
    if loss is functional.cross_entropy:
        return LossFacts("softmax", "classes", _IGNORED, -1)
    for name, found in _FUNCTIONS.items():
        if loss is getattr(functional, name, _FUNCTIONS):
            return LossFacts(found, "classes", _IGNORED if name in _IGNORING else None)
    if any(loss is getattr(functional, name, _FUNCTIONS) for name in _VALUE_FUNCTIONS):
        return LossFacts(task="regression")
    if loss is functional.ctc_loss:
        return LossFacts("softmax", "generation", ctc=CTC(0, time_axis=0))
    if _computes_as(loss, paddle.nn.CrossEntropyLoss):
        activation = "softmax" if getattr(loss, "use_softmax", True) else None
        axis = getattr(loss, "axis", -1)
        return LossFacts(activation, "classes", _ignored(getattr(loss, "ignore_index", None)), axis)
    for name, found in _LAYERS.items():
        if _computes_as(loss, getattr(paddle.nn, name, _Absent)):
            return LossFacts(found, "classes", _ignored(getattr(loss, "_ignore_index", None)))
    if any(_computes_as(loss, getattr(paddle.nn, name, _Absent)) for name in _VALUES):
        return LossFacts(task="regression")
    if any(_computes_as(loss, getattr(paddle.nn, name, _Absent)) for name in _MARGINS):
        return LossFacts(task="classes")
    if _computes_as(loss, paddle.nn.CTCLoss):
        return LossFacts("softmax", "generation", ctc=CTC(int(getattr(loss, "blank", 0)), time_axis=0))
    if any(_computes_as(loss, getattr(paddle.nn, name, _Absent)) for name in _OTHERS):
        return LossFacts(task="other")
    if any(loss is getattr(functional, name, _FUNCTIONS) for name in _OTHER_FUNCTIONS):
        return LossFacts(task="other")
    return NOTHING_TOLD if loss is None else _UNKNOWN


def _of_paddleseg(loss: object) -> LossFacts:
    name = type(loss).__name__
    if name == "MixedLoss":
        return facts_of_loss(list(getattr(loss, "losses", ())))
    if name in ("MSELoss", "L1Loss"):
        return LossFacts(task="regression")
    found = _PADDLESEG.get(name)
    if found is None:
        return NOTHING_TOLD
    return LossFacts(found, "classes", _ignored(getattr(loss, "ignore_index", None)))


def _ignored(index: object) -> int | None:
    return index if isinstance(index, int) and not isinstance(index, bool) else None


def _computes_as(loss: object, kind: type) -> bool:
    return isinstance(loss, kind) and getattr(type(loss), "forward", None) is getattr(kind, "forward", None)
