"""Types of the arguments that users pass: tensors, arrays, numbers, networks of any library.

They name the attributes that VizKit uses, and import none of the libraries.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar, Protocol, SupportsFloat, SupportsIndex, TypeAlias, Union

if TYPE_CHECKING:
    import argparse
    from datetime import datetime
    from typing import Any

    import numpy as np
    from numpy.typing import ArrayLike as NumPyArrayLike
    from numpy.typing import NDArray
    from PIL.Image import Image

__all__ = [
    "ArrayLike",
    "ArrowTable",
    "DataclassLike",
    "HParamsLike",
    "ImageLike",
    "Interpreter",
    "JSONObject",
    "LayerLike",
    "MetricsLike",
    "ScalarLike",
    "StepLike",
    "TableLike",
    "TensorLike",
    "WalltimeLike",
]


class TensorLike(Protocol):
    """A tensor of Paddle or another framework."""

    @property
    def shape(self) -> object:
        """The length of each axis."""

    @property
    def dtype(self) -> object:
        """The type of its elements."""

    def numpy(self) -> NDArray[Any]:
        """Its values as an array."""


class ArrowTable(Protocol):
    """A table of pyarrow, polars or pandas."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """Its content in the form of Apache Arrow."""


class Interpreter(Protocol):
    """An interpreter of InterpretDL."""

    @property
    def interpret(self) -> Callable[..., object]:
        """Attributions for images."""


class LayerLike(Protocol):
    """A network: what VizKit calls of ``paddle.nn.Layer``."""

    training: bool

    def named_parameters(self) -> Iterator[tuple[str, TensorLike]]:
        """The parameters by their names."""

    def named_sublayers(self) -> Iterator[tuple[str, LayerLike]]:
        """The layers within by their names."""


class DataclassLike(Protocol):
    """An instance of a dataclass."""

    __dataclass_fields__: ClassVar[dict[str, Any]]


ArrayLike = Union["NumPyArrayLike", TensorLike]
"""An array, a tensor, a number or nested sequences of numbers."""

ScalarLike = SupportsFloat | SupportsIndex | TensorLike | str | Sequence[SupportsFloat]
"""One number of Python, NumPy or Paddle, an array, tensor or list of one, or a text that ``float`` takes."""

MetricsLike: TypeAlias = "Mapping[str, ScalarLike | MetricsLike]"
"""Metrics by their tags, nested or not."""

StepLike = SupportsFloat | SupportsIndex | TensorLike
"""A step: a whole number, or a fraction such as 0.5 epochs."""

TableLike = Union[Mapping[str, object], Sequence[Mapping[str, object]], "ArrowTable"]
"""A table: a dict of columns, a list of rows, a frame of pandas, or an Arrow table."""

WalltimeLike = Union[float, "datetime", "np.datetime64", str]
"""A time: milliseconds or seconds since 1970, a ``datetime``, a ``np.datetime64`` or an ISO 8601 text."""

ImageLike = Union["NumPyArrayLike", TensorLike, "Image"]
"""An image: an array, a tensor, nested lists of numbers or a PIL image."""

HParamsLike = Union[Mapping[str, object], "argparse.Namespace", DataclassLike]
"""Hyper-parameters by their names."""

JSONObject = dict[str, "Any"]
"""An object of JSON; its values are as ``json.loads`` returns them."""
