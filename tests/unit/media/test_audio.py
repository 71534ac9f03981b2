"""Sound: every sample is where the array had it, in the WAV file that stock VisualDL plays."""

from __future__ import annotations

import io
import wave
from typing import Any

import numpy as np
import paddle
import pytest
from numpy.typing import NDArray

from vizkit.errors import DataError, VizKitWarning
from vizkit.media.audio import Wave, to_wave

RNG = np.random.default_rng(5)


def samples(sound: Wave) -> NDArray[np.int16]:
    """The samples (frames, channels) of the file itself, which must agree with the fields."""
    with wave.open(io.BytesIO(sound.data)) as reader:
        assert reader.getsampwidth() == 2
        assert reader.getcomptype() == "NONE"
        assert reader.getframerate() == sound.sample_rate
        assert reader.getnchannels() == sound.channels
        assert reader.getnframes() == sound.frames
        data = reader.readframes(sound.frames)
    return np.frombuffer(data, "<i2").reshape(sound.frames, sound.channels)


def heard(audio: Any) -> list[int]:
    """The samples of mono sound."""
    found = samples(to_wave(audio))
    assert found.shape[1] == 1
    return list(found[:, 0].tolist())


def test_int16_is_kept() -> None:
    values = np.arange(-(2**15), 2**15, dtype=np.int16)
    sound = to_wave(values, 44_100)
    assert (sound.sample_rate, sound.channels, sound.frames) == (44_100, 1, 65_536)
    np.testing.assert_array_equal(samples(sound)[:, 0], values)
    assert len(sound.data) == 44 + 2 * 65_536


@pytest.mark.parametrize(
    ("dtype", "values", "expected"),
    [
        (np.uint8, [0, 128, 255], [-32768, 0, 32512]),
        (np.int8, [-128, 0, 127], [-32768, 0, 32512]),
        (np.uint16, [0, 32768, 65535], [-32768, 0, 32767]),
        (np.int32, [-(2**31), 0, 2**31 - 1, 2**16], [-32768, 0, 32767, 1]),
        (np.int32, [-32768, 5, 32767], [-32768, 5, 32767]),
        (np.uint32, [0, 2**31, 2**32 - 1], [-32768, 0, 32767]),
        (np.int64, [-32768, 5, 32767], [-32768, 5, 32767]),
        (np.int64, [-(2**31), 2**31 - 1], [-32768, 32767]),
        (np.int64, [-(2**63), 0, 2**63 - 1], [-32768, 0, 32767]),
        (np.uint64, [0, 2**63, 2**64 - 1], [-32768, 0, 32767]),
        (np.bool_, [False, True], [0, 32767]),
    ],
)
def test_integers_of_every_width(dtype: Any, values: list[int], expected: list[int]) -> None:
    assert heard(np.array(values, dtype)) == expected


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_floats(dtype: Any) -> None:
    assert heard(np.array([-1, -0.5, 0, 0.25, 1], dtype)) == [-32767, -16384, 0, 8192, 32767]


def test_lists_and_tensors() -> None:
    assert heard([0, 100, -100]) == [0, 100, -100]
    assert heard([0.0, 1.0, -1.0]) == [0, 32767, -32767]
    wavelet = np.sin(np.arange(50)).astype(np.float32)
    assert heard(paddle.to_tensor(wavelet)) == np.rint(wavelet * 32767).tolist()
    assert heard(paddle.to_tensor(wavelet).astype("bfloat16"))[0] == 0


def test_the_example_of_visualdls_documentation() -> None:
    """It feeds a WAV file's bytes as uint8: noise, but it is recorded."""
    data = to_wave(RNG.uniform(-1, 1, 500)).data[44:]
    read: list[Any] = []
    read.extend(np.frombuffer(data, dtype="uint8"))
    sound = to_wave(np.array(read), sample_rate=8000)
    assert sound.frames == 1000
    assert samples(sound)[3, 0] == (data[3] - 128) * 256


def test_layouts() -> None:
    stereo = RNG.integers(-9999, 9999, (100, 2), dtype=np.int16)
    for given in (stereo, stereo.T, np.asfortranarray(stereo), stereo[np.newaxis], stereo.T[np.newaxis]):
        np.testing.assert_array_equal(samples(to_wave(given)), stereo)
    np.testing.assert_array_equal(samples(to_wave(stereo[::2, ::-1])), stereo[::2, ::-1])
    mono = stereo[:, :1]
    for given in (mono, mono.T, mono[:, 0], mono.T[np.newaxis], stereo[:1, :1], stereo[:2, :1].T):
        assert heard(given) == given.ravel().tolist()
    surround = RNG.integers(-9999, 9999, (64, 8), dtype=np.int16)
    for given in (surround, surround.T):
        np.testing.assert_array_equal(samples(to_wave(given)), surround)
    assert samples(to_wave(stereo[:2])).tolist() == stereo[:2].tolist()
    assert to_wave(stereo[:3].T).channels == 2


@pytest.mark.parametrize("shape", [(9, 100), (5, 6), (3, 100, 2), (2, 3, 100), (2, 2, 2)])
def test_what_is_no_sound(shape: tuple[int, ...]) -> None:
    with pytest.raises(DataError, match=r"neither \(frames,\)"):
        to_wave(np.zeros(shape))


@pytest.mark.parametrize("empty", [[], np.zeros((0, 2)), np.zeros((2, 0), np.int16)])
def test_empty_sound_is_refused(empty: Any) -> None:
    with pytest.raises(DataError, match="no sound"):
        to_wave(empty)


def test_other_things_are_refused() -> None:
    with pytest.raises(DataError, match="one number"):
        to_wave(0.5)
    with pytest.raises(DataError, match="real numbers"):
        to_wave(np.zeros(4, complex))
    with pytest.raises(DataError, match="2 of 5 samples are NaN"):
        to_wave([0, np.nan, 0, np.nan, 0])


def test_loud_sound_is_cut_off_with_one_warning() -> None:
    with pytest.warns(VizKitWarning, match=r"peak of 2\.5 ") as seen:
        assert heard(np.array([0, 2, -2.5, 0.5])) == [0, 32767, -32767, 16384]
    assert len(seen) == 1
    assert "int16" not in str(seen[0].message)
    with pytest.warns(VizKitWarning, match=r"peak of inf .*"):
        assert heard([np.inf, -np.inf]) == [32767, -32767]
    with pytest.warns(VizKitWarning, match="pass 16 bit samples as int16"):
        to_wave([100.5, 20_000.0])


def test_the_callers_array_is_only_read() -> None:
    for dtype in (np.int16, np.uint8, np.int32, np.float32, np.float64):
        values = np.arange(100).astype(dtype)
        if values.dtype.kind == "f":
            np.divide(values, 100, out=values)
        before = values.copy()
        values.flags.writeable = False
        to_wave(values)
        np.testing.assert_array_equal(values, before)


def test_sample_rates() -> None:
    for rate in (8000, 8000.0, np.int64(8000), np.float32(8000), 7999.9999999999, 8000.4):
        found = to_wave([0.0], rate).sample_rate  # type: ignore[arg-type]
        assert found == 8000
        assert type(found) is int
    for wrong in (0, -1, 0.5, float("nan"), float("inf"), "8000", None, True):
        with pytest.raises(DataError, match="sample_rate="):
            to_wave([0.0], wrong)  # type: ignore[arg-type]
    with pytest.raises(DataError, match="more than a WAV file can hold"):
        to_wave([0.0], 2**32)
