"""Likeness of images: PSNR, and SSIM (Wang et al., IEEE Transactions on Image Processing 13, 2004).

SSIM is that of the paper: a Gaussian window of 11 pixels with a standard deviation of 1.5, K1 = 0.01,
K2 = 0.03, variances of the population, the mean over all windows that lie within the image and over the
channels. It equals scikit-image's ``structural_similarity(..., gaussian_weights=True, sigma=1.5,
use_sample_covariance=False)``.
"""

from __future__ import annotations

import numpy as np

from vizkit.metrics.arrays import AnyArray, Floats

__all__ = ["WINDOW", "psnr", "ssim"]

WINDOW = 11
"""Pixels of the side of SSIM's window; smaller images have no SSIM."""

_SIGMA = 1.5


def psnr(true: AnyArray, found: AnyArray, spans: Floats) -> Floats:
    """The peak signal-to-noise ratio in decibels of n images, infinite where they are equal.

    Args:
        true: of shape (n, ...).
        found: of the same shape.
        spans: widths s of the range of values.

    Returns:
        Shape (s, n).
    """
    differences = (true.astype(np.float64) - found) ** 2
    errors = differences.reshape(len(true), -1).mean(axis=1)
    with np.errstate(divide="ignore"):
        return np.asarray(10 * np.log10(spans[:, None] ** 2 / errors))


def ssim(true: AnyArray, found: AnyArray, spans: Floats) -> Floats:
    """The structural similarity of n images.

    Args:
        true: of shape (n, c, h, w).
        found: of the same shape.
        spans: widths s of the range of values.

    Returns:
        Shape (s, n); NaN for images smaller than the window.
    """
    out = np.full((len(spans), len(true)), np.nan)
    if min(true.shape[2:]) < WINDOW:
        return out
    for i, (one, other) in enumerate(zip(true.astype(np.float64), found.astype(np.float64), strict=True)):
        means = [[_similar(x, y, span) for span in spans.tolist()] for x, y in map(_moments, one, other)]
        out[:, i] = np.mean(means, axis=0)
    return out


def _moments(x: Floats, y: Floats) -> tuple[tuple[Floats, Floats], tuple[Floats, Floats]]:
    """The luminance and the structure of two channels: numerators and denominators without constants."""
    mx, my = _blurred(x), _blurred(y)
    sxx, syy, sxy = _blurred(x * x) - mx * mx, _blurred(y * y) - my * my, _blurred(x * y) - mx * my
    return (2 * mx * my, mx * mx + my * my), (2 * sxy, sxx + syy)


def _similar(luminance: tuple[Floats, Floats], structure: tuple[Floats, Floats], span: float) -> float:
    c1, c2 = (0.01 * span) ** 2, (0.03 * span) ** 2
    (a, b), (c, d) = luminance, structure
    return float(((a + c1) * (c + c2) / ((b + c1) * (d + c2))).mean())


def _blurred(channel: Floats) -> Floats:
    """The Gaussian mean of each window within a channel of shape (h, w)."""
    import cv2

    half = WINDOW // 2
    weights = np.exp(-(np.arange(-half, half + 1) ** 2) / (2 * _SIGMA**2))
    weights /= weights.sum()
    blurred = cv2.sepFilter2D(np.ascontiguousarray(channel), -1, weights, weights)
    return np.asarray(blurred[half:-half, half:-half])
