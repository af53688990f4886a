import numpy as np
import pytest
from numpy.testing import assert_array_equal

from skgenre import SpectrogramFile
from skgenre.classifiers._training._batches import SpectrogramBatches

X = np.random.default_rng(0).normal(-40, 10, size=(9, 6, 4)).astype(np.float32)
Y = np.arange(9)


@pytest.mark.parametrize("rows", [Y, Y[2:7], Y[::-1], Y[4:5]], ids=len)
@pytest.mark.parametrize("kind", [np.asarray, SpectrogramFile])
def test_batches_are_scaled_and_the_clips_are_as_they_were(kind, rows, tmp_path):
    """Neighbours in a file, and a last batch of one clip, are read as a view of it."""
    np.save(tmp_path / "X.npy", X)
    before = X.copy()
    given = X if kind is np.asarray else kind(tmp_path / "X.npy")
    mean, scale = np.full(4, -40, np.float32), np.full(4, 10, np.float32)
    batches = SpectrogramBatches(
        given, Y, np.ones(9), rows, mean=mean, scale=scale, batch_size=4
    )
    clips, genres, _ = (np.concatenate(parts) for parts in zip(*batches, strict=True))
    assert_array_equal(clips, (X[rows] - mean) / scale)
    assert_array_equal(genres, rows)
    assert_array_equal(X, before)
    assert_array_equal(np.load(tmp_path / "X.npy"), before)


def test_no_thread_tunes_what_keras_reads():
    """It held up fits at random, for half a minute: too seldom to wait for here."""
    scaling = {"mean": np.zeros(4), "scale": np.ones(4), "batch_size": 4}
    batches = SpectrogramBatches(X, Y, np.ones(9), Y, **scaling)
    dataset = batches.as_dataset()
    assert dataset.options().autotune.enabled is False
    for read, batch in zip(dataset, batches, strict=True):
        for a, b in zip(read, batch, strict=True):
            assert_array_equal(a, b)
