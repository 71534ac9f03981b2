"""Projections of embeddings, compared with scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.decomposition import PCA

from vizkit.metrics.projection import projected

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("shape", [(2, 5), (40, 2), (30, 200), (1000, 16)])
def test_the_first_principal_components(shape: tuple[int, int]) -> None:
    vectors = RNG.normal(size=shape) * np.geomspace(1, 9, shape[1])
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    expected = PCA(2).fit_transform(unit)
    found = projected(vectors)
    np.testing.assert_allclose(np.abs(found), np.abs(expected), atol=1e-9)
    np.testing.assert_allclose(projected(vectors * 7), found, atol=1e-9)  # of directions
    np.testing.assert_array_equal(projected(vectors), found)


def test_of_many_vectors_some_give_the_axes() -> None:
    vectors = RNG.normal(size=(5000, 8)) * np.geomspace(1, 9, 8)
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    expected = PCA(2).fit_transform(unit)
    found = projected(vectors)
    for k in range(2):
        assert abs(np.corrcoef(found[:, k], expected[:, k])[0, 1]) > 0.95


@pytest.mark.parametrize("vectors", [np.zeros((3, 4)), np.ones((3, 1)), np.ones((1, 4)), np.ones((5, 4))])
def test_what_has_no_extent_is_at_one_place(vectors: np.ndarray) -> None:
    assert np.abs(projected(vectors)).max() < 1e-12
