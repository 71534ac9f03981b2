"""Three gradient methods that attribute a network's score to pixels.

Each works on networks in any mode, with any number of channels, and leaves network, gradients, hooks
and Paddle's random states as they were.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from vizkit._checks import describe, finite_number, whole_number
from vizkit._language import tr
from vizkit._protocols import ArrayLike, TensorLike
from vizkit.errors import DataError
from vizkit.hooks._network.eval_mode import eval_mode, recurrent_parameters
from vizkit.hooks._network.name_patterns import NamePatterns
from vizkit.hooks._paddle import paddle
from vizkit.metrics.arrays import to_array

__all__ = [
    "Heat",
    "Target",
    "batch_of",
    "class_scores",
    "grad_cam",
    "integrated_gradients",
    "layer_of",
    "smooth_grad",
    "targets_of",
]

Target = int | Sequence[int] | TensorLike | None
"""A class, one for each image, or None for the predicted ones."""

Heat = NDArray[np.float32]
"""Attributions, or heat maps."""


def grad_cam(
    net: paddle.nn.Layer,
    images: ArrayLike,
    target: Target = None,
    *,
    layer: str | paddle.nn.Layer | None = None,
    dataformats: str = "NCHW",
) -> Heat:
    """Grad-CAM: the places where the features of a layer raise a class's score.

    With features A (c, h, w) and the class's score y it is ``relu(sum_k a_k A_k)``, enlarged to the
    image's size, where ``a_k`` is the mean of ``dy / dA_k`` over the pixels.

    Source: R. Selvaraju et al., "Grad-CAM: Visual Explanations from Deep Networks via Gradient-based
    Localization" (ICCV 2017), equations 1 and 2.

    Args:
        net: a classifier whose first output is scores of shape (n, c).
        images: a batch (n, ...) for the network.
        target: the class, one or n of them; by default the predicted one.
        layer: a sublayer, its name as in ``net.named_sublayers()``, or a pattern such as ``features.*``,
            which takes the last match; by default the last ``Conv2D``.
        dataformats: the axes of ``images``, "NCHW" or "NHWC".

    Returns:
        Heat maps, 0 or more, shape (n, H, W).

    Raises:
        DataError: no such layer or class, or the layer's output is no feature map.
    """
    chosen, name = layer_of(net, layer)
    x = batch_of(images)
    features: list[paddle.Tensor] = []

    def keep(layer: paddle.nn.Layer, inputs: object, output: object) -> paddle.Tensor:
        if not isinstance(output, paddle.Tensor) or output.ndim != 4:
            raise DataError(
                "layer {name} gives {output}; Grad-CAM needs a feature map of shape [n, c, h, w]: "
                "name a convolution",
                name=name,
                output=describe(output),
            )
        leaf = output.detach()  # the gradient goes no further, and the layers before need none
        leaf.stop_gradient = False
        features[:] = [leaf]
        return leaf.clone()  # which later layers may change in place

    with eval_mode(net):
        hook = chosen.register_forward_post_hook(keep)
        try:
            scores = class_scores(net, x)
        finally:
            hook.remove()
        if not features:
            raise DataError("the network does not use its layer {name} for these images", name=name)
        gradient = _gradient(net, scores, targets_of(scores, target), features[0])
        heat = _weighted(features[0], gradient, getattr(chosen, "_data_format", "NCHW") == "NHWC")
        with paddle.no_grad():
            size = [x.shape[dataformats.index(axis)] for axis in "HW"]
            heat = paddle.nn.functional.interpolate(heat, size=size, mode="bilinear")
        return np.asarray(to_array(heat[:, 0]), np.float32)


def integrated_gradients(
    net: paddle.nn.Layer,
    images: ArrayLike,
    target: Target = None,
    *,
    steps: int = 32,
    baseline: ArrayLike = 0.0,
) -> Heat:
    """Integrated gradients: the contribution of each number of an image to a class's score.

    ``(x - x') * mean of dy / dx on the line from x' to x``, the mean over the midpoints of ``steps`` equal
    parts. The sum over an image is its score minus the baseline's, up to the error of that mean.

    Source: M. Sundararajan, A. Taly and Q. Yan, "Axiomatic Attribution for Deep Networks" (ICML 2017),
    equations 1 and 3.

    Args:
        net, images, target: as for `grad_cam`.
        steps: the number of points on the line; each takes a forward and a backward pass.
        baseline: x', an image without any features, normalised as for the network: one number, or an
            array that broadcasts with ``images``.

    Returns:
        Attributions of either sign, in the shape of ``images``.

    Raises:
        DataError: ``steps`` below 1, a baseline of another shape, no such class.
    """
    whole_number("steps", steps)
    x = batch_of(images)
    start = paddle.to_tensor(to_array(baseline), dtype=x.dtype)
    try:
        start = start.expand(x.shape)
    except (ValueError, RuntimeError):
        raise DataError(
            "baseline {baseline} does not fit images of shape {shape}",
            baseline=describe(baseline),
            shape=x.shape,
        ) from None
    with eval_mode(net):
        with paddle.no_grad():
            classes = targets_of(class_scores(net, x), target)
        total = paddle.zeros_like(x, dtype="float32")
        for i in range(steps):
            at = start + (x - start) * ((i + 0.5) / steps)
            total += _gradient_at(net, at, classes).astype("float32")
        return np.asarray(to_array(total / steps * (x - start).astype("float32")), np.float32)


def smooth_grad(
    net: paddle.nn.Layer, images: ArrayLike, target: Target = None, *, samples: int = 25, noise: float = 0.15
) -> Heat:
    """SmoothGrad: the mean gradient of a class's score over noisy copies of an image.

    Source: D. Smilkov et al., "SmoothGrad: removing noise by adding noise" (2017), section 3.

    Args:
        net, images, target: as for `grad_cam`.
        samples: the number of copies; each takes a forward and a backward pass.
        noise: the standard deviation of the Gaussian noise, as a fraction of the image's range. Every call
            draws the same noise.

    Returns:
        Gradients, in the shape of ``images``.

    Raises:
        DataError: ``samples`` below 1, ``noise`` below 0, no such class.
    """
    whole_number("samples", samples)
    finite_number("noise", noise, least=0)
    x = batch_of(images)
    rng = np.random.default_rng(0)
    with eval_mode(net):
        with paddle.no_grad():
            classes = targets_of(class_scores(net, x), target)
            flat = x.reshape([len(x), -1]).astype("float32")
            spread = (flat.max(axis=1) - flat.min(axis=1)).reshape([-1] + [1] * (x.ndim - 1))
        total = paddle.zeros_like(x, dtype="float32")
        for _ in range(samples):
            draw = paddle.to_tensor(rng.standard_normal(x.shape, np.float32))
            total += _gradient_at(net, x + (draw * spread * noise).astype(x.dtype), classes).astype("float32")
        return np.asarray(to_array(total / samples), np.float32)


# ---- classes and layers ----------------------------------------------------------------------------


def class_scores(net: paddle.nn.Layer, x: paddle.Tensor) -> paddle.Tensor:
    """The scores of a batch, shape (n, c): the first output of ``net``.

    Raises:
        DataError: outputs of another shape.
    """
    output = net(x)
    scores = output[0] if isinstance(output, (list, tuple)) and output else output
    if getattr(scores, "ndim", 0) == 1:
        scores = scores.unsqueeze(1)
    if getattr(scores, "ndim", 0) != 2 or scores.shape[0] != x.shape[0]:
        raise DataError(
            "a network is explained by scores of shape [n, classes], but this one gives {scores}",
            scores=describe(scores),
        )
    return scores


def targets_of(scores: paddle.Tensor, target: Target = None) -> list[int]:
    """The target class of each row of scores (n, c); by default that with the highest score.

    Raises:
        DataError: not n classes from 0 to c - 1.
    """
    count, classes = scores.shape
    if target is None:
        return [int(number) for number in to_array(scores).argmax(axis=1)]
    numbers = to_array(target).reshape(-1)
    if numbers.dtype.kind not in "iu" or len(numbers) not in (1, count):
        raise DataError(
            "target must be a class number, or {count} of them, got {target}",
            count=count,
            target=describe(target),
        )
    out = [int(number) for number in numbers] * (count if len(numbers) == 1 else 1)
    for number in out:
        if not 0 <= number < classes:
            raise DataError(
                "target {number} is no class: the network has 0 to {last}", number=number, last=classes - 1
            )
    return out


def layer_of(net: paddle.nn.Layer, layer: str | paddle.nn.Layer | None = None) -> tuple[paddle.nn.Layer, str]:
    """Find a sublayer, given as for `grad_cam`.

    Returns:
        The sublayer and its name.

    Raises:
        DataError: there is none; the message gives the closest names.
    """
    named = dict(net.named_sublayers())
    if layer is None:
        convolutions = [name for name, sub in named.items() if isinstance(sub, paddle.nn.Conv2D)]
        if not convolutions:
            raise DataError(
                "{type} has no Conv2D: name the layer to look at with layer=", type=type(net).__name__
            )
        return named[convolutions[-1]], convolutions[-1]
    if isinstance(layer, paddle.nn.Layer):
        for name, sub in named.items():
            if sub is layer:
                return sub, name
        raise DataError(
            "the given {layer} is no sublayer of {net}", layer=type(layer).__name__, net=type(net).__name__
        )
    if not isinstance(layer, str):
        raise DataError("layer must be a name, a pattern or a layer, got {layer}", layer=describe(layer))
    patterns = NamePatterns(layer, "layer", [[name] for name in named])
    fitting = [name for name in named if name == layer or (layer not in named and patterns.match(name))]
    return named[fitting[-1]], fitting[-1]


# ---- gradients ---------------------------------------------------------------------------------------


def batch_of(images: ArrayLike) -> paddle.Tensor:
    """A copy of images as a tensor of floats, without gradient."""
    tensor: paddle.Tensor = images
    is_tensor = isinstance(images, paddle.Tensor)
    x = tensor.detach().clone() if is_tensor else paddle.to_tensor(to_array(images))
    if x.ndim < 2 or 0 in x.shape:
        raise DataError(
            "images must be a batch, of shape [n, c, h, w], got {images}", images=describe(images)
        )
    if "float" not in str(x.dtype) or x.dtype == paddle.float64:
        x = x.astype("float32")
    return x


def _gradient_at(net: paddle.nn.Layer, x: paddle.Tensor, classes: list[int]) -> paddle.Tensor:
    x = x.detach()
    x.stop_gradient = False
    return _gradient(net, class_scores(net, x), classes, x)


def _gradient(
    net: paddle.nn.Layer, scores: paddle.Tensor, classes: list[int], source: paddle.Tensor
) -> paddle.Tensor:
    """The gradient of each row's score of its class with respect to ``source``.

    No other is computed but those of recurrent layers, without which Paddle computes none through them.
    """
    unrelated = tr("the network's scores do not depend on this input in a way that has a gradient")
    if scores.stop_gradient:
        raise DataError(unrelated)
    chosen = paddle.nn.functional.one_hot(paddle.to_tensor(classes), scores.shape[1]).astype(scores.dtype)
    sources = [source, *recurrent_parameters(net)]
    found = paddle.grad((scores * chosen).sum(), sources, allow_unused=True)[0]
    if found is None:
        raise DataError(unrelated)
    return found


def _weighted(features: paddle.Tensor, gradient: paddle.Tensor, channels_last: bool) -> paddle.Tensor:
    """The sum of the features, weighted with their mean gradients, cut off at 0; shape (n, 1, h, w)."""
    with paddle.no_grad():
        features, gradient = features.astype("float32"), gradient.astype("float32")
        if channels_last:
            features, gradient = (array.transpose([0, 3, 1, 2]) for array in (features, gradient))
        weights = gradient.mean(axis=[2, 3], keepdim=True)
        return paddle.nn.functional.relu((weights * features).sum(axis=1, keepdim=True))
