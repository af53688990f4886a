"""The networks that the paper's author published, and the music they were tested on."""

import ast
import os
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from skgenre import CRNNClassifier
from skgenre.datasets import load_fma, load_fma_features

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
def test_genres_of_the_small_subset_as_published(tmp_path):
    rows = pd.read_csv(folder_of("SKGENRE_FMA_DATA") / "fma_small_26_features.csv")
    rows["ids"] = rows["genres"].map(ast.literal_eval)
    top_of = {
        number: top
        for top, ids in zip(rows["genre_top"], rows["ids"], strict=True)
        for number in ids
    }
    tops = {top: 10_000 + i for i, top in enumerate(sorted(set(top_of.values())))}
    lines = [f"{number},1,0,{top},{number}" for top, number in tops.items()]
    lines += [
        f"{number},1,{tops[top]},g{number},{tops[top]}"
        for number, top in top_of.items()
    ]
    header = "genre_id,#tracks,parent,title,top_level"
    tables, clips = tmp_path / "fma_metadata", tmp_path / "fma_small"
    tables.mkdir()
    (tables / "genres.csv").write_text("\n".join([header, *lines]))
    lines = [
        *(",album,artist,set,set,track,track", ",id,id,split,subset,genre_top,genres"),
        "track_id,,,,,,",
    ]
    for row in rows.itertuples():
        lines.append(
            f'{row.track_id},1,1,{row.split},small,{row.genre_top},"{row.genres}"'
        )
        path = clips / f"{row.track_id:06d}"[:3] / f"{row.track_id:06d}.mp3"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (tables / "tracks.csv").write_text("\n".join(lines))

    tracks = load_fma(tmp_path, target="genres", keep_faulty=True)
    counts = pd.Series(tracks.split).value_counts()
    # Three more of the training clips don't decode, and have no features.
    assert counts.to_dict() == {"training": 6397, "validation": 800, "test": 800}
    assert len(tracks.duplicates) == 12
    lineages = [
        [tracks.genre_tree.lineage(genre) for genre in several]
        for several in tracks.target
    ]
    single = load_fma(tmp_path)
    # Those that are too short, and those that are silent.
    assert sorted(single.left_out["track_id"]) == [
        *(72059, 98565, 98567, 98569, 107535, 110736, 119979),
    ]
    of_track = dict(zip(tracks.track_ids.tolist(), lineages, strict=True))
    for number, top in zip(single.track_ids.tolist(), single.target, strict=True):
        assert {lineage[0] for lineage in of_track[number]} == {top}


@pytest.mark.slow
def test_artists_on_both_sides_make_fma_easier(monkeypatch):
    fma = folder_of("SKGENRE_FMA_DATA")
    monkeypatch.syspath_prepend(BENCHMARKS)
    import fma_split

    validation, test, folds = fma_split.accuracies(*fma_split.read(fma))
    assert [round(validation, 3), round(test, 3)] == [0.425, 0.371]
    assert 0.47 < folds.mean() < 0.50
