"""Heat maps of the pixels that a network's score depends on, recorded as images."""

from __future__ import annotations

import inspect
import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.typing import NDArray

from vizkit._checks import describe
from vizkit._protocols import ArrayLike, Interpreter, StepLike, TensorLike
from vizkit.data import Dataset
from vizkit.errors import DataError
from vizkit.hooks._explain import attribution
from vizkit.hooks._fit.loss_facts import facts_of_loss
from vizkit.hooks._fit.sample_images import class_probabilities
from vizkit.hooks._network.eval_mode import eval_mode
from vizkit.hooks._paddle import paddle
from vizkit.media import images as pixel_images
from vizkit.media.captions import Caption, captioned_grid, name_of, percent
from vizkit.media.images import Channels
from vizkit.media.lettering import picture_text
from vizkit.media.overlays import draw_heat_map
from vizkit.metrics.activation import ScoreEvidence
from vizkit.metrics.arrays import AnyArray, Pixels, to_array

if TYPE_CHECKING:
    from vizkit.tracking.tracker import Tracker

__all__ = ["explain"]

_METHODS: dict[str, Callable[..., AnyArray]] = {
    "gradcam": attribution.grad_cam,
    "integrated_gradients": attribution.integrated_gradients,
    "smoothgrad": attribution.smooth_grad,
}
_INTERPRETDL = "interpretdl:"
_MOST_IDS = 64
_SMALL = 140  # pixels: about the size to which small images are enlarged


def explain(
    tracker: Tracker,
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
) -> NDArray[np.float32]:
    """Record, beside each image, a heat map of the pixels that raise its score of a class.

    The network runs in eval mode. Every sublayer's mode, gradients, buffers, hooks and Paddle's random
    states are as before when it returns, so it can be called during training.

    Args:
        tracker: the tracker to record with.
        net: a classifier whose first output is scores (n, c). The loss of a prepared ``paddle.Model`` tells
            whether they are probabilities; else the scores do, and if they could be either, no percentage is
            written.
        images: a batch (n, c, h, w) for the network, with any number of channels; with ``ids`` a data set of
            such images (c, h, w), or of items whose first part is one.
        ids: the places of the samples to explain in ``images``, such as ``difference.broken["id"][:8]`` of
            `Runs.diff_samples`; up to 64. By default all images of the batch.
        method: ``"gradcam"``, ``"integrated_gradients"``, ``"smoothgrad"``
            (`vizkit.hooks.grad_cam`, `integrated_gradients` and `smooth_grad`), or one of InterpretDL, if
            that is installed: ``"interpretdl:ScoreCAM"``, or an interpreter.
        target: the class to explain, or one for each image; by default the predicted one.
        layer: for methods that use a layer: its name, a pattern, or the layer; by default the last
            ``Conv2D``.
        tag: by default ``explain/<method>``.
        step: the step; by default the clock's.
        dataformats: the axes of ``images``, "NCHW" or "NHWC".
        class_names: the names of the classes.
        mean: the mean that the images were normalised with, one number or one a channel; for their
            display, and for the black baseline of integrated gradients.
        std: the standard deviation that they were normalised with.
        steps: points of integrated gradients on the line from the baseline; by default 32.
        baseline: an image without features for integrated gradients; by default black.
        samples: noisy copies of SmoothGrad; by default 25.
        noise: standard deviation of SmoothGrad's noise, as a fraction of the image's range; by default 0.15.
        interpreter_options: further arguments of the interpreter's ``interpret``.

    Returns:
        The heat maps, shape (n, h, w), 0 or more.

    Raises:
        DataError: an unknown method, layer or class, an option of another method, images that are no
            batch, ids that are no places in the data set, or a network without scores.
        MissingDependencyError: the method is of InterpretDL, which is not installed.
    """
    activation = (
        facts_of_loss(getattr(net, "_loss", None)).activation if isinstance(net, paddle.Model) else "auto"
    )
    net = net.network if isinstance(net, paddle.Model) else net
    if not isinstance(net, paddle.nn.Layer):
        raise DataError(
            "only a paddle.nn.Layer or paddle.Model can be explained, got {net}", net=describe(net)
        )
    if not paddle.in_dynamic_mode():
        raise DataError("networks are explained in dynamic mode: call paddle.disable_static() first")
    places = [] if ids is None else _places(ids)
    batch = _chosen(images, places) if places else cast("ArrayLike", images)
    axes = dataformats.upper() if isinstance(dataformats, str) else ""
    array = to_array(batch)
    if axes not in ("NCHW", "NHWC") or array.ndim != 4:
        raise DataError(
            'images must be a batch of 4 axes, "NCHW" or "NHWC", got {images} and '
            "dataformats={dataformats!r}",
            images=describe(batch),
            dataformats=dataformats,
        )
    name, run = _method(method)
    given: dict[str, object] = {
        "layer": layer,
        "steps": steps,
        "baseline": baseline,
        "samples": samples,
        "noise": noise,
    }
    options = {option: value for option, value in given.items() if value is not None}
    options.update(interpreter_options or {})
    if name == "integrated_gradients" and baseline is None:
        options["baseline"] = _black(array.shape[axes.index("C")], axes, mean, std)
    if "dataformats" in inspect.signature(run).parameters:
        options["dataformats"] = axes
    with eval_mode(net), paddle.no_grad():
        scores = attribution.class_scores(net, attribution.batch_of(batch))
        classes = attribution.targets_of(scores, target)
        numbers = to_array(scores)
        if activation == "auto":
            evidence = ScoreEvidence()
            evidence.add(numbers)
            activation = evidence.activation
        probabilities = class_probabilities(numbers, activation)
    heat = _heat(run(net, batch, classes, **_checked(options, run, name)), axes)
    texts = [picture_text("for {name}", name=name_of(number, class_names)) for number in classes]
    if places:
        texts = [f"{place}: {text}" for place, text in zip(places, texts, strict=True)]
    if probabilities is not None and probabilities.shape[1] > 1:
        shares = probabilities[np.arange(len(texts)), np.asarray(classes)]
        texts = [f"{text}, {percent(float(share))}" for text, share in zip(texts, shares, strict=True)]
    picture = _picture(array, heat, texts, axes[1:], mean, std)
    tracker.log_image(tag or f"explain/{name}", picture, step, value_range=(0, 255))
    return heat


def _places(ids: Iterable[int]) -> list[int]:
    """Checked places in a data set."""
    try:
        places = [operator.index(each) for each in ids]
    except TypeError:
        places = []
    if not 0 < len(places) <= _MOST_IDS:
        raise DataError(
            "ids must be the places of 1 to {most} samples in the data set, got {ids}",
            most=_MOST_IDS,
            ids=describe(ids),
        )
    return places


def _chosen(images: ArrayLike | Dataset[object], places: list[int]) -> AnyArray:
    """A batch of samples of a data set."""
    dataset = cast("Dataset[object]", images)
    batch = []
    for place in places:
        try:
            if place < 0:
                raise IndexError
            item = dataset[place]
        except IndexError:
            raise DataError("{images} has no sample {place}", images=describe(images), place=place) from None
        batch.append(to_array(cast("ArrayLike", item[0] if isinstance(item, (tuple, list)) else item)))
    try:
        return np.stack(batch)
    except ValueError:
        shapes = ", ".join(sorted({str(list(image.shape)) for image in batch}))
        raise DataError(
            "images that are explained together must be of one shape, got {shapes}", shapes=shapes
        ) from None


def _method(method: str | Interpreter) -> tuple[str, Callable[..., AnyArray]]:
    """The name of a method in tags, and its function."""
    if isinstance(method, str) and method in _METHODS:
        return method, _METHODS[method]
    if (isinstance(method, str) and method.startswith(_INTERPRETDL)) or hasattr(method, "interpret"):
        from vizkit.hooks._explain.interpretdl import interpreter_of

        return interpreter_of(method.removeprefix(_INTERPRETDL) if isinstance(method, str) else method)
    known = ", ".join(map(repr, _METHODS))
    raise DataError(
        "method must be {known}, 'interpretdl:' and a name, or an interpreter; got {method}",
        known=known,
        method=describe(method),
    )


def _checked(options: dict[str, object], run: Callable[..., AnyArray], name: str) -> dict[str, object]:
    parameters = inspect.signature(run).parameters
    if not any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values()):
        for option in options:
            if option not in parameters:
                known = [p.name for p in parameters.values() if p.kind is p.KEYWORD_ONLY]
                raise DataError(
                    "{name} has no option {option!r}; it has {known}",
                    name=name,
                    option=option,
                    known=", ".join(known),
                )
    return options


def _black(channels: int, axes: str, mean: Channels, std: Channels) -> attribution.Heat:
    """Black as normalised for the network; shape (c, 1, 1) or (c,)."""
    zero = np.zeros(channels, np.float32)
    zero -= to_array(0 if mean is None else mean).astype(np.float32)
    zero /= to_array(1 if std is None else std).astype(np.float32)
    return np.asarray(zero.reshape(-1, 1, 1) if axes == "NCHW" else zero)


def _heat(attributions: AnyArray, axes: str) -> attribution.Heat:
    """Heat maps (n, h, w) from attributions of that shape or of the images'."""
    if attributions.ndim == 4:
        attributions = np.abs(attributions).sum(axis=axes.index("C"))
    return np.asarray(np.maximum(attributions, 0), np.float32)


def _picture(
    batch: AnyArray, heat: attribution.Heat, texts: list[str], axes: str, mean: Channels, std: Channels
) -> Pixels:
    """Each image beside its heat map."""
    if batch.shape[1 + axes.index("C")] in (1, 3, 4):
        pixels = pixel_images.to_pixels_each(list(batch), axes, mean=mean, std=std)
    else:
        greys = batch.mean(axis=1 + axes.index("C"))
        pixels = pixel_images.to_pixels_each(list(greys), "HW", value_range="minmax")
    cells = []
    for image, values in zip(pixels, heat, strict=True):
        pair = np.concatenate([pixel_images.to_rgb(image), draw_heat_map(image, values)], axis=1)
        cells.append(pixel_images.enlarge(pair, max(1, round(_SMALL / max(image.shape[:2])))))
    return captioned_grid(cells, [Caption(text) for text in texts])
