"""Search spaces: the values that a hyper-parameter may take."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from vizkit._checks import describe
from vizkit.errors import DataError

if TYPE_CHECKING:
    import optuna

__all__ = ["Dimension", "Value", "choice", "integers", "log", "uniform", "when"]

Value = bool | int | float | str | None

_MOST_GRID_POINTS = 1_000_000


@dataclass(frozen=True)
class Dimension:
    """The values of one hyper-parameter. Made by `log`, `uniform`, `integers`, `choice` and `when`.

    Attributes:
        options: the values of a choice; empty for a range.
        low, high: the ends of a range, both within.
        step: the distance between the values of a range; None: any value.
        logarithmic: a range whose logarithm is searched evenly.
        whole: a range of whole numbers.
        only: name of another hyper-parameter -> the values with which this one is there.
    """

    options: tuple[Value, ...] = ()
    low: float = 0
    high: float = 0
    step: float | None = None
    logarithmic: bool = False
    whole: bool = False
    only: tuple[tuple[str, tuple[Value, ...]], ...] = ()

    def is_there(self, point: Mapping[str, Value]) -> bool:
        """True if a point, whose earlier values are known, has this hyper-parameter."""
        return all(name in point and point[name] in values for name, values in self.only)

    def holds(self, value: object) -> bool:
        """True if the value is one of this dimension's."""
        if self.options:
            return any(type(value) is type(option) and value == option for option in self.options)
        number = isinstance(value, int if self.whole else (int, float)) and not isinstance(value, bool)
        return number and self.low <= value <= self.high  # type: ignore[operator]

    def fitting(self, value: object) -> object:
        """The option that a number is equal to, such as 1.0 for 1; any other value as it is."""
        if self.holds(value) or not _is_number(value):
            return value
        return next((own for own in self.options if _is_number(own) and own == value), value)

    def suggested(self, name: str, trial: optuna.Trial) -> Value:
        """The value that Optuna suggests for a trial."""
        if self.options:
            return trial.suggest_categorical(name, self.options)
        if self.whole:
            low, high, step = int(self.low), int(self.high), int(self.step or 1)
            return trial.suggest_int(name, low, high, step=step, log=self.logarithmic)
        return trial.suggest_float(name, self.low, self.high, step=self.step, log=self.logarithmic)

    def grid(self) -> Sequence[Value] | None:
        """All values; None if there is no end of them."""
        if self.options:
            return self.options
        if self.step is None and not (self.whole and not self.logarithmic):
            return None
        step = self.step or 1
        count = math.floor((self.high - self.low) / step * (1 + 1e-12)) + 1
        if count > _MOST_GRID_POINTS:
            return None
        values = [self.low + index * step for index in range(count)]
        return [int(value) for value in values] if self.whole else values

    def to_dict(self) -> dict[str, object]:
        """The dimension as JSON writes it."""
        ends = ("low", "high") if self.options else ()
        found = {key: value for key, value in asdict(self).items() if key not in ends}
        return {key: value for key, value in found.items() if value not in ((), None) and value is not False}


def log(low: float, high: float) -> Dimension:
    """A range of numbers whose logarithm is searched evenly, such as ``log(1e-5, 1e-1)`` for a learning rate.

    Raises:
        DataError: not ``0 < low < high``.
    """
    _check_range("log", low, high)
    if low <= 0:
        raise DataError("log({low!r}, {high!r}) must begin above 0", low=low, high=high)
    return Dimension(low=float(low), high=float(high), logarithmic=True)


def uniform(low: float, high: float, step: float | None = None) -> Dimension:
    """A range of numbers that is searched evenly, in steps if one is given.

    Raises:
        DataError: not ``low < high``, or a step that is not above 0.
    """
    _check_range("uniform", low, high)
    if step is not None and not (_is_number(step) and 0 < step < math.inf):
        raise DataError("step must be above 0, got {step!r}", step=step)
    return Dimension(low=float(low), high=float(high), step=None if step is None else float(step))


def integers(low: int, high: int, step: int = 1, *, log: bool = False) -> Dimension:
    """Whole numbers from ``low`` to ``high``, both within; ``log=True`` searches their logarithm evenly.

    Raises:
        DataError: not ``low < high``, a step below 1, or ``log`` with a step or from below 1.
    """
    for given in (low, high, step):
        if not isinstance(given, int) or isinstance(given, bool):
            raise DataError("integers() takes whole numbers, got {given!r}", given=given)
    _check_range("integers", low, high)
    if step < 1 or (log and (step != 1 or low < 1)):
        raise DataError(
            "integers({low}, {high}, {step}): a step is 1 or more, and with log=True it is 1, from 1 on",
            low=low,
            high=high,
            step=step,
        )
    return Dimension(low=low, high=high, step=None if log else step, logarithmic=log, whole=True)


def choice(options: Sequence[Value]) -> Dimension:
    """One of some values: numbers, texts, True, False or None. A plain list in a space means the same.

    Raises:
        DataError: no value, one twice, or one of another kind.
    """
    values = tuple(_own(value) for value in options)
    if not values:
        raise DataError("a choice needs at least one value")
    for value in values:
        if value is not None and not isinstance(value, (bool, int, float, str)):
            raise DataError(
                "a choice is among numbers, texts, True, False and None, got {value}: name it by a text, "
                "and look it up in the training",
                value=describe(value),
            )
        if isinstance(value, float) and not math.isfinite(value):
            raise DataError("a choice must be finite, got {value!r}", value=value)
    if len(set(values)) < len(values):  # 1, 1.0 and True are equal, and Optuna takes them for one
        raise DataError("a choice holds a value twice: {values!r}", values=list(values))
    return Dimension(options=values)


def when(dimension: Dimension | Sequence[Value], **only: Value | Sequence[Value]) -> Dimension:
    """A hyper-parameter that is there only with some values of others, which stand before it in the space.

    ::

        {"optimizer": ["SGD", "Adam"], "momentum": when(uniform(0.8, 0.99), optimizer="SGD")}

    Args:
        dimension: its values.
        only: name of the other hyper-parameter = its value or values. A name that is no word of Python is
            given as ``**{"weight decay": [0.1]}``.
    """
    conditions = tuple(
        (name, tuple(values) if isinstance(values, (list, tuple)) else (values,))
        for name, values in only.items()
    )
    return replace(as_dimension(dimension), only=conditions)


def as_dimension(given: object) -> Dimension:
    """The dimension that a value in a space stands for: a list is a choice, a single value the only one."""
    if isinstance(given, Dimension):
        return given
    if isinstance(given, (list, tuple, range)) or (isinstance(given, np.ndarray) and given.ndim == 1):
        return choice(list(given))
    return choice([given])  # type: ignore[list-item]  # checked there


def as_space(given: object) -> dict[str, Dimension]:
    """The dimensions of a search space.

    Raises:
        DataError: no dict, an empty one, a name that is no text, bad values, or a condition on a
            hyper-parameter that does not stand before.
    """
    if not isinstance(given, Mapping):
        raise DataError(
            "a space is a dict of hyper-parameters and their values, got {given}", given=describe(given)
        )
    if not given:
        raise DataError("the space is empty: name at least one hyper-parameter and its values")
    space: dict[str, Dimension] = {}
    for name, values in given.items():
        if not isinstance(name, str) or not name:
            raise DataError("a hyper-parameter's name is a text, got {name!r}", name=name)
        try:
            dimension = as_dimension(values)
        except DataError as error:
            raise DataError("{name}: {error}", name=name, error=error) from None
        for other, wanted in dimension.only:
            if other not in space:
                raise DataError(
                    "{name!r} depends on {other!r}, which must stand before it in the space",
                    name=name,
                    other=other,
                )
            for value in wanted:
                if not space[other].holds(value):
                    raise DataError(
                        "{name!r} is there if {other!r} is {value!r}, which it never is",
                        name=name,
                        other=other,
                        value=value,
                    )
        space[name] = dimension
    return space


def checked_point(space: Mapping[str, Dimension], point: object) -> dict[str, Value]:
    """A point that somebody gave: some hyper-parameters of the space, the others are to be chosen.

    Raises:
        DataError: no dict, a name that is not in the space, or a value that it does not hold.
    """
    if not isinstance(point, Mapping):
        raise DataError("a point is a dict of hyper-parameters, got {given}", given=describe(point))
    found: dict[str, Value] = {}
    for name, given in point.items():
        if name not in space:
            raise DataError(
                "the point has {name!r}, which the space does not: {known}", name=name, known=", ".join(space)
            )
        value = space[name].fitting(_own(given))
        if not space[name].holds(value):
            raise DataError(
                "the point's {name} = {value!r} is not in the space: {values}",
                name=name,
                value=value,
                values=space[name].to_dict(),
            )
        found[name] = value  # type: ignore[assignment]  # the space holds it
    return found


def grid_points(space: Mapping[str, Dimension]) -> list[dict[str, Value]]:
    """All points of a space, the last hyper-parameter fastest.

    Raises:
        DataError: a range without a step, or more than a million points.
    """
    points: list[dict[str, Value]] = [{}]
    for name, dimension in space.items():
        values = dimension.grid()
        if values is None:
            raise DataError(
                "{name} has no end of values: give it a step or a list for a grid, or take another sampler",
                name=name,
            )
        points = list(itertools.islice(_widened(points, name, dimension, values), _MOST_GRID_POINTS + 1))
        if len(points) > _MOST_GRID_POINTS:
            raise DataError("the grid has more than {most:,} points", most=_MOST_GRID_POINTS)
    return points


def _widened(
    points: list[dict[str, Value]], name: str, dimension: Dimension, values: Sequence[Value]
) -> Iterator[dict[str, Value]]:
    for point in points:
        if dimension.is_there(point):
            yield from ({**point, name: value} for value in values)
        else:
            yield point


def is_grid(space: Mapping[str, Dimension]) -> bool:
    """True if every hyper-parameter has a list of values."""
    return all(dimension.options for dimension in space.values())


def _own(value: object) -> Any:  # noqa: ANN401
    """A number of NumPy as Python's; anything else as it is."""
    return value.item() if isinstance(value, np.generic) else value


def _check_range(name: str, low: object, high: object) -> None:
    if not (_is_number(low) and _is_number(high) and -math.inf < low < high < math.inf):  # type: ignore[operator]
        raise DataError(
            "{name}({low!r}, {high!r}) needs two numbers, the lower one first", name=name, low=low, high=high
        )


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
