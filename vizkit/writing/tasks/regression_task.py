"""Records of an evaluation of a network that gives values: of each sample some, or images.

===================================  =======================================================
tag                                  record
===================================  =======================================================
``eval/mae``, ``eval/rmse``          mean absolute error, root of the mean squared error
``eval/r2``,                         coefficient of determination, and the same of errors
``eval/explained variance``          less their mean
``eval/error/p50`` (``p90``,         the median of the absolute error, and other quantiles
``p99``), ``eval/error/mean``        of it; the mean error: above 0 predictions are too high
``eval/mae/<output>`` ...            all of these for each output, if there are several
``eval/predicted vs true``           predictions against labels, and the errors, as an image
``eval/predicted vs true/table``     its numbers: for each tenth of the labels, how the
                                     predictions lie
``eval/residuals``,                  errors as a histogram, of each output
``eval/residuals/<output>``
``eval/samples``                     if inputs were given: the same samples every time, with
                                     label and prediction, as images or as a table
``eval/worst``                       likewise, those of the largest error
``eval/psnr``, ``eval/ssim``         of images: means over all of them
``eval/pinball loss``,               of predicted quantiles: their loss, and how far the
``eval/calibration error``           fraction of labels below them is from their levels
``eval/coverage/80`` ...,            of each central interval, such as of 80 %: the fraction
``eval/interval width/80``           of labels within it, and its mean width
``eval/calibration``,                labels below each quantile against its level, as an
``eval/calibration/table``           image and as numbers
``eval/scores``                      once a run: how these numbers are meant
===================================  =======================================================

Errors are predictions less labels. `vizkit.metrics.regression`, `vizkit.metrics.quantiles` and
`vizkit.metrics.image_quality` define the metrics.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import cast

import numpy as np

from vizkit._checks import describe
from vizkit._protocols import ArrayLike, StepLike
from vizkit.errors import DataError
from vizkit.format import encode
from vizkit.format.tags import clean_tag
from vizkit.media import images, png
from vizkit.media.captions import Caption, captioned_grid
from vizkit.media.lettering import picture_text
from vizkit.media.quantiles_image import quantiles_image
from vizkit.media.regression_image import regression_image
from vizkit.metrics.arrays import AnyArray, Floats, to_real
from vizkit.metrics.histograms import compute_histogram
from vizkit.metrics.image_quality import psnr, ssim
from vizkit.metrics.quantiles import QuantileResult, QuantileScores, point_and_quantiles
from vizkit.metrics.regression import QUANTILES, RegressionResult, RegressionScores
from vizkit.writing.evaluation import encode_scalars
from vizkit.writing.tasks.samples import KeptSamples, axes_of_image, content_of, numbers_text
from vizkit.writing.tasks.task import EvaluationTask, LabelledBatch, TaskOptions

__all__ = ["RegressionTask"]

_SPANS = {"[0, 1]": (0.0, 1.0), "[-1, 1]": (-1.0, 1.0), "[0, 255]": (0.0, 255.0)}
_LARGEST = 256  # pixels of an image's longer side in a grid
_BUCKETS = 40
_PARTS = 10  # of the labels, in the table


@dataclass(frozen=True, eq=False)
class _Kept:
    """A sample; its label and prediction are values, shape (k,), or images, shape (c, h, w)."""

    content: AnyArray | str | None
    label: AnyArray
    prediction: AnyArray
    interval: tuple[AnyArray, AnyArray] | None = None


class RegressionTask(EvaluationTask):
    """The values of an evaluation."""

    name = "regression"

    def __init__(self, options: TaskOptions) -> None:
        super().__init__(options)
        self._values = RegressionScores(options.limit)
        self._quantiles = None if options.quantiles is None else QuantileScores(options.quantiles)
        self._quality: dict[str, list[Floats]] = {}  # PSNR and SSIM by range, each of shape (s, n)
        self._spans = dict(_SPANS)
        self._count = 0
        self._kept: KeptSamples[_Kept] = KeptSamples(options.samples, options.worst)

    @property
    def samples(self) -> int:
        """Number of samples."""
        return self._count

    @property
    def nbytes(self) -> int:
        """Bytes of memory in use."""
        return self._rows.nbytes + self._values.nbytes

    def add(self, batch: LabelledBatch) -> None:
        """Add a batch."""
        true = to_real(cast("ArrayLike", batch.labels), "labels")
        quantiles: Floats | None = None
        if self.options.quantiles is not None and 0 < true.ndim < 3:
            found, quantiles = point_and_quantiles(batch.outputs, true, self.options.quantiles)
        else:
            found = to_real(cast("ArrayLike", batch.outputs), "outputs")
        if true.ndim < 3 and true.size == found.size and len(true) == len(found):
            found = found.reshape(true.shape)
        if true.shape != found.shape or not true.ndim:
            raise DataError(
                "labels and outputs of a regression must be of the same shape, got {labels} and {outputs}",
                labels=describe(batch.labels),
                outputs=describe(batch.outputs),
            )
        true = self._without_missing(true)
        count = len(true)
        if true.ndim > 2:
            errors = self._values.add(true.reshape(-1), found.reshape(-1)).reshape(count, -1)
        else:
            errors = self._values.add(true, found)
        self._names()  # that do not fit are refused at once
        self._count += count
        keys = self._rows.next_ids(batch.ids, count)
        known = ~np.isnan(errors)
        known_rows = known.any(axis=1)
        squares = np.where(known, errors, 0) ** 2
        badness = np.sqrt(squares.sum(axis=1) / np.maximum(known.sum(axis=1), 1))
        columns: dict[str, AnyArray] = {"id": keys, "error": badness}
        if true.ndim == 4:
            self._add_quality(true, found)
        elif true.ndim < 3:
            columns |= self._flat(true, "label") | self._flat(found, "prediction")
        ends: tuple[Floats, Floats] | None = None
        if self._quantiles is not None and quantiles is not None:
            whole = known.all(axis=1)
            self._quantiles.add(true.reshape(count, -1)[whole].astype(np.float64), quantiles[whole])
            if self._quantiles.widest is not None:
                low, high = self._quantiles.widest
                ends = quantiles[..., low], quantiles[..., high]
                columns |= self._flat(ends[0], "lower") | self._flat(ends[1], "upper")
        columns |= self._rows.extras(batch, count)
        if not known_rows.all():
            columns = {name: column[known_rows] for name, column in columns.items()}
        self._rows.add(columns)
        self._rows.offer_images(batch, keys)
        places = np.flatnonzero(known_rows)

        def kept(row: int) -> _Kept:
            interval = None if ends is None else (ends[0][row], ends[1][row])
            return _copied(batch, row, true[row], found[row], interval)

        if batch.inputs is not None or true.ndim > 2:
            self._kept.offer(keys[places], badness[places], lambda row: kept(int(places[row])))

    def _without_missing(self, true: AnyArray) -> AnyArray:
        """Labels with NaN in place of those that do not count."""
        ignored = self.options.ignore_index
        missing = None if ignored is None else true == ignored
        return true if missing is None or not missing.any() else np.where(missing, np.nan, true)

    def _add_quality(self, true: AnyArray, found: AnyArray) -> None:
        """Add PSNR and SSIM, for each range that the labels may have: all of them tell it in the end.

        Images of which some pixels do not count have neither.
        """
        whole = ~np.isnan(true).any(axis=(1, 2, 3))
        true, found = true[whole], found[whole]
        if not len(true):
            return
        low, high = float(true.min()), float(true.max())
        possible = {
            name: (least, most)
            for name, (least, most) in self._spans.items()
            if least <= low and high <= most
        }
        if possible.keys() != self._spans.keys():
            gone = [name not in possible for name in self._spans]
            self._quality = {
                name: [part[~np.array(gone)] for part in parts] for name, parts in self._quality.items()
            }
            self._spans = possible
        if not possible:
            return
        spans = np.array([most - least for least, most in possible.values()])
        both = {"psnr": psnr(true, found, spans), "ssim": ssim(true, found, spans)}
        for name, values in both.items():
            self._quality.setdefault(name, []).append(values)

    def _names(self) -> list[str]:
        names, outputs = self.options.class_names, self._values.outputs
        found = [str(k) for k in range(outputs)] if names is None else list(names)
        if len(found) != outputs or len({clean_tag(name) for name in found}) != outputs:
            raise DataError(
                "{outputs} outputs need {outputs} different names, got {names}", outputs=outputs, names=names
            )
        return found

    def _flat(self, values: AnyArray, name: str) -> dict[str, AnyArray]:
        """Values (n, k) as a column of each output."""
        each = values.reshape(len(values), -1).astype(np.float64)
        parts = [f"/{clean_tag(one)}" for one in self._names()] if each.shape[1] > 1 else [""]
        return {f"{name}{part}": each[:, k] for k, part in enumerate(parts)}

    def _ends(self) -> list[str]:
        """The ends of tags of each output; none of a single one."""
        names = self._names()
        few = 1 < len(names) <= self.options.most_classes
        return [f"/{clean_tag(name)}" for name in names] if few else []

    def tags(self, tag: str) -> dict[str, str]:
        """All tags that may be recorded -> their kinds."""
        ends = ["", *self._ends()]
        names = ["mae", "rmse", "r2", "explained variance", *_ERRORS]
        kinds = {f"{tag}/{name}{end}": "scalar" for name in names for end in ends}
        kinds |= {f"{tag}/residuals{end}": "histogram" for end in self._ends() or [""]}
        kinds |= {f"{tag}/{name}": "scalar" for name in ("psnr", "ssim")}
        kinds |= {f"{tag}/predicted vs true": "image", f"{tag}/predicted vs true/table": "text"}
        kinds[f"{tag}/scores"] = "text"
        if self._quantiles is not None:
            names = list(_quantile_values(self._quantiles.result())) if self._count else []
            kinds |= {f"{tag}/{name}{end}": "scalar" for name in names for end in ends}
            kinds |= {f"{tag}/calibration": "image", f"{tag}/calibration/table": "text"}
        for name, kept in self._shown():
            kinds[f"{tag}/{name}"] = "image" if _are_pictures(kept) else "text"
        return kinds

    def encode(
        self, tag: str, step: StepLike, now: int, without: Collection[str], *, explained: bool
    ) -> bytes:
        """Encode the records."""
        found, names, ends = self._values.result(), self._names(), self._ends()
        scalars = _scalars(tag, _errors(found), ends)
        said = []
        frames = []
        if self._quantiles is not None:
            calibration = self._quantiles.result()
            scalars |= _scalars(tag, _quantile_values(calibration), ends)
            picture = png.encode_png(quantiles_image(calibration, names), drawn=True)
            table = _quantile_table(calibration, names)
            frames += [
                encode.encode_image(f"{tag}/calibration", picture, step, now),
                encode.encode_text(f"{tag}/calibration/table", table, step, now),
            ]
            if calibration.crossed:
                said.append(
                    f"Of {calibration.crossed:,} of {found.samples:,} samples a quantile lies below that of "
                    "a lower level."
                )
        if found.stride > 1:
            said.append(
                f"Quantiles, residuals and predicted vs true are of every {found.stride}th of "
                f"{found.samples:,} values; all else is of all of them."
            )
        if self._quality and self._spans:
            name = next(iter(self._spans))  # the narrowest
            for metric, parts in self._quality.items():
                value = float(np.concatenate(parts, axis=1)[0].mean())
                if not np.isnan(value):
                    scalars[f"{tag}/{metric}"] = value
            said.append(f"PSNR and SSIM take the range of the images as {name}: all labels lie in it.")
        if found.missing:
            said.append(f"{found.missing:,} labels do not count: they are NaN, masked, or the ignore_index.")
        errors = found.predictions - found.labels
        kept = [(name, value) for name, value in scalars.items() if name not in without]
        picture = png.encode_png(regression_image(found.labels, found.predictions, names), drawn=True)
        frames += [
            encode_scalars(kept, step, now),
            encode.encode_image(f"{tag}/predicted vs true", picture, step, now),
            encode.encode_text(f"{tag}/predicted vs true/table", _table(found, names), step, now),
        ]
        for k, end in enumerate(ends or [""] * (len(names) == 1)):
            histogram = compute_histogram(errors[~np.isnan(errors[:, k]), k], _BUCKETS)
            frames.append(encode.encode_histogram(f"{tag}/residuals{end}", histogram, step, now))
        if said and not explained:
            frames.append(encode.encode_text(f"{tag}/scores", "\n".join(said), step, now))
        for name, shown in self._shown():
            if _are_pictures(shown):
                frames.append(encode.encode_image(f"{tag}/{name}", self._grid(shown), step, now))
            else:
                frames.append(encode.encode_text(f"{tag}/{name}", _texts(shown), step, now))
        return b"".join(frames)

    def _shown(self) -> list[tuple[str, list[tuple[int | str, _Kept]]]]:
        each = (("samples", self._kept.followed()), ("worst", self._kept.worst()))
        return [(name, kept) for name, kept in each if kept]

    def _grid(self, shown: list[tuple[int | str, _Kept]]) -> bytes:
        pixels, captions = [], []
        options = self.options
        for key, one in shown:
            title = picture_text("sample {key}", key=key)
            if one.label.ndim < 2:
                content = cast("AnyArray", one.content)
                pixels.append(
                    images.to_pixels(content, axes_of_image(content), mean=options.mean, std=options.std)
                )
                lines = [
                    title,
                    picture_text("label {name}", name=numbers_text(one.label)),
                    picture_text("predicted {name}{share}", name=_prediction(one), share=""),
                ]
                captions.append(Caption("\n".join(lines)))
                continue
            error = np.abs(one.prediction.astype(np.float64) - one.label)
            parts = [(one.label, picture_text("label")), (one.prediction, picture_text("prediction"))]
            most = float(np.nanmax(error))  # a pixel that does not count is NaN
            parts.append((error, picture_text("error up to {most}", most=f"{most:.3g}")))
            if isinstance(one.content, np.ndarray):
                parts.insert(0, (one.content, title))
            else:
                parts[0] = (one.label, f"{title}, {parts[0][1]}")
            low, high = float(np.nanmin(one.label)), float(np.nanmax(one.label))
            for array, text in parts:
                span = None if array is one.content else (0, most or 1) if array is error else (low, high)
                if low == high and array is not error:
                    span = None
                pixels.append(images.to_pixels(array, axes_of_image(array), value_range=span))
                captions.append(Caption(text))
        shrunk = [images.resize(each, min(1.0, _LARGEST / max(each.shape[:2]))) for each in pixels]
        rows = len(shown) if len(pixels) > len(shown) else -1
        return png.encode_png(captioned_grid(shrunk, captions, rows))


_ERRORS = ("error/mean", *(f"error/p{round(100 * share)}" for share in QUANTILES))


def _errors(found: RegressionResult) -> dict[str, Floats]:
    """The values of each output by the metrics' names."""
    each = [("mae", found.mae), ("rmse", found.rmse), ("r2", found.r2)]
    each += [("explained variance", found.explained_variance)]
    return dict([*each, *zip(_ERRORS, [found.bias, *found.quantiles], strict=True)])


def _quantile_values(found: QuantileResult) -> dict[str, Floats]:
    out = {"pinball loss": found.pinball, "calibration error": found.calibration_error}
    for share, coverage, width in zip(found.shares, found.coverage, found.width, strict=True):
        out |= {f"coverage/{100 * share:g}": coverage, f"interval width/{100 * share:g}": width}
    return out


def _scalars(tag: str, each: dict[str, Floats], ends: list[str]) -> dict[str, float]:
    """The mean over outputs, and the value of each."""
    out = {f"{tag}/{name}": _mean(values) for name, values in each.items()}
    for name, values in each.items():
        out |= {f"{tag}/{name}{end}": value for end, value in zip(ends, values.tolist(), strict=False)}
    return out


def _mean(values: Floats) -> float:
    """The mean over the outputs that have labels."""
    known = values[~np.isnan(values)]
    return float(known.mean()) if known.size else float("nan")


def _quantile_table(found: QuantileResult, names: list[str]) -> str:
    lines = ["\t".join(["output", "level", "labels at or below"])]
    for k, name in enumerate(names):
        for level, share in zip(found.levels, found.below[:, k], strict=True):
            lines.append("\t".join([" ".join(name.split()), f"{level:g}", f"{share:.6g}"]))
    return "\n".join(lines)


def _table(found: RegressionResult, names: list[str]) -> str:
    """For each tenth of the labels of each output: the mean label and prediction, and how errors lie."""
    lines = ["\t".join(["output", "from", "to", "samples", "mean label", "mean prediction", "p10", "p90"])]
    for k, name in enumerate(names):
        order = np.argsort(found.labels[:, k], kind="stable")
        order = order[: np.count_nonzero(~np.isnan(found.labels[:, k]))]  # NaN sorts last
        for part in np.array_split(order, min(_PARTS, len(order))) if order.size else []:
            true, guess = found.labels[part, k], found.predictions[part, k]
            low, high = np.quantile(guess - true, (0.1, 0.9))
            numbers = [true[0], true[-1], len(part), true.mean(), guess.mean(), low, high]
            lines.append("\t".join([" ".join(name.split()), *(f"{number:.6g}" for number in numbers)]))
    return "\n".join(lines)


def _texts(shown: list[tuple[int | str, _Kept]]) -> str:
    lines = ["\t".join(["sample", "label", "prediction", "input"])]
    for key, one in shown:
        content = numbers_text(one.content) if isinstance(one.content, np.ndarray) else one.content or ""
        cells = [str(key), numbers_text(one.label), _prediction(one), " ".join(content.split())]
        lines.append("\t".join(cells))
    return "\n".join(lines)


def _prediction(one: _Kept) -> str:
    """The prediction, with its interval."""
    if one.interval is None:
        return numbers_text(one.prediction)
    low, high = one.interval
    return f"{numbers_text(one.prediction)} [{numbers_text(low)}; {numbers_text(high)}]"


def _are_pictures(shown: list[tuple[int | str, _Kept]]) -> bool:
    return all(_is_picture(one) for _, one in shown)


def _is_picture(one: _Kept) -> bool:
    return axes_of_image(one.label) != "" if one.label.ndim > 1 else isinstance(one.content, np.ndarray)


def _copied(
    batch: LabelledBatch,
    row: int,
    label: AnyArray,
    prediction: AnyArray,
    interval: tuple[AnyArray, AnyArray] | None,
) -> _Kept:
    content = None if batch.inputs is None else content_of(batch, row)
    ends = None if interval is None else (interval[0].copy(), interval[1].copy())
    return _Kept(content, np.atleast_1d(label).copy(), np.atleast_1d(prediction).copy(), ends)
