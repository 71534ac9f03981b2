"""Audio samples as the bytes of a WAV file (16 bit PCM), the form in which VisualDL records them."""

from __future__ import annotations

import io
import math
import wave
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vizkit._checks import describe
from vizkit._language import tr
from vizkit._protocols import ArrayLike, ScalarLike
from vizkit._warnings import warn
from vizkit.errors import DataError
from vizkit.metrics.arrays import AnyArray, to_array, to_float

__all__ = ["Wave", "to_wave"]

Samples = NDArray[np.int16]

_MAX_CHANNELS = 8
_MAX_BYTES = 2**32 - 64  # a WAV file counts its bytes in 32 bits


@dataclass(frozen=True)
class Wave:
    """A recording as a WAV file.

    Attributes:
        data: the bytes of the file, 16 bit PCM.
        sample_rate: frames per second.
        channels: 1 is mono, 2 stereo.
        frames: samples of each channel.
    """

    data: bytes
    sample_rate: int
    channels: int
    frames: int


def to_wave(audio: ArrayLike, sample_rate: int = 8000) -> Wave:
    """Convert audio samples to a WAV file.

    Floats are in [-1, 1]; others are clipped with a warning. int16 is kept. uint8 is 8 bit PCM around
    128 (as in WAV files), int8 around 0, uint16 around 32768. Wider integers are taken as int16 if all
    fit (a list of Python integers is int64), and otherwise scaled down from their full scale: that of
    int32 for an int64 that fits it.

    The bytes of a 16 bit file are not its samples: read those with ``np.frombuffer(chunk, "int16")``.

    Args:
        audio: an array, a tensor or a list of shape (n,), (n, channels) or (channels, n), of 1 or 2
            channels, or of up to 8 with at least 4 times as many frames; (2, 2) is two frames of
            stereo. Further axes of length 1 are removed.
        sample_rate: frames per second.

    Raises:
        DataError: ``audio`` is empty, has NaN or no such shape, or ``sample_rate`` is impossible.
    """
    rate = _checked_rate(sample_rate)
    array = to_array(audio)
    if not array.size:
        raise DataError("there is no sound in {audio}", audio=describe(audio))
    if array.dtype.kind == "c":
        raise DataError("a sound needs real numbers, got {audio}", audio=describe(audio))
    frames = _frames_first(array)
    samples = _from_floats(frames) if frames.dtype.kind in "bf" else _from_integers(frames)
    count, channels = samples.shape
    if count * channels * 2 > _MAX_BYTES or rate * channels * 2 > _MAX_BYTES:
        raise DataError(
            "{audio} at {rate} frames per second is more than a WAV file can hold",
            audio=describe(audio),
            rate=rate,
        )
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(channels)
        writer.setsampwidth(2)
        writer.setframerate(rate)
        writer.writeframes(np.ascontiguousarray(samples).data.cast("B"))
    return Wave(file.getvalue(), rate, channels, count)


def _checked_rate(sample_rate: ScalarLike) -> int:
    try:
        rate = 0.0 if isinstance(sample_rate, (bool, str, bytes)) else to_float(sample_rate)
    except DataError:
        rate = 0.0
    if not 1 <= rate < math.inf:
        raise DataError(
            "sample_rate={sample_rate!r} is no positive whole number, such as 16000", sample_rate=sample_rate
        )
    return round(rate)  # a WAV file holds whole ones, and 44100 * 1.1 is none by a hair


def _frames_first(array: AnyArray) -> AnyArray:
    """Arrange samples as (frames, channels)."""
    shape = list(array.shape)
    if array.ndim > 2:
        array = array.squeeze()
    if array.ndim < 2:
        if not shape:
            raise DataError("one number is no sound; give an array of samples")
        return array.reshape(-1, 1)
    if array.ndim == 2:
        first, second = array.shape
        if second <= 2:
            return array.T if first == 1 < second else array
        if first <= 2 or _few(first, second):
            return array.T
        if _few(second, first):
            return array
    raise DataError(
        "sound of shape {shape} is neither (frames,) nor (frames, channels) nor (channels, "
        "frames) of up to {max_channels} channels; log each sound of a batch by itself",
        shape=shape,
        max_channels=_MAX_CHANNELS,
    )


def _few(channels: int, frames: int) -> bool:
    return channels <= _MAX_CHANNELS and frames >= 4 * channels


def _from_floats(frames: AnyArray) -> Samples:
    if frames.dtype.kind == "b" or frames.dtype.itemsize < 4:
        frames = frames.astype(np.float32)
    missing = np.count_nonzero(np.isnan(frames))
    if missing:
        raise DataError(
            "{missing} of {size} samples are NaN; np.nan_to_num(audio) makes them silent",
            missing=missing,
            size=frames.size,
        )
    peak = max(float(frames.max()), -float(frames.min()))
    if peak > 1:
        hint = tr(", or pass 16 bit samples as int16") if peak > 100 else ""
        warn(
            "sound with a peak of {peak:.6g} is cut off at 1; divide it by its peak{hint}",
            peak=peak,
            hint=hint,
        )
        frames = np.clip(frames, -1, 1)
    scaled = frames * frames.dtype.type(32767)
    samples: Samples = np.rint(scaled, out=scaled).astype(np.int16)
    return samples


def _from_integers(frames: AnyArray) -> Samples:
    signed, bits = frames.dtype.kind == "i", 8 * frames.dtype.itemsize
    if bits > 16:
        low, high = int(frames.min()), int(frames.max())
        if low >= -(2**15) and high < 2**15:
            return frames.astype(np.int16)
        if signed and bits == 64 and low >= -(2**31) and high < 2**31:
            bits = 32
        frames = frames >> frames.dtype.type(bits - 16)
    # 16 bits or fewer from here on.
    wide = frames.astype(np.int32)
    if not signed:
        wide -= 2 ** (min(bits, 16) - 1)
    if bits == 8:
        wide *= 256
    return wide.astype(np.int16)
