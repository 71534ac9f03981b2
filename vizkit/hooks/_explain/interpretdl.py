"""InterpretDL's interpreters as methods of `vizkit.hooks.explain`.

They take float images of 3 channels as they are (and normalise others), and leave the model in another
mode, with hooks and gradients: so they get a copy of it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Protocol, cast

import numpy as np

from vizkit._checks import describe
from vizkit._protocols import ArrayLike, Interpreter
from vizkit.errors import DataError, MissingDependencyError
from vizkit.hooks._explain.attribution import Heat, layer_of
from vizkit.hooks._network.network_copy import copy_network
from vizkit.hooks._network.random_states import paddle_random_states_kept
from vizkit.hooks._paddle import paddle
from vizkit.metrics.arrays import AnyArray, to_array

__all__ = ["interpreter_of"]

_CHANNELS = 3


class _WithModel(Protocol):
    """An interpreter and the model that it explains."""

    model: object

    def interpret(self, data: AnyArray, **options: object) -> object:
        """Attributions for images."""


def interpreter_of(method: str | Interpreter) -> tuple[str, Callable[..., AnyArray]]:
    """Make a method of `explain` from an interpreter of InterpretDL.

    Args:
        method: an interpreter, or a name such as ``ScoreCAM`` (for ``ScoreCAMInterpreter``).

    Returns:
        A name for tags, and a function of ``(net, images, classes, *, layer, dataformats, **options)``.

    Raises:
        MissingDependencyError: a name, and InterpretDL is not installed.
        DataError: InterpretDL has no interpreter of that name.
    """
    if not isinstance(method, str):
        interpreter = cast("_WithModel", method)
        return type(method).__name__.removesuffix("Interpreter"), _method_of(lambda net: interpreter)
    try:
        import interpretdl
    except ImportError as error:
        raise MissingDependencyError(
            "method 'interpretdl:{method}' needs InterpretDL, whose setup needs help: pip "
            "install 'setuptools<80' wheel; pip install --no-build-isolation --no-deps "
            "interpretdl; pip install 'ipython<9' scikit-learn scikit-image tqdm",
            method=method,
        ) from error
    made = getattr(interpretdl, f"{method}Interpreter", None) or getattr(interpretdl, method, None)
    if made is None or not hasattr(made, "interpret"):
        known = [name.removesuffix("Interpreter") for name in interpretdl.__all__ if "Interpreter" in name]
        raise DataError(
            "InterpretDL has no interpreter {method!r}; it has {names}",
            method=method,
            names=", ".join(sorted(known)),
        )
    make: Callable[..., _WithModel] = made
    return method, _method_of(lambda net: make(net, device=str(paddle.device.get_device())))


def _method_of(make: Callable[[paddle.nn.Layer], _WithModel]) -> Callable[..., AnyArray]:
    def run(
        net: paddle.nn.Layer,
        images: ArrayLike,
        classes: list[int],
        *,
        layer: str | paddle.nn.Layer | None = None,
        dataformats: str = "NCHW",
        **options: object,
    ) -> AnyArray:
        data, network = _with_three_channels(net, images, dataformats)
        interpreter = make(network)
        parameters = inspect.signature(interpreter.interpret).parameters
        if "target_layer_name" in parameters and "target_layer_name" not in options:
            options["target_layer_name"] = f"net.{layer_of(net, layer)[1]}"
        elif layer is not None:
            raise DataError("{type} uses no layer, so layer= has no meaning", type=type(interpreter).__name__)
        options[next(name for name in ("labels", "label") if name in parameters)] = np.array(classes)
        before, interpreter.model = interpreter.model, network
        device = paddle.device.get_device()
        try:
            with paddle_random_states_kept(), paddle.enable_grad():
                found = interpreter.interpret(data, visual=False, **options)
        finally:
            interpreter.model = before
            paddle.device.set_device(device)
        heat = np.empty(0) if isinstance(found, Mapping) else np.asarray(found)
        if heat.ndim not in (3, 4) or heat.shape[0] != len(data):
            raise DataError(
                "{type} gives no heat maps but {found}",
                type=type(interpreter).__name__,
                found=describe(found),
            )
        return np.abs(heat).sum(axis=1) if heat.ndim == 4 else heat

    return run


class _ThreeChannels(paddle.nn.Layer):
    """A network of 1 or 3 channels, NCHW or NHWC, as one of 3 channels and NCHW."""

    def __init__(self, net: paddle.nn.Layer, channels: int, axes: str) -> None:
        super().__init__()
        self.net = net
        self._channels = channels
        self._axes = axes

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        x = x[:, : self._channels].astype("float32")
        output = self.net(x.transpose([0, 2, 3, 1]) if self._axes == "NHWC" else x)
        return output[0] if isinstance(output, (list, tuple)) else output


def _with_three_channels(net: paddle.nn.Layer, images: ArrayLike, axes: str) -> tuple[Heat, paddle.nn.Layer]:
    """Images with 3 channels, and a copy of the network that takes them."""
    data = to_array(images).astype(np.float32)
    data = data.transpose(0, 3, 1, 2) if axes == "NHWC" else data
    channels = data.shape[1]
    if channels not in (1, _CHANNELS):
        raise DataError("InterpretDL takes images of 1 or 3 channels, got {images}", images=describe(images))
    network = _ThreeChannels(copy_network(net), channels, axes)
    network.eval()
    return np.repeat(data, _CHANNELS // channels, axis=1), network
