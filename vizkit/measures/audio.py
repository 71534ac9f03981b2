"""Sounds as WAV files, the way browsers play them."""

from __future__ import annotations

import io
import wave
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vizkit.errors import DataError, VizKitWarning
from vizkit.measures.arrays import describe, to_array

__all__ = ["Wave", "to_wave"]

_MOST_CHANNELS = 8


@dataclass(frozen=True)
class Wave:
    """A WAV file of 16 bit PCM: its bytes, rate (samples a second), channels and frames."""

    data: bytes
    sample_rate: int
    channels: int
    frames: int


def to_wave(audio: Any, sample_rate: int = 8000) -> Wave:
    """A sound as a WAV file.

    Args:
        audio: (n,) mono, or (n, channels) or (channels, n) with up to 8 channels, the shorter axis
            being the channels. int16 is kept as it is, other integers are scaled from their full
            range (uint8 around 128), floats are in [-1, 1].
        sample_rate: samples a second.

    Returns:
        The file and what is in it. Floats out of range are clipped, with one warning.

    Raises:
        DataError: no samples, NaN or infinite ones, another shape, or a rate that is no positive
            whole number.
    """
    array = to_array(audio)
    if not float(sample_rate).is_integer() or not 0 < sample_rate < 2**31:
        raise DataError(f"sample_rate must be a positive whole number, got {sample_rate!r}")
    if array.ndim == 2 and array.shape[0] < array.shape[1]:
        array = array.T
    if array.ndim == 1:
        array = array[:, None]
    if array.ndim != 2 or not array.size or array.shape[1] > _MOST_CHANNELS or array.dtype.kind == "c":
        raise DataError(
            f"a sound has the shape [samples] or [samples, channels] with 1 to {_MOST_CHANNELS} channels, "
            f"got {describe(audio)}"
        )
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(array.shape[1])
        out.setsampwidth(2)
        out.setframerate(int(sample_rate))
        out.writeframes(np.ascontiguousarray(_int16(array)).tobytes())
    return Wave(file.getvalue(), int(sample_rate), array.shape[1], len(array))


def _int16(array: NDArray[Any]) -> NDArray[np.int16]:
    if array.dtype == np.int16:
        return array.astype("<i2")
    if array.dtype == np.bool_:
        return array.astype("<i2") * np.int16(32767)
    if array.dtype.kind == "u":
        bits = 8 * array.dtype.itemsize
        centred = array.astype(np.float64) - 2.0 ** (bits - 1)
        return np.rint(centred * 2.0 ** (16 - bits)).clip(-32768, 32767).astype("<i2")
    if array.dtype.kind == "i":
        # Lists of small Python integers are int64, but mean 16 bit samples.
        if np.abs(array.astype(np.float64)).max() < 32768:
            return array.astype("<i2") if array.dtype.itemsize > 1 else array.astype("<i2") * np.int16(256)
        bits = 8 * array.dtype.itemsize
        return np.rint(array.astype(np.float64) * 2.0 ** (16 - bits)).clip(-32768, 32767).astype("<i2")
    numbers = array.astype(np.float64)
    bad = int(np.count_nonzero(~np.isfinite(numbers)))
    if bad:
        raise DataError(f"{bad} of {numbers.size} samples are NaN or infinite")
    peak = float(np.abs(numbers).max())
    if peak > 1:
        warnings.warn(
            f"sound clipped: its peak is {peak:g}, floats are to be within [-1, 1]", VizKitWarning, stacklevel=4
        )
    return np.rint(numbers.clip(-1, 1) * 32767).astype("<i2")
