"""Missing genres, artists and paths get one message, of whatever library they are."""

import decimal

import numpy as np
import pandas as pd
import polars as pl
import pytest
import soundfile
from sklearn.naive_bayes import GaussianNB

from skgenre import (
    AbstainingClassifier,
    CRNNClassifier,
    EmbeddingKMeans,
    GenreTagger,
    MelSpectrogramTransformer,
    MissingClipClassifier,
    SegmentClassifier,
    TrackRecommender,
    load_audio,
)
from skgenre.clustering import mean_average_precision
from skgenre.datasets import audit, check_audio, find_audio_files
from skgenre.inspection import score_intervals

KNOWN = ["folk", "rock"] * 2
X = np.random.default_rng(0).normal(-40, 10, (5, 8, 4))
E = X[:, :, 0]
GENRES = [*KNOWN, "folk"]

MISSING = {
    "None": None,
    "NaN": float("nan"),
    "NA": pd.NA,
    "NaT": pd.NaT,
    "decimal": decimal.Decimal("NaN"),
}
LABELS = {
    **{f"list with {name}": [*KNOWN, value] for name, value in MISSING.items()},
    "array of objects": np.array([*KNOWN, np.nan], dtype=object),
    "strings of pandas": pd.Series([*KNOWN, pd.NA], dtype="string"),
    "categories": pd.Series([*KNOWN, None], dtype="category"),
    "integers of pandas": pd.Series([1, 2, 1, 2, pd.NA], dtype="Int64"),
    "polars": pl.Series([*KNOWN, None]),
    "dates": np.array(["2020", "2021", "2020", "2021", "NaT"], dtype="M8[Y]"),
    "numbers": [1, 2, 1, 2, np.nan],
}
abstaining = AbstainingClassifier(GaussianNB(), cv=2)
segments = SegmentClassifier(GaussianNB(), window=4, hop=4)
TAKES = {
    "network": lambda labels: CRNNClassifier().fit(X, labels),
    "network's artists": lambda labels: CRNNClassifier().fit(X, GENRES, groups=labels),
    "partial_fit": lambda labels: CRNNClassifier().partial_fit(X, GENRES, labels),
    "segments": lambda labels: segments.fit(X, labels),
    "abstaining": lambda labels: abstaining.fit(E, labels),
    "its artists": lambda labels: abstaining.fit(E, GENRES, groups=labels),
    "missing clips": lambda labels: MissingClipClassifier(GaussianNB()).fit(E, labels),
    "tagger": lambda labels: GenreTagger().fit(list(E), labels),
    "k-means": lambda labels: EmbeddingKMeans(2).fit(E, labels),
    "recommender": lambda labels: TrackRecommender().fit(E, groups=labels),
    "ranking": lambda labels: mean_average_precision(E, labels),
    "scores": lambda labels: score_intervals(GENRES, labels),
}


@pytest.mark.filterwarnings("ignore:A column-vector y")
@pytest.mark.parametrize("labels", LABELS.values(), ids=LABELS)
@pytest.mark.parametrize("take", TAKES.values(), ids=TAKES)
def test_labels(take, labels):
    with pytest.raises(ValueError, match=r"^Input \w+ contains NaN or None in row 4\."):
        take(labels)


@pytest.mark.parametrize("value", MISSING.values(), ids=MISSING)
def test_paths(value, tmp_path):
    mel = MelSpectrogramTransformer()
    paths = [str(tmp_path), value]
    for take in (mel.transform, check_audio, find_audio_files):
        for column in (paths, np.array(paths, object), pd.Series(paths)):
            with pytest.raises(TypeError, match=r"1 .*is of type .* Leave missing .*"):
                take(column)
    with pytest.raises(TypeError, match="'path' parameter of load_audio must be"):
        load_audio(value)


@pytest.mark.parametrize("value", MISSING.values(), ids=MISSING)
def test_audit_of_members_that_are_missing(value, tmp_path):
    noise = np.random.default_rng(0).normal(scale=0.1, size=8000)
    for name in ("a.wav", "b.wav"):
        soundfile.write(tmp_path / name, noise, 8000)
    tracks = {
        "paths": [str(tmp_path / "a.wav"), str(tmp_path / "b.wav")],
        "target": ["folk", value],
        "groups": [value, value],
        "split": ["test", value],
    }
    (finding,) = audit(tracks).itertuples()
    assert finding.problem == "duplicate file" and "artist" not in finding.detail
