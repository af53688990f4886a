"""The networks that the paper's author published, and the music they were tested on."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from skgenre import CRNNClassifier
from skgenre.datasets import load_fma_features

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


def folder_of(variable):
    folder = os.environ.get(variable)
    if not folder:
        pytest.skip(f"{variable} names no folder")
    return Path(folder)


@pytest.mark.slow
def test_the_published_weights_predict_here_as_in_their_own_layers(monkeypatch):
    weights, fma = folder_of("SKGENRE_PAPER_WEIGHTS"), folder_of("SKGENRE_FMA_DATA")
    monkeypatch.syspath_prepend(BENCHMARKS)
    import paper_weights

    X, genres = paper_weights.clips(fma)
    assert len(X) == 10
    for name, (network, layers, original) in paper_weights.NETWORKS.items():
        stored = paper_weights.read_weights(weights / f"{name}.h5")
        expected = [original(x / paper_weights.DECIBELS, stored) for x in X]
        in_order = paper_weights.in_order(stored, layers)
        ours = paper_weights.in_our_network(network.paper(), in_order)
        for ours._runtime in ("keras", "onnx"):
            np.testing.assert_allclose(ours.predict_proba(X), expected, atol=1e-4)
        assert (ours.predict(X) == genres).sum() >= 7
    # In the order of the paper's text they are of no use.
    other = CRNNClassifier.paper(batch_norm_position="after_relu")
    stored = paper_weights.read_weights(weights / "crnn.h5")
    in_order = paper_weights.in_order(stored, paper_weights.CRNN_LAYERS)
    other = paper_weights.in_our_network(other, in_order)
    assert (other.predict(X) == genres).sum() <= 2


def test_table_of_whole_tracks_as_published(tmp_path):
    fma = folder_of("SKGENRE_FMA_DATA")
    (tmp_path / "fma_metadata").mkdir()
    shutil.copy(fma / "features_2000.csv", tmp_path / "fma_metadata" / "features.csv")
    features = load_fma_features(tmp_path)
    assert features.shape == (2000, 140)
    assert features.columns[[0, 139]].tolist() == ["mfcc_kurtosis_01", "mfcc_std_20"]
    # Of the ten clips that come with it, the table has no features.
    assert features.isna().all(axis=1).sum() == features.isna().any(axis=1).sum() == 10


@pytest.mark.slow
def test_artists_on_both_sides_make_fma_easier(monkeypatch):
    fma = folder_of("SKGENRE_FMA_DATA")
    monkeypatch.syspath_prepend(BENCHMARKS)
    import fma_split

    validation, test, folds = fma_split.accuracies(*fma_split.read(fma))
    assert [round(validation, 3), round(test, 3)] == [0.425, 0.371]
    assert 0.47 < folds.mean() < 0.50
